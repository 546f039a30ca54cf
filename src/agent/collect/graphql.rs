//! Documents that are sent to a GraphQL source: what they ask, whether they only read, and what its errors mean.
//!
//! It knows no schema. A document is one query; every list in it that a source pages must say how far it goes.

use std::collections::BTreeSet;

use graphql_parser::query::{
    Definition, Directive, Document, Field, FragmentDefinition, OperationDefinition, Query, Selection,
    SelectionSet, Type, Value as Given, VariableDefinition, parse_query,
};
use observance_record::population::Outcome;

use super::scan::{Kind, Value};

/// Deepest selection that is looked into; it bounds fragments that spread one another.
const DEPTH_MAX: usize = 40;
/// Most fields that are looked at, fragments counted where they are spread.
const FIELDS_MAX: usize = 10_000;
/// Most errors of one answer that are looked at.
const ERRORS_MAX: usize = 10_000;
/// What follow-up documents call the node's id and the place to go on from.
pub(super) const FOLLOW_ID: &str = "followId";
/// See [`FOLLOW_ID`].
pub(super) const FOLLOW_AFTER: &str = "followAfter";

type Text<'d> = &'d str;

/// A document that is one query.
pub(super) struct Asking<'d> {
    query: Query<'d, Text<'d>>,
    fragments: Vec<FragmentDefinition<'d, Text<'d>>>,
}

/// A document that goes on with one list of one node.
#[derive(Debug)]
pub(super) struct FollowUp {
    /// The document.
    pub text: String,
    /// Variables of the first document that it uses too.
    pub variables: Vec<String>,
}

impl<'d> Asking<'d> {
    /// Reads a document; refused with what it is instead of one query.
    pub(super) fn read(text: &'d str) -> Result<Self, String> {
        let document: Document<'d, Text<'d>> = parse_query(text)
            .map_err(|error| error.to_string().replace('\n', " ").chars().take(200).collect::<String>())?;
        let (mut queries, mut fragments) = (Vec::new(), Vec::new());
        for definition in document.definitions {
            match definition {
                Definition::Operation(OperationDefinition::Query(query)) => queries.push(query),
                Definition::Operation(OperationDefinition::SelectionSet(_)) => {
                    return Err("a query without the word query".to_owned());
                }
                Definition::Operation(OperationDefinition::Mutation(_)) => {
                    return Err("a mutation".to_owned());
                }
                Definition::Operation(OperationDefinition::Subscription(_)) => {
                    return Err("a subscription".to_owned());
                }
                Definition::Fragment(fragment) => fragments.push(fragment),
            }
        }
        let n = queries.len();
        let Some(query) = queries.pop().filter(|_| n == 1) else { return Err(format!("{n} queries")) };
        let asking = Self { query, fragments };
        let mut left = FIELDS_MAX;
        if asking.measure(&asking.query.selection_set, DEPTH_MAX, &mut left) {
            Ok(asking)
        } else {
            Err("selections that are too deep, or fragments that are not there or spread themselves"
                .to_owned())
        }
    }

