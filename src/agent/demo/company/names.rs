//! What things are called at Acme: repositories, people, the words of change titles.
//!
//! Invented; no name stands for a real project or person. It holds no dates: see `plan`.

/// How the default branch of a repository is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// By the organisation's ruleset alone; classic protection answers "Branch not protected".
    Organisation,
    /// By the repository's own ruleset, with the organisation's ban on deletion.
    Own,
    /// By classic branch protection alone; no rule applies.
    Classic,
    /// By the organisation's ruleset and by classic protection.
    Both,
}

/// Who may see a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    Public,
    Private,
    Internal,
}

impl Visibility {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Internal => "internal",
        }
    }
}

use Guard::{Both, Classic, Organisation, Own};
use Visibility::{Internal, Private, Public};

/// Name, default branch, language, visibility, guard, share of all changes.
pub(super) type Named = (&'static str, &'static str, &'static str, Visibility, Guard, usize);

/// The repositories, in the order in which they were created.
pub(super) const REPOSITORIES: &[Named] = &[
    ("legacy-payroll", "master", "Java", Private, Classic, 3),
    ("web", "main", "TypeScript", Private, Organisation, 20),
    ("billing-api", "main", "Go", Private, Own, 17),
    ("checkout", "main", "Go", Private, Organisation, 16),
    ("accounts", "main", "Go", Private, Organisation, 12),
    ("auth-gateway", "main", "Rust", Private, Both, 11),
    ("ledger", "trunk", "Rust", Private, Both, 10),
    ("payments-adapter", "main", "Kotlin", Private, Organisation, 10),
    ("invoice-renderer", "main", "Kotlin", Private, Organisation, 7),
    ("tax-rules", "main", "Kotlin", Private, Organisation, 6),
    ("notify", "main", "Go", Private, Organisation, 8),
    ("search-index", "main", "Rust", Private, Organisation, 7),
    ("data-export", "main", "Python", Private, Organisation, 7),
    ("warehouse-models", "main", "SQL", Private, Organisation, 9),
    ("event-bus", "trunk", "Rust", Private, Both, 7),
    ("feature-flags", "main", "TypeScript", Private, Organisation, 5),
    ("mobile-android", "main", "Kotlin", Private, Organisation, 12),
    ("mobile-ios", "main", "Swift", Private, Organisation, 12),
    ("design-system", "main", "TypeScript", Internal, Organisation, 9),
    ("admin-console", "main", "TypeScript", Private, Organisation, 8),
    ("support-desk", "main", "TypeScript", Private, Classic, 5),
    ("partner-portal", "main", "TypeScript", Private, Organisation, 7),
    ("reporting", "main", "Python", Private, Organisation, 7),
    ("fraud-scoring", "main", "Python", Private, Both, 7),
    ("risk-models", "main", "Python", Private, Organisation, 6),
    ("customer-import", "master", "Python", Private, Classic, 3),
    ("pdf-signer", "master", "Java", Private, Classic, 3),
    ("infra-terraform", "main", "HCL", Private, Organisation, 16),
    ("infra-kubernetes", "main", "YAML", Private, Organisation, 12),
    ("infra-dns", "main", "HCL", Internal, Organisation, 3),
    ("observability", "main", "Jsonnet", Internal, Organisation, 6),
    ("build-images", "main", "Dockerfile", Internal, Organisation, 6),
    ("ci-actions", "main", "TypeScript", Internal, Organisation, 5),
    ("runbooks", "main", "Markdown", Internal, Organisation, 5),
    ("handbook", "main", "Markdown", Internal, Organisation, 6),
    ("api-specs", "main", "YAML", Internal, Organisation, 5),
    ("loadtest", "master", "JavaScript", Internal, Classic, 2),
    ("sdk-python", "main", "Python", Public, Organisation, 4),
    ("sdk-node", "main", "TypeScript", Public, Organisation, 4),
    ("homebrew-acme", "main", "Ruby", Public, Organisation, 2),
];

pub(super) const FIRST: &[&str] = &[
    "amira", "anton", "arda", "bea", "birgit", "carlo", "chidi", "clara", "dana", "deniz", "elif", "emil",
    "farah", "felix", "greta", "hanna", "ines", "ivo", "jana", "jonas", "kaan", "katja", "lena", "lukas",
    "maja", "marek", "mina", "nils", "noor", "olga", "paul", "petra", "rafa", "selin", "tom", "wanda",
];

pub(super) const LAST: &[&str] = &[
    "adler", "bauer", "becker", "berg", "brandt", "celik", "diaz", "dorn", "ebert", "falk", "fischer",
    "gruber", "haas", "hofmann", "ito", "jansen", "kaya", "keller", "klein", "kruse", "lang", "lorenz",
    "marx", "meyer", "nowak", "okafor", "otto", "peters", "quast", "rossi", "sauer", "schulz", "silva",
    "stein", "vogt", "weber", "yilmaz", "zander",
];

/// What a change does, and to what.
pub(super) const VERBS: &[&str] = &[
    "Add", "Fix", "Remove", "Rename", "Rework", "Speed up", "Test", "Document", "Harden", "Simplify", "Log",
    "Retry",
];

pub(super) const OBJECTS: &[&str] = &[
    "address check",
    "audit trail",
    "batch import",
    "cache expiry",
    "currency rounding",
    "date parsing",
    "default limits",
    "empty state",
    "error page",
    "export format",
    "health probe",
    "idempotency key",
    "index migration",
    "locale fallback",
    "login redirect",
    "memory limit",
    "metrics labels",
    "null handling",
    "page size",
    "queue back-off",
    "rate limiter",
    "release notes",
    "request timeout",
    "retry budget",
    "schema check",
    "session refresh",
    "sort order",
    "token rotation",
    "unit conversion",
    "webhook signature",
];

pub(super) const PACKAGES: &[&str] =
    &["actions/checkout", "axios", "golang.org/x/net", "jackson-databind", "serde", "urllib3"];
