//! From a configuration to what an agent is made of: secrets, keys, collectors, policies with their parameters.
//!
//! It opens no store and reaches no network. Everything that is wrong is told at once, with its line in the file.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use observance_record::{Digest, entry::PeriodOpen};

use crate::{
    collect::Manifest,
    config::{
        Allowed, Config, alert, catalogue::Catalogue, collector::Collector as Configured, fault::Fault,
        fault::Faults, key::KeySource, store,
    },
    hear::Ear,
    key::Keys,
    library,
    run::{
        Setup,
        setup::{Collector, Judge},
    },
    schedule::{Missed, Schedule},
    secret::{Secret, SecretRef},
    store::{HeadFile, Location, S3Keys},
    tell,
};

use super::{
    agree::{addresses, clients, files, one_of_a_kind, shared, unfed, unnamed},
    ears,
    folder::{self, Beside},
    judges::{self, Judges, Waiting},
    lines::Lines,
    sources::sources,
};

/// Largest binary whose digest is recorded.
const BINARY_BYTES_MAX: u64 = 1 << 30;
/// The name of the head file in the agent's own folder.
const HEAD_FILE: &str = "head.json";

/// A configuration, resolved.
pub struct Resolved {
    /// The configuration itself.
    pub config: Config,
    /// What the agent is made of.
    pub setup: Arc<Setup>,
    /// Where the record is kept.
    pub place: Place,
    /// Sources that may say that something changed, by name.
    pub ears: BTreeMap<String, Ear>,
}

/// Where the record is kept, and how it is reached.
pub struct Place {
    /// The store.
    pub location: Location,
    /// Its credentials, if it wants any.
    pub keys: Option<S3Keys>,
    /// The memory of the log's head, if the agent has a folder of its own.
    pub memory: Option<HeadFile>,
}

/// What a file says, without anything that only the deployed agent has.
pub struct Checked {
    /// The configuration.
    pub config: Config,
    /// Collectors in force, by the id of their schedule.
    pub collectors: BTreeMap<String, Arc<Collector>>,
    /// Policies, by id.
    pub policies: BTreeMap<String, Judge>,
    /// Policies that a register of the organisation's own would bring, by the population that it would yield.
    pub waiting: Waiting,
    schedules: Vec<Schedule>,
    bytes: Vec<u8>,
    lines: Lines,
    file: String,
}

/// What a configuration may name: the shipped collectors, each with the schedule of its manifest. One with faults is
/// left out here; `check` says what is wrong with it.
pub fn catalogue() -> Catalogue {
    let shipped = |(name, bytes): (String, &[u8])| {
        let manifest = Manifest::read(&name, &String::from_utf8_lossy(bytes)).ok()?;
        Some(folder::scheduled(&manifest))
    };
    Catalogue::of(library::collectors().into_iter().filter_map(shipped).collect(), library::policy_ids())
}

/// Reads the file and everything that it names except secrets and keys.
pub fn check(path: &Path) -> Result<Checked, Faults> {
    let text = Config::text(path)?;
    let beside = folder::read(path, &text)?;
    let config = Config::read(&text, path, &beside.catalogue, Allowed::Kept)?;
    let file = path.to_string_lossy().into_owned();
    let mut found = Found { lines: Lines::of(&text), faults: Faults::new(&file) };
    one_of_a_kind(&config, &mut found);
    ears::unheard(&config, &mut found);
    let collectors = collectors(&config, &beside);
    clients(&config, &collectors, &mut found);
    files(&config, &collectors, &mut found);
    addresses(&config, &collectors, &beside, &mut found);
    unnamed(&config, &collectors, &mut found);
    let schedules = schedules(&config, &collectors, &mut found);
    let Judges { policies, waiting } = judges::chosen(&config, &beside, &mut found);
    unfed(&policies, &beside, &mut found);
    shared(&policies, &collectors, &mut found);
    let Found { lines, faults } = found;
    faults.or(Some(()))?;
    Ok(Checked { config, collectors, policies, waiting, schedules, bytes: text.into_bytes(), lines, file })
}

/// What a command cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Sources and whoever is to be told, too.
    Everything,
    /// The log and its keys.
    Log,
}

