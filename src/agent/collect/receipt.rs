//! What is written of an exchange: its row in the table and its receipt (formats section 5).

use observance_record::{Digest, Instant, population::Outcome, table::RowBytes};
use serde::{Deserialize, Serialize};

use super::page::Artefact;

/// What varies from run to run, kept for the auditor and bound by no digest in an entry.
#[derive(Debug, Default)]
pub(super) struct Receipt {
    at_ms: i64,
    took_ms: i64,
    skew_ms: Option<i64>,
    outcome: &'static str,
    pub etag: Option<String>,
    pub request_id: Option<String>,
    pub rate: Vec<(String, String)>,
    pub link: Option<String>,
    pub attempts: Vec<Attempt>,
    pub api_version: Option<String>,
    pub accepted: Option<String>,
}

/// An attempt before the last one.
#[derive(Debug, Serialize)]
pub(super) struct Attempt {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    o: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_ms: Option<i64>,
}

impl Attempt {
    /// The source sent us to another path.
    pub(super) fn redirect(status: u16, to: &str) -> Self {
        Self { status, o: None, why: None, to: Some(to.chars().take(500).collect()), wait_ms: None }
    }

    /// It failed in passing, and we waited.
    pub(super) const fn failed(
        status: u16,
        outcome: Outcome,
        why: Option<&'static str>,
        wait_ms: i64,
    ) -> Self {
        Self { status, o: Some(outcome.as_str()), why, to: None, wait_ms: Some(wait_ms) }
    }
}

impl Receipt {
    /// Times and outcome. `at_ms` since the run's start; `skew_ms` is the source's clock minus ours.
    pub(super) fn new(at_ms: i64, took_ms: i64, skew_ms: Option<i64>, outcome: Outcome) -> Self {
        Self { at_ms, took_ms, skew_ms, outcome: outcome.as_str(), ..Self::default() }
    }

    /// The source's clock minus ours.
    pub(super) const fn skew_ms(&self) -> Option<i64> {
        self.skew_ms
    }

    /// All of its line but the number.
    pub(super) fn text(&self) -> Box<[u8]> {
        #[derive(Serialize)]
        struct Line<'a> {
            at_ms: i64,
            took_ms: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            skew_ms: Option<i64>,
            o: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            etag: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            request_id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            rate: Option<std::collections::BTreeMap<&'a str, &'a str>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            link: Option<&'a str>,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            attempts: &'a [Attempt],
            #[serde(skip_serializing_if = "Option::is_none")]
            api_version: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            accepted: Option<&'a str>,
        }
        let rate = || self.rate.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let line = Line {
            at_ms: self.at_ms,
            took_ms: self.took_ms,
            skew_ms: self.skew_ms,
            o: self.outcome,
            etag: self.etag.as_deref(),
            request_id: self.request_id.as_deref(),
            rate: (!self.rate.is_empty()).then(rate),
            link: self.link.as_deref(),
            attempts: &self.attempts,
            api_version: self.api_version.as_deref(),
            accepted: self.accepted.as_deref(),
        };
        json(&line).into()
    }
}

/// One JSON line, without its end, of a receipt's text; `i` counts the run's exchanges from 0.
pub(super) fn line(i: usize, text: &[u8]) -> Vec<u8> {
    let mut line = format!("{{\"i\":{i},").into_bytes();
    line.extend_from_slice(text.strip_prefix(b"{").unwrap_or(text));
    line
}

/// One exchange row; the artefact comes with the `started` of the run whose pack holds its bytes.
pub(super) fn exchange_row(
    step: &str,
    url: &str,
    outcome: Outcome,
    status: u16,
    why: Option<&str>,
    artefact: Option<(&Artefact, Instant)>,
) -> RowBytes {
    #[derive(Serialize)]
    struct Row<'a> {
        step: &'a str,
        url: &'a str,
        outcome: Outcome,
        status: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        artefact: Option<Part<'a>>,
    }
    #[derive(Serialize)]
    struct Part<'a> {
        sha256: Digest,
        bytes: usize,
        media: &'a str,
        #[serde(rename = "in")]
        since: Instant,
    }
    let artefact = artefact.map(|(artefact, since)| Part {
        sha256: artefact.digest,
        bytes: artefact.bytes.len(),
        media: &artefact.media,
        since,
    });
    json(&Row { step, url, outcome, status, why, artefact }).into()
}

/// What an earlier run's row says of its evidence.
#[derive(Debug, Deserialize)]
pub(super) struct PriorRow {
    outcome: String,
    status: u16,
    pub artefact: Option<PriorArtefact>,
}

/// Which bytes, and in which run's pack they are.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PriorArtefact {
    #[serde(rename = "sha256")]
    pub digest: Digest,
    pub media: String,
    #[serde(rename = "in")]
    pub since: Instant,
}

impl PriorRow {
    /// Reads a row that an earlier run wrote; `None` if it is not one.
    pub(super) fn read(row: &[u8]) -> Option<Self> {
        serde_json::from_slice(row).ok()
    }

    /// Was it an ordinary answer that was seen whole?
    pub(super) fn is_present(&self) -> bool {
        self.status == 200 && self.outcome == Outcome::Present.as_str()
    }
}

/// These values hold strings, numbers and lists alone, which serialise without fail into memory.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_receipts_are_written_as_the_format_says() {
        let artefact = Artefact {
            digest: Digest::of(b"[]"),
            bytes: (&b"[]"[..]).into(),
            media: "application/json".into(),
        };
        let since = Instant::from_s(0);
        let row = exchange_row("org", "/orgs/{org}", Outcome::Present, 200, None, Some((&artefact, since)));
        assert_eq!(
            String::from_utf8(row.to_vec()).unwrap(),
            format!(
                "{{\"step\":\"org\",\"url\":\"/orgs/{{org}}\",\"outcome\":\"present\",\"status\":200,\"artefact\":\
                 {{\"sha256\":\"{}\",\"bytes\":2,\"media\":\"application/json\",\"in\":\"1970-01-01T00:00:00.000Z\"}}}}",
                Digest::of(b"[]")
            )
        );
        assert_eq!(PriorRow::read(&row).unwrap().artefact.unwrap().digest, Digest::of(b"[]"));
        let mut receipt = Receipt::new(5, 7, Some(-3), Outcome::Present);
        receipt.attempts.push(Attempt::failed(502, Outcome::Retry, None, 500));
        assert_eq!(
            String::from_utf8(line(2, &receipt.text())).unwrap(),
            r#"{"i":2,"at_ms":5,"took_ms":7,"skew_ms":-3,"o":"present","attempts":[{"status":502,"o":"retry","wait_ms":500}]}"#
        );
    }
}