    /// Its variables, and whether each must be given.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&'d str, bool)> {
        self.query.variable_definitions.iter().map(|variable| {
            (
                variable.name,
                matches!(variable.var_type, Type::NonNullType(_)) && variable.default_value.is_none(),
            )
        })
    }

    /// Every list that a source pages, as a path from the outermost selection: whatever has `nodes` or `edges`.
    pub(super) fn connections(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        self.search(&[&self.query.selection_set], &mut Vec::new(), &mut found);
        found
    }

    /// Does an answer have this?
    pub(super) fn selects(&self, path: &[String]) -> bool {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        !self.at(&path).is_empty()
    }

    /// What a list does not select of what tells how far it goes.
    pub(super) fn lacks(&self, connection: &[String]) -> Vec<&'static str> {
        let has = |path: &[&str]| {
            let path: Vec<&str> = connection.iter().map(String::as_str).chain(path.iter().copied()).collect();
            // under its own name, because the answer is read by it
            self.at(&path).iter().any(|field| field.alias.is_none_or(|alias| alias == field.name))
        };
        let wanted: [(&[&str], &'static str); 3] = [
            (&["totalCount"], "totalCount"),
            (&["pageInfo", "hasNextPage"], "pageInfo { hasNextPage }"),
            (&["pageInfo", "endCursor"], "pageInfo { endCursor }"),
        ];
        wanted.iter().filter(|(path, _)| !has(path)).map(|(_, name)| *name).collect()
    }

    /// Does the list go on from where this variable says?
    pub(super) fn goes_on_by(&self, connection: &[String], variable: &str) -> bool {
        let path: Vec<&str> = connection.iter().map(String::as_str).collect();
        let by = |(name, value): &(&str, Given<'d, Text<'d>>)| {
            *name == "after" && matches!(value, Given::Variable(name) if *name == variable)
        };
        let fields = self.at(&path);
        !fields.is_empty() && fields.iter().all(|field| field.arguments.iter().any(by))
    }

    /// A document that goes on with a list of a node of this type: the same selection, from another place on.
    pub(super) fn follow_up(&self, connection: &[String], node_type: &str) -> Result<FollowUp, String> {
        let path: Vec<&str> = connection.iter().map(String::as_str).collect();
        let fields = self.at(&path);
        let [field] = fields.as_slice() else { return Err(format!("{} selections of it", fields.len())) };
        if field.arguments.iter().any(|(name, _)| matches!(*name, "last" | "before" | "after")) {
            return Err("a list that is not read from its beginning (last, before, after)".to_owned());
        }
        let mut field: Field<'d, Text<'d>> = (*field).clone();
        let (mut used, mut spread) = (BTreeSet::new(), BTreeSet::new());
        self.uses(&field, &mut used, &mut spread);
        field.arguments.push(("after", Given::Variable(FOLLOW_AFTER)));
        let shared: Vec<&VariableDefinition<'d, Text<'d>>> =
            self.query.variable_definitions.iter().filter(|v| used.contains(v.name)).collect();
        let mut declared = vec![format!("${FOLLOW_ID}: ID!"), format!("${FOLLOW_AFTER}: String")];
        declared.extend(shared.iter().map(ToString::to_string));
        let declared = declared.join(", ");
        let mut text = format!(
            "query({declared}) {{ node(id: ${FOLLOW_ID}) {{ ... on {node_type} {{\n{field}}} }} }}\n"
        );
        for fragment in self.fragments.iter().filter(|fragment| spread.contains(fragment.name)) {
            text.push_str(&fragment.to_string());
        }
        // what was put together is read again, so that nothing is sent that is not one query
        Asking::read(&text)?;
        Ok(FollowUp { variables: shared.iter().map(|variable| variable.name.to_owned()).collect(), text })
    }

    /// Is everything there and within bounds? Found once, so that what walks later ends.
    fn measure(&self, set: &SelectionSet<'d, Text<'d>>, depth: usize, left: &mut usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        set.items.iter().all(|item| {
            *left = left.saturating_sub(1);
            *left > 0
                && match item {
                    Selection::Field(field) => self.measure(&field.selection_set, depth, left),
                    Selection::InlineFragment(inline) => self.measure(&inline.selection_set, depth, left),
                    Selection::FragmentSpread(spread) => self
                        .fragment(spread.fragment_name)
                        .is_some_and(|fragment| self.measure(&fragment.selection_set, depth, left)),
                }
        })
    }

    fn fragment(&self, name: &str) -> Option<&FragmentDefinition<'d, Text<'d>>> {
        self.fragments.iter().find(|fragment| fragment.name == name)
    }

    /// The fields of a selection, those of its fragments among them.
    fn fields<'s>(&'s self, set: &'s SelectionSet<'d, Text<'d>>, out: &mut Vec<&'s Field<'d, Text<'d>>>) {
        for item in &set.items {
            match item {
                Selection::Field(field) => out.push(field),
                Selection::InlineFragment(inline) => self.fields(&inline.selection_set, out),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragment(spread.fragment_name) {
                        self.fields(&fragment.selection_set, out);
                    }
                }
            }
        }
    }

    /// Every selection of what an answer has at this path.
    fn at(&self, path: &[&str]) -> Vec<&Field<'d, Text<'d>>> {
        let mut sets = vec![&self.query.selection_set];
        let mut found = Vec::new();
        for part in path {
            found.clear();
            for set in sets {
                self.fields(set, &mut found);
            }
            found.retain(|field| key(field) == *part);
            sets = found.iter().map(|field| &field.selection_set).collect();
        }
        found
    }

    fn search(
        &self,
        sets: &[&SelectionSet<'d, Text<'d>>],
        path: &mut Vec<String>,
        found: &mut Vec<Vec<String>>,
    ) {
        let mut fields = Vec::new();
        for set in sets {
            self.fields(set, &mut fields);
        }
        if !path.is_empty() && fields.iter().any(|field| matches!(field.name, "nodes" | "edges")) {
            found.push(path.clone());
        }
        let keys: BTreeSet<&str> = fields.iter().map(|field| key(field)).collect();
        for name in keys {
            let sets: Vec<_> =
                fields.iter().filter(|field| key(field) == name).map(|field| &field.selection_set).collect();
            path.push(name.to_owned());
            self.search(&sets, path, found);
            path.pop();
        }
    }

    /// The variables and fragments that a field needs.
    fn uses(&self, field: &Field<'d, Text<'d>>, used: &mut BTreeSet<String>, spread: &mut BTreeSet<String>) {
        field.arguments.iter().for_each(|(_, value)| variables_of(value, used));
        directives_of(&field.directives, used);
        self.set_uses(&field.selection_set, used, spread);
    }

    fn set_uses(
        &self,
        set: &SelectionSet<'d, Text<'d>>,
        used: &mut BTreeSet<String>,
        spread: &mut BTreeSet<String>,
    ) {
        for item in &set.items {
            match item {
                Selection::Field(field) => self.uses(field, used, spread),
                Selection::InlineFragment(inline) => {
                    directives_of(&inline.directives, used);
                    self.set_uses(&inline.selection_set, used, spread);
                }
                Selection::FragmentSpread(one) => {
                    directives_of(&one.directives, used);
                    if let Some(fragment) = self.fragment(one.fragment_name) {
                        spread.insert(fragment.name.to_owned());
                        self.set_uses(&fragment.selection_set, used, spread);
                    }
                }
            }
        }
    }
}

