//! A policy that may run: its files read, its annotation understood, its rules tried once.
//!
//! It judges nothing. What cannot be loaded has faults with file and line, and its items stay unknown.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use observance_record::{Digest, json::to_canonical};
use regorus::{Engine, unstable::Module, utils::limits::ExecutionTimerConfig};
use serde_json::{Map, Value, json};

use crate::{
    fault::Fault,
    hear,
    meta::{self, Meta},
    source::{self, FILE_BYTES_MAX, FILES_MAX, Findings},
};

/// Wall-clock guard of one evaluation. Its hit is unknown `judge.timeout`, and replay does not call it a mismatch.
pub const EVALUATION_MS_MAX: u64 = 2_000;
/// Work units of regorus between two looks at the clock.
const CLOCK_EVERY: NonZeroU32 = NonZeroU32::MIN.saturating_add(63);
/// The package of the rule that asks a policy for all it says; no policy may use the name.
const ASKING: &str = "observance_contract";

/// A loaded policy. Cheap to share; judging takes a copy of its engine.
#[derive(Debug, Clone)]
pub struct Policy {
    meta: Meta,
    statement: Vec<u8>,
    digest: Digest,
    reads_time: bool,
    tells_matches: bool,
    engine: Engine,
}

/// The parameters of a policy as they are in force: its defaults, overlaid with what was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    values: Map<String, Value>,
    statement: Vec<u8>,
    digest: Digest,
}

impl Params {
    /// The values by name.
    pub const fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// Their canonical JSON.
    pub fn statement(&self) -> &[u8] {
        &self.statement
    }

