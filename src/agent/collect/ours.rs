//! Where a run may send anything at all, and who of them is told who asks.
//!
//! It sends nothing.

use url::Url;

use super::{
    exchange::{FILE, Session},
    ldap,
};

impl Session<'_> {
    /// May the token go there? Same scheme, host and port as an address of the source, and no user in it.
    pub(super) fn is_ours(&self, url: &Url) -> bool {
        // files have no origin, and nothing is sent to them
        let file = url.scheme() == FILE && url.as_str().starts_with(self.base.as_str());
        let place = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port());
        let directory = ldap::is_directory(url) && place(url) == place(&self.base);
        let own = std::iter::once(&self.base).chain(self.beside.values());
        let ours = file || directory || own.map(Url::origin).any(|origin| origin == url.origin());
        ours && url.username().is_empty() && url.password().is_none()
    }

    /// May anything be sent there? Besides our own address, only hosts that the manifest names, by https.
    pub(super) fn may_go(&self, url: &Url) -> bool {
        let named = |host: &str| self.manifest.connection.allow_hosts.iter().any(|allowed| allowed == host);
        let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        url.scheme() == "https" && plain && url.host_str().is_some_and(named) || self.is_ours(url)
    }
}
