//! What a run may cost, counted: requests to the source, objects and bytes in the store. No clock is read.
//!
//! Every number is exact. One that grows is a regression; one that shrinks is to be written down here.

use std::collections::BTreeMap;

use observance::{
    run::fold,
    store::{Objects as _, Tally},
};
use observance_record::{
    Instant, entry::Body, ledger::Ledger, pack::Role, population::Outcome, tile::unbundle,
};

use crate::support::{
    acme::{Asked, Estate},
    lab::{Committed, Lived, Plan, Ran, live},
    lives::{self, floor, repeatable, twice},
};

const HOURLY: Plan = ("github.branch_rules", "0 * * * *");
const DAILY: Plan = ("github.members", "20 3 * * *");
const SIX_HOURLY: Plan = ("github.changes", "10 */6 * * *");

/// Two minutes before the first slot.
fn at(hours: i64) -> Instant {
    "2026-01-01T00:00:00.000Z".parse::<Instant>().unwrap().plus_ms(hours * 3_600_000 - 120_000)
}

fn estate(repositories: u64) -> Estate {
    Estate { repositories, members: 120, merged: (0, at(0)), changes: None, noise: 0 }
}

/// Entries of the log; it folds, so that what was counted is a record and not only bytes.
fn entries(lived: &Lived) -> u64 {
    let commits = [&lived.begun].into_iter().chain(&lived.commits);
    let mut ledger = Ledger::default();
    for (commit, artefacts, _) in commits {
        fold::fold(&mut ledger, &fold::entries(commit).unwrap(), artefacts, &lived.salts).unwrap();
    }
    ledger.size()
}

/// Every object that was written is a commit or a pack that one names; nothing was read back or listed.
fn assert_writes_only(lived: &Lived, tiles: u64) {
    let expected = lived.commits.len() as u64 + lived.packs_outside() + tiles;
    assert_eq!((lived.working.puts, lived.working.gets, lived.working.lists), (expected, 0, 0));
}

