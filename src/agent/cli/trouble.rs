//! Errors at the door: what was attempted, why it did not work, and the next step where there is one.

use std::{
    fmt,
    io::{self, Write as _},
};

use crate::{
    bundle::BundleFault, config::fault::Faults, key::KeyError, run::JournalError, store::StoreError,
    text::visible,
};

/// Something that went wrong, with its remedy.
#[derive(Debug)]
pub struct Trouble {
    what: String,
    hint: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Trouble {
    /// `what` is wrong; `hint` is what a person does next.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into(), source: None }
    }

    /// The same, because of this.
    #[must_use]
    pub fn because(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..self }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Trouble {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// Prints an error to standard error: `error: what: why`, then `hint: ...` if one is known.
pub fn tell(error: &anyhow::Error) {
    // nothing can be done about a closed standard error
    let _closed = io::stderr().write_all(text(error).as_bytes());
}

fn text(error: &anyhow::Error) -> String {
    if let Some(faults) = error.downcast_ref::<Faults>() {
        let faults = faults.to_string();
        let (list, sum) = faults.rsplit_once('\n').unwrap_or(("", &faults));
        return format!(
            "{list}\nerror: {sum}\nhint: mend these; observance check-config says when none is left\n"
        );
    }
    let mut causes: Vec<String> = Vec::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // transparent errors repeat their source
        if causes.last() != Some(&cause) {
            causes.push(cause);
        }
    }
    let line = visible(&causes.join(": ")).into_owned();
    let hint = error.chain().find_map(hint);
    hint.map_or_else(|| format!("error: {line}\n"), |hint| format!("error: {line}\nhint: {hint}\n"))
}

fn hint(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(trouble) = cause.downcast_ref::<Trouble>() {
        return Some(trouble.hint.clone());
    }
    if let Some(error) = cause.downcast_ref::<KeyError>() {
        return error.hint();
    }
    if let Some(error) = cause.downcast_ref::<JournalError>()
        && matches!(error, JournalError::Salt(_))
    {
        return Some("the keys are not those of this log".to_owned());
    }
    if let Some(error) = cause.downcast_ref::<BundleFault>()
        && matches!(error, BundleFault::Bag(_))
    {
        return Some("name a folder that does not exist, on a disk with room".to_owned());
    }
    let error = cause.downcast_ref::<StoreError>()?;
    let hint = if matches!(error, StoreError::Tamper { .. }) {
        "keep the store as it is; the log before that commit still holds"
    } else if matches!(error, StoreError::Open { .. }) {
        "see store: in the configuration, and who may read and write there"
    } else if matches!(error, StoreError::Objects { .. } | StoreError::NotWritten { .. }) {
        "see whether the store is up and may be reached from here; the record waits for it"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_and_its_remedy() {
        let inner = std::io::Error::other("no such file");
        let error = anyhow::Error::from(Trouble::new("cannot read it", "name another").because(inner));
        assert_eq!(text(&error), "error: cannot read it: no such file\nhint: name another\n");
        assert_eq!(text(&anyhow::anyhow!("a\x1b[2Jb")), "error: a\\u{1b}[2Jb\n");
    }
}
