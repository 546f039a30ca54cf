//! The verification: every proof in its order, the first that fails ends it.

use observance_record::{
    checkpoint::Checkpoint,
    entry::{Body, Entry, Missed},
    ledger::{Answer, Ledger},
    note::{Note, VerifierKey},
};

use crate::{
    artefacts::{Runs, check_body, check_receipts, sealed_row},
    bag::{Bag, Files},
    bound,
    log::Log,
    observe::observe,
    owed::Owed,
    report::{Conclusion, Failure, Replayed, Report},
};

/// Nobody is at work on a slot for longer than this, in milliseconds, once its jitter and its grace are over.
const WORK_MS_MAX: i64 = 3 * HOUR_MS;
/// Windows that were missed are read later one by one, for no longer than this.
const CATCH_UP_MS_MAX: i64 = 48 * HOUR_MS;
const HOUR_MS: i64 = 3_600_000;

/// What the auditor brings from outside the bundle.
#[derive(Debug, Default)]
pub struct Trust {
    /// The log's key.
    pub key: Option<VerifierKey>,
    /// Signed checkpoints that were received earlier: file name and bytes.
    pub pins: Vec<(String, Vec<u8>)>,
}

/// Checks a bundle. With `replay` the verdicts are re-performed too (feature `replay`; otherwise it is refused).
pub fn verify(files: &dyn Files, trust: &Trust, replay: bool) -> Report {
    let mut report = Report {
        conclusion: Conclusion::Unchecked,
        failure: None,
        origin: None,
        vkey: None,
        key_trusted: trust.key.is_some(),
        pins: 0,
        entries: 0,
        checkpoints: 0,
        artefacts: 0,
        runs: 0,
        slots_due: 0,
        slots_missed: 0,
        slots_open: 0,
        replayed: None,
        periods: Vec::new(),
        not_excluded: Vec::new(),
    };
    match check(files, trust, replay, &mut report) {
        Ok(()) => report.conclusion = Conclusion::Holds,
        Err(failure) => {
            report.conclusion = if failure.unchecked { Conclusion::Unchecked } else { Conclusion::Fails };
            report.failure = Some(failure);
        }
    }
    report
}

fn check(files: &dyn Files, trust: &Trust, replay: bool, report: &mut Report) -> Result<(), Failure> {
    let bag = Bag::open(files)?;
    let log = Log::open(&bag, trust.key.as_ref())?;
    report.origin = Some(log.genesis.origin.clone());
    report.vkey = Some(log.key.to_string());
    report.entries = count(log.entries.len());
    report.checkpoints = count(log.heads.len());
    for (name, pin) in &trust.pins {
        check_pin(&log, name, pin)?;
        report.pins = report.pins.saturating_add(1);
    }
    let mut replayed = replay.then(Replay::default);
    let ledger = fold(&bag, &log, replayed.as_mut(), report)?;
    check_promises(&ledger, report)?;
    report.artefacts = count(bag.under("data/artefacts/").count());
    check_rest(&bag)?;
    report.replayed = replayed.map(|replay| replay.counts);
    observe(&log, &ledger, report);
    match ledger.foreign().iter().next() {
        Some((kind, seq)) => {
            let what =
                format!("is of kind {kind}, which this version does not know: no conclusion can be drawn");
            Err(Failure::unchecked("entries", format!("entry {seq}"), what))
        }
        None => Ok(()),
    }
}

/// Does the log contain the head that the auditor was sent?
fn check_pin(log: &Log, name: &str, pin: &[u8]) -> Result<(), Failure> {
    if Note::parse(pin).is_err() {
        return Err(Failure::unchecked("pin", name, "is no signed checkpoint"));
    }
    let pinned = Checkpoint::open(pin, std::slice::from_ref(&log.key))
        .map_err(|e| Failure::new("pin", name, format!("is not a head signed by this log's key: {e}")))?;
    if pinned.origin != log.genesis.origin {
        return Err(Failure::new("pin", name, format!("is a head of another log, {}", pinned.origin)));
    }
    match log.root_at(pinned.size) {
        None => {
            let what =
                format!("has {} entries, the bundle {}: its tail was cut", pinned.size, log.closing.size);
            Err(Failure::new("pin", name, what))
        }
        Some(root) if root != pinned.root => {
            let what = format!("has another root for the first {} entries: there are two logs", pinned.size);
            Err(Failure::new("pin", name, what))
        }
        Some(_) => Ok(()),
    }
}

#[derive(Default)]
struct Replay {
    counts: Replayed,
    #[cfg(feature = "replay")]
    judge: crate::replay::Rejudge,
}

