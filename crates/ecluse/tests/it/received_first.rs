//! Reference data of an archive: loaded first, accepted by the laboratory where they stand, before a patient is.

use std::path::Path;

use ecluse_testkit::kill::VARIABLE;
use rusqlite::Connection;

use crate::reference::{mapped, refused};
use crate::sealed::{cited, recipients};
use crate::{ecluse, succeed};

const LOAD: [&str; 5] = ["load", "../archive", "--to", "sqlite:loaded.db", "--ddl"];

fn rows(theirs: &Path) -> [Option<i64>; 3] {
    let there = Connection::open(theirs.join("loaded.db")).unwrap();
    let count = |table| there.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).ok();
    ["unite", "patient", "resultat"].map(count)
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

// fails with the guard off: patients are loaded before anybody has looked at the units they are measured in
#[test]
fn of_an_archive_nothing_else_is_loaded_before_a_biologist_accepted_the_reference_data() {
    let all = tempfile::tempdir().unwrap();
    let here = all.path();
    Connection::open(here.join("old.db"))
        .unwrap()
        .execute_batch(&format!("BEGIN; {} COMMIT;", mapped()))
        .unwrap();
    let lab = cited(here, "sqlite:old.db", "sqlite:new.db", &["unite", "patient", "resultat"]);
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let first = "[[table]]\nname = \"unite\"\n";
    assert!(order.contains(first), "{order}");
    let marked = order.replace(first, &format!("{first}reference = true\n"));
    std::fs::write(lab.join("instruction.toml"), marked).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    // whoever extracts is not held up: what is accepted is what stands at the recipient's
    succeed(&lab, &["extract", "-o", "../archive"]);
    let theirs = here.join("theirs");
    recipients(&lab, &theirs);
    let reference = [&LOAD[..], &["--reference"]].concat();

    assert!(refused(&theirs, &LOAD, "ECL-REF-008").contains("ecluse load ARCHIVE --reference"));
    assert_eq!(rows(&theirs), [None, None, None]);
    refused(&theirs, &["reference", "propose"], "ECL-REF-009");
    for event in [4, 9, 14] {
        let mut died = std::process::Command::new(crate::program());
        let died =
            died.current_dir(&theirs).args(&reference).env(VARIABLE, format!("folder.event.after:{event}"));
        assert!(died.output().unwrap().status.code().is_none(), "{event}");
    }
    let said = succeed(&theirs, &reference);
    assert!(said.contains("2 rows loaded") && said.contains("ecluse reference propose"), "{said}");
    assert_eq!(rows(&theirs), [Some(2), Some(0), Some(0)]);
    assert!(refused(&theirs, &LOAD, "ECL-REF-008").contains("ecluse reference propose"));
    assert!(succeed(&theirs, &["next"]).contains("ecluse reference propose"));

    // proposed where they stand, accepted by the laboratory's biologist wherever the paper was sent
    succeed(&theirs, &["reference", "propose"]);
    refused(&theirs, &LOAD, "ECL-REF-008");
    let (paper, sent) = (theirs.join("reference.toml"), lab.join("reference.toml"));
    let stated = std::fs::read_to_string(&paper).unwrap();
    let biologist = ["reference", "sign", "--key", "keys/controller-biologist"];
    std::fs::write(&paper, stated.replace("rows  = 2", "rows  = 3")).unwrap();
    refused(&theirs, &biologist, "ECL-REF-005");
    std::fs::write(&paper, &stated).unwrap();
    let operator = ecluse(&theirs, &["reference", "sign", "--key", "keys/operator"]);
    assert!(!operator.status.success(), "an operator accepts nothing");
    let instruction = stated.lines().find(|line| line.starts_with("instruction")).unwrap();
    let other = format!("instruction = \"sha256:{}\"", "0".repeat(64));
    std::fs::write(&sent, stated.replace(instruction, &other)).unwrap();
    refused(&lab, &biologist, "ECL-REF-005");
    std::fs::write(&sent, &stated).unwrap();
    succeed(&lab, &biologist);
    copied(&lab.join("reference.toml.sigs"), &theirs.join("reference.toml.sigs"));
    succeed(&theirs, &["reference", "verify"]);
    assert!(succeed(&theirs, &["next"]).contains("ecluse load ARCHIVE"));

    // of the values that stand there, and no others
    let there = Connection::open(theirs.join("loaded.db")).unwrap();
    let unit = |name: &str| {
        there.execute("UPDATE unite SET nom = ?1 WHERE id = 1", [name]).unwrap();
    };
    unit("mg/L");
    refused(&theirs, &LOAD, "ECL-REF-005");
    unit("g/L");
    assert_eq!(rows(&theirs), [Some(2), Some(0), Some(0)]);
    assert!(theirs.join("keys/recipient.age").exists() && !theirs.join("receipt.toml").exists());
    let said = succeed(&theirs, &LOAD);
    assert_eq!(rows(&theirs), [Some(2), Some(5), Some(62)], "{said}");
    assert!(!theirs.join("keys/recipient.age").exists());
    copied(&theirs.join("receipt.toml.sigs"), &lab.join("receipt.toml.sigs"));
    std::fs::copy(theirs.join("receipt.toml"), lab.join("receipt.toml")).unwrap();
    succeed(&lab, &["receipt", "verify", "--archive", "../archive"]);
    // the chain that the laboratory reads has it
    succeed(&lab, &["report", "--lang", "en"]);
    let page = std::fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(page.contains("accepted reference data"), "{page}");
}

// fails with the guard off: a load begun with the rest is asked for a paper again, or goes back to the beginning
#[test]
fn reference_data_alone_are_not_loaded_once_a_patient_is_and_an_order_without_any_has_none() {
    let all = tempfile::tempdir().unwrap();
    let here = all.path();
    Connection::open(here.join("old.db"))
        .unwrap()
        .execute_batch(&format!("BEGIN; {} COMMIT;", mapped()))
        .unwrap();
    let lab = cited(here, "sqlite:old.db", "sqlite:new.db", &["unite", "patient", "resultat"]);
    succeed(&lab, &["extract", "-o", "../archive"]);
    let theirs = here.join("theirs");
    recipients(&lab, &theirs);
    let reference = [&LOAD[..], &["--reference"]].concat();
    refused(&theirs, &reference, "ECL-REF-006");
    assert!(theirs.join("keys/recipient.age").exists());
    succeed(&theirs, &LOAD);
    assert_eq!(rows(&theirs), [Some(2), Some(5), Some(62)]);
}
