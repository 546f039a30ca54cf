//! Below the first screen: every deviation, failed and unknown event, blind time, gap, unusual run and change.
//!
//! What a table cannot hold is counted under it.

use std::collections::BTreeMap;

use observance_record::{
    Instant,
    effect::{Deviation, EventSeen},
    ledger::{Answer, OddRun},
    verdict::State,
    view::{Exposed, PolicyView, worst_first},
};

use super::{
    Content, ROWS_MAX,
    html::{Cell, Html},
    words,
};
use crate::status::{counted, hours, number};

pub(super) fn write(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "Deviations");
    for policy in content.view.worst_first() {
        deviations(html, content, policy);
    }
    none(html, content, |policy| policy.period.deviations.is_empty(), "No deviation was observed.");
    html.put("h2", "", "Failed and unknown events");
    for policy in content.view.worst_first() {
        events(html, content, policy);
    }
    none(html, content, |policy| policy.period.events.is_empty(), "No failed or unknown event was observed.");
    unsettled(html, content);
    blind(html, content);
    gaps(html, content);
    odd_runs(html, content);
    changes(html, content);
    glossary(html);
}

fn none(html: &mut Html, content: &Content<'_>, empty: impl Fn(&PolicyView) -> bool, text: &str) {
    if content.view.policies.iter().all(empty) {
        html.put("p", "note", text);
    }
}

fn deviations(html: &mut Html, content: &Content<'_>, policy: &PolicyView) {
    let all = policy.period.deviations.iter().zip(&policy.exposures);
    if policy.period.deviations.is_empty() {
        return;
    }
    heading(html, content, policy);
    let rows = all.take(ROWS_MAX).map(|(deviation, exposed)| deviation_row(content, deviation, exposed));
    let heads = [
        "item",
        "out, at least",
        "out, at most",
        "not earlier than",
        "not later than",
        "reasons",
        "meanwhile",
        "known by",
        "entries",
    ];
    let caption = "An item deviated from its first failed look to its last for certain, and at most from the look before to the look after.";
    html.table("", caption, &heads, &rows.collect::<Vec<_>>());
    more(html, policy.period.deviations.len());
}

/// The policy, and under it the criteria that it serves.
fn heading(html: &mut Html, content: &Content<'_>, policy: &PolicyView) {
    html.put("h3", "", &content.policy(&policy.policy));
    if let Some(serves) = content.serves.get(&policy.policy).filter(|serves| !serves.is_empty()) {
        html.put("p", "", &format!("Serves {}.", serves.join(", ")));
    }
}

fn deviation_row(content: &Content<'_>, deviation: &Deviation, exposed: &Exposed) -> Vec<Cell> {
    let end = if deviation.open { "still open".to_owned() } else { content.local(deviation.most.to()) };
    let mut known = deviation.known.to_string();
    if deviation.baseline {
        known.push_str("; found so at first sight");
    }
    if !deviation.is_certain() {
        known.push_str("; not seen in this period, but next to its edge");
    }
    let entries = match deviation.closed_seq {
        Some(closed) => format!("{} to {closed}", deviation.opened_seq),
        None => deviation.opened_seq.to_string(),
    };
    vec![
        Cell::text(content.view.name(&deviation.item)),
        Cell::figure(hours(deviation.least_ms), false),
        Cell::figure(hours(deviation.most_ms), false),
        Cell::when(content.local(deviation.most.from())),
        Cell::when(end),
        Cell::text(words::codes(&deviation.codes)),
        Cell::text(meanwhile(exposed)),
        Cell::text(known),
        Cell::mono(entries),
    ]
}

/// What passed through the hole.
fn meanwhile(exposed: &Exposed) -> String {
    let say = |map: &BTreeMap<State, u64>| {
        let parts = map.iter().filter(|(_, n)| **n > 0);
        let parts: Vec<String> =
            parts.map(|(state, n)| format!("{} {}", number(*n), words::state(*state))).collect();
        parts.join(", ")
    };
    let (certainly, possibly) = (say(&exposed.certainly), say(&exposed.possibly));
    match (certainly.is_empty(), possibly.is_empty()) {
        (true, true) => "no event that is collected".to_owned(),
        (false, true) => certainly,
        (true, false) => format!("possibly {possibly}"),
        (false, false) => format!("{certainly}; possibly {possibly}"),
    }
}

