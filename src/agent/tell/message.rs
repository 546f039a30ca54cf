//! The words of one message about one item: what happened, since when, what to do, and whose it is.
//!
//! Plain values in, text and JSON out. It computes no interval, and it never writes an auditor's conclusion. Every
//! name from outside is made visible, so that none can paint over the words beside it.

use chrono::DateTime;
use chrono_tz::Tz;
use observance_record::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::text::visible;

/// Width of the control's name in a title.
const CONTROL_WIDTH: usize = 16;
/// Longest single value, in characters: a chat cuts what is longer, and then the end is what is missing.
const VALUE_CHARS_MAX: usize = 300;

/// The word with which a message begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Word {
    /// An item that had met its policy deviates.
    Drift,
    /// It meets it again.
    Fixed,
    /// It cannot be seen: nothing is called failed.
    Blind,
}

impl Word {
    /// As it is printed and as it stands in the JSON.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Drift => "DRIFT",
            Self::Fixed => "FIXED",
            Self::Blind => "BLIND",
        }
    }
}

/// Between which looks the state changed: the last instant of the old, the first of the new (formats section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The old state was last seen then; the same as `to` if the very instant is known.
    pub from: Instant,
    /// The new state was first seen then.
    pub to: Instant,
}

/// What there is to say. Texts may come from a source; absent ones are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// What kind of message.
    pub word: Word,
    /// The stable id of the alert: the log's origin and the number of its drift's entry.
    pub id: String,
    /// The control's short name, such as `branch rules`.
    pub control: String,
    /// The policy's id, such as `GH-05`.
    pub policy: String,
    /// The item's name, such as `billing-api`; absent when the control as a whole is meant.
    pub item: Option<String>,
    /// What happened, such as `lost required reviews`.
    pub what: String,
    /// When.
    pub since: Since,
    /// The zone in which people read times.
    pub zone: Tz,
    /// The reasons that the policy gave.
    pub reasons: Vec<String>,
    /// The period in which it falls, such as `soc2-2027, day 38 of 181`.
    pub period: Option<String>,
    /// The criteria that the control serves, such as `SOC 2 CC8.1`.
    pub serves: Vec<String>,
    /// What to do.
    pub remedy: Option<String>,
    /// Whose it is.
    pub owner: String,
}

/// A message ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The stable id of the alert.
    pub id: String,
    /// One line.
    pub title: String,
    /// Lines of `Label  value`, each ended by a line feed.
    pub text: String,
    /// The body of the webhook: a JSON object with `version`, `id`, `kind`, `title`, `text` and the values they were
    /// made of, times as instants in UTC.
    pub json: String,
}

impl Drift {
    /// Its words.
    pub fn message(&self) -> Message {
        let (title, text) = (self.title(), self.text());
        let json = self.json(&title, &text).to_string();
        Message { id: self.id.clone(), title, text, json }
    }

    /// `DRIFT  branch rules      billing-api lost required reviews`.
    fn title(&self) -> String {
        let control = shown(&self.control);
        let item = self.item.as_deref().map_or(String::new(), |item| shown(item) + " ");
        format!("{}  {control:CONTROL_WIDTH$}  {item}{}", self.word.text(), shown(&self.what))
    }

    fn text(&self) -> String {
        let reasons: Vec<String> = self.reasons.iter().map(|reason| shown(reason)).collect();
        let serves: Vec<String> = self.serves.iter().map(|criterion| shown(criterion)).collect();
        let not_this = (self.word == Word::Drift)
            .then(|| "an exception asked for now starts now; it does not reach back".to_owned());
        [
            ("Since", Some(self.since.in_words(self.zone))),
            ("Because", (!reasons.is_empty()).then(|| reasons.join("; "))),
            ("Policy", Some(shown(&self.policy))),
            ("Period", self.period.as_deref().map(shown)),
            ("Serves", (!serves.is_empty()).then(|| serves.join(" · "))),
            ("Do", self.remedy.as_deref().map(shown)),
            ("Not this", not_this),
            ("Owner", (!self.owner.is_empty()).then(|| shown(&self.owner))),
        ]
        .into_iter()
        .filter_map(|(label, value)| Some(format!("{label:<8}  {}\n", value?)))
        .collect()
    }

    /// The values are given in full and unescaped: JSON quotes what it must, and a receiver decides what it shows.
    fn json(&self, title: &str, text: &str) -> Json {
        let mut object = Map::new();
        let mut put = |key: &str, value: Json| object.insert(key.to_owned(), value);
        put("version", json!(1));
        put("id", json!(self.id));
        put("kind", json!(self.word.text().to_lowercase()));
        put("title", json!(title));
        put("text", json!(text));
        put("control", json!(self.control));
        put("policy", json!(self.policy));
        if let Some(item) = &self.item {
            put("item", json!(item));
        }
        put("what", json!(self.what));
        put("observed_from", json!(self.since.from.to_string()));
        put("observed_to", json!(self.since.to.to_string()));
        put("reasons", json!(self.reasons));
        put("serves", json!(self.serves));
        put("owner", json!(self.owner));
        Json::Object(object)
    }
}

