//! What can be asked on the command line. Every help fits one screen and says what comes next.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use observance_record::entry::Body;

use super::reach;

/// Watches controls while nobody is looking, and keeps a record that auditors check offline.
#[derive(Debug, Parser)]
#[command(
    name = "observance",
    version,
    max_term_width = 100,
    infer_long_args = false,
    disable_help_subcommand = true,
    after_help = "First time: observance demo\nYour own organisation, now: observance scan github ORG   To stay: observance init --github ORG"
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
    /// Answer at once what deviates and what is unknown; nothing is stored
    Scan {
        /// Which kind of source
        #[command(subcommand)]
        source: ScanSource,
    },
    /// Say what to grant, for which policy, and how: an app, or a token
    #[command(
        after_help = "Example: observance grants github --org acme --for GH-01\nNext: observance scan github ORG"
    )]
    Grants(Grants),
    /// Write a first configuration, its keys and its grants
    #[command(after_help = "Example: observance init --github acme --frameworks soc2,iso27001\n\
        Nothing is ever overwritten.\nNext: grant what grants/github.md says, export GITHUB_TOKEN=..., observance doctor")]
    Init(Init),
    /// Try everything that the configuration names: store, clock, rights, windows, policies
    #[command(
        after_help = "Reads every source once and records nothing. Example: GITHUB_TOKEN=... observance doctor\nNext: observance run"
    )]
    Doctor(Doctor),
    /// List, show, check, try what is collected
    Collectors {
        /// Which
        #[command(subcommand)]
        command: CollectorsCommand,
    },
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

/// `scan`.
#[derive(Debug, Subcommand)]
pub enum ScanSource {
    /// An organisation on GitHub, with the token in GITHUB_TOKEN
    #[command(
        after_help = "Any read-only token will do; what it may not see is unknown, with the grant that cures it.\n\
        Example: GITHUB_TOKEN=... observance scan github acme --days 30\nNext: observance init --github ORG"
    )]
    Github(Scan),
}

/// `scan github`.
#[derive(Debug, Args)]
pub struct Scan {
    /// The organisation's login
    #[arg(value_name = "ORG")]
    pub org: String,
    /// How far back merged changes and the like are read
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub days: u16,
    /// The API's address, for GitHub Enterprise Server: https://HOST/api/v3
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Print as JSON, with every item that deviates
    #[arg(long)]
    pub json: bool,
    /// Exit with 1 if something deviates
    #[arg(long)]
    pub strict: bool,
}

/// `grants`.
#[derive(Debug, Args)]
pub struct Grants {
    /// Which kind of source
    #[arg(value_name = "SOURCE", default_value = "github", value_parser = ["github"])]
    pub source: String,
    /// Only what these policies need: GH-01, or GH-01,GH-05
    #[arg(long = "for", value_name = "POLICY", value_delimiter = ',')]
    pub policies: Vec<String>,
    /// The organisation, for links that are ready to open
    #[arg(long, value_name = "ORG")]
    pub org: Option<String>,
    /// Print an app's manifest alone
    #[arg(long)]
    pub app_manifest: bool,
    /// Print as JSON
    #[arg(long, conflicts_with = "app_manifest")]
    pub json: bool,
}

