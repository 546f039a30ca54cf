//! The JSON Schema and the reference page of manifests, both made from the sections and keys in `keys`.
//!
//! The schema says what an editor can check; what takes more than one place to see (a step that comes before, exactly one
//! of several keys) only the reader says.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::keys::{Key, Kind, MANIFEST, Section};

/// The page's words before its tables.
const PREFACE: &str = "# The keys of a manifest\n\n\
Made from the reader's own list of keys (`src/agent/collect/manifest/keys.rs`); `schema.json` says the same to editors. \
How collectors work is told in [README.md](README.md).\n\n\
Keys in **bold** must be there. Any other key is a fault.\n";

/// The page's words on what is text of a form.
const FORMS: [(&str, &str, &str); 15] = [
    ("name", "a-z, 0-9 and _, beginning with a letter, at most 64 characters", "^[a-z][a-z0-9_]{0,63}$"),
    ("id", "names of a-z and _ with dots between, like `github.branch_rules`", "^[a-z_]+(\\.[a-z_]+)+$"),
    (
        "path",
        "keys with dots between, outermost first, a dot inside of a key written `\\.`; lists on the way are passed through",
        "^[^.\\s]+(\\.[^.\\s]+)*$",
    ),
    ("anywhere", "a path that may begin with `**`, any depth", "^[^.\\s]+(\\.[^.\\s]+)*$"),
    ("template", "text with `{name}` or `{alias.path}`", ""),
    ("header", "a header's name", "^[A-Za-z0-9-]+$"),
    ("expression", "jq, as far as it surely ends soon: see below", ""),
    ("duration", "a number and a unit: `90s`, `30m`, `24h`, `7d`", "^[0-9]+[smhd]$"),
    ("step", "the id of a step that comes before", "^[a-z][a-z0-9_]{0,63}$"),
    ("place", "`step.path`, of a step with `records: one` and no `for_each`", "^[a-z][a-z0-9_]{0,63}\\..+$"),
    ("address", "https, without user, query or fragment", "^https://"),
    ("digest", "64 hexadecimal digits", "^[0-9a-f]{64}$"),
    ("word", "a-z, 0-9 and -, at most 32 characters", "^[a-z0-9-]{1,32}$"),
    ("cron", "five fields: minute, hour, day of month, month, day of week", "^\\S+( \\S+){4}$"),
    ("pattern", "text in which `*` stands for any characters", ""),
];

/// The JSON Schema (draft 2020-12) of a manifest.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    define(&MANIFEST, &mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Observance collector, collectors/v1",
        "$ref": "#/$defs/manifest",
        "$defs": definitions,
    })
}

/// The reference page, Markdown: every section with its keys.
pub fn reference() -> String {
    let mut page = PREFACE.to_owned();
    for section in sections() {
        let title = if section.name == "manifest" { "the file" } else { section.name };
        line(
            &mut page,
            &format!(
                "\n## {title}\n{}\n\n| key | what stands there | meaning |\n|---|---|---|",
                section.about
            ),
        );
        for key in section.keys {
            let name = if key.need { format!("**{}**", key.name) } else { key.name.to_owned() };
            let usual =
                if key.usual.is_empty() { String::new() } else { format!(" Otherwise {}.", key.usual) };
            line(&mut page, &format!("| {name} | {} | {}{usual} |", in_words(&key.kind), key.about));
        }
    }
    line(&mut page, "\n## Forms of text\n| form | what it is |\n|---|---|");
    for (name, about, _) in FORMS {
        line(&mut page, &format!("| {name} | {about} |"));
    }
    page.push_str(&super::super::expr::reference());
    page
}

/// Every section once, the file first, each after the one that names it.
fn sections() -> Vec<&'static Section> {
    let mut list = vec![&MANIFEST];
    let mut at = 0;
    // every section is finite and named once, so this ends
    while let Some(section) = list.get(at).copied() {
        let mut inner = Vec::new();
        section.keys.iter().for_each(|key| inside(&key.kind, &mut inner));
        for one in inner {
            if !list.iter().any(|known| known.name == one.name) {
                list.push(one);
            }
        }
        at += 1;
    }
    list
}

