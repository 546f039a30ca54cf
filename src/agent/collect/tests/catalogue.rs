//! Every collector brings its own cases: what a source answered, and the rows and claims that must come of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use observance_record::verdict::Code;
use serde_json::{Value, json};

use super::{Script, collectors, every_collector, rows, run_for, shipped};
use crate::{
    collect::{Auth, Collected, Http, RunResult, State},
    secret::Secret,
};

/// Runs each case under `collectors/*/*/cases` with its own manifest; whatever folder there is, is run.
#[tokio::test]
async fn every_case_comes_out_as_it_says() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    let every = every_collector();
    assert!(every.len() > 2, "{every:?}");
    for name in &every {
        let manifest = shipped(name);
        let mut kinds = Vec::new();
        for entry in fs::read_dir(collectors().join(name).join("cases")).unwrap() {
            let path = entry.unwrap().path();
            let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let window = case["window"]
                .as_array()
                .map(|w| (w[0].as_str().unwrap().parse().unwrap(), w[1].as_str().unwrap().parse().unwrap()));
            let params = params(&case);
            let own = url::Url::parse(&manifest.address(&params).unwrap()).unwrap();
            let beside = manifest.beside(&params, None);
            let hosts = std::iter::once(&own).chain(beside.values()).filter_map(url::Url::host_str);
            let http = Http::scripted(Script::new(&case["answers"]).on(hosts));
            let nothing = (&BTreeMap::new(), &BTreeSet::new());
            let by = Auth::Bearer(Secret::new("ghp_hush".to_owned()));
            let seen = run_for(
                &params,
                &by,
                &manifest,
                (&http, None),
                (window, None),
                nothing,
                &mut State::default(),
            )
            .await;
            // as text, because the order of a row's keys counts
            let (found, expected) = (outline(&seen).to_string(), case["expect"].to_string());
            if found != expected {
                wrong.push(format!("{}\n  expected {expected}\n  found    {found}", path.display()));
            }
            kinds.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
            cases += 1;
        }
        for kind in ["passed", "forbidden", "hidden", "truncated", "empty"] {
            assert!(kinds.iter().any(|k| k == kind), "{name} has no case {kind}");
        }
    }
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// The source's parameters: those of the case, and GitHub's unless it has them.
fn params(case: &Value) -> BTreeMap<String, String> {
    let own = case["params"].as_object().into_iter().flatten();
    let own = own.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    std::iter::once(("org".to_owned(), "acme".to_owned())).chain(own).collect()
}

/// What a case states: everything that a verdict could rest on.
fn outline(seen: &Collected) -> Value {
    let mut populations = serde_json::Map::new();
    for (i, population) in seen.populations.iter().enumerate() {
        let claim = &population.claim;
        let outline = json!({
            "membership": claim.membership, "grade": claim.grade, "horizon": claim.horizon,
            "why": claim.why.iter().map(Code::as_str).collect::<Vec<_>>(),
            "source_total": claim.source_total, "items_unknown": population.items_unknown,
            "rows": rows(seen, i),
        });
        populations.insert(population.name.clone(), outline);
    }
    let result = match seen.result {
        RunResult::Complete => "complete",
        RunResult::Partial => "partial",
        RunResult::Failed => "failed",
    };
    let outcomes: BTreeMap<_, _> = seen.outcomes.iter().map(|(outcome, n)| (outcome.as_str(), n)).collect();
    json!({
        "result": result,
        "why": seen.why.iter().map(Code::as_str).collect::<Vec<_>>(),
        "outcomes": outcomes,
        "populations": populations,
    })
}
