//! Being asked to stop: SIGTERM from whoever runs the container, SIGINT from a keyboard. As process 1 nobody else hears them.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The two signals, heard from now on.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen.
    pub fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
