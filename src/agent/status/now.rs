//! How every control stands now, as the log says: its state, since when, whose it is, when somebody looks next.

use chrono_tz::Tz;
use observance_record::{
    Instant,
    effect::{Evidence, PolicyPeriod},
    entry::Schedule,
    ledger::{Ledger, PolicyState},
    verdict::{ItemResult, State},
};
use serde::Serialize;

use super::{control, counted, hours, local, number, push, table, visible};

/// Controls that are named in the last line.
const NAMED_MAX: usize = 8;

/// The state of a control, the worst of what its newest column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// At least one item fails.
    Deviates,
    /// Something could not be seen, or nothing has been seen yet.
    Unknown,
    /// An obligation whose limit has not run out.
    NotDue,
    /// Every item that the policy speaks about passed.
    Met,
    /// The policy speaks about no item.
    NotApplicable,
}

impl Standing {
    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deviates => "deviates",
            Self::Unknown => "unknown",
            Self::NotDue => "not due",
            Self::Met => "met",
            Self::NotApplicable => "not applicable",
        }
    }

    /// Does somebody have to look at it?
    pub const fn needs_somebody(self) -> bool {
        match self {
            Self::Deviates | Self::Unknown => true,
            Self::NotDue | Self::Met | Self::NotApplicable => false,
        }
    }
}

/// One control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusRow {
    /// The policy that tests it.
    pub policy: String,
    /// Controls that the policy tests, its own first.
    pub controls: Vec<String>,
    /// How it stands.
    pub state: Standing,
    /// Since when it stands so, where a change was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
    /// It was so at first sight.
    pub baseline: bool,
    /// Type of the items.
    pub unit: String,
    /// Items in this state.
    pub items: u64,
    /// Items in all.
    pub of: u64,
    /// Beside those that deviate: items of which it cannot be told.
    pub unknown: u64,
    /// Not all of it was seen since then, so that what deviates may not be all, or mended by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unseen_since: Option<Instant>,
    /// Who owns it.
    pub owner: String,
    /// The next promised look, which may be overdue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Instant>,
}

/// How the controls stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The log.
    pub origin: String,
    /// Entries in it.
    pub entries: u64,
    /// When the newest was written.
    pub t: Option<Instant>,
    /// Did the newest writer end in order?
    pub stopped: bool,
    /// Now.
    pub now: Instant,
    /// Slots that nothing answers although their time has passed.
    pub unanswered: u64,
    /// Alerts that nobody could be told of.
    pub undelivered: u64,
    /// One for each policy in force, worst first.
    pub rows: Vec<StatusRow>,
}

impl Status {
    /// Does nothing deviate, is nothing unknown, unanswered or untold?
    pub fn is_clear(&self) -> bool {
        !self.rows.is_empty()
            && self.unanswered == 0
            && self.undelivered == 0
            && !self.rows.iter().any(|row| row.state.needs_somebody())
    }
}

/// How the controls stand at `now`. Events are counted from `from` on: they have no present state.
pub fn status_of(
    ledger: &Ledger,
    from: Instant,
    now: Instant,
    owner: &dyn Fn(&str, &str) -> String,
) -> Status {
    let in_force = ledger.policies().values().filter(|state| !state.body.removed);
    let mut rows: Vec<StatusRow> = in_force.map(|state| row(ledger, state, (from, now), owner)).collect();
    rows.sort_by_key(|row| (order(row.state), row.policy.clone()));
    let unanswered = ledger.promises().unanswered(now).count();
    Status {
        origin: ledger.genesis().map(|genesis| genesis.origin.clone()).unwrap_or_default(),
        entries: ledger.size(),
        t: ledger.t(),
        stopped: ledger.stopped(),
        now,
        unanswered: count(unanswered),
        undelivered: count(ledger.alerts().values().filter(|alert| alert.gave_up()).count()),
        rows,
    }
}

const fn order(standing: Standing) -> u8 {
    match standing {
        Standing::Deviates => 0,
        Standing::Unknown => 1,
        Standing::NotDue => 2,
        Standing::Met => 3,
        Standing::NotApplicable => 4,
    }
}

