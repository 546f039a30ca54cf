//! JSON that is sent: written as YAML in a manifest, with places to fill in its text values.
//!
//! A text that is nothing but one place takes the value's own type; in any other, the value is written as words.

use serde_json::Value;

use super::template::{Slot, Template, Unfilled};

/// A JSON value with places.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// As it stands.
    Fixed(Value),
    /// Text with places.
    Text(Template),
    /// An array.
    List(Vec<Body>),
    /// An object, in the manifest's order.
    Map(Vec<(String, Body)>),
}

impl Body {
    /// An object without members.
    pub(super) const fn empty() -> Self {
        Self::Map(Vec::new())
    }

    /// Every text with places, in order.
    pub(super) fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::Text(template) => vec![template],
            Self::List(list) => list.iter().flat_map(Self::templates).collect(),
            Self::Map(map) => map.iter().flat_map(|(_, value)| value.templates()).collect(),
        }
    }

    /// Fills it; every value that was put in is also appended to `values`, as words. Depth is bounded by the manifest's.
    pub(super) fn fill(
        &self,
        values: &mut Vec<String>,
        look_up: &dyn Fn(&Slot) -> Option<Value>,
    ) -> Result<Value, Unfilled> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Text(template) => match template.only_slot() {
                Some(slot) => {
                    let value = look_up(slot).ok_or(Unfilled::Missing)?;
                    values.push(word(&value)?);
                    value
                }
                None => Value::String(template.plain(values, |slot| word(&look_up(slot)?).ok())?),
            },
            Self::List(list) => {
                list.iter().map(|body| body.fill(values, look_up)).collect::<Result<Vec<_>, _>>()?.into()
            }
            Self::Map(map) => Value::Object(
                map.iter()
                    .map(|(name, body)| Ok((name.clone(), body.fill(values, look_up)?)))
                    .collect::<Result<_, _>>()?,
            ),
        })
    }
}

/// One value as words; lists and objects have none.
pub(super) fn word(value: &Value) -> Result<String, Unfilled> {
    let word = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => return Err(Unfilled::Missing),
    };
    if word.contains(char::is_control) { Err(Unfilled::Unsafe) } else { Ok(word) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(text: &str) -> Body {
        Body::Text(Template::read(text, &["repo"]).unwrap())
    }

    #[test]
    fn one_place_alone_keeps_its_type_and_among_words_is_written_out() {
        let body = Body::Map(vec![
            ("id".into(), text("{repo.id}")),
            ("q".into(), Body::List(vec![text("id:{repo.id}"), Body::Fixed(json!(1.5))])),
        ]);
        let mut values = Vec::new();
        let look_up = |_: &Slot| serde_json::from_str("12345678901234567890123").ok();
        let filled = body.fill(&mut values, &look_up).unwrap();
        let expected = r#"{"id":12345678901234567890123,"q":["id:12345678901234567890123",1.5]}"#;
        assert_eq!(filled.to_string(), expected);
        assert_eq!(values, ["12345678901234567890123", "12345678901234567890123"]);
        assert_eq!(body.fill(&mut values, &|_| None), Err(Unfilled::Missing));
        assert_eq!(body.fill(&mut values, &|_| Some(json!("a\u{0}"))), Err(Unfilled::Unsafe));
        assert_eq!(text("{org}").fill(&mut values, &|_| Some(json!([1]))), Err(Unfilled::Missing));
    }

    #[test]
    fn a_value_cannot_leave_its_place() {
        let filled = text("{org}!").fill(&mut Vec::new(), &|_| Some(json!("\"}],{")));
        assert_eq!(filled.unwrap().to_string(), r#""\"}],{!""#);
    }
}
