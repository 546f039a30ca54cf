//! Reads a policy's files and says what may not stand in them, before any of it runs.
//!
//! Two passes: the tokens of each file (its size and shape must not bring the parser down), then the parsed rules
//! (names that may not be named, functions that do not exist or call themselves, the rules of the contract). Both see
//! what regorus sees, so comments, strings, escapes, aliases and `with` hide nothing.

use std::collections::{BTreeMap, BTreeSet};

use regorus::{
    Engine, Source,
    unstable::{Expr, Lexer, Module, Ref, Rule, RuleHead, Span, TokenKind},
};

use crate::{
    builtins::{self, NOW_NS},
    fault::Fault,
    syntax,
};

/// Largest policy file.
pub const FILE_BYTES_MAX: usize = 256 * 1024;
/// Most files of a policy.
pub const FILES_MAX: usize = 32;
/// Operators, dots and brackets in one run between separators: each may deepen the parsed expression by one.
const OPERATORS_MAX: usize = 64;
/// Most brackets open at once. Regorus's parser tries each twice, so its time doubles with every one of them (measured:
/// 16 take 0.4 s), and its own limit of 32 does not hold everywhere.
const BRACKETS_MAX: usize = 12;
/// Deepest parsed expression.
const DEPTH_MAX: usize = 128;
/// Digits of a width in a format: `%1000000000d` is a gigabyte.
const WIDTH_DIGITS_MAX: usize = 3;

/// The sets of the contract.
pub(crate) const SETS: [&str; 4] = ["failed", "unknown", "not_applicable", "messages"];
/// The single values of the contract.
pub(crate) const VALUES: [&str; 2] = ["passed", "not_due"];
/// A set that is told to people and decides nothing, so that a rule of this name with another shape is the policy's own.
pub(crate) const TOLD: &str = "matched";

/// What was found out about a policy's files.
pub(crate) struct Findings {
    /// It asks for the time, or might.
    pub(crate) reads_time: bool,
    /// Rules of the contract by package path.
    pub(crate) contract: BTreeMap<Vec<String>, BTreeSet<&'static str>>,
}

/// Faults of one file's tokens; nothing is parsed that has any.
pub(crate) fn scan(file: &str, text: &str) -> Vec<Fault> {
    let source = match Source::from_contents(file.to_owned(), text.to_owned()) {
        Ok(source) => source,
        Err(error) => return vec![located(file, &error.to_string())],
    };
    let mut lexer = Lexer::new(&source);
    let mut runs = Runs { open: vec![0], line: 0, joined: false };
    loop {
        let token = match lexer.next_token() {
            Ok(token) => token,
            Err(error) => return vec![located(file, &error.to_string())],
        };
        if token.0 == TokenKind::Eof {
            return Vec::new();
        }
        let run = runs.see(&token.0, &token.1);
        if run > OPERATORS_MAX || runs.open.len() > BRACKETS_MAX + 1 {
            let what =
                format!("more than {OPERATORS_MAX} operators or {BRACKETS_MAX} brackets in one expression");
            return vec![Fault::at(file, token.1.line, what).hint("give the parts names")];
        }
    }
}

/// Counts operators since the last separator, for each open bracket.
struct Runs {
    open: Vec<usize>,
    line: u32,
    joined: bool,
}

impl Runs {
    fn see(&mut self, kind: &TokenKind, span: &Span) -> usize {
        let text = span.text();
        let word = *kind == TokenKind::Ident;
        let symbol = *kind == TokenKind::Symbol;
        let separates = symbol && matches!(text, "," | ";");
        let joins = (word && matches!(text, "in" | "not" | "else" | "with"))
            || (symbol && !separates && !matches!(text, ")" | "]" | "}" | "{"));
        let new_line = span.line != self.line && !joins && !self.joined;
        (self.line, self.joined) = (span.line, joins);
        let Some(run) = self.open.last_mut() else { return 0 };
        if separates || new_line {
            *run = 0;
        }
        *run += usize::from(joins);
        let run = *run;
        if symbol && matches!(text, "(" | "[" | "{") {
            self.open.push(0);
        } else if symbol && matches!(text, ")" | "]" | "}") && self.open.len() > 1 {
            self.open.pop();
        }
        run
    }
}

