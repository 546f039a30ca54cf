//! Connections: so many at a time, each for so long. Whoever holds one open and says nothing loses it.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::clock::Clock;

/// How long a connection lives; its one delivery, of 25 MiB at most, has to be said by then.
const LIFE_MS: i64 = 30_000;
/// Wait after a connection that could not be accepted (no more file descriptors).
const WAIT_MS: i64 = 1_000;

/// A socket that gives so many connections at a time.
pub(super) struct Guarded {
    socket: TcpListener,
    places: Arc<Semaphore>,
    clock: Clock,
}

impl Guarded {
    pub(super) fn new(socket: TcpListener, connections_max: usize, clock: Clock) -> Self {
        Self { socket, places: Arc::new(Semaphore::new(connections_max)), clock }
    }
}

impl Listener for Guarded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // nobody closes the semaphore
            let place = Arc::clone(&self.places).acquire_owned().await.ok();
            match self.socket.accept().await {
                Ok((stream, from)) => {
                    let clock = self.clock.clone();
                    let over: Pin<Box<dyn Future<Output = ()> + Send>> =
                        Box::pin(async move { clock.sleep_ms(LIFE_MS).await });
                    return (Connection { stream, over: Some(over), _place: place }, from);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    self.clock.sleep_ms(WAIT_MS).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.socket.local_addr()
    }
}

/// One connection with its end.
pub(super) struct Connection {
    stream: TcpStream,
    /// None once it is over.
    over: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn is_over(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.over.as_mut().is_some_and(|over| over.as_mut().poll(cx).is_ready()) {
            self.over = None;
        }
        if self.over.is_some() { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.is_over(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.is_over(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::{future::ready, net::Ipv4Addr, task::Waker};

    use super::*;

    #[tokio::test]
    async fn what_is_over_stays_over_however_often_it_is_asked() {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let stream = TcpStream::connect(socket.local_addr().unwrap()).await.unwrap();
        let mut connection = Connection { stream, over: Some(Box::pin(ready(()))), _place: None };
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            let (mut bytes, asked) = ([0; 1], Pin::new(&mut connection));
            let read = asked.poll_read(&mut cx, &mut ReadBuf::new(&mut bytes));
            assert!(matches!(read, Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::TimedOut));
            let written = Pin::new(&mut connection).poll_write(&mut cx, b"HTTP/1.1 400");
            assert!(matches!(written, Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::TimedOut));
        }
    }
}