    /// SHA-256 of [`Params::statement`].
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

impl Policy {
    /// Reads a policy from its files (path to bytes): exactly one package is annotated as the contract asks, the
    /// others are its libraries. All faults come at once.
    ///
    /// Limits: [`FILES_MAX`] files of [`FILE_BYTES_MAX`] bytes.
    pub fn load(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<Fault>> {
        let texts = texts(files)?;
        let mut engine = parse(&texts)?;
        let (entry, meta) = annotations(&mut engine)?;
        let (findings, meta) = match (source::examine(&mut engine), meta) {
            (Ok(findings), Ok(meta)) => (findings, meta),
            (findings, meta) => {
                let faults = findings.err().into_iter().chain(meta.err()).flatten();
                return Err(faults.collect());
            }
        };
        ask(&mut engine, &entry, &findings)?;
        let reads_time = findings.reads_time;
        let tells_matches =
            findings.contract.get(&entry.package).is_some_and(|rules| rules.contains(source::TOLD));
        let statement = statement(files, &meta, &entry.file)?;
        let policy =
            Self { digest: Digest::of(&statement), statement, meta, reads_time, tells_matches, engine };
        hear::rehearse(policy).map_err(|said| vec![source::located(&entry.file, &said)])
    }

    /// The canonical JSON of contract, files (by digest) and annotation: what the digest covers.
    pub fn statement(&self) -> &[u8] {
        &self.statement
    }

    /// SHA-256 of [`Policy::statement`] (formats section 9).
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// It asks for the time: it is given `input.now`, and `time.now_ns()` is the run's `as_of`.
    pub const fn reads_time(&self) -> bool {
        self.reads_time
    }

    /// It says which items of joined populations a row belongs to.
    pub const fn tells_matches(&self) -> bool {
        self.tells_matches
    }

    /// Its annotation.
    pub const fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Its defaults overlaid with `given`; a name it does not have, or a value of another kind, is a fault.
    pub fn params(&self, given: &Map<String, Value>) -> Result<Params, Vec<Fault>> {
        let mut values = self.meta.parameters.clone();
        let mut faults = Vec::new();
        for (name, value) in given {
            let fault = |what: String| Fault::at("", 0, what).key(format!("{}.{name}", self.meta.id));
            match values.get_mut(name) {
                None => {
                    let known = self.meta.parameters.keys().cloned().collect::<Vec<_>>().join(", ");
                    faults.push(fault(format!("is not a parameter of this policy, which has: {known}")));
                }
                Some(default) if kind(default) == kind(value) && is_whole(value) => *default = value.clone(),
                Some(default) => faults.push(fault(format!("found {value}, expected {}", kind(default)))),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let statement = to_canonical(&values)
            .map_err(|e| vec![Fault::at("", 0, e.to_string()).key(self.meta.id.clone())])?;
        let digest = Digest::of(&statement);
        Ok(Params { values, statement, digest })
    }

    /// A copy of the engine, ready to be asked [`question`].
    pub(crate) fn engine(&self) -> Engine {
        self.engine.clone()
    }

    pub(crate) fn keep(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }
}

/// The rule that holds all a policy says.
pub(crate) fn question() -> String {
    format!("data.{ASKING}.said")
}

/// A rule that says nothing of the policy: asking it makes regorus prepare the engine.
pub(crate) fn ready() -> String {
    format!("data.{ASKING}.ready")
}

fn texts(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<(&str, &str)>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut texts = Vec::new();
    if files.is_empty() || files.len() > FILES_MAX {
        faults.push(Fault::at("", 0, format!("a policy has 1 to {FILES_MAX} files, found {}", files.len())));
    }
    for (path, bytes) in files.iter().take(FILES_MAX) {
        if path.is_empty() || path.len() > 200 || !path.bytes().all(|b| b.is_ascii_graphic()) {
            faults.push(Fault::at(path, 0, "a path is 1 to 200 ASCII characters without spaces"));
        }
        if bytes.len() > FILE_BYTES_MAX {
            faults.push(Fault::at(path, 0, format!("larger than {FILE_BYTES_MAX} bytes")));
            continue;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                faults.extend(source::scan(path, text));
                texts.push((path.as_str(), text));
            }
            Err(_) => faults.push(Fault::at(path, 0, "is not UTF-8")),
        }
    }
    if faults.is_empty() { Ok(texts) } else { Err(faults) }
}

fn parse(texts: &[(&str, &str)]) -> Result<Engine, Vec<Fault>> {
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(true);
    engine.set_gather_prints(true);
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit: Duration::from_millis(EVALUATION_MS_MAX),
        check_interval: CLOCK_EVERY,
    });
    let mut faults = Vec::new();
    for (path, text) in texts {
        let added = hear::contained(|| engine.add_policy((*path).to_owned(), (*text).to_owned()));
        if let Err(said) = added {
            faults.push(source::located(path, &said));
        }
    }
    if faults.is_empty() { Ok(engine) } else { Err(faults) }
}

/// The annotated package.
struct Entry {
    file: String,
    line: u32,
    package: Vec<String>,
}

/// The entry, and what its annotation says or lacks: both are wanted, since all faults are told at once.
type Annotated = (Entry, Result<Meta, Vec<Fault>>);

fn annotations(engine: &mut Engine) -> Result<Annotated, Vec<Fault>> {
    let packages =
        engine.get_policy_package_components().map_err(|error| vec![Fault::at("", 0, error.to_string())])?;
    let mut found = Vec::new();
    for (module, package) in engine.get_modules().iter().zip(packages) {
        if package.components.first().is_some_and(|name| name == ASKING) {
            return Err(vec![Fault::at(&package.source_file, 1, format!("the package `{ASKING}` is taken"))]);
        }
        if let Some((line, text)) = annotation(module) {
            let meta = meta::read(&package.source_file, line, &text);
            found.push((Entry { file: package.source_file, line, package: package.components }, meta));
        }
    }
    let hint = "write `# METADATA` and its YAML in comments directly above one `package`";
    match found.len() {
        1 => found.pop().ok_or_else(Vec::new),
        0 => Err(vec![Fault::at("", 0, "no package is annotated").key("METADATA").hint(hint)]),
        _ => Err(found
            .iter()
            .map(|(one, _)| {
                Fault::at(&one.file, one.line, "more than one package is annotated").key("METADATA")
            })
            .collect()),
    }
}

/// The YAML in the comments directly above `package`, and the line on which it begins. Nothing but comments and
/// space can stand there, so a line that begins with `#` is one.
fn annotation(module: &Module) -> Option<(u32, String)> {
    let span = &module.package.span;
    let above = usize::try_from(span.line).ok()?.checked_sub(1)?;
    let lines: Vec<&str> = span.source.contents().lines().take(above).collect();
    let comments = lines.iter().rev().take_while(|line| line.starts_with('#')).count();
    let start = lines.len() - comments;
    let block = lines.get(start..)?;
    let marker = block.iter().position(|line| line.trim_end() == "# METADATA")?;
    let yaml = block.get(marker + 1..)?.iter().map(|line| line.strip_prefix("# ").unwrap_or(&line[1..]));
    Some((u32::try_from(start + marker + 2).ok()?, yaml.collect::<Vec<_>>().join("\n")))
}

/// Adds the rule that collects, in one evaluation, what the contract's rules say. A list of none or one value tells
/// undefined from false.
fn ask(engine: &mut Engine, entry: &Entry, findings: &Findings) -> Result<(), Vec<Fault>> {
    let rules = findings.contract.get(&entry.package).cloned().unwrap_or_default();
    if !rules.contains("passed") {
        let what = "has no rule `passed`, so nothing could ever pass";
        return Err(vec![
            Fault::at(&entry.file, 0, what).hint("passed if { what was seen that fulfils it }"),
        ]);
    }
    let quoted: Vec<_> = entry.package.iter().map(|part| Value::from(part.as_str()).to_string()).collect();
    let package = format!("[{}]", quoted.join("]["));
    let fields = rules.iter().map(|rule| format!("{rule:?}: [x | x := data{package}.{rule}]"));
    let text = format!(
        "package {ASKING}\n\nready := true\n\nsaid := {{\n{}\n}}\n",
        fields.collect::<Vec<_>>().join(",\n")
    );
    let added = engine.add_policy(format!("{ASKING}.rego"), text);
    added.map(drop).map_err(|error| vec![source::located(&entry.file, &error.to_string())])
}

fn statement(files: &BTreeMap<String, Vec<u8>>, meta: &Meta, file: &str) -> Result<Vec<u8>, Vec<Fault>> {
    let files: BTreeMap<&String, String> =
        files.iter().map(|(path, bytes)| (path, Digest::of(bytes).to_string())).collect();
    let statement = json!({"contract": 1, "files": files, "meta": meta.document});
    to_canonical(&statement)
        .map_err(|e| vec![Fault::at(file, 0, format!("its annotation cannot be recorded: {e}"))])
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// Holds only what canonical JSON of the record may hold: whole numbers, no nulls, ASCII keys.
fn is_whole(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|n| n.unsigned_abs() <= 1 << 53),
        Value::Array(values) => values.iter().all(is_whole),
        Value::Object(fields) => fields.iter().all(|(key, value)| key.is_ascii() && is_whole(value)),
    }
}
