//! The company's logs: a Loki that tells, by source and hour, how much came; and the register of what has to send.
//!
//! It holds no line of any log. Only the two questions that the collector asks are answered; any other is refused rather than ignored.

use axum::http::{HeaderValue, StatusCode, header};
use observance_record::Instant;

use super::{
    dice::mix,
    object::{Object, array},
    site::{Answers, Asked, Reply},
    story::{SILENT, Story},
};

/// The label by which sources are told apart.
pub(super) const LABEL: &str = "service_name";
/// The only token that the proxy before Loki lets in; it protects nothing.
pub(super) const TOKEN: &str = "demo-token";
const HOUR_S: i64 = 3_600;
const MINUTE_S: i64 = 60;
/// Hours that are asked about.
const WINDOW_H: i64 = 48;
/// Registered sources: name, lines a minute at its quietest, hours that it may be silent, days that its log is kept.
const SOURCES: [(&str, u64, u32, u32); 12] = [
    ("auth-gateway", 40, 6, 365),
    ("billing-api", 31, 6, 365),
    ("checkout", 52, 6, 365),
    ("deploy-runner", 2, 6, 365),
    ("event-bus", 75, 6, 365),
    ("kubernetes-audit", 90, 6, 365),
    ("ledger", 24, 6, 3_650),
    ("okta-export", 3, 6, 365),
    ("payments-adapter", 18, 6, 3_650),
    ("postgres", 12, 6, 365),
    (SILENT, 5, 6, 365),
    ("web", 120, 6, 365),
];

/// The system.
#[derive(Debug)]
pub(super) struct Logs {
    seed: u64,
    silent: (Instant, Instant),
}

impl Logs {
    pub(super) fn new(seed: u64, story: &Story) -> Self {
        Self { seed, silent: story.silent }
    }

    /// How many sources are registered.
    pub(super) const fn sources() -> usize {
        SOURCES.len()
    }

    /// The register of log sources, as whoever answers for it writes it (`log_sources.register`).
    pub(super) fn register(owner: &str) -> String {
        let head = "id,system,stream,owner,max_silence_h,retention_days,since\n".to_owned();
        let line = |(name, _, silence_h, days): &(&str, u64, u32, u32)| {
            format!("{name},loki,{name},{owner},{silence_h},{days},2024-02-01\n")
        };
        head + &SOURCES.iter().map(line).collect::<String>()
    }

    /// How many lines a source sent in the hour that ends at `end_s`.
    fn lines(&self, n: usize, end_s: i64) -> u64 {
        let (name, quiet, ..) = SOURCES[n];
        let minutes = (end_s - HOUR_S).div_euclid(MINUTE_S) + 1..=end_s.div_euclid(MINUTE_S);
        let of_minute = |minute: i64| {
            let at = Instant::from_s(minute * MINUTE_S);
            let sends = name != SILENT || at < self.silent.0 || self.silent.1 <= at;
            let what = minute.unsigned_abs() ^ (u64::try_from(n).unwrap_or(0) << 40);
            u64::from(sends) * (quiet + mix(self.seed ^ mix(what)) % (quiet + 1))
        };
        minutes.map(of_minute).sum()
    }

    /// A source and its hours, the first of which ends two days ago; hours without a line are left out.
    fn series(&self, n: usize, now_s: i64) -> Option<String> {
        let ends = (0..=WINDOW_H).map(|hour| now_s - (WINDOW_H - hour) * HOUR_S);
        let counted = ends.map(|end| (end, self.lines(n, end))).filter(|(_, lines)| *lines > 0);
        let points: Vec<String> = counted.map(|(end, lines)| format!("[{end},\"{lines}\"]")).collect();
        let metric = Object::new().put("source", SOURCES[n].0).end();
        let series = Object::new().raw("metric", &metric).raw("values", &array(&points)).end();
        (!points.is_empty()).then_some(series)
    }
}

impl Answers for Logs {
    fn answer(&self, asked: &Asked<'_>, now: Instant) -> Reply {
        if asked.credential.strip_prefix("Bearer ") != Some(TOKEN) {
            return plain(StatusCode::UNAUTHORIZED, "unauthorized\n");
        }
        let counts = format!(
            "sum by (source) (label_replace(count_over_time({{{LABEL}=~\".+\"}}[1h]), \"source\", \"$1\", \"{LABEL}\", \"(.+)\"))"
        );
        match (asked.path, asked.value("query")) {
            _ if !asked.is_get => plain(StatusCode::METHOD_NOT_ALLOWED, ""),
            ("/loki/api/v1/query", Some("vector(1)")) => {
                let one =
                    Object::new().raw("metric", "{}").raw("value", &format!("[{},\"1\"]", now.s())).end();
                json("vector", &array(&[one]))
            }
            ("/loki/api/v1/query_range", Some(query)) if query == counts => {
                if (asked.value("since"), asked.value("step")) != (Some("48h"), Some("1h")) {
                    return plain(StatusCode::BAD_REQUEST, "only since=48h and step=1h are served here\n");
                }
                let all = (0..SOURCES.len()).filter_map(|n| self.series(n, now.s()));
                json("matrix", &array(&all.collect::<Vec<_>>()))
            }
            ("/loki/api/v1/query" | "/loki/api/v1/query_range", _) => {
                plain(StatusCode::BAD_REQUEST, "parse error: this query is not served here\n")
            }
            _ => plain(StatusCode::NOT_FOUND, "404 page not found\n"),
        }
    }
}

fn json(kind: &str, result: &str) -> Reply {
    let data = Object::new().put("resultType", kind).raw("result", result).raw("stats", "{}").end();
    let body = Object::new().put("status", "success").raw("data", &data).end();
    let content = (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    Reply { status: StatusCode::OK, headers: vec![content], body }
}

fn plain(status: StatusCode, body: &str) -> Reply {
    let content = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Reply { status, headers: vec![content], body: body.to_owned() }
}
