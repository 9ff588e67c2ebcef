//! An order to a recipient, carried out: counted, sealed, killed at every step, and opened by a stranger who has
//! the recipient's key, age, OpenSSH and Python, and none of our code.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecluse_core::manifest;
use ecluse_seal::Identity;
use ecluse_seal::archive::{Index, Label, Opener};
use ecluse_testkit::kill::{CHUNK_ROWS, VARIABLE, failpoints};
use ecluse_testkit::leak::Search;
use ecluse_testkit::{not_checked, outside_tool};
use rusqlite::Connection;

use crate::{ecluse, succeed};

const OLD: &str = "
CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL, naissance DATE);
CREATE TABLE examen (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id), code VARCHAR(8), valeur VARCHAR(20));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO patient SELECT i, 'CanariPatient' || i, '1960-01-01' FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90)
INSERT INTO examen SELECT i, 1 + i % 40, 'GLY', 'CanariValeur' || i FROM n;
";

/// A trial whose order is sealed to a recipient, signed; everything lies in one folder.
pub(crate) struct Sealed {
    pub(crate) here: tempfile::TempDir,
}

impl Sealed {
    pub(crate) fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    pub(crate) fn within(place: &Path) -> Self {
        let this = Self { here: tempfile::tempdir_in(place).unwrap() };
        let here = this.here.path();
        Connection::open(here.join("old.db")).unwrap().execute_batch(OLD).unwrap();
        cited(here, "sqlite:old.db", "sqlite:new.db", &["patient", "examen"]);
        this
    }

    pub(crate) fn lab(&self) -> PathBuf {
        self.here.path().join("lab")
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.here.path().join("archive")
    }

    fn identity(&self) -> Identity {
        Identity::parse(&std::fs::read_to_string(self.lab().join("keys/recipient.age")).unwrap()).unwrap()
    }

    pub(crate) fn extract(&self, more: &[(&str, &str)]) -> Output {
        let mut command = Command::new(crate::program());
        command.current_dir(self.lab()).args(["extract", "-o", "../archive"]).env(CHUNK_ROWS, "16");
        command.env("TMPDIR", self.here.path().join("tmp"));
        std::fs::create_dir_all(self.here.path().join("tmp")).unwrap();
        command.envs(more.iter().copied()).output().unwrap()
    }

    /// The archive, opened as its recipient opens it: the index, and every part's rows.
    fn opened(&self) -> (Index, u64) {
        let identity = self.identity();
        let opener = Opener::new(label(&self.archive()), &identity);
        let part = |number: usize| std::fs::read(self.archive().join(manifest::part_name(number))).unwrap();
        let index = opener.index(&part(0)).unwrap();
        let mut rows = 0;
        for (number, note) in (1..).zip(&index.chunks) {
            let batches = opener.chunk(&part(number), note, &index.tables[note.table]).unwrap();
            rows += batches.iter().map(|batch| batch.rows() as u64).sum::<u64>();
        }
        (index, rows)
    }

    /// Whether a patient's name or value stands anywhere but in the laboratory's own database.
    fn leaks(&self, search: &Search) -> Vec<String> {
        let places = ["lab", "archive", "archive.part", "tmp"];
        let found = places.iter().flat_map(|place| search.folder(&self.here.path().join(place)));
        found.map(|found| format!("{} as {}", found.place, found.form)).collect()
    }
}

/// To what the parts of an archive belong, as its manifest says.
pub(crate) fn label(archive: &Path) -> Label {
    let text = std::fs::read_to_string(archive.join(manifest::FILE)).unwrap();
    let head: toml::Table = text.parse().unwrap();
    let word = |table: &str, key: &str| head[table][key].as_str().unwrap().to_owned();
    Label {
        archive: word("document", "id"),
        instruction: word("archive", "instruction"),
        sender: word("archive", "sender"),
        recipient: word("archive", "recipient"),
    }
}

/// A trial in `lab` whose signed order of these tables is to a recipient.
pub(crate) fn cited(here: &Path, from: &str, to: &str, tables: &[&str]) -> PathBuf {
    let lab = addressed(here, from, to, tables);
    succeed(&lab, &["instruction", "sign"]);
    lab
}