fn key<'d>(field: &Field<'d, Text<'d>>) -> &'d str {
    field.alias.unwrap_or(field.name)
}

fn directives_of<'d>(directives: &[Directive<'d, Text<'d>>], used: &mut BTreeSet<String>) {
    for (_, value) in directives.iter().flat_map(|directive| &directive.arguments) {
        variables_of(value, used);
    }
}

fn variables_of<'d>(value: &Given<'d, Text<'d>>, used: &mut BTreeSet<String>) {
    match value {
        Given::Variable(name) => {
            used.insert((*name).to_owned());
        }
        Given::List(list) => list.iter().for_each(|value| variables_of(value, used)),
        Given::Object(map) => map.values().for_each(|value| variables_of(value, used)),
        Given::Int(_)
        | Given::Float(_)
        | Given::String(_)
        | Given::Boolean(_)
        | Given::Null
        | Given::Enum(_) => {}
    }
}

/// What the errors of an answer mean, though its status says that all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Of the answer.
    pub outcome: Outcome,
    /// Of single records, by their place; none if an error may have touched any of them.
    pub records: Option<Vec<(usize, Outcome)>>,
}

/// Reads `errors`; nothing if there are none. `list` is where the records stand, from `data` on.
pub(super) fn trouble(root: Value<'_>, list: Option<&[String]>) -> Option<Trouble> {
    let errors = root.get("errors").filter(|errors| errors.kind() != Kind::Null)?;
    if errors.kind() != Kind::List {
        return Some(Trouble { outcome: Outcome::Error, records: None });
    }
    let mut trouble: Option<Trouble> = None;
    for error in errors.elements().take(ERRORS_MAX) {
        let outcome = outcome_of(error);
        let place = list.and_then(|list| place_of(error, list));
        let so_far = trouble.get_or_insert(Trouble { outcome, records: Some(Vec::new()) });
        so_far.outcome = worse(so_far.outcome, outcome);
        so_far.records = so_far.records.take().zip(place).map(|(mut records, place)| {
            records.push((place, outcome));
            records
        });
    }
    trouble
}

fn outcome_of(error: Value<'_>) -> Outcome {
    let extensions = error.get("extensions");
    let said =
        [error.get("type"), extensions.and_then(|e| e.get("code")), extensions.and_then(|e| e.get("type"))];
    let word = said.into_iter().flatten().find_map(Value::text).unwrap_or_default();
    match word.to_ascii_uppercase().as_str() {
        "RATE_LIMITED" | "RATE_LIMIT" | "RATELIMITED" => Outcome::Throttled,
        "FORBIDDEN" | "INSUFFICIENT_SCOPES" => Outcome::Forbidden,
        "NOT_FOUND" => Outcome::Hidden,
        "UNAUTHENTICATED" => Outcome::Unauthenticated,
        _ => Outcome::Error,
    }
}

/// A limit is waited for; after that, what nobody knows outranks what is understood.
fn worse(a: Outcome, b: Outcome) -> Outcome {
    let by_rank = [Outcome::Throttled, Outcome::Unauthenticated, Outcome::Error, Outcome::Forbidden];
    by_rank.into_iter().find(|outcome| *outcome == a || *outcome == b).unwrap_or(Outcome::Hidden)
}

