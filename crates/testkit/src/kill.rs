//! Kills the program at every failpoint, resumes it, and checks.
//!
//! The program must be built with the feature `failpoints`; it arms the one that
//! `ECLUSE_FAILPOINT=NAME:NTH` names and dies there as by `kill -9`.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// Names the failpoint and the occurrence at which the program dies.
pub const VARIABLE: &str = "ECLUSE_FAILPOINT";
/// Names the file at whose end the program writes each failpoint that it passes.
pub const PASSED: &str = "ECLUSE_PASSED";
/// Makes chunks of at most so many rows, so that small tables have several.
pub const CHUNK_ROWS: &str = "ECLUSE_CHUNK_ROWS";
/// Sets the program's clock ahead, in seconds, so that a paper's day has passed.
pub const CLOCK_AHEAD: &str = "ECLUSE_CLOCK_AHEAD";

/// Every failpoint named in the production sources of the workspace.
///
/// # Panics
///
/// When the sources are not where they were built.
#[must_use]
pub fn failpoints() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("crates");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(crates).expect("crates").flatten() {
        if entry.file_name() != "testkit" {
            collect(&entry.path().join("src"), &mut names);
        }
    }
    names
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, names);
        } else if path.extension().is_some_and(|e| e == "rs") {
            names.extend(named_in(&std::fs::read_to_string(&path).unwrap_or_default()));
        }
    }
}

/// The names in `failpoint::hit("…")` of one source file, comments left out.
#[must_use]
pub fn named_in(source: &str) -> Vec<String> {
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut names = Vec::new();
    for part in code.split("hit(").skip(1) {
        if let Some(name) = part.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) {
            names.push(name.to_owned());
        }
    }
    names
}

/// What happened at one failpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Death {
    /// The failpoint.
    pub failpoint: String,
    /// At which passing it died: 1 is the first.
    pub nth: u64,
}

/// How a drive went.
#[derive(Clone, Debug, Default)]
pub struct Drive {
    /// Where the program died, was resumed, and everything held.
    pub survived: Vec<Death>,
    /// Failpoints that the program never passed that often.
    pub unreached: Vec<Death>,
}

impl Drive {
    /// Failpoints that were never reached, not even once.
    #[must_use]
    pub fn never(&self) -> BTreeSet<&str> {
        let reached: BTreeSet<&str> = self.survived.iter().map(|d| d.failpoint.as_str()).collect();
        self.unreached.iter().map(|d| d.failpoint.as_str()).filter(|name| !reached.contains(name)).collect()
    }
}

/// For each failpoint and occurrence: `prepare` a fresh world, run `command` until it dies,
/// call `dead` (the leak search belongs there), run the same command again to its end (it
/// must succeed), call `alive` (the invariants belong there).
///
/// # Panics
///
/// When the program fails otherwise than by dying at the failpoint, or cannot be resumed.
pub fn drive<'a, W>(
    failpoints: impl IntoIterator<Item = &'a str>,
    occurrences: &[u64],
    mut prepare: impl FnMut(&Death) -> W,
    mut command: impl FnMut(&W) -> Command,
    mut dead: impl FnMut(&W, &Death, &Output),
    mut alive: impl FnMut(&W, &Death, &Output),
) -> Drive {
    let mut report = Drive::default();
    for failpoint in failpoints {
        for nth in occurrences {
            let death = Death { failpoint: failpoint.to_owned(), nth: *nth };
            let world = prepare(&death);
            let first =
                command(&world).env(VARIABLE, format!("{failpoint}:{nth}")).output().expect("the program");
            if first.status.success() {
                alive(&world, &death, &first);
                report.unreached.push(death);
                // it will not be passed more often in the same world
                break;
            }
            assert_eq!(first.status.signal(), Some(9), "at {death:?} the program said: {}", said(&first));
            dead(&world, &death, &first);
            let second = command(&world).env_remove(VARIABLE).output().expect("the program");
            assert!(second.status.success(), "resumed after {death:?} the program said: {}", said(&second));
            alive(&world, &death, &second);
            report.survived.push(death);
        }
    }
    report
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_code_not_from_comments() {
        let source =
            "failpoint::hit(\"a.commit.before\");\n// failpoint::hit(\"no\")\n  hit(\n    \"b.after\",\n)";
        assert_eq!(named_in(source), ["a.commit.before", "b.after"]);
    }

    /// A stand-in for the program: adds a line, dies at `late`, and on resume finishes.
    const PROGRAM: &str = r#"
        [ -e done ] || echo begun >> state
        case "$ECLUSE_FAILPOINT" in early:1) kill -9 $$;; esac
        touch done
        case "$ECLUSE_FAILPOINT" in late:1) kill -9 $$;; esac
        echo ended
    "#;

    #[test]
    fn it_kills_resumes_and_tells_what_was_not_reached() {
        let mut kills = 0;
        let mut checks = 0;
        let drive = drive(
            ["early", "late", "nowhere"],
            &[1, 2],
            |_| tempfile::tempdir().unwrap(),
            |folder| {
                let mut command = Command::new("sh");
                command.args(["-c", PROGRAM]).current_dir(folder.path());
                command
            },
            |_, _, _| kills += 1,
            |folder, _, output| {
                checks += 1;
                assert!(folder.path().join("done").exists());
                assert_eq!(output.stdout, b"ended\n");
            },
        );
        assert_eq!((kills, checks), (2, 5));
        assert_eq!(drive.survived.len(), 2);
        assert_eq!(drive.never(), BTreeSet::from(["nowhere"]));
    }

    #[test]
    #[should_panic(expected = "resumed after")]
    fn a_program_that_cannot_be_resumed_is_told() {
        let _ = drive(
            ["x"],
            &[1],
            |_| (),
            |()| {
                let mut command = Command::new("sh");
                command.args(["-c", "if [ -n \"$ECLUSE_FAILPOINT\" ]; then kill -9 $$; else exit 1; fi"]);
                command
            },
            |(), _, _| {},
            |(), _, _| {},
        );
    }
}
