//! The least that each kind of source grants, in the form in which it takes it: one file of `deploy/grants` for each.
//!
//! What is granted stands in the manifests; here stands only how each vendor writes it down, a line of the table for each. A kind
//! without a line is a plain text. Nothing is asked and nothing is granted here.

mod roles;
mod scopes;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde_json::{Value, json};

use super::granting::Grants;
use crate::{
    cli::{
        shelf::{Shelf, Shelved},
        trouble::Trouble,
    },
    text::visible,
};

/// How one kind of source takes what it grants.
struct Form {
    kind: &'static str,
    /// How its file ends.
    ending: &'static str,
    /// What whoever applies it has to know, where the form has room for it.
    notes: &'static [&'static str],
    /// What is written; none is a plain text.
    body: Option<fn(&Wanted<'_>) -> anyhow::Result<String>>,
}

const FORMS: &[Form] = &[
    Form {
        kind: "ad",
        ending: "txt",
        notes: &[
            "An account of the domain that is in no group but Domain Users reads these attributes, unless somebody took that away. Give it a",
            "password of its own, and let it sign in nowhere. By certificate instead: altSecurityIdentities of that account.",
        ],
        body: None,
    },
    Form { kind: "aws", ending: "json", notes: &[], body: Some(scopes::aws) },
    Form {
        kind: "bamboohr",
        ending: "txt",
        notes: &[
            "BambooHR has no rights of a key's own: a key may do whatever its user may. So make a user for it alone, whose access",
            "level sees these fields of everybody, and changes nothing. A token by OAuth is granted the scopes themselves.",
        ],
        body: None,
    },
    Form {
        kind: "datadog",
        ending: "tf",
        notes: &[
            "Datadog has no right that only reads the organisation: org_management may change it, too. Its key is read by nobody else.",
            "The service account has a role with these rights and no other; the key is narrowed to them besides.",
        ],
        body: Some(scopes::datadog),
    },
    Form {
        kind: "elasticsearch",
        ending: "json",
        notes: &["INDEX is what the configuration names: params: { index: .. }"],
        body: Some(roles::elasticsearch),
    },
    Form { kind: "entra", ending: "json", notes: &[], body: Some(scopes::entra) },
    Form { kind: "github", ending: "json", notes: &[], body: Some(scopes::github) },
    Form {
        kind: "google",
        ending: "txt",
        notes: &[
            "Admin console, Security, Access and data control, API controls, Domain-wide delegation, Add new: the client id of the",
            "service account, and the last line of this file as its scopes. The account that `subject` names has a role with the",
            "privileges that are needed below, on the whole organisation and not on a unit of it.",
        ],
        body: Some(scopes::google),
    },
    Form {
        kind: "journald",
        ending: "txt",
        notes: &[
            "The journal gateway grants nothing by name: whoever reaches it reads the whole journal. Start it with --trust=CA.pem, so",
            "that it answers known certificates alone, or let a proxy before it pass these requests and no other.",
        ],
        body: None,
    },
    Form {
        kind: "keycloak",
        ending: "sh",
        notes: &[
            "The client has a service account, and no other way to sign in. Log in first: kcadm.sh config credentials ..; then",
            "REALM=acme CLIENT=observance sh keycloak.sh. The realm `master` has no client realm-management, and is not read.",
        ],
        body: Some(roles::keycloak),
    },
    Form {
        kind: "ldap",
        ending: "ldif",
        notes: &[
            "OpenLDAP: ldapmodify -Y EXTERNAL -H ldapi:/// -f ldap.ldif; BASE is what is read, READER the account that binds, and the",
            "database is yours.",
        ],
        body: Some(roles::ldap),
    },
    Form {
        kind: "loki",
        ending: "txt",
        notes: &[
            "Loki grants nothing by name: whoever reaches it reads and writes every tenant. Let a proxy before it ask for a token, pass",
            "these requests and no other, and set the tenant (x-scope-orgid) itself.",
        ],
        body: None,
    },
    Form {
        kind: "okta",
        ending: "tf",
        notes: &[
            "The app is an API service with a key of its own. The role has no resource set: a narrower one hides accounts, and does",
            "not say so. Only a super administrator grants scopes and roles.",
        ],
        body: Some(scopes::okta),
    },
    Form {
        kind: "opensearch",
        ending: "yml",
        notes: &[
            "A role for roles.yml, or its fields by PUT _plugins/_security/api/roles/observance; INDEX is what the configuration names:",
            "params: { index: .. }. No permission of a role reads the security API without writing to it: `restapi:admin/..` writes. So",
            "the settings go into opensearch.yml of every node, and take from the role all that is not to read. Close there also what",
            "your release has beyond this list (TENANTS, AUDIT, NODESDN, ..).",
        ],
        body: Some(roles::opensearch),
    },
    Form {
        kind: "scim",
        ending: "txt",
        notes: &[
            "SCIM knows no rights: ask the source for a token that makes these requests and no other. Where it has none of that kind the",
            "token may write, too, and no collector can see that.",
        ],
        body: None,
    },
    Form {
        kind: "splunk",
        ending: "conf",
        notes: &[
            "For authorize.conf. The role imports none and searches no index (srchIndexesAllowed stays empty). What it may not see Splunk",
            "leaves out in silence: share saved searches with it. indexes_list_all counts only where somebody has switched it on.",
        ],
        body: Some(roles::splunk),
    },
];

