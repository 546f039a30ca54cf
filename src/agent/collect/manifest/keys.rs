//! Every section and key of a manifest: its kind, its default, one sentence. The reader knows no other keys, and the
//! JSON Schema and the reference page are made from these lines (`schema`), so none can say what another does not.

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
        must("kind", Kind::Word(&["HttpCollector"]), "The kind of collector."),
        must("metadata", Kind::Section(&METADATA), "What the collector is."),
        may("contract", Kind::Section(&CONTRACT), "The vendor's description that it is written against."),
        must(
            "connection",
            Kind::Section(&CONNECTION),
            "Where the source is, and what is sent with every request.",
        ),
        may(
            "permissions",
            Kind::Section(&PERMISSIONS),
            "What the credential has to be granted, and must not be.",
        ),
        may("schedule", Kind::Section(&SCHEDULE), "When it runs unless the configuration says otherwise."),
        may("limits", Kind::Section(&LIMITS), "The bounds of one run."),
        may("receipts", Kind::Section(&RECEIPTS), "Which response headers are kept."),
        must(
            "outcomes",
            Kind::List(&Kind::Section(&OUTCOME)),
            "What answers mean: the first that matches; what none matches is an error.",
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
        may("headers", Kind::Map(&Kind::Text), "Headers of every request; never `authorization` or `host`."),
        may("params", Kind::List(&NAME), "What the configuration must give; `{name}` in templates."),
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
    ],
};

