//! What an auditor opens first: the page of a bundle, and the sample that its CHECK.md draws.
//!
//! The golden is the page without its style sheet.

use std::{collections::BTreeMap, fs, process::Command};

use chrono_tz::Europe::Berlin;
use observance::{
    bundle::page::{Content, html},
    status::{period_text, period_text_with},
};
use observance_record::{Digest, entry::Entry, ledger::Ledger, view::PeriodView};

use crate::support::{
    golden,
    mini::{bag, mini, write},
    samples::{at, repository},
};

const HOUR_MS: i64 = 3_600_000;
/// Markup, a bidirectional override, a terminal's escape, an end of an attribute, a control.
const HOSTILE: &str = "</td><script>alert(1)</script>\u{202e}txt\u{1b}[2J\" onload='x' \u{0}&amp;";
/// Every element that the page has; none of them runs or loads anything.
const ELEMENTS: &[&str] = &[
    "!doctype", "html", "head", "meta", "title", "style", "body", "main", "section", "header", "div", "h1",
    "h2", "h3", "p", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "ul",
    "ol", "li", "b", "code", "a",
];

fn ledger() -> Ledger {
    let (mini, mut ledger) = (mini(), Ledger::default());
    for bytes in &mini.entries {
        ledger.push(&Entry::decode(bytes).unwrap(), &mini).unwrap();
    }
    ledger
}

fn view(ledger: &Ledger) -> PeriodView {
    PeriodView::new(ledger, "first day", at(-12 * HOUR_MS), at(12 * HOUR_MS))
}

fn page(ledger: &Ledger, view: &PeriodView, organisation: &str, title: &str) -> String {
    let titles = BTreeMap::from([("GH-05".to_owned(), title.to_owned())]);
    let root = mini().heads.last().unwrap().1;
    let serves = BTreeMap::from([("GH-05".to_owned(), vec!["SOC 2 CC8.1".to_owned()])]);
    html(&Content { ledger, view, zone: Berlin, organisation, titles: &titles, serves: &serves, root })
}

fn without_style(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    format!("{before}{after}")
}

#[test]
fn the_page_of_a_small_log_is_what_it_was() {
    let ledger = ledger();
    let page = page(&ledger, &view(&ledger), "Acme", "Branch rules require independent approval");
    golden::check("page/mini.html", without_style(&page).as_bytes());
}

#[test]
fn the_period_as_text_is_what_it_was() {
    let ledger = ledger();
    let titles =
        BTreeMap::from([("GH-05".to_owned(), "Branch rules require independent approval".to_owned())]);
    golden::check("page/mini.txt", period_text_with(&view(&ledger), Berlin, &titles).as_bytes());
}

#[test]
fn a_strangers_names_are_text_and_nothing_else() {
    let ledger = ledger();
    let mut view = view(&ledger);
    view.id = HOSTILE.to_owned();
    view.never_judged.push(HOSTILE.to_owned());
    view.names.values_mut().for_each(|name| HOSTILE.clone_into(name));
    assert!(view.names.contains_key(&repository("1002")));
    let page = page(&ledger, &view, HOSTILE, HOSTILE);
    let odd = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!page.contains(odd));
    let shown = "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u{202e}txt\\u{1b}[2J&quot; onload=&#39;x&#39; \\u{0}&amp;amp;";
    assert!(page.matches(shown).count() >= 5, "{page}");
    for (at, _) in page.match_indices('<') {
        let name: String =
            page[at + 1..].trim_start_matches('/').chars().take_while(|c| !" >".contains(*c)).collect();
        assert!(ELEMENTS.contains(&name.as_str()), "<{name}>");
    }
    for text in [
        period_text(&view, Berlin),
        period_text_with(&view, Berlin, &BTreeMap::from([(String::from("GH-05"), HOSTILE.to_owned())])),
    ] {
        assert!(!text.contains(odd), "{text:?}");
    }
}

#[test]
fn the_page_loads_nothing_runs_nothing_and_concludes_nothing() {
    let ledger = ledger();
    let page = page(&ledger, &view(&ledger), "Acme", "Branch rules").to_lowercase();
    let never = [
        "compliant",
        "certified",
        "no exceptions noted",
        "score",
        "\u{2713}",
        "\u{2714}",
        "\u{2705}",
        "<script",
        "src=",
        "url(",
        "@import",
        "http:",
        "https:",
        "<link",
        "<img",
        "<iframe",
        "onclick",
        "green",
    ];
    for word in never {
        assert!(!page.contains(word), "the page has {word:?}");
    }
    for needed in
        ["<html lang=en>", "<main>", "<caption>", "scope=col", "scope=row", "@media print", "max-width:46rem"]
    {
        assert!(page.contains(needed), "the page lacks {needed:?}");
    }
}

#[test]
fn a_period_that_goes_on_and_a_policy_that_never_judged_are_said() {
    let ledger = ledger();
    let mut view = PeriodView::new(&ledger, "year", at(0), at(365 * 24 * HOUR_MS));
    view.never_judged.push("GH-99".to_owned());
    let said = page(&ledger, &view, "Acme", "Branch rules");
    assert!(said.contains("The period had not ended") && said.contains("= 365 days"));
    assert!(said.contains("<bdi>GH-99</bdi>") && said.contains("never judged"));
    assert!(
        period_text(&view, Berlin)
            .lines()
            .any(|line| line.starts_with("GH-99") && line.ends_with("never judged"))
    );
}

#[test]
fn columns_of_the_text_are_aligned_whatever_they_hold() {
    let ledger = ledger();
    let mut view = view(&ledger);
    let mut other = view.policies[0].clone();
    "ÄÖ-000000017".clone_into(&mut other.policy);
    other.period.items_n = 12_345_678;
    view.policies.push(other);
    let titles = BTreeMap::from([("GH-05".to_owned(), "ü".repeat(90))]);
    let text = period_text_with(&view, Berlin, &titles);
    let lines: Vec<Vec<char>> = text.lines().skip(2).take(3).map(|line| line.chars().collect()).collect();
    let head: String = lines[0].iter().collect();
    let column = head.split("rests on").next().unwrap().chars().count();
    for line in &lines[1..] {
        assert_eq!(line[column..].iter().collect::<String>(), "windows", "{text}");
        assert!(line.len() < 180, "{text}");
    }
}

#[test]
fn the_sample_of_check_md_is_the_one_of_the_specification() {
    let (folder, mini) = (tempfile::tempdir().unwrap(), mini());
    write(folder.path(), &bag(mini.payload()));
    let check = include_str!("../src/agent/bundle/CHECK.md");
    let (_, script) = check.split_once("    import glob").unwrap();
    let script: String = format!("    import glob{script}")
        .lines()
        .map_while(|line| line.strip_prefix("    "))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(folder.path().join("sample.py"), script).unwrap();
    let mut command = Command::new("python3");
    let command = command.args(["sample.py", "repositories", "a seed", "2"]).current_dir(folder.path());
    let output = command.output().unwrap_or_else(|e| panic!("python3: {e}; install it"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let drawn = String::from_utf8(output.stdout).unwrap();
    let drawn: Vec<&str> = drawn.lines().map(|line| &line[..32]).collect();
    let mut items = ["1001", "1002", "1003"].map(|natural| repository(natural).to_string());
    items.sort_by_key(|item| Digest::of(format!("a seed\0{item}").as_bytes()).to_hex());
    assert_eq!(drawn, items[..2]);
}
