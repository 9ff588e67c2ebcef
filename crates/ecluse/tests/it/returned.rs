//! Classes that go back to the laboratory: sealed to its own key, opened there with nothing but that key and the
//! papers, added up, and received.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecluse_core::manifest;
use ecluse_seal::Identity;
use ecluse_seal::archive::{Index, Label, Opener};
use ecluse_testkit::kill::{CHUNK_ROWS, CLOCK_AHEAD, VARIABLE, failpoints};
use ecluse_testkit::leak::Search;
use rusqlite::Connection;

use crate::reference::refused;
use crate::{program, sealed, succeed};

const OLD: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL, naissance DATE, commentaire TEXT);
CREATE TABLE examen (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id), code VARCHAR(8), valeur VARCHAR(20), commentaire TEXT);
CREATE TABLE journee (jour VARCHAR(10), examen_id INTEGER, commentaire TEXT, PRIMARY KEY (jour, examen_id)) WITHOUT ROWID;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO patient SELECT i, 'CanariPatient' || i, '1960-01-01', CASE WHEN i % 3 THEN 'CanariMot' || i END FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90)
INSERT INTO examen SELECT i, 1 + i % 40, 'GLY', 'CanariValeur' || i, 'CanariDit' || i FROM n;
INSERT INTO journee VALUES ('2026-01-02', 7, 'CanariJour'), ('2026-01-03', 7, NULL);
";

/// A trial at the publisher's, whose order has free texts returned; and the laboratory's own folder.
pub(crate) struct Back {
    pub(crate) here: tempfile::TempDir,
}

impl Back {
    /// The order is drafted, and cites the laboratory's key as `cites` writes it; nobody has signed it.
    fn drafted(cites: impl Fn(&str) -> String) -> Self {
        let this = Self { here: tempfile::tempdir().unwrap() };
        let here = this.here.path();
        Connection::open(here.join("old.db")).unwrap().execute_batch(OLD).unwrap();
        succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
        let lab = this.lab();
        succeed(&lab, &["survey"]);
        let tables = ["--table", "patient", "--table", "examen", "--grant-proposed"];
        succeed(&lab, &[&["instruction", "new"][..], &tables].concat());
        succeed(&lab, &["recipient", "new", "--return", "--days", "366"]);
        succeed(&lab, &["recipient", "sign", "--return"]);
        succeed(&lab, &["recipient", "verify", "--return"]);
        let shown: serde_json::Value =
            serde_json::from_str(&succeed(&lab, &["recipient", "show", "--return", "--json"])).unwrap();
        let cited = format!("age = {}\nstatement = {}\n", shown["age"], shown["digest"]);
        let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
        let returned = |line: &str| match line.starts_with("\"free text\"") {
            true => "\"free text\" = \"return\"\n".to_owned(),
            false => format!("{line}\n"),
        };
        let order: String = order.lines().map(returned).collect();
        assert!(order.contains("\"free text\" = \"return\""), "{order}");
        let order = order.replacen("\n[erasure]\n", &format!("\n{}\n[erasure]\n", cites(&cited)), 1);
        std::fs::write(lab.join("instruction.toml"), order).unwrap();
        this
    }

    /// The order is signed, and the laboratory has its own folder: the contract, its statement, its keys.
    pub(crate) fn signed() -> Self {
        let this = Self::drafted(|cited| format!("[return]\n{cited}alone = true\n"));
        let lab = this.lab();
        succeed(&lab, &["instruction", "sign"]);
        let own = this.own();
        for name in ["keys", "contract.toml.sigs", "return-recipient.toml.sigs"] {
            std::fs::create_dir_all(own.join(name)).unwrap();
        }
        for name in [
            "contract.toml",
            "fingerprints.txt",
            "return-recipient.toml",
            "keys/controller-signatory",
            "keys/controller-signatory.pub",
        ] {
            std::fs::copy(lab.join(name), own.join(name)).unwrap();
        }
        for name in ["contract.toml.sigs", "return-recipient.toml.sigs"] {
            for file in std::fs::read_dir(lab.join(name)).unwrap().flatten() {
                std::fs::copy(file.path(), own.join(name).join(file.file_name())).unwrap();
            }
        }
        // the key is the laboratory's: the publisher never has it
        let age = "keys/controller-signatory.age";
        std::fs::rename(lab.join(age), own.join(age)).unwrap();
        this
    }

