//! The first screen: whose period, what to trust, which populations, what was found, and what to do next.
//!
//! The worst stands first. What a page cannot know is said to be not done, with what its reader has to do.

use observance_record::{
    ledger::{LastRun, PolicyState},
    view::PolicyView,
};

use super::{
    Content, counted,
    html::{Cell, Html},
    words,
};
use crate::status::{counted as of_kind, hours, number};

const DAY_MS: i64 = 86_400_000;

pub(super) fn write(html: &mut Html, content: &Content<'_>) {
    html.within("section", "first", |html| {
        html.within("header", "", |html| identity(html, content));
        trust(html, content);
        populations(html, content);
        operated(html, content);
        html.within("div", "two", |html| {
            html.within("div", "", |html| counted::hidden(html, content));
            html.within("div", "", |html| counted::not_shown(html, content));
        });
        next(html);
    });
}

fn identity(html: &mut Html, content: &Content<'_>) {
    let (view, ledger) = (content.view, content.ledger);
    html.put("h1", "", &format!("{}: {}", content.organisation, view.id));
    // a change of clocks makes a period an hour longer or shorter than its days
    let days = of_kind(((view.to.ms_since(view.from) + DAY_MS / 2) / DAY_MS).unsigned_abs(), "day");
    let (from, to) = (content.local(view.from), content.local(view.to));
    let framework = ledger.periods().get(&view.id).map(|period| period.framework.as_str());
    let framework = framework.map_or_else(String::new, |framework| format!(" · framework {framework}"));
    let span = format!("Observation period [{from}, {to}) {} = {days}{framework}", content.zone.name());
    html.put("p", "sub", &span);
    if view.until < view.to {
        let until = content.local(view.until);
        let text = format!("The period had not ended: everything below is as known until {until}.");
        html.put("p", "warn", &text);
    }
    html.raw("<dl>\n");
    let entries = number(view.known_at);
    fact(html, "Closing checkpoint", &format!("{entries} entries, root {}", content.root));
    if let Some(genesis) = ledger.genesis() {
        fact(html, "Log", &genesis.origin);
    }
    fact(html, "Produced by", &producer(content));
    let same = ledger.exports().iter().filter(|export| export.period.as_ref() == Some(&view.id));
    let before = number(u64::try_from(same.count()).unwrap_or(u64::MAX));
    let text =
        format!("{before} earlier exports of this period are in this log; ask how many there are today");
    fact(html, "Export", &text);
    html.raw("</dl>\n");
}

fn producer(content: &Content<'_>) -> String {
    let starts = content.ledger.tally().starts();
    let Some(newest) = starts.last().map(|began| &began.start) else { return "no writer began".to_owned() };
    let build = newest.build.map_or_else(|| "binary not recorded".to_owned(), |build| build.to_string());
    let versions: std::collections::BTreeSet<_> =
        starts.iter().map(|began| (&began.start.version, began.start.build)).collect();
    let versions = match versions.len() {
        1 => String::new(),
        n => format!("; {n} different versions wrote this log"),
    };
    let (version, regorus) = (&newest.version, &newest.judge.regorus);
    format!(
        "observance {version} ({build}), judging with regorus {regorus}, on the operator's machine{versions}"
    )
}

fn fact(html: &mut Html, name: &str, text: &str) {
    html.put("dt", "", name);
    html.put("dd", "", text);
}

fn trust(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "What this rests on: a page can check nothing, you can");
    let genesis = content.ledger.genesis();
    let vkey = genesis.map_or("none", |genesis| genesis.vkey.as_str());
    let timed = genesis.is_some_and(|genesis| !genesis.tsa.is_empty());
    let witnessed = genesis.is_some_and(|genesis| genesis.witness_policy != "none");
    let row = |question: &str, said: &str, next: &str| {
        vec![Cell::text(question), Cell::said(said), Cell::text(next)]
    };
    let unchecked = "not done here";
    let key = format!("--key: get it by another way than this folder, whose own copy proves nothing: {vkey}");
    let rows = [
        row("Key from outside?", unchecked, &key),
        row(
            "Earlier checkpoints agree?",
            unchecked,
            "--pin: give those that you were sent. Without one, neither a second log nor a cut tail is excluded.",
        ),
        row(
            "Outside time?",
            if timed { "named, not in this version" } else { "none" },
            "Every instant rests on the operator's clock and on the dates of the sources' answers.",
        ),
        row(
            "Witness?",
            if witnessed { "named, not in this version" } else { "none" },
            "That everybody was shown this same log rests on the operator, or on your checkpoints.",
        ),
        row(
            "Verdicts performed again?",
            unchecked,
            "--replay: judges everything anew, from the bytes in this folder.",
        ),
        row(
            "Source read again by you?",
            unchecked,
            "Draw a sample and read it at the source with a credential of your own.",
        ),
    ];
    html.table("trust", "", &["question", "answer", "what you do"], &rows);
}

fn populations(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "Populations");
    let states = content.ledger.policies().values().filter(|state| !state.body.removed);
    let rows: Vec<_> = states.map(|state| population(content, state)).collect();
    let heads = [
        "policy",
        "population",
        "in scope",
        "excluded",
        "source's total",
        "difference",
        "is the list whole?",
        "credential sees",
        "seen",
    ];
    let caption =
        "As the newest run saw them. Independent total: none, unless a register or a second way is named.";
    html.table("", caption, &heads, &rows);
}

