//! Any bytes as a signature file: one signature has one form, and what is adopted is in it.

use ecluse_sign::{Signature, canonical};

/// Any bytes.
///
/// # Panics
///
/// Where one signature is read in two forms.
pub fn run(bytes: &[u8]) {
    let read = Signature::from_armour(bytes);
    if let Ok(adopted) = canonical(bytes) {
        assert_eq!(canonical(adopted.as_bytes()).as_deref(), Ok(adopted.as_str()));
        assert!(read.is_err() || adopted.as_bytes() == bytes, "two forms are read");
    } else {
        assert!(read.is_err(), "read, and yet not to be adopted");
    }
}
