//! A step that searches a directory, and what goes with a directory and nothing else.
//!
//! What holds a password, or is made of one, is never asked for, whatever a manifest says.

use observance_record::population::Outcome;

use super::{
    Manifest, Pages, Records, Search, Stop, Turn, Verb,
    asks::Request,
    keys, parts,
    steps::{Asks, Context},
    yaml::{Faults, Section, Spot},
};
use crate::collect::{
    ldap::{self, ENTRIES, Scope, Shape},
    project::Path,
    template::Template,
};

/// Most attributes of a search.
const ATTRIBUTES_MAX: usize = 100;
/// Largest page; directories give fewer if they like.
pub(super) const PAGE_MAX: u64 = 5000;
/// Most pages of a list.
const PAGES_MAX: u64 = 10_000;
/// Pages of a list unless the manifest says otherwise.
const PAGES: u64 = 1000;
/// Keys of a step that say how a server is asked.
const OF_SERVERS: [&str; 14] = [
    "service",
    "safe_post",
    "body",
    "form",
    "variables",
    "query",
    "headers",
    "decode",
    "lists",
    "paginate",
    "records",
    "nested",
    "window",
    "table",
];
/// Codes of limits that a directory reached. What they mean is no manifest's to say: the list is partial.
const LIMITS: [&str; 3] = ["3", "4", "11"];
/// Attributes with passwords, what is made of them, or keys (in small letters).
const SECRETS: [&str; 26] = [
    "userpassword",
    "unicodepwd",
    "dbcspwd",
    "ntpwdhistory",
    "lmpwdhistory",
    "supplementalcredentials",
    "pwdhistory",
    "currentvalue",
    "priorvalue",
    "initialauthincoming",
    "initialauthoutgoing",
    "trustauthincoming",
    "trustauthoutgoing",
    "ms-mcs-admpwd",
    "mslaps-password",
    "mslaps-encryptedpassword",
    "mslaps-encryptedpasswordhistory",
    "msds-managedpassword",
    "msfve-recoverypassword",
    "sambantpassword",
    "sambalmpassword",
    "krbprincipalkey",
    "userpkcs12",
    "unixuserpassword",
    "mssfu30password",
    "sambapasswordhistory",
];

impl Manifest {
    /// Does it ask a directory?
    pub fn is_for_directories(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.verb, Verb::Search(_)))
    }
}

/// The address of a directory: encrypted, and of a host that could be anybody's.
pub(super) fn address(spot: &Spot<'_>, faults: &mut Faults) -> Option<String> {
    let read = |text: &str| {
        let url = url::Url::parse(text).ok()?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let number = |name: &str| name.parse::<std::net::Ipv4Addr>().is_ok();
        let named = url.domain().is_some_and(|name| parts::is_outside(name) && !number(name));
        (url.scheme() == ldap::LDAPS && plain && named).then(|| text.trim_end_matches('/').to_owned())
    };
    spot.read(faults, "an ldaps address without user, query or fragment", read)
}

/// What is looked for.
pub(super) fn request(
    section: &Section<'_>,
    spot: &Spot<'_>,
    faults: &mut Faults,
    context: &Context<'_>,
    asks: &Asks,
) -> Request {
    for spot in OF_SERVERS.iter().filter_map(|name| section.get(name)) {
        faults.add(spot, "it beside ldap", "a key that goes with a directory");
    }
    let section = spot.section(faults, &keys::SEARCH.names());
    let template = |name: &str, faults: &mut Faults| {
        let spot = section.get(name)?;
        let template = parts::template(spot, faults, &context.names())?;
        context.check(spot, faults, &template, asks);
        Some((spot, template))
    };
    let base = template("base", faults);
    if let Some((spot, base)) = &base
        && ldap::base(base, &mut Vec::new(), |_| Some("dc=x".to_owned())).is_err()
    {
        faults.add(spot, spot.found(), "a name as ou=people,{base}; a place is a name, or stands behind =");
    }
    section.need(faults, "filter");
    let filter = template("filter", faults);
    if let Some((spot, filter)) = &filter {
        let text = ldap::filter(filter, &mut Vec::new(), |_| Some("x".to_owned())).unwrap_or_default();
        if let Err(found) = ldap::read_filter(&text) {
            faults.add(spot, found, "a filter as (&(objectClass=person)(uid=*)), by RFC 4515");
        }
    }
    let scope = section.need(faults, "scope").and_then(|spot| scope(spot, faults));
    let attributes = section.need(faults, "attributes").map(|spot| attributes(spot, faults));
    let elsewhere = section.get("elsewhere").map(|spot| parts::texts(spot, faults)).unwrap_or_default();
    let (Some(scope), Some((_, filter)), Some(attributes)) = (scope, filter, attributes) else {
        return Request::default();
    };
    let search = Search { base: base.map(|(_, base)| base), scope, filter, attributes, elsewhere };
    let shown = format!(
        "/{}??{}?{}",
        search.base.as_ref().map_or("", Template::source),
        search.scope.as_str(),
        search.filter.source()
    );
    Request {
        path: Some(Template::named(&shown)),
        verb: Some(Verb::Search(Box::new(search))),
        ..Request::default()
    }
}

fn scope(spot: &Spot<'_>, faults: &mut Faults) -> Option<Scope> {
    let scopes = [Scope::Base, Scope::One, Scope::Sub];
    spot.read(faults, "base, one or sub", |text| scopes.into_iter().find(|scope| scope.as_str() == text))
}

