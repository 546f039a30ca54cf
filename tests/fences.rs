//! What comes in from outside, held to `.deny.toml`: licences, what is banned, who may reach for what.
//!
//! It reads the lists of that file and not its whole language: one entry a line, as they stand there. `cargo deny` reads
//! the same file where somebody has it.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::Value;

#[test]
fn every_licence_is_one_of_those_allowed() {
    let allowed = allowed_licences();
    assert!(allowed.contains("MIT"), "the list was not read: {allowed:?}");
    let refused = refused_licences(&allowed, &metadata());
    assert!(refused.is_empty(), "{refused:#?}");
    let narrower = BTreeSet::from(["MIT".to_owned()]);
    assert!(!refused_licences(&narrower, &metadata()).is_empty(), "a list of one licence must refuse some");
}

#[test]
fn what_is_banned_is_absent_and_what_is_fenced_is_reached_by_its_room_alone() {
    let fences = fences();
    assert!(fences.len() > 5, "the list was not read: {fences:?}");
    let metadata = metadata();
    let mut wrong = Vec::new();
    for (user, used) in edges(&metadata) {
        let fence = fences.iter().find(|fence| fence.name == used);
        if fence.is_some_and(|fence| !fence.wrappers.contains(&user)) {
            wrong.push(format!("{user} -> {used}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let fenced = |name: &str| edges(&metadata).iter().any(|(_, used)| used == name);
    assert!(fenced("object_store") && fenced("regorus") && fenced("reqwest"), "a fence around nothing");
}

/// A crate that only its wrappers may use; without wrappers, nobody.
#[derive(Debug)]
struct Fence {
    name: String,
    wrappers: BTreeSet<String>,
}

fn metadata() -> Value {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline"];
    let host = format!("--filter-platform={}", host());
    let output = Command::new(env!("CARGO")).args(arguments).arg(host).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().unwrap().iter()
}

/// Who uses whom, by name; what only tests or builds use counts too.
fn edges(metadata: &Value) -> Vec<(String, String)> {
    let name = |id: &Value| {
        let package = packages(metadata).find(|package| package["id"] == *id).unwrap();
        package["name"].as_str().unwrap().to_owned()
    };
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let of = |node: &Value| {
        let user = name(&node["id"]);
        let used: Vec<Value> = node["dependencies"].as_array().unwrap().clone();
        used.into_iter().map(move |used| (user.clone(), used))
    };
    nodes.iter().flat_map(of).map(|(user, used)| (user, name(&used))).collect()
}

fn refused_licences(allowed: &BTreeSet<String>, metadata: &Value) -> Vec<String> {
    let licence = |package: &Value| package["license"].as_str().unwrap_or("none").to_owned();
    let refused = packages(metadata).filter(|package| !permits(&licence(package), allowed));
    refused.map(|package| format!("{}: {}", package["name"], licence(package))).collect()
}

/// Whether an SPDX expression can be met with the allowed licences. Brackets stand only around an `OR` within an `AND`,
/// and an exception (`WITH`) only grants more than its licence. What is read wrongly is refused: no name has a bracket.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    let one = |id: &str| allowed.contains(id.split(" WITH ").next().unwrap_or(id).trim());
    let group = |group: &str| group.trim_matches(['(', ')', ' ']).split(" OR ").any(one);
    expression.split(" AND ").all(group)
}

fn allowed_licences() -> BTreeSet<String> {
    let text = fs::read_to_string(".deny.toml").unwrap();
    let list = text.split_once("allow = [").unwrap().1.split_once(']').unwrap().0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn fences() -> Vec<Fence> {
    let text = fs::read_to_string(".deny.toml").unwrap();
    text.lines().filter_map(|line| fence(line.trim())).collect()
}

fn fence(line: &str) -> Option<Fence> {
    let (name, rest) = line.strip_prefix("{ crate = \"")?.split_once('"')?;
    let list = rest.split_once("wrappers = [").map_or("", |(_, rest)| rest.split(']').next().unwrap_or(rest));
    let wrappers = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    Some(Fence { name: name.to_owned(), wrappers })
}