/// Which record an error lies inside of.
fn place_of(error: Value<'_>, list: &[String]) -> Option<usize> {
    let path = error.get("path").filter(|path| path.kind() == Kind::List)?;
    let mut parts = path.elements();
    let same = |part: &String| parts.next().and_then(Value::text).is_some_and(|text| text == part.as_str());
    let leads_there = list.iter().skip(1).all(same);
    let place = parts.next()?.raw().parse().ok()?;
    leads_there.then_some(place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::collect::scan::Tape;

    const CHANGES: &str = r"
query($org: String!, $after: String, $first: Int = 50, $state: [State!]) {
  organization(login: $org) { ...Repos }
}
fragment Repos on Organization {
  repositories(first: 100, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { id pulls: pullRequests(first: $first, states: $state) { ...Pulls } labels(first: 5) { edges { cursor } } }
  }
}
fragment Pulls on PullRequestConnection { totalCount pageInfo { hasNextPage endCursor } nodes { id ...Who } }
fragment Who on PullRequest { author { login @include(if: true) } }
";

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn lists_are_found_wherever_they_are_selected() {
        let asking = Asking::read(CHANGES).unwrap();
        let found: Vec<_> = asking.connections().iter().map(|path| path.join(".")).collect();
        let repos = "organization.repositories";
        assert_eq!(
            found,
            [repos.to_owned(), format!("{repos}.nodes.labels"), format!("{repos}.nodes.pulls")]
        );
        assert!(asking.lacks(&path(repos)).is_empty());
        assert_eq!(asking.lacks(&path("organization.repositories.nodes.labels")).len(), 3);
        assert!(asking.goes_on_by(&path(repos), "after") && !asking.goes_on_by(&path(repos), "first"));
        let variables: Vec<_> = asking.variables().collect();
        assert_eq!(variables, [("org", true), ("after", false), ("first", false), ("state", false)]);
        let renamed = CHANGES.replace("totalCount pageInfo", "n: totalCount pageInfo");
        let asking = Asking::read(&renamed).unwrap();
        assert_eq!(asking.lacks(&path("organization.repositories.nodes.pulls")), ["totalCount"]);
    }

    #[test]
    fn a_follow_up_selects_the_same_from_another_place_on() {
        let asking = Asking::read(CHANGES).unwrap();
        let follow = asking.follow_up(&path("organization.repositories.nodes.pulls"), "Repository").unwrap();
        assert_eq!(follow.variables, ["first", "state"]);
        let words = follow.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "query($followId: ID!, $followAfter: String, $first: Int = 50, $state: [State!]) { node(id: $followId) { ... on Repository {",
            "pulls: pullRequests(first: $first, states: $state, after: $followAfter) { ...Pulls }",
            "fragment Pulls on",
            "fragment Who on",
        ] {
            assert!(words.contains(part), "{part}\n{words}");
        }
        assert!(!words.contains("fragment Repos"));
        assert!(
            asking.follow_up(&path("organization.repositories"), "Organization").is_err(),
            "it has an after"
        );
    }

    #[test]
    fn what_is_not_one_query_is_refused() {
        for (text, why) in [
            ("mutation { deleteRepository(id: 1) { id } }", "a mutation"),
            ("query A { a } mutation B { b }", "a mutation"),
            ("subscription { a }", "a subscription"),
            ("query A { a } query B { b }", "2 queries"),
            ("fragment F on T { a }", "0 queries"),
            ("{ a }", "without the word"),
            ("query { ...F } fragment F on T { a { ...F } }", "spread themselves"),
            ("query { ...G }", "not there"),
            ("query { a", "query"),
        ] {
            let found = Asking::read(text).err().unwrap_or_default();
            assert!(found.contains(why), "{text}: {found}");
        }
    }

    fn trouble_of(body: &str) -> Option<Trouble> {
        trouble(Tape::read(body.as_bytes()).unwrap().root(), Some(&path("data.org.repos.nodes")))
    }

    #[test]
    fn errors_are_outcomes_and_name_the_records_that_they_touch() {
        let of = |outcome, records: Option<&[(usize, Outcome)]>| {
            Some(Trouble { outcome, records: records.map(<[_]>::to_vec) })
        };
        assert_eq!(trouble_of(r#"{"data":{}}"#), None);
        assert_eq!(trouble_of(r#"{"errors":[]}"#), None);
        assert_eq!(trouble_of(r#"{"errors":"x"}"#), of(Outcome::Error, None));
        assert_eq!(trouble_of(r#"{"errors":[{"type":"RATE_LIMITED"}]}"#), of(Outcome::Throttled, None));
        assert_eq!(
            trouble_of(r#"{"errors":[{"type":"FORBIDDEN","path":["org","repos","nodes",3,"rules"]}]}"#),
            of(Outcome::Forbidden, Some(&[(3, Outcome::Forbidden)]))
        );
        assert_eq!(
            trouble_of(
                r#"{"errors":[{"extensions":{"code":"FORBIDDEN"},"path":["org","repos","nodes",3]},{"message":"x"}]}"#
            ),
            of(Outcome::Error, None)
        );
        assert_eq!(
            trouble_of(r#"{"errors":[{"type":"NOT_FOUND","path":["org"]}]}"#),
            of(Outcome::Hidden, None)
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), cut in 0..CHANGES.len()) {
            let _read = Asking::read(&text).map(|asking| asking.connections());
            let _read = Asking::read(&CHANGES[..cut]).map(|asking| asking.connections());
        }
    }
}
