//! The sections of `steps` and `populations`, with all that stands inside them.

use super::{EXPR, HEADER, Kind, NAME, OUTCOME, PATH, PLACE, STEP, Section, TEMPLATE, may, must, or};

pub(in crate::collect) static STEP_KEYS: Section = Section {
    name: "step",
    about: "One kind of request: asked once, or for each record of an earlier step.",
    keys: &[
        must("id", NAME, "Its name."),
        may("for_each", Kind::Section(&FOR_EACH), "Asked for each record of an earlier step."),
        may(
            "get",
            TEMPLATE,
            "The path, beginning with `/`; `{parameter}` or `{alias.path}`, every value percent-encoded. Exactly one of \
             `get`, `post`, `graphql`, `inside`, `table` and `ldap`.",
        ),
        may("post", TEMPLATE, "The path of a POST that reads; it needs `safe_post`."),
        may(
            "service",
            Kind::Form("word"),
            "With `connection.aws`: another service of the source's region that is asked, at `https://SERVICE.{region}.amazonaws.com` \
             unless the configuration names one address for all.",
        ),
        may(
            "safe_post",
            Kind::Truth,
            "With `post`, always `true`: the author's word that it reads and changes nothing.",
        ),
        may("graphql", TEMPLATE, "The path that the document `query` is posted to."),
        may(
            "inside",
            PATH,
            "Nothing is sent: with `for_each`, the records are this list of the record, a line of `nested` there.",
        ),
        may(
            "table",
            Kind::Map(&Kind::Section(&COLUMN)),
            "Of a `FileCollector`: the columns of its file (CSV, RFC 4180), by their names in the head. Each row has the member \
             `signed_by` too: who signed the file, or null.",
        ),
        may("ldap", Kind::Section(&SEARCH), "Of an `LdapCollector`: what is looked for in the directory."),
        may(
            "query",
            Kind::Either(&[Kind::Map(&TEMPLATE), Kind::Text]),
            "The query; with `graphql`, the document: one query.",
        ),
        may(
            "body",
            Kind::Json,
            "With `post`: what is posted. A text that is one place and nothing else takes the value's own type.",
        ),
        may(
            "form",
            Kind::Map(&TEMPLATE),
            "With `post`, instead of `body`: the fields of a form that is posted.",
        ),
        may(
            "headers",
            Kind::Map(&TEMPLATE),
            "Headers of its own, beside the connection's; never `authorization` or `host`. `content-type` says what a `body` is, where it is not `application/json`.",
        ),
        may(
            "decode",
            Kind::Word(&["json", "ndjson", "csv", "xml"]),
            "How answers are written. Paths speak of the JSON that is made of them, and that is what is kept: of `ndjson` the list of its lines, of `csv` a list of objects by its head, of `xml` the outermost element's content, elements as objects and texts as texts. `json` unless given.",
        ),
        may(
            "lists",
            Kind::List(&PATH),
            "With `xml`: elements that may come more than once, or not at all; any other that comes twice is an error.",
        ),
        may(
            "variables",
            Kind::Map(&Kind::Json),
            "With `graphql`: values of the document's variables, as in `body`.",
        ),
        may("paginate", Kind::Section(&PAGINATE), "How further pages are found."),
        may(
            "records",
            Kind::Either(&[Kind::Word(&["one", "list", "count"]), Kind::Section(&RECORDS)]),
            "What the body is: one record, a list of records, or their number. Needed, except with `inside` and `ldap`.",
        ),
        may(
            "nested",
            Kind::List(&Kind::Section(&NESTED)),
            "With `graphql`: every list inside of a record. A row whose list stays short is unknown.",
        ),
        may(
            "key",
            Kind::Either(&[PATH, Kind::List(&PATH)]),
            "The immutable id of a record; a list of values that are one only together.",
        ),
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

pub(in crate::collect) static SEARCH: Section = Section {
    name: "search",
    about: "A search in a directory (RFC 4511 section 4.5). Its records are the entries, each with `dn` and its attributes, called and ordered \
            as here; with `scope: base` it is one record. An attribute that does not come is left out: a directory does not say whether it \
            has none or does not show it.",
    keys: &[
        may(
            "base",
            TEMPLATE,
            "Below which name. A place behind `=` is a value and escaped (RFC 4514), one between commas is a name. Without it the root of the \
             directory itself is read, which tells what it is.",
        ),
        must(
            "scope",
            Kind::Word(&["base", "one", "sub"]),
            "The entry alone, those directly below it, or it and all below it.",
        ),
        must("filter", TEMPLATE, "Which entries (RFC 4515); a value in a place is escaped."),
        must(
            "attributes",
            Kind::Map(&Kind::Word(&["text", "texts", "base64", "guid", "sid"])),
            "What is asked for, and nothing else: one text, a list of texts, bytes in base64, or the ids of Active Directory as it writes them. \
             Several values of what should be one are a list, in the order of their bytes; an attribute that comes in ranges is asked for to its end.",
        ),
        may(
            "page_size",
            Kind::Number(1, 5000),
            "Entries of a page (RFC 2696); without it the list is asked for at once.",
        ),
        or("pages_max", Kind::Number(1, 10_000), "1000", "Most pages of one list."),
        may(
            "elsewhere",
            Kind::List(&Kind::Text),
            "Beginnings of names that may lie in another directory because nothing that is looked for is there. Any other part of the tree that lies \
             elsewhere leaves the list partial.",
        ),
    ],
};

pub(in crate::collect) static COLUMN: Section = Section {
    name: "column",
    about: "A column of a file. What a cell leaves empty, its row lacks; a file with any fault is an error, and nothing of it is taken.",
    keys: &[
        must(
            "is",
            Kind::Either(&[
                Kind::Word(&["text", "words", "email", "account", "date", "instant", "number", "truth"]),
                Kind::List(&Kind::Text),
            ]),
            "What its cells hold; or a list of the words that they may hold. `words` become a list. An `account` is a login, or an \
             e-mail address, which then is the member `<name>_email`, so that it can be covered.",
        ),
        or("need", Kind::Truth, "false", "Must each cell hold something?"),
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
        may(
            "max",
            Kind::Number(1, 1_000_000),
            "Records that it is asked for at most. What is over it is an error, and leaves its rows unknown and the list partial.",
        ),
    ],
};

const FILTER: Kind = Kind::Either(&[
    EXPR,
    Kind::Section(&CONDITION),
    Kind::List(&Kind::Either(&[EXPR, Kind::Section(&CONDITION)])),
]);
const MS: Kind = Kind::Number(1, 1 << 40);
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
    about: "How further pages are found: exactly one of the first six.",
    keys: &[
        may("link", Kind::Text, "The relation of the next page in the `Link` header."),
        may("body_link", PATH, "Where the body has the address of the next page."),
        may("cursor", Kind::Section(&CURSOR), "The next page is asked for with a value of this one."),
        may("page", Kind::Section(&COUNTED), "The next page is asked for by its number."),
        may("offset", Kind::Section(&COUNTED), "The next page is asked for by how many records came."),
        may(
            "connection",
            Kind::Text,
            "The variable of a GraphQL document that goes on with `records`, by its `pageInfo`; `totalCount` must agree.",
        ),
        or(
            "stop",
            Kind::Word(&["terminal", "empty_page", "short_page"]),
            "terminal",
            "The end: a page that names no further one, one without records, or one with fewer than `size`.",
        ),
        may("size", Kind::Section(&SIZE), "The page size."),
        or("pages_max", Kind::Number(1, 10_000), "1000", "Most pages of one list."),
        may(
            "cap",
            Kind::Number(1, 4_294_967_295),
            "The source never returns more records than this, and does not say so.",
        ),
    ],
};

pub(in crate::collect) static CURSOR: Section = Section {
    name: "cursor",
    about: "A value that the next page is asked for with: exactly one of `at` and `last`.",
    keys: &[
        may("at", PATH, "Where it stands in the body."),
        may("last", PATH, "Where it stands in the last record of the page."),
        may("more", PATH, "Where the body says `true` or `false`: is there more?"),
        must("param", Kind::Text, PARAM),
    ],
};

pub(in crate::collect) static COUNTED: Section = Section {
    name: "counted",
    about: "Pages, or records, are counted.",
    keys: &[
        must("param", Kind::Text, PARAM),
        may(
            "start",
            Kind::Number(0, 1),
            "The first one's number: 1 for pages and 0 for records unless given.",
        ),
    ],
};

const PARAM: &str = "The parameter: in the query of a GET, in the body of a POST (dotted), among the variables of a document.";

pub(in crate::collect) static NESTED: Section = Section {
    name: "nested",
    about: "A list inside of a record, as a GraphQL document asks for it.",
    keys: &[
        must("at", PATH, "Where it stands in the record."),
        may("on", Kind::Text, "The type of the node that it belongs to, by which it is gone on with."),
        may("id", PATH, "Where the record has that node's id; beside the list unless given."),
        may(
            "stop_when",
            Kind::Section(&CONDITION),
            "It comes sorted by this value, newest first, and is read until this holds. Only for a step that is `inside` it.",
        ),
    ],
};

pub(in crate::collect) static SIZE: Section = Section {
    name: "size",
    about: "How many records a page has.",
    keys: &[must("param", Kind::Text, PARAM), must("value", Kind::Number(1, 10_000), "Its value.")],
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
            "Replaced by a keyed pseudonym: the same value has the same one everywhere in the estate. Of a list, each value.",
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
        may(
            "having",
            Kind::Text,
            "Only values in which these words stand: `@` covers the addresses among values of every kind.",
        ),
    ],
};

