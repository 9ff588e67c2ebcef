//! Roots and proofs against two implementations that know nothing of this one: `ct-merkle`, and
//! `tlog_tiles` (a port of the Go checksum database's).

use std::sync::Mutex;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ecluse_journal::{Hash, audit, check, tree};
use sha2_next::Sha256;
use tlog_tiles::tlog::{self, HashReader};

use crate::support::{Leaves, entry, written};

/// Trees of every size up to here are compared, with every proof.
const SIZES: u64 = 70;

#[derive(Default)]
struct Stored(Mutex<Vec<tlog::Hash>>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog_tiles::Error> {
        let stored = self.0.lock().unwrap();
        Ok(indexes.iter().map(|index| stored[usize::try_from(*index).unwrap()]).collect())
    }
}

fn concatenated(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

fn theirs(hashes: &[tlog::Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

#[test]
fn every_root_and_proof_of_small_trees_is_what_two_others_give() {
    let (stored, mut ct) = (Stored::default(), MemoryBackedTree::<Sha256, Vec<u8>>::new());
    let mut leaves = Leaves(Vec::new());
    for size in 1..=SIZES {
        let bytes = entry(size - 1);
        let new = tlog::stored_hashes(size - 1, &bytes, &stored).unwrap();
        stored.0.lock().unwrap().extend(new);
        leaves.0.push(Hash::leaf(&bytes));
        ct.push(bytes);

        let Ok(root) = tree::root(size, &mut leaves);
        let other = tlog::tree_hash(size, &stored).unwrap();
        assert_eq!((root.as_bytes(), &root.as_bytes()[..]), (&other.0, ct.root().as_bytes().as_slice()));

        for index in 0..size {
            let Ok(proof) = tree::inclusion(index, size, &mut leaves);
            let (proof, leaf) = (proof.unwrap(), Hash::leaf(&entry(index)));
            let at = usize::try_from(index).unwrap();
            assert_eq!(concatenated(&proof), theirs(&tlog::prove_record(size, index, &stored).unwrap()));
            assert_eq!(concatenated(&proof), ct.prove_inclusion(at).as_bytes());
            assert!(check::includes(&root, size, index, &leaf, &proof));
        }
        for old in 1..=size {
            let Ok(proof) = tree::consistency(old, size, &mut leaves);
            let proof = proof.unwrap();
            let Ok(before) = tree::root(old, &mut leaves);
            assert!(check::grew(&before, old, &root, size, &proof), "{old} to {size}");
            if old == size {
                assert!(proof.is_empty());
                continue;
            }
            let added = usize::try_from(size - old).unwrap();
            assert_eq!(concatenated(&proof), theirs(&tlog::prove_tree(size, old, &stored).unwrap()));
            assert_eq!(concatenated(&proof), ct.prove_consistency(added).as_bytes());
        }
    }
}

#[test]
fn a_log_in_tiles_gives_the_root_and_the_proofs_of_ct_merkle() {
    // two full tiles of level 1 would take 131,072 entries: the sizes stand around the edges of level 0
    for size in [1, 255, 256, 257, 511, 512, 700] {
        let (log, objects) = written(size, 100);
        let mut ct = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        (0..size).for_each(|index| ct.push(entry(index)));
        assert_eq!(log.checkpoint().root.as_bytes().as_slice(), ct.root().as_bytes().as_slice(), "{size}");
        for index in [0, size / 2, size - 1] {
            let proof = audit::inclusion(&objects, size, index).unwrap().unwrap();
            let at = usize::try_from(index).unwrap();
            assert_eq!(concatenated(&proof), ct.prove_inclusion(at).as_bytes(), "{index} of {size}");
        }
        for old in [1, size / 2, size - 1].into_iter().filter(|old| (1..size).contains(old)) {
            let proof = audit::consistency(&objects, old, size).unwrap().unwrap();
            let added = usize::try_from(size - old).unwrap();
            assert_eq!(concatenated(&proof), ct.prove_consistency(added).as_bytes(), "{old} to {size}");
        }
    }
}
