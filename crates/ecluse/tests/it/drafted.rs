//! A draft that could not be planned is refused before anybody signs it.

use std::path::{Path, PathBuf};
use std::process::Output;

use ecluse_testkit::server;
use rusqlite::Connection;

use crate::{ecluse, succeed};

const OLD: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(40), masse NUMERIC);
CREATE TABLE visite (id INTEGER PRIMARY KEY, patient_id INTEGER);
INSERT INTO patient VALUES (1, 'Un', 1.5);
INSERT INTO visite VALUES (1, 1);
";

fn drafted(here: &Path) -> PathBuf {
    Connection::open(here.join("old.db")).unwrap().execute_batch(OLD).unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    let said = succeed(&lab, &["survey"]);
    assert!(
        said.contains("1 column is of a type that écluse does not move yet: patient.masse (NUMERIC)"),
        "{said}"
    );
    succeed(&lab, &["instruction", "new", "--grant-proposed", "--table", "patient", "--table", "visite"]);
    lab
}

/// Neither checked nor signed: the code stands there, and no signature.
#[track_caller]
fn refused(lab: &Path, code: &str) {
    for command in [["instruction", "check"], ["instruction", "sign"]] {
        let Output { status, stderr, .. } = ecluse(lab, &command);
        let said = String::from_utf8_lossy(&stderr);
        assert!(status.code() == Some(1) && said.contains(code), "{command:?}: {said}");
    }
    assert!(!lab.join("instruction.toml.sigs").exists());
}

