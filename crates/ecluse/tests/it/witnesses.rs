//! A paper that the controller signs in the order's folder is a witness of the journal as it stood; and a refusal is an
//! event in it.

use std::fs;

use ecluse_flow::event::{Act, Leaf};

use crate::differences::{PROPOSE, changed};
use crate::journal::{copied, lines};
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

// fails with the guard off: who tried to move rows under an order that was stopped leaves no line
// proves: AUD-02
#[test]
fn what_was_refused_before_anything_else_was_noted_is_an_event_under_its_code() {
    let here = tempfile::tempdir().unwrap();
    let lab = changed(here.path());
    let refusals = || {
        let acts = lab.join("acts");
        let all = if acts.exists() { lines(&acts) } else { Vec::new() };
        let of = |leaf: Leaf| (leaf.act == Act::Refuse).then_some((leaf.outcome, leaf.session));
        all.into_iter().filter_map(of).collect::<Vec<_>>()
    };
    // one that the run's own lines tell of is told once
    refused(&lab, &["reconcile"], "ECL-REC-004");
    assert_eq!(refusals(), []);
    succeed(
        &lab,
        &["instruction", "suspend", "--reason", "a complaint", "--key", "keys/controller-signatory"],
    );
    refused(&lab, &["migrate"], "ECL-STA-010");
    let session = fs::read_to_string(lab.join("session.toml")).unwrap();
    let [(code, by)] = refusals().try_into().unwrap();
    assert!(code == "ECL-STA-010" && session.contains(&by), "{code} {by}");
    // nobody is named who did not sign
    for name in ["session.toml", "session.toml.sigs"] {
        fs::rename(lab.join(name), here.path().join(name)).unwrap();
    }
    refused(&lab, &["reconcile"], "ECL-STA-010");
    let all = refusals();
    assert_eq!((all.len(), all[1].1.as_str()), (2, "no session"));
    let told = succeed(&lab, &["journal", "verify", "--json"]);
    assert!(told.contains("\"holds\":true"), "{told}");
    // a mistyped command, and a folder without a journal, are nobody's act
    assert_eq!(ecluse(&lab, &["migrate", "--frozn"]).status.code(), Some(2));
    assert_eq!(refusals().len(), 2);
}
