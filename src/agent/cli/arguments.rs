//! What can be asked on the command line. Every help fits one screen and says what comes next.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use observance_record::entry::Body;

/// Watches controls while nobody is looking, and keeps a record that auditors check offline.
#[derive(Debug, Parser)]
#[command(
    name = "observance",
    version,
    max_term_width = 100,
    infer_long_args = false,
    disable_help_subcommand = true,
    after_help = "First time: observance demo\nThen: observance key new --out keys, write observance.yaml, observance check-config"
)]
pub struct Cli {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "observance.yaml", global = true, display_order = 100)]
    pub config: PathBuf,
    /// Log to standard error: error, warn, info, debug, a filter
    #[arg(long, value_name = "LEVEL", global = true, display_order = 100)]
    pub log_level: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch until asked to stop: collect on schedule, judge, record, tell
    #[command(
        after_help = "Stops on SIGTERM or Ctrl-C: what runs is ended and recorded first; a second signal ends at once.\n\
        Nothing is kept outside the store: start another one anywhere, and it goes on.\nNext: observance status"
    )]
    Run,
    /// Show half a year of an invented company in a minute; no account, no network
    #[command(
        after_help = "It makes its own company, store, agent and bundle, and plants deviations for the agent to find.\n\
        Beside the bundle it leaves the log itself, DIR.store and DIR.head.\n\
        Next: observance-verify DIR"
    )]
    Demo(Demo),
    /// Check the configuration and everything that it names
    #[command(
        after_help = "All faults are told at once; exit code 2 if there are any. Secrets that are not here are named, and are no fault:\n\
        the deployed agent has them.\nNext: observance collect --all"
    )]
    CheckConfig(CheckConfig),
    /// Run collectors once, now, and record what they see
    #[command(after_help = "A manual run answers no scheduled slot, and may go on beside a running agent.\n\
        Next: observance status")]
    Collect(Collect),
    /// Show how every control stands now
    #[command(after_help = "Reads the log and writes nothing. Events are counted over the current period.\n\
        deviates: an item fails. unknown: not everything could be seen; the log says why.\n\
        Next: observance period")]
    Status(Status),
    /// Show the entries of the log
    #[command(
        after_help = "Every line: number, time (UTC), kind, what it says. --json prints the entries as they are signed.\n\
        Next: observance log --kind gap"
    )]
    Log(Log),
    /// Print the newest signed head of the log, for whoever keeps it apart
    #[command(
        after_help = "Give it to your auditor early and often, by another way than a bundle: whoever has one notices if\n\
        what came before it is ever changed.\nNext: observance checkpoint > checkpoint.txt; later: observance-verify DIR --pin checkpoint.txt"
    )]
    Checkpoint,
    /// Show how the controls operated over an observation period
    #[command(
        after_help = "Between two looks nothing is known: a deviation has a least and a most duration.\n\
        gap: nobody looked. unknown: somebody looked and could not see. Neither counts as met.\nNext: observance bundle PERIOD --out DIR"
    )]
    Period(Period),
    /// Make a bundle that an auditor checks offline; the export is recorded
    #[command(
        after_help = "The bundle is checked before it gets its name, and every export is counted in the log.\n\
        Next: observance-verify DIR --key \"$(observance key show)\" --replay"
    )]
    Bundle(Bundle),
    /// Make or show the keys of the log
    Key {
        /// Which
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// List policies, or run their cases
    Policy {
        /// Which
        #[command(subcommand)]
        command: PolicyCommand,
    },
}

/// `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Decides the company's life; the same number gives the same half year
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Where the bundle goes; must not exist yet
    #[arg(long, value_name = "DIR", default_value = "demo-bundle")]
    pub out: PathBuf,
    /// How many days of the half year
    #[arg(long, default_value_t = 181, value_parser = clap::value_parser!(u32).range(1..=181))]
    pub days: u32,
}

/// `check-config`.
#[derive(Debug, Args)]
pub struct CheckConfig {
    /// Print every value in force, with what was not written marked as default
    #[arg(long)]
    pub explain: bool,
    /// Print as JSON
    #[arg(long, conflicts_with = "explain")]
    pub json: bool,
}

/// `collect`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["collectors", "all"])))]
pub struct Collect {
    /// Which collectors, such as github.members
    #[arg(value_name = "COLLECTOR")]
    pub collectors: Vec<String>,
    /// All that are configured
    #[arg(long)]
    pub all: bool,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    /// Exit with 1 if something deviates or is unknown
    #[arg(long)]
    pub strict: bool,
}

/// `log`.
#[derive(Debug, Args)]
pub struct Log {
    /// First entry
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub from: u64,
    /// First entry that is no longer shown
    #[arg(long, value_name = "N")]
    pub to: Option<u64>,
    /// Only entries of this kind
    #[arg(long, value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(Body::KINDS))]
    pub kind: Option<String>,
    /// Print the entries as they are in the log, one JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// `period`.
#[derive(Debug, Args)]
pub struct Period {
    /// Its name; the current one if left out
    #[arg(value_name = "PERIOD")]
    pub id: Option<String>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `bundle`.
#[derive(Debug, Args)]
pub struct Bundle {
    /// The period that its first page shows; the current one if left out
    #[arg(value_name = "PERIOD")]
    pub id: Option<String>,
    /// Where it goes; must not exist yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make the keys of a new log
    #[command(
        after_help = "Keep a copy apart: without these files the log can neither go on nor be explained.\n\
        Next: name the folder as key: in observance.yaml, then observance key show"
    )]
    New(NewKey),
    /// Print the verifier key, which is public: whoever checks a bundle should have it from here
    #[command(after_help = "Next: observance-verify DIR --key VKEY")]
    Show,
}

/// `key new`.
#[derive(Debug, Args)]
pub struct NewKey {
    /// The folder to make; nothing is ever overwritten
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// `policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Run the cases that a folder of policies brings along; exit code 1 if one does not hold
    #[command(
        after_help = "Cases of NAME.rego lie in cases/NAME.yaml: at least one each that passes, fails, is unknown.\n\
        Next: observance check-config"
    )]
    Test(PolicyTest),
    /// List policies: those of this release, or of a folder
    #[command(after_help = "Next: observance policy test DIR")]
    List(PolicyList),
}

/// `policy test`.
#[derive(Debug, Args)]
pub struct PolicyTest {
    /// The folder
    #[arg(value_name = "DIR", default_value = "policies/rego/github")]
    pub dir: PathBuf,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `policy list`.
#[derive(Debug, Args)]
pub struct PolicyList {
    /// The folder
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}