fn granted(lab: &Path, was: &str, is: &str) {
    let path = lab.join("instruction.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(was), "{text}");
    std::fs::write(path, text.replacen(was, is, 1)).unwrap();
}

fn mapped(lab: &Path) {
    std::fs::remove_file(lab.join("mapping.toml")).unwrap();
    succeed(lab, &["mapping", "new"]);
    succeed(lab, &["instruction", "check", "--fill"]);
}

// fails with the guard off: everybody signs, and the plan says it
#[test]
fn what_the_dictionary_tells_of_a_draft_is_told_before_anybody_signs() {
    let here = tempfile::tempdir().unwrap();
    let lab = drafted(here.path());
    let text = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let line = text.lines().find(|line| line.contains("\"masse\"")).unwrap().to_owned();
    granted(&lab, &line, "    \"masse\",");
    std::fs::remove_file(lab.join("mapping.toml")).unwrap();
    succeed(&lab, &["mapping", "new"]);
    refused(&lab, "ECL-PLN-006");
    let next = succeed(&lab, &["next"]);
    assert!(next.contains("ECL-PLN-006"), "{next}");
    granted(&lab, "    \"masse\",", &line);
    mapped(&lab);
    let said = succeed(&lab, &["instruction", "check"]);
    assert!(said.contains("no [dossier]") && !said.contains("not looked at"), "{said}");
    succeed(&lab, &["instruction", "sign"]);
    succeed(&lab, &["plan"]);
}

// fails with the guard off: the destination that is named in connections.toml is asked by the plan alone
#[test]
fn a_destination_that_answers_is_compared_before_anybody_signs() {
    let here = tempfile::tempdir().unwrap();
    let lab = drafted(here.path());
    let new = Connection::open(here.path().join("new.db")).unwrap();
    new.execute_batch(
        "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(5));
         CREATE TABLE person (id INTEGER PRIMARY KEY);
         CREATE TABLE visite (id INTEGER PRIMARY KEY, patient_id INTEGER REFERENCES person (id));",
    )
    .unwrap();
    let filled = ecluse(&lab, &["instruction", "check", "--fill"]);
    assert!(String::from_utf8_lossy(&filled.stderr).contains("nom is `VARCHAR(40)`, nom is `VARCHAR(5)`"));
    refused(&lab, "ECL-PLN-012");
    new.execute_batch("ALTER TABLE patient ADD COLUMN name VARCHAR(40)").unwrap();
    let mapping = std::fs::read_to_string(lab.join("mapping.toml")).unwrap();
    let plain = mapping.lines().find(|line| line.trim_start().starts_with("nom")).unwrap();
    std::fs::write(lab.join("mapping.toml"), mapping.replace(plain, "name = \"nom\"")).unwrap();
    let said = succeed(&lab, &["instruction", "check", "--fill"]);
    assert!(said.contains("visite.patient_id to person"), "{said}");
    // what does not answer is not waited for: the papers alone are looked at
    let ends = std::fs::read_to_string(lab.join("connections.toml")).unwrap();
    let nobody = "postgresql://nobody@127.0.0.1:1/none?tls=off";
    let to = ends.lines().find(|line| line.contains("new.db")).unwrap();
    let gone = ends.replace(to, &format!("url = \"{nobody}\""));
    std::fs::write(lab.join("connections.toml"), gone).unwrap();
    let said = succeed(&lab, &["instruction", "check"]);
    assert!(said.contains("the destination's own tables were not looked at"), "{said}");
    std::fs::write(lab.join("connections.toml"), ends).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    assert!(
        String::from_utf8_lossy(&ecluse(&lab, &["plan"]).stdout)
            .contains("visite.patient_id names no row of person")
    );
}

/// The destination of connections.toml, once the draft was made.
fn toward(lab: &Path, url: &str) {
    let path = lab.join("connections.toml");
    let ends = std::fs::read_to_string(&path).unwrap();
    let to = ends.lines().find(|line| line.contains("new.db")).unwrap();
    std::fs::write(&path, ends.replace(to, &format!("url = \"{url}\""))).unwrap();
}

// fails with the guard off: somebody signs at a server that the order rules out, whoever listens there has read
// the password, and the plan is the first to refuse
#[test]
fn a_destination_without_the_key_that_the_order_states_is_told_no_password_and_nobody_signs() {
    let Some(server) = server::postgres() else { return };
    let database = server.database("drafted");
    let zero = format!("sha256:{}", "0".repeat(64));
    let url = format!("{}?password-file={}", database.url(), server.password_file().display());
    let socket = "postgresql://nobody@/none?socket=/nowhere".to_owned();
    let other = format!("{}?spki=sha256:{}", database.url(), "1".repeat(64));
    let mut asked = vec![(socket, "ECL-SEC-012"), (other, "ECL-SEC-013")];
    if server.authority().exists() {
        asked.push((url, "ECL-DST-508"));
    }
    for (url, code) in asked {
        let here = tempfile::tempdir().unwrap();
        let lab = drafted(here.path());
        toward(&lab, &url);
        let path = lab.join("instruction.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, after) = text.split_once("[destination]\n").unwrap();
        std::fs::write(&path, format!("{before}[destination]\ntls_spki = \"{zero}\"\n{after}")).unwrap();
        // the digests are filled in all the same
        ecluse(&lab, &["instruction", "check", "--fill"]);
        refused(&lab, code);
    }
}

// fails with the guard off: the check, and whoever would sign, wait for minutes
#[test]
fn a_destination_that_says_nothing_is_not_waited_for() {
    let here = tempfile::tempdir().unwrap();
    let lab = drafted(here.path());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    toward(&lab, &format!("postgresql://nobody@{}/none", silent.local_addr().unwrap()));
    mapped(&lab);
    let began = std::time::Instant::now();
    let said = succeed(&lab, &["instruction", "check"]);
    assert!(said.contains("tables were not looked at") && said.contains("ECL-DST-507"), "{said}");
    assert!(began.elapsed() < std::time::Duration::from_secs(15), "{:?}", began.elapsed());
}

// fails with the guard off: an empty dictionary is written, and nobody is told
#[test]
fn a_survey_of_nothing_ends_with_its_code() {
    let here = tempfile::tempdir().unwrap();
    Connection::open(here.path().join("old.db")).unwrap().execute_batch("PRAGMA user_version = 1").unwrap();
    succeed(here.path(), &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.path().join("lab");
    let ended = ecluse(&lab, &["survey"]);
    assert!(String::from_utf8_lossy(&ended.stderr).contains("ECL-CLI-043"));
    assert_eq!((ended.status.code(), lab.join("dictionary.toml").exists()), (Some(1), false));
}

// fails with the guard off: the same words are written once for each of them, or a reason covers what nobody names
#[test]
fn one_reason_stands_for_several_columns_and_each_is_shown() {
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(
        "CREATE TABLE examen (id INTEGER PRIMARY KEY, code TEXT, nom TEXT, aide TEXT, note TEXT);
         INSERT INTO examen VALUES (1, 'NFS', 'Numération', 'à jeun', '')",
    )
    .unwrap();
    succeed(here.path(), &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.path().join("lab");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--grant-proposed", "--table", "examen"]);
    let text = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    assert!(text.contains("# of one reason: { names = ["), "{text}");
    let names =
        |names: &str| format!("columns = [\n    {{ names = [{names}], reason = \"no person in it\" }},\n");
    granted(&lab, "columns = [\n", &names("\"code\", \"nom\", \"aide\""));
    mapped(&lab);
    succeed(&lab, &["order", "--lang", "en"]);
    let page = std::fs::read_to_string(lab.join("order.html")).unwrap();
    assert!(page.contains("code, nom, aide: no person in it"), "{page}");
    succeed(&lab, &["instruction", "sign"]);
    succeed(&lab, &["migrate", "--ddl"]);
    let new = Connection::open(here.path().join("new.db")).unwrap();
    let moved: String =
        new.query_row("SELECT code || nom || aide FROM examen", [], |row| row.get(0)).unwrap();
    assert_eq!(moved, "NFSNumérationà jeun");
    assert!(new.prepare("SELECT note FROM examen").is_err(), "what is not among the names stays");
}
