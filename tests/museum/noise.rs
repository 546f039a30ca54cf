//! Noise: no flipped bit of what is evidence is overlooked, and no garbage makes the verifier panic.

use observance_record::{note::VerifierKey, tile};
use observance_verify::Trust;
use proptest::prelude::*;

use super::forger::{bundle, keyed, said};
use crate::support::mini::{Files, bag};

/// A bundle so small that it can be checked a thousand times: the log up to its first runs.
fn small() -> Files {
    let mut forged = bundle();
    forged.cut(6);
    forged.files()
}

fn payload(files: &Files) -> Files {
    let kept = files.iter().filter(|(path, _)| path.starts_with("data/"));
    kept.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
}

fn conclusion(files: &Files) -> observance_verify::Conclusion {
    said(files, &keyed(), false).conclusion
}

#[test]
fn no_flipped_bit_is_overlooked() {
    let small = small();
    assert_eq!(
        conclusion(&small),
        observance_verify::Conclusion::Holds,
        "{}",
        said(&small, &keyed(), false).text()
    );
    let paths: Vec<&String> = small.keys().collect();
    let flips = (0..paths.len(), any::<prop::sample::Index>(), 0..8_u8);
    proptest!(ProptestConfig::with_cases(400), |((path, at, bit) in flips)| {
        let mut files = small.clone();
        let bytes = files.get_mut(paths[path]).unwrap();
        prop_assume!(!bytes.is_empty());
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_ne!(conclusion(&files), observance_verify::Conclusion::Holds, "{} byte {}", paths[path], at);
        // the forger makes the manifests anew: what the log binds is still not another
        if paths[path].starts_with("data/") {
            let files = bag(payload(&files));
            prop_assert_ne!(conclusion(&files), observance_verify::Conclusion::Holds, "{} byte {}", paths[path], at);
        }
    });
}

#[test]
fn garbage_makes_nothing_panic() {
    let small = small();
    let places = [
        "manifest-sha256.txt",
        "tagmanifest-sha256.txt",
        "bag-info.txt",
        "data/log/checkpoint",
        "data/log/checkpoints",
        "data/log/vkey",
    ];
    let entries = small.keys().find(|path| path.contains("/entries/")).unwrap().clone();
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        "[ -~\n\r]{0,300}".prop_map(String::into_bytes),
        "([0-9a-f]{64}  [ -~]{0,30}\n){0,4}".prop_map(String::into_bytes),
        "[a-z/]{1,9}\n[0-9]{1,22}\n[A-Za-z0-9+/]{44}\n\n(\u{2014} [a-z/]{1,9} [A-Za-z0-9+/]{92}\n){0,2}"
            .prop_map(String::into_bytes),
        prop::collection::vec("\\{\"[ -~]{0,60}\\}", 0..4)
            .prop_map(|lines| { tile::bundle(lines.iter().map(String::as_bytes)).unwrap() }),
    ];
    let places: Vec<String> = places.into_iter().map(str::to_owned).chain([entries]).collect();
    proptest!(ProptestConfig::with_cases(600), |((place, bytes) in (prop::sample::select(places), bytes))| {
        let mut files = small.clone();
        files.insert(place.clone(), bytes.clone());
        prop_assert_ne!(conclusion(&files), observance_verify::Conclusion::Holds);
        if place.starts_with("data/") {
            prop_assert_ne!(conclusion(&bag(payload(&files))), observance_verify::Conclusion::Holds);
        }
        let trust = Trust { pins: vec![("pin".to_owned(), bytes.clone())], ..keyed() };
        prop_assert_ne!(said(&small, &trust, false).conclusion, observance_verify::Conclusion::Holds);
        let _key = String::from_utf8_lossy(&bytes).parse::<VerifierKey>();
    });
}
