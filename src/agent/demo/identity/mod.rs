//! The company's identity provider: an Okta organisation with an account for everybody, their factors, and its
//! administrators, at any instant of the half year.
//!
//! It knows who works here from `staff`, and writes no bodies: see `shapes`. Nobody is deleted, so that accounts of people who
//! left are still listed.

#[cfg(test)]
mod contract;
mod route;
mod shapes;

use chrono::{Datelike as _, NaiveDate};
use observance_record::Instant;

use super::{
    calendar::{berlin, day_of, earlier, later},
    dice::Dice,
    staff::{ADMINISTRATORS, Person, Staff},
    story::{KEYLESS, Story},
};

/// The only token that is let in, as `Authorization: SSWS ...`; it protects nothing.
pub(super) const CREDENTIAL: &str = "SSWS demo-token";
/// How long before the first day an account is made.
const MADE_DAYS: u64 = 7;
/// Of whom a hundred hold a security key.
const KEYED_PERCENT: u64 = 35;
/// Roles of the administrators, in their order: type and label.
const ROLES: [(&str, &str); ADMINISTRATORS] = [
    ("SUPER_ADMIN", "Super Administrator"),
    ("SUPER_ADMIN", "Super Administrator"),
    ("HELP_DESK_ADMIN", "Help Desk Administrator"),
    ("READ_ONLY_ADMIN", "Read-Only Administrator"),
];

/// The organisation.
#[derive(Debug)]
pub(super) struct Identity {
    accounts: Vec<Account>,
}

/// One account; its id never changes.
#[derive(Debug)]
struct Account {
    id: String,
    person: Person,
    made: Instant,
    /// First sign-in; from then on it is in use.
    activated: Instant,
    shut: Option<Instant>,
    password: Instant,
    factors: Vec<Factor>,
    role: Option<(&'static str, &'static str)>,
}

/// One factor of an account.
#[derive(Debug, Clone)]
struct Factor {
    id: String,
    kind: Kind,
    /// When it was enrolled, and when it was taken away.
    enrolled: Instant,
    gone: Option<Instant>,
}

/// What a factor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Push,
    Code,
    SecurityKey,
}

/// In which state an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Staged,
    Active,
    Deprovisioned,
}

impl Identity {
    /// An account for everybody.
    pub(super) fn new(seed: u64, staff: &Staff, story: &Story) -> Self {
        let mut dice = Dice::of(seed, 0x6f6b_7461);
        let accounts = staff.everybody().iter().enumerate();
        let mut accounts: Vec<Account> =
            accounts.map(|(n, person)| account(person, ROLES.get(n).copied(), &mut dice)).collect();
        accounts[KEYLESS].lose_key(story.keyless, &mut dice);
        Self { accounts }
    }

    /// The accounts that there are at `now`, in the order of their ids.
    fn listed(&self, now: Instant) -> Vec<&Account> {
        let mut listed: Vec<&Account> = self.accounts.iter().filter(|account| account.made <= now).collect();
        listed.sort_unstable_by_key(|account| account.id.as_str());
        listed
    }

    fn account(&self, id: &str, now: Instant) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id && account.made <= now)
    }

    fn administrators(&self, now: Instant) -> Vec<&Account> {
        self.listed(now).into_iter().filter(|account| account.role.is_some()).collect()
    }
}

impl Account {
    fn status(&self, now: Instant) -> Status {
        match self.shut {
            Some(shut) if shut <= now => Status::Deprovisioned,
            _ if self.activated <= now => Status::Active,
            _ => Status::Staged,
        }
    }

    /// When the state changed last.
    fn changed(&self, now: Instant) -> Option<Instant> {
        match self.status(now) {
            Status::Staged => None,
            Status::Active => Some(self.activated),
            Status::Deprovisioned => self.shut,
        }
    }

    /// Everybody signs in at Okta itself on the first day of a week; the session lasts for the rest of it.
    fn last_login(&self, now: Instant) -> Option<Instant> {
        let until = self.shut.map_or(now, |shut| shut.min(now));
        let today = day_of(until);
        let monday = earlier(today, u64::from(today.weekday().num_days_from_monday()));
        let this_week = self.sign_in(monday);
        let last = if this_week <= until { this_week } else { self.sign_in(earlier(monday, 7)) };
        (self.activated <= until).then_some(last.max(self.activated))
    }

    fn sign_in(&self, day: NaiveDate) -> Instant {
        berlin(day, 8 * 3_600 + i64::try_from(self.person.email.len()).unwrap_or(0) * 60)
    }

    fn factors(&self, now: Instant) -> Vec<&Factor> {
        let held = |factor: &&Factor| factor.enrolled <= now && factor.gone.is_none_or(|gone| now < gone);
        self.factors.iter().filter(held).collect()
    }

    /// Holds no security key for a while, and another one afterwards.
    fn lose_key(&mut self, (lost, replaced): (Instant, Instant), dice: &mut Dice) {
        for factor in self.factors.iter_mut().filter(|factor| factor.kind == Kind::SecurityKey) {
            factor.gone = Some(lost);
        }
        self.factors.push(factor(Kind::SecurityKey, replaced, dice));
    }
}

fn account(person: &Person, role: Option<(&'static str, &'static str)>, dice: &mut Dice) -> Account {
    let activated = berlin(person.starts, 9 * 3_600 + 5 * 60);
    let enrolled = activated.plus_ms(20 * 60_000);
    let mut factors = vec![factor(Kind::Push, enrolled, dice), factor(Kind::Code, enrolled, dice)];
    if dice.happens(KEYED_PERCENT) || role.is_some() {
        factors.push(factor(Kind::SecurityKey, enrolled.plus_ms(10 * 60_000), dice));
    }
    Account {
        id: id("00u", dice),
        person: person.clone(),
        made: berlin(earlier(person.starts, MADE_DAYS), 10 * 3_600 + 30 * 60),
        activated,
        shut: person.leaving.map(|leaving| leaving.shut),
        password: berlin(later(person.starts, 1), 9 * 3_600),
        factors,
        role,
    }
}

fn factor(kind: Kind, enrolled: Instant, dice: &mut Dice) -> Factor {
    let first = match kind {
        Kind::Push => "opf",
        Kind::Code => "ost",
        Kind::SecurityKey => "fwf",
    };
    Factor { id: id(first, dice), kind, enrolled, gone: None }
}

/// Twenty letters and digits, of which the first three say of what.
fn id(first: &str, dice: &mut Dice) -> String {
    const LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    first.chars().chain((first.len()..20).map(|_| char::from(LETTERS[dice.index(LETTERS.len())]))).collect()
}