/// What the collectors of a kind want.
pub struct Wanted<'s> {
    kind: &'s str,
    collectors: Vec<&'s Shelved>,
    /// Every right with the collectors that need it.
    rights: BTreeMap<String, BTreeSet<String>>,
    /// On what it is granted, where a manifest says: (name, on what).
    places: BTreeSet<(String, String)>,
    grants: Grants,
}

impl<'s> Wanted<'s> {
    /// What is wanted of this kind; none if nothing of it is on the shelf.
    pub fn of(shelf: &'s Shelf, kind: &'s str) -> Option<Self> {
        let collectors: Vec<&Shelved> = shelf.of_kind(kind).collect();
        if collectors.is_empty() {
            return None;
        }
        let grants = Grants::for_collectors(shelf, collectors.iter().copied());
        Some(Self::new(kind, collectors, grants))
    }

    fn new(kind: &'s str, collectors: Vec<&'s Shelved>, grants: Grants) -> Self {
        let by = |(right, collectors): (&String, &BTreeMap<String, _>)| {
            (right.clone(), collectors.keys().cloned().collect())
        };
        let rights = grants.rights.iter().map(|one| by((&one.right, &one.collectors))).collect();
        let places = collectors.iter().flat_map(|one| one.manifest.places()).cloned().collect();
        Self { kind, collectors, rights, places, grants }
    }

    /// Is there something to grant? A file of the organisation is read by whoever may open it.
    pub fn is_granted(&self) -> bool {
        !self.rights.is_empty()
    }

    /// The name of its file.
    pub fn file(&self) -> String {
        format!("{}.{}", self.kind, self.form().map_or("txt", |form| form.ending))
    }

    /// Its file.
    pub fn text(&self) -> anyhow::Result<String> {
        match self.form().and_then(|form| form.body) {
            Some(body) => body(self),
            None => Ok(text(self)),
        }
    }

    /// The same for machines.
    pub fn value(&self) -> anyhow::Result<Value> {
        let right = |(name, collectors): (&String, _)| json!({ "right": name, "level": "read", "on": self.on(name), "collectors": collectors });
        let rights: Vec<Value> = self.rights.iter().map(right).collect();
        Ok(json!({
            "kind": self.kind, "rights": rights, "needs": self.grants.needs, "file": self.file(), "text": self.text()?,
        }))
    }