    pub(crate) fn lab(&self) -> PathBuf {
        self.here.path().join("lab")
    }

    pub(crate) fn own(&self) -> PathBuf {
        self.here.path().join("own")
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.here.path().join("archive")
    }

    pub(crate) fn run(&self, more: &[(&str, &str)]) -> Output {
        self.run_to("../archive", more)
    }

    pub(crate) fn run_to(&self, archive: &str, more: &[(&str, &str)]) -> Output {
        let mut command = Command::new(program());
        command.current_dir(self.lab()).args(["return", "-o", archive]).env(CHUNK_ROWS, "16");
        command.env("TMPDIR", self.here.path().join("tmp"));
        std::fs::create_dir_all(self.here.path().join("tmp")).unwrap();
        command.envs(more.iter().copied()).output().unwrap()
    }

    /// Received at the laboratory; its receipt lies with the publisher's papers.
    pub(crate) fn received(&self) {
        let (lab, own) = (self.lab(), self.own());
        succeed(&own, &["open", "../archive", "--receipt"]);
        succeed(&own, &["receipt", "sign", "--return"]);
        assert!(
            own.join("keys/controller-signatory.age").exists(),
            "the laboratory keeps what opens its data"
        );
        std::fs::create_dir_all(lab.join("return-receipt.toml.sigs")).unwrap();
        std::fs::copy(own.join("return-receipt.toml"), lab.join("return-receipt.toml")).unwrap();
        for file in std::fs::read_dir(own.join("return-receipt.toml.sigs")).unwrap().flatten() {
            let to = lab.join("return-receipt.toml.sigs").join(file.file_name());
            std::fs::copy(file.path(), to).unwrap();
        }
    }

    /// Another receipt in the publisher's folder, validly signed by the laboratory.
    fn receives(&self, text: &str) {
        let (lab, path) = (self.lab(), self.lab().join("return-receipt.toml"));
        std::fs::write(&path, text).unwrap();
        let sign = ["-Y", "sign", "-q", "-n", "ecluse-return-receipt-v1", "-f", "keys/controller-signatory"];
        let mut signed = Command::new("ssh-keygen");
        let signed = signed.current_dir(&lab).args(sign).arg(&path).output().unwrap();
        assert!(signed.status.success(), "{}", said(&signed));
        let theirs =
            std::fs::read_dir(lab.join("return-receipt.toml.sigs")).unwrap().flatten().next().unwrap();
        std::fs::rename(lab.join("return-receipt.toml.sig"), theirs.path()).unwrap();
    }

    /// The archive as the laboratory's key opens it: the index, and every row as text.
    pub(crate) fn opened(&self) -> (Index, Vec<String>) {
        let text = std::fs::read_to_string(self.archive().join(manifest::FILE)).unwrap();
        let head: toml::Table = text.parse().unwrap();
        let word = |table: &str, key: &str| head[table][key].as_str().unwrap().to_owned();
        let label = Label {
            archive: word("document", "id"),
            instruction: word("archive", "instruction"),
            sender: word("archive", "sender"),
            recipient: word("archive", "recipient"),
        };
        let own = self.own().join("keys/controller-signatory.age");
        let identity = Identity::parse(&std::fs::read_to_string(own).unwrap()).unwrap();
        let opener = Opener::new(label, &identity);
        let part = |number: usize| std::fs::read(self.archive().join(manifest::part_name(number))).unwrap();
        let index = opener.index(&part(0)).unwrap();
        let mut rows = Vec::new();
        for (number, note) in (1..).zip(&index.chunks) {
            let table = &index.tables[note.table];
            for batch in opener.chunk(&part(number), note, table).unwrap() {
                rows.push(format!("{}: {}", table.source, batch.rows()));
            }
        }
        (index, rows)
    }

