//! The demonstration, whole: what it prints and what it tells are golden, every planted event shows where it belongs and
//! nothing else does, and the same seed makes the same bytes.
//!
//! The half year is lived once for all tests. That the bundle resists forgery is the museum's business.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
};

use chrono::{NaiveDateTime, TimeZone as _};
use chrono_tz::Europe::Berlin;
use observance::demo::{
    self, Options,
    company::{Company, Event, Planted},
    story::{Happens, Story, Twist},
};
use observance_record::{
    Instant, Item,
    entry::{Body, Cause, Entry, Run, RunResult, Verdict},
    population::Membership,
    table::Change,
    tile,
    verdict::State,
    view::{PeriodView, PolicyView},
};
use observance_verify::{Conclusion, Folder, Trust, verify};

use crate::support::golden;

/// The seed of every demonstration in these tests.
pub(crate) const SEED: u64 = 7;
/// As `demo` has them: 1 Jan to 1 Jul 2026 in Berlin.
const FROM: &str = "2025-12-31T23:00:00.000Z";
const TO: &str = "2026-06-30T22:00:00.000Z";
const HOUR_MS: i64 = 3_600_000;

/// What a demonstration left behind.
pub(crate) struct Shown {
    /// Its bundle.
    pub(crate) bundle: PathBuf,
    /// What it printed, with the bundle's place as a person would have it.
    pub(crate) printed: String,
    told: Vec<String>,
}

/// Lives so many days, in a folder that is kept for whoever wants to look at it.
pub(crate) fn live(name: &str, days: u32) -> Shown {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    let bundle = folder.join("demo-bundle");
    let options = Options { seed: SEED, out: bundle.clone(), days };
    let lived = thread::spawn(move || {
        let mut printed = Vec::new();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let told = runtime.block_on(demo::run(&options, &mut printed)).unwrap();
        (String::from_utf8(printed).unwrap(), told)
    });
    let (printed, told) = lived.join().unwrap();
    let printed = printed.replace(&format!("{}/", folder.display()), "");
    Shown { bundle, printed, told }
}

/// The whole half year.
pub(crate) fn half_year() -> &'static Shown {
    static SHOWN: OnceLock<Shown> = OnceLock::new();
    SHOWN.get_or_init(|| live("demo-half-year", 181))
}

fn company() -> Company {
    Company::new(SEED, FROM.parse().unwrap(), TO.parse().unwrap())
}

#[test]
fn it_prints_what_it_printed() {
    golden::check("demo/transcript.txt", half_year().printed.as_bytes());
}

#[test]
fn it_tells_what_it_told() {
    let parsed =
        half_year().told.iter().map(|message| serde_json::from_str::<serde_json::Value>(message).unwrap());
    // what is owed at the same instant is sent at the same time, and comes in any order
    let entry = |id: &str| id.rsplit_once('#').unwrap().1.parse::<u64>().unwrap();
    let by_entry: BTreeMap<u64, _> =
        parsed.map(|message| (entry(message["id"].as_str().unwrap()), message)).collect();
    let told: String =
        by_entry.values().map(|message| serde_json::to_string_pretty(message).unwrap() + "\n").collect();
    golden::check("demo/alerts.txt", told.as_bytes());
}

#[test]
fn the_same_seed_makes_the_same_bytes() {
    let (a, b) = (live("demo-once", 5), live("demo-again", 5));
    let tags = |shown: &Shown| fs::read_to_string(shown.bundle.join("tagmanifest-sha256.txt")).unwrap();
    if tags(&a) != tags(&b) {
        let lines = |shown: &Shown| -> BTreeSet<String> {
            let manifest = fs::read_to_string(shown.bundle.join("manifest-sha256.txt")).unwrap();
            (manifest + &tags(shown)).lines().map(str::to_owned).collect()
        };
        let (a, b) = (lines(&a), lines(&b));
        panic!("different bytes: {:#?}", a.symmetric_difference(&b).take(20).collect::<Vec<_>>());
    }
    assert_eq!(a.printed, b.printed);
}

