//! Any bytes as a note, a checkpoint, a proof, a key, a path and a bundle, and any hashes as proofs over a tree.

use ecluse_journal::{
    Checkpoint, Hash, KeyKind, Note, NoteSigner, Proof, Signed, Tile, VerifierKey, bundle, check,
};

/// Any bytes.
///
/// # Panics
///
/// Where what was read is not written the same, or something is believed that no key signed.
pub fn run(bytes: &[u8]) {
    let key = NoteSigner::new("fuzz.example", KeyKind::Log, &[1; 32]).expect("a name");
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Some(tile) = Tile::parse(text) {
            assert_eq!(tile.path(), text);
        }
        if let Some(read) = VerifierKey::parse(text) {
            assert_eq!(read.to_string(), text);
        }
        if let Some(read) = Checkpoint::parse(text) {
            assert_eq!(read.text(), text);
        }
        // what can be signed is read again as what was signed
        if let Some(note) = ecluse_journal::sign(text, &key) {
            let read = Note::parse(note.as_bytes()).expect("a note");
            assert_eq!(read.text(), text);
        }
    }
    if let Some(proof) = Proof::parse(bytes) {
        assert_eq!(proof.text().as_bytes(), bytes);
        // nobody but the key's holder makes a proof that it vouches for
        assert!(proof.verify(b"entry", key.verifier()).is_err());
    }
    assert!(Signed::open(bytes, key.verifier()).is_err());
    if let Some((width, bytes)) = bytes.split_first() {
        if let Some(entries) = bundle::entries(bytes, u64::from(*width)) {
            let mut again = Vec::new();
            assert!(entries.into_iter().all(|entry| bundle::push(&mut again, entry)));
            assert_eq!(again, bytes);
        }
    }
    proofs(bytes);
}

/// No proof of hashes that were not made from the tree holds, and none of any shape stops the checker.
fn proofs(bytes: &[u8]) {
    let Some((sizes, hashes)) = bytes.split_first_chunk::<16>() else { return };
    let (size, other) = sizes.split_at(8);
    let number = |bytes: &[u8]| bytes.iter().fold(0, |n: u64, byte| n << 8 | u64::from(*byte));
    let (size, other) = (number(size), number(other));
    let hashes: Vec<Hash> = hashes.chunks(32).filter_map(Hash::from_bytes).collect();
    let root = Hash::leaf(b"a root that no tree has");
    assert!(!check::includes(&root, size, other, &Hash::leaf(b"entry"), &hashes));
    assert!(!check::grew(&root, other, &Hash::leaf(b"another"), size, &hashes));
}
