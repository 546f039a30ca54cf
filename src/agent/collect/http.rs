//! The one way to a source: GET, and POST that reads; one client, no redirects of its own, every body bounded, the peer's
//! key remembered.
//!
//! It decides nothing: what an answer means, whether to wait or to follow a redirect is said elsewhere.

pub(super) mod resolve;
mod tls;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use observance_record::Digest;
use reqwest::{
    Client, Proxy, Response,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH},
    redirect::Policy,
    tls::TlsInfo,
};
use url::Url;
use zeroize::Zeroizing;

use self::{
    resolve::{Refused, Resolver},
    tls::{Chains, Trust},
};
use super::{
    exchange::FILE,
    ldap::{self, Asker, Bind, Directory, Line},
    reach::Reach,
    register::Register,
    spki,
};
use crate::secret::{self, Secret};

/// Time to a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence while an answer is read.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest exchange.
pub(super) const TOTAL_TIMEOUT: Duration = Duration::from_mins(2);
/// Causes of an error that are looked through.
const CAUSES_MAX: usize = 16;
/// Connections that are kept open for the next request.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// How sources are reached. Everything here is stated in each run's record.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// Certificates (PEM) that are trusted beside the public ones.
    pub extra_ca: Option<Vec<u8>>,
    /// Proxy for every request. Without one there is none: the environment is not asked. It resolves names itself.
    pub proxy: Option<String>,
    /// Addresses inside that may be reached.
    pub reach: Reach,
    /// The file that is the source, if it is one.
    pub register: Option<Register>,
    /// How the source is asked if it is a directory.
    pub directory: Option<Directory>,
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// The extra certificates cannot be read.
    #[error("cannot read the extra certificate authorities as PEM")]
    ExtraCa,
    /// One of them is not a usable certificate.
    #[error("cannot trust an extra certificate authority")]
    Trust(#[from] rustls::Error),
    /// The certificate and key by which this side proves itself cannot be used.
    #[error("cannot prove itself by the certificate and the key (PEM)")]
    Own,
    /// The proxy's address or the client itself.
    #[error("cannot make the http client")]
    Client(#[from] reqwest::Error),
}

/// The client. Make one and keep it; connections are reused.
pub struct Http {
    client: Client,
    #[cfg(test)]
    script: Option<super::tests::Script>,
    peers: Mutex<BTreeMap<String, Peer>>,
    chains: Arc<Chains>,
    proxy: Option<String>,
    extra_ca: Option<Digest>,
    register: Option<Register>,
    directory: Option<Asker>,
}

struct Peer {
    certificate: Vec<u8>,
    spki: Option<Digest>,
    root: Option<Digest>,
}

/// Response or request headers.
#[derive(Debug, Clone, Default)]
pub struct Headers(HeaderMap);

/// What is sent with a request.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Headers, the token among them.
    pub headers: &'a Headers,
    /// Answer only if the thing is no longer this.
    pub etag: Option<&'a str>,
    /// `etag` is no ETag but when the thing changed last.
    pub by_date: bool,
    /// JSON that is posted; without it the request is a GET.
    pub body: Option<&'a [u8]>,
    /// Largest body, in bytes, after decompression.
    pub body_bytes_max: u64,
    /// The run's own connection, where the source is a directory.
    pub line: &'a Line,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Headers,
    /// Its body after decompression.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// None in time.
    Timeout,
    /// No connection, or none that could be trusted.
    Connect,
    /// The name leads to an address that may not be reached; nothing was sent.
    Inside,
    /// It ended before its body did.
    Truncated,
    /// Its body is larger than asked for.
    TooLarge,
    /// Anything else.
    Other,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("proxy", &self.proxy.is_some()).finish_non_exhaustive()
    }
}