    fn form(&self) -> Option<&'static Form> {
        FORMS.iter().find(|form| form.kind == self.kind)
    }

    fn notes(&self) -> &'static [&'static str] {
        self.form().map_or(&[], |form| form.notes)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.rights.keys().map(String::as_str)
    }

    /// On what this right is granted.
    fn on(&self, right: &str) -> Vec<&str> {
        self.places.iter().filter(|(name, _)| name == right).map(|(_, on)| on.as_str()).collect()
    }

    /// The rights by what they are granted on, in the manifests' words; one that a manifest does not place is a fault of it.
    fn placed(&self) -> anyhow::Result<BTreeMap<&str, Vec<&str>>> {
        let mut placed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in self.names() {
            let on = self.on(name);
            if on.is_empty() {
                return Err(self.unfit(name, "its manifest does not say `on` what it is granted"));
            }
            for place in on {
                placed.entry(place).or_default().push(name);
            }
        }
        Ok(placed)
    }

    /// What goes into a file that is read by a shell, or by lines, as it stands.
    fn words(&self) -> anyhow::Result<Vec<&str>> {
        let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b));
        let unfit = self.names().find(|name| !plain(name));
        unfit.map_or_else(
            || Ok(self.names().collect()),
            |name| Err(self.unfit(name, "it is no plain word of this form")),
        )
    }

    fn unfit(&self, name: &str, why: &str) -> anyhow::Error {
        let what = format!("the right {} of {} cannot be written down: {why}", visible(name), self.kind);
        Trouble::new(what, "observance collectors show ID says what a manifest declares").into()
    }

    /// What stands above the body, where a form has comments: each right with whoever needs it, notes, what is needed beside.
    fn head(&self) -> String {
        let mut out = format!(
            "# What {} grants, to read alone. Made from the collectors by: observance collectors permissions {}\n",
            self.kind, self.kind
        );
        let mut line = |text: &str| {
            // writing to a string cannot fail
            let _written = writeln!(out, "# {}", visible(text).trim_end());
        };
        for (name, collectors) in &self.rights {
            let collectors: Vec<&str> = collectors.iter().map(String::as_str).collect();
            line(&format!("  {name}: {}", collectors.join(", ")));
        }
        for note in self.notes() {
            line(note);
        }
        let names: BTreeSet<&str> = self.names().collect();
        let words: BTreeSet<&str> = self.grants.needs.iter().map(|need| need.needs.as_str()).collect();
        for word in words.into_iter().filter(|word| !names.contains(word)) {
            let steps = self.grants.needs.iter().filter(|need| need.needs == word);
            let steps: Vec<String> = steps.map(|need| format!("{} {}", need.collector, need.step)).collect();
            line(&format!("needs {word} ({})", steps.join(", ")));
        }
        out
    }
}

/// The kinds of source on a shelf, in order.
pub fn kinds(shelf: &Shelf) -> BTreeSet<&str> {
    shelf.collectors.values().map(Shelved::kind).collect()
}

/// For whoever has to find out how their own way to a source grants: the requests that are made.
fn text(wanted: &Wanted<'_>) -> String {
    let steps = wanted.collectors.iter().flat_map(|one| one.manifest.step_outlines());
    let asked: BTreeSet<String> = steps
        .filter(|step| step.verb != "INSIDE")
        .map(|step| format!("{} {}", if step.verb == "GRAPHQL" { "POST" } else { step.verb }, step.path))
        .collect();
    asked.iter().fold(wanted.head(), |out, line| out + &visible(line) + "\n")
}

