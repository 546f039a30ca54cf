//! Collectors of the operator's own: a folder of manifests beside the configuration, read without compiling anything.
//!
//! It finds them and reads them; what they may do is the engine's to say. An id that is shipped too is a fault unless the
//! configuration says that it is replaced.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::{
    collect::{self, Manifest},
    config::{
        catalogue::{Catalogue, Shipped},
        fault::{Fault, Faults},
        node::Node,
        tree,
    },
    library,
};

use super::lines::Lines;

/// How deep folders are searched.
const DEPTH_MAX: usize = 4;
/// Most manifests of one folder.
const FILES_MAX: usize = 500;
/// Largest manifest, in bytes.
const FILE_BYTES_MAX: u64 = 262_144;
/// The name of a manifest's file.
const MANIFEST: &str = "collector.yaml";

/// Every collector in force, shipped ones and the operator's: by id, the file and its bytes.
pub struct Beside {
    /// By id.
    pub collectors: BTreeMap<String, (String, Vec<u8>)>,
    /// What a configuration may name.
    pub catalogue: Catalogue,
}

/// What a configuration's text says of the folder.
struct Said {
    folder: PathBuf,
    replace: BTreeSet<String>,
}

/// Reads the folder that the configuration names, if it names one.
pub fn read(path: &Path, text: &str) -> Result<Beside, Faults> {
    let mut found = Found { lines: Lines::of(text), faults: Faults::new(&path.to_string_lossy()) };
    let mut beside = Beside { collectors: BTreeMap::new(), catalogue: super::setup::catalogue() };
    for (name, bytes) in library::collectors() {
        if let Ok(manifest) = Manifest::read(&name, &String::from_utf8_lossy(bytes)) {
            beside.collectors.insert(manifest.id().to_owned(), (name, bytes.to_vec()));
        }
    }
    if let Some(said) = said(path, text) {
        own(&said, &mut beside, &mut found);
    }
    found.faults.or(Some(beside))
}

struct Found {
    lines: Lines,
    faults: Faults,
}

impl Found {
    fn push(&mut self, key: &str, found: String, expected: &str, hint: Option<&str>) {
        let (line, path) = self.lines.find(&["collectors", key]);
        let (expected, hint) = (expected.to_owned(), hint.map(str::to_owned));
        self.faults.push(Fault { line, path, found, expected, hint });
    }
}

fn own(said: &Said, beside: &mut Beside, found: &mut Found) {
    let mut files = Vec::new();
    if let Err(error) = walk(&said.folder, DEPTH_MAX, &mut files) {
        let what = format!("{}: {error}", said.folder.display());
        found.push("folder", what, "a folder of collectors that can be read", None);
        return;
    }
    if files.is_empty() || files.len() > FILES_MAX {
        let what = format!("{} manifests in {}", files.len(), said.folder.display());
        found.push("folder", what, "1 to 500 files NAME/collector.yaml", None);
        return;
    }
    files.sort();
    let shipped: BTreeSet<String> = beside.collectors.keys().cloned().collect();
    let mut own = BTreeSet::new();
    for file in files {
        let Some((manifest, text)) = one(&file, found) else { continue };
        let id = manifest.id().to_owned();
        let name = file.display().to_string();
        if !own.insert(id.clone()) {
            found.push("folder", format!("{name}: another collector {id}"), "one collector of each id", None);
        } else if shipped.contains(&id) && !said.replace.contains(&id) {
            let what = format!("{name}: {id}, which is shipped");
            let hint = format!("to use yours instead, say so: collectors: {{ replace: [{id}] }}");
            found.push("folder", what, "an id of its own", Some(&hint));
        } else {
            if !shipped.contains(&id) {
                beside.catalogue.collectors.push(scheduled(&manifest));
            }
            beside.collectors.insert(id, (name, text.into_bytes()));
        }
    }
    for id in said.replace.difference(&own) {
        let what = format!("{id}, which is not in {}", said.folder.display());
        found.push("replace", what, "ids of collectors in the folder", None);
    }
}