/// A fault from what regorus says: `--> file:line:column ... error: what`.
pub(crate) fn located(file: &str, said: &str) -> Fault {
    let place = said.lines().find_map(|line| line.strip_prefix("--> ")).unwrap_or_default();
    let mut from_end = place.rsplitn(3, ':');
    let line = from_end.nth(1).and_then(|line| line.parse().ok()).unwrap_or(0);
    let named = from_end.next().unwrap_or(file);
    let what = said.rsplit("error: ").next().unwrap_or(said).trim();
    let what = what.lines().next().unwrap_or(what).chars().take(300).collect::<String>();
    Fault::at(named, line, what)
}

/// Looks through the parsed files.
pub(crate) fn examine(engine: &mut Engine) -> Result<Findings, Vec<Fault>> {
    let modules: Vec<Ref<Module>> = engine.get_modules().clone();
    let functions = functions(&modules);
    let mut reading = Reading { faults: Vec::new(), reads_time: false };
    let mut calls = Calls::new();
    let mut contract = BTreeMap::<_, BTreeSet<_>>::new();
    for module in &modules {
        let scope = Scope::of(module, &functions);
        syntax::walk(module, &mut |expr, depth| reading.expression(expr, depth, &scope));
        for rule in &module.policy {
            contract.entry(scope.package.clone()).or_default().extend(reading.head(rule));
            calls
                .entry(dotted(&scope.package, &syntax::path(syntax::head(rule))))
                .or_default()
                .extend(scope.called(rule).into_iter().map(|name| (name, place(syntax::head(rule).span()))));
        }
        for import in &module.imports {
            if import.r#as.is_none() {
                reading.import(&import.refr);
            }
        }
    }
    reading.faults.extend(circles(&calls));
    reading.faults.sort();
    reading.faults.dedup();
    let Reading { faults, reads_time } = reading;
    if faults.is_empty() { Ok(Findings { reads_time, contract }) } else { Err(faults) }
}

/// Full names (`data.package.name`) of all functions.
fn functions(modules: &[Ref<Module>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for module in modules {
        let package = package(module);
        for rule in &module.policy {
            let function = match rule.as_ref() {
                Rule::Spec { head: RuleHead::Func { .. }, .. } => true,
                Rule::Spec { head: RuleHead::Compr { .. } | RuleHead::Set { .. }, .. } => false,
                Rule::Default { args, .. } => !args.is_empty(),
            };
            if function {
                names.insert(dotted(&package, &syntax::path(syntax::head(rule))));
            }
        }
    }
    names
}

fn package(module: &Module) -> Vec<String> {
    syntax::path(&module.package.refr).into_iter().map(str::to_owned).collect()
}

fn dotted(package: &[String], name: &[&str]) -> String {
    let parts = ["data"].into_iter().chain(package.iter().map(String::as_str)).chain(name.iter().copied());
    parts.collect::<Vec<_>>().join(".")
}

fn place(span: &Span) -> (String, u32) {
    (span.source.file().clone(), span.line)
}

/// How names resolve in one file.
struct Scope<'a> {
    package: Vec<String>,
    imports: BTreeMap<String, String>,
    functions: &'a BTreeSet<String>,
}

impl<'a> Scope<'a> {
    fn of(module: &Module, functions: &'a BTreeSet<String>) -> Self {
        let import = |import: &regorus::unstable::Import| {
            let path = syntax::path(&import.refr);
            let alias = import.r#as.as_ref().map(|span| span.text().to_owned());
            Some((alias.or_else(|| path.last().map(ToString::to_string))?, path.join(".")))
        };
        Self {
            package: package(module),
            imports: module.imports.iter().filter_map(import).collect(),
            functions,
        }
    }

    /// The full name of the policy's own function that `path` calls.
    fn function(&self, path: &[&str]) -> Option<String> {
        let (root, rest) = path.split_first()?;
        let aliased = self.imports.get(*root).map(|target| {
            [target.as_str()].into_iter().chain(rest.iter().copied()).collect::<Vec<_>>().join(".")
        });
        let own = if *root == "data" { path.join(".") } else { dotted(&self.package, path) };
        aliased.into_iter().chain([own]).find(|name| self.functions.contains(name))
    }

    fn called(&self, rule: &Ref<Rule>) -> BTreeSet<String> {
        let mut called = BTreeSet::new();
        syntax::walk_rule(rule, &mut |expr, _| {
            if let Expr::Call { fcn, .. } = expr {
                called.extend(self.function(&syntax::path(fcn)));
            }
        });
        called
    }
}

struct Reading {
    faults: Vec<Fault>,
    reads_time: bool,
}

impl Reading {
    fn fault(&mut self, span: &Span, what: String, hint: &'static str) {
        let (file, line) = place(span);
        self.faults.push(Fault::at(&file, line, what).hint(hint));
    }