/// The same before anybody signed the order.
pub(crate) fn addressed(here: &Path, from: &str, to: &str, tables: &[&str]) -> PathBuf {
    succeed(here, &["new", "lab", "--trial", "--from", from, "--to", to]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    let tables = tables.iter().flat_map(|table| ["--table", table]);
    let order: Vec<&str> =
        ["instruction", "new"].into_iter().chain(tables).chain(["--grant-proposed"]).collect();
    succeed(&lab, &order);
    succeed(&lab, &["recipient", "new", "--days", "366"]);
    succeed(&lab, &["recipient", "sign"]);
    let shown: serde_json::Value =
        serde_json::from_str(&succeed(&lab, &["recipient", "show", "--json"])).unwrap();
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let (before, rest) = order.split_once("[destination]").unwrap();
    let (_, after) = rest.split_once("\n[").unwrap();
    let cited = format!("[[recipient]]\nage = {}\nstatement = {}\n", shown["age"], shown["digest"]);
    std::fs::write(lab.join("instruction.toml"), format!("{before}{cited}\n[{after}")).unwrap();
    lab
}

/// A Python that has DuckDB and pandas where they could be had.
#[expect(clippy::disallowed_methods, reason = "the tests' own tools are named by the environment")]
fn python() -> String {
    std::env::var("ECLUSE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn canaries() -> Search {
    Search::new(&["CanariPatient", "CanariValeur"])
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], code: &str) {
    let output = ecluse(folder, arguments);
    assert!(!output.status.success() && said(&output).contains(code), "{arguments:?}: {}", said(&output));
}

// proves: SEA-01, SEA-06
#[test]
fn what_was_ordered_is_sealed_to_its_recipient_and_nothing_else_says_anything() {
    let sealed = Sealed::new();
    let lab = sealed.lab();
    let next = succeed(&lab, &["next"]);
    assert!(next.contains("ecluse extract -o ARCHIVE"), "{next}");
    assert!(succeed(&lab, &["plan"]).contains("ecluse extract -o ARCHIVE"));
    for command in [&["migrate", "--ddl"][..], &["plan", "--ddl"], &["reference", "print"]] {
        refused(&lab, command, "ECL-INS-026");
    }
    let extracted = sealed.extract(&[]);
    assert!(extracted.status.success(), "{}", said(&extracted));
    assert!(said(&extracted).contains("130 rows sealed"), "{}", said(&extracted));
    let (index, rows) = sealed.opened();
    assert_eq!((rows, index.tables.len()), (130, 2));
    assert_eq!(index.tables.iter().map(|t| t.rows).sum::<u64>(), 130);
    assert!(index.chunks.len() > 8 && index.papers.contains_key("instruction.toml"), "{:?}", index.chunks);
    assert!(
        index.papers.keys().any(|name| name.starts_with("instruction.toml.sigs/")),
        "{:?}",
        index.papers.keys()
    );

    assert_eq!(sealed.leaks(&canaries()), Vec::<String>::new());
    // nor which laboratory, tables or order: the database's own file is where the search finds them
    let words = Search::new(&["naissance", "patient_id", "[[table]]", "Laboratoire"]);
    assert!(!words.folder(&lab).is_empty());
    assert_eq!(words.folder(&sealed.archive()), Vec::new());
    assert!(!canaries().folder(sealed.here.path()).is_empty(), "the search sees what is there");
    let mode = std::fs::metadata(sealed.archive()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    let kept: serde_json::Value =
        serde_json::from_slice(&std::fs::read(lab.join("run/sealed.json")).unwrap()).unwrap();
    assert_eq!(kept["archives"][0]["tables"][0]["commitment"], index.tables[0].commitment);
    let events = std::fs::read_to_string(lab.join("run/events.jsonl")).unwrap();
    assert!(events.contains(&format!("\"paper\":{}", kept["archives"][0]["manifest"])), "{events}");
    refused(&lab, &["extract", "-o", "../archive"], "ECL-ARC-001");
    std::fs::create_dir_all(sealed.here.path().join("other.part/mine")).unwrap();
    refused(&lab, &["extract", "-o", "../other"], "ECL-ARC-002");
    assert!(sealed.here.path().join("other.part/mine").exists());
}

/// What a recipient has: the papers that travel, and the own keys.
pub(crate) fn recipients(lab: &Path, to: &Path) {
    for name in ["keys", "contract.toml.sigs", "status.toml.sigs", "recipient.toml.sigs"] {
        std::fs::create_dir_all(to.join(name)).unwrap();
        for file in std::fs::read_dir(lab.join(name)).unwrap().flatten() {
            std::fs::copy(file.path(), to.join(name).join(file.file_name())).unwrap();
        }
    }
    for name in ["contract.toml", "fingerprints.txt", "status.toml", "recipient.toml"] {
        std::fs::copy(lab.join(name), to.join(name)).unwrap();
    }
}

impl Sealed {
    /// The recipient's own folder, with the archive loaded, and the receipt beside the sender's papers.
    pub(crate) fn received(&self) -> PathBuf {
        let (lab, theirs) = (self.lab(), self.here.path().join("theirs"));
        recipients(&lab, &theirs);
        succeed(&theirs, &["load", "../archive", "--to", "sqlite:loaded.db", "--ddl"]);
        assert!(!theirs.join("keys/recipient.age").exists(), "the identity is destroyed");
        self.carried_back();
        theirs
    }

    /// The receipt and its signatures, laid beside the sender's papers.
    pub(crate) fn carried_back(&self) {
        let (lab, theirs) = (self.lab(), self.here.path().join("theirs"));
        std::fs::copy(theirs.join("receipt.toml"), lab.join("receipt.toml")).unwrap();
        std::fs::create_dir(lab.join("receipt.toml.sigs")).unwrap();
        for file in std::fs::read_dir(theirs.join("receipt.toml.sigs")).unwrap().flatten() {
            std::fs::copy(file.path(), lab.join("receipt.toml.sigs").join(file.file_name())).unwrap();
        }
    }

    /// Another receipt, validly signed by the recipient.
    fn receives(&self, text: &str) {
        let path = self.lab().join("receipt.toml");
        std::fs::write(&path, text).unwrap();
        let sign = ["-Y", "sign", "-q", "-n", "ecluse-receipt-v1", "-f", "keys/recipient", "receipt.toml"];
        let signed = Command::new("ssh-keygen").current_dir(self.lab()).args(sign).output().unwrap();
        assert!(signed.status.success(), "{}", said(&signed));
        let sigs = self.lab().join("receipt.toml.sigs");
        let theirs = std::fs::read_dir(&sigs).unwrap().flatten().next().unwrap().path();
        std::fs::rename(self.lab().join("receipt.toml.sig"), theirs).unwrap();
    }
}

/// A sealed migration whose receipt lies at the sender's: everything, and the sender's folder.
pub(crate) fn received_at_the_sender() -> (impl Sized, PathBuf) {
    let sealed = Sealed::new();
    let extracted = sealed.extract(&[]);
    assert!(extracted.status.success(), "{}", said(&extracted));
    sealed.received();
    let lab = sealed.lab();
    (sealed, lab)
}

/// Every age identity that stands in a file below, whatever its name.
fn identities(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            identities(&path, found);
        } else {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            let secrets = text.lines().filter(|line| line.starts_with("AGE-SECRET-KEY-"));
            found.extend(secrets.map(|line| line.trim().to_owned()));
        }
    }
}

