//! The record of compared dossiers: what it cannot say.

use ecluse_core::comparison::{Comparison, Dossier, Reason, Verdict, draft, parse};
use ecluse_core::template::Head;

use crate::support::now;

fn text() -> String {
    let digest = format!("sha256:{}", "0f".repeat(32));
    let dossier = |token: &str, verdict| Dossier {
        token: token.to_owned(),
        kinds: vec!["microbiology".to_owned()],
        verdict,
        shown: "1f".repeat(32),
        at: now(),
    };
    let comparison = Comparison {
        run: "5b0e".to_owned(),
        instruction: digest.clone(),
        figures: digest.clone(),
        table: "request".to_owned(),
        by: "Claire Fontaine".to_owned(),
        email: "claire.fontaine@tilleuls.example".to_owned(),
        sample: true,
        drawn: 3,
        dossiers: vec![
            dossier("0013-7Q4M", Verdict::Same),
            dossier("0021-KD2E", Verdict::Differs(Reason::Misplaced)),
        ],
    };
    let head = Head {
        id: [7; 16],
        version: 1,
        supersedes: None,
        contract: Some(digest),
        issued: now(),
        not_before: now(),
        not_after: now(),
        seen: None,
        trial: false,
    };
    let written = draft(&head, &comparison);
    assert_eq!(parse(&written).unwrap(), comparison);
    written
}

#[test]
fn nothing_is_counted_that_nobody_said_and_no_field_takes_words() {
    let text = text();
    let comparison = parse(&text).unwrap();
    assert_eq!(
        (comparison.same(), comparison.crossed().values().sum::<u64>(), comparison.holds()),
        (1, 1, false)
    );
    let nobody_looked = Comparison { drawn: 0, dossiers: Vec::new(), ..comparison };
    assert!(!nobody_looked.holds());
    for (from, to, code) in [
        ("\"misplaced\"", "\"Mme Durand n'est pas la patiente\"", "ECL-CMP-004"),
        ("reason  = \"misplaced\"\n", "", "ECL-CMP-004"),
        ("\"same\"", "\"same\"\nreason = \"value\"", "ECL-CMP-004"),
        ("\"same\"", "\"probably\"", "ECL-CMP-004"),
        ("0021-KD2E", "0013-7Q4M", "ECL-CMP-004"),
        ("drawn       = 3", "drawn       = 1", "ECL-CMP-004"),
        ("drawn       = 3\n", "", "ECL-CMP-003"),
        ("[[dossier]]", "[[dossier]]\ncomment = \"vu avec le médecin\"", "ECL-CMP-002"),
        ("[comparison]", "[comparison", "ECL-CMP-001"),
    ] {
        let forged = text.replacen(from, to, 1);
        assert_ne!(forged, text, "{from}");
        let findings = parse(&forged).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code.id == code), "{from}: {findings:#?}");
    }
}
