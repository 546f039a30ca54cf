//! A directory as a source (LDAP, RFC 4511): asked for one page of a search at a time, over a connection of the run's own.
//!
//! It answers as a server of HTTP would, so that everything behind it is the same: the status is the result code, the body is JSON of
//! the entries. It cannot write, and it goes nowhere that a directory points to: what lies elsewhere makes a list partial.

mod ber;
mod connection;
mod entry;
mod filter;
mod message;
mod name;
mod paged;
mod place;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use rustls::ClientConfig;
use tokio::{sync::Mutex, time::timeout};
use url::Url;
use zeroize::Zeroizing;

use self::connection::{Connection, Way};
pub(super) use self::{
    entry::{ENTRIES, NAME, Shape},
    filter::{is_attribute, read as read_filter},
    message::Scope,
    paged::{FURTHER, NEXT, Search, told},
    place::{base, filter, url},
};
use super::{
    http::{Answer, Broken, Headers, TOTAL_TIMEOUT, resolve::Resolver},
    outcome::why,
    register::REASON,
};
use crate::secret::Secret;

/// The scheme of LDAP over TLS.
pub(super) const LDAPS: &str = "ldaps";
/// The scheme of LDAP.
pub(super) const LDAP: &str = "ldap";
/// The code of a directory that does not believe who asks (RFC 4511 appendix A).
const INVALID_CREDENTIALS: u16 = 49;
/// Codes of a directory that is busy, or unavailable.
const PASSING: [u16; 2] = [51, 52];

/// Who asks a directory, and how the way there is encrypted.
#[derive(Debug, Clone)]
pub struct Directory {
    /// Who asks.
    pub bind: Bind,
    /// Whether a connection that begins plain is encrypted before anything is said (StartTLS).
    pub start_tls: bool,
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Bind {
    /// Somebody with a password.
    Simple {
        /// His name in the directory, or whatever it takes for one.
        name: String,
        /// His password.
        password: Secret,
    },
    /// Whoever the certificate of the connection says (SASL EXTERNAL).
    External {
        /// The certificate and those behind it (PEM).
        certificate: Vec<u8>,
        /// Its private key (PEM).
        key: Secret,
    },
}

/// The connection of a run. A page can be gone on with only where it was asked for.
#[derive(Default)]
pub struct Line(Mutex<Seat>);

/// Where a run stands with its directory.
#[derive(Default)]
enum Seat {
    /// Nothing is open, or what was broke off.
    #[default]
    Empty,
    /// Whoever asks is let in.
    Open(Connection),
    /// He is not, by this code; a directory counts wrong passwords, so it is tried once.
    Refused(u16),
}

impl Line {
    /// Takes leave of the directory, if there was any.
    pub(super) async fn end(self) {
        if let Seat::Open(connection) = self.0.into_inner() {
            connection.end().await;
        }
    }
}

/// Asks a directory.
pub(super) struct Asker {
    bind: Bind,
    way: Way,
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").field("start_tls", &self.way.start_tls).finish_non_exhaustive()
    }
}

impl Asker {
    /// By this way.
    pub(super) fn new(directory: &Directory, tls: ClientConfig, resolver: Resolver) -> Self {
        let way = Way { resolver, tls: Arc::new(tls), start_tls: directory.start_tls };
        Self { bind: directory.bind.clone(), way }
    }

    /// Is what begins plain encrypted?
    pub(super) const fn starts_tls(&self) -> bool {
        self.way.start_tls
    }

    /// One page. `shown` is told the certificate of the directory. What breaks off takes the connection with it, also where the
    /// caller no longer waits: a further answer is never taken for that to another question.
    pub(super) async fn ask(
        &self,
        (line, url): (&Line, &Url),
        wanted: &[u8],
        bytes_max: u64,
        shown: impl Fn(&[u8]),
    ) -> Result<Answer, Broken> {
        let search: Search = serde_json::from_slice(wanted).map_err(|_unfit| Broken::Other)?;
        let mut seat = line.0.lock().await;
        let asked = async {
            let had = match std::mem::take(&mut *seat) {
                Seat::Open(connection) => Ok(connection),
                Seat::Refused(code) => Err(code),
                Seat::Empty => self.open(url, shown).await?,
            };
            let mut connection = match had {
                Ok(connection) => connection,
                Err(code) if PASSING.contains(&code) => return Ok((refused(code)?, Seat::Empty)),
                Err(code) => return Ok((refused(code)?, Seat::Refused(code))),
            };
            let answer = paged::page(&mut connection, &search, bytes_max).await?;
            Ok((answer, Seat::Open(connection)))
        };
        let (answer, after) = timeout(TOTAL_TIMEOUT, asked).await.map_err(|_elapsed| Broken::Timeout)??;
        *seat = after;
        Ok(answer)
    }

    /// A connection that is bound; or the code by which that was refused.
    async fn open(&self, url: &Url, shown: impl Fn(&[u8])) -> Result<Result<Connection, u16>, Broken> {
        if let Bind::Simple { password, .. } = &self.bind
            && password.expose().is_empty()
        {
            // a bind without a password succeeds as nobody (RFC 4513 section 5.1.2)
            return Ok(Err(INVALID_CREDENTIALS));
        }
        let (mut connection, certificate) = Connection::open(url, &self.way).await?;
        if let Some(certificate) = &certificate {
            shown(certificate);
        }
        let code = match &self.bind {
            Bind::Simple { name, password } => {
                let request = |id| Zeroizing::new(message::bind_simple(id, name, password.expose()));
                connection.bind(request).await?
            }
            Bind::External { .. } => connection.bind(|id| Zeroizing::new(message::bind_external(id))).await?,
        };
        Ok(if code == 0 { Ok(connection) } else { Err(code) })
    }
}

/// The answer to whoever is not let in; a directory that cannot let anybody in just now says nothing of who asks.
fn refused(code: u16) -> Result<Answer, Broken> {
    let reason = (!PASSING.contains(&code)).then_some((REASON, why::BIND_REFUSED));
    let headers = Headers::of(reason).ok_or(Broken::Other)?;
    Ok(Answer { status: code, headers, body: Bytes::new() })
}

/// Is it the address of a directory?
pub(super) fn is_directory(url: &Url) -> bool {
    matches!(url.scheme(), LDAPS | LDAP)
}

#[cfg(test)]
mod tests;