/// The archive of one migration and a copy that somebody kept of it, beside the archive of another one: the key that
/// is destroyed when the first is loaded was that one's alone, and nothing else opened it.
// proves: SEA-05
#[test]
fn once_its_key_is_destroyed_no_part_of_an_archive_or_of_a_copy_of_it_opens_and_another_archive_does() {
    let (one, other) = (Sealed::new(), Sealed::new());
    for sealed in [&one, &other] {
        let extracted = sealed.extract(&[]);
        assert!(extracted.status.success(), "{}", said(&extracted));
    }
    let backup = one.here.path().join("backup");
    assert!(Command::new("cp").arg("-a").arg(one.archive()).arg(&backup).status().unwrap().success());
    // the recipient of both has both keys in one folder
    let theirs = one.here.path().join("theirs");
    recipients(&one.lab(), &theirs);
    std::fs::copy(other.lab().join("keys/recipient.age"), theirs.join("keys/of-another.age")).unwrap();
    let secret = |path: PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap().to_owned()
    };
    let (first, second) =
        (secret(one.lab().join("keys/recipient.age")), secret(theirs.join("keys/of-another.age")));
    assert_ne!(first, second, "each migration has a key of its own");
    let parts = |archive: &Path| -> Vec<PathBuf> {
        let all = std::fs::read_dir(archive).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|end| end == "age")).collect()
    };
    let opens = |archive: &Path, keys: &[String]| {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let search = Search::new(&["CanariPatient", "CanariValeur", "patient_id"]).opening(&keys);
        parts(archive).iter().filter(|part| !search.folder(part).is_empty()).count()
    };
    let all = |keys: &[String]| {
        [one.archive(), backup.clone(), other.archive()]
            .map(|archive| (opens(&archive, keys), parts(&archive).len()))
    };
    // before: every part of the first opens with its key, in the copy too, and none of the second
    let before = all(std::slice::from_ref(&first));
    assert!(before[0].0 == before[0].1 && before[1].0 == before[1].1 && before[0].1 > 8, "{before:?}");
    assert_eq!(before[2].0, 0, "{before:?}");
    succeed(&theirs, &["load", "../archive", "--to", "sqlite:loaded.db", "--ddl"]);
    let mut left = Vec::new();
    identities(&theirs, &mut left);
    assert!(left.contains(&second) && left.len() >= 2, "{}", left.len());
    assert!(!left.contains(&first), "the key stands nowhere");
    let after = all(&left);
    assert_eq!((after[0].0, after[1].0), (0, 0), "neither the archive nor the copy opens: {after:?}");
    // and by the program of the format itself
    for part in parts(&backup).iter().take(2) {
        let mut age = Command::new("age");
        for (number, key) in left.iter().enumerate() {
            let path = one.here.path().join(format!("key-{number}"));
            std::fs::write(&path, format!("{key}\n")).unwrap();
            age.arg("-i").arg(path);
        }
        let opened = age.arg("-d").arg(part).output().unwrap();
        assert!(!opened.status.success() && opened.stdout.is_empty(), "{}", part.display());
    }
    // the other archive is as it was, for its own key
    assert!(after[2].0 == after[2].1 && after[2].1 > 8, "{after:?}");
    assert_eq!(other.opened().1, 130);
    assert_eq!(all(&[first])[1].0, before[1].0, "the copy is whole: what opens it is gone");
}

