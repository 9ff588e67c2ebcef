//! The journal's writer as a process of another Unix account: the application appends, and nothing else.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ecluse_flow::event::{Act, Leaf};
use ecluse_journal::bundle;
use ecluse_testkit::account::Stranger;

use crate::{ecluse, journal, succeed};

/// A writer's process and its folder.
struct Writer {
    here: tempfile::TempDir,
    account: Stranger,
    process: Child,
}

impl Writer {
    /// Starts one that takes from the account of this test; `None`, and said, where this is not root's.
    fn start() -> Option<Self> {
        let account = Stranger::new()?;
        let here =
            tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o755)).tempdir().unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_ecluse"), here.path().join("ecluse")).unwrap();
        std::fs::create_dir(here.path().join("of-the-writer")).unwrap();
        let folder = here.path().join("of-the-writer");
        std::os::unix::fs::chown(&folder, Some(account.uid()), Some(account.uid())).unwrap();
        let process = Self::process(here.path(), account);
        let writer = Self { here, account, process };
        writer.waited();
        Some(writer)
    }

    fn process(here: &Path, account: Stranger) -> Child {
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

    fn socket(&self) -> PathBuf {
        self.here.path().join("of-the-writer/socket")
    }

    fn store(&self) -> PathBuf {
        self.here.path().join("of-the-writer/store/journal")
    }

    /// Kills it as a power cut would.
    fn killed(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn again(&mut self) {
        self.process = Self::process(self.here.path(), self.account);
        let end = Instant::now() + Duration::from_secs(20);
        while std::os::unix::net::UnixStream::connect(self.socket()).is_err() {
            assert!(Instant::now() < end, "the writer does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Every entry that the writer holds, as its bundles say.
    fn entries(&self, size: u64) -> Vec<Vec<u8>> {
        assert!(size < 256, "one bundle");
        let path = self.store().join(format!("tile/entries/000.p/{size}"));
        let bytes = std::fs::read(path).unwrap();
        bundle::entries(&bytes, size).unwrap().into_iter().map(<[u8]>::to_vec).collect()
    }

    fn size(&self) -> u64 {
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
fn joined(here: &Path, writer: &Writer) -> PathBuf {
    let lab = journal::ordered(here);
    succeed(&lab, &["journal", "join", writer.socket().to_str().unwrap()]);
    lab
}

/// Lines of every folder that notes: the run's, and those of acts that belong to none.
fn noted(lab: &Path) -> u64 {
    let folders = std::fs::read_dir(lab).unwrap().map(|entry| entry.unwrap().path());
    folders
        .filter(|path| path.join("events.jsonl").exists())
        .map(|path| journal::lines(&path).len() as u64)
        .sum()
}

#[track_caller]
fn refused(output: &Output, code: &str) {
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
    let kept = writer.entries(writer.size());
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
    assert_eq!(writer.size(), noted(&lab));
}

fn ecluse_command(lab: &Path, arguments: &[&str], failpoint: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecluse"))
        .args(arguments)
        .current_dir(lab)
        .env("ECLUSE_FAILPOINT", failpoint)
        .output()
        .unwrap()
}