impl Http {
    /// A client for this route.
    pub fn new(route: &Route) -> Result<Self, RouteError> {
        let trust = tls::trust(route.extra_ca.as_deref())?;
        let proxy_host = route.proxy.as_deref().and_then(|proxy| Url::parse(proxy).ok());
        let proxy_host = proxy_host.and_then(|proxy| proxy.host_str().map(str::to_owned));
        let resolver = Resolver::new(&route.reach, proxy_host);
        let mut builder = Client::builder()
            .user_agent(concat!("observance/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .gzip(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .tls_info(true)
            .no_proxy()
            .dns_resolver(Arc::new(resolver.clone()))
            .tls_backend_preconfigured(trust.config(None)?);
        if let Some(proxy) = &route.proxy {
            builder = builder.proxy(Proxy::all(proxy)?);
        }
        Ok(Self {
            client: builder.build()?,
            #[cfg(test)]
            script: None,
            peers: Mutex::default(),
            directory: asker(route.directory.as_ref(), &trust, resolver)?,
            chains: trust.chains,
            proxy: route.proxy.as_deref().map(without_user),
            extra_ca: route.extra_ca.as_deref().map(Digest::of),
            register: route.register.clone(),
        })
    }

    /// One request. The caller has made sure that the token may go there.
    pub async fn send(&self, url: &Url, ask: Ask<'_>) -> Result<Answer, Broken> {
        #[cfg(test)]
        if let Some(script) = &self.script {
            return script.answer(url, ask);
        }
        if url.scheme() == FILE {
            return self.register.as_ref().ok_or(Broken::Other)?.answer(ask.body_bytes_max);
        }
        if ldap::is_directory(url) {
            let asker = self.directory.as_ref().ok_or(Broken::Other)?;
            let host = url.host_str().unwrap_or_default();
            let shown = |certificate: &[u8]| self.note(host, certificate);
            let wanted = ask.body.unwrap_or_default();
            // boxed: it is seldom, and every other request would carry its size
            return Box::pin(asker.ask((ask.line, url), wanted, ask.body_bytes_max, shown)).await;
        }
        let mut request = match ask.body {
            None => self.client.get(url.clone()),
            Some(body) => {
                self.client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body.to_vec())
            }
        };
        request = request.headers(ask.headers.0.clone());
        if let Some(etag) = ask.etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            request = request.header(if ask.by_date { IF_MODIFIED_SINCE } else { IF_NONE_MATCH }, etag);
        }
        let mut response = request.send().await.map_err(|error| broken(&error))?;
        self.remember(url, &response);
        let body = read(&mut response, ask.body_bytes_max).await?;
        let status = response.status().as_u16();
        Ok(Answer { status, headers: Headers(std::mem::take(response.headers_mut())), body })
    }

    /// SHA-256 of the public key (SubjectPublicKeyInfo) with which a host last proved itself; none without TLS.
    pub fn spki(&self, host: &str) -> Option<Digest> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).get(host).and_then(|peer| peer.spki)
    }

    /// SHA-256 of the last certificate of the chain that came with that key.
    pub fn root(&self, host: &str) -> Option<Digest> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).get(host).and_then(|peer| peer.root)
    }

    /// The proxy, without user and password.
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// Is it a file that nobody has to sign?
    pub(super) fn is_unsigned(&self) -> bool {
        self.register.as_ref().is_some_and(|register| register.signer.is_none())
    }

    /// Digest of the extra certificates.
    pub const fn extra_ca(&self) -> Option<Digest> {
        self.extra_ca
    }

    #[cfg(test)]
    pub(super) fn scripted(script: super::tests::Script) -> Self {
        Self { script: Some(script), ..Self::new(&Route::default()).unwrap() }
    }

    /// May a directory be asked there? Where all is encrypted before anybody says who he is; else only on this machine.
    pub(super) fn may_bind_at(&self, url: &Url) -> bool {
        let starts_tls = self.directory.as_ref().is_some_and(Asker::starts_tls);
        secret::may_bind_at(url) || url.scheme() == ldap::LDAP && starts_tls
    }

    fn remember(&self, url: &Url, response: &Response) {
        let info = response.extensions().get::<TlsInfo>();
        if let (Some(host), Some(der)) = (url.host_str(), info.and_then(TlsInfo::peer_certificate)) {
            self.note(host, der);
        }
    }

    /// Notes with which certificate a host proved itself.
    fn note(&self, host: &str, der: &[u8]) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.get(host).is_none_or(|peer| peer.certificate != der) {
            let (spki, root) = (spki::find(der).map(Digest::of), self.chains.last(der));
            peers.insert(host.to_owned(), Peer { certificate: der.to_vec(), spki, root });
        }
    }
}

fn asker(
    directory: Option<&Directory>,
    trust: &Trust,
    resolver: Resolver,
) -> Result<Option<Asker>, RouteError> {
    let Some(directory) = directory else { return Ok(None) };
    let own = match &directory.bind {
        Bind::Simple { .. } => None,
        Bind::External { certificate, key } => Some((certificate.as_slice(), key)),
    };
    Ok(Some(Asker::new(directory, trust.config(own)?, resolver)))
}