/// `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The GitHub organisation to watch
    #[arg(long, value_name = "ORG")]
    pub github: String,
    /// For which reports a period is written: soc2, iso27001
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "soc2")]
    pub frameworks: Vec<String>,
    /// Where the files go
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `collectors`.
#[derive(Debug, Subcommand)]
pub enum CollectorsCommand {
    /// List what can be collected, and which policies read it
    #[command(after_help = "Next: observance collectors show github.members")]
    List(CollectorsList),
    /// Show one collector as a person reads it: requests, rights, what is kept and covered
    #[command(
        after_help = "Example: observance collectors show github.members\nNext: observance collectors try github.members --org ORG"
    )]
    Show(CollectorsShow),
    /// Check manifests: their form, the vendor's description, what is never collected
    #[command(
        after_help = "Example: observance collectors lint my/collector.yaml --against api.github.com.json\n\
        A path that the description lacks is told as unchecked; --strict makes it a fault. Exit code 1 on faults.\n\
        Next: observance collectors try my/collector.yaml --org ORG"
    )]
    Lint(CollectorsLint),
    /// Print exactly what to grant: of a kind of source the file to apply, of collectors which step needs which right
    #[command(after_help = "Examples: observance collectors permissions okta > okta.tf\n          \
        observance collectors permissions github.members\n\
        Each file is the least, to read alone: Terraform, JSON, a role, a script or a text, as the source takes it.\n\
        deploy/grants/README.md says how each is applied. With --write nothing is ever overwritten.\n\
        Next: observance grants github, or apply the file, then: observance doctor")]
    Permissions(CollectorsPermissions),
    /// Run one collector once; nothing is stored
    #[command(
        after_help = "Shows rows, outcomes, what is claimed of each list, and which policies could be judged with these rights.\n\
        Example: GITHUB_TOKEN=... observance collectors try github.members --org acme\nNext: observance init --github ORG"
    )]
    Try(CollectorsTry),
    /// Print the JSON Schema of manifests, for editors
    #[command(
        after_help = "Example: observance collectors schema > collector.schema.json; the first line of a manifest then names it:\n\
        # yaml-language-server: $schema=./collector.schema.json\nNext: observance collectors lint FILE"
    )]
    Schema,
}

/// `collectors list`.
#[derive(Debug, Args)]
pub struct CollectorsList {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `collectors show`.
#[derive(Debug, Args)]
pub struct CollectorsShow {
    /// Its id, or the file of a manifest
    #[arg(value_name = "ID")]
    pub id: String,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `collectors lint`.
#[derive(Debug, Args)]
pub struct CollectorsLint {
    /// The manifests, or ids of shipped ones
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// The vendor's own description of its interface: OpenAPI 3.0, JSON
    #[arg(long, value_name = "OPENAPI.json")]
    pub against: Option<PathBuf>,
    /// What the description does not know is a fault
    #[arg(long, requires = "against")]
    pub strict: bool,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// `collectors permissions`.
#[derive(Debug, Args)]
pub struct CollectorsPermissions {
    /// A kind of source, such as okta; or only these collectors
    #[arg(value_name = "KIND|ID")]
    pub ids: Vec<String>,
    /// Write the file of each kind there: of those that are named, or of all
    #[arg(long, value_name = "DIR", conflicts_with_all = ["app_manifest", "json"])]
    pub write: Option<PathBuf>,
    /// Print a GitHub App's manifest alone
    #[arg(long)]
    pub app_manifest: bool,
    /// Print as JSON
    #[arg(long, conflicts_with = "app_manifest")]
    pub json: bool,
}

/// `collectors try`.
#[derive(Debug, Args)]
pub struct CollectorsTry {
    /// Its id, or the file of a manifest
    #[arg(value_name = "ID")]
    pub id: String,
    /// The organisation: short for --param org=ORG
    #[arg(long, value_name = "ORG")]
    pub org: Option<String>,
    /// A value that the manifest asks with; repeat it for more
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = reach::param)]
    pub params: Vec<(String, String)>,
    /// Another address than the manifest's: https://HOST/api/v3
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// The variable that holds the token [default: as GITHUB_TOKEN]
    #[arg(long, value_name = "VARIABLE")]
    pub token: Option<String>,
    /// The file, of a collector that reads one; its signature is not asked for
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Who asks, of a collector that searches a directory; the token is the password
    #[arg(long, value_name = "DN")]
    pub bind: Option<String>,
    /// Send the token in this header as it is, instead of as a bearer token
    #[arg(long, value_name = "NAME")]
    pub header: Option<String>,
    /// How far back windows are read
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub days: u16,
    /// Rows that are shown of each population
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub rows: usize,
    /// Print as JSON, with every row
    #[arg(long)]
    pub json: bool,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
    /// Exit with 1 if something is not ready
    #[arg(long)]
    pub strict: bool,
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
    #[arg(value_name = "DIR", default_value = "policies/rego")]
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