fn row(
    ledger: &Ledger,
    state: &PolicyState,
    (from, now): (Instant, Instant),
    owner: &dyn Fn(&str, &str) -> String,
) -> StatusRow {
    let known = ledger.t().unwrap_or(now);
    let on_events = state.effect.evidence() == Some(Evidence::Event);
    let begin = if on_events { from } else { Instant::EPOCH };
    let period = state.effect.period(begin, known.plus_ms(1), known);
    let (standing, items, of) = if on_events { of_events(state, &period) } else { of_column(state) };
    let stale = stale_since(ledger, state, now);
    let standing =
        if stale.is_some() && standing != Standing::Deviates { Standing::Unknown } else { standing };
    let items = if standing == Standing::Unknown && stale.is_some() { 0 } else { items };
    let (since, baseline) = since(standing, state, &period);
    let since = since.or(stale);
    let main = state.body.controls.first().unwrap_or(&state.body.id);
    StatusRow {
        policy: state.body.id.clone(),
        controls: state.body.controls.clone(),
        state: standing,
        since,
        baseline,
        unit: unit(ledger, state),
        items,
        of,
        unknown: if standing == Standing::Deviates && !on_events { unknown(state) } else { 0 },
        unseen_since: state.blind_since.or(stale).filter(|_| standing == Standing::Deviates),
        owner: owner(&state.body.id, main),
        next: next(ledger, state),
    }
}

fn of_events(state: &PolicyState, period: &PolicyPeriod) -> (Standing, u64, u64) {
    let of = period.items_n;
    if period.deviated_items > 0 {
        (Standing::Deviates, period.deviated_items, of)
    } else if period.unknown_items > 0 || state.blind_since.is_some() {
        (Standing::Unknown, period.unknown_items, of)
    } else if period.met == 0 && period.not_due > 0 {
        (Standing::NotDue, period.not_due, of)
    } else {
        (Standing::Met, period.met, of)
    }
}

fn of_column(state: &PolicyState) -> (Standing, u64, u64) {
    let Some(column) = &state.column else { return (Standing::Unknown, 0, 0) };
    let states = || column.results.values().map(ItemResult::state);
    let n = |wanted: State| count(states().filter(|state| *state == wanted).count());
    let of = count(column.results.len());
    let rolled = State::roll_up(states()).unwrap_or_else(|| state.body.empty.state());
    let standing = match rolled {
        State::Failed => Standing::Deviates,
        // what was seen passes, but not everything was seen
        _ if state.blind_since.is_some() => Standing::Unknown,
        State::Unknown => Standing::Unknown,
        State::Passed => Standing::Met,
        State::NotDue => Standing::NotDue,
        State::NotApplicable => Standing::NotApplicable,
    };
    let items = match standing {
        Standing::Deviates => n(State::Failed),
        Standing::Unknown => n(State::Unknown),
        Standing::NotDue => n(State::NotDue),
        Standing::Met => n(State::Passed),
        Standing::NotApplicable => n(State::NotApplicable),
    };
    (standing, items, of)
}

fn unknown(state: &PolicyState) -> u64 {
    let results = state.column.iter().flat_map(|column| column.results.values());
    count(results.filter(|result| result.state() == State::Unknown).count())
}

/// Since when: the begin of the oldest deviation that is open, the last failed event, the end of the last deviation.
fn since(standing: Standing, state: &PolicyState, period: &PolicyPeriod) -> (Option<Instant>, bool) {
    let open = || period.deviations.iter().filter(|deviation| deviation.open && deviation.is_certain());
    match standing {
        Standing::Deviates => {
            let failed = period.events.iter().filter(|event| event.state == State::Failed);
            let begun = open().filter(|d| !d.baseline).map(|d| d.most.to().min(first(d))).min();
            (begun.or_else(|| failed.map(|event| event.at).max()), open().any(|d| d.baseline))
        }
        Standing::Unknown => (state.blind_since, false),
        Standing::NotDue | Standing::Met | Standing::NotApplicable => {
            let ended = period.deviations.iter().filter(|deviation| !deviation.open);
            (ended.map(|deviation| deviation.most.to()).max(), false)
        }
    }
}

/// When it was seen first.
fn first(deviation: &observance_record::effect::Deviation) -> Instant {
    let first = deviation.least.spans().first().map(|span| span.from());
    first.unwrap_or_else(|| deviation.most.from())
}

fn unit(ledger: &Ledger, state: &PolicyState) -> String {
    let populations = ledger.runs().values().flat_map(|last| &last.run.populations);
    let judged = state.body.populations.first();
    let mut of = populations.filter(|population| Some(&population.name) == judged);
    of.next().map_or_else(|| "item".to_owned(), |population| population.item_type.clone())
}

/// The last look, if it is too old to say how things stand now.
fn stale_since(ledger: &Ledger, state: &PolicyState, now: Instant) -> Option<Instant> {
    let looked = state.looked?;
    let max_gap_s = schedules(ledger, state).map(|schedule| schedule.max_gap_s).max()?;
    let max_gap_ms = i64::try_from(max_gap_s).unwrap_or(i64::MAX).saturating_mul(1000);
    (now.ms_since(looked) > max_gap_ms).then_some(looked)
}