// From a laboratory's database to a receipt that the sender checks, and an acceptance: by these commands and no other.
#[test]
fn what_was_extracted_is_loaded_received_and_the_receipt_opens_what_was_committed_to() {
    let sealed = Sealed::new();
    let extracted = sealed.extract(&[]);
    assert!(extracted.status.success(), "{}", said(&extracted));
    // nothing came back yet, and both say so; neither asks for what such an order cannot have
    let before = succeed(&sealed.lab(), &["status"]);
    assert!(before.contains("no receipt of the archive has come back yet"), "{before}");
    assert!(!before.contains("reconcile") && !before.contains("read back"), "{before}");
    let page = |wanted: &str| {
        succeed(&sealed.lab(), &["report", "--lang", "en"]);
        let page = std::fs::read_to_string(sealed.lab().join("run/report.html")).unwrap();
        assert!(page.contains(wanted), "{wanted} is not in {page}");
        assert!(!page.contains("reconcil") && !page.contains("read back yet"), "{page}");
    };
    page("no receipt has come back yet");
    let loaded = Connection::open(sealed.received().join("loaded.db")).unwrap();
    let value: String =
        loaded.query_row("SELECT valeur FROM examen WHERE id = 7", [], |row| row.get(0)).unwrap();
    assert_eq!(value, "CanariValeur7");
    let lab = sealed.lab();
    let verified = succeed(&lab, &["receipt", "verify", "--archive", "../archive"]);
    assert!(verified.contains("40 rows") && verified.contains("90 rows"), "{verified}");
    // a receipt of as many rows in all, and one of other rows: the recipient's own word, and none that counts
    let whole = std::fs::read_to_string(lab.join("receipt.toml")).unwrap();
    let other = whole.replace("rows    = 40", "rows    = 39").replace("rows    = 90", "rows    = 91");
    let (head, tail) = whole.rsplit_once("out     = \"").unwrap();
    let flipped = if tail.starts_with('0') { "1" } else { "0" };
    let forged = format!("{head}out     = \"{flipped}{}", tail.get(1..).unwrap());
    let ledger: serde_json::Value = serde_json::from_str(&succeed(&lab, &["copies", "--json"])).unwrap();
    let copies = ledger["copies"].as_array().unwrap();
    let id = copies.iter().find(|copy| copy["store"] == "archive").unwrap()["id"].as_str().unwrap();
    for text in [other, forged] {
        sealed.receives(&text);
        refused(&lab, &["receipt", "verify"], "ECL-RCT-011");
        refused(&lab, &["accept", "propose"], "ECL-RCT-011");
        page("the receipt that came back does not hold");
        let status = succeed(&lab, &["status"]);
        assert!(status.contains("the receipt does not count"), "{status}");
        // what has not arrived is not erased ahead of its day
        refused(&lab, &["erase", "--copy", id], "ECL-ERA-008");
    }
    sealed.receives(&whole);
    page("has signed that every row was received");
    let status = succeed(&lab, &["status"]);
    assert!(status.contains("130 rows received, as "), "{status}");
    succeed(&lab, &["erase", "--copy", id]);
    assert!(!sealed.archive().exists());
    // nobody is told to hand over what is gone
    let aside = lab.join("receipt.aside");
    std::fs::rename(lab.join("receipt.toml"), &aside).unwrap();
    let next = succeed(&lab, &["next"]);
    assert!(next.contains("the archive was erased before it was received"), "{next}");
    std::fs::rename(&aside, lab.join("receipt.toml")).unwrap();
    succeed(&lab, &["accept", "propose"]);
    succeed(&lab, &["accept", "sign"]);
    succeed(&lab, &["accept", "verify"]);
    // what was kept of it was changed: the journal attests another
    let kept = std::fs::read_to_string(lab.join("run/sealed.json")).unwrap();
    std::fs::write(lab.join("run/sealed.json"), kept.replace("\"rows\": 40", "\"rows\": 39")).unwrap();
    refused(&lab, &["receipt", "verify"], "ECL-RCT-013");
    refused(&lab, &["accept", "verify"], "ECL-RCT-013");
}

