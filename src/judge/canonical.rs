//! Canonical JSON of small statements with ASCII keys and whole numbers, as digests need it (RFC 8785).
//!
//! It does not sort keys outside ASCII by UTF-16 and writes no floats: nothing that is digested here has any.

use serde_json::Value;

/// The canonical bytes of `value`.
pub(crate) fn canonical(value: &Value) -> Vec<u8> {
    let mut to = Vec::new();
    write(value, &mut to);
    to
}

fn write(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => to.extend_from_slice(value.to_string().as_bytes()),
        Value::String(text) => string(text, to),
        Value::Array(values) => {
            to.push(b'[');
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    to.push(b',');
                }
                write(value, to);
            }
            to.push(b']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            to.push(b'{');
            for (i, (key, value)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    to.push(b',');
                }
                string(key, to);
                to.push(b':');
                write(value, to);
            }
            to.push(b'}');
        }
    }
}

/// `serde_json` escapes exactly what RFC 8785 escapes, in the same way.
fn string(text: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(Value::from(text).to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_space_do_not_matter_and_escapes_are_the_shortest() {
        let read = |text: &str| canonical(&serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{ "b": [1, -2, null], "a": {"d":true,"c":"\u00e9\u0001\n\/"} }"#), {
            r#"{"a":{"c":"é\u0001\n/","d":true},"b":[1,-2,null]}"#.as_bytes()
        });
    }
}
