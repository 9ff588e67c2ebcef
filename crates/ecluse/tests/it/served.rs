//! The journal's writer as a process of another Unix account: the application appends, and nothing else.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ecluse_journal::bundle;

use crate::{ecluse, journal, succeed};

/// Accounts that no machine has: the writer's, and somebody else's.
const WRITER: u32 = 61_001;
const STRANGER: u32 = 61_002;

/// A writer's process and its folder.
struct Writer {
    here: tempfile::TempDir,
    process: Child,
}

impl Writer {
    /// Starts one that takes from the account of this test; `None`, and said, where this is not root's.
    fn start() -> Option<Self> {
        if !rustix::process::getuid().is_root() {
            println!("SKIPPED: starting a process under another account takes root");
            return None;
        }
        let here =
            tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o755)).tempdir().unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_ecluse"), here.path().join("ecluse")).unwrap();
        std::fs::create_dir(here.path().join("of-the-writer")).unwrap();
        std::os::unix::fs::chown(here.path().join("of-the-writer"), Some(WRITER), Some(WRITER)).unwrap();
        let process = Self::process(here.path());
        let writer = Self { here, process };
        writer.waited();
        Some(writer)
    }

    fn process(here: &Path) -> Child {
        as_account(here, WRITER, &[])
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
        self.process = Self::process(self.here.path());
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

/// The program under this account, in these further groups.
fn as_account(here: &Path, account: u32, groups: &[u32]) -> Command {
    let mut command = setpriv(account, groups);
    command.arg(here.join("ecluse")).current_dir(here).env("HOME", here);
    command
}

fn setpriv(account: u32, groups: &[u32]) -> Command {
    let mut command = Command::new("setpriv");
    let (user, group) = (format!("--reuid={account}"), format!("--regid={account}"));
    let groups = match groups {
        [] => "--clear-groups".to_owned(),
        groups => format!("--groups={}", groups.iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
    };
    command.args([user, group, groups]);
    command
}

/// A trial whose journal the writer keeps, before anything is noted.
fn joined(here: &Path, writer: &Writer) -> PathBuf {
    let lab = journal::ordered(here);
    succeed(&lab, &["journal", "join", writer.socket().to_str().unwrap()]);
    lab
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
    let lines = |name: &str| journal::lines(&lab.join(name)).len();
    assert_eq!(writer.size(), lines("run") as u64);
    let said = succeed(&lab, &["journal", "verify"]);
    assert!(said.contains("No other party holds a checkpoint of it"), "{said}");
    succeed(&lab, &["journal", "tail"]);
    // readings are noted too, there
    assert_eq!(writer.size(), (lines("run") + lines("acts")) as u64);
    assert!(lines("acts") > 1);
    for name in ["", "checkpoint", "taken.json", "tile/entries/000.p"] {
        let about = std::fs::metadata(writer.store().join(name)).unwrap();
        assert_eq!((about.uid(), about.mode() & 0o027), (WRITER, 0), "{name}");
    }
    // there is no key on the application's side; the writer's is its own alone
    assert!(!lab.join("journal.key").exists());
    let key = std::fs::metadata(writer.store().with_file_name("journal.key")).unwrap();
    assert_eq!((key.uid(), key.mode() & 0o777), (WRITER, 0o600));
    // what an account of the writer's group may do with its folder: read
    let by = |script: &str| {
        setpriv(STRANGER, &[WRITER])
            .args(["sh", "-c", script])
            .current_dir(writer.store())
            .status()
            .unwrap()
            .success()
    };
    assert!(by("cat checkpoint tile/entries/000.p/* > /dev/null"));
    for script in
        ["echo x >> checkpoint", "rm checkpoint", "mv tile tile.old", "cat ../journal.key", "touch ../x"]
    {
        assert!(!by(script), "{script}");
    }
    // and on the socket nothing, where it is not among those that may append
    let stranger = here.path().join("stranger");
    std::fs::create_dir(&stranger).unwrap();
    let asked = as_account(writer.here.path(), STRANGER, &[WRITER])
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
    assert_eq!(kept.len() + 1, run.len());
    assert!(run.iter().zip(&kept).all(|(leaf, entry)| leaf.bytes().unwrap() == *entry));
    // the application writes its own lines anew: the writer has the first ones
    let bent: Vec<_> =
        run.iter().map(|leaf| ecluse_flow::event::Leaf { salt: "0".repeat(32), ..leaf.clone() }).collect();
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
    let all = ["run", "acts"].map(|name| journal::lines(&lab.join(name)).len());
    assert_eq!(writer.size(), all.iter().sum::<usize>() as u64);
}

fn ecluse_command(lab: &Path, arguments: &[&str], failpoint: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecluse"))
        .args(arguments)
        .current_dir(lab)
        .env("ECLUSE_FAILPOINT", failpoint)
        .output()
        .unwrap()
}
