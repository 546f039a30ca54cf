//! Finds what the release ships, so that whoever adds a collector or a policy adds its files and nothing else.
//!
//! It reads none of them: the compiler puts their bytes into the binary.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

#[expect(
    clippy::disallowed_methods,
    reason = "it is by the environment that cargo says where to read and write"
)]
fn main() -> Result<(), Box<dyn Error>> {
    // asked for now: a checkout may have moved since this was compiled
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut text = String::new();
    list(&mut text, "COLLECTORS", &root, "collectors", |path| path.ends_with("collector.yaml"))?;
    list(&mut text, "POLICIES", &root.join("policies/rego"), "", |path| {
        path.extension().is_some_and(|ending| ending == "rego")
    })?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("library.rs"), text)?;
    Ok(())
}

/// A constant of every such file under `root`/`below`: its path from the root, its bytes.
fn list(
    text: &mut String,
    name: &str,
    root: &Path,
    below: &str,
    wanted: fn(&Path) -> bool,
) -> Result<(), Box<dyn Error>> {
    let folder = root.join(below);
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    find(&folder, wanted, &mut files)?;
    files.sort();
    writeln!(text, "const {name}: &[(&str, &[u8])] = &[")?;
    for path in files {
        let (shown, path) = (path.strip_prefix(root)?.to_str(), path.to_str());
        let (shown, path) = shown.zip(path).ok_or("a path that is not UTF-8")?;
        writeln!(text, "    ({shown:?}, include_bytes!({path:?})),")?;
    }
    writeln!(text, "];")?;
    Ok(())
}

fn find(folder: &Path, wanted: fn(&Path) -> bool, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, wanted, files)?;
        } else if wanted(&path) {
            files.push(path);
        }
    }
    Ok(())
}
