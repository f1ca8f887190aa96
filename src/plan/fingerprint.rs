//! What tells two plans apart: results of one are not joined with results of another.

use super::Plan;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Digits of a fingerprint: enough that two plans never share one by accident.
const DIGITS: usize = 16;

/// A digest of everything that a plan says, in hexadecimal. Two versions of hasim may give one plan
/// different fingerprints; scenarios that differ in spaces or in a default written out do not differ.
pub fn of(plan: &Plan) -> String {
    let digest = Sha256::digest(format!("{plan:?}"));
    let mut text = digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    text.truncate(DIGITS);
    text
}
