//! Hears a source say that something changed: signed deliveries over HTTP, so that collectors look at once.
//!
//! What is sent is no evidence. A body goes through the check of its signature and is forgotten; nothing in it is read.
//! This room runs and records nothing: it leaves counts on a [`Board`], and `run` does the rest. It speaks no TLS; that
//! is the business of whoever stands before it.

mod board;
mod connection;
mod delivery;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::{
    board::{Board, GAP_MS, Heard},
    delivery::{BODY_BYTES_MAX, DELIVERIES_MAX, Ear, EarError, SECRET_BYTES_MIN},
};
use self::{
    connection::Guarded,
    delivery::{Refused, Said},
};
use crate::clock::Clock;

/// Connections at the same time; who comes later waits.
const CONNECTIONS_MAX: usize = 64;

/// Nobody can be heard.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {address}")]
pub struct HearError {
    /// Where.
    address: SocketAddr,
    /// Why not.
    source: io::Error,
}

/// A bound address and those who may speak there.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    doors: Arc<Doors>,
}

/// Those who may speak, by the name of their source, and where it is noted.
#[derive(Debug)]
struct Doors {
    ears: BTreeMap<String, Ear>,
    /// Hears whoever names no source: as long as the others, and nothing.
    deaf: Ear,
    board: Board,
}

impl Listener {
    /// Binds `address`; nothing is answered before [`Self::serve`].
    pub async fn bind(
        address: SocketAddr,
        ears: BTreeMap<String, Ear>,
        board: Board,
    ) -> Result<Self, HearError> {
        let fault = |source| HearError { address, source };
        let socket = TcpListener::bind(address).await.map_err(fault)?;
        let address = socket.local_addr().map_err(fault)?;
        Ok(Self { socket, address, doors: Arc::new(Doors { ears, deaf: Ear::deaf(), board }) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers `POST /hooks/{source}` until `stop` is cancelled and what was under way is answered. `clock` bounds how
    /// long a connection lives; it should be the machine's own.
    pub async fn serve(self, clock: Clock, stop: CancellationToken) {
        let router = Router::new().route("/hooks/{source}", post(answer)).with_state(self.doors);
        let guarded = Guarded::new(self.socket, CONNECTIONS_MAX, clock);
        let served = axum::serve(guarded, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "change events are heard no more");
        }
    }
}

async fn answer(State(doors): State<Arc<Doors>>, Path(source): Path<String>, request: Request) -> Response {
    let (status, text) = match doors.hear(&source, request).await {
        Ok(Said::Hello) => (StatusCode::OK, "heard"),
        Ok(Said::Change) => (StatusCode::ACCEPTED, "heard: who is concerned looks within a minute"),
        Ok(Said::Other) => (StatusCode::ACCEPTED, "heard: no collector is concerned"),
        Err(refused) => {
            let n = doors.board.refuse();
            // the first, and then ever more rarely: a flood does not fill the operator's log
            if n.is_power_of_two() {
                tracing::warn!(?refused, n, "deliveries are refused; no look follows from them");
            }
            (refused.status(), refused.text())
        }
    };
    // one delivery a connection: its time is bounded, and must not be used up by the one before
    (status, [(header::CONNECTION, "close")], text).into_response()
}

impl Doors {
    async fn hear(&self, source: &str, request: Request) -> Result<Said, Refused> {
        let Some(ear) = self.ears.get(source) else {
            // whoever guessed the deaf ear's key learns nothing by saying it twice
            let refused = self.deaf.hear(request).await.err();
            return Err(refused.filter(|refused| *refused != Refused::Again).unwrap_or(Refused::Unsigned));
        };
        let (said, event) = ear.hear(request).await?;
        if said == Said::Change {
            self.board.hear(source, &event);
        }
        Ok(said)
    }
}