fn stored(ran: &Ran) -> Vec<Role> {
    ran.stored.keys().copied().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_costs_what_changed() {
    let estate = Estate { changes: Some((at(5), 2)), ..estate(200) };
    let lived = live(estate, &[HOURLY], (at(0), at(10))).await;
    // the opening is one put; to find that there is no log costs a look for its first tile, two for its
    // first commit, and one listing
    let Tally { puts, gets, lists, .. } = lived.beginning;
    assert_eq!((puts, gets, lists), (1, 3, 1));
    assert_writes_only(&lived, 0);
    assert_eq!(lived.packs_outside(), 0, "what 200 repositories have packs into 1 MiB");

    let runs = lived.runs();
    assert_eq!(runs.len(), 10);
    assert!(entries(&lived) > 20);
    for (hour, ran) in runs.iter().enumerate() {
        let tables = [&ran.run.exchanges.table, &ran.run.populations[0].table];
        let changed = tables.map(|table| (table.put, table.del));
        match hour {
            0 => {
                assert_eq!(changed, [(1 + 2 + 200 + 200, 0), (200, 0)]);
                assert!(ran.verdict.list.is_some());
            }
            5 => {
                // one repository in a hundred: two pages, two exchange rows, two rows; no item's state flipped
                assert_eq!(changed, [(2, 0), (2, 0)]);
                assert_eq!(
                    stored(ran),
                    [Role::Body, Role::TableExchange, Role::TablePopulation, Role::Receipts]
                );
            }
            _ => {
                assert_eq!(changed, [(0, 0), (0, 0)], "hour {hour}");
                assert_eq!(stored(ran), [Role::Receipts], "hour {hour}");
                assert!(ran.verdict.same.is_some() && ran.verdict.list.is_none(), "hour {hour}");
            }
        }
    }
    let bodies = |hour: usize| runs[hour].stored[&Role::Body];
    // 1 % of the estate changed; what was read in one body with it is small here
    assert!(bodies(5) * 1000 <= bodies(0) * 15, "{} of {}", bodies(5), bodies(0));
    let (first, quiet, changed) = (runs[0].bytes, runs[4].bytes, runs[5].bytes);
    println!("bytes in the store: first run {first}, unchanged {quiet}, 1 % changed {changed}");
    assert_eq!(runs[4].bytes.abs_diff(runs[9].bytes) * 20 / quiet, 0, "a quiet run costs the same later");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_run_is_two_objects() {
    let lived = live(Estate { noise: 30_000, ..estate(120) }, &[HOURLY], (at(0), at(2))).await;
    assert_writes_only(&lived, 0);
    let runs = lived.runs();
    let outside: Vec<Vec<bool>> =
        runs.iter().map(|ran| ran.run.packs.iter().map(|pack| !pack.inline).collect()).collect();
    assert_eq!(outside, [vec![true], vec![false]], "more than 1 MiB lies outside its commit");
    assert!(runs[0].bytes > 1 << 20);
    assert_eq!(stored(&runs[1]), [Role::Receipts]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_stay_at_the_floor() {
    const REPOSITORIES: u64 = 150;
    const MERGED: u64 = 3;
    let estate = Estate { merged: (MERGED, at(-1)), ..estate(REPOSITORIES) };
    let lived = live(estate, &[HOURLY, DAILY, SIX_HOURLY], (at(0), at(28))).await;
    let mut requests: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for ran in lived.runs() {
        let unchanged = ran.run.exchanges.by.get(&Outcome::Unchanged).copied().unwrap_or(0);
        let collector = ran.run.schedule.as_deref().unwrap();
        let name = [HOURLY.0, DAILY.0, SIX_HOURLY.0].into_iter().find(|name| *name == collector).unwrap();
        requests.entry(name).or_default().push((ran.run.requests, unchanged));
    }
    for (name, runs) in &requests {
        let shares: Vec<String> =
            runs.iter().take(2).map(|(all, unchanged)| format!("{unchanged} of {all}")).collect();
        println!("{name}: not modified in the first and second run: {}", shares.join(", "));
    }
    // the organisation, its repositories by the hundred, and two questions for each
    let floor = 1 + 2 + 2 * REPOSITORIES;
    // what has no protection answers 404, which is never conditional
    let unchanged = floor - REPOSITORIES / 2;
    let hourly = &requests[HOURLY.0];
    assert_eq!(hourly.first(), Some(&(floor, 0)));
    assert_eq!(hourly.len(), 28);
    assert!(hourly.iter().skip(1).all(|run| *run == (floor, unchanged)), "{hourly:?}");
    // the organisation, two pages of members, and those without a second factor, who are none: what an empty list was is
    // known without looking it up
    assert_eq!(requests[DAILY.0], [(4, 0), (4, 4)]);
    // the organisation, its repositories by the hundred, for each its changes and its judged pushes, and two questions
    // for each change that was merged in the window
    let quiet = 1 + 2 + 2 * REPOSITORIES;
    let windows = &requests[SIX_HOURLY.0];
    assert_eq!(windows.first(), Some(&(quiet + 2 * MERGED * REPOSITORIES, 0)));
    assert!(windows.iter().skip(1).all(|run| run.0 == quiet), "{windows:?}");

    // each failed change is told once; what does not fit into the run's commit follows in others
    let drifts = |(commit, ..): &Committed| {
        fold::entries(commit).unwrap().iter().filter(|entry| matches!(entry.body, Body::Drift(_))).count()
    };
    assert_eq!(lived.commits.iter().map(drifts).sum::<usize>() as u64, MERGED * REPOSITORIES);
    assert_writes_only(&lived, 2 * (entries(&lived) / 256));

    let asked: u64 = lived.asked.values().map(|asked: &Asked| asked.requests).sum();
    let recorded: u64 = requests.values().flatten().map(|(all, _)| all).sum();
    assert_eq!(asked, recorded, "every request is on record");
    let unchanged: u64 = lived.asked.values().map(|asked| asked.unchanged).sum();
    assert_eq!(unchanged, requests.values().flatten().map(|(_, unchanged)| unchanged).sum::<u64>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unchanged_estate_costs_another_life_no_evidence() {
    let estate = lives::estate(300, 2_000);
    let lives = twice(&[HOURLY.0, DAILY.0, SIX_HOURLY.0], estate.clone()).await;
    for (collector, [first, second]) in &lives.costs {
        let floor = floor(collector, &estate);
        assert_eq!((first.requests, first.unchanged), (floor, 0), "{collector}");
        // nothing is remembered, and another token asks: what is sealed is enough to ask by. All lists end with a full
        // page, of which 304 does not say that it is the last: it is read, and not asked about at all
        let repeatable = repeatable(collector, &estate);
        assert_eq!((second.requests, second.unchanged), (floor, repeatable - 1), "{collector}");
        assert_eq!(second.evidence, 0, "{collector}: a run that saw nothing new stores no evidence");
        assert!(second.stored < first.stored, "{collector}: {} of {}", second.stored, first.stored);
    }
    for (n, asked) in lives.asked.iter().enumerate() {
        let asked: u64 = asked.values().map(|asked| asked.requests).sum();
        assert_eq!(asked, lives.costs.values().map(|costs| costs[n].requests).sum::<u64>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tiles_are_written_beside_the_runs() {
    let lived = live(estate(1), &[HOURLY], (at(0), at(130))).await;
    let entries = entries(&lived);
    assert!((257..512).contains(&entries), "{entries}");
    assert_writes_only(&lived, 2);
    let bundle = lived.objects.get("v1/tile/entries/000", 1 << 24).await.unwrap().unwrap();
    assert_eq!(unbundle(&bundle).unwrap().len(), 256);
    let stops = |(commit, ..): &Committed| {
        fold::entries(commit).unwrap().iter().any(|entry| matches!(entry.body, Body::Stop(_)))
    };
    assert!(lived.commits.last().is_some_and(stops), "the agent ended by itself");
}
