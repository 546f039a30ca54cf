//! House rules that rustc and clippy cannot see: which room may import which, who may name which crate, how long files and
//! functions are, which words are never said.
//!
//! It reads source text, trusting rustfmt's layout; it parses no Rust.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Names that only some places may say, outside of comments and tests.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("SystemTime", &["src/agent/clock"]),
    ("reqwest::", &["src/agent/collect/http", "src/agent/tell"]),
    ("object_store::", &["src/agent/store"]),
    ("regorus::", &["src/judge"]),
];
/// The auditor's conclusions, which the product never draws.
const NEVER_SAID: &[&str] = &["compliant", "certified", "no exceptions noted"];
const LINES_PER_FILE_MAX: usize = 500;
const LINES_PER_FUNCTION_MAX: usize = 70;
/// Where the project's own files lie; beside them stand the files of the top folder.
const FOLDERS: &[&str] = &["src", "tests", "collectors", "policies", "deploy"];
/// Every locked crate comes from here.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// Folders that are no machine's own, so that their names prove nothing.
const COMMON_PARENTS: &[&str] =
    &["/", "/app", "/home", "/opt", "/source", "/src", "/srv", "/tmp", "/usr", "/var"];

#[test]
fn rooms_import_only_what_the_map_allows() {
    let mut wrong = Vec::new();
    let agent = top().join("src/agent");
    let map = map(&text(&top().join("src/README.md")));
    for room in map.keys() {
        let there = agent.join(room).is_dir() || agent.join(format!("{room}.rs")).is_file();
        assert!(there, "the map shows `{room}`, which is not there");
    }
    for path in files(&agent).into_iter().filter(|path| is_rust(path)) {
        let room = path.strip_prefix(&agent).unwrap().iter().next().unwrap().to_str().unwrap();
        let room = room.trim_end_matches(".rs");
        if room == "lib" || room == "main" {
            continue;
        }
        let allowed = map.get(room).unwrap_or_else(|| panic!("room `{room}` has no line in the map"));
        for other in imports(&code(&text(&path))) {
            if other != room && !allowed.contains(&other) {
                wrong.push(format!("{}: `{room}` may not import `{other}`", shown(&path)));
            }
        }
    }
    report(&wrong);
}

#[test]
fn files_and_functions_fit_in_the_eye() {
    let mut wrong = Vec::new();
    for path in sources().chain(files(&top().join("tests"))).filter(|path| is_rust(path)) {
        let text = text(&path);
        if !text.starts_with("//!") {
            wrong.push(format!("{}: no `//!` header", shown(&path)));
        }
        if is_test(&path) {
            continue;
        }
        let body = before_tests(&text);
        if body.lines().count() > LINES_PER_FILE_MAX {
            wrong.push(format!("{}: {} lines", shown(&path), body.lines().count()));
        }
        let long = functions(body).into_iter().filter(|(_, length)| *length > LINES_PER_FUNCTION_MAX);
        wrong.extend(
            long.map(|(line, length)| format!("{}:{line}: function of {length} lines", shown(&path))),
        );
    }
    report(&wrong);
}

#[test]
fn clocks_networks_stores_and_rego_are_named_in_their_rooms_only() {
    let mut wrong = Vec::new();
    for path in sources().filter(|path| is_rust(path) && !is_test(path)) {
        let code = code(before_tests(&text(&path)));
        let strangers = ONLY_IN.iter().filter(|(name, places)| {
            code.contains(name) && !places.iter().any(|place| shown(&path).starts_with(place))
        });
        wrong.extend(strangers.map(|(name, _)| format!("{} names {name}", shown(&path))));
    }
    report(&wrong);
}

#[test]
fn nothing_that_people_read_draws_the_auditors_conclusion() {
    let mut wrong = Vec::new();
    for path in sources().filter(|path| !is_test(path)) {
        let text = text(&path);
        let said = if is_rust(&path) { code(before_tests(&text)) } else { text };
        let words = NEVER_SAID.iter().filter(|word| said.to_lowercase().contains(*word));
        wrong.extend(words.map(|word| format!("{} says {word:?}", shown(&path))));
    }
    report(&wrong);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let mut machine = vec![];
    for folder in [top(), top().parent().unwrap_or(Path::new("/")).to_owned()] {
        let name = folder.to_str().unwrap().to_owned();
        if !COMMON_PARENTS.contains(&name.as_str()) && folder.components().count() > 1 {
            machine.push(format!("{name}/"));
        }
    }
    let mut wrong = Vec::new();
    for path in owned() {
        let text = text(&path);
        let found = machine.iter().filter(|name| text.contains(name.as_str()));
        wrong.extend(found.map(|name| format!("{} names {name}", shown(&path))));
    }
    let lock = text(&top().join("Cargo.lock"));
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    wrong.extend(
        sources.filter(|source| *source != format!("{REGISTRY:?}")).map(|s| format!("Cargo.lock: {s}")),
    );
    report(&wrong);
}

