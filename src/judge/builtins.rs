//! What a policy may call of Rego's built-in functions: a closed list, so that nothing new comes in unread.
//!
//! It says only which and why not; [`crate::source`] finds the calls. Each function here is a pure, bounded function
//! of its arguments, but for `time.now_ns`, which is answered with the run's `as_of`.

/// May be called.
pub(crate) const ALLOWED: &[&str] = &[
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "base64.decode",
    "base64.encode",
    "base64.is_valid",
    "bits.and",
    "bits.negate",
    "bits.or",
    "bits.rsh",
    "bits.xor",
    "ceil",
    "concat",
    "contains",
    "count",
    "endswith",
    "floor",
    "format_int",
    "glob.match",
    "glob.quote_meta",
    "indexof",
    "indexof_n",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "json.filter",
    "json.is_valid",
    "json.marshal",
    "json.remove",
    "json.unmarshal",
    "lower",
    "max",
    "min",
    "object.filter",
    "object.get",
    "object.keys",
    "object.remove",
    "object.subset",
    "object.union",
    "object.union_n",
    "product",
    "regex.find_all_string_submatch_n",
    "regex.find_n",
    "regex.is_valid",
    "regex.match",
    "regex.replace",
    "regex.split",
    "regex.template_match",
    "replace",
    "round",
    "semver.compare",
    "semver.is_valid",
    "sort",
    "split",
    "sprintf",
    "startswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "strings.count",
    "strings.replace_n",
    "strings.reverse",
    "substring",
    "sum",
    "time.add_date",
    "time.clock",
    "time.date",
    "time.diff",
    "time.format",
    NOW_NS,
    "time.parse_duration_ns",
    "time.parse_ns",
    "time.parse_rfc3339_ns",
    "time.weekday",
    "to_number",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
    "units.parse",
    "units.parse_bytes",
    "upper",
    "walk",
];

/// The clock, answered with the run's `as_of`.
pub(crate) const NOW_NS: &str = "time.now_ns";

/// May not even be named, and why. A name that ends in a dot stands for all that begin with it.
const REFUSED: &[(&str, &str)] = &[
    ("http.", "a policy reads no network: what it needs comes as a row or a joined population"),
    ("net.", "a policy reads no network: what it needs comes as a row or a joined population"),
    ("rand.", "a policy is re-performed bit for bit: chance has no place in it"),
    ("uuid.", "a policy is re-performed bit for bit: chance has no place in it"),
    ("opa.runtime", "the machine and its environment are no evidence: use `input.params`"),
    ("trace", "a policy has no side effects: use `messages contains ...`"),
    ("print", "a policy has no side effects: use `messages contains ...`"),
    ("numbers.range", "its memory has no bound: iterate over what is in the row"),
    ("numbers.range_step", "its memory has no bound: iterate over what is in the row"),
    ("bits.lsh", "its memory has no bound"),
];

/// Why `name` may not be named at all; `None` if it may.
pub(crate) fn refused(name: &str) -> Option<&'static str> {
    let hits = |refused: &str| match refused.strip_suffix('.') {
        Some(root) => name.strip_prefix(root).is_some_and(|rest| rest.starts_with('.')),
        None => name == refused,
    };
    REFUSED.iter().find(|(refused, _)| hits(refused)).map(|(_, why)| *why)
}

/// Regorus's own built-in functions by name.
pub(crate) fn exists(name: &str) -> bool {
    name == "walk" || regorus::unstable::BUILTINS.contains_key(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_engine_was_decided_upon() {
        let internal = ["__builtin_sets.intersection", "__builtin_sets.union", "json.marshal_with_options"];
        for name in regorus::unstable::BUILTINS.keys() {
            let decided = ALLOWED.contains(name) || refused(name).is_some() || internal.contains(name);
            assert!(decided, "{name} is new: allow or refuse it");
        }
        for name in ALLOWED {
            assert!(exists(name), "{name} is not there");
            assert_eq!(refused(name), None);
        }
        assert!(refused("http.send").is_some() && refused("https.send").is_none());
    }
}