    fn expression(&mut self, expr: &Expr, depth: usize, scope: &Scope<'_>) {
        if depth > DEPTH_MAX {
            let what = format!("an expression is nested more than {DEPTH_MAX} deep");
            self.fault(expr.span(), what, "give the parts names");
        }
        let path = syntax::path(expr);
        let name = path.join(".");
        if let Some(why) = builtins::refused(&name) {
            self.fault(expr.span(), format!("`{name}` may not be used"), why);
        }
        // Over-careful by design: whoever writes the word may mean the clock, and pays only with memory not used.
        let text = syntax::constant(expr).or(path.last().copied()).unwrap_or_default();
        self.reads_time |= matches!(text, "now" | "now_ns") || name.starts_with(NOW_NS);
        if syntax::constant(expr) == Some("Local") {
            let hint = "the machine's own zone is no evidence: name a zone, or leave it out for UTC";
            self.fault(expr.span(), "the zone \"Local\" may not be used".to_owned(), hint);
        }
        if let Expr::Call { fcn, params, .. } = expr {
            self.call(fcn, params.first().map(AsRef::as_ref), scope);
        }
    }

    fn call(&mut self, fcn: &Expr, first: Option<&Expr>, scope: &Scope<'_>) {
        let path = syntax::path(fcn);
        let name = path.join(".");
        if scope.function(&path).is_some() || builtins::refused(&name).is_some() {
            return;
        }
        if !builtins::ALLOWED.contains(&name.as_str()) {
            let what = if builtins::exists(&name) { "may not be called" } else { "is not a function here" };
            self.fault(fcn.span(), format!("`{name}` {what}"), "");
        } else if name == "sprintf" && !first.and_then(syntax::constant).is_some_and(is_bounded) {
            let hint = "a width taken from elsewhere may fill the memory";
            let what =
                format!("the format of `sprintf` is not a literal with widths below 10^{WIDTH_DIGITS_MAX}");
            self.fault(fcn.span(), what, hint);
        }
    }

    fn import(&mut self, refr: &Expr) {
        if syntax::path(refr) == ["input"] {
            self.fault(refr.span(), "`import input` says nothing".to_owned(), "leave it out");
        }
    }

    /// The rule of the contract that this is, if any, and whether it has its shape.
    fn head(&mut self, rule: &Rule) -> Option<&'static str> {
        let path = syntax::path(syntax::head(rule));
        if let Rule::Spec { head: RuleHead::Set { key: Some(_), .. }, .. } = rule
            && path == [TOLD]
        {
            return Some(TOLD);
        }
        let name = SETS.into_iter().chain(VALUES).find(|name| path.first() == Some(name))?;
        let is_set = SETS.contains(&name);
        let fits = match rule {
            Rule::Spec { head: RuleHead::Set { refr, key, .. }, .. } => {
                is_set && key.is_some() && matches!(refr.as_ref(), Expr::Var { .. })
            }
            Rule::Spec { head: RuleHead::Compr { refr, .. }, bodies, .. } => {
                let said = name != "passed" || !bodies.is_empty();
                !is_set && said && matches!(refr.as_ref(), Expr::Var { .. })
            }
            Rule::Spec { head: RuleHead::Func { .. }, .. } => false,
            Rule::Default { value, .. } => name == "passed" && is_false(value),
        };
        if !fits {
            let (expected, hint) = match name {
                "passed" => ("`passed if ...`", "a pass without a condition would be a pass by silence"),
                "not_due" => ("`not_due := <instant> if ...`", ""),
                _ => ("`... contains <code> if ...`", ""),
            };
            self.fault(rule.span(), format!("`{name}` has not the shape {expected}"), hint);
        }
        Some(name)
    }
}

fn is_false(expr: &Expr) -> bool {
    expr.span().text() == "false"
}

fn is_bounded(format: &str) -> bool {
    let digits = format.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    digits <= WIDTH_DIGITS_MAX && !format.contains('*')
}

/// What each rule calls, and where the rule stands.
type Calls = BTreeMap<String, Vec<(String, (String, u32))>>;

/// Functions that reach themselves: regorus would follow them until the stack is gone.
fn circles(calls: &Calls) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, first) in calls {
        let mut open: Vec<&str> = first.iter().map(|(called, _)| called.as_str()).collect();
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(calls.get(next).into_iter().flatten().map(|(called, _)| called.as_str()));
            }
        }
        if seen.contains(name.as_str())
            && let Some((_, (file, line))) = first.first()
        {
            faults.push(Fault::at(file, *line, format!("`{name}` calls itself")));
        }
    }
    faults
}