/// The rooms of the agent and what each may import: the table in the code map. Cells: room, what it is, whom it may import.
fn map(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let (_, section) = page.split_once("## Rooms of the agent\n").unwrap();
    let rows =
        section.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| `"));
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        (names(cells[1])[0].clone(), names(cells[3]).into_iter().collect())
    };
    rows.map(row).collect()
}

fn report(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Everything under `src`.
fn sources() -> impl Iterator<Item = PathBuf> {
    files(&top().join("src")).into_iter()
}

/// Every file of the project.
fn owned() -> Vec<PathBuf> {
    let beside = fs::read_dir(top()).unwrap().map(|entry| entry.unwrap().path());
    let beside = beside.filter(|path| path.is_file() && path.file_name().unwrap() != ".git");
    let inside = FOLDERS.iter().map(|name| top().join(name)).filter(|folder| folder.is_dir());
    inside.flat_map(|folder| files(&folder)).chain(beside).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(top()).unwrap().display().to_string()
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// A file of tests alone: `tests.rs` or anything below a folder `tests`.
fn is_test(path: &Path) -> bool {
    Path::new(&shown(path)).iter().any(|part| part == "tests" || part == "tests.rs")
}

fn before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text)
}

/// The lines that are no comment.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// Rooms named as `crate::room`, or first in a member of a `crate::{..}` group.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, name) in code.match_indices("crate::") {
        let rest = &code[at + name.len()..];
        match rest.strip_prefix('{') {
            None => found.extend([ident(rest)]),
            Some(group) => found.extend(members(group)),
        }
    }
    found.retain(|name| name.starts_with(char::is_lowercase));
    found
}

fn members(group: &str) -> Vec<String> {
    let (mut found, mut depth, mut fresh) = (Vec::new(), 0_u32, true);
    for (at, c) in group.char_indices() {
        if fresh && depth == 0 && c.is_alphabetic() {
            found.push(ident(&group[at..]));
            fresh = false;
        }
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ => (),
        }
    }
    found
}

fn ident(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// (line, length) of each function.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words = code.split(' ').take_while(|word| {
            word.starts_with("pub") || ["async", "const", "fn", "in", "unsafe"].contains(word)
        });
        if words.last() != Some("fn") {
            continue;
        }
        let opens = lines[at..].iter().find(|line| line.ends_with(['{', ';', '}']));
        if opens.is_none_or(|line| line.ends_with(';')) {
            continue;
        }
        let close = format!("{}}}", " ".repeat(line.len() - code.len()));
        if let Some(length) = lines[at..].iter().position(|line| *line == close) {
            found.push((at + 1, length + 1));
        }
    }
    found
}

#[test]
fn the_rules_see_what_they_should() {
    let uses =
        "use crate::{\n    clock::{Clock, Busy},\n    store::Store,\n    Type,\n};\ncrate::tell::send();\n";
    assert_eq!(imports(uses), ["clock", "store", "tell"].map(str::to_owned).into());
    assert_eq!(
        functions(
            "trait A {\n    fn no();\n    pub(crate) async fn a() {\n    }\n}\nconst fn b() {\n    1\n}\n"
        ),
        [(3, 2), (6, 3)]
    );
    assert_eq!(code("//! reqwest::\nlet a; // b\n"), "let a; // b\n");
    let page = "## Rooms of the agent\n| room | is | may |\n|---|---|---|\n| `a` | has `x` | `b` `c` |\n## B\n| `d` | | |\n";
    let leave = ["b", "c"].map(str::to_owned).into();
    assert_eq!(map(page), [("a".to_owned(), leave)].into());
    assert_eq!(before_tests("a\n#[cfg(test)]\nmod tests {\nb"), "a\n");
    assert!(is_test(&top().join("src/judge/tests.rs")) && !is_test(&top().join("src/judge/lib.rs")));
}
