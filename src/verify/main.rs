//! `observance-verify`: checks a bundle offline. Exit code 0: every proof holds; 1: one fails; 2: it could not be checked.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Parser;
use observance_record::note::VerifierKey;
use observance_verify::{Folder, Trust, verify};

/// Check an Observance bundle offline: that nothing was edited, removed or reordered, and what was observed.
///
/// Exit code 0 when every proof holds (deviations and gaps are content, and are listed), 1 when a proof fails,
/// 2 when it could not be checked. Without --key the key comes from inside the bundle and is not trusted.
#[derive(Parser)]
#[command(name = "observance-verify", version)]
struct Cli {
    /// The bundle's folder
    bundle: PathBuf,
    /// The log's verifier key, which you got by another way than this bundle (name+hash+key, or a file that holds it)
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// A checkpoint that you were sent earlier: a file, or a folder of such files
    #[arg(long, value_name = "FILE", alias = "pins")]
    pin: Vec<PathBuf>,
    /// Judge everything again with the policies in the bundle; every verdict must come out bit for bit the same
    #[arg(long)]
    replay: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // nothing can be done about a closed standard error
            let _closed = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<u8> {
    let key = cli.key.as_deref().map(read_key).transpose()?;
    let mut pins = Vec::new();
    for path in &cli.pin {
        read_pins(path, &mut pins)?;
    }
    let folder = Folder::open(&cli.bundle)?;
    let report = verify(&folder, &Trust { key, pins }, cli.replay);
    let text = if cli.json { format!("{}\n", serde_json::to_string_pretty(&report)?) } else { report.text() };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    Ok(report.conclusion as u8)
}

fn read_key(given: &str) -> anyhow::Result<VerifierKey> {
    let text = if given.contains('+') {
        given.to_owned()
    } else {
        fs::read_to_string(given).context(given.to_owned())?
    };
    text.trim().parse().with_context(|| {
        format!("--key {given}: name+hash+key is wanted, as `observance key show` prints it")
    })
}

fn read_pins(path: &PathBuf, pins: &mut Vec<(String, Vec<u8>)>) -> anyhow::Result<()> {
    let shown = || path.display().to_string();
    if path.is_dir() {
        let mut files = fs::read_dir(path).with_context(shown)?.collect::<Result<Vec<_>, _>>()?;
        files.sort_by_key(fs::DirEntry::file_name);
        anyhow::ensure!(!files.is_empty(), "--pin {}: the folder is empty", shown());
        return files.iter().try_for_each(|file| read_pins(&file.path(), pins));
    }
    pins.push((shown(), fs::read(path).with_context(shown)?));
    Ok(())
}
