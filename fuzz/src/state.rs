//! Any bytes under a run's seal: a state that is sealed and read again the same, or a refusal.

use std::sync::LazyLock;

use age::secrecy::ExposeSecret as _;
use ecluse_seal::{Identity, open, seal};

struct Operator {
    age: age::x25519::Identity,
    identity: Identity,
    /// Key of the author's mark (docs/formats.md): without the mark no mutation would pass it.
    mark: [u8; 32],
}

static OPERATOR: LazyLock<Operator> = LazyLock::new(|| {
    let age = age::x25519::Identity::generate();
    let text = age.to_string();
    let identity = Identity::parse(text.expose_secret()).expect("age's own form");
    let mark =
        blake3::derive_key("ecluse 2026-11-22 ecluse-run-state/2 author", text.expose_secret().as_bytes());
    Operator { age, identity, mark }
});

/// Any bytes.
///
/// # Panics
///
/// Where a state that was read is not sealed and read again the same.
pub fn run(bytes: &[u8]) {
    let Operator { age, identity, mark } = &*OPERATOR;
    // as the file itself, as what age opens, and as a state that the operator wrote
    let _ = open(bytes, identity);
    let sealed = |plain: &[u8]| age::encrypt(&age.to_public(), plain).expect("memory");
    assert!(open(&sealed(bytes), identity).is_err(), "a state without its author's mark");
    let author = blake3::keyed_hash(mark, bytes).to_hex();
    let mut plain = format!("{{\"format\":\"ecluse-run-state/2\",\"author\":\"{author}\"}}\n").into_bytes();
    plain.extend_from_slice(bytes);
    if let Ok(state) = open(&sealed(&plain), identity) {
        let first = seal(&state, identity).expect("what was read");
        let again = open(&first, identity).expect("what was sealed");
        let second = seal(&again, identity).expect("what was read");
        let plain = |file: &[u8]| age::decrypt(age, file).expect("sealed to the operator");
        assert_eq!(plain(&first), plain(&second));
    }
}