fn fold(
    bag: &Bag<'_>,
    log: &Log,
    mut replay: Option<&mut Replay>,
    report: &mut Report,
) -> Result<Ledger, Failure> {
    let (mut ledger, mut owed) = (Ledger::default(), Owed::default());
    let runs = Runs(bag);
    for entry in &log.entries {
        ledger
            .push(entry, &runs)
            .map_err(|e| Failure::new("ledger", format!("entry {}", e.seq), e.what.to_string()))?;
        owed.entry(&ledger, entry)?;
        beside(bag, &ledger, entry, report)?;
        if let Some(replay) = replay.as_deref_mut() {
            rejudge(bag, &ledger, entry, replay)?;
        }
    }
    owed.settle()?;
    Ok(ledger)
}

#[cfg(feature = "replay")]
fn rejudge(bag: &Bag<'_>, ledger: &Ledger, entry: &Entry, replay: &mut Replay) -> Result<(), Failure> {
    replay.judge.entry(bag, ledger, entry, &mut replay.counts)
}

#[cfg(not(feature = "replay"))]
fn rejudge(_bag: &Bag<'_>, _ledger: &Ledger, _entry: &Entry, _replay: &mut Replay) -> Result<(), Failure> {
    Err(Failure::unchecked("replay", ".", "this build cannot re-perform verdicts"))
}

/// What an entry binds besides the tables that the ledger folds.
fn beside(bag: &Bag<'_>, ledger: &Ledger, entry: &Entry, report: &mut Report) -> Result<(), Failure> {
    match &entry.body {
        Body::Run(run) => {
            report.runs = report.runs.saturating_add(1);
            check_receipts(bag, entry.seq, run)?;
            let collector = ledger.runs().iter().find(|(_, last)| last.seq == entry.seq).map(|(id, _)| id);
            let table = collector.and_then(|id| ledger.table(id, "exchange"));
            let put =
                table.into_iter().flat_map(|table| table.rows().values()).filter(|row| row.put == entry.seq);
            put.into_iter().try_for_each(|row| check_body(bag, entry.seq, &row.bytes))
        }
        Body::Policy(policy) if !policy.removed => {
            bound::policy_files(bag, policy)?;
            bound::params(bag, policy).map(drop)
        }
        Body::Collector(collector) if !collector.removed => bound::collector(bag, collector.digest).map(drop),
        Body::Config(config) => sealed_row(bag, entry.seq, &config.digest.root).map(drop),
        Body::Alert(alert) => sealed_row(bag, entry.seq, &alert.payload.root).map(drop),
        Body::Policy(_)
        | Body::Collector(_)
        | Body::Genesis(_)
        | Body::Start(_)
        | Body::Stop(_)
        | Body::Schedule(_)
        | Body::Slots(_)
        | Body::Verdict(_)
        | Body::Gap(_)
        | Body::Drift(_)
        | Body::Notice(_)
        | Body::PeriodOpen(_)
        | Body::PeriodClose(_)
        | Body::Posture(_)
        | Body::Hook(_)
        | Body::Export(_)
        | Body::Heartbeat(_)
        | Body::Foreign { .. } => Ok(()),
    }
}

/// A slot that was due while an agent was there has a run or a gap. The exception is a slot that may still be at work
/// when the log ends: those are counted. What was due after the last agent's last word is counted with them.
fn check_promises(ledger: &Ledger, report: &mut Report) -> Result<(), Failure> {
    let (Some(served), Some(end)) = (ledger.served_until(), ledger.t()) else { return Ok(()) };
    let promises = ledger.promises();
    let patience_ms = |schedule: &str| match ledger.schedules().get(schedule) {
        Some(schedule) if schedule.missed == Missed::Gap => {
            let grace_s = schedule.grace_s.saturating_add(schedule.jitter_s);
            let grace_ms = i64::try_from(grace_s).unwrap_or(i64::MAX).saturating_mul(1000);
            grace_ms.saturating_add(WORK_MS_MAX)
        }
        Some(_) | None => CATCH_UP_MS_MAX,
    };
    let old = promises.unanswered(served).filter(|(id, due)| due.plus_ms(patience_ms(id)) < served);
    if let Some((schedule, due)) = promises.passed_over().chain(old).next() {
        let what =
            format!("was promised for {due}, and the log says neither that it ran nor that it did not");
        return Err(Failure::new("promises", format!("a slot of {schedule}"), what));
    }
    report.slots_open = count(promises.unanswered(end).count());
    let answers = || ledger.promises().answered().values().flat_map(|slots| slots.values());
    report.slots_due = count(answers().count());
    report.slots_missed = count(answers().filter(|answer| matches!(answer, Answer::Gap(_))).count());
    Ok(())
}

/// Pages for people and derived views are read for their digests alone; anything else that nothing binds is refused.
fn check_rest(bag: &Bag<'_>) -> Result<(), Failure> {
    for path in bag.unread() {
        let derived = !path.starts_with("data/") || path.starts_with("data/views/");
        if !derived {
            return Err(Failure::new("bound", path, "nothing in the log binds this file"));
        }
        bag.read(&path)?;
    }
    bag.check_payload()
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
