//! The roster as the people team writes it: one line for each person, kept after the last day (`people.register`).
//!
//! It signs nothing and writes no file: see `registers`. Logins are not listed: accounts are found by their addresses.

use observance_record::Instant;

use super::{Person, Staff};
const HEAD: &str = "email,id,kind,starts,ends,notified,department,title,manager,moved\n";

impl Staff {
    /// The file at `now`. No cell needs quotes.
    pub(in crate::demo) fn roster(&self, now: Instant) -> String {
        let listed = self.everybody().iter().filter(|person| person.listed <= now);
        HEAD.to_owned() + &listed.map(|person| self.line(person, now)).collect::<String>()
    }

    /// Instants in `(from, to)` at which the file changes.
    pub(in crate::demo) fn edits(&self, (from, to): (Instant, Instant)) -> Vec<Instant> {
        let all = self.everybody().iter().flat_map(Person::edits);
        let mut within: Vec<Instant> = all.filter(|at| from < *at && *at < to).collect();
        within.sort_unstable();
        within.dedup();
        within
    }

    fn line(&self, person: &Person, now: Instant) -> String {
        let leaving = person.leaving.filter(|leaving| leaving.notified <= now);
        let post = person.post(now);
        let moved = post.filter(|post| post.from > person.starts).map(|post| post.from.to_string());
        let manager =
            person.manager.and_then(|n| self.everybody().get(n)).map(|manager| manager.email.as_str());
        let cells = [
            person.email.clone(),
            person.id.clone(),
            "employee".to_owned(),
            person.starts.to_string(),
            leaving.map(|leaving| leaving.last_day.to_string()).unwrap_or_default(),
            leaving.map(|leaving| leaving.notified.to_string()).unwrap_or_default(),
            post.map(|post| post.department.to_owned()).unwrap_or_default(),
            post.map(|post| post.title.to_owned()).unwrap_or_default(),
            manager.unwrap_or_default().to_owned(),
            moved.unwrap_or_default(),
        ];
        cells.join(",") + "\n"
    }
}