    /// Whether a patient's name, value or text stands anywhere but in the laboratory's own database.
    fn leaks(&self) -> Vec<String> {
        let places = ["lab", "own", "archive", "archive.part", "tmp"];
        let found = places.iter().flat_map(|place| canaries().folder(&self.here.path().join(place)));
        found.map(|found| format!("{} as {}", found.place, found.form)).collect()
    }
}

fn canaries() -> Search {
    Search::new(&["CanariPatient", "CanariValeur", "CanariMot", "CanariDit", "CanariJour"])
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn columns(index: &Index, table: &str) -> Vec<String> {
    let table = index.tables.iter().find(|t| t.source == table).unwrap();
    table.columns.iter().map(|column| column.name.clone()).collect()
}

#[test]
fn an_order_that_says_to_nobody_or_not_whose_rows_returns_nothing() {
    let back = Back::drafted(|_| String::new());
    let lab = back.lab();
    let said = succeed(&lab, &["instruction", "sign"]);
    assert!(said.contains("does not say to which key classes are returned"), "{said}");
    refused(&lab, &["return", "-o", "../archive"], "ECL-RET-001");
    let back = Back::drafted(|cited| format!("[return]\n{cited}"));
    refused(&back.lab(), &["instruction", "sign"], "ECL-RET-006");
    // a class of which nothing may be returned
    let back = Back::drafted(|cited| format!("[return]\n{cited}alone = true\n"));
    let path = back.lab().join("instruction.toml");
    let order = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        order
            .replace("\"free text\" = \"return\"", "\"free text\" = { fate = \"keep\", until = 2099-01-31 }"),
    )
    .unwrap();
    succeed(&back.lab(), &["instruction", "sign"]);
    refused(&back.lab(), &["return", "--dry-run"], "ECL-RET-002");
}

// proves: ERA-11
#[test]
fn what_is_returned_opens_with_the_laboratorys_key_and_adds_up() {
    let back = Back::signed();
    let (lab, own) = (back.lab(), back.own());
    let dry = succeed(&lab, &["return", "--dry-run"]);
    assert!(dry.contains("patient   id, commentaire") && dry.contains("7 columns of 3 tables"), "{dry}");
    let made = back.run(&[]);
    assert!(made.status.success() && said(&made).contains("132 rows sealed"), "{}", said(&made));
    assert_eq!(back.leaks(), Vec::<String>::new());
    assert!(!canaries().folder(back.here.path()).is_empty(), "the search sees what is there");

    let events = std::fs::read_to_string(lab.join("return/events.jsonl")).unwrap();
    for act in ["\"extract\"", "\"seal-part\"", "\"close\""] {
        assert!(events.contains(act), "{act} is noted: {events}");
    }

    // the class, whole, of every table that has it, with the keys by which its rows are joined again; nothing else
    let (index, rows) = back.opened();
    assert_eq!(columns(&index, "patient"), ["id", "commentaire"]);
    assert_eq!(columns(&index, "examen"), ["id", "commentaire"]);
    assert_eq!(columns(&index, "journee"), ["jour", "examen_id", "commentaire"]);
    let counted = |name: &str| index.tables.iter().find(|t| t.source == name).unwrap().rows;
    assert_eq!((counted("patient"), counted("examen"), counted("journee")), (40, 90, 2));
    assert!(rows.len() > 8, "{rows:?}");

    let identity = std::fs::read_to_string(own.join("keys/controller-signatory.age")).unwrap();
    let secret = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    let sealed = |needle: &str| Search::new(&[needle]).opening(&[secret]).folder(&back.archive()).is_empty();
    assert!(!sealed("CanariMot40") && !sealed("CanariDit77") && !sealed("CanariJour"), "every text is there");
    assert!(sealed("CanariPatient") && sealed("CanariValeur"), "other classes are not");

    // at the laboratory, with its papers and its key alone
    succeed(&own, &["inspect", "../archive"]);
    let opened = succeed(&own, &["open", "../archive"]);
    assert!(opened.contains("examen   90 rows") && opened.contains("No row was opened"), "{opened}");
    refused(&own, &["load", "../archive", "--to", "sqlite:x.db", "--ddl"], "ECL-RET-007");
    refused(&lab, &["receipt", "verify", "--return"], "ECL-CLI-003");
    assert!(succeed(&own, &["next"]).contains("nothing was received yet"));
    back.received();
    assert!(succeed(&own, &["next"]).contains("go back to the publisher"));
    let verified = succeed(&lab, &["receipt", "verify", "--return", "--archive", "../archive"]);
    assert!(verified.contains("examen   90 rows") && verified.contains("Alix Essai-Signature"), "{verified}");
    assert_eq!(back.leaks(), Vec::<String>::new());

    // a receipt of other rows: the laboratory's own word, and none that counts
    let whole = std::fs::read_to_string(lab.join("return-receipt.toml")).unwrap();
    let (head, tail) = whole.rsplit_once("out     = \"").unwrap();
    let flipped = if tail.starts_with('0') { "1" } else { "0" };
    back.receives(&format!("{head}out     = \"{flipped}{}", tail.get(1..).unwrap()));
    refused(&lab, &["receipt", "verify", "--return"], "ECL-RCT-011");
    back.receives(&whole.replace("rows    = 40", "rows    = 39"));
    refused(&lab, &["receipt", "verify", "--return"], "ECL-RCT-011");
    back.receives(&whole);
    succeed(&lab, &["receipt", "verify", "--return"]);
}