fn inside(kind: &'static Kind, out: &mut Vec<&'static Section>) {
    match kind {
        Kind::Section(section) => out.push(section),
        Kind::List(inner) | Kind::Map(inner) => inside(inner, out),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| inside(kind, out)),
        Kind::Text
        | Kind::Word(_)
        | Kind::Form(_)
        | Kind::Number(..)
        | Kind::Share
        | Kind::Truth
        | Kind::Scalar
        | Kind::Json => {}
    }
}

fn define(section: &'static Section, definitions: &mut Map<String, Value>) {
    if definitions.contains_key(section.name) {
        return;
    }
    definitions.insert(section.name.to_owned(), Value::Null);
    let mut properties = Map::new();
    for key in section.keys {
        properties.insert(key.name.to_owned(), property(key, definitions));
    }
    let required: Vec<_> = section.keys.iter().filter(|key| key.need).map(|key| key.name).collect();
    let definition = json!({
        "description": section.about, "type": "object", "properties": properties, "required": required,
        "additionalProperties": false,
    });
    definitions.insert(section.name.to_owned(), definition);
}

fn property(key: &'static Key, definitions: &mut Map<String, Value>) -> Value {
    let mut schema = of(&key.kind, definitions);
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), key.about.into());
        if !key.usual.is_empty() {
            members.insert("default".to_owned(), usual(key));
        }
    }
    schema
}

fn usual(key: &Key) -> Value {
    match key.kind {
        Kind::Number(..) | Kind::Share | Kind::Truth => {
            serde_json::from_str(key.usual).unwrap_or_else(|_| key.usual.into())
        }
        Kind::Text
        | Kind::Word(_)
        | Kind::Form(_)
        | Kind::Scalar
        | Kind::Json
        | Kind::Section(_)
        | Kind::List(_)
        | Kind::Map(_)
        | Kind::Either(_) => key.usual.into(),
    }
}

fn of(kind: &'static Kind, definitions: &mut Map<String, Value>) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Form(form) => {
            let pattern = FORMS.iter().find(|(name, ..)| name == form).map_or("", |(_, _, pattern)| *pattern);
            if pattern.is_empty() {
                json!({ "type": "string", "minLength": 1 })
            } else {
                json!({ "type": "string", "pattern": pattern })
            }
        }
        Kind::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Share => json!({ "type": "number", "minimum": 0, "maximum": 0.9 }),
        Kind::Truth => json!({ "type": "boolean" }),
        Kind::Scalar => json!({ "type": ["null", "boolean", "number", "string"] }),
        Kind::Json => json!({}),
        Kind::Section(section) => {
            define(section, definitions);
            json!({ "$ref": format!("#/$defs/{}", section.name) })
        }
        Kind::List(inner) => json!({ "type": "array", "items": of(inner, definitions) }),
        Kind::Map(inner) => json!({ "type": "object", "additionalProperties": of(inner, definitions) }),
        Kind::Either(kinds) => {
            let any: Vec<_> = kinds.iter().map(|kind| of(kind, definitions)).collect();
            json!({ "anyOf": any })
        }
    }
}

fn in_words(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::Form(form) => (*form).to_owned(),
        Kind::Number(least, most) => format!("{least} to {most}"),
        Kind::Share => "0 to 0.9".to_owned(),
        Kind::Truth => "`true` or `false`".to_owned(),
        Kind::Scalar => "null, true, false, a number or text".to_owned(),
        Kind::Json => "JSON, its texts templates".to_owned(),
        Kind::Section(section) => format!("[{}](#{})", section.name, section.name),
        Kind::List(inner) => format!("list of: {}", in_words(inner)),
        Kind::Map(inner) => format!("by name: {}", in_words(inner)),
        Kind::Either(kinds) => kinds.iter().map(in_words).collect::<Vec<_>>().join("; or "),
    }
}

fn line(page: &mut String, text: &str) {
    // writing to memory does not fail
    let _written = writeln!(page, "{text}");
}
