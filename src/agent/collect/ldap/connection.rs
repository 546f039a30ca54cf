//! One connection to a directory: opened, encrypted, bound, and asked one thing at a time.
//!
//! Everything is bounded: the way there, each silence, each message. What is not as the protocol says ends it.

use std::{net::IpAddr, sync::Arc};

use bytes::{Bytes, BytesMut};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Url;

use super::{
    LDAPS, ber,
    message::{self, Answer, Done},
};
use crate::{
    collect::http::{
        Broken, CONNECT_TIMEOUT, READ_TIMEOUT,
        resolve::{Refused, Resolver},
    },
    secret,
};

/// The port of LDAP over TLS, and that of LDAP.
const PORTS: (u16, u16) = (636, 389);
/// Bytes that are read at once.
const READ_BYTES: usize = 64 * 1024;
/// Largest answer that is no entry: to a bind, to StartTLS.
const SMALL_BYTES_MAX: u64 = 64 * 1024;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The way to a directory.
#[derive(Clone)]
pub(super) struct Way {
    pub resolver: Resolver,
    pub tls: Arc<ClientConfig>,
    /// Is a connection that begins plain encrypted before anything is said?
    pub start_tls: bool,
}

/// A connection.
pub(super) struct Connection {
    stream: Box<dyn Stream>,
    /// What came and was not looked at.
    rest: BytesMut,
    /// Number of the last request.
    last: u32,
}

impl Connection {
    /// Opens and encrypts one. Beside it, the certificate that the directory showed.
    pub(super) async fn open(url: &Url, way: &Way) -> Result<(Self, Option<Vec<u8>>), Broken> {
        let host = url.host_str().ok_or(Broken::Connect)?.trim_matches(['[', ']']);
        let tls = url.scheme() == LDAPS;
        let port = url.port().unwrap_or(if tls { PORTS.0 } else { PORTS.1 });
        let stream = connect(&way.resolver, host, port).await?;
        if tls {
            return Ok(Self::encrypted(encrypt(stream, host, way).await?));
        }
        if way.start_tls {
            let mut plain = Self::of(Box::new(stream));
            let id = plain.next();
            plain.send(&message::start_tls(id)).await?;
            let answer = plain.receive(SMALL_BYTES_MAX).await?;
            let agreed =
                matches!(message::read(&answer), Ok((n, Answer::Extended(Done { code: 0 }))) if n == id);
            // what stands behind the answer was not encrypted, and nobody knows who wrote it
            if !agreed || !plain.rest.is_empty() {
                return Err(Broken::Connect);
            }
            return Ok(Self::encrypted(encrypt(plain.stream, host, way).await?));
        }
        // the caller has seen to it; a password that went over the wire cannot be taken back
        if !secret::is_here(url) {
            return Err(Broken::Connect);
        }
        Ok((Self::of(Box::new(stream)), None))
    }

    fn of(stream: Box<dyn Stream>) -> Self {
        Self { stream, rest: BytesMut::new(), last: 0 }
    }

    fn encrypted<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        stream: TlsStream<S>,
    ) -> (Self, Option<Vec<u8>>) {
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(|leaf| leaf.to_vec());
        (Self::of(Box::new(stream)), shown)
    }

    /// The number of the next request.
    pub(super) const fn next(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1) & 0x7fff_ffff;
        self.last
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, message: &[u8]) -> Result<(), Broken> {
        let sent = async {
            self.stream.write_all(message).await?;
            self.stream.flush().await
        };
        timeout(READ_TIMEOUT, sent)
            .await
            .map_err(|_elapsed| Broken::Timeout)?
            .map_err(|_broken| Broken::Other)
    }

    /// The next message, of so many bytes at most.
    pub(super) async fn receive(&mut self, bytes_max: u64) -> Result<Bytes, Broken> {
        // each turn reads at least one byte, and a message has an end
        loop {
            let whole = ber::whole(&self.rest).map_err(|_malformed| Broken::Other)?;
            if whole.is_some_and(|whole| u64::try_from(whole).map_or(true, |whole| whole > bytes_max)) {
                return Err(Broken::TooLarge);
            }
            if let Some(whole) = whole.filter(|whole| *whole <= self.rest.len()) {
                return Ok(self.rest.split_to(whole).freeze());
            }
            self.rest.reserve(READ_BYTES);
            let read = timeout(READ_TIMEOUT, self.stream.read_buf(&mut self.rest)).await;
            match read.map_err(|_elapsed| Broken::Timeout)? {
                Ok(0) | Err(_) => return Err(Broken::Truncated),
                Ok(_) => {}
            }
        }
    }

    /// Says who asks; the code of the answer.
    pub(super) async fn bind(
        &mut self,
        request: impl Fn(u32) -> zeroize::Zeroizing<Vec<u8>>,
    ) -> Result<u16, Broken> {
        let id = self.next();
        self.send(&request(id)).await?;
        let answer = self.receive(SMALL_BYTES_MAX).await?;
        match message::read(&answer) {
            Ok((n, Answer::Bound(Done { code }))) if n == id => Ok(code),
            Ok(_) | Err(ber::Malformed) => Err(Broken::Other),
        }
    }

    /// Takes leave; whether the directory hears it does not matter.
    pub(super) async fn end(mut self) {
        let id = self.next();
        let heard = self.send(&message::unbind(id)).await;
        tracing::debug!(heard = heard.is_ok(), "left the directory");
    }
}

async fn connect(resolver: &Resolver, host: &str, port: u16) -> Result<TcpStream, Broken> {
    let addresses = if let Ok(ip) = host.parse::<IpAddr>() {
        // written as such it can only be the configured one
        vec![ip]
    } else {
        let found = resolver.addresses(host).await;
        let refused = |error: &(dyn std::error::Error + Send + Sync + 'static)| error.is::<Refused>();
        let found = found.map_err(|error| if refused(&*error) { Broken::Inside } else { Broken::Connect })?;
        found.into_iter().map(|address| address.ip()).collect()
    };
    for ip in addresses {
        if let Ok(Ok(stream)) = timeout(CONNECT_TIMEOUT, TcpStream::connect((ip, port))).await {
            return Ok(stream);
        }
    }
    Err(Broken::Connect)
}

async fn encrypt<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    way: &Way,
) -> Result<TlsStream<S>, Broken> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_no_name| Broken::Connect)?;
    let shaken = TlsConnector::from(Arc::clone(&way.tls)).connect(name, stream);
    timeout(CONNECT_TIMEOUT, shaken)
        .await
        .map_err(|_elapsed| Broken::Timeout)?
        .map_err(|_unbelieved| Broken::Connect)
}
