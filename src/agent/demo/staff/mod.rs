//! The people of the company as its people team knows them: who is there, who comes, moves and leaves over the half year.
//!
//! Everybody on GitHub is among them, with the same days. Who may sign in where is not its business: see `identity`.

mod roster;

use chrono::NaiveDate;
use observance_record::Instant;

use super::{
    calendar::{berlin, date, day_of, earlier, later},
    company::{Company, Member, capital},
    dice::Dice,
    story::Story,
};

/// Where everybody's mail goes; a reserved name (RFC 2606).
const MAIL: &str = "acme.example";
/// Departments of whoever is on GitHub.
const MAKERS: &[&str] = &["Engineering", "Platform", "Product", "Data"];
/// Whoever is not on GitHub: department, title.
const OFFICE: &[(&str, &str)] = &[
    ("IT", "Head of IT"),
    ("IT", "Systems administrator"),
    ("IT", "Systems administrator"),
    ("IT", "Security engineer"),
    ("People", "Head of People"),
    ("People", "Recruiter"),
    ("Finance", "Chief financial officer"),
    ("Finance", "Controller"),
    ("Finance", "Accountant"),
    ("Legal", "Counsel"),
    ("Sales", "Head of Sales"),
    ("Sales", "Account executive"),
    ("Sales", "Account executive"),
    ("Sales", "Account executive"),
    ("Sales", "Sales engineer"),
    ("Support", "Head of Support"),
    ("Support", "Support agent"),
    ("Support", "Support agent"),
    ("Support", "Support agent"),
    ("Marketing", "Content editor"),
    ("Support", "Support agent"),
    ("Sales", "Account executive"),
];
/// How many of the office administer the identity provider: the first ones.
pub(super) const ADMINISTRATORS: usize = 4;
/// How long before somebody's first day the roster lists them.
const WRITTEN_DAYS: u64 = 21;
/// How long before somebody's last day the roster says so.
const NOTICE_DAYS: u64 = 28;

/// Somebody who works here, will, or did.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) email: String,
    /// Whether they are on GitHub.
    pub(super) is_maker: bool,
    posts: Vec<Post>,
    manager: Option<usize>,
    pub(super) starts: NaiveDate,
    /// From when the roster lists them.
    listed: Instant,
    pub(super) leaving: Option<Leaving>,
}

/// What somebody works as, from a day on.
#[derive(Debug, Clone, Copy)]
struct Post {
    from: NaiveDate,
    /// From when the roster says so.
    written: Instant,
    department: &'static str,
    title: &'static str,
}

/// How somebody goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaving {
    /// From when the roster says so.
    pub(super) notified: Instant,
    pub(super) last_day: NaiveDate,
    /// When their account is shut.
    pub(super) shut: Instant,
}

impl Leaving {
    /// Told to the roster some weeks before.
    pub(super) fn noticed(last_day: NaiveDate, shut: Instant) -> Self {
        Self { notified: berlin(earlier(last_day, NOTICE_DAYS), 11 * 3_600 + 17 * 60), last_day, shut }
    }
}

/// All people that there ever are, by id.
#[derive(Debug)]
pub(super) struct Staff(Vec<Person>);

impl Staff {
    /// Of this company, as the story wants it.
    pub(super) fn new(company: &Company, story: &Story) -> Self {
        let mut dice = Dice::of(company.seed(), 0x0073_7461_6666);
        let mut all: Vec<Person> = Vec::new();
        for (n, (department, title)) in OFFICE.iter().enumerate() {
            let (first, last) = company.name_of_other(n);
            let starts = hired(&mut dice);
            all.push(person((first, last), starts, (department, title)));
        }
        for member in company.everybody() {
            let department = MAKERS[dice.index(MAKERS.len())];
            let starts = hired(&mut dice);
            all.push(maker(member, starts, department));
        }
        let heads: Vec<usize> = (0..OFFICE.len()).filter(|n| OFFICE[*n].1.starts_with("Head")).collect();
        for (n, person) in all.iter_mut().enumerate() {
            let department = person.posts[0].department;
            let head = heads.iter().copied().find(|head| OFFICE[*head].0 == department);
            person.manager = head.filter(|head| *head != n);
            person.id = format!("E-{:04}", 1_000 + n);
        }
        story.tell(&mut all);
        Self(all)
    }

    /// Everybody, whenever they are there.
    pub(super) fn everybody(&self) -> &[Person] {
        &self.0
    }

    /// How many work here on the day of `now`.
    pub(super) fn working(&self, now: Instant) -> usize {
        let today = day_of(now);
        let gone = |person: &Person| person.leaving.is_some_and(|leaving| leaving.last_day < today);
        self.0.iter().filter(|person| person.starts <= today && !gone(person)).count()
    }
}

impl Person {
    /// Comes only now.
    pub(super) fn come(&mut self, starts: NaiveDate) {
        self.starts = starts;
        self.listed = berlin(earlier(starts, WRITTEN_DAYS), 14 * 3_600 + 17 * 60);
        self.posts[0].from = starts;
        self.posts[0].written = self.listed;
    }

    /// Does something else from a day on; the roster says so on that morning.
    pub(super) fn shift(&mut self, from: NaiveDate, (department, title): (&'static str, &'static str)) {
        let written = berlin(from, 8 * 3_600 + 17 * 60);
        self.posts.push(Post { from, written, department, title });
    }

    fn post(&self, now: Instant) -> Option<&Post> {
        self.posts.iter().rev().find(|post| post.written <= now)
    }

    /// Instants at which the roster's line changes.
    fn edits(&self) -> impl Iterator<Item = Instant> {
        let posts = self.posts.iter().map(|post| post.written);
        posts.chain([self.listed]).chain(self.leaving.map(|leaving| leaving.notified))
    }
}

fn person(
    (first, last): (&str, &str),
    starts: NaiveDate,
    (department, title): (&'static str, &'static str),
) -> Person {
    Person {
        id: String::new(),
        first: capital(first),
        last: capital(last),
        email: format!("{first}.{last}@{MAIL}"),
        is_maker: false,
        posts: vec![Post { from: starts, written: Instant::EPOCH, department, title }],
        manager: None,
        starts,
        listed: Instant::EPOCH,
        leaving: None,
    }
}

/// Whoever is on GitHub comes and goes there on the same days.
fn maker(member: Member<'_>, starts: NaiveDate, department: &'static str) -> Person {
    let title = if department == "Product" { "Product manager" } else { "Engineer" };
    let names = member.login.split_once('-').unwrap_or((member.login, ""));
    let mut maker = Person { is_maker: true, ..person(names, starts, (department, title)) };
    if member.joined > Instant::EPOCH {
        maker.come(day_of(member.joined));
    }
    maker.leaving = member.left.map(|left| Leaving::noticed(day_of(left), left));
    maker
}

/// A first day before the company's period.
fn hired(dice: &mut Dice) -> NaiveDate {
    later(date(2018, 9, 3), dice.between(0, 2_200).unsigned_abs())
}