fn events(html: &mut Html, content: &Content<'_>, policy: &PolicyView) {
    if policy.period.events.is_empty() {
        return;
    }
    html.put("h3", "", &content.policy(&policy.policy));
    let sorted = worst_first(&policy.period.events);
    let rows: Vec<_> = sorted.iter().take(ROWS_MAX).map(|event| event_row(content, event)).collect();
    html.table(
        "",
        "Failed first, each in the order of time.",
        &["event", "of", "at", "state", "reasons", "entry"],
        &rows,
    );
    more(html, sorted.len());
}

fn event_row(content: &Content<'_>, event: &EventSeen) -> Vec<Cell> {
    let of = event.of.map_or_else(|| "-".to_owned(), |of| content.view.name(&of));
    vec![
        Cell::text(content.view.name(&event.item)),
        Cell::text(of),
        Cell::when(content.local(event.at)),
        Cell::text(words::state(event.state)),
        Cell::text(words::codes(&event.codes)),
        Cell::mono(event.seq.to_string()),
    ]
}

/// Items that the newest look left unknown or not due. Events of that kind are listed above.
fn unsettled(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "Items unknown or not yet due at the newest look");
    let mut rows = Vec::new();
    for (id, state) in content.ledger.policies() {
        let Some((column, looked)) = state.column.as_ref().zip(state.looked) else { continue };
        let open = column.results.iter().filter(|(item, result)| {
            matches!(result.state(), State::Unknown | State::NotDue)
                && state.effect.event_state(item).is_none()
        });
        rows.extend(open.map(|(item, result)| {
            let name = content.ledger.facts(item).and_then(|facts| facts.name.clone());
            vec![
                Cell::text(name.unwrap_or_else(|| item.to_string())),
                Cell::id(id),
                Cell::text(words::state(result.state())),
                Cell::text(words::codes(result.codes())),
                Cell::when(content.local(looked)),
            ]
        }));
    }
    if rows.is_empty() {
        html.put("p", "note", "None.");
        return;
    }
    let n = rows.len();
    rows.truncate(ROWS_MAX);
    html.table("", "", &["item", "policy", "state", "reasons", "looked at"], &rows);
    more(html, n);
}

fn blind(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "How long nobody saw");
    let row = |policy: &&PolicyView| {
        let period = &policy.period;
        let state = content.ledger.policies().get(&policy.policy);
        let since = state.and_then(|state| state.blind_since);
        let long = |ms: i64| if ms == 0 { "0".to_owned() } else { hours(ms) };
        vec![
            Cell::text(content.policy(&policy.policy)),
            Cell::loud(long(period.part_unknown_ms), period.part_unknown_ms == 0, "unknown"),
            Cell::loud(long(period.gap_ms), period.gap_ms == 0, "gap"),
            Cell::figure(number(period.gap_slots), period.gap_slots == 0),
            Cell::text(
                since.map_or_else(|| "no".to_owned(), |since| format!("since {}", content.local(since))),
            ),
        ]
    };
    let rows: Vec<_> = content.view.worst_first().iter().map(row).collect();
    html.table(
        "",
        "Unknown: somebody looked and could not see. Gap: nobody looked, or too long ago for the last look to hold.",
        &["policy", "all unknown for", "gap", "slots without a run", "blind at the end"],
        &rows,
    );
}

fn gaps(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "Slots without a run");
    let mut rows = Vec::new();
    for (schedule, answers) in content.ledger.promises().answered() {
        for (due, answer) in answers.range(content.view.from..content.view.to) {
            if let Answer::Gap(cause) = answer {
                rows.push((*due, schedule.as_str(), words::cause(*cause)));
            }
        }
    }
    let unanswered = content.ledger.promises().unanswered(content.view.until);
    let unanswered = unanswered.filter(|(_, due)| *due >= content.view.from);
    rows.extend(
        unanswered.map(|(schedule, due)| (due, schedule, "UNACCOUNTED FOR: nothing in the log says why")),
    );
    if rows.is_empty() {
        html.put("p", "note", "Every slot that was due has a run.");
        return;
    }
    rows.sort_unstable();
    let cells = rows.iter().take(ROWS_MAX).map(|(due, schedule, why)| {
        vec![Cell::when(content.local(*due)), Cell::text(*schedule), Cell::text(*why)]
    });
    html.table(
        "",
        "A state cannot be read back: its gap stays.",
        &["due", "schedule", "why"],
        &cells.collect::<Vec<_>>(),
    );
    more(html, rows.len());
}