// A receipt is of one archive: the next one takes its place not half.
#[test]
fn a_second_extraction_leaves_the_received_one_as_it_is_until_it_has_its_name() {
    let sealed = Sealed::new();
    let lab = sealed.lab();
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    let twice = order.replace("max_runs       = 1\n", "max_runs       = 2\n");
    assert!(twice != order, "{order}");
    std::fs::write(lab.join("instruction.toml"), twice).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    assert!(sealed.extract(&[]).status.success());
    sealed.received();
    let kept = || std::fs::read(lab.join(manifest::FILE)).unwrap();
    let first = kept();
    let verify = ["receipt", "verify"];
    succeed(&lab, &verify);
    let again = |at: Option<&str>| {
        let mut command = Command::new(crate::program());
        command.current_dir(&lab).args(["extract", "-o", "../second", "--run", "second"]);
        command.envs(at.map(|at| (VARIABLE, at)));
        command.output().unwrap()
    };
    // killed before it has its name, and as it takes it: the receipt is of what it was of
    for at in ["papers.sealed.fsync.after", "archive.rename.before", "archive.rename.after"] {
        let died = again(Some(at));
        assert!(said(&died).contains("nobody may be able to open the new archive"), "{}", said(&died));
        assert!(died.status.code().is_none(), "{at}: {}", said(&died));
        assert!(kept() == first, "{at}");
        succeed(&lab, &verify);
    }
    let second = std::fs::read(sealed.here.path().join("second").join(manifest::FILE)).unwrap();
    // the same command ends it, and now its manifest lies there
    let ended = again(None);
    refused(&lab, &["extract", "-o", "../third"], "ECL-ARC-012");
    assert!(
        ended.status.success() && said(&ended).contains("nothing was extracted anew"),
        "{}",
        said(&ended)
    );
    assert!(kept() == second && second != first);
}

// The recipient's identity goes with the receipt: a later archive of the run could be received by nobody, and the
// migration never be accepted.
#[test]
fn what_was_received_is_the_last_that_its_run_seals() {
    let sealed = Sealed::new();
    let lab = sealed.lab();
    assert!(sealed.extract(&[]).status.success());
    sealed.received();
    let before = || {
        let read = |name: &str| std::fs::read(lab.join(name)).unwrap();
        [read("copies.json"), read("manifest.toml"), read("run/events.jsonl"), read("run/figures.json")]
    };
    let (kept, again) = (before(), ["extract", "-o", "../zz"]);
    let none = || !["zz", "zz.part"].iter().any(|name| sealed.here.path().join(name).exists());
    refused(&lab, &again, "ECL-ARC-012");
    // a receipt that nobody can read is not none
    let receipt = lab.join("receipt.toml");
    let text = std::fs::read_to_string(&receipt).unwrap();
    std::fs::write(&receipt, "half a rec").unwrap();
    refused(&lab, &again, "ECL-RCT-");
    std::fs::write(&receipt, &text).unwrap();
    assert!(none() && before() == kept);
    succeed(&lab, &["accept", "propose"]);
    succeed(&lab, &["accept", "sign"]);
    refused(&lab, &again, "ECL-ARC-012");
    // the acceptance alone says it too
    let aside = lab.join("aside.toml");
    std::fs::rename(&receipt, &aside).unwrap();
    refused(&lab, &again, "ECL-ARC-012");
    std::fs::rename(&aside, &receipt).unwrap();
    assert!(none() && before() == kept);
    succeed(&lab, &["accept", "verify"]);
}

