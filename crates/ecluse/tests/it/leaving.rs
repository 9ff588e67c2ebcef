//! What a load leaves at its recipient is taken away: by closing, and on its day.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_core::copies::{Copy, FILE, Ledger, Store};
use ecluse_testkit::kill::PASSED;
use rusqlite::Connection;

use crate::closed::copied;
use crate::load::{Machine, later};
use crate::reference::{killed, refused};
use crate::{ecluse, now, program, succeed};

/// Days until the day of every copy has come.
fn until_the_last_day(lab: &Path) -> u64 {
    let last = read(lab).into_iter().map(|copy| copy.erase_by).max().unwrap();
    let today = now().to_zoned(jiff::tz::TimeZone::UTC).date();
    u64::try_from(today.until(last).unwrap().get_days()).unwrap() + 1
}

fn ledger_tables(database: &Path) -> i64 {
    let sql = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'ecluse_%'";
    Connection::open(database).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn read(lab: &Path) -> Vec<Copy> {
    Ledger::read(&fs::read(lab.join(FILE)).unwrap()).unwrap().copies
}

/// What stands, by the ledger of copies.
fn stands(lab: &Path) -> Vec<Store> {
    read(lab).into_iter().filter(|copy| copy.ended.is_none()).map(|copy| copy.store).collect()
}

fn loaded() -> (Machine, PathBuf) {
    let machine = Machine::new();
    let lab = machine.lab();
    succeed(&lab, &machine.load(&[]));
    (machine, lab)
}

const CLOSE: [&str; 3] = ["close", "--to", "sqlite:new.db"];

// proves: ERA-01
#[test]
fn a_load_is_closed_over_its_signed_receipt_and_its_own_database_alone() {
    let machine = Machine::new();
    let lab = machine.lab();
    assert!(refused(&lab, &CLOSE, "ECL-CLI-025").contains("ecluse load"));
    let unsigned = &machine.load(&[])[..7];
    assert!(killed(&lab, unsigned, "papers.create.fsync.before:1"));
    refused(&lab, &CLOSE, "ECL-LOA-018");
    succeed(&lab, unsigned);
    refused(&lab, &CLOSE, "ECL-SGN-020");
    succeed(&lab, &["receipt", "sign", "--key", "keys/martin"]);
    for command in ["next", "status"] {
        let board = succeed(&lab, &[command]);
        assert!(board.contains("the load's ledger stands in the database"), "{board}");
    }
    assert!(succeed(&lab, &["next"]).contains("ecluse close --to URL"));
    // another name, a file that is not there, and another database of the same name
    fs::create_dir(lab.join("sub")).unwrap();
    for (to, made) in [("other.db", false), ("sub/new.db", false), ("sub/new.db", true)] {
        if made {
            let other = Connection::open(lab.join(to)).unwrap();
            other.execute_batch("CREATE TABLE patient (id INTEGER PRIMARY KEY)").unwrap();
        }
        refused(&lab, &["close", "--to", &format!("sqlite:{to}")], "ECL-CLO-004");
        assert_eq!(lab.join(to).exists(), made, "{to}");
    }
    // neither does one that is named and is none
    for dir in ["/no/such/place", "sub", ".", "copies"] {
        let output = ecluse(&lab, &["close", dir, "--to", "sqlite:new.db"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains("ECL-CLI-046"), "{dir}: {said}");
    }
    // what somebody holds stays
    let id = &read(&lab).into_iter().find(|copy| copy.store == Store::State).unwrap().id;
    let hold =
        ["hold", id, "--reason", "a complaint", "--approved-by", "Claire Fontaine", "--until", "2999-01-31"];
    succeed(&lab, &hold);
    refused(&lab, &CLOSE, "ECL-CLO-001");
    succeed(&lab, &["hold", id, "--release"]);
    let before = fs::read(lab.join(FILE)).unwrap();
    let would = succeed(&lab, &[&CLOSE[..], &["--dry-run"]].concat());
    assert!(
        would.contains("new (SQLite)   would go") && would.contains("load/state.age   would go"),
        "{would}"
    );
    assert!(fs::read(lab.join(FILE)).unwrap() == before && lab.join("load/state.age").exists());
    assert!(ledger_tables(&lab.join("new.db")) > 0);
    let told: serde_json::Value =
        serde_json::from_str(&succeed(&lab, &["close", "load", "--to", "sqlite:new.db", "--json"])).unwrap();
    assert_eq!((&told["closed"], &told["before"]), (&true.into(), &false.into()));
    assert!(ledger_tables(&lab.join("new.db")) == 0 && !lab.join("load/state.age").exists());
    machine.whole("the rows and the receipt stay");
    // no database is asked for where nothing is left
    assert!(succeed(&lab, &["close"]).contains("closed before"));
    assert!(succeed(&lab, &["next"]).contains("Nothing is missing."));
}

// A load into a folder of its own is closed by that name: by another, its state would outlive it.
#[test]
fn a_load_with_a_folder_of_its_own_is_closed_by_its_name() {
    let machine = Machine::new();
    let lab = machine.lab();
    succeed(&lab, &machine.load(&["--run", "own"]));
    assert!(refused(&lab, &CLOSE, "ECL-CLI-025").contains("name that"));
    succeed(&lab, &["close", "own", "--to", "sqlite:new.db"]);
    assert!(!lab.join("own/state.age").exists() && ledger_tables(&lab.join("new.db")) == 0);
}

/// Everything that lies below a folder, put back as it was kept.
fn put_back(kept: &Path, lab: &Path) {
    fs::remove_dir_all(lab).unwrap();
    copied(kept, lab);
}

// proves: ERA-01
#[test]
fn closing_a_load_goes_on_wherever_it_was_killed() {
    let (machine, lab) = loaded();
    let kept = machine.lab().with_file_name("kept");
    copied(&lab, &kept);
    let passed = machine.lab().with_file_name("passed");
    fs::write(&passed, "").unwrap();
    let mut close = Command::new(program());
    assert!(close.current_dir(&lab).args(CLOSE).env(PASSED, &passed).status().unwrap().success());
    let mut deaths: Vec<String> = Vec::new();
    let told = fs::read_to_string(&passed).unwrap();
    for name in told.lines() {
        let nth = 1 + deaths.iter().filter(|one| one.rsplit_once(':').unwrap().0 == name).count();
        deaths.push(format!("{name}:{nth}"));
    }
    for place in
        ["sqlite_conclude.commit.before:1", "folder.destroy.rename.after:1", "papers.replace.rename.before:1"]
    {
        assert!(deaths.iter().any(|one| one == place), "{place}: {deaths:?}");
    }
    for death in deaths {
        put_back(&kept, &lab);
        assert!(killed(&lab, &CLOSE, &death), "{death}: it did not die");
        assert!(succeed(&lab, &CLOSE).contains("closed"), "{death}");
        assert_eq!(ledger_tables(&lab.join("new.db")), 0, "{death}");
        assert!(!lab.join("load/state.age").exists(), "{death}");
        let left = stands(&lab);
        assert!(!left.contains(&Store::State) && !left.contains(&Store::Ledger), "{death}: {left:?}");
        succeed(&lab, &["journal", "verify"]);
        assert!(succeed(&lab, &["next"]).contains("Nothing is missing."), "{death}");
        machine.whole(&death);
    }
    // an announcement is of one database: another of the same name is not taken for it
    put_back(&kept, &lab);
    assert!(killed(&lab, &CLOSE, "sqlite_conclude.commit.before"));
    fs::create_dir(lab.join("sub")).unwrap();
    drop(Connection::open(lab.join("sub/new.db")).unwrap().execute_batch("CREATE TABLE t (id INTEGER)"));
    refused(&lab, &["close", "--to", "sqlite:sub/new.db"], "ECL-CLO-004");
    succeed(&lab, &CLOSE);
    assert_eq!(ledger_tables(&lab.join("new.db")), 0);
}

/// Nothing of écluse stands but what outlives every migration: papers, and the ledger of copies.
#[track_caller]
fn nothing_stands(machine: &Machine) {
    let lab = machine.lab();
    let days = until_the_last_day(&lab);
    let (code, said) = later(machine, days, &["erase"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(stands(&lab), Vec::new());
    assert!(["load", "journal"].iter().all(|name| !lab.join(name).exists()));
    assert!(!machine.archive().exists());
    assert_eq!(ledger_tables(&lab.join("new.db")), 0);
    for _ in 0..2 {
        let (code, said) = later(machine, days, &["copies"]);
        assert!(code == Some(0) && said.contains("No copy stands."), "{said}");
        let (code, said) = later(machine, days, &CLOSE);
        assert!(code == Some(0) && said.contains("closed before"), "{said}");
    }
    let (_, said) = later(machine, days, &["next"]);
    assert!(!said.contains("ecluse load"), "{said}");
}

// proves: ERA-01
#[test]
fn on_its_day_nothing_is_left_at_a_recipient_who_closed() {
    let (machine, lab) = loaded();
    succeed(&lab, &CLOSE);
    nothing_stands(&machine);
}

// proves: ERA-01
#[test]
fn whoever_closes_after_the_day_still_can() {
    let (machine, lab) = loaded();
    let days = until_the_last_day(&lab);
    let (code, said) = later(&machine, days, &["erase"]);
    assert!(code == Some(3) && said.contains("ECL-ERA-003") && said.contains("ECL-ERA-006"), "{said}");
    // the load's own folder went on its day
    assert!(!lab.join("load").exists() && ledger_tables(&lab.join("new.db")) > 0);
    let (code, said) = later(&machine, days, &["close"]);
    assert!(code == Some(2) && said.contains("ECL-CLI-011"), "{said}");
    let (code, said) = later(&machine, days, &CLOSE);
    assert!(code == Some(0) && said.contains("The load is closed") && !said.contains("error["), "{said}");
    nothing_stands(&machine);
}

// proves: ERA-02
#[test]
fn erase_takes_no_folder_that_is_not_this_migrations_run() {
    let (machine, lab) = loaded();
    let days = until_the_last_day(&lab);
    let other = Machine::new();
    succeed(&other.lab(), &other.load(&[]));
    fs::create_dir(lab.join("empty")).unwrap();
    fs::set_permissions(lab.join("empty"), fs::Permissions::from_mode(0o700)).unwrap();
    let theirs = other.lab().join("load").display().to_string();
    for dir in ["/no/such/place", "empty", &theirs] {
        for more in [&[][..], &["--dry-run"], &["--timer"]] {
            let (code, said) = later(&machine, days, &[&["erase", dir][..], more].concat());
            assert!(
                code == Some(2) && said.contains("ECL-CLI-046") && said.contains("ecluse -C DIR"),
                "{said}"
            );
        }
        assert!(lab.join("load/events.jsonl").exists(), "{dir}");
    }
    let (_, said) = later(&machine, days, &["erase", "load"]);
    assert!(said.contains("load   erased") && !lab.join("load").exists(), "{said}");
    // where a command takes no folder, how it is named is said
    for command in ["copies", "accept", "certify"] {
        let output = ecluse(&lab, &[command, "empty"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.code() == Some(2) && said.contains("ecluse -C DIR COMMAND"),
            "{command}: {said}"
        );
    }
}

// proves: ERA-01
#[test]
fn that_no_timer_ever_looked_is_said() {
    const SAID: &str = "no timer erases what is due: ecluse erase --watch, or packaging/systemd";
    let (machine, lab) = loaded();
    for command in ["copies", "next", "status"] {
        assert_eq!(succeed(&lab, &[command]).matches(SAID).count(), 1, "{command}");
    }
    let told: serde_json::Value = serde_json::from_str(&succeed(&lab, &["copies", "--json"])).unwrap();
    assert!(told["beat"].is_null());
    let (code, said) = later(&machine, 0, &["erase", "--timer"]);
    assert_eq!(code, Some(0), "{said}");
    for command in ["copies", "next", "status"] {
        assert!(!succeed(&lab, &[command]).contains(SAID), "{command}");
    }
}
