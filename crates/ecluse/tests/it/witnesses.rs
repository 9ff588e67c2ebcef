//! A paper that the controller signs in the order's folder is a witness of the journal as it stood.

use std::fs;

use crate::differences::{PROPOSE, changed};
use crate::journal::copied;
use crate::reference::refused;
use crate::{ecluse, succeed};

// fails with the guard off: between the status and the acceptance the journal is put back, and nothing tells
// proves: AUD-02
#[test]
fn accepted_differences_and_a_later_order_hold_the_journal_to_what_lay_there() {
    let here = tempfile::tempdir().unwrap();
    let lab = changed(here.path());
    let (journal, before, after) =
        (lab.join("journal"), here.path().join("before"), here.path().join("after"));
    succeed(&lab, &["journal", "checkpoint"]);
    copied(&journal, &before);
    refused(&lab, &["reconcile"], "ECL-REC-004");
    succeed(&lab, &["journal", "checkpoint"]);
    succeed(&lab, &PROPOSE);
    succeed(&lab, &["differences", "sign", "--key", "keys/controller-signatory"]);
    fs::rename(lab.join("instruction.toml"), lab.join("first.toml")).unwrap();
    succeed(&lab, &["instruction", "new", "--table", "patient", "--grant-proposed"]);
    fs::rename(lab.join("instruction.toml"), here.path().join("second.toml")).unwrap();
    fs::rename(lab.join("first.toml"), lab.join("instruction.toml")).unwrap();
    for paper in [lab.join("differences.toml"), here.path().join("second.toml")] {
        let text = fs::read_to_string(&paper).unwrap();
        assert!(text.lines().any(|line| line.starts_with("seen ")), "{text}");
    }
    let said = succeed(&lab, &["journal", "verify"]);
    assert!(said.contains("differences.toml"), "{said}");
    // an older state with its own, validly signed checkpoint
    copied(&journal, &after);
    copied(&before, &journal);
    let said = refused(&lab, &["journal", "verify"], "ECL-LOG-014");
    assert!(said.contains("differences.toml"), "{said}");
    copied(&after, &journal);
    succeed(&lab, &["journal", "verify"]);
    assert!(ecluse(&lab, &["differences", "verify"]).status.success());
}
