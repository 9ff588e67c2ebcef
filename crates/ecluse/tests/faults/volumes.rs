//! Parties side by side in one folder, and everything that their processes leave: in their folders, and wherever else
//! on this machine they could write. And the deaths of a command: at every failpoint that it passes, by a written list.
//!
//! Where the test runs as root the parties are a user that nobody else is: whatever they left in a folder that
//! everybody may write to is known by its owner, and no other place is open to them.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use ecluse_testkit::account::Stranger;
use ecluse_testkit::canary::{Canaries, Side};
use ecluse_testkit::kill::{CHUNK_ROWS, PASSED, VARIABLE};
use ecluse_testkit::leak::{Found, Search};

/// Folders that everybody may write to.
const OPEN: [&str; 5] = ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock"];

/// A command of one party's, and where it dies.
#[derive(Debug)]
pub(crate) struct Step {
    /// What is typed.
    pub(crate) arguments: &'static [&'static str],
    /// In which folder.
    pub(crate) folder: &'static str,
    /// Every failpoint that it passes, without `.before` and `.after`: one that it no longer passes, and one that it
    /// passes and that is not here, fail the test.
    pub(crate) dies: &'static [&'static str],
    /// What it says, given again after a death at its very end, when what it makes is made; empty where it ends well.
    pub(crate) made: &'static str,
}

/// Everything below one folder.
pub(crate) struct Volumes {
    here: tempfile::TempDir,
    /// The program, and what is put back between two deaths: nobody searches here.
    aside: tempfile::TempDir,
    who: Option<Stranger>,
    pub(crate) canaries: Canaries,
    /// What is sealed to others than the parties: searched as whoever finds it reads it.
    pub(crate) sealed: &'static [&'static str],
    /// The parties' own: what is sealed there is opened.
    pub(crate) own: &'static [&'static str],
    /// With these.
    pub(crate) identities: Vec<String>,
    /// The one file in which values stand sealed to its own party: those that are sought once the source is erased.
    pub(crate) sought_by: Option<&'static str>,
}