/// A line of the transcript that tells news: when, what, whose, how.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    at: Instant,
    word: String,
    text: String,
}

fn instant(stamp: &str) -> Instant {
    let local = NaiveDateTime::parse_from_str(&format!("2026 {stamp}"), "%Y %b %d %H:%M").unwrap();
    Instant::from_ms(Berlin.from_local_datetime(&local).unwrap().timestamp_millis())
}

fn news(printed: &str) -> Vec<Line> {
    let news = printed.lines().skip(1).take_while(|line| !line.contains("slots due"));
    news.map(|line| Line {
        at: instant(&line[..12]),
        word: line[14..19].trim().to_owned(),
        text: line[21..].to_owned(),
    })
    .collect()
}

/// The transcript's news, each to be taken by the event that explains it.
struct News(Vec<Line>);

impl News {
    /// Takes the one line of this word about this policy and this item.
    fn take(&mut self, word: &str, policy: &str, text: &str) -> Line {
        let fits =
            |line: &Line| line.word == word && line.text.starts_with(policy) && line.text.contains(text);
        let at =
            self.0.iter().position(fits).unwrap_or_else(|| panic!("{word} {policy} {text}: {:#?}", self.0));
        self.0.remove(at)
    }

    /// Takes a change's line; gives between which looks it is said to lie.
    fn between(&mut self, word: &str, policy: &str, item: &str) -> (Instant, Instant) {
        let line = self.take(word, policy, &format!("  {item}, between "));
        let (from, to) = line.text.split_once("between ").unwrap().1.split_once(" and ").unwrap();
        assert_eq!(instant(to), line.at, "news is as old as the look that brings it");
        (instant(from), instant(to))
    }

    /// Takes a look that saw nothing and the one that saw it all again: each the first after its cause.
    fn blind(&mut self, policy: &str, (from, to): (Instant, Instant), every_ms: i64) {
        let first = |at: Instant, after: Instant| after <= at && at < after.plus_ms(every_ms);
        let blind = self.take("BLIND", policy, "cannot be seen whole").at;
        let seen = self.take("SEEN", policy, "seen whole again").at;
        assert!(first(blind, from) && first(seen, to), "{policy}: blind {blind}, seen {seen}");
    }
}

/// The bundle's log, decoded, and what its tables stored.
struct Told {
    entries: Vec<Entry>,
    bundle: PathBuf,
    view: PeriodView,
}

impl Told {
    fn read(bundle: &Path) -> Self {
        let report = verify(&Folder::open(bundle).unwrap(), &Trust::default(), false);
        assert_eq!(report.conclusion, Conclusion::Holds, "{}", report.text());
        let mut entries = Vec::new();
        while u64::try_from(entries.len()).unwrap() < report.entries {
            let n = u64::try_from(entries.len()).unwrap();
            let width = (report.entries - n).min(tile::WIDTH);
            let file = bundle.join("data/log").join(tile::entries_path(n / tile::WIDTH, width));
            let bundled = fs::read(file).unwrap();
            entries
                .extend(tile::unbundle(&bundled).unwrap().iter().map(|entry| Entry::decode(entry).unwrap()));
        }
        let view = report.periods.into_iter().next().unwrap();
        Self { entries, bundle: bundle.to_owned(), view }
    }

    fn policy(&self, id: &str) -> &PolicyView {
        self.view.policies.iter().find(|policy| policy.policy == id).unwrap()
    }

    fn runs(&self, population: &str) -> Vec<(u64, &Run)> {
        let runs = self.entries.iter().filter_map(|entry| match &entry.body {
            Body::Run(run) => Some((entry.seq, &**run)),
            _ => None,
        });
        runs.filter(|(_, run)| run.populations.iter().any(|seen| seen.name == population)).collect()
    }

    fn verdict(&self, run: u64) -> &Verdict {
        match &self.entries[usize::try_from(run).unwrap() + 1].body {
            Body::Verdict(verdict) => verdict,
            _ => panic!("run {run} has no verdict"),
        }
    }