fn population(content: &Content<'_>, state: &PolicyState) -> Vec<Cell> {
    let name = state.body.populations.first().map_or("none", String::as_str);
    let runs = content.ledger.runs().values();
    let seen = runs.flat_map(|LastRun { run, .. }| run.populations.iter().map(move |seen| (run, seen)));
    let Some((run, seen)) = seen.into_iter().find(|(_, seen)| seen.name == name) else {
        let mut cells = vec![Cell::id(&state.body.id), Cell::text(name)];
        cells.extend([(); 4].map(|()| Cell::figure("-", true)));
        cells.extend([Cell::said("its newest run did not see it"), Cell::text("-"), Cell::text("-")]);
        return cells;
    };
    let counted = seen.in_scope.saturating_add(seen.excluded);
    let (total, difference, differs) = match seen.source_total {
        Some(total) => (number(total), number(total.abs_diff(counted)), total != counted),
        None => ("none".to_owned(), "unknown".to_owned(), true),
    };
    let name = match seen.window {
        Some((from, to)) => {
            format!("{name}, only of {} to {}", content.local(from), content.local(to))
        }
        None => name.to_owned(),
    };
    let whole = format!("{}: {}", words::membership(seen.membership), words::grade(seen.grade));
    vec![
        Cell::id(&state.body.id),
        Cell::text(name),
        Cell::figure(number(seen.in_scope), false),
        Cell::figure(number(seen.excluded), seen.excluded == 0),
        Cell::figure(total, seen.source_total.is_none()),
        Cell::loud(difference, !differs, "unknown"),
        Cell::text(whole),
        Cell::text(words::horizon(seen.horizon)),
        Cell::when(content.local(run.as_of)),
    ]
}

fn operated(html: &mut Html, content: &Content<'_>) {
    html.put("h2", "", "How the controls operated, the worst first");
    let view = content.view;
    let policies = view.worst_first();
    let edge = policies.iter().any(|policy| policy.period.edge_items > 0);
    let silent = policies.iter().any(|policy| policy.period.not_applicable > 0);
    let mut heads = vec!["policy", "items", "deviated", "excepted", "unknown", "not yet due"];
    heads.extend(edge.then_some("maybe, at the edge"));
    heads.extend(silent.then_some("not applicable"));
    heads.extend(["met", "all unknown for", "gap", "rests on"]);
    let mut rows: Vec<_> = policies.iter().map(|policy| operation(content, policy, (edge, silent))).collect();
    for id in &view.never_judged {
        let mut row = vec![Cell::text(content.policy(id)), Cell::loud("never judged", false, "unknown")];
        row.extend(heads.iter().skip(2).map(|_| Cell::figure("-", true)));
        rows.push(row);
    }
    let slots = view.slots;
    let caption = format!(
        "{} due, {} ran, {} missed, {} unaccounted for. Items add up across; times stand beside them and take nothing off. A deviation counts whether or not somebody excepted it.",
        of_kind(slots.due, "slot"),
        number(slots.ran),
        number(slots.missed),
        number(slots.unanswered)
    );
    html.table("wide", &caption, &heads, &rows);
    if slots.unanswered > 0 {
        let text = format!(
            "{} unaccounted for: promised, due, and nothing in the log says what became of it.",
            of_kind(slots.unanswered, "slot")
        );
        html.put("p", "warn", &text);
    }
}

fn operation(content: &Content<'_>, policy: &PolicyView, (edge, silent): (bool, bool)) -> Vec<Cell> {
    let period = &policy.period;
    let deviated = if period.occasions > period.deviated_items {
        format!("{} ({} times)", number(period.deviated_items), number(period.occasions))
    } else {
        number(period.deviated_items)
    };
    let figure = |n: u64| Cell::figure(number(n), n == 0);
    let long = |ms: i64| if ms == 0 { "0".to_owned() } else { hours(ms) };
    let gap = match period.gap_slots {
        0 => long(period.gap_ms),
        n if period.gap_ms == 0 => of_kind(n, "slot"),
        n => format!("{}; {}", long(period.gap_ms), of_kind(n, "slot")),
    };
    let mut cells = vec![
        Cell::text(content.policy(&policy.policy)),
        Cell::figure(of_kind(period.items_n, &policy.unit), false),
        Cell::loud(deviated, period.deviated_items == 0, "deviated"),
        Cell::figure("-", true),
        Cell::loud(number(period.unknown_items), period.unknown_items == 0, "unknown"),
        Cell::loud(number(period.not_due), period.not_due == 0, "due"),
    ];
    cells.extend(edge.then(|| Cell::loud(number(period.edge_items), period.edge_items == 0, "unknown")));
    cells.extend(silent.then(|| figure(period.not_applicable)));
    cells.extend([
        figure(period.met),
        Cell::loud(long(period.part_unknown_ms), period.part_unknown_ms == 0, "unknown"),
        Cell::loud(gap, period.gap_ms == 0 && period.gap_slots == 0, "gap"),
        Cell::text(period.evidence.map_or("nothing", words::evidence)),
    ]);
    cells
}

fn next(html: &mut Html) {
    html.put("h2", "", "What to do next");
    html.raw(
        "<ol class=next>
<li><b>1. Check it</b> offline, in this folder:
<code>observance-verify . --key VKEY --pin CHECKPOINT --replay</code>
Exit code 0: every proof holds. Deviations and gaps are content, not faults.</li>
<li><b>2. Draw a sample</b> with a seed of your own, chosen now: the items with the lowest SHA-256(seed, a zero byte, item).
The lines of Python in <a href=\"CHECK.md\">CHECK.md</a> list them; then read them again at the source.</li>
<li><b>3. Read <a href=\"CHECK.md\">CHECK.md</a>:</b> the same checks with sha256sum and openssl, without our software, and
what lies where in this folder.</li>
</ol>
",
    );
}
