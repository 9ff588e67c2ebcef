//! The journal's writer as a process of another Unix account: the application appends, and nothing else.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ecluse_flow::event::{Act, Leaf};
use ecluse_journal::{FULL, bundle};
use ecluse_testkit::account::Stranger;
use ecluse_testkit::kill::CHUNK_ROWS;

use crate::evidence::fingerprint_of;
use crate::{ecluse, journal, sealed, succeed};

/// A writer's process and its folder.
pub(crate) struct Writer {
    pub(crate) here: tempfile::TempDir,
    pub(crate) account: Stranger,
    process: Child,
}

impl Writer {
    /// Starts one that takes from the account of this test; `None`, and said, where this is not root's.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(more: &'static [&'static str]) -> Option<Self> {
        let account = Stranger::new()?;
        let here =
            tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o755)).tempdir().unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_ecluse"), here.path().join("ecluse")).unwrap();
        std::fs::create_dir(here.path().join("of-the-writer")).unwrap();
        let folder = here.path().join("of-the-writer");
        std::os::unix::fs::chown(&folder, Some(account.uid()), Some(account.uid())).unwrap();
        let process = Self::process(here.path(), account, more);
        let writer = Self { here, account, process };
        writer.waited();
        Some(writer)
    }

    fn process(here: &Path, account: Stranger, more: &[&str]) -> Child {
        account
            .command("./ecluse")
            .current_dir(here)
            .args([
                "journal",
                "serve",
                "of-the-writer/store",
                "--socket",
                "of-the-writer/socket",
                "--from",
                "0",
            ])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn waited(&self) {
        let end = Instant::now() + Duration::from_secs(20);
        while !self.socket().exists() {
            assert!(Instant::now() < end, "the writer does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.here.path().join("of-the-writer/socket")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.here.path().join("of-the-writer/store/journal")
    }

    /// Kills it as a power cut would.
    pub(crate) fn killed(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn again(&mut self) {
        self.again_with(&[]);
    }

    pub(crate) fn again_with(&mut self, more: &[&str]) {
        self.process = Self::process(self.here.path(), self.account, more);
        let end = Instant::now() + Duration::from_secs(20);
        while std::os::unix::net::UnixStream::connect(self.socket()).is_err() {
            assert!(Instant::now() < end, "the writer does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Every entry that the writer holds from this bundle on, as its bundles say.
    pub(crate) fn entries_from(&self, first: u64) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for n in first.. {
            let width = self.size().saturating_sub(n * FULL).min(FULL);
            let name = if width == FULL { format!("{n:03}") } else { format!("{n:03}.p/{width}") };
            if width == 0 {
                break;
            }
            let bytes = std::fs::read(self.store().join("tile/entries").join(name)).unwrap();
            all.extend(bundle::entries(&bytes, width).unwrap().into_iter().map(<[u8]>::to_vec));
        }
        all
    }

    pub(crate) fn entries(&self) -> Vec<Vec<u8>> {
        self.entries_from(0)
    }

    /// What the writer noted by itself.
    pub(crate) fn own(&self) -> Vec<Leaf> {
        let leaves = self.entries().into_iter().map(|entry| Leaf::parse(&entry).unwrap());
        leaves.filter(|leaf| leaf.session == "writer").collect()
    }

    pub(crate) fn size(&self) -> u64 {
        let checkpoint = std::fs::read_to_string(self.store().join("checkpoint")).unwrap();
        checkpoint.lines().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _it_is_gone_already = self.process.kill();
        let _it_is_gone_already = self.process.wait();
    }
}

/// A trial whose journal the writer keeps, before anything is noted.
pub(crate) fn joined(here: &Path, writer: &Writer) -> PathBuf {
    let lab = journal::ordered(here);
    succeed(&lab, &["journal", "join", writer.socket().to_str().unwrap()]);
    lab
}

/// Lines of every folder that notes: the run's, and those of acts that belong to none.
pub(crate) fn noted(lab: &Path) -> u64 {
    let folders = std::fs::read_dir(lab).unwrap().map(|entry| entry.unwrap().path());
    folders
        .filter(|path| path.join("events.jsonl").exists())
        .map(|path| journal::lines(&path).len() as u64)
        .sum()
}

#[track_caller]
pub(crate) fn refused(output: &Output, code: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(code), "{code}: {said}");
}

// proves: AUD-02
#[test]
fn what_the_application_notes_is_another_accounts_and_it_can_append_and_nothing_else() {
    let Some(writer) = Writer::start() else { return };
    let here = tempfile::tempdir().unwrap();
    let lab = joined(here.path(), &writer);
    succeed(&lab, &["plan", "--ddl"]);
    succeed(&lab, &["migrate", "--ddl"]);
    assert_eq!(writer.size(), noted(&lab));
    let said = succeed(&lab, &["journal", "verify"]);
    assert!(said.contains("No other party holds a checkpoint of it"), "{said}");
    succeed(&lab, &["journal", "tail"]);
    // readings are noted too, there
    assert_eq!(writer.size(), noted(&lab));
    assert!(
        journal::lines(&lab.join("acts")).iter().filter(|leaf| leaf.act == Act::JournalRead).count() == 2
    );
    for name in ["", "checkpoint", "taken.json", "tile/entries/000.p"] {
        let about = std::fs::metadata(writer.store().join(name)).unwrap();
        assert_eq!((about.uid(), about.mode() & 0o027), (writer.account.uid(), 0), "{name}");
    }
    // there is no key on the application's side; the writer's is its own alone
    assert!(!lab.join("journal.key").exists());
    let key = std::fs::metadata(writer.store().with_file_name("journal.key")).unwrap();
    assert_eq!((key.uid(), key.mode() & 0o777), (writer.account.uid(), 0o600));
    // what an account of the writer's group may do with its folder: read
    let stranger = writer.account.neighbour();
    let by = |script: &str| {
        let mut shell = stranger.command_beside(writer.account, "sh");
        shell.args(["-c", script]).current_dir(writer.store()).status().unwrap().success()
    };
    assert!(by("cat checkpoint tile/entries/000.p/* > /dev/null"));
    for script in
        ["echo x >> checkpoint", "rm checkpoint", "mv tile tile.old", "cat ../journal.key", "touch ../x"]
    {
        assert!(!by(script), "{script}");
    }
    // and on the socket nothing, where it is not among those that may append
    let mut asking = stranger.command_beside(writer.account, "./ecluse");
    let asked = asking
        .current_dir(writer.here.path())
        .args(["journal", "join", "of-the-writer/socket"])
        .output()
        .unwrap();
    refused(&asked, "ECL-LOG-060");
    refused(&ecluse(&lab, &["journal", "prune"]), "ECL-LOG-052");
    refused(&ecluse(&lab, &["journal", "join", writer.socket().to_str().unwrap()]), "ECL-LOG-053");
}

// proves: AUD-02
#[test]
fn a_line_is_the_writers_before_its_act_and_a_killed_application_takes_none_back() {
    let Some(mut writer) = Writer::start() else { return };
    let here = tempfile::tempdir().unwrap();
    let lab = joined(here.path(), &writer);
    succeed(&lab, &["plan", "--ddl"]);
    // killed right after a line was passed on: no command has taken anything in since
    let died = ecluse_command(&lab, &["migrate", "--ddl"], "folder.event.after:5");
    assert_eq!(died.status.code(), None);
    let run = journal::lines(&lab.join("run"));
    let kept = writer.entries();
    // the last line was durable here, and not passed on yet: its act had not begun
    let has = |leaf: &Leaf| kept.contains(&leaf.bytes().unwrap());
    let (last, before) = run.split_last().unwrap();
    assert!(before.iter().all(has) && !has(last));
    // the application writes its own lines anew: the writer has the first ones
    let bent: Vec<_> = run.iter().map(|leaf| Leaf { salt: "0".repeat(32), ..leaf.clone() }).collect();
    let events = std::fs::read(lab.join("run/events.jsonl")).unwrap();
    journal::write_lines(&lab.join("run"), [&run[..1], &bent[1..]].concat());
    refused(&ecluse(&lab, &["migrate", "--ddl"]), "ECL-LOG-025");
    std::fs::write(lab.join("run/events.jsonl"), events).unwrap();
    // without the writer nothing is done
    writer.killed();
    let rows = || {
        let new = rusqlite::Connection::open(here.path().join("new.db")).unwrap();
        new.query_row("SELECT count(*) FROM patient", [], |row| row.get::<_, i64>(0)).unwrap_or(0)
    };
    let before = rows();
    refused(&ecluse(&lab, &["migrate", "--ddl"]), "ECL-LOG-060");
    assert_eq!((before, rows()), (0, 0));
    // it died in the middle, its socket is still there: it goes on with its journal, and so does the run
    writer.again();
    succeed(&lab, &["migrate", "--ddl"]);
    assert_eq!(rows(), 1);
    succeed(&lab, &["journal", "verify"]);
    // and an entry of the writer's own, of the folder that was written anew
    assert_eq!(writer.size(), noted(&lab) + 1);
    assert!(matches!(writer.own().as_slice(), [one] if one.act == Act::Alert));
}

fn ecluse_command(lab: &Path, arguments: &[&str], failpoint: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecluse"))
        .args(arguments)
        .current_dir(lab)
        .env("ECLUSE_FAILPOINT", failpoint)
        .output()
        .unwrap()
}

/// Both kinds of folder: the run's inside the migration folder, and one that lies elsewhere.
#[test]
fn lines_of_a_run_folder_elsewhere_are_the_writers_before_their_acts_too() {
    let Some(writer) = Writer::start() else { return };
    let here = tempfile::tempdir().unwrap();
    let lab = joined(here.path(), &writer);
    succeed(&lab, &["plan", "--ddl"]);
    let died = ecluse_command(&lab, &["migrate", "--ddl", "--run", "../elsewhere"], "folder.event.after:9");
    assert_eq!(died.status.code(), None);
    let run = journal::lines(&here.path().join("elsewhere"));
    let kept = writer.entries();
    let (last, before) = run.split_last().unwrap();
    let has = |leaf: &Leaf| kept.contains(&leaf.bytes().unwrap());
    assert!(before.len() > 2 && before.iter().all(has) && !has(last));
    succeed(&lab, &["migrate", "--ddl", "--run", "../elsewhere"]);
    let lines = journal::lines(&here.path().join("elsewhere")).len() as u64;
    assert_eq!(writer.size(), noted(&lab) + lines);
    succeed(&lab, &["journal", "verify"]);
}

/// By the commands that a person types, from the order to the end.
#[test]
fn a_migration_whose_journal_another_account_keeps_is_certified_and_closed() {
    let Some(writer) = Writer::start() else { return };
    let here = tempfile::tempdir().unwrap();
    let lab = joined(here.path(), &writer);
    let steps: [&[&str]; 12] = [
        &["plan", "--ddl"],
        &["plan"],
        &["migrate", "--ddl"],
        &["reconcile"],
        &["report"],
        &["accept", "propose"],
        &["accept", "sign"],
        &["erase"],
        &["erase", "--look"],
        &["certify", "propose"],
        &["certify", "sign"],
        &["close"],
    ];
    for step in steps {
        let said = succeed(&lab, step);
        let tells = said.contains("NOT REACHED   the journal, another account's; its writer erases");
        assert_eq!(tells, step == ["erase"], "{said}");
    }
    assert_eq!(writer.size(), noted(&lab), "every line, the closing's too");
    succeed(&lab, &["journal", "verify"]);
    succeed(&lab, &["status"]);
    // a stranger has the file and a fingerprint; its tiles are the writer's
    let stranger = tempfile::tempdir().unwrap();
    std::fs::copy(lab.join("evidence.tar"), stranger.path().join("evidence.tar")).unwrap();
    let trust = fingerprint_of(&lab);
    let said = succeed(stranger.path(), &["verify", "evidence.tar", "--trust", &trust]);
    assert!(said.contains("The evidence holds.") && !said.contains('✗'), "{said}");
    assert!(said.contains("entries give the checkpoint’s root"), "{said}");
    let unpacked = Command::new("tar").args(["xf", "evidence.tar"]).current_dir(stranger.path()).status();
    assert!(unpacked.unwrap().success());
    let read = |path: PathBuf| std::fs::read(path).unwrap();
    assert_eq!(read(stranger.path().join("journal/log.pub")), read(writer.store().join("log.pub")));
    let tiles = std::fs::read_dir(stranger.path().join("journal/tile/entries/000.p")).unwrap();
    let bytes = read(tiles.last().unwrap().unwrap().path());
    let first = writer.entries().remove(0);
    assert!(memchr::memmem::find(&bytes, &first).is_some(), "the writer's own entries");
}

/// It dies while rows are written, and whoever watches it starts it anew: the load knows nothing of it.
#[test]
fn a_writer_that_is_started_anew_in_the_middle_of_a_load_has_every_line_once() {
    let Some(mut writer) = Writer::start() else { return };
    let here = tempfile::tempdir().unwrap();
    let old = "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60));
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
        INSERT INTO patient SELECT i, 'Nom' || i FROM n";
    rusqlite::Connection::open(here.path().join("old.db")).unwrap().execute_batch(old).unwrap();
    let lab = sealed::cited(here.path(), "sqlite:old.db", "sqlite:new.db", &["patient"]);
    let small = |folder: &Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecluse"));
        command.args(arguments).current_dir(folder).env(CHUNK_ROWS, "8");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let extracted = small(&lab, &["extract", "-o", "../archive"]).wait_with_output().unwrap();
    assert!(extracted.status.success(), "{}", String::from_utf8_lossy(&extracted.stderr));
    let theirs = here.path().join("theirs");
    sealed::recipients(&lab, &theirs);
    succeed(&theirs, &["journal", "join", writer.socket().to_str().unwrap()]);
    let mut load = small(&theirs, &["load", "../archive", "--to", "sqlite:loaded.db", "--ddl"]);
    let mut at = 0;
    for round in 1..=2 {
        let end = Instant::now() + Duration::from_secs(60);
        while writer.size() < 40 * round {
            assert!(Instant::now() < end, "the load does not go on: {}", writer.size());
            if load.try_wait().unwrap().is_some() {
                let loaded = load.wait_with_output().unwrap();
                panic!("it ended: {}", String::from_utf8_lossy(&loaded.stderr));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        writer.killed();
        at = writer.size();
        writer.again();
    }
    let loaded = load.wait_with_output().unwrap();
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    assert!(writer.size() > at + 5, "it died in the middle: {at} of {}", writer.size());
    assert_eq!(writer.size(), noted(&theirs));
    let entries = writer.entries();
    let once: std::collections::HashSet<_> = entries.iter().collect();
    assert_eq!(once.len(), entries.len());
    let folders = std::fs::read_dir(&theirs).unwrap().map(|entry| entry.unwrap().path());
    let noting = folders.filter(|path| path.join("events.jsonl").exists());
    let lines: Vec<Leaf> = noting.flat_map(|path| journal::lines(&path)).collect();
    assert!(lines.len() > 100 && lines.iter().all(|leaf| once.contains(&leaf.bytes().unwrap())));
    succeed(&theirs, &["journal", "verify"]);
    let rows = rusqlite::Connection::open(theirs.join("loaded.db")).unwrap();
    let rows: i64 = rows.query_row("SELECT count(*) FROM patient", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 600);
}