/// JSON as a file has it.
fn pretty(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelved(id: &str, expect: &str) -> Shelved {
        let text = format!(
            r#"apiVersion: collectors/v1
kind: HttpCollector
metadata: {{ id: {id}, version: 1, title: Things, evidence: [configuration] }}
connection: {{ base_url: "https://things.example" }}
permissions: {{ expect: [{expect}] }}
outcomes: [{{ status: 200, as: present }}]
steps:
  - {{ id: org, get: /org, records: one, project: [id] }}
  - {{ id: things, get: /things, records: list, key: id, project: [id], complete: [terminal_page], needs: patience }}
populations: {{ things: {{ type: thing, of: things, scope: org.id, name: "{{id}}" }} }}
"#
        );
        Shelved::read(id, text).unwrap()
    }

    fn written(kind: &str, expect: &str) -> anyhow::Result<String> {
        let one = shelved(&format!("{kind}.things"), expect);
        let grants = Grants::for_collectors(&Shelf::shipped().unwrap(), [&one]);
        Wanted::new(kind, vec![&one], grants).text()
    }

    #[test]
    fn every_shipped_kind_can_be_written_down_and_grants_no_writing() {
        let shelf = Shelf::shipped().unwrap();
        for kind in kinds(&shelf) {
            let wanted = Wanted::of(&shelf, kind).unwrap();
            let text = wanted.text().unwrap_or_else(|error| panic!("{kind}: {error}"));
            let files = wanted.collectors.iter().all(|one| one.manifest.is_for_files());
            assert_eq!(wanted.is_granted(), !files, "{kind}");
            assert!(
                text.ends_with('\n') && !text.contains(".manage") && !text.contains("ReadWrite"),
                "{text}"
            );
        }
        assert!(Wanted::of(&shelf, "nobody").is_none());
        assert!(FORMS.is_sorted_by_key(|form| form.kind));
    }

    #[test]
    fn actions_become_a_policy_on_what_they_are_granted_on() {
        let right =
            "{ name: \"logs:DescribeLogGroups\", access: read }, { name: \"iam:ListUsers\", access: read }";
        let own = ", { name: \"s3:GetBucketLogging\", access: read, on: \"arn:aws:s3:::trail\" }";
        let policy: Value = serde_json::from_str(&written("aws", &format!("{right}{own}")).unwrap()).unwrap();
        let said = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": ["iam:ListUsers", "logs:DescribeLogGroups"], "Resource": ["*"] },
            { "Effect": "Allow", "Action": ["s3:GetBucketLogging"], "Resource": ["arn:aws:s3:::trail"] },
        ] });
        assert_eq!(policy, said);
        assert!(written("aws", "{ name: ListUsers, access: read }").is_err());
    }

    #[test]
    fn attributes_become_lines_of_access() {
        let text = written("ldap", "{ name: uid, access: read }, { name: memberOf, access: read }").unwrap();
        let last = "olcAccess: {0}to dn.subtree=\"BASE\" attrs=entry,memberOf,uid by dn.exact=\"READER\" read by * break\n";
        assert!(text.ends_with(last), "{text}");
        assert!(text.contains("# needs patience (ldap.things things)\n"), "{text}");
        assert!(written("ldap", "{ name: \"uid by * write\", access: read }").is_err());
    }

    #[test]
    fn what_cannot_be_placed_is_told_and_not_guessed() {
        for (kind, expect) in [
            ("elasticsearch", "{ name: monitor, access: read }"),
            ("elasticsearch", "{ name: monitor, access: read, on: the moon }"),
            ("opensearch", "{ name: monitor, access: read, on: the moon }"),
            ("entra", "{ name: Moon.Read.All, access: read }"),
            ("keycloak", "{ name: \"view-users;reboot\", access: read }"),
            ("splunk", "{ name: \"search\\nadmin_all_objects\", access: read }"),
        ] {
            let said =
                written(kind, expect).err().unwrap_or_else(|| panic!("{kind} took {expect}")).to_string();
            assert!(said.contains(&format!("of {kind} cannot be written down")), "{said}");
        }
        // whoever has no form says what is asked
        let plain = written("wiki", "{ name: things, access: read }").unwrap();
        assert!(
            plain.ends_with("GET /org\nGET /things\n") && plain.contains("#   things: wiki.things\n"),
            "{plain}"
        );
    }
}
