//! How a writer begins: the genesis if there is none, its start, and everything in force that the log does not say yet.
//!
//! It compares the setup with the ledger and writes the difference, so that a restart without a change writes one entry.

use observance_record::{
    Root,
    entry::{self, Config, Genesis, Judge as JudgeVersion, PeriodOpen, Policy, Posture, Sealed, Start},
    item::SaltKey,
    ledger::Ledger,
    pack::{Artefact, Media, Role},
    table,
    verdict::Code,
};

use super::{
    Journal,
    batch::{Batch, By},
    setup::{Judge, Setup},
};
use crate::{
    chance::{Chance, ChanceError},
    schedule::{Missed, Schedule, TZDB},
};

/// The first batch of a writer, and what it binds.
pub(super) struct Opening {
    pub batch: Batch,
    pub artefacts: Vec<Artefact>,
    /// Where the start stands in the batch.
    pub start: u64,
}

/// Drafts the first batch.
pub(super) fn opening(
    setup: &Setup,
    journal: &Journal,
    posture: &Posture,
    chance: &Chance,
) -> Result<Opening, ChanceError> {
    let ledger = journal.ledger();
    let is_new = ledger.size() == 0;
    let start = u64::from(is_new);
    let mut opening = Opening { batch: journal.batch(By::Here(start)), artefacts: Vec::new(), start };
    if is_new {
        opening.batch.push(genesis(setup, journal.vkey()));
    }
    let config = table::lines([setup.config.clone()]);
    let root = table::root("config", &config, journal.salts());
    let unchanged = ledger.config().filter(|(_, in_force)| *in_force == root).map(|(seq, _)| seq);
    let start = self::start(setup, journal, chance, unchanged)?;
    opening.push_start(start);
    opening.batch.push(posture.clone());
    if unchanged.is_none() {
        opening.push_config(setup, ledger, Sealed { epoch: u64::from(journal.epoch()), root });
    }
    opening.push_collectors(setup, ledger);
    opening.push_policies(setup, ledger);
    opening.push_schedules(setup, ledger);
    for period in setup.periods.iter().filter(|period| ledger.periods().get(&period.id) != Some(*period)) {
        opening.batch.push(PeriodOpen::clone(period));
    }
    Ok(opening)
}

fn genesis(setup: &Setup, vkey: &str) -> Genesis {
    Genesis {
        origin: setup.origin.clone(),
        vkey: vkey.to_owned(),
        estate: setup.estate.clone(),
        shards: vec![setup.origin.clone()],
        formats: 1,
        previous: None,
        tsa: Vec::new(),
        witness_policy: "none".to_owned(),
    }
}

/// What a writer says of itself when it begins.
pub(super) fn start(
    setup: &Setup,
    journal: &Journal,
    chance: &Chance,
    config: Option<u64>,
) -> Result<Start, ChanceError> {
    let bytes = chance.bytes32()?;
    let memory = journal.remembered().map_or_else(|| "none".to_owned(), |size| size.to_string());
    Ok(Start {
        agent: bytes.first_chunk::<8>().map(hex::encode).unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        build: setup.build,
        judge: JudgeVersion {
            regorus: observance_judge::REGORUS_VERSION.to_owned(),
            mode: "interpreter".to_owned(),
        },
        tzdb: TZDB.to_owned(),
        memory,
        config,
        clock: journal.held(),
    })
}

impl Opening {
    fn push_start(&mut self, start: Start) {
        // a new configuration follows two entries later, after the store's posture
        let after = self.start + 2;
        self.batch.push_with(move |first| {
            let config = start.config.or(Some(first + after));
            Start { config, ..start.clone() }.into()
        });
    }

    fn push_config(&mut self, setup: &Setup, ledger: &Ledger, digest: Sealed) {
        let before = ledger.config().map(|(seq, _)| seq);
        let why = code(if before.is_none() { "first" } else { "changed" });
        let config = Config { name: "observance.yaml".to_owned(), digest, why, approved_by: None, before };
        let place = self.batch.push(config);
        let which = u16::try_from(place).unwrap_or(u16::MAX);
        self.artefacts.push(Artefact::new(Role::Config, Media::Text, setup.config.clone()).numbered(which));
    }

