//! Writes JSON objects piece by piece, so that what is written once can be used in many bodies.
//!
//! It parses nothing and sorts nothing: keys stand in the order in which they were put.

use serde_json::Value;

/// A JSON object in the making.
#[derive(Debug)]
pub(super) struct Object(String);

impl Object {
    pub(super) fn new() -> Self {
        Self(String::from("{"))
    }

    /// A plain value.
    pub(super) fn put(self, key: &str, value: impl Into<Value>) -> Self {
        self.raw(key, &value.into().to_string())
    }

    /// A value that is JSON already.
    pub(super) fn raw(mut self, key: &str, json: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
        self.0.push_str(json);
        self
    }

    /// Links that begin alike: each key with `base` and its own end.
    pub(super) fn links(self, base: &str, ends: &[(&str, &str)]) -> Self {
        ends.iter().fold(self, |object, (key, end)| object.put(key, format!("{base}{end}")))
    }

    /// Keys without a value.
    pub(super) fn nulls(self, keys: &[&str]) -> Self {
        keys.iter().fold(self, |object, key| object.raw(key, "null"))
    }

    /// The same value under several keys.
    pub(super) fn each(self, keys: &[&str], value: impl Into<Value>) -> Self {
        let json = value.into().to_string();
        keys.iter().fold(self, |object, key| object.raw(key, &json))
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A JSON array of what is JSON already.
pub(super) fn array(items: &[String]) -> String {
    let mut text = String::with_capacity(2 + items.iter().map(|item| item.len() + 1).sum::<usize>());
    text.push('[');
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        text.push_str(item);
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_json() {
        let inner = Object::new().end();
        let text = Object::new().put("a", "x\"y").raw("b", &inner).nulls(&["c"]).each(&["d", "e"], 1).end();
        assert_eq!(text, r#"{"a":"x\"y","b":{},"c":null,"d":1,"e":1}"#);
        assert_eq!(array(&[text.clone(), inner]), format!("[{text},{{}}]"));
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
}