impl Volumes {
    pub(crate) fn new(
        who: Option<Stranger>,
        sealed: &'static [&'static str],
        own: &'static [&'static str],
    ) -> Self {
        let this = Self {
            here: tempfile::tempdir().unwrap(),
            aside: tempfile::tempdir().unwrap(),
            who,
            canaries: Canaries::new(),
            sealed,
            own,
            identities: Vec::new(),
            sought_by: None,
        };
        std::fs::copy(env!("CARGO_BIN_EXE_ecluse"), this.program()).unwrap();
        std::fs::write(this.passed(), "").unwrap();
        this
    }

    /// Everything that lies here is the parties' from now on.
    pub(crate) fn given(&self) {
        self.gets(self.here.path());
        self.gets(self.aside.path());
    }

    /// This is the parties'.
    pub(crate) fn gets(&self, path: &Path) {
        self.who.iter().for_each(|who| who.gets(path));
    }

    pub(crate) fn here(&self) -> &Path {
        self.here.path()
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.here.path().join(name)
    }

    fn program(&self) -> PathBuf {
        self.aside.path().join("ecluse")
    }

    fn passed(&self) -> PathBuf {
        self.aside.path().join("passed")
    }

    /// Copies a file or a folder into a folder, which is made; owners and modes with it.
    pub(crate) fn put(&self, from: &str, folder: &str) {
        std::fs::create_dir_all(self.at(folder)).unwrap();
        shell(Command::new("cp").arg("-a").arg(self.at(from)).arg(self.at(folder)));
    }

    pub(crate) fn take(&self, name: &str) {
        shell(Command::new("rm").arg("-rf").arg(self.at(name)));
    }

    /// A command of one party's, in its folder.
    pub(crate) fn command(&self, folder: &str, arguments: &[&str]) -> Command {
        let program = self.program().display().to_string();
        let mut command = self.who.map_or_else(|| Command::new(&program), |who| who.command(&program));
        command.current_dir(self.at(folder)).args(arguments).env(CHUNK_ROWS, "16");
        command.env("TMPDIR", self.at("tmp")).env("HOME", self.at("tmp"));
        command
    }

    pub(crate) fn search(&self, sides: &[Side]) -> Search {
        Search::new(&sides.iter().map(|side| self.canaries.stem(*side)).collect::<Vec<_>>())
    }

    fn sought(&self) -> Search {
        self.search(&[Side::Inside, Side::Outside])
    }

    /// Where a value stands that only the databases may hold: on every volume, in what is sealed to the parties too;
    /// in the archive, as whoever finds it reads it.
    pub(crate) fn leaks(&self) -> Vec<Found> {
        let search = self.sought();
        let identities: Vec<&str> = self.identities.iter().map(String::as_str).collect();
        let opening = search.opening(&identities);
        let mut found = Vec::new();
        for name in self.sealed {
            found.extend(search.folder(&self.at(name)));
        }
        for name in self.own.iter().chain(&["tmp"]) {
            found.extend(opening.folder(&self.at(name)));
        }
        let ours = |entry: &std::fs::DirEntry| {
            let own =
                entry.metadata().is_ok_and(|found| self.who.is_some_and(|who| who.uid() == found.uid()));
            own && entry.path() != self.here.path() && entry.path() != self.aside.path()
        };
        for entry in OPEN.iter().flat_map(std::fs::read_dir).flatten().flatten().filter(ours) {
            found.extend(opening.folder(&entry.path()));
        }
        found.retain(|one| {
            let is_sought_by = self.sought_by.is_some_and(|name| Path::new(&one.place) == self.at(name));
            !(is_sought_by && one.form.starts_with("age: "))
        });
        found
    }

    /// The searches find what lies where everybody may write.
    pub(crate) fn searches_find(&self) {
        if self.who.is_some() {
            let left = tempfile::Builder::new().tempfile_in("/dev/shm").unwrap();
            std::fs::write(left.path(), self.canaries.stem(Side::Outside)).unwrap();
            self.gets(left.path());
            assert_ne!(self.leaks(), []);
        }
    }

    /// Runs it to its end; meanwhile what it holds open is searched again and again, unlinked files too.
    #[track_caller]
    pub(crate) fn done(&self, folder: &str, arguments: &[&str]) -> String {
        self.done_telling(folder, arguments, false)
    }

    #[track_caller]
    fn done_telling(&self, folder: &str, arguments: &[&str], tells: bool) -> String {
        let search = self.sought();
        let words = tempfile::NamedTempFile::new_in(self.aside.path()).unwrap();
        let (out, errors) = (words.reopen().unwrap(), words.reopen().unwrap());
        let mut command = self.command(folder, arguments);
        if tells {
            command.env(PASSED, self.passed());
        }
        let mut child = command.stdout(out).stderr(errors).spawn().unwrap();
        let mut held = Vec::new();
        while child.try_wait().unwrap().is_none() {
            held.extend(search.process(child.id()));
            std::thread::sleep(Duration::from_millis(10));
        }
        let said = std::fs::read_to_string(words.path()).unwrap();
        assert!(child.wait().unwrap().success(), "{arguments:?}: {said}");
        // the two databases hold the rows by right
        held.retain(|found| !found.place.contains("/bases/"));
        assert_eq!(held, [], "{arguments:?}");
        assert_eq!(search.bytes("said", said.as_bytes()), [], "{arguments:?}");
        assert_eq!(self.leaks(), [], "{arguments:?}");
        said
    }

    /// Runs it once to its end, and kills it at each failpoint that it passed: nothing is in clear on any volume, and
    /// the same command ends it. Everything is put back after each.
    pub(crate) fn killed(&self, step: &Step) {
        let kept = tempfile::tempdir_in(self.aside.path()).unwrap();
        shell(Command::new("cp").arg("-aT").arg(self.here.path()).arg(kept.path()));
        let back = || {
            for entry in std::fs::read_dir(self.here.path()).unwrap().flatten() {
                shell(Command::new("rm").arg("-rf").arg(entry.path()));
            }
            shell(Command::new("cp").arg("-aT").arg(kept.path()).arg(self.here.path()));
        };
        std::fs::write(self.passed(), "").unwrap();
        self.done_telling(step.folder, step.arguments, true);
        back();
        let mut passings = BTreeMap::<String, u64>::new();
        for name in std::fs::read_to_string(self.passed()).unwrap().lines() {
            *passings.entry(name.to_owned()).or_default() += 1;
        }
        let mut died = BTreeSet::new();
        for (name, often) in &passings {
            // in the middle: what was begun is not the first of its kind, nor the last
            let death = format!("{name}:{}", often / 2 + 1);
            let output = self.command(step.folder, step.arguments).env(VARIABLE, &death).output().unwrap();
            assert_eq!(output.status.signal(), Some(9), "{death}: {}", said(&output));
            assert_eq!(self.leaks(), [], "{death}");
            died.insert(name.as_str());
            let again = self.command(step.folder, step.arguments).output().unwrap();
            let made = !step.made.is_empty() && said(&again).contains(step.made);
            assert!(again.status.success() || made, "{death}: {}", said(&again));
            assert_eq!(self.sought().bytes("said", said(&again).as_bytes()), [], "{death}");
            assert_eq!(self.leaks(), [], "{death}");
            back();
        }
        let listed: Vec<String> = step
            .dies
            .iter()
            .flat_map(|stem| ["before", "after"].map(|side| format!("{stem}.{side}")))
            .collect();
        let listed: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
        assert_eq!(died, listed, "{:?}: where it died, and where it is to die", step.arguments);
    }
}

pub(crate) fn shell(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}