pub(in crate::collect) static LIMITS: Section = Section {
    name: "limits",
    about: "The bounds of one run. Reaching one ends the run's requests, and is a reason in the record.",
    keys: &[
        or("concurrency", Kind::Number(1, 64), "1", "Requests at the same time."),
        or("requests_max", Kind::Number(1, 10_000_000), "20000", "Requests, retries and redirects included."),
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
        must(
            "status",
            Kind::Either(&[Kind::Number(100, 599), Kind::List(&Kind::Number(100, 599))]),
            "Any of these.",
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

pub(in crate::collect) static STEP_KEYS: Section = Section {
    name: "step",
    about: "One kind of request: asked once, or for each record of an earlier step.",
    keys: &[
        must("id", NAME, "Its name."),
        may("for_each", Kind::Section(&FOR_EACH), "Asked for each record of an earlier step."),
        must(
            "get",
            TEMPLATE,
            "The path, beginning with `/`; `{parameter}` or `{alias.path}`, every value percent-encoded.",
        ),
        may("query", Kind::Map(&TEMPLATE), "The query."),
        may("paginate", Kind::Section(&PAGINATE), "How further pages are found."),
        must(
            "records",
            Kind::Either(&[Kind::Word(&["one", "list", "count"]), Kind::Section(&RECORDS)]),
            "What the body is: one record, a list of records, or their number.",
        ),
        may("key", PATH, "The immutable id of a record."),
        may(
            "project",
            Kind::List(&Kind::Either(&[PATH, Kind::Section(&WANTED)])),
            "What is kept of a record, in this order. Needed, except with `records: count`.",
        ),
        may(
            "require",
            Kind::List(&PATH),
            "Fields that must be there and not null, else the credential is not enough (`forbidden`).",
        ),
        may(
            "redact",
            Kind::List(&Kind::Section(&REDACT)),
            "What is covered before anything is hashed, kept or looked at.",
        ),
        may(
            "outcomes",
            Kind::List(&Kind::Section(&OUTCOME)),
            "Its own outcomes; they come before the manifest's.",
        ),
        may("window", Kind::Section(&WINDOW), "What of a list lies in the run's window."),
        may(
            "complete",
            Kind::List(&Kind::Either(&[
                Kind::Word(&["terminal_page", "unique_keys"]),
                Kind::Section(&PROOF),
            ])),
            "What the completeness of the list rests on; without any, it is unknown.",
        ),
        may("needs", Kind::Text, "In words: what a credential needs for it."),
        may("caveat", Kind::Text, "In words: what the source does not tell."),
    ],
};

pub(in crate::collect) static FOR_EACH: Section = Section {
    name: "for_each",
    about: "A step is asked for each record of an earlier one.",
    keys: &[
        must("in", STEP, "The earlier step."),
        must("as", NAME, "What templates call the record."),
        may(
            "where",
            FILTER,
            "Records that it is asked for: a jq expression, a condition, or a list of them. Only a clear no leaves a record out; what is not known is asked about.",
        ),
    ],
};

const FILTER: Kind = Kind::Either(&[
    EXPR,
    Kind::Section(&CONDITION),
    Kind::List(&Kind::Either(&[EXPR, Kind::Section(&CONDITION)])),
]);
const CONDITIONS: Kind = Kind::Either(&[Kind::Section(&CONDITION), Kind::List(&Kind::Section(&CONDITION))]);

pub(in crate::collect) static CONDITION: Section = Section {
    name: "condition",
    about: "Exactly one test of one value. A value that is not there makes it neither true nor false.",
    keys: &[
        must("path", PATH, "The value."),
        may("is", Kind::Scalar, "It is this."),
        may("in", Kind::Word(&["window"]), "It is an instant within the run's window."),
        may("before", Kind::Word(&["window.from"]), "It is an instant before the window."),
    ],
};

pub(in crate::collect) static PAGINATE: Section = Section {
    name: "paginate",
    about: "How further pages are found.",
    keys: &[
        must("link", Kind::Text, "The relation of the next page in the `Link` header."),
        may("size", Kind::Section(&SIZE), "The page size."),
        or("pages_max", Kind::Number(1, 10_000), "1000", "Most pages of one list."),
        may(
            "cap",
            Kind::Number(1, 4_294_967_295),
            "The source never returns more records than this, and does not say so.",
        ),
    ],
};

pub(in crate::collect) static SIZE: Section = Section {
    name: "size",
    about: "How many records a page has.",
    keys: &[
        must("param", Kind::Text, "The query parameter."),
        must("value", Kind::Number(1, 10_000), "Its value."),
    ],
};

pub(in crate::collect) static RECORDS: Section = Section {
    name: "records",
    about: "Where in the body the records are: one of the two.",
    keys: &[
        may("at", PATH, "The list."),
        may("count", PATH, "Their number; the record then has the one member `count`."),
    ],
};

pub(in crate::collect) static WANTED: Section = Section {
    name: "wanted",
    about: "A value that is not kept as it is.",
    keys: &[
        must("path", PATH, "Where it stands; with `expr`, a new name."),
        may("lines", Kind::Text, "Of a text, only the lines that begin so."),
        may(
            "expr",
            EXPR,
            "The answer to a jq expression about the record; left out if there is no single answer.",
        ),
    ],
};

pub(in crate::collect) static REDACT: Section = Section {
    name: "redact",
    about: "Exactly one cover. Paths begin at the body, pass through lists, and may begin with `**` for any depth.",
    keys: &[
        may("drop", Kind::Form("anywhere"), "Replaced by null."),
        may("mask", Kind::Form("anywhere"), "Replaced by `\"[masked]\"`."),
        may(
            "hmac",
            Kind::Form("anywhere"),
            "Replaced by a keyed pseudonym: the same value has the same one everywhere in the estate.",
        ),
        may(
            "length",
            Kind::Form("anywhere"),
            "Replaced by its length: characters of a text, bytes of anything else.",
        ),
        or(
            "type",
            NAME,
            "value",
            "With `hmac`: what it is a pseudonym of; of a `person`, case and outer blanks do not count.",
        ),
    ],
};

pub(in crate::collect) static WINDOW: Section = Section {
    name: "window",
    about: "What of a list lies in the run's window.",
    keys: &[
        may(
            "stop_when",
            Kind::Section(&CONDITION),
            "Records come sorted by this value, newest first: once it holds, nothing further lies in the window.",
        ),
        must("keep_when", CONDITIONS, "The records that are kept: all must hold, or not be known."),
        may(
            "reach",
            Kind::List(&Kind::Section(&REACH)),
            "How far the source reaches back, nearest first; without, all the way.",
        ),
    ],
};

pub(in crate::collect) static REACH: Section = Section {
    name: "reach",
    about: "One reach of the source.",
    keys: &[
        must("within_ms", Kind::Number(1, 1 << 40), "From the run's start back."),
        may("query", Kind::Map(&TEMPLATE), "What must be asked for to reach so far."),
    ],
};

pub(in crate::collect) static PROOF: Section = Section {
    name: "proof",
    about: "Exactly one count of the source's own, compared with the records that were read.",
    keys: &[
        may("equals", Kind::Section(&EQUALS), "What another step says."),
        may("total", Kind::Section(&TOTAL), "What each page of the list says."),
        may("header_total", HEADER, "What a header of each page says."),
        may("count_request", STEP, "What a step with `records: count` says, asked as often as this one."),
    ],
};

pub(in crate::collect) static EQUALS: Section = Section {
    name: "equals",
    about: "What another step says: exactly one of `sum` and `expr`.",
    keys: &[
        must("from", STEP, "A step with one record and no `for_each`."),
        may("sum", Kind::List(&PATH), "The sum of these fields."),
        may("expr", EXPR, "The answer to a jq expression about the record."),
        or(
            "tolerance",
            Kind::Number(0, 1_000_000),
            "0",
            "How far apart the two may be without contradiction; only equal ones are a proof.",
        ),
    ],
};

pub(in crate::collect) static TOTAL: Section = Section {
    name: "total",
    about: "A count in the body of each page.",
    keys: &[must("at", PATH, "Where it stands.")],
};

pub(in crate::collect) static POPULATION: Section = Section {
    name: "population",
    about: "Rows for one kind of thing.",
    keys: &[
        must("type", NAME, "The item type."),
        must("of", STEP, "The step whose records are the rows; it needs a key."),
        must("scope", PLACE, "The source's immutable id: step.path."),
        must("name", TEMPLATE, "How people call a row; becomes `_name`."),
        may("at", PATH, "Events only: when it happened; becomes `_at`."),
        may("horizon", PLACE, "Who can see this field can see everything."),
        may(
            "join",
            Kind::Map(&Kind::Section(&JOIN)),
            "What is put beside the record, by the key in the row.",
        ),
    ],
};

pub(in crate::collect) static JOIN: Section = Section {
    name: "join",
    about: "Records of another step beside a row: all of them as a list, unless a key says otherwise.",
    keys: &[
        must("step", STEP, "The step: for each record of this population, or without `for_each`."),
        or("one", Kind::Truth, "false", "Its one record, as an object."),
        may("on", PATH, "The record whose key equals this value of the row."),
        may("as", Kind::Word(&["flag"]), "With `on`: only whether there is one."),
    ],
};