impl Checked {
    /// Adds secrets and keys, as far as they are needed.
    pub fn resolve(self, needs: Needs) -> Result<Resolved, Faults> {
        let mut found = Found { lines: self.lines, faults: Faults::new(&self.file) };
        let keys = keys(&self.config.key, &mut found);
        let (sources, ears, webhook) = match needs {
            Needs::Everything => {
                let sources = sources(&self.config, &mut found);
                let ears = ears::ears(&self.config, &self.collectors, &mut found);
                (sources, ears, webhook(self.config.webhook.as_ref(), &mut found))
            }
            Needs::Log => (Some(BTreeMap::new()), Some(BTreeMap::new()), Some(None)),
        };
        let place = place(&self.config, &mut found);
        let whole = keys.zip(sources).zip(place).zip(webhook).zip(ears);
        let ((((keys, sources), place), webhook), ears) = found.faults.or(whole)?;
        let origin = self.config.origin.clone();
        let estate = origin.rsplit_once('/').map_or(origin.as_str(), |(estate, _)| estate).to_owned();
        let owned = |id: &String| (id.clone(), self.config.owners.of(id).to_owned());
        let setup = Setup {
            owners: self.policies.keys().map(owned).collect(),
            serves: serves(&self.policies),
            zone: self.config.organisation.zone,
            seed: seed(&origin),
            origin,
            estate,
            config: self.bytes,
            keys,
            sources,
            collectors: self.collectors,
            schedules: self.schedules,
            policies: self.policies,
            periods: periods(&self.config),
            webhook: webhook.map(Arc::new),
            build: build(),
        };
        Ok(Resolved { config: self.config, setup: Arc::new(setup), place, ears })
    }
}

/// The criteria that policies serve. Of a policy that is not shipped nobody has said any.
fn serves(policies: &BTreeMap<String, Judge>) -> BTreeMap<String, Vec<String>> {
    let known = library::Serves::shipped().unwrap_or_default();
    let shipped = library::policy_ids();
    let own = policies.keys().filter(|id| shipped.contains(*id));
    own.map(|id| (id.clone(), known.named(id))).collect()
}

/// The faults so far, and where keys stand in the file.
pub(super) struct Found {
    lines: Lines,
    faults: Faults,
}

impl Found {
    /// Was nothing wrong so far?
    pub(super) const fn is_faultless(&self) -> bool {
        self.faults.is_empty()
    }

    /// A fault at a key of the file.
    pub(super) fn push(
        &mut self,
        path: &[&str],
        found: impl Into<String>,
        expected: &str,
        hint: Option<String>,
    ) {
        let (line, path) = self.lines.find(path);
        let (found, expected) = (found.into(), expected.to_owned());
        self.faults.push(Fault { line, path, found, expected, hint });
    }

    /// A secret, or the fault that it cannot be had.
    pub(super) fn secret(&mut self, path: &[&str], reference: &SecretRef, hint: &str) -> Option<Secret> {
        match reference.read() {
            Ok(secret) => Some(secret),
            Err(error) => {
                self.push(path, chain(&error), "a secret that can be read", Some(hint.to_owned()));
                None
            }
        }
    }
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn collectors(config: &Config, beside: &Beside) -> BTreeMap<String, Arc<Collector>> {
    let enabled = config.collectors.iter().filter(|collector| collector.disabled.is_none());
    let read = |configured: &Configured| {
        let (name, bytes) = beside.collectors.get(&configured.id)?;
        let manifest = Manifest::read(name, &String::from_utf8_lossy(bytes)).ok()?;
        let id = configured.schedule.clone();
        let collector =
            Collector { id: id.clone(), source: configured.source.clone(), manifest, file: bytes.clone() };
        Some((id, Arc::new(collector)))
    };
    enabled.filter_map(read).collect()
}

fn schedules(
    config: &Config,
    collectors: &BTreeMap<String, Arc<Collector>>,
    found: &mut Found,
) -> Vec<Schedule> {
    let mut schedules = Vec::new();
    for configured in &config.collectors {
        let Some(collector) = collectors.get(&configured.schedule) else { continue };
        let timing = &configured.timing;
        let cron = match timing.cron.parse() {
            Ok(cron) => cron,
            Err(error) => {
                let path = ["collectors", &configured.id, "cron"];
                found.push(&path, chain(&error), "five cron fields", None);
                continue;
            }
        };
        let reads_windows = collector.manifest.yields().any(|(.., windowed)| windowed);
        schedules.push(Schedule {
            id: configured.schedule.clone(),
            collector: configured.schedule.clone(),
            cron,
            zone: timing.zone,
            jitter_s: timing.jitter_s,
            grace_s: timing.grace_s,
            max_gap_s: timing.max_gap_s,
            missed: if reads_windows { Missed::CatchUp } else { Missed::Gap },
        });
    }
    schedules
}

fn keys(source: &KeySource, found: &mut Found) -> Option<Keys> {
    let expected = "the keys of the log";
    let read = match source {
        KeySource::Folder(folder) => Keys::read(folder),
        KeySource::Secrets { signing, item, salts } => {
            let hint = "observance key new --out DIR makes the keys of a new log";
            let signing = found.secret(&["key", "signing"], signing, hint);
            let item = found.secret(&["key", "item"], item, hint);
            let read = salts.iter().map(|(epoch, reference)| {
                let secret = found.secret(&["key", "salts", &epoch.to_string()], reference, hint);
                secret.map(|secret| (*epoch, secret))
            });
            let salts: Vec<_> = read.collect();
            let salts: BTreeMap<_, _> = salts.into_iter().collect::<Option<_>>()?;
            Keys::from_secrets(&signing?, &item?, &salts)
        }
    };
    match read {
        Ok(keys) => Some(keys),
        Err(error) => {
            found.push(&["key"], chain(&error), expected, error.hint());
            None
        }
    }
}

/// A file, if it is not larger than it may be.
pub(super) fn bounded(path: &Path, bytes_max: u64) -> std::io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > bytes_max {
        return Err(std::io::Error::other(format!("is larger than {bytes_max} bytes")));
    }
    fs::read(path)
}

