//! How findings look to a person: drawings compared byte for byte with `golden/`.

use std::path::Path;

use ecluse_core::diagnostics::{Source, render};
use ecluse_core::finding::Finding;
use ecluse_core::{instruction, mapping};

use crate::laboratory;

/// Everything `check` says of these two papers, drawn.
fn drawn(instruction: &str, mapping: &str) -> (Vec<&'static str>, String) {
    let findings: Vec<Finding> = match (instruction::parse(instruction), mapping::parse(mapping)) {
        (Err(findings), _) => findings,
        (_, Err(findings)) => findings.into_iter().map(|f| f.in_file(mapping::FILE)).collect(),
        (Ok(order), Ok(mapping)) => {
            let mut findings = instruction::check(&order, &laboratory::dictionary());
            findings.extend(mapping::against(&mapping, &order));
            findings
        }
    };
    let sources = [
        Source { name: instruction::FILE, path: instruction::FILE, text: instruction },
        Source { name: mapping::FILE, path: mapping::FILE, text: mapping },
    ];
    (findings.iter().map(|f| f.code.id).collect(), render(&findings, &sources, false))
}

/// Compares with `golden/NAME.txt`; what was drawn lies in the build's folder for copying.
fn golden(name: &str, drawing: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/instruct/golden");
    let wanted = std::fs::read_to_string(root.join(format!("{name}.txt"))).unwrap_or_default();
    if wanted != drawing {
        let drawn = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.txt"));
        std::fs::write(&drawn, drawing).unwrap();
        panic!("{name} looks different; if it should, copy {}:\n{drawing}", drawn.display());
    }
}

/// An instruction with one change, drawn; the codes found.
fn check(name: &str, was: &str, is: &str, codes: &[&str]) {
    let mapping = laboratory::mapping();
    let (found, drawing) = drawn(&laboratory::instruction(was, is, &mapping), &mapping);
    assert_eq!(found, codes, "{name}:\n{drawing}");
    golden(name, &drawing);
}

const REASONED: &str = r#"{ name = "commentaire", reason = "the law wants it in the report" }"#;
const PATIENT: &str = r#"columns = ["id", "nom", "ddn", "sexe"]"#;
const DATE: &str = r#"rows = 'date_recu >= date("2019-01-01")'"#;

#[test]
fn papers_that_hold_together_say_nothing() {
    let mapping = laboratory::mapping();
    let (codes, drawing) = drawn(&laboratory::instruction("version", "version", &mapping), &mapping);
    assert_eq!((codes, drawing), (vec![], String::new()));
}

