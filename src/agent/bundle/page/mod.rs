//! The page of a bundle: one screen that says whose period it is, what was seen of it, what could be hidden and what it
//! does not show; below it, every deviation, failed event, gap and unusual run.
//!
//! One HTML file without scripts or anything from elsewhere, derived from the log alone. It checks nothing, since a page
//! cannot, and says so; it draws no conclusion and gives no score.

mod below;
mod counted;
mod front;
mod html;
mod words;

use std::collections::BTreeMap;

use chrono_tz::Tz;
use observance_record::{Instant, Root, ledger::Ledger, view::PeriodView};

use self::html::Html;
use crate::status::local;

const STYLE: &str = include_str!("style.css");
/// Longest table, in rows; what is left out is counted.
const ROWS_MAX: usize = 2_000;

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
    /// One line for people on each policy, by its id; a policy without one is shown by its id.
    pub titles: &'a BTreeMap<String, String>,
    /// The criteria that each policy serves, by its id.
    pub serves: &'a BTreeMap<String, Vec<String>>,
    /// Root of the closing checkpoint.
    pub root: Root,
}

impl Content<'_> {
    /// On the clocks of the period's zone.
    fn local(&self, at: Instant) -> String {
        local(at, self.zone)
    }

    /// Does an instant lie in the part of the period that the log knows?
    fn within(&self, at: Instant) -> bool {
        self.view.from <= at && at < self.view.to
    }

    /// A policy as people call it.
    fn policy(&self, id: &str) -> String {
        self.titles.get(id).map_or_else(|| id.to_owned(), |title| format!("{id} {title}"))
    }
}

/// The page.
pub fn html(content: &Content<'_>) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n");
    html.raw("<meta name=viewport content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    html.raw("<meta name=referrer content=no-referrer>\n");
    html.put("title", "", &format!("{}: {}", content.organisation, content.view.id));
    html.raw("<style>\n");
    html.raw(STYLE);
    html.raw("</style>\n</head>\n<body>\n");
    html.within("main", "", |html| {
        front::write(html, content);
        html.within("section", "below", |html| below::write(html, content));
    });
    html.raw("</body>\n</html>\n");
    html.finish()
}
