//! Any text as a key, an identity, a row token or a digest: what is read is written the same.

use ecluse_batch::Token;
use ecluse_core::digest;
use ecluse_seal::Identity;
use ecluse_sign::{PrivateKey, PublicKey};

/// Any text.
///
/// # Panics
///
/// Where what was read is not written the same.
pub fn run(bytes: &[u8]) {
    let text = crate::text(bytes);
    if let Ok(key) = PublicKey::from_openssh(text) {
        let line = key.to_openssh().expect("a key that was read");
        assert!(PublicKey::from_openssh(&line).is_ok_and(|again| again == key));
    }
    if let Ok(key) = PrivateKey::from_openssh(text.as_bytes()) {
        let public = key.public().expect("a key that was read");
        let file = key.to_openssh().expect("a key that was read");
        let again = PrivateKey::from_openssh(file.as_bytes()).expect("a key that was written");
        assert!(again.public().is_ok_and(|again| again == public));
    }
    if let Ok(identity) = Identity::parse(text) {
        let again = Identity::parse(identity.file().expose()).expect("an identity that was written");
        assert_eq!(again.recipient().to_string(), identity.recipient().to_string());
    }
    if let Ok(token) = text.parse::<Token>() {
        assert_eq!(token.to_string().parse::<Token>().ok(), Some(token));
    }
    if digest::well_formed(text) {
        assert!(text.is_ascii());
    }
}
