//! C2SP tlog-checkpoint: the signed head of a log, three lines and no extensions.
//!
//! It does not decide which key is in force; the reader of the log does.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    digest::Root,
    note::{Note, NoteError, Signer, VerifierKey},
};

/// A log's head: origin, size, root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root over them.
    pub root: Root,
}

/// Why a note is not a checkpoint of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The envelope.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not exactly origin, size, root.
    #[error("not a checkpoint: {0}")]
    Form(&'static str),
}

impl Checkpoint {
    /// The note text: origin, decimal size, base64 root, each on its line.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }

    /// The signed note.
    pub fn sign(&self, signer: &Signer) -> String {
        signer.sign(&self.text())
    }

    /// Reads a note's text; signatures are not looked at.
    pub fn parse(note: &Note<'_>) -> Result<Self, CheckpointError> {
        let form = CheckpointError::Form;
        let lines: Vec<&str> = note.text.split('\n').collect();
        let [origin, size, root, ""] = lines.as_slice() else {
            return Err(form("not three lines"));
        };
        if origin.is_empty() {
            return Err(form("no origin"));
        }
        let number: u64 = size.parse().map_err(|_not_decimal| form("the size is not a number"))?;
        if number.to_string() != *size {
            return Err(form("the size is not in its shortest form"));
        }
        let root = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
        let root = Root::from_bytes(root.ok_or_else(|| form("the root is not 32 bytes of base64"))?);
        Ok(Self { origin: (*origin).to_owned(), size: number, root })
    }

    /// Reads a note that one of `keys` must have signed.
    pub fn open(note: &[u8], keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        note.verify(keys)?;
        Self::parse(&note)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "example.test/log".into(), size: 42, root: Root::from_bytes([3; 32]) }
    }

    #[test]
    fn a_signed_checkpoint_opens_with_its_key() {
        let signer = Signer::new("example.test/log", &[5; 32]).unwrap();
        let note = checkpoint().sign(&signer);
        assert_eq!(Checkpoint::open(note.as_bytes(), &[signer.verifier()]), Ok(checkpoint()));
    }

    #[test]
    fn sizes_and_lines_are_exact() {
        let text = checkpoint().text();
        for wrong in [
            text.replace("42", "042"),
            text.replace("42", "+42"),
            text.replace("42", "-1"),
            format!("{text}extension\n"),
            text.replace("42\n", "42\r\n"),
            text.replace("AwMD", "AwM"),
        ] {
            let note = Signer::new("o", &[5; 32]).unwrap().sign(&wrong);
            let note = Note::parse(note.as_bytes());
            assert!(note.is_err() || Checkpoint::parse(&note.unwrap()).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_reads_writes_back(
            any in "\\PC{0,60}",
            size in "[0-9+-]{1,3}",
            root in prop::collection::vec(any::<u8>(), 31..34),
        ) {
            for text in [format!("{any}\n"), format!("o\n{size}\n{}\n", STANDARD.encode(root))] {
                let signed = Signer::new("o", &[5; 32]).unwrap().sign(&text);
                if let Ok(read) = Note::parse(signed.as_bytes()).map_err(Into::into).and_then(|n| Checkpoint::parse(&n)) {
                    prop_assert_eq!(read.text(), text);
                }
            }
        }
    }
}
