//! Names become addresses here, and only addresses that may be reached: what is connected to is what was checked, so a
//! name that leads elsewhere the second time gains nothing.
//!
//! Addresses that are written as such pass by; whoever builds a request allows no other than the configured one.

use std::{io, net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::collect::reach::Reach;

/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 32;
/// The one name that means this machine; it is reached only if it was configured as the base address.
const HERE: &str = "localhost";

/// Resolves and checks.
#[derive(Debug, Clone)]
pub(in crate::collect) struct Resolver {
    reach: Arc<Reach>,
    proxy: Option<String>,
}

/// The name leads nowhere that may be reached.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address inside that is not configured")]
pub(in crate::collect) struct Refused;

impl Resolver {
    /// `proxy` is the configured proxy's host, which is usually inside.
    pub(super) fn new(reach: &Reach, proxy: Option<String>) -> Self {
        Self { reach: Arc::new(reach.clone()), proxy }
    }

    fn allows(&self, name: &str, address: &SocketAddr) -> bool {
        let ip = address.ip();
        self.reach.allows(ip)
            || self.proxy.as_deref() == Some(name)
            || name == HERE && ip.to_canonical().is_loopback()
    }
}

type Unreached = Box<dyn std::error::Error + Send + Sync>;

impl Resolver {
    /// The addresses of a name that may be reached; [`Refused`] if it has some and none of them may.
    pub(in crate::collect) async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, Unreached> {
        let found = look_up(name).await?;
        let some = !found.is_empty();
        let allowed: Vec<SocketAddr> =
            found.into_iter().filter(|address| self.allows(name, address)).collect();
        if some && allowed.is_empty() { Err(Refused.into()) } else { Ok(allowed) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let addresses: Addrs = Box::new(this.addresses(name.as_str()).await?.into_iter());
            Ok(addresses)
        })
    }
}

async fn look_up(name: &str) -> io::Result<Vec<SocketAddr>> {
    #[cfg(test)]
    if name == "rebound.test" {
        return Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))]);
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.take(ADDRESSES_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolved(resolver: &Resolver, name: &str) -> Result<usize, bool> {
        let found = resolver.resolve(name.parse().unwrap()).await;
        found.map(Iterator::count).map_err(|error| error.is::<Refused>())
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_unless_it_is_configured() {
        let strict = Resolver::new(&Reach::default(), None);
        // what the system makes of another way to write the same address
        assert_eq!(resolved(&strict, "127.1").await, Err(true));
        assert_eq!(resolved(&strict, "rebound.test").await, Err(true));
        assert!(resolved(&strict, "localhost").await.unwrap() > 0);
        let named = Resolver::new(&Reach::new(vec!["127.0.0.0/8".parse().unwrap()]), None);
        assert_eq!(resolved(&named, "rebound.test").await, Ok(1));
        let proxy = Resolver::new(&Reach::default(), Some("rebound.test".to_owned()));
        assert_eq!(resolved(&proxy, "rebound.test").await, Ok(1));
    }
}
