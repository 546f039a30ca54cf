//! A store that fails when told to.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use futures::FutureExt as _;
use observance::store::{Answer, Created, Fault, Objects, Safeguards};

/// How a call fails. Reads fail in one way only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The store never saw it.
    Lost,
    /// The store did it; the answer was lost.
    Unheard,
    /// Half of the bytes lie there, and the answer was lost.
    Torn,
    /// The store said no.
    Refused,
    /// The store says that the name is taken, though it is not (S3 status 409).
    Busy,
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Its number, from 0.
    pub(crate) n: u64,
    pub(crate) is_create: bool,
    pub(crate) name: &'a str,
}

type Plan = Box<dyn Fn(Call<'_>) -> Option<Failure> + Send + Sync>;

/// Asks a plan, call by call.
pub(crate) struct Faulty {
    inner: Arc<dyn Objects>,
    plan: Plan,
    calls: AtomicU64,
    failed: AtomicU64,
}

impl Faulty {
    pub(crate) fn new(
        inner: Arc<dyn Objects>,
        plan: impl Fn(Call<'_>) -> Option<Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { inner, plan: Box::new(plan), calls: AtomicU64::new(0), failed: AtomicU64::new(0) }
    }

    /// How many calls failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(SeqCst)
    }

    fn next(&self, is_create: bool, name: &str) -> Option<Failure> {
        let failure = (self.plan)(Call { n: self.calls.fetch_add(1, SeqCst), is_create, name });
        self.failed.fetch_add(u64::from(failure.is_some()), SeqCst);
        failure
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

fn unheard<T>() -> Result<T, Fault> {
    Err(Fault::Unheard("the test cut the line".into()))
}

impl Objects for Faulty {
    fn create<'a>(&'a self, name: &'a str, bytes: Bytes) -> Answer<'a, Created> {
        let failure = self.next(true, name);
        async move {
            match failure {
                None => self.inner.create(name, bytes).await,
                Some(Failure::Lost) => unheard(),
                Some(Failure::Unheard) => {
                    self.inner.create(name, bytes).await?;
                    unheard()
                }
                Some(Failure::Torn) => {
                    self.inner.create(name, bytes.slice(..bytes.len() / 2)).await?;
                    unheard()
                }
                Some(Failure::Refused) => Err(Fault::Refused("the test forbids it".into())),
                Some(Failure::Busy) => Ok(Created::Taken),
            }
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str, bytes_max: u64) -> Answer<'a, Option<Bytes>> {
        let failure = self.next(false, name);
        async move { if failure.is_some() { unheard() } else { self.inner.get(name, bytes_max).await } }
            .boxed()
    }

    fn list<'a>(
        &'a self,
        folder: &'a str,
        after: Option<&'a str>,
        names_max: usize,
    ) -> Answer<'a, Vec<String>> {
        let failure = self.next(false, folder);
        async move { if failure.is_some() { unheard() } else { self.inner.list(folder, after, names_max).await } }
            .boxed()
    }

    fn safeguards(&self) -> Answer<'_, Safeguards> {
        self.inner.safeguards()
    }
}
