//! Two stores around a store: one counts what is asked, one stops answering at a chosen call, as a process does that dies.
//!
//! Neither changes what is stored.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use bytes::Bytes;
use futures::{FutureExt as _, future};
use tokio::sync::watch;

use super::{Answer, Created, Objects, Safeguards};

/// What was asked of a store so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Creates, the refused ones included.
    pub puts: u64,
    /// Reads, also of what is not there.
    pub gets: u64,
    /// Listings.
    pub lists: u64,
    /// Bytes offered.
    pub bytes_out: u64,
    /// Bytes read.
    pub bytes_in: u64,
}

/// Counts the calls that pass through it. The backend's own trials ([`Objects::safeguards`]) are not counted.
#[derive(Debug)]
pub struct Counted {
    inner: Arc<dyn Objects>,
    puts: AtomicU64,
    gets: AtomicU64,
    lists: AtomicU64,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
}

impl Counted {
    /// Around a store.
    pub fn new(inner: Arc<dyn Objects>) -> Self {
        let zero = || AtomicU64::new(0);
        Self { inner, puts: zero(), gets: zero(), lists: zero(), bytes_out: zero(), bytes_in: zero() }
    }

    /// What was asked so far.
    pub fn tally(&self) -> Tally {
        Tally {
            puts: self.puts.load(Relaxed),
            gets: self.gets.load(Relaxed),
            lists: self.lists.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
        }
    }
}

impl Objects for Counted {
    fn create<'a>(&'a self, name: &'a str, bytes: Bytes) -> Answer<'a, Created> {
        self.puts.fetch_add(1, Relaxed);
        self.bytes_out.fetch_add(bytes.len() as u64, Relaxed);
        self.inner.create(name, bytes)
    }

    fn get<'a>(&'a self, name: &'a str, bytes_max: u64) -> Answer<'a, Option<Bytes>> {
        self.gets.fetch_add(1, Relaxed);
        async move {
            let found = self.inner.get(name, bytes_max).await?;
            self.bytes_in.fetch_add(found.as_ref().map_or(0, Bytes::len) as u64, Relaxed);
            Ok(found)
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        folder: &'a str,
        after: Option<&'a str>,
        names_max: usize,
    ) -> Answer<'a, Vec<String>> {
        self.lists.fetch_add(1, Relaxed);
        self.inner.list(folder, after, names_max)
    }

    fn safeguards(&self) -> Answer<'_, Safeguards> {
        self.inner.safeguards()
    }
}

/// On which side of the store a call is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// The call never reaches the store.
    Before,
    /// The store does it, and nobody hears.
    After,
}

/// Lets a number of calls pass and then never answers again. Wait for [`Interrupting::struck`] and drop the caller.
#[derive(Debug)]
pub struct Interrupting {
    inner: Arc<dyn Objects>,
    left: AtomicU64,
    strike: Strike,
    struck: watch::Sender<bool>,
}

impl Interrupting {
    /// Around a store: `calls` calls pass, the next one is cut.
    pub fn new(inner: Arc<dyn Objects>, calls: u64, strike: Strike) -> Self {
        Self { inner, left: AtomicU64::new(calls), strike, struck: watch::Sender::new(false) }
    }

    /// Returns once the cut has come.
    pub async fn struck(&self) {
        // the sender lives as long as we do, so this wait can only end well
        let _seen = self.struck.subscribe().wait_for(|struck| *struck).await.is_ok();
    }

    /// Passes a call, or cuts it on the chosen side.
    async fn cut<T: Send>(&self, call: Answer<'_, T>) -> Result<T, super::Fault> {
        let before = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        if before.is_ok() {
            return call.await;
        }
        if self.strike == Strike::After && !*self.struck.borrow() {
            // heard by nobody
            let _unheard = call.await.is_ok();
        }
        self.struck.send_replace(true);
        future::pending().await
    }
}

impl Objects for Interrupting {
    fn create<'a>(&'a self, name: &'a str, bytes: Bytes) -> Answer<'a, Created> {
        self.cut(self.inner.create(name, bytes)).boxed()
    }

    fn get<'a>(&'a self, name: &'a str, bytes_max: u64) -> Answer<'a, Option<Bytes>> {
        self.cut(self.inner.get(name, bytes_max)).boxed()
    }

    fn list<'a>(
        &'a self,
        folder: &'a str,
        after: Option<&'a str>,
        names_max: usize,
    ) -> Answer<'a, Vec<String>> {
        self.cut(self.inner.list(folder, after, names_max)).boxed()
    }

    fn safeguards(&self) -> Answer<'_, Safeguards> {
        self.inner.safeguards()
    }
}
