//! The page of a bundle: one screen that says whose period it is, what was seen of it, and what it does not show.
//!
//! Plain HTML, readable without tools and without scripts; derived from the log alone. Every text from outside is escaped.

use std::fmt::Write as _;

use chrono_tz::Tz;
use observance_record::ledger::Ledger;
use observance_record::view::PeriodView;

/// What the page is made of.
pub struct Content<'a> {
    /// The log, folded.
    pub ledger: &'a Ledger,
    /// The period.
    pub view: &'a PeriodView,
    /// The zone in which its days are days.
    pub zone: Tz,
    /// Whose system it is.
    pub organisation: &'a str,
}

/// The page.
pub fn html(content: &Content<'_>) -> String {
    let mut out = String::new();
    let text = escape(&crate::status::period_text(content.view, content.zone));
    // writing to a String cannot fail
    let _infallible = write!(
        out,
        "<!doctype html><meta charset=utf-8><title>{}</title><pre>{text}</pre>",
        escape(content.organisation)
    );
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
