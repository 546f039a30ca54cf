//! Expressions in the language of jq, by jaq: a question about one record, answered from the record alone.
//!
//! What may be written is decided by `bound` when the manifest is read. Nothing here reads a clock, the environment or
//! another record, and an expression that fails, or has no single answer, is "not known": never false.

mod bound;
mod value;

use std::{fmt, sync::Arc};

use jaq_core::{
    Compiler, Ctx, Filter, Vars,
    data::JustLut,
    load::{Arena, File, Loader, parse},
    native::Fun,
    unwrap_valr,
};
use jaq_json::Val;

use super::{
    project::Mark,
    scan::{Kind, Value},
};

/// Largest record that an expression is asked about, in bytes.
const INPUT_BYTES_MAX: usize = 131_072;

/// What the allowed names mean, in terms of [`NATIVES`]. A `length` of numbers is left out: it means something else.
const PRELUDE: &str = r#"
def true: 0 == 0;
def false: 0 != 0;
def null: [][0];
def empty: [][];
def not: if . then false else true end;
def select(f): if f then . else empty end;
def values: select(. != null);
def map(f): [.[] | f];
def length: if . > true and . < "" then error_empty else length_of end;
def keys: keys_unsorted | sort;
def to_entries: [key_values[] | { key: .[0], value: .[1] }];
def tostring: "\(.)";
def first: .[0];
def last: .[-1];
def min: sort | .[0];
def max: sort | .[-1];
def unique: [group_by(.)[] | .[0]];
def add: reduce .[] as $x (null; . + $x);
def any(g; c): first((g | select(c) | true), false);
def all(g; c): first((g | select(c | not) | false), true);
def any(c): any(.[]; c);
def all(c): all(.[]; c);
def any: any(.[]; .);
def all: all(.[]; .);
def type: if . == null then "null" elif . == true or . == false then "boolean" elif . < "" then "number"
  elif . < [] then "string" elif . < {} then "array" else "object" end;
"#;

/// The functions of jaq that the prelude and expressions use, and the names by which they do.
const NATIVES: [(&str, usize, &str); 22] = [
    ("error_empty", 0, "error_empty"),
    ("keys_unsorted", 0, "keys_unsorted"),
    ("key_values", 0, "key_values"),
    ("first", 1, "first"),
    ("floor", 0, "floor"),
    ("ceil", 0, "ceil"),
    ("round", 0, "round"),
    ("ascii_downcase", 0, "ascii_downcase"),
    ("ascii_upcase", 0, "ascii_upcase"),
    ("reverse", 0, "reverse"),
    ("sort", 0, "sort"),
    ("group_by", 1, "group_by"),
    ("startswith", 1, "startswith"),
    ("endswith", 1, "endswith"),
    ("ltrimstr", 1, "ltrimstr"),
    ("rtrimstr", 1, "rtrimstr"),
    ("trim", 0, "trim"),
    ("length", 0, "length_of"),
    ("contains", 1, "contains"),
    ("has", 1, "has"),
    ("tonumber", 0, "tonumber"),
    ("split", 1, "split"),
];

type Data = JustLut<Val>;

/// An expression that may be asked.
#[derive(Clone)]
pub(super) struct Expr(Arc<Inner>);

struct Inner {
    source: String,
    filter: Filter<Data>,
}

impl Expr {
    /// Reads an expression; what is wrong with it if it is none, or is one that a manifest may not have.
    pub(super) fn read(source: &str) -> Result<Self, String> {
        bound::check(source)?;
        let arena = Arena::default();
        let prelude = parse(PRELUDE, |parser| parser.defs()).unwrap_or_default();
        let loader = Loader::new(prelude);
        let program = File { code: source, path: () };
        let modules = loader.load(&arena, program).map_err(|_errors| "not an expression of jq".to_owned())?;
        let compiled = Compiler::default().with_funs(natives()).compile(modules);
        let filter = compiled.map_err(|_errors| "not an expression that can be evaluated".to_owned())?;
        Ok(Self(Arc::new(Inner { source: source.to_owned(), filter })))
    }

    /// As it stands in the manifest.
    pub(super) fn source(&self) -> &str {
        &self.0.source
    }

    /// The answer as one value; missing if there is none, or more than one.
    pub(super) fn mark(&self, record: Value<'_>) -> Mark {
        self.answer(record).as_ref().map_or(Mark::Missing, value::mark)
    }

    /// Appends the answer as JSON; false, and nothing, if there is no single answer that JSON can say.
    pub(super) fn write(&self, record: Value<'_>, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        let written = self.answer(record).is_some_and(|answer| value::write(&answer, out).is_some());
        if !written {
            out.truncate(before);
        }
        written
    }

    fn answer(&self, record: Value<'_>) -> Option<Val> {
        if record.raw().len() > INPUT_BYTES_MAX {
            return None;
        }
        let filter = &self.0.filter;
        let context = Ctx::<Data>::new(&filter.lut, Vars::new([]));
        let mut answers = filter.id.run((context, value::read(record))).map(unwrap_valr);
        let first = answers.next()?.ok()?;
        answers.next().is_none().then_some(first)
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Expr {}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expr").field(&self.source()).finish()
    }
}

