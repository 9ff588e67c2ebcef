//! A rehearsal where the order marks reference data, and an acceptance that was signed without this program,
//! or has expired since.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;

use crate::reference::{folder, mapped, patients, refused};
use crate::{now, succeed};

/// Results name their unit; nobody's result is in the second one.
fn lab(here: &Path) -> PathBuf {
    let old = Connection::open(here.join("old.db")).unwrap();
    let units = "ALTER TABLE resultat ADD COLUMN unite_id INTEGER REFERENCES unite(id);
        UPDATE resultat SET unite_id = 1;";
    old.execute_batch(&format!("BEGIN; {} {units} COMMIT;", mapped())).unwrap();
    let lab = folder(here, "sqlite:old.db", "sqlite:new.db");
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let dossier = order.replacen("\n# [dossier]", "\n[dossier]\ntable = \"patient\"\n# ", 1);
    assert!(dossier != order);
    std::fs::write(lab.join("instruction.toml"), dossier).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    succeed(&lab, &["codes", "sign", "codes/lecture.toml"]);
    lab
}

fn units(here: &Path) -> i64 {
    let new = Connection::open(here.join("new.db")).unwrap();
    new.query_row("SELECT count(*) FROM unite", [], |row| row.get(0)).unwrap()
}

fn accept(lab: &Path) {
    succeed(lab, &["reference", "propose"]);
    succeed(lab, &["reference", "sign", "--key", "keys/controller-biologist"]);
}

/// The biologist signs with `ssh-keygen`, whatever the paper says.
fn sign_by_hand(lab: &Path) {
    let arguments =
        ["-Y", "sign", "-n", "ecluse-reference-v1", "-f", "keys/controller-biologist", "reference.toml"];
    let done = Command::new("ssh-keygen").current_dir(lab).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::create_dir_all(lab.join("reference.toml.sigs")).unwrap();
    std::fs::rename(lab.join("reference.toml.sig"), lab.join("reference.toml.sigs/biologist.sig")).unwrap();
}

// fails with the guard off: who is to accept the units could not see one dossier in them first
#[test]
fn a_rehearsal_moves_the_reference_data_whole_before_anybody_accepted_them() {
    let here = tempfile::tempdir().unwrap();
    let lab = lab(here.path());
    let said = succeed(&lab, &["migrate", "--sample", "2", "--ddl"]);
    assert!(said.contains("Sample of 2 dossiers of 5"), "{said}");
    assert_eq!((units(here.path()), patients(here.path())), (2, 2), "the unit nobody uses came too");
    succeed(&lab, &["reconcile"]);
    succeed(&lab, &["report", "--lang", "en"]);
    let page = std::fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(
        page.contains("this is a rehearsal, not the migration. The reference data have moved whole."),
        "{page}"
    );
    // a rehearsal is no way round the acceptance
    assert!(refused(&lab, &["migrate"], "ECL-REF-008").contains("ecluse reference propose"));
    assert!(refused(&lab, &["migrate", "--reference"], "ECL-REF-007").contains("ecluse reference propose"));
    assert!(succeed(&lab, &["next"]).contains("ecluse reference propose"));
    assert_eq!(patients(here.path()), 2);
    accept(&lab);
    succeed(&lab, &["migrate"]);
    assert_eq!((units(here.path()), patients(here.path())), (2, 5));
    succeed(&lab, &["reconcile"]);
    refused(&lab, &["migrate", "--sample", "2"], "ECL-RUN-063");
}

// fails with the guard off: nothing can be rehearsed any more once the units stand there
#[test]
fn a_rehearsal_goes_over_reference_data_that_stand_there_accepted_or_not() {
    let here = tempfile::tempdir().unwrap();
    let lab = lab(here.path());
    succeed(&lab, &["migrate", "--reference", "--ddl"]);
    succeed(&lab, &["migrate", "--sample", "2"]);
    assert_eq!((units(here.path()), patients(here.path())), (2, 2));
    accept(&lab);
    succeed(&lab, &["migrate", "--sample", "3"]);
    assert_eq!((units(here.path()), patients(here.path())), (2, 3));
    succeed(&lab, &["reconcile"]);
    succeed(&lab, &["migrate"]);
    assert_eq!(patients(here.path()), 5);
    succeed(&lab, &["reconcile"]);
}

// fails with the guard off: whoever signs with ssh-keygen accepts rows that never stood there
#[test]
fn an_acceptance_is_compared_with_what_stands_there_whoever_signed_it() {
    let here = tempfile::tempdir().unwrap();
    let lab = lab(here.path());
    succeed(&lab, &["migrate", "--reference", "--ddl"]);
    succeed(&lab, &["reference", "propose"]);
    let paper = lab.join("reference.toml");
    let stated = std::fs::read_to_string(&paper).unwrap();
    std::fs::write(&paper, stated.replace("rows  = 2", "rows  = 3")).unwrap();
    sign_by_hand(&lab);
    refused(&lab, &["migrate"], "ECL-REF-005");
    assert_eq!(patients(here.path()), 0);
    succeed(&lab, &["report", "--lang", "en"]);
    let page = std::fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(!page.contains("accepted reference data"), "{page}");
    std::fs::write(&paper, stated).unwrap();
    sign_by_hand(&lab);
    succeed(&lab, &["migrate"]);
    assert_eq!(patients(here.path()), 5);
}

// fails with the guard off: a run that was right in its time cannot be reported on any more
#[test]
fn an_acceptance_that_expired_after_the_run_is_shown_with_the_day_on_which_it_held() {
    let here = tempfile::tempdir().unwrap();
    let lab = lab(here.path());
    succeed(&lab, &["migrate", "--reference", "--ddl"]);
    succeed(&lab, &["reference", "propose"]);
    let paper = lab.join("reference.toml");
    let stated = std::fs::read_to_string(&paper).unwrap();
    let until = now() + Duration::from_secs(6);
    let short = |line: &str| match line.starts_with("not_after") {
        true => format!("not_after  = {}", until.strftime("%Y-%m-%dT%H:%M:%SZ")),
        false => line.to_owned(),
    };
    let stated: Vec<String> = stated.lines().map(short).collect();
    std::fs::write(&paper, format!("{}\n", stated.join("\n"))).unwrap();
    sign_by_hand(&lab);
    succeed(&lab, &["migrate"]);
    while now() <= until {
        std::thread::sleep(Duration::from_millis(100));
    }
    succeed(&lab, &["report", "--lang", "en"]);
    let page = std::fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(page.contains("accepted reference data") && page.contains("was valid on "), "{page}");
    std::fs::write(&paper, "altered").unwrap();
    assert!(!crate::ecluse(&lab, &["report"]).status.success(), "an altered one is none");
}