impl Since {
    /// An instant if it is known, else the two looks between which it lies; never a precision that nobody observed.
    fn in_words(self, zone: Tz) -> String {
        if self.from == self.to {
            return local(self.to, zone);
        }
        format!("between {} and {}, the looks before and after", local(self.from, zone), local(self.to, zone))
    }
}

/// An instant as people of the zone read it: `2027-03-12 09:14:00+01:00`.
fn local(at: Instant, zone: Tz) -> String {
    match DateTime::from_timestamp_millis(at.ms()) {
        Some(utc) => utc.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S%:z").to_string(),
        None => at.to_string(),
    }
}

/// A value as it may stand in a line: visible, and not longer than a line bears.
fn shown(text: &str) -> String {
    let visible = visible(text);
    match visible.char_indices().nth(VALUE_CHARS_MAX) {
        None => visible.into_owned(),
        Some((end, _)) => format!("{}...", visible.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift() -> Drift {
        Drift {
            word: Word::Drift,
            id: "acme.example/observance#4711".into(),
            control: "branch rules".into(),
            policy: "GH-05".into(),
            item: Some("billing-api".into()),
            what: "lost required reviews".into(),
            since: Since {
                from: "2027-03-12T08:00:00.000Z".parse().unwrap(),
                to: "2027-03-12T09:00:00.000Z".parse().unwrap(),
            },
            zone: Tz::Europe__Berlin,
            reasons: vec!["required approvals 0, wanted 1".into()],
            period: Some("soc2-2027, day 71 of 181".into()),
            serves: vec!["SOC 2 CC8.1".into(), "ISO A.8.32".into()],
            remedy: Some("restore the rule \"main protection\"".into()),
            owner: "platform-lead".into(),
        }
    }

    #[test]
    fn a_drift_says_what_since_when_and_what_to_do() {
        let message = drift().message();
        assert_eq!(message.title, "DRIFT  branch rules      billing-api lost required reviews");
        assert_eq!(
            message.text,
            "Since     between 2027-03-12 09:00:00+01:00 and 2027-03-12 10:00:00+01:00, the looks before and after\n\
             Because   required approvals 0, wanted 1\n\
             Policy    GH-05\n\
             Period    soc2-2027, day 71 of 181\n\
             Serves    SOC 2 CC8.1 · ISO A.8.32\n\
             Do        restore the rule \"main protection\"\n\
             Not this  an exception asked for now starts now; it does not reach back\n\
             Owner     platform-lead\n"
        );
        let json: Json = serde_json::from_str(&message.json).unwrap();
        assert_eq!((&json["kind"], &json["title"]), (&json!("drift"), &json!(message.title)));
        assert_eq!(json["observed_to"], "2027-03-12T09:00:00.000Z");
    }

    #[test]
    fn a_known_instant_is_not_dressed_as_an_interval_and_absent_values_leave_no_line() {
        let to = drift().since.to;
        let bare = Drift {
            word: Word::Fixed,
            since: Since { from: to, to },
            item: None,
            reasons: Vec::new(),
            period: None,
            serves: Vec::new(),
            remedy: None,
            ..drift()
        };
        let message = bare.message();
        assert_eq!(message.title, "FIXED  branch rules      lost required reviews");
        assert_eq!(
            message.text,
            "Since     2027-03-12 10:00:00+01:00\nPolicy    GH-05\nOwner     platform-lead\n"
        );
    }

    #[test]
    fn no_message_writes_the_auditors_conclusion() {
        for word in [Word::Drift, Word::Fixed, Word::Blind] {
            let json = Drift { word, ..drift() }.message().json.to_lowercase();
            for never in ["complian", "certif", "no exceptions noted", "score"] {
                assert!(!json.contains(never), "{never}");
            }
        }
    }

    #[test]
    fn a_hostile_name_paints_nothing() {
        let message = Drift { item: Some("api\u{1b}[2K\rFIXED \u{202e}x\n".into()), ..drift() }.message();
        assert!(!message.title.contains(['\u{1b}', '\r', '\n', '\u{202e}']), "{:?}", message.title);
        assert!(
            message.title.starts_with("DRIFT  branch rules      api\\u{1b}[2K\\u{d}FIXED \\u{202e}x\\u{a} ")
        );
        assert!(!message.json.contains(['\u{1b}', '\r', '\n']));
        let long = Drift { what: "x".repeat(10_000), ..drift() }.message();
        assert!(long.title.len() < 400);
    }
}
