//! Golden files: bytes that change only on purpose. `OBSERVANCE_BLESS=1` writes them; then run the tests once more,
//! because those that read the files back do not wait for those that write them.
//!
//! It does not decide what is golden. Never bless a file of a released format: add the next version beside it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::data::variable;

/// Lines of context before the first difference.
const CONTEXT_LINES: usize = 2;
/// Lines that are shown of each side.
const SHOWN_LINES: usize = 6;

/// Compares `bytes` with `tests/golden/<path>`, byte for byte; shows where they part.
pub(crate) fn check(path: &str, bytes: &[u8]) {
    if variable("OBSERVANCE_BLESS").is_some() {
        let file = file(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
        return;
    }
    let golden = read(path);
    assert!(golden == bytes, "{path} is not what it was\n{}", difference(&golden, bytes));
}

/// The bytes of `tests/golden/<path>`.
pub(crate) fn read(path: &str) -> Vec<u8> {
    let file = file(path);
    fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}; OBSERVANCE_BLESS=1 writes it", file.display()))
}

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path)
}

fn difference(golden: &[u8], found: &[u8]) -> String {
    let (golden, found) = (lines(golden), lines(found));
    let at = golden.iter().zip(&found).take_while(|(a, b)| a == b).count();
    let shown = |mark: char, lines: &[String]| {
        let from = at.min(lines.len());
        lines.iter().skip(from).take(SHOWN_LINES).map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    let before: String =
        golden[at.saturating_sub(CONTEXT_LINES)..at].iter().map(|l| format!("  {l}\n")).collect();
    format!("line {}:\n{before}{}{}", at + 1, shown('-', &golden), shown('+', &found))
}

/// Text by its lines, with JSON broken at its commas; anything else as a hex dump.
fn lines(bytes: &[u8]) -> Vec<String> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => {
            text.replace(",\"", ",\n\"").split('\n').map(str::to_owned).collect()
        }
        _ => {
            let row = |(i, row): (usize, &[u8])| {
                let text: String =
                    row.iter().map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '.' }).collect();
                format!("{:06x}  {:<32}  {text}", i * 16, hex::encode(row))
            };
            bytes.chunks(16).enumerate().map(row).collect()
        }
    }
}

#[test]
fn a_difference_is_shown_where_it_is() {
    let shown = difference(br#"{"a":1,"b":2,"c":3}"#, br#"{"a":1,"b":4,"c":3}"#);
    assert_eq!(shown, "line 2:\n  {\"a\":1,\n- \"b\":2,\n- \"c\":3}\n+ \"b\":4,\n+ \"c\":3}\n");
    assert!(difference(&[0, 1], &[0, 2]).contains("- 000000  0001"));
}
