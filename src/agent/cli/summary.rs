//! What an entry says, in one line for people. The entry itself is the evidence.

use observance_record::{
    entry::{Body, Cause, Drift, Run, RunResult, Verdict},
    population::Membership,
    verdict::Code,
};

/// One line; names from outside are not made visible here.
pub fn summary(body: &Body) -> String {
    match body {
        Body::Genesis(b) => format!("{} begins, estate {}, key {}", b.origin, b.estate, b.vkey),
        Body::Start(b) => format!("agent {} {} begins, remembers {}", b.agent, b.version, b.memory),
        Body::Stop(b) => format!("agent ends ({}){}", b.reason, if b.clean { "" } else { ", not in order" }),
        Body::Config(b) => format!("{} in force ({})", b.name, b.why),
        Body::Policy(b) => format!("{} {} for {}", b.id, force(b.removed), b.controls.join(", ")),
        Body::Collector(b) => format!("{} {} on {}", b.id, force(b.removed), b.source),
        Body::Schedule(b) => format!("{} {}: {} {}", b.id, force(b.removed), b.cron, b.zone),
        Body::Slots(b) => {
            let n: u64 = b.due.values().map(observance_record::slots::Due::len).sum();
            format!("promises {n} slots in [{}, {}){}", b.from, b.to, if b.late { ", late" } else { "" })
        }
        Body::Hook(b) => {
            let events: Vec<String> = b.events.iter().map(|(event, n)| format!("{n} {event}")).collect();
            let asked = b.collectors.join(", ");
            format!("{} said {}: asks {asked}; {} refused", b.source, events.join(", "), b.refused)
        }
        Body::Run(b) => run(b),
        Body::Verdict(b) => verdict(b),
        Body::Gap(b) => format!("{}: {} slots have no run ({})", b.schedule, b.due.len(), cause(b.cause)),
        Body::Drift(b) => drift(b),
        Body::Alert(b) => format!("alert {} by {}", b.id, b.route),
        Body::Notice(b) => format!("alert {} attempt {}: {} ({})", b.alert, b.attempt, b.status, b.code),
        Body::PeriodOpen(b) => format!("{} for {}: [{}, {}) {}", b.id, b.framework, b.from, b.to, b.zone),
        Body::PeriodClose(b) => format!("{} closed at {}", b.id, b.at),
        Body::Posture(b) => format!(
            "store {}: create-only {}, reads back {}, checksum {}, retention {}",
            b.backend, b.create_only, b.reads_back, b.checksum, b.retention
        ),
        Body::Export(b) => {
            let period = b.period.as_deref().unwrap_or("the whole log");
            format!("bundle {} of {period}, entries {} to {}, {}", b.number, b.from, b.to, b.digest)
        }
        Body::Heartbeat(b) => format!("nothing happened since entry {}", b.last_size),
        Body::Foreign { kind, v, .. } => format!("{kind} version {v}: not understood by this release"),
    }
}

const fn force(removed: bool) -> &'static str {
    if removed { "no longer in force" } else { "in force" }
}

fn run(run: &Run) -> String {
    let result = match run.result {
        RunResult::Complete => "complete",
        RunResult::Partial => "partial",
        RunResult::Failed => "failed",
    };
    let slot = match (&run.schedule, run.due) {
        (Some(schedule), Some(due)) => format!("{schedule} due {due}"),
        _ => format!("unscheduled on {}", run.source),
    };
    let seen =
        run.populations.iter().map(|p| format!("{} {} {}", p.name, p.table.n, membership(p.membership)));
    let seen = seen.collect::<Vec<_>>().join(", ");
    format!("{slot}: {result}, {} requests{}; {seen}", run.requests, codes(&run.why))
}

fn verdict(verdict: &Verdict) -> String {
    let Some(list) = &verdict.list else {
        let same = verdict.same.unwrap_or_default();
        return format!("on run {}: the same as {same}", verdict.run);
    };
    let of = list
        .iter()
        .map(|p| format!("{} passed {} failed {} unknown {}", p.policy, p.passed, p.failed, p.unknown));
    format!("on run {}: {}", verdict.run, of.collect::<Vec<_>>().join("; "))
}

fn drift(drift: &Drift) -> String {
    let item = drift.item.map_or_else(|| "the population".to_owned(), |item| item.to_string());
    let Drift { policy, from, to, observed_from, observed_to, fails_n, .. } = drift;
    format!("{policy} {item}: {from} to {to} in ({observed_from}, {observed_to}]; {fails_n} fail")
}

const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::AgentDown => "agent down",
        Cause::StoreDown => "store down",
        Cause::Overlap => "the run before went on",
        Cause::Shutdown => "agent stopped",
        Cause::Busy => "too many other runs",
        Cause::Clock => "clock moved",
        Cause::Crash => "run lost",
        Cause::Removed => "schedule removed",
    }
}

fn codes(codes: &[Code]) -> String {
    let codes: Vec<&str> = codes.iter().map(Code::as_str).collect();
    if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) }
}

/// The word for a claim of completeness.
pub const fn membership(membership: Membership) -> &'static str {
    match membership {
        Membership::Complete => "complete",
        Membership::Partial => "partial",
        Membership::Unknown => "unknown",
    }
}