// An archive that has its name is one whose receipt can be verified, wherever the sender's process died.
#[test]
fn killed_as_the_archive_takes_its_name_its_receipt_can_be_verified() {
    let sealed = Sealed::new();
    let lab = sealed.lab();
    let died = sealed.extract(&[(VARIABLE, "archive.rename.before:1")]);
    assert!(died.status.code().is_none() && !sealed.archive().exists(), "{}", said(&died));
    let died = sealed.extract(&[(VARIABLE, "archive.rename.after:1")]);
    assert!(died.status.code().is_none() && sealed.archive().exists(), "{}", said(&died));
    sealed.received();
    let verified = succeed(&lab, &["receipt", "verify", "--archive", "../archive"]);
    assert!(verified.contains("it opens what the extraction committed itself to"), "{verified}");
    // the run itself is not through, and nobody accepts over it, before it is ended: by the same command
    refused(&lab, &["accept", "propose"], "the run is not through");
    let again = sealed.extract(&[]);
    assert!(again.status.success() && said(&again).contains("130 rows sealed"), "{}", said(&again));
    succeed(&lab, &["accept", "propose"]);
    refused(&lab, &["extract", "-o", "../archive"], "ECL-ARC-012");
    assert_eq!(sealed.leaks(&canaries()), Vec::<String>::new());
}

// proves: SEA-02
// Another implementation of age, in another language, opens every part as it was sealed.
#[test]
fn npms_age_opens_what_was_sealed() {
    const OPEN: &str = "import { Decrypter } from 'age-encryption'; import { readFileSync } from 'node:fs'; \
        import { createHash } from 'node:crypto'; const [identity, ...parts] = process.argv.slice(1); \
        const age = new Decrypter(); \
        age.addIdentity(readFileSync(identity, 'utf8').split('\\n').find(l => l.startsWith('AGE-SECRET-KEY-'))); \
        for (const part of parts) { const plain = await age.decrypt(readFileSync(part)); \
        console.log('sha256:' + createHash('sha256').update(plain).digest('hex')); }";
    let Some(tool) = outside_tool("ECLUSE_TEST_NPM_AGE") else { return };
    let sealed = Sealed::new();
    let extracted = sealed.extract(&[]);
    assert!(extracted.status.success(), "{}", said(&extracted));
    let (index, _) = sealed.opened();
    let mut node = Command::new("node");
    node.current_dir(tool).args(["--input-type=module", "-e", OPEN]);
    node.arg(sealed.lab().join("keys/recipient.age"));
    node.args((1..=index.chunks.len()).map(|part| sealed.archive().join(manifest::part_name(part))));
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let opened: Vec<String> = said(&output).lines().map(str::to_owned).collect();
    let told: Vec<String> = index.chunks.iter().map(|note| note.sha256.clone()).collect();
    assert_eq!(opened, told);
}

// proves: SEA-02
// The archive's own page, line by line as it stands there.
#[test]
fn a_stranger_opens_it_by_the_lines_of_its_own_page() {
    let sealed = Sealed::new();
    let extracted = sealed.extract(&[]);
    assert!(extracted.status.success(), "{}", said(&extracted));
    let keys = sealed.lab().join("keys");
    let page = followed(
        &sealed.archive(),
        (&keys.join("recipient.age"), &keys.join("operator.pub")),
        "CanariPatient1",
    );
    assert!(page.contains("erase it when it is loaded"), "{page}");
}

