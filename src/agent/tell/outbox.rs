//! Which alerts are still owed to whom, and when to try next: a pure function of the alerts and notices in the log.
//!
//! It sends nothing, reads no clock and keeps nothing of its own: fed from the log after a restart it owes what it owed
//! before. A delivery whose notice was lost is made again, under the same id.

use std::collections::BTreeMap;

use observance_record::Instant;

/// Seconds to wait after the first, second ... failed attempt. The first attempt waits for nothing; all twelve fit into
/// three days.
const WAIT_S: [i64; 11] = [30, 120, 600, 3600, 10_800, 21_600, 21_600, 43_200, 43_200, 43_200, 43_200];
/// Most attempts of one delivery.
pub const ATTEMPTS_MAX: u32 = 12;
/// An attempt made later than this after the alert was recorded is the last one: after a long stop of the agent a person
/// still hears once what is too old to be repeated.
pub const WINDOW_S: i64 = 3 * 86_400;
/// Most deliveries named by one [`Outbox::due`]; the others come with the next.
const DUE_MAX: usize = 100;

/// What is known of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// To be tried (again).
    Owed {
        /// The number of the next attempt, from 1.
        attempt: u32,
        /// Not before this instant.
        at: Instant,
    },
    /// The receiver accepted it.
    Delivered,
    /// It was tried as often and as long as it may be. A person has to look.
    GaveUp,
}

/// A delivery that should be attempted now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The alert's id: the number of its drift's entry.
    pub alert: u64,
    /// To whom.
    pub route: String,
    /// The number of this attempt, from 1.
    pub attempt: u32,
}

/// A notice that cannot belong to the alerts before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboxError {
    /// No such alert came before.
    #[error("a notice speaks of alert {0}, which was never recorded")]
    Unknown(u64),
    /// The same alert came twice.
    #[error("alert {0} was recorded twice")]
    Twice(u64),
}

/// All deliveries of one log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbox(BTreeMap<u64, Owed>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Owed {
    route: String,
    recorded: Instant,
    standing: Standing,
}

impl Outbox {
    /// Takes an alert entry: `alert` is its id, `at` its `t`.
    pub fn alert(&mut self, alert: u64, route: &str, at: Instant) -> Result<(), OutboxError> {
        if self.0.contains_key(&alert) {
            return Err(OutboxError::Twice(alert));
        }
        let standing = Standing::Owed { attempt: 1, at };
        self.0.insert(alert, Owed { route: route.to_owned(), recorded: at, standing });
        Ok(())
    }

    /// Takes a notice entry: one attempt, made at `at`, and whether the receiver accepted it.
    pub fn notice(
        &mut self,
        alert: u64,
        attempt: u32,
        at: Instant,
        accepted: Accepted,
    ) -> Result<(), OutboxError> {
        let owed = self.0.get_mut(&alert).ok_or(OutboxError::Unknown(alert))?;
        owed.standing = match (owed.standing, accepted) {
            (Standing::Delivered, _) | (_, Accepted::Yes) => Standing::Delivered,
            (Standing::GaveUp, Accepted::No) | (_, Accepted::Never) => Standing::GaveUp,
            (Standing::Owed { attempt: next, at: before }, Accepted::No) => {
                let after = after(owed.recorded, attempt, at);
                // an old notice read again must not call an attempt back that was made since
                if attempt < next { Standing::Owed { attempt: next, at: before } } else { after }
            }
        };
        Ok(())
    }

    /// The deliveries to attempt at `now`, oldest alert first, at most a hundred.
    pub fn due(&self, now: Instant) -> Vec<Due> {
        self.owed()
            .filter(|(.., at)| *at <= now)
            .map(|(alert, route, attempt, _)| Due { alert, route: route.to_owned(), attempt })
            .take(DUE_MAX)
            .collect()
    }

    /// Is there no attempt after this one, should it fail?
    pub fn is_last(&self, alert: u64, attempt: u32, at: Instant) -> bool {
        let owed = self.0.get(&alert);
        owed.is_some_and(|owed| after(owed.recorded, attempt, at) == Standing::GaveUp)
    }

    /// When the next attempt is due, if any delivery is owed.
    pub fn next(&self) -> Option<Instant> {
        self.owed().map(|(.., at)| at).min()
    }

    /// What is known of an alert's delivery.
    pub fn standing(&self, alert: u64) -> Option<Standing> {
        self.0.get(&alert).map(|owed| owed.standing)
    }

    /// The alerts that nobody could be told of.
    pub fn gave_up(&self) -> impl Iterator<Item = u64> {
        self.0.iter().filter(|(_, owed)| owed.standing == Standing::GaveUp).map(|(alert, _)| *alert)
    }

