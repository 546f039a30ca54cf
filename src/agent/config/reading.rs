//! What the sections of the configuration share while they are read: the faults, the folder that relative paths start
//! from, and the list of effective values. It knows no section.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Allowed,
    catalogue::Catalogue,
    fault::Faults,
    node::{Fields, Node},
};
use crate::text::visible;

/// Longest name of a person, an organisation or a thing, in characters.
const NAME_CHARS_MAX: usize = 200;
/// Widest column of keys in an explanation.
const WIDTH_MAX: usize = 48;

/// One value in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Effective {
    path: String,
    shown: String,
    defaulted: bool,
}

/// One reading of one file.
pub(super) struct Reading<'c> {
    pub(super) faults: Faults,
    pub(super) effective: Vec<Effective>,
    pub(super) catalogue: &'c Catalogue,
    pub(super) allowed: Allowed,
    /// Public keys of whoever may sign files, by name.
    pub(super) signers: BTreeMap<String, Vec<String>>,
    folder: PathBuf,
}

impl<'c> Reading<'c> {
    pub(super) fn new(path: &Path, catalogue: &'c Catalogue, allowed: Allowed) -> Self {
        Self {
            faults: Faults::new(&path.to_string_lossy()),
            effective: Vec::new(),
            catalogue,
            allowed,
            signers: BTreeMap::new(),
            folder: path.parent().unwrap_or(Path::new("")).to_owned(),
        }
    }

    /// Notes a value that the file gave.
    pub(super) fn given(&mut self, path: &str, shown: &str) {
        self.note(path, shown, false);
    }

    /// Notes a value that nobody wrote.
    pub(super) fn defaulted(&mut self, path: &str, shown: &str) {
        self.note(path, shown, true);
    }

    fn note(&mut self, path: &str, shown: &str, defaulted: bool) {
        self.effective.push(Effective { path: path.to_owned(), shown: shown.to_owned(), defaulted });
    }

    /// The value of a key, or its default, noted either way. `None` only if a fault was pushed.
    pub(super) fn or<T: ToString>(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        default: T,
        read: impl FnOnce(&Node, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        let path = fields.path(key);
        let Some(node) = fields.may(key) else {
            self.defaulted(&path, &default.to_string());
            return Some(default);
        };
        let value = read(node, &mut self.faults)?;
        self.given(&path, &value.to_string());
        Some(value)
    }

    /// The value of a key that may be missing for good, noted either way. The outer `None` only after a fault.
    #[expect(clippy::option_option, reason = "a fault and an absent key are two things")]
    pub(super) fn or_none<T>(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        show: impl FnOnce(&T) -> String,
        read: impl FnOnce(&Node, &mut Faults) -> Option<T>,
    ) -> Option<Option<T>> {
        let path = fields.path(key);
        let Some(node) = fields.may(key) else {
            self.defaulted(&path, "none");
            return Some(None);
        };
        let value = read(node, &mut self.faults)?;
        self.given(&path, &show(&value));
        Some(Some(value))
    }

    /// A path that may be missing for good.
    #[expect(clippy::option_option, reason = "a fault and an absent key are two things")]
    pub(super) fn path_or_none(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        expected: &str,
    ) -> Option<Option<PathBuf>> {
        let folder = self.folder.clone();
        let show = |path: &PathBuf| path.display().to_string();
        self.or_none(fields, key, show, |node, faults| {
            node.read(expected, faults, |text| (!text.contains('\0')).then(|| folder.join(text)))
        })
    }

    /// A name for people, noted as given: no control or invisible characters, not too long.
    pub(super) fn name(&mut self, node: &Node, expected: &str) -> Option<String> {
        let expected = format!("{expected}: at most {NAME_CHARS_MAX} visible characters");
        let name = node.read(&expected, &mut self.faults, |text| {
            let whole = text.chars().count() <= NAME_CHARS_MAX && visible(text) == text;
            whole.then(|| text.trim().to_owned())
        })?;
        self.given(node.path(), &name);
        Some(name)
    }

    /// A path as written, from the file's folder if it is relative.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }
}

/// The lines of [`super::Config::explain`].
pub(super) fn explain(effective: &[Effective]) -> String {
    let width = |text: &str| text.chars().count();
    let paths = effective.iter().map(|one| width(&one.path)).max().unwrap_or(0).min(WIDTH_MAX);
    let values = effective.iter().map(|one| width(&one.shown)).max().unwrap_or(0).min(WIDTH_MAX);
    effective.iter().fold(String::new(), |text, Effective { path, shown, defaulted }| {
        let (path, shown) = (visible(path), visible(shown));
        let line = if *defaulted {
            format!("{path:paths$}  {shown:values$}  default")
        } else {
            format!("{path:paths$}  {shown}")
        };
        text + line.trim_end() + "\n"
    })
}