impl Headers {
    /// The headers of every request, and those that say who asks; `None` if a secret, or a value, is not fit for a header.
    pub fn outgoing(pairs: &[(String, String)], secrets: &BTreeMap<String, Secret>) -> Option<Self> {
        let mut headers = Self::of(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))?;
        for (name, secret) in secrets {
            let mut value = HeaderValue::from_str(secret.expose()).ok()?;
            value.set_sensitive(true);
            headers.0.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
        }
        Some(headers)
    }

    /// The same and one more, which is a secret; `None` if it is not fit for a header.
    #[must_use]
    pub fn with(&self, name: &'static str, secret: &Secret) -> Option<Self> {
        let mut value = HeaderValue::from_str(secret.expose()).ok()?;
        value.set_sensitive(true);
        let mut headers = self.0.clone();
        headers.insert(HeaderName::from_static(name), value);
        Some(Self(headers))
    }

    /// The same and these, each instead of one of its name; `None` if one is not fit for a header.
    #[must_use]
    pub fn and(&self, pairs: &[(String, String)]) -> Option<Self> {
        let mut headers = self.0.clone();
        for (name, value) in pairs {
            headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
        }
        Some(Self(headers))
    }

    /// All that are no secrets, by name; `None` if one is no visible text.
    pub fn open(&self) -> Option<Vec<(String, String)>> {
        let open = self.0.iter().filter(|(_, value)| !value.is_sensitive());
        open.map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect()
    }

    /// The same for a host that must not learn who asks.
    #[must_use]
    pub fn without_credential(&self) -> Self {
        let open = self.0.iter().filter(|(_, value)| !value.is_sensitive());
        Self(open.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Tells who asks from others who ask; says nothing about them.
    pub fn by(&self) -> Digest {
        let secret = self.0.iter().filter(|(_, value)| value.is_sensitive());
        let mut told = Zeroizing::new(Vec::new());
        for (name, value) in secret {
            told.extend_from_slice(name.as_str().as_bytes());
            told.push(0);
            told.extend_from_slice(value.as_bytes());
            told.push(0);
        }
        Digest::of(&told)
    }

    /// Headers from names and values; `None` if one of them is not fit for a header.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
        }
        Some(Self(headers))
    }

    /// The value of a header (lower-case name), if it is visible text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    /// All values of a header, in order, joined as RFC 9110 section 5.3 allows.
    pub fn joined(&self, name: &str) -> Option<String> {
        let values: Vec<_> =
            self.0.get_all(name).iter().map(HeaderValue::to_str).collect::<Result<_, _>>().ok()?;
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Is there such a header, readable or not?
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

async fn read(response: &mut Response, bytes_max: u64) -> Result<Bytes, Broken> {
    let mut whole = BytesMut::new();
    let mut first = Bytes::new();
    loop {
        let Some(chunk) = response.chunk().await.map_err(|error| broken_body(&error))? else { break };
        let length = first.len() + whole.len() + chunk.len();
        if u64::try_from(length).is_ok_and(|length| length > bytes_max) {
            return Err(Broken::TooLarge);
        }
        // most bodies come in one piece, which is then not copied
        if first.is_empty() && whole.is_empty() {
            first = chunk;
        } else {
            whole.extend_from_slice(&std::mem::take(&mut first));
            whole.extend_from_slice(&chunk);
        }
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

fn broken(error: &reqwest::Error) -> Broken {
    if caused_by_refusal(error) {
        Broken::Inside
    } else if error.is_timeout() {
        Broken::Timeout
    } else if error.is_connect() {
        Broken::Connect
    } else {
        Broken::Other
    }
}

fn caused_by_refusal(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.take(CAUSES_MAX).any(<dyn std::error::Error>::is::<Refused>)
}

fn broken_body(error: &reqwest::Error) -> Broken {
    if error.is_timeout() { Broken::Timeout } else { Broken::Truncated }
}

fn without_user(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return String::new() };
    let plain = url.set_username("").is_ok() && url.set_password(None).is_ok();
    if plain { url.to_string() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed() {
        let with = |value: &str| BTreeMap::from([("x-key".to_owned(), Secret::new(value.into()))]);
        let pairs = [("accept".to_owned(), "*/*".to_owned())];
        let headers = Headers::outgoing(&pairs, &with("ghp_hush")).unwrap();
        assert!(!format!("{headers:?}").contains("hush"));
        assert!(Headers::outgoing(&[], &with("two\nlines")).is_none());
        assert_ne!(headers.by(), Headers::outgoing(&pairs, &with("another")).unwrap().by());
        let open = headers.without_credential();
        assert!(headers.has("x-key") && !open.has("x-key") && open.has("accept"));
    }

    #[test]
    fn the_route_is_checked_before_it_is_used() {
        assert!(Http::new(&Route::default()).is_ok());
        let route = Route { extra_ca: Some(b"no certificate".to_vec()), ..Route::default() };
        assert!(matches!(Http::new(&route), Err(RouteError::ExtraCa)));
        assert_eq!(without_user("http://me:secret@proxy:3128"), "http://proxy:3128/");
    }
}