    fn events(&self, policy: &str) -> BTreeMap<(String, Instant), State> {
        let events = &self.policy(policy).period.events;
        events.iter().map(|event| ((self.view.name(&event.item), event.at), event.state)).collect()
    }

    /// Every row that was ever stored of a population, by item, in order.
    fn rows(&self, population: &str) -> BTreeMap<Item, Vec<(Instant, serde_json::Value)>> {
        let mut rows: BTreeMap<Item, Vec<_>> = BTreeMap::new();
        for (seq, run) in self.runs(population) {
            let path = self.bundle.join(format!("data/runs/{seq:012}/{population}.table"));
            let Ok(stored) = fs::read(path) else { continue };
            for (item, row) in Change::decode(&stored).unwrap().put {
                let row = serde_json::from_slice(&row).unwrap();
                rows.entry(item).or_default().push((run.as_of, row));
            }
        }
        rows
    }
}

#[test]
fn every_planted_event_shows_where_it_belongs_and_nothing_else_does() {
    let (shown, company) = (half_year(), company());
    let told = Told::read(&shown.bundle);
    let mut news = News(news(&shown.printed));
    for planted in company.planted() {
        check(planted, &told, &mut news);
    }
    for twist in Story::of(FROM.parse().unwrap()).planted() {
        beside(twist, &told, &mut news);
    }
    killed(&told, &mut news);
    assert_eq!(news.0, [], "news of what was never planted");
    only_planted(&company, &told);
    members_are_as_many_as_there_are(&company, &told);
    registers_are_signed_and_whole(&told);
    assert_eq!(told.policy("GH-05").period.items_n, u64::try_from(company.repositories()).unwrap());
    assert_eq!(told.policy("GH-08").period.items_n, u64::try_from(company.merged()).unwrap());
}

fn check(planted: &Planted, told: &Told, news: &mut News) {
    let (at, place) = (planted.from, planted.place);
    let lasting = || (at, planted.to.unwrap());
    let change = || format!("{place}#{}", planted.number.unwrap());
    match planted.event {
        Event::RuleBypassed => {
            let repository = format!("acme/{place}");
            let seen = news.between("DRIFT", "GH-10", &repository);
            let over = news.between("FIXED", "GH-10", &repository);
            assert!(seen.0 <= at && at < seen.1 && over.0 == seen.1, "{seen:?} {over:?}");
            deviated(told, ("GH-10", place), (at, at.plus_ms(1)), 1);
        }
        Event::ReviewsLifted => {
            let (from, to) = lasting();
            let repository = format!("acme/{place}");
            let seen = news.between("DRIFT", "GH-05", &repository);
            let over = news.between("FIXED", "GH-05", &repository);
            assert!(seen.0 < from && from <= seen.1 && over.0 < to && to <= over.1, "{seen:?} {over:?}");
            deviated(told, ("GH-05", place), (from, to), 3);
        }
        Event::MergedUnapproved => {
            let seen = news.between("DRIFT", "GH-08", &change());
            assert!(seen.0 == at && at < seen.1 && seen.1.ms_since(at) <= 6 * HOUR_MS, "{seen:?}");
            assert_eq!(told.events("GH-08").get(&(change(), at)), Some(&State::Failed));
        }
        Event::ApproverUnknown => {
            assert_eq!(told.events("GH-08").get(&(change(), at)), Some(&State::Unknown), "{}", change());
        }
        // what follows from it is planted as such: changes whose approver nobody can name, changes that were approved
        Event::AccountDeleted => (),
        Event::MergedApproved => assert_eq!(told.events("GH-08").get(&(change(), at)), None, "{}", change()),
        Event::PageBroken => news.blind("GH-01", lasting(), 24 * HOUR_MS),
        Event::SourceDown => {
            news.blind("GH-05", lasting(), HOUR_MS);
            for policy in ["GH-08", "GH-10"] {
                news.blind(policy, lasting(), 6 * HOUR_MS);
                assert_eq!(told.policy(policy).period.gap_ms, 0, "{policy}: the windows were read later");
            }
            news.blind("GH-01", lasting(), 24 * HOUR_MS);
            assert!(lasting().1.ms_since(at) > told.policy("GH-05").period.part_unknown_ms - HOUR_MS);
        }
        Event::BudgetSpent => waited(told, lasting()),
        Event::Renamed => renamed(told, place, at),
        Event::Archived => archived(told, place, at),
        Event::RulesForbidden => {
            let period = &told.policy("GH-05").period;
            assert_eq!((period.unknown_items, period.deviated_items), (1, 1));
            let rows = told.rows("repositories").into_values().flatten();
            let hidden: BTreeSet<String> =
                rows.filter(|(_, row)| is_forbidden(row)).map(|(_, row)| name(&row)).collect();
            assert_eq!(hidden, BTreeSet::from([format!("acme/{place}")]));
        }
        // as many members as there are, at every look: see below
        Event::Left | Event::Joined => (),
    }
}

