//! RFC 6962 proofs, good and bad (transparency-dev/merkle, `merkle/` of the outside data).

use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use ecluse_journal::{Hash, check};
use serde::Deserialize;

use crate::support::outside_data;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

/// Some vectors write words where a hash should be: equal words stay equal, and are no hash of the tree.
/// Where there is nothing, nothing reaches the checker.
fn hash(text: &str) -> Option<Hash> {
    let bytes = BASE64.decode(text.as_bytes()).unwrap();
    let word = || (!bytes.is_empty()).then(|| Hash::leaf(&bytes));
    Hash::from_bytes(&bytes).or_else(word)
}

fn hashes(proof: Option<Vec<String>>) -> Option<Vec<Hash>> {
    proof.unwrap_or_default().iter().map(|text| hash(text)).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn each<T: for<'a> Deserialize<'a>>(kind: &str, holds: impl Fn(T) -> (bool, bool)) -> Option<(usize, usize)> {
    let folder = outside_data("merkle")?.join("testdata").join(kind);
    let (mut good, mut bad) = (0, 0);
    for path in files(&folder) {
        let vector = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let (is_bad, held) = holds(vector);
        assert_eq!(held, !is_bad, "{}", path.display());
        *(if is_bad { &mut bad } else { &mut good }) += 1;
    }
    Some((good, bad))
}

#[test]
fn inclusion_proofs_hold_and_fail_as_their_vectors_say() {
    let counted = each("inclusion", |v: Inclusion| {
        let held = match (hash(&v.root), hash(&v.leaf_hash), hashes(v.proof)) {
            (Some(root), Some(leaf), Some(proof)) => {
                check::includes(&root, v.tree_size, v.leaf_idx, &leaf, &proof)
            }
            _ => false,
        };
        (v.want_err, held)
    });
    assert!(counted.is_none_or(|counted| counted == (6, 92)), "{counted:?}");
}

#[test]
fn consistency_proofs_hold_and_fail_as_their_vectors_say() {
    let counted = each("consistency", |v: Consistency| {
        let held = match (hash(&v.root1), hash(&v.root2), hashes(v.proof)) {
            (Some(old), Some(new), Some(proof)) => check::grew(&old, v.size1, &new, v.size2, &proof),
            _ => false,
        };
        (v.want_err, held)
    });
    assert!(counted.is_none_or(|counted| counted == (6, 92)), "{counted:?}");
}