/// What may be written, for the reference page.
pub(super) fn reference() -> String {
    let (plain, literal) = bound::names();
    let code = |names: Vec<&str>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    format!(
        "\n## expression\nAn expression of jq about one record. Paths (`.a.b`, `.a[0]`, `.a[1:3]`, `.a[]`, `?`), literals, \
         `[...]`, `{{...}}` with literal keys, `\"\\(...)\"`, `|`, `,`, `//`, `and`, `or`, `+`, `-`, `/`, comparisons, \
         `if`, `try`, and these functions: {}; with a literal: {}; with expressions: `select(c)`, `map(f)`, `first(f)`, \
         `any(c)`, `all(c)`, `any(g; c)`, `all(g; c)`.\n\nEverything else is refused when the manifest is read: variables, \
         definitions, loops, recursion, assignment, `*`, `%`, whatever reads a clock or the environment, combinations of \
         what may be several values (`.[] + .[]`), and what could come to too much. At most 1000 bytes. A record above \
         {INPUT_BYTES_MAX} bytes has no answer. Where an expression fails, has no answer or has several, the answer is \
         not known, which is never \"no\".\n",
        code(plain),
        code(literal),
    )
}

/// The functions by their names here; what is not in [`NATIVES`] does not exist.
fn natives() -> impl Iterator<Item = Fun<Data>> {
    let all = jaq_core::funs().chain(jaq_std::base_funs()).chain(jaq_json::funs()).chain(value::funs());
    all.filter_map(|(name, args, run)| {
        let named = NATIVES.iter().find(|(theirs, arity, _)| *theirs == name && *arity == args.len());
        named.map(|(_, _, ours)| (*ours, args, run))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::scan::Tape;

    fn ask(source: &str, record: &str) -> Option<String> {
        let expr = Expr::read(source).unwrap_or_else(|why| panic!("{source}: {why}"));
        let tape = Tape::read(record.as_bytes()).unwrap();
        let mut out = Vec::new();
        expr.write(tape.root(), &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn answers_as_jq_does() {
        let record = r#"{"a":{"b":[3,1.50,"x\u0041"]},"n":null,"t":true,"id":12345678901234567890,
            "teams":[{"slug":"dev","role":"read"},{"slug":"ops","role":"admin"}]}"#;
        for (source, answer) in [
            (".a.b[0] + (.gone // 0)", "3"),
            (".a.b[1]", "1.50"),
            (".a.b[-1]", "\"xA\""),
            (".id", "12345678901234567890"),
            (".id + 1", "12345678901234567891"),
            ("[.teams[] | select(.role == \"admin\") | .slug]", "[\"ops\"]"),
            (".teams | any(.role == \"admin\")", "true"),
            ("all(.teams[]; .slug | length == 3)", "true"),
            ("any(.teams[]; .slug | startswith(\"z\"))", "false"),
            (".t and (.n | not)", "true"),
            (
                "{slugs: (.teams | map(.slug) | unique), n: (.teams | length)}",
                r#"{"slugs":["dev","ops"],"n":2}"#,
            ),
            (".teams | map(.slug | length) | add", "6"),
            ("\"7\" | tonumber", "7"),
            ("\"a/b\" | split(\"/\") | last", "\"b\""),
            ("if .t then \"yes\" elif .n then \"no\" else . end", "\"yes\""),
            (".teams[0] | to_entries | map(.key)", r#"["slug","role"]"#),
            ("keys | first", "\"a\""),
            (".a.b | map(type)", r#"["number","number","string"]"#),
            ("[.a.b[]?, .t[]?] | length", "3"),
            ("3 / 2", "1.5"),
            ("4 / 2", "2"),
            ("\"\\(.teams[0].slug)-\\(.a.b[0])\"", "\"dev-3\""),
            ("[.a.b[] | tostring]", r#"["3","1.50","xA"]"#),
            (".teams | min | .slug", "\"ops\""),
            ("1.5 | floor", "1"),
            ("has(\"a\") and (has(\"z\") | not)", "true"),
            ("try (.t | length) // \"none\"", "\"none\""),
        ] {
            assert_eq!(ask(source, record).as_deref(), Some(answer), "{source}");
        }
    }

    #[test]
    fn what_has_no_single_answer_is_not_known() {
        for source in
            [".a[]", ".b.c", "empty", ".a | tonumber", "1 / 0", ".n | length", "[0 / 0]", ".a | split(\",\")"]
        {
            assert_eq!(ask(source, r#"{"a":[1,2],"b":7,"n":-9223372036854775808}"#), None, "{source}");
        }
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(INPUT_BYTES_MAX));
        assert_eq!(ask(".a | length", &large), None);
    }

    /// Whatever is allowed is done with the largest record in the time that somebody waits for a page.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "how long it really takes is the question")]
    fn the_worst_that_is_allowed_ends_soon() {
        let fill = |element: &str| {
            let n = INPUT_BYTES_MAX / (element.len() + 1) - 2;
            format!("[{}]", vec![element; n].join(","))
        };
        let giant = format!("[{},{}]", vec!["{\"a\":1}"; 8000].join(","), {
            let members: Vec<_> = (0..5000).map(|i| format!("\"{i}\":1")).collect();
            format!("{{{}}}", members.join(","))
        });
        for (record, source) in [
            (fill("\"ab\""), "add | length"),
            (fill("\"ab\""), "map(. / \"\") | add | add"),
            (fill("[1]"), "add"),
            (fill("7"), "map(tostring) | add | split(\"\") | unique | length"),
            (fill("7"), ". - ."),
            (fill("{}"), ". - . | sort | unique"),
            (giant, "(. - map(.a)) | unique"),
            (fill("7"), "map([.,.,.,.]) | map(add) | sort"),
            (fill("\"\""), "tostring | tostring"),
        ] {
            let started = std::time::Instant::now();
            ask(source, &record);
            let took = started.elapsed();
            assert!(took.as_secs() < 20, "{source} took {took:?}");
        }
        let longest = ["1", ".a", "(1)", "."].map(|term| vec![term; 1000 / (term.len() + 1)]);
        for terms in longest {
            for between in ["|", ",", "+"] {
                if let Ok(expr) = Expr::read(&terms.join(between)) {
                    expr.mark(Tape::read(b"{}").unwrap().root());
                }
            }
        }
    }
}
