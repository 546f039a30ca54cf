//! Every section and key of a manifest: its kind, its default, one sentence. The reader knows no other keys, and the
//! JSON Schema and the reference page are made from these lines (`schema`), so none can say what another does not.

mod steps;

pub(in crate::collect) use self::steps::*;

/// A mapping with known keys.
#[derive(Debug)]
pub(in crate::collect) struct Section {
    /// Its name in the schema and on the page.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its keys, in the order in which a manifest should have them.
    pub keys: &'static [Key],
}

/// One key.
#[derive(Debug)]
pub(in crate::collect) struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// Must it be there?
    pub need: bool,
    /// What holds without it; empty if nothing does.
    pub usual: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// What may stand at a key.
#[derive(Debug)]
pub(in crate::collect) enum Kind {
    /// Any text.
    Text,
    /// Exactly one of these words.
    Word(&'static [&'static str]),
    /// Text of a form that the reader checks: what it is called.
    Form(&'static str),
    /// A whole number from, to.
    Number(u64, u64),
    /// A share from 0 to 0.9.
    Share,
    /// `true` or `false`.
    Truth,
    /// Null, truth, number or text.
    Scalar,
    /// Any JSON, its texts templates.
    Json,
    /// A mapping with known keys.
    Section(&'static Section),
    /// A list.
    List(&'static Self),
    /// A mapping with the author's own keys.
    Map(&'static Self),
    /// One of several.
    Either(&'static [Self]),
}

impl Section {
    /// The names of its keys.
    pub(in crate::collect) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.name).collect()
    }
}

const fn may(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, need: false, usual: "", about }
}

const fn must(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, need: true, usual: "", about }
}

const fn or(name: &'static str, kind: Kind, usual: &'static str, about: &'static str) -> Key {
    Key { name, kind, need: false, usual, about }
}

const NAME: Kind = Kind::Form("name");
const PATH: Kind = Kind::Form("path");
const TEMPLATE: Kind = Kind::Form("template");
const HEADER: Kind = Kind::Form("header");
const EXPR: Kind = Kind::Form("expression");
const DURATION: Kind = Kind::Form("duration");
const STEP: Kind = Kind::Form("step");
const PLACE: Kind = Kind::Form("place");
const DAY_MS: u64 = 86_400_000;

/// The file.
pub(in crate::collect) static MANIFEST: Section = Section {
    name: "manifest",
    about: "The whole file: what is read from one kind of source, and the populations that come of it.",
    keys: &[
        must("apiVersion", Kind::Word(&["collectors/v1"]), "The version of this format."),
        must(
            "kind",
            Kind::Word(&["HttpCollector", "FileCollector", "LdapCollector"]),
            "The kind of collector: of a server, of a file of the organisation that the configuration names, or of a directory.",
        ),
        must("metadata", Kind::Section(&METADATA), "What the collector is."),
        may("contract", Kind::Section(&CONTRACT), "The vendor's description that it is written against."),
        may(
            "connection",
            Kind::Section(&CONNECTION),
            "Where the source is, and what is sent with every request. Needed, except of a file.",
        ),
        may(
            "permissions",
            Kind::Section(&PERMISSIONS),
            "What the credential has to be granted, and must not be.",
        ),
        may(
            "conditional",
            Kind::Word(&["etag", "github_etag", "last_modified", "none"]),
            "How the source is asked whether something changed: by the ETags that it gave; also by those that GitHub is \
             known to make, so that a new token or a restart costs nothing; by `Last-Modified`, whose whole seconds \
             hide a second change in one; or never. `etag` unless given.",
        ),
        may("schedule", Kind::Section(&SCHEDULE), "When it runs unless the configuration says otherwise."),
        may("limits", Kind::Section(&LIMITS), "The bounds of one run."),
        may("receipts", Kind::Section(&RECEIPTS), "Which response headers are kept."),
        may(
            "outcomes",
            Kind::List(&Kind::Section(&OUTCOME)),
            "What answers mean: the first that matches; what none matches is an error. Needed, except of a file.",
        ),
        must("steps", Kind::List(&Kind::Section(&STEP_KEYS)), "The requests, in order; 1 to 64."),
        must(
            "populations",
            Kind::Map(&Kind::Section(&POPULATION)),
            "The rows, by the name of the population; 1 to 16.",
        ),
    ],
};

pub(in crate::collect) static METADATA: Section = Section {
    name: "metadata",
    about: "What the collector is.",
    keys: &[
        must("id", Kind::Form("id"), "Its id: the kind of source, a dot, and a name."),
        must("version", Kind::Number(1, 1_000_000), "The author's own count of versions."),
        must("title", Kind::Text, "What it reads, in a line for people."),
        must(
            "evidence",
            Kind::List(&Kind::Word(&["configuration", "population", "activity"])),
            "What kinds of evidence it gives.",
        ),
    ],
};