/// The first slot that is promised and not answered, of the schedules that look at what the policy judges.
fn next(ledger: &Ledger, state: &PolicyState) -> Option<Instant> {
    let open = schedules(ledger, state).filter_map(|schedule| ledger.promises().open().get(&schedule.id));
    open.filter_map(|slots| slots.first().copied()).min()
}

/// The schedules in force that look at what the policy judges.
fn schedules<'l>(ledger: &'l Ledger, state: &PolicyState) -> impl Iterator<Item = &'l Schedule> {
    let judged = state.body.populations.first();
    let looks = move |id: &str| {
        let yields = ledger.collectors().get(id).map(|collector| &collector.yields);
        yields.zip(judged).is_some_and(|(yields, judged)| yields.contains(judged))
    };
    ledger.schedules().values().filter(move |schedule| looks(&schedule.collector))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The status as a table, with what needs somebody and the next thing to do.
pub fn status_text(status: &Status, zone: Tz) -> String {
    let mut out = String::new();
    let age = status.t.map(|t| hours(status.now.ms_since(t)));
    let age = age.map_or_else(String::new, |age| format!(" · newest {age} ago"));
    let agent = if status.stopped { "agent stopped" } else { "agent running, or gone without a word" };
    let entries = counted_entries(status.entries);
    push(&mut out, format_args!("{} · {entries}{age} · {agent}\n", visible(&status.origin)));
    let heads = ["CONTROL", "STATE", "SINCE", "ITEMS", "OWNER", "NEXT RUN"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(status.rows.iter().map(|row| cells(row, status.now, zone)));
    out.push_str(&table(&rows));
    if status.undelivered > 0 {
        let alerts = counted(status.undelivered, "alert");
        push(
            &mut out,
            format_args!("{alerts} could be delivered to nobody; see observance log --kind notice\n"),
        );
    }
    if status.unanswered > 0 {
        let slots = counted(status.unanswered, "slot");
        push(&mut out, format_args!("{slots} due and neither run nor recorded as gap: nobody is there\n"));
    }
    let needy: Vec<&StatusRow> = status.rows.iter().filter(|row| row.state.needs_somebody()).collect();
    let first = needy.iter().take(NAMED_MAX).map(|row| format!("{} ({})", row.policy, items(row, zone)));
    let more = needy.len().saturating_sub(NAMED_MAX);
    let more = (more > 0).then(|| format!("{more} more above"));
    let named: Vec<String> = first.chain(more).collect();
    let next = match (status.rows.is_empty(), needy.is_empty()) {
        (true, _) => "no control yet; next: observance collect --all".to_owned(),
        (false, true) if status.is_clear() => "nothing needs you; next: observance period".to_owned(),
        (false, true) => "next: observance run".to_owned(),
        (false, false) => format!("{} need you: {}; next: observance period", needy.len(), named.join(" · ")),
    };
    push(&mut out, format_args!("{next}\n"));
    out
}

fn counted_entries(n: u64) -> String {
    if n == 1 { "1 entry".to_owned() } else { format!("{} entries", number(n)) }
}

fn cells(row: &StatusRow, now: Instant, zone: Tz) -> Vec<String> {
    let since = match (row.since, row.baseline) {
        (_, true) => "baseline".to_owned(),
        (Some(since), false) => local(since, zone),
        (None, false) if row.of == 0 => "-".to_owned(),
        (None, false) => "first sight".to_owned(),
    };
    let next = match row.next {
        None => "not promised".to_owned(),
        Some(next) if next <= now => format!("due {} ago", hours(now.ms_since(next))),
        Some(next) => format!("in {}", hours(next.ms_since(now))),
    };
    let owner = visible(&row.owner).into_owned();
    vec![
        control(&row.controls, &row.policy),
        row.state.word().to_owned(),
        since,
        items(row, zone),
        owner,
        next,
    ]
}

fn items(row: &StatusRow, zone: Tz) -> String {
    let some = match (row.state, row.items, row.of) {
        (Standing::Unknown, _, 0) => return "none seen".to_owned(),
        (Standing::Unknown, 0, of) => return format!("not all seen; {} were", number(of)),
        (_, items, of) => format!("{} of {}", number(items), counted(of, &row.unit)),
    };
    let unknown = if row.unknown > 0 { format!(", {} unknown", number(row.unknown)) } else { String::new() };
    let unseen = row.unseen_since.map(|since| format!(", not all seen since {}", local(since, zone)));
    some + &unknown + &unseen.unwrap_or_default()
}
