//! The certificate of erasure: what it cannot say, and what it covers.

use ecluse_core::certificate::{Artefact, DECLARES, Stated, draft, parse};
use ecluse_core::erasure::{Beyond, Erased, Held, Looked, Side};
use ecluse_core::template::Head;

use crate::support::now;

fn stated() -> Stated {
    let digest = format!("sha256:{}", "0f".repeat(32));
    let text = str::to_owned;
    Stated {
        run: text("5b0e"),
        instruction: digest.clone(),
        acceptance: digest.clone(),
        erasure: digest.clone(),
        residue: digest,
        done: vec![Erased {
            side: Side::Source,
            place: text("mariadb lab/SIGL"),
            what: text("patient"),
            method: text("deleted, then counted: none left"),
            rows: Some(40),
            files: None,
            at: text("2027-01-31T08:00:00Z"),
        }],
        looked: vec![Looked {
            place: text("run folder"),
            sought: text("markers of 3 artefacts"),
            files: 12,
            bytes: 0,
            unread: vec![text("/proc/7/fd")],
        }],
        held: vec![Held {
            place: text("run folder"),
            what: text("report.html"),
            reason: text("complaint"),
            approver: text("Claire Fontaine"),
            until: text("2028-01-01"),
        }],
        out_of_reach: vec![Beyond {
            place: text("mariadb lab"),
            what: text("binary logs"),
            owner: text("Claire Fontaine"),
            until: text("2027-03-02"),
        }],
        artefacts: vec![
            Artefact { path: text("acceptance.toml"), sha256: "1f".repeat(32) },
            Artefact { path: text("run/figures.json"), sha256: "2f".repeat(32) },
        ],
    }
}

fn text() -> String {
    let head = Head {
        id: [7; 16],
        version: 1,
        supersedes: None,
        contract: Some(format!("sha256:{}", "0f".repeat(32))),
        issued: now(),
        not_before: now(),
        not_after: now(),
        seen: None,
        trial: false,
    };
    let written = draft(&head, &stated());
    assert_eq!(parse(&written).unwrap(), stated());
    written
}

#[test]
fn it_claims_no_more_and_leaves_no_owner_open() {
    let text = text();
    for (from, to, code) in [
        (DECLARES[0], "It is proven that no copy exists.", "ECL-CRT-004"),
        ("owner    = \"Claire Fontaine\"\n", "", "ECL-CRT-003"),
        ("owner    = \"Claire Fontaine\"", "owner    = \"\"", "ECL-CRT-004"),
        ("side     = \"source\"", "side     = \"elsewhere\"", "ECL-CRT-004"),
        ("run/figures.json", "../figures.json", "ECL-CRT-004"),
        ("run/figures.json", "/figures.json", "ECL-CRT-004"),
        ("run/figures.json", "acceptance.toml", "ECL-CRT-004"),
        (&"2f".repeat(32), &"2F".repeat(32), "ECL-CRT-004"),
        ("[[looked]]", "[[looked]]\nproven = true", "ECL-CRT-002"),
        ("[certificate]", "[certificate", "ECL-CRT-001"),
    ] {
        let forged = text.replacen(from, to, 1);
        assert_ne!(forged, text, "{from}");
        let findings = parse(&forged).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code.id == code), "{from}: {findings:#?}");
    }
}

#[test]
fn a_file_that_changed_was_added_or_is_gone_is_named() {
    let certified = stated();
    assert!(certified.is(&stated()).is_ok());
    type Change = fn(&mut Stated);
    let changes: [(Change, &str); 5] = [
        (|s| s.artefacts[1].sha256 = "3f".repeat(32), "run/figures.json"),
        (|s| drop(s.artefacts.remove(0)), "acceptance.toml"),
        (|s| s.artefacts.push(Artefact { path: "more".to_owned(), sha256: "4f".repeat(32) }), "more"),
        (|s| s.residue = format!("sha256:{}", "5f".repeat(32)), "erased or looked for"),
        (|s| s.done.clear(), "erased and looked for"),
    ];
    for (change, named) in changes {
        let mut found = stated();
        change(&mut found);
        let fault = certified.is(&found).unwrap_err();
        assert_eq!(fault.code().id, "ECL-CRT-005");
        assert!(fault.detail().contains(named), "{}", fault.detail());
    }
}
