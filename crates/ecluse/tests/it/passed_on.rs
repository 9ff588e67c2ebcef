//! The sealed way whole: extracted by the laboratory's publisher, loaded by somebody else with the
//! recipient's key alone, received, and the receipt verified where it was extracted.

use std::path::{Path, PathBuf};

use ecluse_testkit::kill::CHUNK_ROWS;
use ecluse_testkit::leak::Search;
use rusqlite::Connection;

use crate::reference::refused;
use crate::succeed;

const OLD: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL, naissance DATE, poids DECIMAL(5,2), actif BOOLEAN);
CREATE TABLE examen (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id), code VARCHAR(8), valeur VARCHAR(20));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO patient SELECT i, 'CanariPatient' || i, '1960-01-01', 60 + i / 100.0, i % 2 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90)
INSERT INTO examen SELECT i, 1 + i % 40, CASE WHEN i % 7 THEN 'GLY' END, 'CanariValeur' || i FROM n;
";
const ROWS: &str =
    "SELECT count(*) || '|' || group_concat(id || coalesce(valeur, '-') || coalesce(code, '-')) FROM examen";

/// Two folders: the publisher's, and the recipient's, who has contract, status, statement and key alone.
struct Way {
    here: tempfile::TempDir,
}

impl Way {
    fn new() -> Self {
        let this = Self { here: tempfile::tempdir().unwrap() };
        let here = this.here.path();
        Connection::open(here.join("old.db")).unwrap().execute_batch(OLD).unwrap();
        succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
        let lab = this.lab();
        succeed(&lab, &["survey"]);
        let tables = ["--table", "patient", "--table", "examen", "--grant-proposed"];
        succeed(&lab, &[&["instruction", "new"], &tables[..]].concat());
        succeed(&lab, &["recipient", "new", "--days", "366"]);
        succeed(&lab, &["recipient", "sign"]);
        let shown: serde_json::Value =
            serde_json::from_str(&succeed(&lab, &["recipient", "show", "--json"])).unwrap();
        let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
        let (before, rest) = order.split_once("[destination]").unwrap();
        let (_, after) = rest.split_once("\n[").unwrap();
        let cited = format!("[[recipient]]\nage = {}\nstatement = {}\n", shown["age"], shown["digest"]);
        std::fs::write(lab.join("instruction.toml"), format!("{before}{cited}\n[{after}")).unwrap();
        succeed(&lab, &["instruction", "sign"]);
        let mut extract = std::process::Command::new(crate::program());
        extract.current_dir(&lab).args(["extract", "-o", "../archive"]).env(CHUNK_ROWS, "16");
        let made = extract.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        this.move_key();
        this
    }

    fn lab(&self) -> PathBuf {
        self.here.path().join("lab")
    }

    fn own(&self) -> PathBuf {
        self.here.path().join("own")
    }

    /// The recipient's folder, and the recipient's identity and key in it and nowhere else.
    fn move_key(&self) {
        let (lab, own) = (self.lab(), self.own());
        std::fs::create_dir_all(own.join("keys")).unwrap();
        for file in ["contract.toml", "status.toml", "recipient.toml", "fingerprints.txt"] {
            std::fs::copy(lab.join(file), own.join(file)).unwrap();
        }
        for sigs in ["contract.toml.sigs", "status.toml.sigs", "recipient.toml.sigs"] {
            std::fs::create_dir_all(own.join(sigs)).unwrap();
            for file in std::fs::read_dir(lab.join(sigs)).unwrap().flatten() {
                std::fs::copy(file.path(), own.join(sigs).join(file.file_name())).unwrap();
            }
        }
        for key in ["recipient", "recipient.age"] {
            std::fs::rename(lab.join("keys").join(key), own.join("keys").join(key)).unwrap();
        }
    }

    fn asked(&self, database: &Path, sql: &str) -> String {
        Connection::open(database).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

// proves: SEA-01
#[test]
fn what_was_extracted_stands_at_the_recipients_once_and_the_receipt_says_so() {
    let way = Way::new();
    let (own, lab) = (way.own(), way.lab());
    let next = |folder: &Path, says: &str| {
        let said = succeed(folder, &["next"]);
        assert!(said.contains(says), "{says}: {said}");
    };
    // each side is told what to do, and whom it waits for
    next(&lab, "130 rows sealed");
    next(&lab, "the archive was not received yet");
    next(&own, "ecluse inspect ARCHIVE");
    let opened = succeed(&own, &["open", "../archive"]);
    assert!(opened.contains("patient   40 rows") && opened.contains("examen   90 rows"), "{opened}");
    let load = ["load", "../archive", "--to", "sqlite:own.db", "--ddl"];
    let said = succeed(&own, &load);
    assert!(said.contains("130 rows loaded and read back"), "{said}");
    next(&own, "130 rows read back; the identity is destroyed");
    next(&own, "receipt.toml.sigs go back to the sender");
    let signed = own.join("receipt.toml.sigs");
    std::fs::rename(&signed, own.join("away")).unwrap();
    next(&own, "ecluse receipt sign --key FILE");
    std::fs::rename(own.join("away"), &signed).unwrap();
    let (old, new) = (way.here.path().join("old.db"), own.join("own.db"));
    assert_eq!(way.asked(&old, ROWS), way.asked(&new, ROWS));
    assert!(!own.join("keys/recipient.age").exists());
    // what the load left has its day from its birth
    let copies = std::fs::read_to_string(own.join("copies.json")).unwrap();
    assert!(["archive", "record", "state", "ledger"].iter().all(|store| copies.contains(store)), "{copies}");
    // in the recipient's folder, outside the database, nothing of a patient
    let canaries = Search::new(&["CanariPatient", "CanariValeur"]);
    assert!(!canaries.folder(&own).is_empty(), "the search sees what is there");
    std::fs::rename(&new, way.here.path().join("moved.db")).unwrap();
    assert_eq!(canaries.folder(&own), Vec::new());
    // where it was extracted, the receipt opens what was kept
    std::fs::copy(own.join("receipt.toml"), lab.join("receipt.toml")).unwrap();
    std::fs::create_dir_all(lab.join("receipt.toml.sigs")).unwrap();
    for file in std::fs::read_dir(own.join("receipt.toml.sigs")).unwrap().flatten() {
        std::fs::copy(file.path(), lab.join("receipt.toml.sigs").join(file.file_name())).unwrap();
    }
    let verified = succeed(&lab, &["receipt", "verify", "--archive", "../archive"]);
    assert!(verified.contains("it opens what the extraction committed itself to"), "{verified}");
    next(&lab, "every row that was sealed was received");
    succeed(&lab, &["report"]);
    next(&lab, "ecluse accept propose");
    let sealed = lab.join("run/sealed.json");
    let kept = std::fs::read_to_string(&sealed).unwrap();
    std::fs::write(&sealed, kept.replacen("\"commitment\": \"sha256:", "\"commitment\": \"sha256:0", 1))
        .unwrap();
    refused(&lab, &["receipt", "verify"], "ECL-RCT-013");
}
