//! What an answer means: the manifest's rules, first match wins, and the reasons that go with an outcome.
//!
//! An answer that no rule knows is an error: no status ever means "no rows" by default.

use observance_record::population::Outcome;

use super::http::Broken;

/// How much of a body is searched for the words of a rule, in bytes.
const LOOK_BYTES_MAX: usize = 65_536;

/// Why an exchange, a list or a row is not what it should be. Each is a code of the record.
pub mod why {
    /// No rule of the manifest matches the answer.
    pub const UNMATCHED: &str = "outcome.unmatched";
    /// The next page lies on another host; nothing was sent there.
    pub const LINK_OTHER_HOST: &str = "link.other_host";
    /// The next page was read already.
    pub const LINK_LOOP: &str = "link.loop";
    /// Nothing says where the list goes on, and its end was not seen.
    pub const PAGE_END_UNSEEN: &str = "page.end_unseen";
    /// What says where the list goes on cannot be read.
    pub const LINK_MALFORMED: &str = "link.malformed";
    /// The list has more pages than the manifest allows.
    pub const PAGES_MAX: &str = "pages.max";
    /// The source returns no more than this many records of a list, and returned that many.
    pub const SOURCE_CAP: &str = "source.cap";
    /// The source redirects to another host; nothing was sent there.
    pub const REDIRECT_OTHER_HOST: &str = "redirect.other_host";
    /// More redirects than allowed.
    pub const REDIRECT_MANY: &str = "redirect.many";
    /// The body is larger than allowed, before or after decompression.
    pub const TOO_LARGE: &str = "too_large";
    /// The body is not JSON.
    pub const BODY_MALFORMED: &str = "body.malformed";
    /// An object of the body repeats a key.
    pub const BODY_REPEATED_KEY: &str = "body.repeated_key";
    /// Too deep, or too many values.
    pub const BODY_SIZE: &str = "body.size";
    /// A table is not as its columns say; nothing of it is taken.
    pub const TABLE_FAULTS: &str = "table.faults";
    /// There is no such file.
    pub const FILE_MISSING: &str = "file.missing";
    /// It is no ordinary file, or may not be read.
    pub const FILE_UNREADABLE: &str = "file.unreadable";
    /// A file has no signature beside it.
    pub const SIGNATURE_MISSING: &str = "signature.missing";
    /// What lies beside a file is no signature of these bytes.
    pub const SIGNATURE_BAD: &str = "signature.bad";
    /// Somebody signed the file who may not.
    pub const SIGNATURE_FOREIGN: &str = "signature.foreign";
    /// Nobody has to sign the file: whoever can write it can say anything. It was read.
    pub const REGISTER_UNSIGNED: &str = "register.unsigned";
    /// Reasons that a register gives instead of its file.
    pub const OF_REGISTERS: [&str; 5] =
        [FILE_MISSING, FILE_UNREADABLE, SIGNATURE_MISSING, SIGNATURE_BAD, SIGNATURE_FOREIGN];
    /// The directory does not let the one in who asks.
    pub const BIND_REFUSED: &str = "bind.refused";
    /// The directory ended a list because it took too long.
    pub const TIME_LIMIT: &str = "ldap.time_limit";
    /// The directory ended a list because it gives no more entries than these.
    pub const SIZE_LIMIT: &str = "ldap.size_limit";
    /// The directory ended a list at a limit that its administrators set.
    pub const ADMIN_LIMIT: &str = "ldap.admin_limit";
    /// A part of what was asked for lies in another directory, which was not asked.
    pub const ELSEWHERE: &str = "ldap.elsewhere";
    /// The records are not where the manifest says, or are not objects.
    pub const BODY_SHAPE: &str = "body.shape";
    /// A GraphQL answer has errors.
    pub const GRAPHQL_ERRORS: &str = "graphql.errors";
    /// The answer ended before its body did.
    pub const TRUNCATED: &str = "body.truncated";
    /// No answer in time.
    pub const TIMEOUT: &str = "net.timeout";
    /// No connection, or none that could be trusted.
    pub const CONNECT: &str = "net.connect";
    /// The name leads to an address inside that is not configured; nothing was sent.
    pub const ADDRESS_INSIDE: &str = "net.inside";
    /// The exchange broke off in another way.
    pub const BROKEN: &str = "net.broken";
    /// A field that this credential should see is not there.
    pub const FIELD_MISSING: &str = "field.missing";
    /// A record has no immutable id.
    pub const KEY_MISSING: &str = "key.missing";
    /// A list named the same record twice.
    pub const KEYS_REPEATED: &str = "keys.repeated";
    /// An event has no instant that can be read.
    pub const AT_MALFORMED: &str = "at.malformed";
    /// The immutable id of the source could not be read, so its things cannot be named.
    pub const SCOPE_MISSING: &str = "scope.missing";
    /// The token is not fit for a header; nothing was sent.
    pub const TOKEN_MALFORMED: &str = "token.malformed";
    /// The key of the app or client does not sign, or what proves who asks cannot be read; nothing was sent.
    pub const AUTH_KEY: &str = "auth.key";
    /// What somebody else signs for the client cannot be read where it should lie; nothing was sent.
    pub const AUTH_STATEMENT: &str = "auth.statement";
    /// The source does not believe the app or client: another key or secret, another id, or clocks too far apart.
    pub const AUTH_REFUSED: &str = "auth.refused";
    /// There is no token at the address where the manifest says that a client is given one; or nobody says where a session is given.
    pub const AUTH_ENDPOINT: &str = "auth.endpoint";
    /// The app is not installed there, or not where this key may look.
    pub const AUTH_NOT_INSTALLED: &str = "auth.not_installed";
    /// The app's installation is suspended.
    pub const AUTH_SUSPENDED: &str = "auth.suspended";
    /// The app or client is granted none of what the collector expects, or no token for it.
    pub const AUTH_PERMISSIONS: &str = "auth.permissions";
    /// No credential could be had for the time being.
    pub const AUTH_UNAVAILABLE: &str = "auth.unavailable";
    /// What came instead of a credential cannot be read.
    pub const AUTH_MALFORMED: &str = "auth.malformed";
    /// A value needed for an address is missing.
    pub const VALUE_MISSING: &str = "value.missing";
    /// A value would change the address it stands in.
    pub const VALUE_UNSAFE: &str = "value.unsafe";
    /// The step reads a window and the run has none.
    pub const WINDOW_MISSING: &str = "window.missing";
    /// The source does not reach back to the window's beginning.
    pub const WINDOW_REACH: &str = "window.reach";
    /// A good part of the time in which the window can be read has passed; it was read.
    pub const WINDOW_NEAR_RETENTION: &str = "window.near_retention";
    /// Where a list was cannot be had any more; it was read from its beginning.
    pub const STATE_LOST: &str = "state.lost";
    /// The last page does not say where the next run goes on.
    pub const STATE_MISSING: &str = "state.missing";
    /// A second reading of the same time has an event that the first had not; it was judged late.
    pub const REREAD_LATE: &str = "reread.late";
    /// A second reading of the same time lacks an event that the first had; what was said of it stands.
    pub const REREAD_LOST: &str = "reread.lost";
    /// Of two readings of the same time one broke off, so that they are not compared.
    pub const REREAD_BROKE: &str = "reread.broke";
    /// The source asked for more waiting than the run may spend.
    pub const BUDGET_WAIT: &str = "budget.wait";
    /// A step is asked for no more records than this.
    pub const FOR_EACH_MAX: &str = "for_each.max";
    /// The run has made all the requests it may.
    pub const BUDGET_REQUESTS: &str = "budget.requests";
    /// The run has read all the bytes it may.
    pub const BUDGET_BYTES: &str = "budget.bytes";
    /// The run has lasted as long as it may.
    pub const BUDGET_TIME: &str = "budget.time";
    /// The source's own count differs from what was listed.
    pub const COUNT_DIFFERS: &str = "count.differs";
    /// A declared proof could not be made.
    pub const PROOF_MISSING: &str = "proof.missing";
    /// The manifest declares no proof of completeness.
    pub const PROOF_NONE: &str = "proof.none";
    /// A row is larger than a row may be; its joined parts were left out.
    pub const ROW_LARGE: &str = "row.too_large";
}

