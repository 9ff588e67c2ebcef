//! Any bytes as a journal, and as one leaf of a whole one: what is appended is read again the same.

use ecluse_flow::event::{Head, Leaf, verify};

/// Any bytes.
///
/// # Panics
///
/// Where what was appended is not read again.
pub fn run(bytes: &[u8]) {
    // a mutation rarely finds a digest: leaves are chained here, so that more than the first line is read
    let leaves: Vec<Leaf> =
        bytes.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let (mut journal, mut head) = (Vec::new(), Head::default());
    for leaf in &leaves {
        let (line, next) = head.next(leaf.clone()).expect("a leaf has a canonical form");
        journal.extend_from_slice(&line);
        head = next;
    }
    let whole = journal.len();
    let found = verify(&journal).expect("what was appended");
    assert_eq!((&found.leaves, &found.head, found.whole), (&leaves, &head, whole));

    // behind whole lines: a torn line, or bytes that do not follow
    journal.extend_from_slice(bytes);
    check(&journal);
    check(bytes);
}

fn check(journal: &[u8]) {
    if let Ok(found) = verify(journal) {
        assert_eq!(found.leaves.len(), found.digests.len());
        let torn = journal.get(found.whole..).expect("no longer than the journal");
        assert!(!torn.contains(&b'\n'), "more than one torn line");
    }
}