/// One deviation of this item, that brackets the truth; so many events happened to it meanwhile.
fn deviated(told: &Told, (policy, place): (&str, &str), (from, to): (Instant, Instant), exposed: u64) {
    let period = &told.policy(policy).period;
    let [deviation] = period.deviations.as_slice() else { panic!("{policy}: {:#?}", period.deviations) };
    assert_eq!(told.view.name(&deviation.item), format!("acme/{place}"));
    assert!(deviation.most.from() <= from && to <= deviation.most.to(), "{:?}", deviation.most);
    if policy == "GH-05" {
        let truth_ms = to.ms_since(from);
        assert!(deviation.least_ms <= truth_ms && truth_ms <= deviation.most_ms, "{deviation:#?}");
        assert!(truth_ms - deviation.least_ms < 2 * HOUR_MS && deviation.most_ms - truth_ms < 2 * HOUR_MS);
    }
    assert!(!deviation.open && !deviation.baseline);
    assert_eq!(told.policy(policy).exposures[0].n(), exposed);
}

/// What was planted outside of GitHub: one deviation that brackets the truth, with its reason, told when it was seen.
fn beside(twist: Twist, told: &Told, news: &mut News) {
    let (policy, code, from, look_ms) = match twist.happens {
        Happens::LeaverLate => ("ID-05-okta", "leaver.active", twist.from, 3 * HOUR_MS),
        // the register lets a source be silent for six hours
        Happens::SourceSilent => {
            ("LG-01-loki", "source.silent", twist.from.plus_ms(6 * HOUR_MS), 3 * HOUR_MS)
        }
        Happens::AdministratorWeak => ("ID-03-okta", "two_factor.phishable", twist.from, 6 * HOUR_MS),
    };
    let period = &told.policy(policy).period;
    let [deviation] = period.deviations.as_slice() else { panic!("{policy}: {:#?}", period.deviations) };
    let name = told.view.name(&deviation.item);
    let (seen, over) = (news.between("DRIFT", policy, &name), news.between("FIXED", policy, &name));
    assert!(seen.0 < from && from <= seen.1 && over.0 < twist.to && twist.to <= over.1, "{seen:?} {over:?}");
    assert!(deviation.most.from() <= from && twist.to <= deviation.most.to(), "{:?}", deviation.most);
    let truth_ms = twist.to.ms_since(from);
    assert!(deviation.least_ms <= truth_ms && truth_ms <= deviation.most_ms, "{deviation:#?}");
    assert!(deviation.most_ms - deviation.least_ms <= 2 * look_ms, "{deviation:#?}");
    assert!(!deviation.open && !deviation.baseline);
    assert_eq!(deviation.codes.iter().map(ToString::to_string).collect::<Vec<_>>(), [code]);
}

