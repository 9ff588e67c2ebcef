//! `ecluse verify` for a browser: bytes in, a verdict as JSON out.
//!
//! A page writes the evidence file and the fingerprints (a line each) into memory that it asks for, calls
//! [`verify`], and reads what [`said`] points at. Nothing else is exported, and nothing is imported: no clock,
//! no chance, no network. One thread, one check at a time.

use std::cell::RefCell;

#[derive(Default)]
struct Desk {
    evidence: Vec<u8>,
    trust: Vec<u8>,
    said: Vec<u8>,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Memory for an evidence file of this many bytes; what stood there is gone.
#[expect(unsafe_code, reason = "an exported name; the body is safe")]
#[unsafe(no_mangle)]
pub extern "C" fn evidence(bytes: usize) -> *mut u8 {
    DESK.with_borrow_mut(|desk| {
        desk.evidence = vec![0; bytes];
        desk.evidence.as_mut_ptr()
    })
}

/// Memory for this many bytes of fingerprints, UTF-8, one a line.
#[expect(unsafe_code, reason = "an exported name; the body is safe")]
#[unsafe(no_mangle)]
pub extern "C" fn trust(bytes: usize) -> *mut u8 {
    DESK.with_borrow_mut(|desk| {
        desk.trust = vec![0; bytes];
        desk.trust.as_mut_ptr()
    })
}

/// Judges what was written; how many bytes of JSON there are to read.
#[expect(unsafe_code, reason = "an exported name; the body is safe")]
#[unsafe(no_mangle)]
pub extern "C" fn verify() -> usize {
    DESK.with_borrow_mut(|desk| {
        let trust = String::from_utf8_lossy(&desk.trust);
        let trust: Vec<String> = trust.split_whitespace().map(str::to_owned).collect();
        let verdict = ecluse_evidence::verify(&desk.evidence, &trust);
        desk.said = serde_json::to_vec(&verdict).unwrap_or_default();
        desk.said.len()
    })
}

/// Where the JSON of the last [`verify`] begins.
#[expect(unsafe_code, reason = "an exported name; the body is safe")]
#[unsafe(no_mangle)]
pub extern "C" fn said() -> *const u8 {
    DESK.with_borrow(|desk| desk.said.as_ptr())
}

#[cfg(target_arch = "wasm32")]
mod chance {
    /// There is none here, and nothing asks: a check that did would fail, not guess.
    fn none(_: &mut [u8]) -> Result<(), getrandom::Error> {
        Err(getrandom::Error::UNSUPPORTED)
    }

    getrandom::register_custom_getrandom!(none);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_evidence_has_an_answer() {
        let _ = (evidence(3), trust(0));
        assert!(verify() > 0 && !said().is_null());
        DESK.with_borrow(|desk| {
            let said: serde_json::Value = serde_json::from_slice(&desk.said).unwrap();
            assert_eq!(said["outcome"], "refused");
        });
    }
}