/// One manifest, and its text.
fn one(file: &Path, found: &mut Found) -> Option<(Manifest, String)> {
    let name = file.display().to_string();
    let size = fs::metadata(file).map(|file| file.len());
    let text = match size
        .and_then(|size| if size > FILE_BYTES_MAX { Err(large()) } else { fs::read_to_string(file) })
    {
        Ok(text) => text,
        Err(error) => {
            found.push("folder", format!("{name}: {error}"), "a manifest that can be read", None);
            return None;
        }
    };
    match Manifest::read(&name, &text) {
        Ok(manifest) => Some((manifest, text)),
        Err(faults) => {
            for fault in faults {
                let what = format!("{name}:{} {}: {}", fault.line, fault.path, fault.found);
                found.push(
                    "folder",
                    what,
                    &fault.expected,
                    Some("observance collectors lint FILE shows all of them"),
                );
            }
            None
        }
    }
}

fn large() -> std::io::Error {
    std::io::Error::other(format!("larger than {FILE_BYTES_MAX} bytes"))
}

/// The schedule that a collector has unless the configuration gives one: its manifest's.
pub(super) fn scheduled(manifest: &Manifest) -> Shipped {
    let collect::Schedule { cron, jitter_s, grace_s, max_gap_s, events: _ } = manifest.schedule().clone();
    let (id, kind) = (manifest.id().to_owned(), manifest.kind().to_owned());
    Shipped { id, kind, cron, jitter_s, grace_s, max_gap_s }
}

fn walk(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, depth, into)?;
        } else if path.file_name().is_some_and(|name| name == MANIFEST) && into.len() <= FILES_MAX {
            into.push(path);
        }
    }
    Ok(())
}

/// Only what is well-formed; what is not is a fault of the configuration, which is read after this.
fn said(path: &Path, text: &str) -> Option<Said> {
    let mut ignored = Faults::default();
    let root = tree::parse(text, &mut ignored)?;
    let collectors = member(&root, "collectors", &mut ignored)?;
    let folder = member(collectors, "folder", &mut ignored)?.text("a folder", &mut ignored)?;
    let replace = member(collectors, "replace", &mut ignored)
        .and_then(|node| node.list("ids", &mut ignored).map(<[Node]>::to_vec))
        .unwrap_or_default();
    let replace =
        replace.iter().filter_map(|node| node.text("an id", &mut ignored).map(str::to_owned)).collect();
    Some(Said { folder: path.parent().unwrap_or(Path::new("")).join(folder), replace })
}

fn member<'n>(node: &'n Node, key: &str, faults: &mut Faults) -> Option<&'n Node> {
    let entries = node.entries("a map", faults)?;
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = include_str!("../../../collectors/github/members/collector.yaml");

    fn with(files: &[(&str, String)], collectors: &str) -> Result<Beside, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::create_dir_all(folder.path().join("own").join(name)).unwrap();
            fs::write(folder.path().join("own").join(name).join(MANIFEST), text).unwrap();
        }
        let text = format!("origin: a\ncollectors:\n  folder: own\n{collectors}");
        read(&folder.path().join("observance.yaml"), &text).map_err(|faults| faults.to_string())
    }

    #[test]
    fn a_folder_adds_collectors_and_replaces_only_what_it_is_told_to() {
        let mine = OWN.replace("id: github.members", "id: github.people");
        let beside = with(&[("people", mine.clone())], "").unwrap();
        assert!(
            beside.collectors.contains_key("github.people")
                && beside.collectors.contains_key("github.members")
        );
        let added = beside.catalogue.collectors.iter().find(|one| one.id == "github.people").unwrap();
        assert_eq!((added.kind.as_str(), added.cron.as_str()), ("github", "0 1 * * *"));

        let said = with(&[("members", OWN.to_owned())], "").err().unwrap();
        assert!(
            said.contains("observance.yaml:3  collectors.folder")
                && said.contains("replace: [github.members]"),
            "{said}"
        );
        let beside = with(&[("members", OWN.to_owned())], "  replace: [github.members]\n").unwrap();
        assert!(beside.collectors["github.members"].0.contains("own"));
        assert_eq!(beside.catalogue, super::super::catalogue());
        let said = with(&[("people", mine.clone())], "  replace: [github.members]\n").err().unwrap();
        assert!(said.contains("collectors.replace"), "{said}");

        let broken = mine.replace("records: one", "records: won");
        let said = with(&[("people", broken), ("again", mine)], "").err().unwrap();
        assert!(said.contains("collector.yaml:") && said.contains("records"), "{said}");
        assert!(with(&[], "").is_err());
    }
}