/// The outer `None` only after a fault.
#[expect(clippy::option_option, reason = "a fault and an absent key are two things")]
fn webhook(webhook: Option<&alert::Webhook>, found: &mut Found) -> Option<Option<tell::Route>> {
    let Some(webhook) = webhook else { return Some(None) };
    let at = ["alerts", "webhook", "url"];
    let url = match &webhook.url {
        alert::Address::Url(url) => Some(url.to_string()),
        alert::Address::Secret(reference) => {
            let secret = found.secret(&at, reference, "the address of the receiver");
            secret.map(|secret| secret.expose().to_owned())
        }
    };
    let key = found.secret(&["alerts", "webhook", "key"], &webhook.key, "the receiver holds the same");
    let reach = match webhook.reach {
        alert::Reach::Encrypted => tell::Reach::Encrypted,
        alert::Reach::Plain => tell::Reach::Plain,
    };
    match tell::Route::new(&url?, key?, reach) {
        Ok(route) => Some(Some(route)),
        Err(error) => {
            found.push(&at[..2], error.to_string(), "a receiver that can be told", None);
            None
        }
    }
}

/// Where the record is kept; also for whoever only reads it.
fn place(config: &Config, found: &mut Found) -> Option<Place> {
    let (location, keys) = match &config.store {
        store::Store::File(path) => (Location::Folder(path.clone()), None),
        store::Store::Memory => (Location::Memory, None),
        store::Store::S3(bucket) => {
            let location = match config.store.to_string().parse::<Location>() {
                Ok(location) => location,
                Err(error) => {
                    found.push(&["store"], error.to_string(), "a bucket", None);
                    return None;
                }
            };
            (location, Some(s3_keys(bucket.credentials.as_ref(), found)?))
        }
    };
    let memory = config.folder.as_ref().map(|folder| {
        if let Err(error) = fs::create_dir_all(folder) {
            let what = format!("{}: {error}", folder.display());
            found.push(&["folder"], what, "a folder that can be made and written", None);
        }
        HeadFile::new(folder.join(HEAD_FILE))
    });
    Some(Place { location, keys, memory })
}

/// The configured keys, or those that the environment gives a process that is to speak S3.
fn s3_keys(given: Option<&store::Credentials>, found: &mut Found) -> Option<S3Keys> {
    let hint = "name the keys in store_credentials, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    let env = |name: &str| SecretRef::Env(name.to_owned());
    let (access, secret) = match given {
        Some(keys) => (keys.access_key.clone(), keys.secret_key.clone()),
        None => (env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY")),
    };
    let at = if given.is_some() { "store_credentials" } else { "store" };
    let access = found.secret(&[at, "access_key"], &access, hint);
    let secret_key = found.secret(&[at, "secret_key"], &secret, hint);
    let session_token = given.is_none().then(|| env("AWS_SESSION_TOKEN").read().ok()).flatten();
    Some(S3Keys { access_key: access?.expose().to_owned(), secret_key: secret_key?, session_token })
}

fn periods(config: &Config) -> Vec<PeriodOpen> {
    let open = |(id, period): (&String, &crate::config::period::Period)| PeriodOpen {
        id: id.clone(),
        zone: period.zone.name().to_owned(),
        from: period.from,
        to: period.to,
        framework: period.framework.clone(),
        restated: 0,
        previous: None,
    };
    config.periods.iter().map(open).collect()
}

/// Jitter is the same at every start, and differs between logs.
fn seed(origin: &str) -> u64 {
    let digest = Digest::of(origin.as_bytes());
    let eight = digest.to_hex().get(..16).map(|hex| u64::from_str_radix(hex, 16));
    eight.and_then(Result::ok).unwrap_or_default()
}

/// SHA-256 of this binary.
fn build() -> Option<Digest> {
    let path: PathBuf = std::env::current_exe().ok()?;
    bounded(&path, BINARY_BYTES_MAX).ok().map(|bytes| Digest::of(&bytes))
}
