//! The museum: forged bundles, each refused for its reason. A forgery that was once possible stays here.
//!
//! They are made of ten days of the demonstration. That the real one holds is the control of the experiment.

mod bag;
mod doors;
mod evidence;
mod forger;
mod log;
mod noise;

use observance_verify::{Conclusion, Report, Trust};

use self::forger::{bundle, keyed, pinned, said, signer};
pub(crate) use self::{doors::binary, forger::real};

/// A proof fails, this one, and says so.
#[track_caller]
fn fails(report: &Report, proof: &str, what: &str) {
    let failure = report.failure.as_ref().unwrap_or_else(|| panic!("{what}:\n{}", report.text()));
    assert_eq!((report.conclusion, failure.proof), (Conclusion::Fails, proof), "{failure}");
    assert!(failure.to_string().contains(what), "{failure}");
}

#[track_caller]
fn holds(report: &Report) {
    assert_eq!(report.conclusion, Conclusion::Holds, "{}", report.text());
}

#[test]
fn the_real_bundle_holds() {
    let real = bundle();
    let report = said(&real.files(), &pinned(), true);
    holds(&report);
    assert_eq!(report.pins, 1);
    let replayed = report.replayed.unwrap();
    assert!(replayed.verdicts > 0 && replayed.equal == replayed.verdicts, "{replayed:?}");
    holds(&said(&real.files(), &Trust::default(), false));
}

#[test]
fn who_has_the_key_makes_the_same_bytes() {
    let mut again = bundle();
    again.sign(&signer());
    assert_eq!(again.files(), bundle().files());
    let mut none = bundle();
    none.drop(&[].into());
    none.sign(&signer());
    holds(&said(&none.files(), &keyed(), false));
}

/// The real log's key, as text.
pub(crate) fn verifier_key() -> String {
    signer().verifier().to_string()
}
