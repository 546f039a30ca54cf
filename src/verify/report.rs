//! What the verifier found: proofs that hold, the first that does not, what was observed, what is not excluded.
//!
//! Its words are the auditor's; it never says that anything is in order, only that a proof holds.

use std::fmt::Write as _;

use observance_record::view::PeriodView;
use serde::Serialize;

/// A proof that does not hold, or could not be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{proof}: {subject}: {what}")]
pub struct Failure {
    /// Which proof: `bag`, `checkpoint`, `entries`, `ledger`, `tables`, `receipts`, `artefacts`, `policies`, `collectors`,
    /// `verdicts`, `promises`, `key`, `pin`, `bound`, `replay`.
    pub proof: &'static str,
    /// Of what: a path or an entry.
    pub subject: String,
    /// What was found.
    pub what: String,
    /// It was not disproved: it could not be checked (an unknown kind, bad input).
    pub unchecked: bool,
}

impl Failure {
    /// A proof that fails.
    pub fn new(proof: &'static str, subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self { proof, subject: subject.into(), what: what.into(), unchecked: false }
    }

    /// Something that could not be checked.
    pub fn unchecked(proof: &'static str, subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self { unchecked: true, ..Self::new(proof, subject, what) }
    }
}

/// How it ended; the number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Every proof that was asked for holds. Deviations and gaps are content.
    Holds = 0,
    /// A proof fails.
    Fails = 1,
    /// It could not be checked.
    Unchecked = 2,
}

/// Verdicts that were re-performed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Replayed {
    /// Policy verdicts in the bundle.
    pub verdicts: u64,
    /// Of these: re-performed with the same results, bit for bit.
    pub equal: u64,
    /// Of these: not re-performed, because the time limit was hit when they were made.
    pub not_performed: u64,
}

/// The whole report; its JSON form has the same fields.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// How it ended.
    pub conclusion: Conclusion,
    /// The first proof that does not hold.
    pub failure: Option<Failure>,
    /// The log's name.
    pub origin: Option<String>,
    /// The key that signed it.
    pub vkey: Option<String>,
    /// Was the key given from outside?
    pub key_trusted: bool,
    /// Checkpoints from outside that agree.
    pub pins: u64,
    /// Entries of the log.
    pub entries: u64,
    /// Signed heads, all of them checked.
    pub checkpoints: u64,
    /// Bodies of exchanges.
    pub artefacts: u64,
    /// Runs, with their tables.
    pub runs: u64,
    /// Slots promised and answered.
    pub slots_due: u64,
    /// Slots without a run, as gap entries say.
    pub slots_missed: u64,
    /// Slots that were due before the last entry and that nothing answers yet.
    pub slots_open: u64,
    /// Verdicts re-performed, if asked for.
    pub replayed: Option<Replayed>,
    /// What was observed in each period of the log: content, not a proof.
    pub periods: Vec<PeriodView>,
    /// What is not excluded by what was checked, in words.
    pub not_excluded: Vec<String>,
}

impl Report {
    /// The report as text, ending with what to do next.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        let origin = self.origin.as_deref().unwrap_or("(unread)");
        match (&self.conclusion, &self.failure) {
            (Conclusion::Holds, _) => {
                line(
                    out,
                    &format!(
                        "holds   {origin}: {} entries, {} checkpoints, {} artefacts; nothing edited, removed or reordered",
                        self.entries, self.checkpoints, self.artefacts
                    ),
                );
            }
            (Conclusion::Fails, failure) => {
                line(out, &format!("FAILS   {origin}: {}", words(failure.as_ref())));
            }
            (Conclusion::Unchecked, failure) => {
                line(out, &format!("could not be checked   {origin}: {}", words(failure.as_ref())));
            }
        }
        if let Some(replayed) = &self.replayed {
            line(
                out,
                &format!(
                    "holds   re-performed: {} of {} verdicts equal{}",
                    replayed.equal,
                    replayed.verdicts,
                    match replayed.not_performed {
                        0 => String::new(),
                        n => format!("; {n} not re-performed (time limit)"),
                    }
                ),
            );
        }
        if self.conclusion == Conclusion::Holds {
            line(
                out,
                &format!(
                    "slots   {} due, {} missed and recorded as gaps, {}",
                    self.slots_due.saturating_add(self.slots_open),
                    self.slots_missed,
                    match self.slots_open {
                        0 => "none unaccounted for".to_owned(),
                        n => format!("{n} not answered when the log ends"),
                    }
                ),
            );
        }
        for period in &self.periods {
            for seen in crate::observe::lines(period) {
                line(out, &format!("seen    {seen}"));
            }
        }
        for words in &self.not_excluded {
            line(out, &format!("open    {words}"));
        }
        line(out, self.next());
    }

    const fn next(&self) -> &'static str {
        match self.conclusion {
            Conclusion::Holds if !self.key_trusted => {
                "next: ask for the key by another way, then: --key VKEY"
            }
            Conclusion::Holds if self.pins == 0 => {
                "next: compare a checkpoint that you were sent: --pin FILE"
            }
            Conclusion::Holds if self.replayed.is_none() => "next: re-perform the verdicts: --replay",
            Conclusion::Holds => "next: open index.html, choose a sample, read it again at the source",
            Conclusion::Fails => "next: do not rely on this bundle; keep it as it is and ask for another",
            Conclusion::Unchecked => {
                "next: get what is missing, or a newer observance-verify, and check again"
            }
        }
    }
}

fn words(failure: Option<&Failure>) -> String {
    failure.map_or_else(String::new, ToString::to_string)
}

fn line(out: &mut String, text: &str) {
    // writing to a String cannot fail
    let _infallible = writeln!(out, "{text}");
}
