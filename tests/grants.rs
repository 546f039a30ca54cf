//! `deploy/grants`: what lies there is what the program writes. `OBSERVANCE_BLESS=1` writes it anew.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::support::{data::variable, program};

const README: &str = "README.md";

fn there() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/grants")
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let read = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(read).filter(|(name, _)| name != README).collect()
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments = [&["collectors", "permissions"], arguments].concat();
    let output = program::observance(folder, &arguments, &[]);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn written() -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = run(folder.path(), &["--write", "out"]);
    assert_eq!(code, Some(0), "{said}");
    files(&folder.path().join("out"))
}

#[test]
fn what_is_to_be_granted_is_what_the_collectors_say() {
    let written = written();
    assert!(written.len() >= 13, "{:?}", written.keys());
    if variable("OBSERVANCE_BLESS").is_some() {
        for name in files(&there()).keys() {
            fs::remove_file(there().join(name)).unwrap();
        }
        for (name, text) in &written {
            fs::write(there().join(name), text).unwrap();
        }
    }
    let kept = files(&there());
    assert_eq!(kept.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>(), "OBSERVANCE_BLESS=1");
    let readme = fs::read_to_string(there().join(README)).unwrap();
    for (name, text) in &written {
        assert!(
            kept[name] == *text,
            "deploy/grants/{name} is not what the collectors say; OBSERVANCE_BLESS=1\n{text}"
        );
        assert!(readme.contains(&format!("[`{name}`]({name})")), "{README} does not say what {name} is");
    }
}

#[test]
fn each_file_is_what_its_kind_prints_and_can_be_read_by_what_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in written() {
        let (kind, ending) = name.rsplit_once('.').unwrap();
        assert_eq!(run(folder.path(), &[kind]), (Some(0), text.clone()), "{name}");
        let (_, json) = run(folder.path(), &[kind, "--json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&json["file"], &json["text"]),
            (&Value::from(name.as_str()), &Value::from(text.as_str()))
        );
        for right in json["rights"].as_array().unwrap() {
            // by its id alone an app role goes into a manifest
            let shown = right["right"].as_str().unwrap();
            assert!(kind == "entra" || text.contains(shown), "{name} lacks {shown}");
            assert!(!right["collectors"].as_array().unwrap().is_empty(), "{shown} is for nobody");
        }
        match ending {
            "json" => assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}"),
            "yml" => {
                let role: Value = serde_saphyr::from_str(&text).unwrap();
                assert!(role["observance"]["index_permissions"].is_array(), "{role}");
            }
            "sh" => {
                fs::write(folder.path().join("script"), &text).unwrap();
                let read = Command::new("sh").args(["-n", "script"]).current_dir(folder.path()).status();
                assert!(read.unwrap().success(), "{text}");
            }
            "conf" | "tf" | "txt" | "ldif" => assert!(text.starts_with("# What "), "{text}"),
            other => panic!("{other} is a form that nothing here reads"),
        }
    }
}

#[test]
fn nothing_is_overwritten_and_slips_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = run(folder.path(), &["okta", "keycloak", "--write", "out"]);
    assert_eq!((code, files(&folder.path().join("out")).len()), (Some(0), 2), "{said}");
    assert!(said.contains("wrote out/keycloak.sh\nwrote out/okta.tf\nnext: "), "{said}");
    fs::write(folder.path().join("out/okta.tf"), "mine").unwrap();
    fs::remove_file(folder.path().join("out/keycloak.sh")).unwrap();
    let (code, said) = run(folder.path(), &["--write", "out"]);
    assert!(code == Some(2) && said.contains("out/okta.tf exists already; nothing was written"), "{said}");
    assert_eq!(
        files(&folder.path().join("out")),
        BTreeMap::from([("okta.tf".to_owned(), "mine".to_owned())])
    );
    for (wrong, told) in [
        (&["okta.tokens", "--write", "more"][..], "there is no kind of source okta.tokens"),
        (&["okta", "keycloak"], "okta is a kind of source"),
        (&["oktaa"], "there is no collector oktaa"),
    ] {
        let (code, said) = run(folder.path(), wrong);
        assert!(code == Some(2) && said.contains(told) && said.contains("hint: "), "{said}");
    }
    // a file of the organisation grants nothing
    let (code, said) = run(folder.path(), &["people"]);
    assert!(code == Some(0) && said.contains("needs a file that this agent may read"), "{said}");
}