/// Every look at a register found it signed, and the roster as long as it was by then.
fn registers_are_signed_and_whole(told: &Told) {
    let lengths = |population: &str| -> Vec<u64> {
        let runs = told.runs(population);
        let whole = |(seq, run): &(u64, &Run)| {
            assert_eq!(
                (run.result, run.populations[0].membership),
                (RunResult::Complete, Membership::Complete),
                "run {seq}"
            );
            run.populations[0].table.n
        };
        runs.iter().map(whole).collect()
    };
    let people = lengths("people");
    assert!(people.len() > 700 && people.is_sorted(), "whoever leaves stays on the roster");
    assert_eq!(people.last().unwrap() - people[0], 3, "three come");
    assert!(lengths("log_sources").iter().all(|n| *n == 12));
    for (population, signer) in [("people", "people-lead"), ("log_sources", "platform-lead")] {
        let rows = told.rows(population).into_values().flatten();
        assert!(rows.into_iter().all(|(_, row)| row["signed_by"] == signer), "{population}");
    }
    let left = told
        .rows("people")
        .into_values()
        .filter(|rows| rows.iter().any(|(_, row)| row.get("ends").is_some()));
    assert_eq!(left.count(), 4);
}

/// The request limit was waited out: one run took long, and no verdict shows it.
fn waited(told: &Told, (from, to): (Instant, Instant)) {
    let within = |run: &Run| from <= run.as_of && run.as_of < to;
    let runs: Vec<_> = told.runs("repositories").into_iter().filter(|(_, run)| within(run)).collect();
    let [(seq, run)] = runs.as_slice() else { panic!("{} runs in the hour", runs.len()) };
    let took_ms = run.ended.ms_since(run.started);
    assert!((600_000..900_000).contains(&took_ms), "{took_ms} ms");
    let receipts =
        fs::read_to_string(told.bundle.join(format!("data/runs/{seq:012}/receipts.jsonl"))).unwrap();
    assert!(receipts.contains("\"throttled\""), "nobody was told to wait");
    assert_eq!(run.populations[0].membership, Membership::Complete);
    assert!(told.verdict(*seq).same.is_some(), "the verdict is not the one before it");
}

