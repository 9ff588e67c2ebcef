//! A name that steers a screen is refused where it enters: the certificate could not hold it, and by then the source is
//! gone.

use std::fs;
use std::path::Path;

use ecluse_core::copies::{Birth, Ledger, Store};

use crate::closed::copies;
use crate::returned::Back;
use crate::sealed::{Sealed, addressed};
use crate::{accept, ecluse, now, succeed};

/// Marks of writing direction, an escape, ends of lines, other controls, in seven bits and in eight.
const STEERING: [&str; 9] =
    ["\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}", "\u{1b}[2J", "\n", "\t", "\u{7f}", "\u{9b}m"];

/// Refused as wrong use by one code, and what is said of it bears none of these characters.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str]) {
    let output = ecluse(folder, arguments);
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("ECL-CPY-030"), "{arguments:?}: {said}");
    let steers = |c: char| c != '\n' && STEERING.iter().any(|bad| bad.starts_with(c));
    assert!(!said.contains(steers), "{arguments:?}: {said:?}");
}

fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn no_folder_of_a_migration_begins_under_a_name_that_steers_a_screen() {
    let here = tempfile::tempdir().unwrap();
    for bad in STEERING {
        let name = format!("lab{bad}x");
        refused(here.path(), &["new", &name, "--trial"]);
        refused(here.path(), &["new", &format!("{name}/inner")]);
        refused(here.path(), &["demo", &name, "--patients", "1"]);
    }
    assert_eq!(entries(here.path()), 0, "and nothing was made");
    // nor under one that no text can hold
    use std::os::unix::ffi::OsStrExt as _;
    let name = std::ffi::OsStr::from_bytes(b"lab\xff");
    let output = std::process::Command::new(crate::program())
        .current_dir(here.path())
        .arg("new")
        .arg(name)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("ECL-CPY-030"), "{output:?}");
    assert_eq!(entries(here.path()), 0);
}

#[test]
fn no_archive_and_no_run_takes_a_name_that_steers_a_screen() {
    let (sealed, back) = (Sealed::new(), Back::signed());
    for (lab, command) in [(sealed.lab(), "extract"), (back.lab(), "return")] {
        let around = lab.parent().unwrap();
        let beside = entries(around);
        for bad in STEERING {
            refused(&lab, &[command, "-o", &format!("../out{bad}x")]);
            if command == "extract" {
                refused(&lab, &["extract", "-o", "../out", "--run", &format!("run{bad}x")]);
                refused(&lab, &["plan", "--run", &format!("run{bad}x")]);
            }
        }
        // a trial's session and journal are begun by the way
        let runs = fs::read_dir(&lab).unwrap().flatten();
        let runs = runs.map(|entry| entry.path()).filter(|path| path.is_dir());
        let runs = runs.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("run"));
        assert_eq!((entries(around), runs.count()), (beside, 0), "{command}: nothing was made");
        let listed = fs::read_to_string(lab.join("copies.json")).unwrap_or_default();
        assert!(!listed.contains("out") && !listed.contains("\"run"), "{command}: nor entered: {listed}");
    }
    assert!(sealed.extract(&[]).status.success());
}

// A word about an order that nobody signed counts for nothing, and its reader may think that it does.
#[test]
fn who_states_that_an_unsigned_order_is_in_force_is_told_so() {
    let here = tempfile::tempdir().unwrap();
    rusqlite::Connection::open(here.path().join("old.db"))
        .unwrap()
        .execute_batch("CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60))")
        .unwrap();
    let lab = addressed(here.path(), "sqlite:old.db", "sqlite:new.db", &["patient"]);
    let path = lab.join("instruction.toml");
    let text = fs::read_to_string(&path).unwrap();
    let witnessed = text.replacen("max_runs ", "witnessed = true\nmax_runs ", 1);
    assert_ne!(witnessed, text);
    fs::write(&path, witnessed).unwrap();
    let state = || {
        let output = ecluse(&lab, &["instruction", "status", "--key", "keys/controller-signatory"]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(state().contains("does not stand as it lies here"));
    succeed(&lab, &["instruction", "sign"]);
    let said = state();
    assert!(!said.contains("does not stand"), "{said}");
    // and who has one that is witnessed is told that its status is stated again once it is planned
    let again = "ecluse instruction status --key FILE";
    assert!(succeed(&lab, &["next"]).contains(again));
    assert!(succeed(&lab, &["plan"]).contains(again));
    assert!(succeed(&lab, &["next"]).contains(again));
}

// A folder may be given such a name after it was begun.
#[test]
fn nothing_moves_in_a_folder_that_was_given_such_a_name_later() {
    let sealed = Sealed::new();
    let renamed = sealed.here.path().join("lab\u{202e}x");
    fs::rename(sealed.lab(), &renamed).unwrap();
    refused(&renamed, &["plan"]);
    refused(&renamed, &["extract", "-o", "../out"]);
    assert!(!renamed.join("run").exists() && !sealed.here.path().join("out").exists());
    fs::rename(&renamed, sealed.lab()).unwrap();
    assert!(sealed.extract(&[]).status.success());
}

// A line that an earlier version entered is shown as one line.
#[test]
fn the_list_of_copies_has_one_line_for_each_whatever_its_place_is_called() {
    let here = tempfile::tempdir().unwrap();
    let lab = accept::moved(here.path());
    let before = succeed(&lab, &["copies"]).lines().count();
    let place = "out\nffffffff   report   nothing   until 2999-01-31\u{202e}\u{1b}[2J".to_owned();
    let (id, store, marker) = ("4f".repeat(16), Store::Report, String::new());
    let erase_by = "2999-01-31".parse().unwrap();
    copies(&lab, |ledger: &mut Ledger| ledger.born(Birth { id, store, place, erase_by, marker }, now()));
    let said = succeed(&lab, &["copies"]);
    assert_eq!(said.lines().count(), before + 1, "{said:?}");
    assert!(!said.contains(['\u{202e}', '\u{1b}']) && said.contains("‹U+202E›"), "{said:?}");
}
