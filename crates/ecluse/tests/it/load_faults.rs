//! What goes wrong while an archive is loaded: the order taken back meanwhile, two who load at once, a disk that is full
//! at each of its writes.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use ecluse_core::status::State;
use ecluse_testkit::disk::Disk;
use ecluse_testkit::kill::VARIABLE;

use crate::load::Machine;
use crate::{program, succeed};

fn command(machine: &Machine) -> Command {
    let mut command = Command::new(program());
    command.current_dir(machine.lab()).args(machine.load(&[]));
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

// fails with the guard off: a load that was begun is gone on with whatever the controller has said since
#[test]
fn an_order_that_was_suspended_or_revoked_in_the_middle_of_a_load_lets_no_more_be_loaded() {
    for (state, code) in [(State::Suspended, "ECL-STA-010"), (State::Revoked, "ECL-STA-011")] {
        let mut machine = Machine::new();
        let died = command(&machine).env(VARIABLE, "sqlite_chunk.commit.after:1").output().unwrap();
        assert!(died.status.code().is_none(), "{}", said(&died));
        let before = machine.loaded();
        machine.given(state);
        let output = command(&machine).output().unwrap();
        assert!(!output.status.success() && said(&output).contains(code), "{}", said(&output));
        assert_eq!(machine.loaded(), before);
        assert!(machine.identity().exists() && !machine.lab().join("receipt.toml").exists());
        if state == State::Suspended {
            machine.given(State::InForce);
            machine.whole(&succeed(&machine.lab(), &machine.load(&[])));
        }
    }
}

// fails with the guard off: two processes write the same rows into one destination
#[test]
fn two_who_load_at_once_leave_every_row_there_once() {
    let machine = Machine::new();
    let spawn = |place: Option<&Path>| {
        let mut command = command(&machine);
        if let Some(place) = place {
            command.arg("--run").arg(place);
        }
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // the same command twice, and a third with a run folder of its own
    let elsewhere = machine.lab().join("other-load");
    let all = [spawn(None), spawn(None), spawn(Some(&elsewhere))];
    let ended: Vec<Output> = all.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let told: Vec<String> = ended.iter().map(said).collect();
    for output in &ended {
        assert!(matches!(output.status.code(), Some(0..=3)), "{told:#?}");
    }
    let rows = machine.loaded();
    let mut once = rows.clone();
    once.dedup();
    assert_eq!(rows, once, "{told:#?}");
    // whoever won, the same command says so or ends it
    let again = command(&machine).output().unwrap();
    if again.status.success() {
        machine.whole(&format!("{told:#?}"));
    } else {
        // the third won: its own folder has the receipt's load
        let said = said(&again);
        assert!(
            ["ECL-LOA-011", "ECL-LOA-018", "ECL-LOA-041", "ECL-LOA-042"]
                .iter()
                .any(|code| said.contains(code)),
            "{said} {told:#?}"
        );
        let mut third = command(&machine);
        let third = third.arg("--run").arg(&elsewhere).output().unwrap();
        assert!(third.status.success(), "{}", String::from_utf8_lossy(&third.stderr));
        machine.whole("the third");
    }
}

// The room left is one page more each time: every write of a load fails once.
#[test]
fn a_load_whose_disk_is_full_at_any_write_goes_on_once_there_is_room() {
    const KIB: u64 = 2_048;
    let Some(disk) = Disk::of(KIB) else { return };
    let ballast = disk.path().join("ballast");
    let (mut held, mut failed) = (0, 0);
    for left in (0..120).step_by(3) {
        let machine = Machine::within(disk.path());
        fill(&ballast, left);
        let output = command(&machine).output().unwrap();
        std::fs::remove_file(&ballast).unwrap();
        if output.status.success() {
            held += 1;
        } else {
            failed += 1;
            // nobody is told that all is well, and nothing ends in a panic
            assert!(matches!(output.status.code(), Some(1 | 3)), "{left} pages: {}", said(&output));
            assert!(said(&output).contains("ECL-"), "{left} pages: {}", said(&output));
            let again = command(&machine).output().unwrap();
            assert!(again.status.success(), "{left} pages: {} then {}", said(&output), said(&again));
        }
        machine.whole(&format!("{left} pages"));
    }
    eprintln!("{failed} loads met the end of their disk, {held} did not");
    assert!(failed > 3 && held > 0, "{failed} {held}");
}

/// Takes all room of the disk but so many pages.
pub(crate) fn fill(ballast: &Path, left: u64) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(ballast).unwrap();
    let page = [7; 4_096];
    let mut pages = 0_u64;
    while file.write_all(&page).is_ok() {
        pages += 1;
    }
    file.set_len(pages.saturating_sub(left) * 4_096).unwrap();
}
