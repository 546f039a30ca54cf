//! The code map is true: `src/README.md` names every room of the agent, and no room reaches for another without its leave.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

type Reach = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_room_is_on_the_map_and_every_room_on_the_map_is_there() {
    let there: BTreeSet<String> = rooms().into_keys().collect();
    let mapped: BTreeSet<String> = map().into_keys().collect();
    assert_eq!(there, mapped);
}

#[test]
fn rooms_reach_only_for_those_that_the_map_names() {
    let map = map();
    let wrong = strays(&rooms(), &map);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let walled = map.into_keys().map(|room| (room, BTreeSet::new())).collect();
    assert!(!strays(&rooms(), &walled).is_empty(), "rooms without doors must be noticed");
}

/// Who reaches for whom without leave.
fn strays(rooms: &Reach, map: &Reach) -> Vec<String> {
    let everything = "everything".to_owned();
    let strays = |(room, used): (&String, &BTreeSet<String>)| {
        let leave = map.get(room).cloned().unwrap_or_default();
        let strays = used.iter().filter(|other| *other != room && !leave.contains(*other));
        let strays = strays.map(|other| format!("`{room}` reaches for `{other}`")).collect::<Vec<_>>();
        if leave.contains(&everything) { Vec::new() } else { strays }
    };
    rooms.iter().flat_map(strays).collect()
}

/// The table of rooms in `src/README.md`.
fn map() -> Reach {
    let text = fs::read_to_string("src/README.md").unwrap();
    let section = text.split_once("## Rooms of the agent").unwrap().1.split("\n## ").next().unwrap();
    section.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<(String, BTreeSet<String>)> {
    let mut cells = line.strip_prefix("| `")?.split('|');
    let room = cells.next()?.trim().trim_end_matches('`').to_owned();
    let reach = cells.nth(1)?.split_whitespace().map(|word| word.trim_matches('`').to_owned());
    Some((room, reach.collect()))
}

/// What the rooms really reach for, apart from their tests.
fn rooms() -> Reach {
    let mut rooms = Reach::new();
    for file in rust_files(Path::new("src/agent")) {
        let below = file.strip_prefix("src/agent").unwrap();
        let room = below.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if room != "lib" {
            let text = fs::read_to_string(&file).unwrap();
            let text = if is_test(below) { "" } else { text.split("#[cfg(test)]\nmod ").next().unwrap() };
            rooms.entry(room).or_default().extend(imports(text));
        }
    }
    rooms
}

fn is_test(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "tests.rs")
}

/// The first names behind every `crate::` and `observance::`, also in braces.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for root in ["crate::", "observance::"] {
        for (at, _) in text.match_indices(root) {
            let rest = &text[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(heads(group)),
                None => found.extend(name(rest)),
            }
        }
    }
    found
}

/// The first name of each path in a group, up to the brace that ends it.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut path) = (0_usize, Vec::new(), true);
    for (at, letter) in group.char_indices() {
        match letter {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' => path = depth == 0,
            _ if path && letter.is_alphabetic() => {
                heads.extend(name(&group[at..]));
                path = false;
            }
            _ => (),
        }
    }
    heads
}

/// A room's name, if one stands here; types and functions of the crate's root have none.
fn name(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    name.starts_with(char::is_lowercase).then_some(name)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of = |path: PathBuf| match path.is_dir() {
        true => rust_files(&path),
        false => vec![path],
    };
    paths.flat_map(of).filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
}