pub(in crate::collect) static CONTRACT: Section = Section {
    name: "contract",
    about: "The vendor's own description of its interface, which `lint` compares the manifest with.",
    keys: &[
        must("openapi", Kind::Text, "Its name."),
        must("vendor_version", Kind::Text, "The version of the interface, as the vendor names it."),
        may("sha256", Kind::Form("digest"), "SHA-256 of the description."),
    ],
};

pub(in crate::collect) static CONNECTION: Section = Section {
    name: "connection",
    about: "Where the source is, and what is sent with every request.",
    keys: &[
        must("base_url", Kind::Form("address"), "Its address; the configuration may name another."),
        may(
            "allow_hosts",
            Kind::List(&Kind::Text),
            "Other hosts that a redirect or a next page may lead to, by https; the credential never goes there.",
        ),
        may("headers", Kind::Map(&Kind::Text), "Headers of every request; never `authorization` or `host`."),
        may("params", Kind::List(&NAME), "What the configuration must give; `{name}` in templates."),
        may(
            "auth",
            Kind::Section(&AUTH),
            "Where a client is given a token for each run (OAuth 2.0 client credentials). With it the configuration names a \
             `client`, without it something else.",
        ),
        may(
            "aws",
            Kind::Section(&AWS),
            "Requests are signed as AWS wants them (Signature Version 4). With it the configuration names `aws`, without it something \
             else; `params` have the `region`, which may stand in the host of `base_url`.",
        ),
    ],
};

pub(in crate::collect) static AWS: Section = Section {
    name: "aws",
    about: "For what requests to AWS are signed. The names of `permissions.expect` are its actions: a role that is assumed for a run \
            may do these and nothing else, whatever else it is granted.",
    keys: &[
        must("service", Kind::Form("word"), "The service, as in `logs.eu-central-1.amazonaws.com`."),
        may(
            "region",
            Kind::Form("word"),
            "The region that is signed for, where the service has one for all: `us-east-1` of `iam`. Otherwise the source's.",
        ),
    ],
};

pub(in crate::collect) static AUTH: Section = Section {
    name: "auth",
    about: "Where and for what a client is given a token (RFC 6749 section 4.4): `token_path` or `token_url`. Parameters \
            may stand in all of its texts but `scopes`.",
    keys: &[
        may("token_path", TEMPLATE, "Where, below the base address."),
        may(
            "token_url",
            TEMPLATE,
            "Where, if it is on another host: an https address. Nothing else is asked there.",
        ),
        or(
            "scopes",
            Kind::Either(&[Kind::Word(&["expect"]), Kind::List(&Kind::Text)]),
            "expect",
            "What the token may do: the names of `permissions.expect`, or a list.",
        ),
        may("audience", TEMPLATE, "For whom the token is, where the source wants to be told."),
        may("resource", TEMPLATE, "The same by RFC 8707."),
        may(
            "subject",
            TEMPLATE,
            "In whose name the token is asked for. With it the client's key signs a statement that is the grant itself (RFC 7523 section 2.1), as Google's service accounts do.",
        ),
        or(
            "client_secret",
            Kind::Word(&["basic", "post"]),
            "basic",
            "Where a client's secret goes: into the header, or into the form. A client with a key signs instead (RFC 7523).",
        ),
        or(
            "dpop",
            Kind::Truth,
            "false",
            "Whether tokens are asked for, and shown, with proofs that nobody else holds them (RFC 9449).",
        ),
    ],
};

pub(in crate::collect) static PERMISSIONS: Section = Section {
    name: "permissions",
    about: "The least that the credential has to be granted, and what it must not be.",
    keys: &[
        must("expect", Kind::List(&Kind::Section(&PERMISSION)), "What has to be granted."),
        may(
            "forbid",
            Kind::List(&Kind::Form("pattern")),
            "Scopes that must not be granted; `*` stands for any characters. A granted one is counted as a right to write.",
        ),
        may(
            "reads",
            Kind::List(&Kind::Text),
            "Beginnings of the scopes that only read; any other granted scope is counted as a right to write.",
        ),
        may(
            "observe",
            Kind::Section(&OBSERVE),
            "Response headers in which the source tells about the credential.",
        ),
        may("granted", HEADER, "The same as `observe.granted`."),
    ],
};

pub(in crate::collect) static PERMISSION: Section = Section {
    name: "permission",
    about: "One right.",
    keys: &[
        must("name", Kind::Text, "In the vendor's words."),
        must("access", Kind::Word(&["read"]), "A collector reads; nothing else can be asked for."),
        may(
            "on",
            Kind::Text,
            "On what it is granted, where the source tells such things apart: `cluster`; `index *`, or `index {index}` for those that a \
             parameter names.",
        ),
    ],
};

pub(in crate::collect) static OBSERVE: Section = Section {
    name: "observe",
    about: "Response headers in which the source tells about the credential.",
    keys: &[
        may("granted", HEADER, "Lists what is granted; kept with the run."),
        may("accepted", HEADER, "Says which right the request wants; kept with each receipt."),
        may("expires", HEADER, "Says when the credential ends."),
    ],
};

