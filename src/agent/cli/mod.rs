//! The door: what was asked on the command line, done by the rooms, answered in text or JSON.
//!
//! Exit codes: 0 done; 1 asked for by `--strict`, or cases that do not hold; 2 bad input, or it could not be done.
//! It decides nothing about evidence.

mod agree;
mod arguments;
mod bundle;
mod check;
mod client;
mod collect;
mod collectors;
mod doctor;
mod ears;
mod folder;
mod grants;
mod init;
mod joins;
mod judges;
mod key;
mod lines;
mod log;
mod period;
mod policy;
mod reach;
mod read;
mod registers;
mod run;
mod scan;
mod screen;
mod setup;
mod shelf;
mod signals;
mod sources;
mod status;
mod summary;
mod trouble;

use std::{
    io::{self, IsTerminal as _, Write},
    path::Path,
    process::ExitCode,
};

use clap::Parser as _;
use serde::Serialize;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

pub use self::setup::catalogue;
use self::{
    arguments::{Cli, Command, KeyCommand, PolicyCommand, ScanSource},
    screen::Screen,
    setup::{Needs, Resolved},
    signals::Signals,
};
use crate::{clock::Clock, demo};

/// The exit code of a command that somebody interrupted.
const INTERRUPTED: u8 = 130;
/// The variable that filters the operator's log, as `--log-level` does.
const LOG_VARIABLE: &str = "OBSERVANCE_LOG";

/// Does what the command line says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = log_to_stderr(&cli).and_then(|()| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(command(&cli, &mut Screen::default()))
    });
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            trouble::tell(&error);
            ExitCode::from(2)
        }
    }
}

/// Whatever takes long ends when it is asked to; `run` and the demonstration see to that themselves.
async fn command(cli: &Cli, out: &mut Screen) -> anyhow::Result<u8> {
    let config = cli.config.as_path();
    if matches!(cli.command, Command::Run | Command::Demo(_)) {
        return answer(cli, config, out).await;
    }
    let mut signals = Signals::new()?;
    tokio::select! {
        done = answer(cli, config, out) => done,
        () = signals.next() => Ok(INTERRUPTED),
    }
}

async fn answer(cli: &Cli, config: &Path, out: &mut Screen) -> anyhow::Result<u8> {
    let clock = Clock::system();
    match &cli.command {
        Command::Scan { source: ScanSource::Github(asked) } => scan::github(asked, &clock, out).await,
        Command::Grants(asked) => grants::grants(asked, out),
        Command::Init(asked) => init::init(asked, &clock, out),
        Command::Doctor(asked) => doctor::doctor(config, asked, &clock, out).await,
        Command::Collectors { command } => collectors::collectors(command, &clock, out).await,
        Command::Run => run::run(resolve(config)?).await,
        Command::Demo(asked) => {
            let options = demo::Options { seed: asked.seed, out: asked.out.clone(), days: asked.days };
            demo::run(&options, out).await.map(|_told| 0)
        }
        Command::Checkpoint => log::checkpoint(&reading(config)?, &clock, out).await,
        Command::CheckConfig(asked) => check::check_config(config, asked, out),
        Command::Collect(asked) => collect::collect(resolve(config)?, asked, &clock, out).await,
        Command::Status(asked) => status::status(&reading(config)?, asked, &clock, out).await,
        Command::Log(asked) => log::log(&reading(config)?, asked, &clock, out).await,
        Command::Period(asked) => period::period(&reading(config)?, asked, &clock, out).await,
        Command::Bundle(asked) => bundle::bundle(&reading(config)?, asked, &clock, out).await,
        Command::Key { command: KeyCommand::New(asked) } => key::new(asked, out),
        Command::Key { command: KeyCommand::Show } => key::show(&reading(config)?, out),
        Command::Policy { command: PolicyCommand::Test(asked) } => policy::test(asked, out),
        Command::Policy { command: PolicyCommand::List(asked) } => policy::list(asked, out),
    }
}

fn resolve(config: &Path) -> anyhow::Result<Resolved> {
    Ok(setup::check(config)?.resolve(Needs::Everything)?)
}

/// Whoever only reads the log needs no credential of a source.
fn reading(config: &Path) -> anyhow::Result<Resolved> {
    Ok(setup::check(config)?.resolve(Needs::Log)?)
}

/// The operator's log goes to standard error; colours only where a person looks.
fn log_to_stderr(cli: &Cli) -> anyhow::Result<()> {
    let usual = if matches!(cli.command, Command::Run) { "info" } else { "warn" };
    let filter = match &cli.log_level {
        Some(level) => filter_of(level).map_err(|error| {
            trouble::Trouble::new(
                format!("--log-level {level}: {error}"),
                "error, warn, info, debug, trace, off; or a filter such as warn,observance=debug",
            )
        })?,
        None => EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_unset| EnvFilter::new(usual)),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // on a terminal the subscriber honours NO_COLOR
    let log = if io::stderr().is_terminal() { log } else { log.with_ansi(false) };
    log.try_init().map_err(|error| anyhow::anyhow!("cannot begin the log: {error}"))
}

/// A bare word that is no level would be read as the name of a target, and silence everything else.
fn filter_of(level: &str) -> Result<EnvFilter, String> {
    let bare =
        level.split(',').find(|part| !part.contains(['=', '[']) && part.parse::<LevelFilter>().is_err());
    match bare {
        Some(part) => Err(format!("{part} is no level")),
        None => EnvFilter::try_new(level).map_err(|error| error.to_string()),
    }
}

/// Prints one value as indented JSON.
fn json(out: &mut dyn Write, value: &impl Serialize) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    Ok(out.write_all(b"\n")?)
}