pub(in crate::collect) static WINDOW: Section = Section {
    name: "window",
    about: "What of a list lies in the run's window.",
    keys: &[
        or(
            "mode",
            Kind::Word(&["snapshot", "rolling", "feed", "cursor", "delta"]),
            "rolling",
            "`snapshot`: no window, and no other key; `rolling`: read until it is past; `feed`: asked for with its bounds; \
             `cursor`, `delta`: gone on with where the run before ended.",
        ),
        may(
            "stop_when",
            Kind::Section(&CONDITION),
            "Records come sorted by this value, newest first: once it holds, nothing further lies in the window.",
        ),
        may(
            "keep_when",
            CONDITIONS,
            "The records that are kept: all must hold, or not be known. Needed when `rolling`.",
        ),
        may(
            "reach",
            Kind::List(&Kind::Section(&REACH)),
            "How far the source reaches back, nearest first; without, all the way.",
        ),
        may(
            "field",
            PATH,
            "Of a feed, needed: the record's own time; it is kept if that lies in the window.",
        ),
        may("state", Kind::Section(&STATE), "Of a cursor or delta, needed: where the next run goes on."),
        may(
            "start_param",
            Kind::Text,
            "Of a feed, needed: the parameter of the window's beginning. Of a delta, for its first reading.",
        ),
        may(
            "end_param",
            Kind::Text,
            "Of a feed: the parameter of its end; without, all until now is asked for.",
        ),
        or(
            "format",
            Kind::Word(&["rfc3339", "epoch_s", "epoch_ms"]),
            "rfc3339",
            "Of a feed or delta: how bounds are written.",
        ),
        may("overlap_ms", MS, "Of a feed: so much before the window is asked for too."),
        may("lag_ms", MS, "So long after an instant the source may still add what happened then."),
        may(
            "retention_ms",
            MS,
            "How long the source keeps what happened; what began earlier is out of retention.",
        ),
        or(
            "alarm_at_percent",
            Kind::Number(1, 100),
            "50",
            "With `retention_ms`: a window that began earlier than this share of it is a reason in the run's record.",
        ),
    ],
};

pub(in crate::collect) static STATE: Section = Section {
    name: "state",
    about: "Where the next run goes on: a word of the vendor's in the body of the last page. Headers are not kept with the evidence.",
    keys: &[
        must("at", PATH, "Where it stands: of a delta an address, of a cursor a value."),
        may("param", Kind::Text, "Of a cursor, needed: the parameter that it is asked for with."),
    ],
};

pub(in crate::collect) static REACH: Section = Section {
    name: "reach",
    about: "One reach of the source.",
    keys: &[
        must("within_ms", MS, "From the run's start back."),
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
        must(
            "scope",
            Kind::Either(&[PLACE, Kind::Word(&["*"])]),
            "The source's immutable id: step.path. `*`: what is the same in every source, such as a person; a key that is a \
             pseudonym then names its own item.",
        ),
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