    fn owed(&self) -> impl Iterator<Item = (u64, &str, u32, Instant)> {
        self.0.iter().filter_map(|(alert, owed)| match owed.standing {
            Standing::Owed { attempt, at } => Some((*alert, owed.route.as_str(), attempt, at)),
            Standing::Delivered | Standing::GaveUp => None,
        })
    }
}

/// Whether the receiver took a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It answered with a status of 200 to 299.
    Yes,
    /// Anything else.
    No,
    /// Anything else, and it is not tried again.
    Never,
}

/// How long to wait after a failed attempt (numbered from 1) before the next; `None` after the last.
pub fn wait_ms(attempt: u32) -> Option<i64> {
    let index = usize::try_from(attempt).ok()?.checked_sub(1)?;
    WAIT_S.get(index).map(|s| s * 1000)
}

/// What follows a failed attempt.
fn after(recorded: Instant, attempt: u32, at: Instant) -> Standing {
    match wait_ms(attempt) {
        Some(wait_ms) if at.ms_since(recorded) < WINDOW_S * 1000 => {
            Standing::Owed { attempt: attempt.saturating_add(1), at: at.plus_ms(wait_ms) }
        }
        Some(_) | None => Standing::GaveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Instant {
        Instant::from_s(s)
    }

    /// Fails every attempt when it is due; the seconds at which they were made.
    fn fail_all(outbox: &mut Outbox) -> Vec<i64> {
        let mut made = Vec::new();
        while let Some(next) = outbox.next() {
            for due in outbox.due(next) {
                outbox.notice(due.alert, due.attempt, next, Accepted::No).unwrap();
                made.push(next.s());
            }
        }
        made
    }

    #[test]
    fn attempts_grow_rarer_and_end_within_three_days() {
        let mut outbox = Outbox::default();
        outbox.alert(7, "webhook", at(0)).unwrap();
        let made = fail_all(&mut outbox);
        assert_eq!(made[..5], [0, 30, 150, 750, 4350]);
        assert_eq!(made.len(), usize::try_from(ATTEMPTS_MAX).unwrap());
        assert!(made.last().unwrap() < &WINDOW_S);
        assert_eq!(outbox.gave_up().collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn what_was_not_acknowledged_is_owed_after_a_restart() {
        let log = |outbox: &mut Outbox| {
            outbox.alert(1, "webhook", at(0)).unwrap();
            outbox.notice(1, 1, at(1), Accepted::Yes).unwrap();
            outbox.alert(2, "webhook", at(10)).unwrap();
            outbox.notice(2, 1, at(11), Accepted::No).unwrap();
            outbox.alert(3, "webhook", at(20)).unwrap();
        };
        let (mut before, mut rebuilt) = (Outbox::default(), Outbox::default());
        log(&mut before);
        log(&mut rebuilt);
        assert_eq!(before, rebuilt);
        let owed = |now| rebuilt.due(at(now)).iter().map(|due| (due.alert, due.attempt)).collect::<Vec<_>>();
        assert_eq!(owed(20), [(3, 1)]);
        assert_eq!(owed(41), [(2, 2), (3, 1)]);
        assert_eq!((rebuilt.standing(1), rebuilt.next()), (Some(Standing::Delivered), Some(at(20))));
    }

    #[test]
    fn a_person_hears_once_even_after_a_long_stop() {
        let mut outbox = Outbox::default();
        outbox.alert(1, "webhook", at(0)).unwrap();
        outbox.notice(1, 1, at(0), Accepted::No).unwrap();
        let late = at(WINDOW_S + 1);
        assert_eq!(outbox.due(late).len(), 1);
        outbox.notice(1, 2, late, Accepted::No).unwrap();
        assert_eq!(outbox.standing(1), Some(Standing::GaveUp));
    }

    #[test]
    fn an_acknowledgement_ends_it_and_nothing_calls_it_back() {
        let mut outbox = Outbox::default();
        outbox.alert(1, "webhook", at(0)).unwrap();
        outbox.notice(1, 2, at(40), Accepted::No).unwrap();
        outbox.notice(1, 1, at(1), Accepted::No).unwrap();
        assert_eq!(outbox.standing(1), Some(Standing::Owed { attempt: 3, at: at(160) }));
        outbox.notice(1, 3, at(160), Accepted::Yes).unwrap();
        outbox.notice(1, 4, at(999), Accepted::No).unwrap();
        assert_eq!((outbox.standing(1), outbox.next()), (Some(Standing::Delivered), None));
        assert_eq!(outbox.notice(9, 1, at(0), Accepted::Yes), Err(OutboxError::Unknown(9)));
        assert_eq!(outbox.alert(1, "webhook", at(0)), Err(OutboxError::Twice(1)));
    }
}
