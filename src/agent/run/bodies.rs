//! Where the bodies lie that the log's runs sealed, and how a run that asks conditionally gets one back.
//!
//! It is no part of the record and may forget: a body that cannot be had is asked for anew from the source.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _};
use observance_record::{
    Digest, Instant,
    entry::{Body, Entry, PackRef},
    ledger::Ledger,
    pack::Pick,
};
use tokio::sync::Mutex;

use crate::{collect, store::Store};

/// Runs of one collector whose bodies are known; the oldest is forgotten first.
const RUNS_MAX: usize = 10_000;
/// Bytes of packs that one run keeps at hand.
const CACHE_BYTES_MAX: usize = 48 << 20;

/// The packs of one run.
#[derive(Debug, Clone)]
struct Place {
    ordinal: u64,
    packs: Vec<PackRef>,
}

/// The runs of a collector that sealed a body, by when they began.
type Runs = Arc<BTreeMap<Instant, Place>>;

/// Where bodies lie, by collector.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<String, Runs>);

impl Places {
    /// Notes the runs of a commit, which the ledger has taken in.
    pub(super) fn note(&mut self, ordinal: u64, entries: &[Entry], ledger: &Ledger) {
        for entry in entries {
            let Body::Run(run) = &entry.body else { continue };
            // a run that seals a body puts the row that names it; what a quiet run sealed nothing will ever name
            if run.exchanges.table.put == 0 {
                continue;
            }
            let mut known = ledger.collectors().values();
            let Some(of) = known.find(|c| c.digest == run.collector && c.source == run.source) else {
                continue;
            };
            let runs = Arc::make_mut(self.0.entry(of.id.clone()).or_default());
            runs.insert(run.started, Place { ordinal, packs: run.packs.clone() });
            if runs.len() > RUNS_MAX {
                runs.pop_first();
            }
        }
    }

    /// A reader of the bodies of one collector.
    pub(super) fn reader(&self, collector: &str, store: &Store) -> Bodies {
        let runs = self.0.get(collector).cloned().unwrap_or_default();
        Bodies { store: store.clone(), runs, cache: Mutex::default() }
    }
}

/// Gives back bodies. Keeps packs compressed, and opens of them what is asked for.
#[derive(Debug)]
pub(super) struct Bodies {
    store: Store,
    runs: Runs,
    /// Oldest first.
    cache: Mutex<Vec<(Digest, Arc<Pick<Bytes>>)>>,
}

impl collect::Bodies for Bodies {
    fn body(&self, digest: Digest, since: Instant) -> BoxFuture<'_, Option<Bytes>> {
        async move {
            let place = self.runs.get(&since)?;
            for named in &place.packs {
                let pack = self.pack(place.ordinal, named).await?;
                if let Some(bytes) = pack.artefact(&digest).ok()? {
                    return Some(bytes.into());
                }
            }
            None
        }
        .boxed()
    }
}

impl Bodies {
    async fn pack(&self, ordinal: u64, named: &PackRef) -> Option<Arc<Pick<Bytes>>> {
        let mut cache = self.cache.lock().await;
        if let Some((_, pack)) = cache.iter().find(|(digest, _)| *digest == named.sha256) {
            return Some(Arc::clone(pack));
        }
        let bytes = self.store.pack(ordinal, named).await?;
        let pack = Arc::new(Pick::open(bytes).ok()?);
        cache.push((named.sha256, Arc::clone(&pack)));
        let kept =
            |cache: &[(Digest, Arc<Pick<Bytes>>)]| cache.iter().map(|(_, pack)| pack.len()).sum::<usize>();
        while cache.len() > 1 && kept(&cache) > CACHE_BYTES_MAX {
            cache.remove(0);
        }
        Some(pack)
    }
}
