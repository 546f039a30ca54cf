//! What an agent is made of: configuration resolved into values, nothing opened yet.
//!
//! It reads no file and no environment: the door does, and hands it in.

use std::{collections::BTreeMap, sync::Arc};

use chrono_tz::Tz;
use observance_judge::{Params, Policy};
use observance_record::{Digest, entry};

use crate::{
    collect::{Auth, Http, Manifest},
    key::Keys,
    schedule::Schedule,
    tell::Route,
};

/// Runs that may go on at the same time.
pub const RUNNING_MAX: usize = 4;

/// One source, reachable.
#[derive(Debug)]
pub struct Source {
    /// Values for the parameters of its collectors' manifests.
    pub params: BTreeMap<String, String>,
    /// Where to read instead of the vendor's own address.
    pub base_url: Option<String>,
    /// Who asks.
    pub auth: Auth,
    /// The way there.
    pub http: Http,
}

/// A collector on a source.
#[derive(Debug)]
pub struct Collector {
    /// Its id: the manifest's.
    pub id: String,
    /// The source's name in the configuration.
    pub source: String,
    /// What it does.
    pub manifest: Manifest,
    /// Its file as read.
    pub file: Vec<u8>,
}

/// A policy with its files and parameters.
#[derive(Debug)]
pub struct Judge {
    /// The policy.
    pub policy: Policy,
    /// Its files, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Its parameters in force.
    pub params: Params,
}

/// Everything that an agent needs and does not make itself.
#[derive(Debug)]
pub struct Setup {
    /// The log's name, for ever.
    pub origin: String,
    /// The estate's name.
    pub estate: String,
    /// The configuration as it was read; secrets stand in it as references only.
    pub config: Vec<u8>,
    /// The keys.
    pub keys: Keys,
    /// Sources by name.
    pub sources: BTreeMap<String, Arc<Source>>,
    /// Collectors, by id.
    pub collectors: BTreeMap<String, Arc<Collector>>,
    /// When each runs.
    pub schedules: Vec<Schedule>,
    /// Policies, by id.
    pub policies: BTreeMap<String, Judge>,
    /// Observation periods.
    pub periods: Vec<entry::PeriodOpen>,
    /// Where alerts go.
    pub webhook: Option<Arc<Route>>,
    /// Who owns each policy's control, by the policy's id.
    pub owners: BTreeMap<String, String>,
    /// The criteria that each policy serves, as people name them, by the policy's id.
    pub serves: BTreeMap<String, Vec<String>>,
    /// The zone in which people read times.
    pub zone: Tz,
    /// SHA-256 of this binary, if it could be read.
    pub build: Option<Digest>,
    /// Decides the jitter of slots.
    pub seed: u64,
}

impl Setup {
    /// One line for people on each policy, by its id.
    pub fn titles(&self) -> BTreeMap<String, String> {
        self.policies.iter().map(|(id, judge)| (id.clone(), judge.policy.meta().title.clone())).collect()
    }
}

/// A shared setup.
pub type Shared = Arc<Setup>;
