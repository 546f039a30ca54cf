//! A second agent with another token asks for what the first one sealed: almost nothing is sent, and nothing is stored.

use std::sync::Arc;

use observance::{
    clock::Clock,
    collect::{Auth, Manifest},
    secret::Secret,
    store::{Location, Objects, connect},
};
use observance_record::population::Outcome;

use crate::support::{
    acme::{Acme, Estate},
    life::{HOUR_MS, Record, at, every, live, setup},
};

const COLLECTOR: &str = "github.branch_rules";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_and_a_new_token_cost_almost_no_answer() {
    let clock = Clock::simulated(at("03-10T11:58"));
    let estate =
        Estate { repositories: 150, members: 1, merged: (0, at("03-01T00:00")), changes: None, noise: 0 };
    let source = Acme::serve(estate, clock.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut to = at("03-10T12:30");
    for token in ["ghp_first", "ghp_second"] {
        let mut setup = setup(source.base_url(), &[COLLECTOR]);
        every(&mut setup, "0 * * * *");
        let reached = Arc::get_mut(setup.sources.get_mut("github").unwrap()).unwrap();
        reached.auth = Auth::Bearer(Secret::new(token.to_owned()));
        let collector = Arc::get_mut(setup.collectors.get_mut(COLLECTOR).unwrap()).unwrap();
        let text = String::from_utf8(collector.file.clone()).unwrap();
        let text: String =
            text.lines().filter(|line| !line.contains("redact:")).map(|line| format!("{line}\n")).collect();
        collector.manifest = Manifest::read(COLLECTOR, &text).unwrap();
        collector.file = text.into_bytes();
        let setup = Arc::new(setup);
        let objects: Arc<dyn Objects> = connect(&Location::Folder(folder.path().to_owned()), None).unwrap();
        live(&setup, (Arc::clone(&objects), None), (&clock, to.ms().unsigned_abs()), to).await.unwrap();
        to = to.plus_ms(HOUR_MS);
        if token == "ghp_first" {
            source.take_asked();
            continue;
        }
        let record = Record::read(objects, &setup).await.unwrap();
        let runs = record.runs(COLLECTOR);
        let [first, second] = runs.as_slice() else { panic!("{} runs", runs.len()) };
        assert_eq!(second.run.exchanges.table.root, first.run.exchanges.table.root);
        assert_eq!(second.population("repositories").table.root, first.population("repositories").table.root);
        assert_eq!((second.run.exchanges.table.put, second.run.exchanges.table.del), (0, 0));
        // half of the branches have no older protection, which is a 404 each time
        let asked = source.take_asked();
        for kind in ["organisation", "repositories", "rules", "protection"] {
            let (all, same) = (asked[kind].requests, asked[kind].unchanged);
            let present = if kind == "protection" { all / 2 } else { all };
            assert_eq!(same, present, "{kind}");
        }
        assert_eq!(second.run.exchanges.by[&Outcome::Unchanged], 1 + 2 + 150 + 75);
        assert!(second.run.bytes * 10 < first.run.bytes, "{} of {}", second.run.bytes, first.run.bytes);
        record.assert_verifies(&setup);
    }
}