/// A base of two laboratories; what is ours is site 3.
const SEVERAL: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL, commentaire TEXT);
CREATE TABLE demande (id INTEGER PRIMARY KEY, site_id INTEGER NOT NULL, patient_id INTEGER NOT NULL REFERENCES patient(id), commentaire TEXT);
CREATE TABLE examen (id INTEGER PRIMARY KEY, demande_id INTEGER REFERENCES demande(id), commentaire TEXT);
INSERT INTO patient VALUES (1, 'a', 'ours'), (2, 'b', 'CanariTheirs1'), (3, 'c', 'both'), (4, 'd', 'CanariNobody');
INSERT INTO demande VALUES (1, 3, 1, 'old'), (2, 3, 3, 'new'), (3, 4, 3, 'CanariTheirs2'), (4, 4, 2, 'CanariTheirs3');
INSERT INTO examen VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, 'CanariTheirs4'), (4, 4, 'CanariTheirs5'), (5, NULL, 'CanariNobody2');
";

/// A trial over that base, whose order names site 3; signed if it can be.
fn several(more: &str) -> (tempfile::TempDir, Output) {
    let all = tempfile::tempdir().unwrap();
    let here = all.path();
    Connection::open(here.join("old.db")).unwrap().execute_batch(&format!("{SEVERAL}{more}")).unwrap();
    succeed(here, &["new", "lab", "--trial", "--from", "sqlite:old.db", "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    let tables = ["--table", "patient", "--table", "demande", "--table", "examen", "--grant-proposed"];
    succeed(&lab, &[&["instruction", "new"][..], &tables].concat());
    succeed(&lab, &["recipient", "new", "--return", "--days", "366"]);
    succeed(&lab, &["recipient", "sign", "--return"]);
    let shown: serde_json::Value =
        serde_json::from_str(&succeed(&lab, &["recipient", "show", "--return", "--json"])).unwrap();
    let cited = format!("[return]\nage = {}\nstatement = {}\n", shown["age"], shown["digest"]);
    let entity = "[entity]\nfiness = \"340012345\"\ncolumns = [\"demande.site_id\"]\nvalue = 3\n";
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let mut order: String = order
        .lines()
        .map(|line| match line.starts_with("\"free text\"") {
            true => "\"free text\" = \"return\"\n".to_owned(),
            false => format!("{line}\n"),
        })
        .collect();
    order = order.replacen("\n[erasure]\n", &format!("\n{entity}\n{cited}\n[erasure]\n"), 1);
    // the order moves the new request alone
    for (table, rows) in [
        ("patient", "id in chosen.demande.patient_id"),
        ("demande", "site_id == 3 && id >= 2"),
        ("examen", "demande_id in chosen.demande"),
    ] {
        let every = format!("name = \"{table}\"\nrows = 'true'");
        assert!(order.contains(&every), "{order}");
        order = order.replace(&every, &format!("name = \"{table}\"\nrows = '{rows}'"));
    }
    std::fs::write(lab.join("instruction.toml"), order).unwrap();
    let signed = crate::ecluse(&lab, &["instruction", "sign"]);
    (all, signed)
}

#[test]
fn of_several_laboratories_in_one_base_nobody_elses_row_is_returned() {
    let (all, signed) = several("");
    assert!(signed.status.success(), "{}", said(&signed));
    let lab = all.path().join("lab");
    succeed(&lab, &["return", "-o", "../archive"]);
    succeed(&lab, &["open", "../archive", "--receipt"]);
    let opened = succeed(&lab, &["open", "../archive"]);
    // also what the order leaves behind; the patient whom both know, and neither the others' nor nobody's
    for rows in ["patient   2 rows", "demande   2 rows", "examen   2 rows"] {
        assert!(opened.contains(rows), "{rows}: {opened}");
    }
    let identity = std::fs::read_to_string(lab.join("keys/controller-signatory.age")).unwrap();
    let secret = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
    let sought =
        |needles: &[&str]| Search::new(needles).opening(&[secret]).folder(&all.path().join("archive"));
    assert!(!sought(&["commentaire"]).is_empty(), "the search opens what was sealed");
    assert_eq!(sought(&["CanariTheirs", "CanariNobody"]), Vec::new());
    // a table of which nothing tells whose its rows are
    let (all, signed) = several("CREATE TABLE billet (id INTEGER PRIMARY KEY, commentaire TEXT);");
    assert!(said(&signed).contains("ECL-RET-004") && said(&signed).contains("billet"), "{}", said(&signed));
    refused(&all.path().join("lab"), &["return", "-o", "../archive"], "ECL-");
    assert!(!all.path().join("archive").exists());
}

// An archive of which a row was taken out and that its sender signed again is no return that the laboratory signs for.
#[test]
fn a_part_that_was_exchanged_writes_no_receipt() {
    let back = Back::signed();
    assert!(back.run(&[]).status.success());
    let part = back.archive().join(manifest::part_name(1));
    let mut bytes = std::fs::read(&part).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    refused(&back.own(), &["open", "../archive", "--receipt"], "ECL-LOA-021");
    assert!(!back.own().join("return-receipt.toml").exists());
}

// A death anywhere leaves nothing in clear and no archive that is not whole; the same command makes one.
#[test]
fn killed_at_any_step_a_return_begins_anew() {
    let back = Back::signed();
    let own = ["archive.", "folder.event", "folder.replace.", "papers.sealed."];
    let places: Vec<String> =
        failpoints().into_iter().filter(|name| own.iter().any(|own| name.starts_with(own))).collect();
    assert!(places.len() >= 16, "{places:?}");
    for place in places {
        let nth = if place.starts_with("archive.part") {
            3
        } else if place.starts_with("folder.event") {
            14
        } else {
            1
        };
        let death = format!("{place}:{nth}");
        let died = back.run(&[(VARIABLE, &death)]);
        assert!(died.status.code().is_none(), "{death}: {}", said(&died));
        assert_eq!(back.leaks(), Vec::<String>::new(), "{death}");
        let again = back.run(&[]);
        assert!(
            again.status.success() && said(&again).contains("132 rows sealed"),
            "{death}: {}",
            said(&again)
        );
        assert_eq!(back.opened().0.tables.iter().map(|t| t.rows).sum::<u64>(), 132, "{death}");
        let listed = std::fs::read(back.archive().join(manifest::FILE)).unwrap();
        assert!(std::fs::read(back.lab().join("return-manifest.toml")).unwrap() == listed, "{death}");
        assert_eq!(back.leaks(), Vec::<String>::new(), "{death}");
        std::fs::remove_dir_all(back.archive()).unwrap();
    }
}

/// Runs it so many days later.
fn later(folder: &Path, days: u64, arguments: &[&str]) -> Output {
    let mut command = Command::new(program());
    command
        .current_dir(folder)
        .args(arguments)
        .env(CLOCK_AHEAD, (days * 86_400).to_string())
        .output()
        .unwrap()
}

// proves: ERA-11
// Whoever was given its own data back needs nobody's leave to open them, on no day.
#[test]
fn what_was_returned_opens_when_order_and_statement_have_ended() {
    let back = Back::signed();
    let (lab, own) = (back.lab(), back.own());
    assert!(back.run(&[]).status.success());
    let order = ecluse_core::document::header(
        &std::fs::read_to_string(lab.join("instruction.toml")).unwrap(),
        ecluse_core::document::Kind::Instruction,
    )
    .unwrap();
    assert!(order.not_after < crate::now() + jiff::SignedDuration::from_hours(24 * 110), "{order:?}");
    // the order, and then statement and contract too
    for days in [120, 800] {
        let seen = later(&own, days, &["inspect", "../archive"]);
        assert!(
            seen.status.success() && said(&seen).contains("as long as it has its key"),
            "{}",
            said(&seen)
        );
        assert!(!said(&seen).contains("may be opened until"), "{}", said(&seen));
        let opened = later(&own, days, &["open", "../archive"]);
        assert!(opened.status.success() && said(&opened).contains("examen   90 rows"), "{}", said(&opened));
        let received = later(&own, days, &["open", "../archive", "--receipt"]);
        assert!(received.status.success() && said(&received).contains("added up"), "{}", said(&received));
        std::fs::remove_file(own.join("return-receipt.toml")).unwrap();
    }
    let board = said(&later(&own, 120, &["next"]));
    assert!(board.contains("nothing was received yet"), "{board}");
    // whoever has no statement of the laboratory's is told the day
    let seen = later(&lab, 120, &["inspect", "../archive"]);
    assert!(seen.status.success(), "the statement lies there too: {}", said(&seen));
    let aside = lab.join("aside.toml");
    std::fs::rename(lab.join("return-recipient.toml"), &aside).unwrap();
    let seen = later(&lab, 120, &["inspect", "../archive"]);
    assert!(said(&seen).contains("ECL-SGN-007"), "{}", said(&seen));
    std::fs::rename(&aside, lab.join("return-recipient.toml")).unwrap();
    // received after that day, and taken at the publisher's
    let received = later(&own, 120, &["open", "../archive", "--receipt"]);
    assert!(received.status.success(), "{}", said(&received));
    let signed = later(&own, 120, &["receipt", "sign", "--return"]);
    assert!(signed.status.success(), "{}", said(&signed));
    std::fs::create_dir_all(lab.join("return-receipt.toml.sigs")).unwrap();
    std::fs::copy(own.join("return-receipt.toml"), lab.join("return-receipt.toml")).unwrap();
    for file in std::fs::read_dir(own.join("return-receipt.toml.sigs")).unwrap().flatten() {
        std::fs::copy(file.path(), lab.join("return-receipt.toml.sigs").join(file.file_name())).unwrap();
    }
    let verified = later(&lab, 121, &["receipt", "verify", "--return", "--archive", "../archive"]);
    assert!(verified.status.success() && said(&verified).contains("examen   90 rows"), "{}", said(&verified));
}

// In the laboratory's folder lies another statement than the one it was sealed to.
#[test]
fn another_statement_of_the_laboratorys_is_said_to_be_another() {
    let back = Back::signed();
    let own = back.own();
    assert!(back.run(&[]).status.success());
    std::fs::remove_file(own.join("return-recipient.toml")).unwrap();
    std::fs::remove_dir_all(own.join("return-recipient.toml.sigs")).unwrap();
    std::fs::remove_file(own.join("keys/controller-signatory.age")).unwrap();
    succeed(&own, &["recipient", "new", "--return", "--days", "366"]);
    succeed(&own, &["recipient", "sign", "--return"]);
    let told = refused(&own, &["open", "../archive"], "ECL-MAN-011");
    assert!(told.contains("return-recipient.toml") && !told.contains("recipient new"), "{told}");
}

// proves: SEA-02
#[test]
fn the_page_of_a_return_says_to_keep_it_and_its_lines_open_it() {
    let back = Back::signed();
    assert!(back.run(&[]).status.success());
    let identity = back.own().join("keys/controller-signatory.age");
    let sender = back.lab().join("keys/operator.pub");
    let page = sealed::followed(&back.archive(), (&identity, &sender), "CanariDit1");
    assert!(page.contains("Keep this archive") && !page.contains("when it is loaded"), "{page}");
}

// proves: ERA-11
// A receipt is of one archive: the next one takes its place neither unsaid nor half.
#[test]
fn a_second_return_leaves_the_received_one_as_it_is_until_it_has_its_name() {
    let back = Back::signed();
    let lab = back.lab();
    assert!(back.run(&[]).status.success());
    back.received();
    let verify = ["receipt", "verify", "--return"];
    succeed(&lab, &verify);
    let kept = || std::fs::read(lab.join("return-manifest.toml")).unwrap();
    let first = kept();
    // nobody asks the laboratory for a second receipt without knowing it
    let told = said(&back.run_to("../second", &[]));
    assert!(told.contains("ECL-RET-014"), "{told}");
    assert!(!back.here.path().join("second").exists() && kept() == first);
    let (receipt, aside) = (lab.join("return-receipt.toml"), lab.join("aside.toml"));
    let without = |act: &dyn Fn()| {
        std::fs::rename(&receipt, &aside).unwrap();
        act();
        std::fs::rename(&aside, &receipt).unwrap();
    };
    let dies = |at: &str| {
        let died = back.run_to("../second", &[(VARIABLE, at)]);
        assert!(died.status.code().is_none(), "{at}: {}", said(&died));
    };
    // killed before it has its name: there is no second one
    for death in ["archive.rename.before", "papers.sealed.fsync.after"] {
        without(&|| dies(death));
        assert!(kept() == first, "{death}");
        succeed(&lab, &verify);
    }
    // killed as it has it: the same command says so, and not before
    without(&|| dies("archive.rename.after"));
    let second = std::fs::read(back.here.path().join("second").join(manifest::FILE)).unwrap();
    assert!(kept() == first && second != first);
    succeed(&lab, &verify);
    let ended = back.run_to("../second", &[]);
    assert!(
        ended.status.success() && said(&ended).contains("nothing was extracted anew"),
        "{}",
        said(&ended)
    );
    assert!(kept() == second);
    // from now on the receipt is of another archive, and everybody who asks is told
    let told = refused(&lab, &verify, "ECL-RET-016");
    assert!(told.contains("put back return-manifest.toml"), "{told}");
    // as it says: from the archive that was received
    let copy = |from: &str, to: &str| std::fs::copy(back.archive().join(from), lab.join(to)).unwrap();
    copy(manifest::FILE, "return-manifest.toml");
    refused(&lab, &verify, "ECL-SGN-021");
    copy("manifest.toml.sigs/sender.sig", "return-manifest.toml.sigs/sender.sig");
    succeed(&lab, &verify);
}

#[test]
fn a_return_takes_no_run_folder_that_its_receipt_would_not_find() {
    let back = Back::signed();
    let lab = back.lab();
    for arguments in [
        &["return", "-o", "../archive", "--run", "elsewhere"][..],
        &["receipt", "verify", "--return", "--run", "elsewhere"],
        &["receipt", "sign", "--return", "--run", "elsewhere"],
    ] {
        let output = crate::ecluse(&lab, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
    }
    assert!(!lab.join("elsewhere").exists() && !back.archive().exists());
}