    fn push_collectors(&mut self, setup: &Setup, ledger: &Ledger) {
        for (id, collector) in &setup.collectors {
            let body = entry::Collector {
                id: id.clone(),
                digest: collector.manifest.digest(),
                source: collector.source.clone(),
                yields: collector.manifest.yields().map(|(name, ..)| name.to_owned()).collect(),
                removed: false,
            };
            if ledger.collectors().get(id) != Some(&body) {
                self.batch.push(body);
                self.artefacts.push(Artefact::new(Role::Manifest, Media::Text, collector.file.clone()));
            }
        }
        for gone in ledger.collectors().values().filter(|c| !setup.collectors.contains_key(&c.id)) {
            self.batch.push(entry::Collector { removed: true, ..gone.clone() });
        }
    }

    fn push_policies(&mut self, setup: &Setup, ledger: &Ledger) {
        for (id, judge) in &setup.policies {
            let body = policy(judge);
            if ledger.policies().get(id).map(|state| &state.body) == Some(&body) {
                continue;
            }
            self.batch.push(body);
            let files = judge.files.values().cloned().map(|file| (Media::Text, file));
            let statements = [judge.policy.statement(), judge.params.statement()];
            let statements = statements.map(|bytes| (Media::Json, bytes.to_vec()));
            let made =
                files.chain(statements).map(|(media, bytes)| Artefact::new(Role::PolicyFile, media, bytes));
            self.artefacts.extend(made);
        }
        let gone = ledger
            .policies()
            .values()
            .filter(|s| !s.body.removed && !setup.policies.contains_key(&s.body.id));
        for state in gone {
            self.batch.push(Policy { removed: true, ..state.body.clone() });
        }
    }

    fn push_schedules(&mut self, setup: &Setup, ledger: &Ledger) {
        for schedule in &setup.schedules {
            let body = schedule_body(schedule);
            if ledger.schedules().get(&schedule.id) != Some(&body) {
                self.batch.push(body);
            }
        }
        for gone in ledger.schedules().values().filter(|s| setup.schedules.iter().all(|kept| kept.id != s.id))
        {
            self.batch.push(entry::Schedule { removed: true, ..gone.clone() });
        }
    }
}

fn policy(judge: &Judge) -> Policy {
    let meta = judge.policy.meta();
    let mut populations = vec![meta.population.clone()];
    populations.extend(meta.joined.iter().cloned());
    Policy {
        id: meta.id.clone(),
        digest: judge.policy.digest(),
        controls: meta.controls.clone(),
        populations,
        params: judge.params.digest(),
        reads_time: judge.policy.reads_time(),
        empty: meta.empty,
        severity: code(meta.severity.as_str()),
        removed: false,
    }
}

fn schedule_body(schedule: &Schedule) -> entry::Schedule {
    entry::Schedule {
        id: schedule.id.clone(),
        collector: schedule.collector.clone(),
        cron: schedule.cron.to_string(),
        zone: schedule.zone.name().to_owned(),
        jitter_s: u64::from(schedule.jitter_s),
        grace_s: u64::from(schedule.grace_s),
        max_gap_s: u64::from(schedule.max_gap_s),
        missed: match schedule.missed {
            Missed::Gap => entry::Missed::Gap,
            Missed::CatchUp => entry::Missed::CatchUp,
        },
        removed: false,
    }
}

/// A code of the product's own table; an illegal one would be a fault of this file, and shows as `error`.
pub(super) fn code(text: &str) -> Code {
    text.parse().unwrap_or_else(|_illegal| Code::error())
}

/// The root of a one-row table.
pub(super) fn sealed(name: &str, row: &[u8], (salts, epoch): (&SaltKey, u32)) -> Sealed {
    let root: Root = table::root(name, &table::lines([row.to_vec()]), salts);
    Sealed { epoch: u64::from(epoch), root }
}