fn renamed(told: &Told, place: &str, at: Instant) {
    let repositories = told.rows("repositories");
    let named: Vec<_> = repositories
        .iter()
        .filter(|(_, rows)| rows.iter().any(|(_, row)| name(row) == format!("acme/{place}")))
        .collect();
    let [(item, rows)] = named.as_slice() else { panic!("{} items were called {place}", named.len()) };
    let (seen, row) = rows.iter().find(|(_, row)| name(row) != format!("acme/{place}")).unwrap();
    assert!(at <= *seen && seen.ms_since(at) < HOUR_MS, "{seen}");
    let same_name =
        repositories.values().filter(|rows| rows.iter().any(|(_, other)| name(other) == name(row)));
    assert_eq!(same_name.count(), 1, "the new name is another item");
    let short = name(row).replace("acme/", "");
    let changes = told.rows("changes").into_values().flatten().map(|(_, change)| change);
    let owners: BTreeSet<String> = changes
        .filter(|change| name(change).starts_with(&format!("{short}#")))
        .map(|change| change["_of"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(owners, BTreeSet::from([item.to_string()]), "changes under the new name");
}

fn archived(told: &Told, place: &str, at: Instant) {
    let rows = told.rows("repositories");
    let rows = rows.values().find(|rows| name(&rows[0].1) == format!("acme/{place}")).unwrap();
    assert!(rows[0].0 < at, "it has a history");
    let (seen, _) = rows.iter().find(|(_, row)| row["archived"] == true).unwrap();
    assert!(at <= *seen && seen.ms_since(at) < HOUR_MS, "{seen}");
    let runs = told.runs("repositories");
    let (seq, run) = runs.iter().find(|(_, run)| run.as_of == *seen).unwrap();
    assert_eq!(run.populations[0].table.n, runs[0].1.populations[0].table.n, "it stays in the population");
    let list = told.verdict(*seq).list.as_ref().unwrap();
    assert_eq!(list[0].not_applicable, 1, "nothing is asked of it any more");
}

/// One kill: one start more, and one gap that says why.
fn killed(told: &Told, news: &mut News) {
    let again = news.take("AGAIN", "agent", "started on a log of");
    let gap = news.take("GAP", "github.branch_rules", "1 slot without a run: agent_down");
    assert_eq!(again.at, gap.at);
    let bodies = || told.entries.iter().map(|entry| &entry.body);
    let gaps: Vec<_> =
        bodies().filter_map(|body| if let Body::Gap(gap) = body { Some(gap) } else { None }).collect();
    let [gap] = gaps.as_slice() else { panic!("{} gaps", gaps.len()) };
    let due: Vec<Instant> = gap.due.iter().collect();
    assert_eq!((gap.cause, due.len()), (Cause::AgentDown, 1));
    assert!(due[0] < again.at && again.at.ms_since(due[0]) < 2 * HOUR_MS, "{due:?}");
    assert_eq!(bodies().filter(|body| matches!(body, Body::Start(_))).count(), 2);
    let slots = told.view.slots;
    assert_eq!((slots.missed, slots.unanswered, slots.due), (1, 0, slots.ran + 1));
}

fn only_planted(company: &Company, told: &Told) {
    let deviations = |policy: &PolicyView| (policy.policy.clone(), policy.period.deviated_items);
    let found: BTreeMap<_, _> = told.view.policies.iter().map(deviations).collect();
    let changes = company.planted().iter().filter(|planted| planted.number.is_some());
    let bad = changes.filter(|p| matches!(p.event, Event::MergedUnapproved | Event::ApproverUnknown));
    let bad: BTreeSet<_> = bad.map(|p| (format!("{}#{}", p.place, p.number.unwrap()), p.from)).collect();
    assert_eq!(told.events("GH-08").into_keys().collect::<BTreeSet<_>>(), bad);
    let github = [("GH-01", 0), ("GH-05", 1), ("GH-08", 2), ("GH-10", 1)];
    let beside = [("ID-03-okta", 1), ("ID-05-okta", 1), ("LG-01-loki", 1)];
    let expected = github.into_iter().chain(beside);
    assert_eq!(found, expected.map(|(policy, n)| (policy.to_owned(), n)).collect());
}

fn members_are_as_many_as_there_are(company: &Company, told: &Told) {
    let mut looks = 0;
    for (seq, run) in told.runs("members") {
        let [members] = run.populations.as_slice() else { panic!("run {seq}") };
        if members.membership == Membership::Complete {
            assert_eq!(usize::try_from(members.table.n).unwrap(), company.people(run.as_of), "run {seq}");
            looks += 1;
        } else {
            assert_ne!(run.result, RunResult::Complete, "run {seq}");
        }
    }
    // one day a page was broken, one night the source was down
    assert_eq!(looks, 181 - 2);
}

#[test]
fn every_drift_is_told_and_every_alert_delivered() {
    let shown = half_year();
    let told = Told::read(&shown.bundle);
    let drifts = told.entries.iter().filter(|entry| matches!(entry.body, Body::Drift(_)));
    let drifts: BTreeSet<String> = drifts.map(|entry| format!("acme.example/demo#{}", entry.seq)).collect();
    let ids = shown.told.iter().map(|message| {
        let message: serde_json::Value = serde_json::from_str(message).unwrap();
        message["id"].as_str().unwrap().to_owned()
    });
    assert_eq!(ids.collect::<BTreeSet<_>>(), drifts);
    assert_eq!(shown.told.len(), drifts.len(), "told twice");
    assert_eq!(
        news(&shown.printed).len(),
        drifts.len() + 2,
        "every change is news; so are the start and the gap"
    );
}

fn name(row: &serde_json::Value) -> String {
    row["_name"].as_str().unwrap().to_owned()
}

fn is_forbidden(row: &serde_json::Value) -> bool {
    row["_outcomes"]
        .as_object()
        .is_some_and(|outcomes| outcomes.values().any(|outcome| outcome == "forbidden"))
}