/// Types the lines of an archive's page as a stranger would, who has the identity and, from elsewhere, the sender's
/// public key; a row has to show this. Gives the page.
pub(crate) fn followed(archive: &Path, (identity, sender): (&Path, &Path), shows: &str) -> String {
    let python = python();
    let page = std::fs::read_to_string(archive.join("README.txt")).unwrap();
    let lines: Vec<&str> = page.lines().filter_map(|line| line.trim_start().strip_prefix("$ ")).collect();
    assert_eq!(lines.len(), 8, "{page}");
    let typed = |line: &str| {
        let line = line.replace("IDENTITY", &identity.display().to_string());
        let line = line.replace("python3", &python);
        Command::new("bash").args(["-euo", "pipefail", "-c", &line]).current_dir(archive).output().unwrap()
    };
    // what the key of the contract is compared with
    let fingerprint = page.contains("ssh-keygen -lf FILE says the same SHA256: word");
    assert!(fingerprint, "{page}");
    let of_the_contract = said(&typed(&format!("ssh-keygen -lf {}", sender.display())));
    let word = of_the_contract.split_whitespace().find(|word| word.starts_with("SHA256:")).unwrap();
    assert!(said(&typed(lines[0])).contains(word) && said(&typed(lines[1])).contains(word), "{word}");
    for line in lines {
        let module = line.strip_prefix("python3 -c 'import ").and_then(|rest| rest.split(';').next());
        if let Some(module) = module
            && !typed(&format!("python3 -c 'import {module}'")).status.success()
        {
            not_checked(&format!(
                "{module} is not installed (ECLUSE_TEST_PYTHON), and no row was read with it"
            ));
            continue;
        }
        let output = typed(line);
        assert!(output.status.success(), "{line}: {}", said(&output));
        if module.is_some() {
            assert!(said(&output).contains(shows), "{line}: {}", said(&output));
        }
    }
    // and its second line finds a change
    let part = archive.join(manifest::part_name(1));
    let mut bytes = std::fs::read(&part).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&part, bytes).unwrap();
    let check = page.lines().find(|line| line.contains("sha256sum -c")).unwrap().trim_start();
    assert!(!typed(check.strip_prefix("$ ").unwrap()).status.success());
    page
}

// proves: SEA-01
// A death anywhere leaves nothing in clear and no archive that is not whole; the same command makes one.
#[test]
fn killed_at_any_step_nothing_is_in_clear_and_the_next_start_begins_anew() {
    let sealed = Sealed::new();
    let search = canaries();
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
        let died = sealed.extract(&[(VARIABLE, &death)]);
        assert!(died.status.code().is_none(), "{death}: {}", said(&died));
        assert_eq!(sealed.leaks(&search), Vec::<String>::new(), "{death}");
        // one that died as its archive took its name is ended, not made anew
        let first =
            sealed.archive().exists().then(|| std::fs::read(sealed.archive().join(manifest::FILE)).unwrap());
        let again = sealed.extract(&[]);
        assert!(again.status.success(), "{death}: {}", said(&again));
        let manifest = std::fs::read(sealed.archive().join(manifest::FILE)).unwrap();
        assert!(first.is_none_or(|first| first == manifest), "{death}");
        assert!(!sealed.archive().join(".ecluse-part").exists(), "{death}");
        refused(&sealed.lab(), &["accept", "propose"], "there is no receipt of the archive");
        assert_eq!(sealed.opened().1, 130, "{death}");
        assert_eq!(sealed.leaks(&search), Vec::<String>::new(), "{death}");
        assert!(!sealed.here.path().join("archive.part").exists(), "{death}");
        std::fs::remove_dir_all(sealed.archive()).unwrap();
    }
}

// The laboratory's word travels with the archive, and was signed over the sender's journal: the recipient begins its own.
// fails with the guard off: every row is loaded, and the load ends as if a journal had been taken away here
#[test]
fn the_recipients_journal_is_its_own_whatever_the_laboratory_signed_over_at_the_sender() {
    let sealed = Sealed::new();
    let lab = sealed.lab();
    succeed(&lab, &["plan"]);
    succeed(&lab, &["instruction", "status"]);
    let status = std::fs::read_to_string(lab.join("status.toml")).unwrap();
    assert!(status.contains("seen       = { origin = "), "{status}");
    let extracted = sealed.extract(&[]);
    assert!(extracted.status.success(), "{}", said(&extracted));
    let theirs = sealed.received();
    for command in [&["journal", "verify"][..], &["status", "load"], &["next"]] {
        succeed(&theirs, command);
    }
    // one that was begun there and taken away is missed there
    std::fs::rename(theirs.join("journal"), sealed.here.path().join("journal")).unwrap();
    refused(&theirs, &["next"], "ECL-LOG-046");
}