/// One line of `outcomes`.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// Any of these.
    pub status: Vec<u16>,
    /// A header (lower case) and the exact value it must have.
    pub headers: Vec<(String, String)>,
    /// Words that the body must contain.
    pub body: Option<String>,
    /// What it means then.
    pub outcome: Outcome,
}

impl Rule {
    fn matches<'h>(&self, status: u16, header: &impl Fn(&str) -> Option<&'h str>, body: &[u8]) -> bool {
        let head = body.get(..LOOK_BYTES_MAX).unwrap_or(body);
        self.status.contains(&status)
            && self.headers.iter().all(|(name, value)| header(name) == Some(value))
            && self.body.as_ref().is_none_or(|words| contains(head, words.as_bytes()))
    }
}

/// The outcome of the first rule that matches; the step's own rules come before the manifest's.
pub(super) fn classify<'r, 'h>(
    rules: impl IntoIterator<Item = &'r Rule>,
    status: u16,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
) -> Option<Outcome> {
    rules.into_iter().find(|rule| rule.matches(status, &header, body)).map(|rule| rule.outcome)
}

/// What it means that there is no answer.
pub(super) const fn broken_off(broken: Broken) -> (Outcome, &'static str) {
    match broken {
        Broken::Timeout => (Outcome::Retry, why::TIMEOUT),
        Broken::Connect => (Outcome::Retry, why::CONNECT),
        Broken::Truncated => (Outcome::Retry, why::TRUNCATED),
        Broken::Other => (Outcome::Retry, why::BROKEN),
        Broken::Inside => (Outcome::Error, why::ADDRESS_INSIDE),
        Broken::TooLarge => (Outcome::Error, why::TOO_LARGE),
    }
}

/// Do the words stand in the body?
pub(super) fn contains(body: &[u8], words: &[u8]) -> bool {
    words.is_empty() || body.windows(words.len()).any(|window| window == words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_matches_wins_and_none_is_none() {
        let rule = |status: &[u16], header: Option<(&str, &str)>, body: Option<&str>, outcome| Rule {
            status: status.to_vec(),
            headers: header.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            body: body.map(str::to_owned),
            outcome,
        };
        let rules = [
            rule(&[404], None, Some("Branch not protected"), Outcome::Absent),
            rule(&[403, 429], Some(("x-left", "0")), None, Outcome::Throttled),
            rule(&[403, 404], None, None, Outcome::Hidden),
        ];
        let ask = |status, left: Option<&'static str>, body: &str| {
            classify(&rules, status, |name| left.filter(|_| name == "x-left"), body.as_bytes())
        };
        assert_eq!(ask(404, None, "{\"message\":\"Branch not protected\"}"), Some(Outcome::Absent));
        assert_eq!(ask(404, None, "Not Found"), Some(Outcome::Hidden));
        assert_eq!(ask(403, Some("0"), ""), Some(Outcome::Throttled));
        assert_eq!(ask(403, Some("00"), ""), Some(Outcome::Hidden));
        assert_eq!(ask(418, None, ""), None);
    }
}