/// First and last instant, and how many.
type Extent = (Instant, Instant, u64);

fn odd_runs(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "Runs that were not ordinary, by cause");
    let mut groups: BTreeMap<[String; 5], Extent> = BTreeMap::new();
    for run in content.ledger.tally().odd_runs().iter().filter(|run| content.within(run.as_of)) {
        let group = groups.entry(cause_of(run)).or_insert((run.as_of, run.as_of, 0));
        *group = (group.0.min(run.as_of), group.1.max(run.as_of), group.2 + 1);
    }
    if groups.is_empty() {
        html.put("p", "note", "Every run of the period was complete and answered its slot in time.");
        return;
    }
    let mut sorted: Vec<_> = groups.into_iter().collect();
    sorted.sort_by_key(|(_, (first, _, n))| (std::cmp::Reverse(*n), *first));
    let cells = sorted.iter().take(ROWS_MAX).map(|(cause, (first, last, n))| {
        let mut cells = vec![Cell::figure(counted(*n, "run"), false)];
        cells.extend(cause.iter().map(Cell::text));
        cells.extend([Cell::when(content.local(*first)), Cell::when(content.local(*last))]);
        cells
    });
    let heads = ["how many", "collector", "ended", "populations", "began", "reasons", "first", "last"];
    html.table("", "The most frequent first.", &heads, &cells.collect::<Vec<_>>());
    more(html, sorted.len());
}

fn cause_of(run: &OddRun) -> [String; 5] {
    [
        run.collector.clone(),
        words::result(run.result).to_owned(),
        words::membership(run.membership).to_owned(),
        run.hook.map_or(words::trigger(run.trigger), |_| "upon a change event").to_owned(),
        words::codes(&run.why),
    ]
}

fn changes(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "Restarts and changes of what is in force");
    let (tally, mut rows) = (content.ledger.tally(), Vec::new());
    for began in tally.starts() {
        let after = match (began.is_agent, began.after_stop) {
            (true, false) => ", after one that never said that it stopped",
            (true, true) | (false, _) => "",
        };
        let who = if began.is_agent { "the agent began" } else { "somebody collected once or made a bundle" };
        let memory = match began.start.memory.as_str() {
            "none" => "without memory of the log's head".to_owned(),
            size => format!("remembering {size} entries"),
        };
        let text = format!("{who}, version {}, {memory}{after}", began.start.version);
        rows.push((began.seq, began.t, text));
    }
    for change in tally.changes() {
        let text = format!("{} {} {}", words::what(change.what), change.id, words::how(change.how));
        rows.push((change.seq, change.t, text));
    }
    rows.sort_unstable();
    let cells = rows.iter().take(ROWS_MAX).map(|(seq, t, text)| {
        vec![Cell::mono(seq.to_string()), Cell::when(content.local(*t)), Cell::text(text)]
    });
    let caption = "From the log's first entry on, also outside the period.";
    html.table("", caption, &["entry", "when", "what"], &cells.collect::<Vec<_>>());
    more(html, rows.len());
}

fn more(html: &mut Html, n: usize) {
    if n > ROWS_MAX {
        let text = format!("and {} more: they are in the log, and in data/views", n - ROWS_MAX);
        html.put("p", "warn", &text);
    }
}

fn glossary(html: &mut Html) {
    html.put("h2", "", "Words");
    html.raw("<dl>\n");
    for (word, meaning) in [
        (
            "met",
            "seen passed in the period, and never seen failed; it may have been unknown for a part of it",
        ),
        ("deviated", "seen failed; it stays one whoever excepted it, and however short it was"),
        ("unknown", "could not be told, with the reason; neither met nor deviated"),
        ("gap", "nobody looked: a slot that was due has no run, or the last look is too old to hold"),
        ("not yet due", "the obligation exists, and its time limit has not run out"),
        ("not applicable", "the policy does not speak about the item, with the reason"),
        ("maybe, at the edge", "it may have deviated across the period's edge, between two looks"),
        ("entry", "the place in the log: data/log/tile/entries holds it"),
    ] {
        html.put("dt", "", word);
        html.put("dd", "", meaning);
    }
    html.raw("</dl>\n");
}