// proves: INS-03
#[test]
fn free_text_third_parties_and_staff_need_a_reason_each() {
    check("free-text", REASONED, r#""commentaire""#, &["ECL-INS-014"]);
    check("free-text-empty-reason", REASONED, r#"{ name = "commentaire", reason = " " }"#, &["ECL-INS-014"]);
    check(
        "free-text-placeholder-reason",
        REASONED,
        r#"{ name = "commentaire", reason = "…" }"#,
        &["ECL-INS-014"],
    );
    let dossier = r#"columns = ["id", "id_patient", "date_recu"]"#;
    let doctor = r#"columns = ["id", "id_patient", "date_recu", "medecin"]"#;
    check("third-party", dossier, doctor, &["ECL-INS-015", "ECL-MAP-011"]);
    let staff = format!(
        "{PATIENT}\n\n[[table]]\nname = \"utilisateurs\"\nrows = 'true'\ncolumns = [\"id\", \"lastname\"]"
    );
    check("staff", PATIENT, &staff, &["ECL-INS-016", "ECL-MAP-013"]);
}

// proves: INS-03
#[test]
fn there_are_no_wildcards() {
    check("wildcard", PATIENT, r#"columns = "*""#, &["ECL-INS-006"]);
    check("wildcard-in-a-list", PATIENT, r#"columns = ["id", "*"]"#, &["ECL-INS-006"]);
    check(
        "wildcard-with-a-reason",
        PATIENT,
        r#"columns = [{ name = "n*", reason = "x" }]"#,
        &["ECL-INS-006"],
    );
    check(
        "whole-table",
        PATIENT,
        "columns = []",
        &["ECL-INS-010", "ECL-MAP-010", "ECL-MAP-010", "ECL-MAP-010", "ECL-MAP-010"],
    );
}

// proves: INS-04
#[test]
fn credentials_are_refused_even_with_a_reason() {
    let table = |columns: &str| {
        format!("{PATIENT}\n\n[[table]]\nname = \"utilisateurs\"\nrows = 'true'\ncolumns = [{columns}]")
    };
    check("credential", PATIENT, &table(r#""id", "password""#), &["ECL-INS-013", "ECL-MAP-013"]);
    let reasoned = table(r#""id", { name = "password", reason = "so that nobody has to choose a new one" }"#);
    check("credential-with-a-reason", PATIENT, &reasoned, &["ECL-INS-013", "ECL-MAP-013"]);
    let compared = table("\"id\"").replace("rows = 'true'", "rows = 'password.startsWith(\"a\")'");
    check("credential-compared", PATIENT, &compared, &["ECL-INS-020", "ECL-MAP-013"]);
}

// proves: INS-04
#[test]
fn another_class_in_the_dictionary_does_not_free_a_credential() {
    let mut dictionary = laboratory::dictionary();
    for table in &mut dictionary.tables {
        for column in &mut table.columns {
            column.class = ecluse_core::class::Class::Technical;
        }
    }
    let table = format!(
        "{PATIENT}\n\n[[table]]\nname = \"utilisateurs\"\nrows = 'true'\ncolumns = [\"id\", \"password\"]"
    );
    let order =
        instruction::parse(&laboratory::instruction(PATIENT, &table, &laboratory::mapping())).unwrap();
    let codes: Vec<&str> = instruction::check(&order, &dictionary).iter().map(|f| f.code.id).collect();
    assert_eq!(codes, ["ECL-INS-013"]);
}

#[test]
fn names_that_are_not_there() {
    check(
        "column-typo",
        PATIENT,
        r#"columns = ["id", "nom", "dnn", "sexe"]"#,
        &["ECL-INS-009", "ECL-MAP-010", "ECL-MAP-011"],
    );
    check(
        "table-typo",
        "name = \"patient\"",
        "name = \"patents\"",
        &["ECL-INS-008", "ECL-MAP-012", "ECL-MAP-013"],
    );
    check("key-typo", "purpose =", "purpos =", &["ECL-INS-003", "ECL-INS-002"]);
    check("class-typo", "contact = {", "contakt = {", &["ECL-INS-004"]);
    check("fate-typo", "\"third party\" = \"return\"", "\"third party\" = \"forget\"", &["ECL-INS-004"]);
}

#[test]
fn names_twice() {
    check("column-twice", PATIENT, r#"columns = ["id", "nom", "ddn", "sexe", "nom"]"#, &["ECL-INS-007"]);
}

#[test]
fn filters() {
    check("filter-in-double-quotes", DATE, r#"rows = "date_recu >= date('2019-01-01')""#, &["ECL-INS-005"]);
    check("filter-unknown-column", DATE, r#"rows = 'date_recue >= date("2019-01-01")'"#, &["ECL-FLT-002"]);
    check("filter-wrong-type", DATE, "rows = 'date_recu >= \"2019-01-01\"'", &["ECL-FLT-004"]);
    let lines = "rows = '''\n  date_recu >= date(\"2019-01-01\") &&\n  statut == \"validé\"\n'''";
    check("filter-over-lines", DATE, lines, &["ECL-FLT-004"]);
    check(
        "filter-unknown-table",
        "id_dossier in chosen.dossier'",
        "id_dossier in chosen.dosier'",
        &["ECL-FLT-002"],
    );
}

#[test]
fn the_mapping_and_the_instruction_are_shown_together() {
    let mapping = laboratory::mapping().replace("family_name = \"nom\"", "family_name = \"prenom\"");
    let (codes, drawing) = drawn(&laboratory::instruction("version", "version", &mapping), &mapping);
    assert_eq!(codes, ["ECL-MAP-010", "ECL-MAP-011"]);
    golden("mapping-ungranted-and-unused", &drawing);
}

#[test]
fn cited_papers_that_changed() {
    let mapping = laboratory::mapping();
    let instruction = laboratory::instruction("version", "version", &mapping);
    let changed = mapping.replace("\"LAB\"", "\"LAB2\"");
    let (codes, _) = drawn(&instruction, &changed);
    assert_eq!(codes, ["ECL-MAP-014"]);
    let dictionary = laboratory::dictionary();
    let other = instruction.replace(&dictionary.digest, &format!("sha256:{}", "0".repeat(64)));
    assert_eq!(drawn(&other, &mapping).0, ["ECL-INS-018"]);
    let tables = dictionary.schema(&["resultat".to_owned(), "dossier".to_owned(), "patient".to_owned()]);
    let other = instruction.replace(&tables, &format!("sha256:{}", "0".repeat(64)));
    assert_eq!(drawn(&other, &mapping).0, ["ECL-INS-019"]);
}

#[test]
fn not_toml_at_all() {
    check("syntax", PATIENT, r#"columns = ["id", "nom"#, &["ECL-INS-001"]);
}