fn attributes(spot: &Spot<'_>, faults: &mut Faults) -> Vec<(String, Shape)> {
    let members = spot.members(faults);
    if members.is_empty() || members.len() > ATTRIBUTES_MAX {
        faults.add(spot, format!("{} attributes", members.len()), "1 to 100 attributes");
    }
    let words = format!("one of {}", Shape::WORDS.join(", "));
    let mut read: Vec<(String, Shape)> = Vec::new();
    for (name, spot) in members {
        let bare = name.split(';').next().unwrap_or_default().to_ascii_lowercase();
        // by its number an attribute would be answered under its name, and one with a password would not be known
        let numbered = name.starts_with(|c: char| c.is_ascii_digit());
        if numbered || !ldap::is_attribute(name) || name.eq_ignore_ascii_case(ldap::NAME) {
            faults.add(
                &spot,
                format!("the attribute {name:?}"),
                "the name of an attribute; all of them is none, and a number neither",
            );
        } else if SECRETS.contains(&bare.as_str()) {
            faults.add(
                &spot,
                format!("the attribute {name}"),
                "another: what holds a password is never read",
            );
        } else if read.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            faults.add(&spot, format!("the attribute {name} once more"), "each attribute once");
        } else if let Some(shape) = spot.read(faults, &words, Shape::read) {
            read.push((name.to_owned(), shape));
        }
    }
    read
}

/// One entry has no list around it.
pub(super) fn records(search: &Search) -> Records {
    let list = || Path::read(ENTRIES).map_or(Records::List, Records::At);
    if search.scope == Scope::Base { Records::One } else { list() }
}

/// How its list goes on.
pub(super) fn pages(spot: &Spot<'_>, faults: &mut Faults) -> Option<Pages> {
    // what else may be wrong with the section is told where it is read
    let members = if spot.is_map() { spot.members(faults) } else { Vec::new() };
    let get = |name: &str| members.iter().find(|(key, _)| *key == name).map(|(_, spot)| spot);
    let size = get("page_size").and_then(|spot| spot.number(faults, 1..=PAGE_MAX));
    let most = get("pages_max").and_then(|spot| spot.number(faults, 1..=PAGES_MAX));
    if let (Some(spot), None) = (get("pages_max"), get("page_size")) {
        faults.add(spot, "pages_max without page_size", "page_size beside it");
    }
    Some(Pages {
        turn: Turn::Place,
        stop: Stop::Terminal,
        size: Some(("size".to_owned(), size?)),
        total: None,
        most: most.unwrap_or(PAGES),
        cap: None,
    })
}

/// A collector of directories has nothing that goes with servers, and one of servers searches no directory.
pub(super) fn agree(sections: &Section<'_>, faults: &mut Faults, directory: bool, manifest: &Manifest) {
    let all = manifest.steps.iter().all(|step| matches!(step.verb, Verb::Search(_)));
    if directory && !all || !directory && manifest.is_for_directories() {
        let expected = "kind: LdapCollector with ldap in every step; ldap in no step of any other kind";
        faults.add(sections.spot(), "another", expected);
    }
    for spot in outcomes(sections, faults) {
        let members = if spot.is_map() { spot.members(faults) } else { Vec::new() };
        let wrong = if directory { ["status", "header", "body"].as_slice() } else { &["code"] };
        for (name, spot) in members.iter().filter(|(name, _)| wrong.contains(name)) {
            let expected = if directory { "code, of a directory" } else { "status, of a server" };
            faults.add(spot, format!("the key {name}"), expected);
        }
    }
    if !directory {
        return;
    }
    for name in ["contract", "conditional", "receipts"] {
        if let Some(spot) = sections.get(name) {
            faults.add(spot, "it beside a directory", "a key that goes with a directory");
        }
    }
    let connection = sections.get("connection").filter(|spot| spot.is_map());
    for (name, spot) in connection.map(|spot| spot.members(faults)).unwrap_or_default() {
        if ["allow_hosts", "headers", "auth", "aws"].contains(&name) {
            faults.add(&spot, "it beside a directory", "a key that goes with a directory");
        }
    }
    for spot in outcomes(sections, faults).iter().filter(|spot| spot.is_map()) {
        outcome(spot, faults);
    }
}

/// Limits are no manifest's to name, and success is one code.
fn outcome(spot: &Spot<'_>, faults: &mut Faults) {
    let members = spot.members(faults);
    let get = |name: &str| members.iter().find(|(key, _)| *key == name).map(|(_, spot)| spot);
    let code = get("code");
    let spots = code.filter(|spot| spot.is_list()).map(|spot| spot.list(faults));
    let spots = spots.unwrap_or_else(|| code.into_iter().cloned().collect());
    let codes: Vec<String> = spots.iter().map(Spot::found).collect();
    if codes.iter().any(|code| LIMITS.contains(&code.as_str())) {
        let expected = "other codes: 3, 4 and 11 are limits of the directory, and leave a list partial";
        faults.add(spot, "an outcome for a limit", expected);
    }
    let present = get("as").is_some_and(|spot| spot.found() == format!("{:?}", Outcome::Present.as_str()));
    if code.is_some() && present != (codes == ["0"]) {
        let found = "present for another code, or 0 for another outcome";
        faults.add(spot, found, "{ code: 0, as: present }");
    }
}

/// Where the outcomes of the manifest and of its steps stand.
fn outcomes<'n>(sections: &Section<'n>, faults: &mut Faults) -> Vec<Spot<'n>> {
    let list =
        |spot: &Spot<'n>, faults: &mut Faults| if spot.is_list() { spot.list(faults) } else { Vec::new() };
    let mut spots = sections.get("outcomes").map(|spot| list(spot, faults)).unwrap_or_default();
    for step in sections.get("steps").map(|spot| list(spot, faults)).unwrap_or_default() {
        let members = if step.is_map() { step.members(faults) } else { Vec::new() };
        for (_, spot) in members.iter().filter(|(name, _)| *name == "outcomes") {
            spots.extend(list(spot, faults));
        }
    }
    spots
}