pub(in crate::collect) static SCHEDULE: Section = Section {
    name: "schedule",
    about: "When the collector runs unless the configuration says otherwise. Times are UTC.",
    keys: &[
        or("every", DURATION, "24h", "How often: a divisor of an hour or of a day, or 7d."),
        may(
            "cron",
            Kind::Form("cron"),
            "Instead of `every`: minute, hour, day of month, month, day of week.",
        ),
        or("jitter", DURATION, "60s", "Random delay of each run, at most."),
        or("grace", DURATION, "1h", "How late a run may begin before its slot is missed."),
        or("max_gap", DURATION, "26h", "Longest time without an observation before the state is unknown."),
        may(
            "events",
            Kind::List(&NAME),
            "The vendor's webhook events upon which it also runs at once, where the configuration lets the source speak; each \
             once, at most 32. They only add looks.",
        ),
    ],
};

pub(in crate::collect) static LIMITS: Section = Section {
    name: "limits",
    about: "The bounds of one run. Reaching one ends the run's requests, and is a reason in the record.",
    keys: &[
        or("concurrency", Kind::Number(1, 64), "1", "Requests at the same time."),
        or("requests_max", Kind::Number(1, 40_000), "20000", "Requests, retries and redirects included."),
        or("bytes_max", Kind::Number(1, 1 << 36), "1073741824", "Bytes of bodies, after decompression."),
        or("wall_ms", Kind::Number(1, DAY_MS), "2700000", "Duration."),
        or("wait_ms", Kind::Number(1, DAY_MS), "900000", "Waiting for rate limits and retries, together."),
        or("attempts_max", Kind::Number(1, 10), "4", "Attempts at one exchange."),
        or(
            "body_bytes_max",
            Kind::Number(1, 16_777_216),
            "16777216",
            "Bytes of one body, after decompression.",
        ),
        may("rate", Kind::Section(&RATE), "How the source tells its own limits."),
    ],
};

pub(in crate::collect) static RATE: Section = Section {
    name: "rate",
    about: "How the source tells its own limits: the names of response headers.",
    keys: &[
        may("limit", HEADER, "Requests in all."),
        may("remaining", HEADER, "Requests left."),
        may(
            "reset",
            Kind::Either(&[HEADER, Kind::Section(&RESET)]),
            "When the count starts anew; a header alone is in seconds since 1970.",
        ),
        may("retry_after", HEADER, "Seconds to wait, or an HTTP date."),
        or(
            "bucket_by",
            Kind::Word(&["source", "path_template"]),
            "source",
            "Whether all paths share one limit, or each has its own.",
        ),
        or(
            "reserve",
            Kind::Share,
            "0",
            "The share of the limit that is left to others: below it, the run waits for the reset. Needs `limit`, `remaining` and `reset`.",
        ),
        or(
            "no_header_wait_ms",
            Kind::Number(1, DAY_MS),
            "60000",
            "The first wait when the source names none; doubled from one to the next.",
        ),
    ],
};

pub(in crate::collect) static RESET: Section = Section {
    name: "reset",
    about: "When the source's count starts anew.",
    keys: &[
        must("from", HEADER, "The header."),
        or(
            "unit",
            Kind::Word(&["epoch_seconds", "epoch_ms", "seconds"]),
            "epoch_seconds",
            "Since 1970, or from the answer on (`seconds`).",
        ),
    ],
};

pub(in crate::collect) static RECEIPTS: Section = Section {
    name: "receipts",
    about: "Which response headers are kept with each exchange.",
    keys: &[
        may("request_id", HEADER, "The vendor's id of the request."),
        may("api_version", HEADER, "The version of the interface that answered."),
        may("rate", Kind::List(&HEADER), "Rate headers."),
    ],
};

pub(in crate::collect) static OUTCOME: Section = Section {
    name: "outcome",
    about: "What an answer means. All that is named must hold.",
    keys: &[
        may(
            "status",
            Kind::Either(&[Kind::Number(100, 599), Kind::List(&Kind::Number(100, 599))]),
            "Any of these. Needed, except of a directory.",
        ),
        may(
            "code",
            Kind::Either(&[Kind::Number(0, 80), Kind::List(&Kind::Number(0, 80))]),
            "Of a directory, instead of `status`: any of these result codes (RFC 4511 appendix A). The limits 3, 4 and 11 are none of \
             them: they always leave a list partial.",
        ),
        may("header", Kind::Map(&Kind::Text), "Response headers and the exact values that they must have."),
        may("body", Kind::Text, "Words that the body must contain."),
        must("as", Kind::Word(&OUTCOMES), "What it means then; only the first four may feed a verdict."),
    ],
};

/// The outcomes, in the record's order; a test holds them to it.
pub(in crate::collect) const OUTCOMES: [&str; 11] = [
    "present",
    "unchanged",
    "absent",
    "not_applicable",
    "hidden",
    "forbidden",
    "unauthenticated",
    "throttled",
    "out_of_retention",
    "retry",
    "error",
];
