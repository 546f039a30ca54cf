//! What lies beside runs and verdicts in a bundle, as the ledger asks for it.

use observance_record::{
    Digest, Root,
    entry::Run,
    item::Salt,
    ledger::Artefacts,
    merkle::{empty_root, root_of},
    table::{Change, leaf, line_item},
};
use serde::Deserialize;

use crate::{bag::Bag, report::Failure};

/// The bundle's `data/runs`, seen as the ledger's artefacts.
pub struct Runs<'a, 'b>(pub &'a Bag<'b>);

/// The folder of a run's artefacts.
pub fn run_dir(seq: u64) -> String {
    format!("data/runs/{seq:012}")
}

impl Artefacts for Runs<'_, '_> {
    fn change(&self, run: u64, _which: Option<u16>, name: &str) -> Result<(Change, Vec<Salt>), String> {
        let dir = run_dir(run);
        let bytes = self.0.read(&format!("{dir}/{name}.table")).map_err(|e| e.to_string())?;
        let change = Change::decode(&bytes).map_err(|e| e.to_string())?;
        let salts = self.0.read(&format!("{dir}/{name}.salts")).map_err(|e| e.to_string())?;
        Ok((change, salts_of(&salts).ok_or("its salts are not 16 bytes each")?))
    }

    fn column(&self, run: u64, _which: u16, policy: &str) -> Result<Vec<u8>, String> {
        self.0.read(&format!("{}/{policy}.results", run_dir(run))).map_err(|e| e.to_string())
    }
}

fn salts_of(bytes: &[u8]) -> Option<Vec<Salt>> {
    let chunks = bytes.chunks_exact(16);
    chunks.remainder().is_empty().then(|| chunks.filter_map(|salt| salt.try_into().ok()).collect())
}

/// Root of lines with their salts; `None` unless there is one salt for each.
fn lines_root(lines: &[&[u8]], salts: &[u8]) -> Option<Root> {
    let salts = salts_of(salts).filter(|salts| salts.len() == lines.len())?;
    let leaves = (0..).zip(lines).zip(&salts).map(|((i, line), salt)| leaf(salt, &line_item(i), line));
    Some(root_of(leaves))
}

/// The receipts of a run must lead to the root that its entry binds.
pub fn check_receipts(bag: &Bag<'_>, seq: u64, run: &Run) -> Result<(), Failure> {
    let path = format!("{}/receipts.jsonl", run_dir(seq));
    let refuse = || Failure::new("receipts", &path, format!("are not those that entry {seq} binds"));
    if run.receipts.n == 0 {
        return if run.receipts.root == empty_root() { Ok(()) } else { Err(refuse()) };
    }
    let text = bag.read(&path)?;
    let salts = bag.read(&format!("{}/receipts.salts", run_dir(seq)))?;
    let body = text.strip_suffix(b"\n").unwrap_or(&text);
    let lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    let counted = u64::try_from(lines.len()) == Ok(run.receipts.n);
    if counted && lines_root(&lines, &salts) == Some(run.receipts.root) { Ok(()) } else { Err(refuse()) }
}

/// A one-row table beside an entry (`data/sealed/<seq>/`): its bytes, if they lead to `root`.
pub fn sealed_row(bag: &Bag<'_>, seq: u64, root: &Root) -> Result<Vec<u8>, Failure> {
    let dir = format!("data/sealed/{seq:012}");
    let (row, salt) = (bag.read(&format!("{dir}/row"))?, bag.read(&format!("{dir}/salt"))?);
    if lines_root(&[&row], &salt) == Some(*root) {
        Ok(row)
    } else {
        Err(Failure::new("tables", dir, format!("is not what entry {seq} binds")))
    }
}

/// What an exchange row says of its body.
#[derive(Debug, Deserialize)]
struct ExchangeRow {
    artefact: Option<BodyRef>,
}

#[derive(Debug, Deserialize)]
struct BodyRef {
    sha256: Digest,
    bytes: u64,
}

/// Where a body lies.
pub fn body_path(digest: Digest) -> String {
    let hex = digest.to_hex();
    format!("data/artefacts/{}/{hex}", hex.get(..2).unwrap_or_default())
}

/// The body that an exchange row names must be there, under its digest.
pub fn check_body(bag: &Bag<'_>, seq: u64, row: &[u8]) -> Result<(), Failure> {
    let of = || format!("an exchange row of entry {seq}");
    let row: ExchangeRow =
        serde_json::from_slice(row).map_err(|e| Failure::new("artefacts", of(), e.to_string()))?;
    let Some(body) = row.artefact else { return Ok(()) };
    let path = body_path(body.sha256);
    let refuse = || Failure::new("artefacts", &path, format!("is not the body that {} names", of()));
    let known = bag.length_read(&path).filter(|_| bag.digest(&path) == Some(body.sha256));
    let length = match known {
        Some(length) => length,
        None => {
            let bytes = bag.read(&path)?;
            if Digest::of(&bytes) != body.sha256 {
                return Err(refuse());
            }
            u64::try_from(bytes.len()).unwrap_or(u64::MAX)
        }
    };
    if length == body.bytes { Ok(()) } else { Err(refuse()) }
}
