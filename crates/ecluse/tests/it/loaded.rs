//! Loads beside each other in one recipient's folder: the only receipt stays, the identity goes for no load that
//! another one still needs, and nothing is said to have been done that was not.

use std::path::Path;
use std::process::Command;

use ecluse_core::manifest::part_name;
use ecluse_testkit::kill::{CHUNK_ROWS, VARIABLE};
use rusqlite::Connection;

use crate::load::Machine;
use crate::reference::{killed, refused};
use crate::{ecluse, program, succeed};

/// The rows of the archive that stand in a database of the lab.
fn rows(lab: &Path, base: &str) -> Option<i64> {
    let path = lab.join(base);
    let there = path.exists().then(|| Connection::open(path).unwrap())?;
    there.query_row("SELECT count(*) FROM patient", [], |row| row.get(0)).ok()
}

/// `load` with other words in place of these.
fn other<'a>(machine: &Machine, words: &[(&str, &'a str)], more: &[&'a str]) -> Vec<&'a str>
where
    'static: 'a,
{
    let load = machine.load(&[]).into_iter().map(|word| match words.iter().find(|(old, _)| *old == word) {
        Some((_, new)) => *new,
        None => word,
    });
    load.chain(more.iter().copied()).collect()
}

fn without<'a>(load: &[&'a str], flag: &str) -> Vec<&'a str> {
    let at = load.iter().position(|word| *word == flag).unwrap();
    [&load[..at], &load[at + 2..]].concat()
}

/// Dies between two chunks: rows stand there, and the load is not through.
fn half_way(machine: &Machine, load: &[&str]) {
    let mut command = Command::new(program());
    let command = command.current_dir(machine.lab()).args(load).env(CHUNK_ROWS, "2");
    let died = command.env(VARIABLE, "sqlite_chunk.commit.after:2").output().unwrap();
    assert!(died.status.code().is_none(), "{}", String::from_utf8_lossy(&died.stderr));
}

// Whatever somebody types then: the receipt lies there as it was, and is signed.
#[test]
fn the_receipt_of_a_load_that_is_through_stays_whatever_is_typed_beside_it() {
    for (own, beside) in [("load", "load2"), ("load2", "load")] {
        let machine = Machine::new();
        let lab = machine.lab();
        let load = without(&machine.load(&["--run", own]), "--key");
        succeed(&lab, &load);
        assert!(!machine.identity().exists());
        let receipt = std::fs::read(lab.join("receipt.toml")).unwrap();
        let is_there = || std::fs::read(lab.join("receipt.toml")).is_ok_and(|there| there == receipt);
        // with the identity that is gone, and with a copy that somebody kept
        let beside = without(&machine.load(&["--run", beside]), "--key");
        for _ in 0..2 {
            let said = refused(&lab, &beside, "ECL-LOA-041");
            assert!(is_there() && said.contains(&format!("--run {own}")), "{said}");
            std::fs::write(machine.identity(), crate::load::identity()).unwrap();
            crate::load::private(&machine.identity());
        }
        std::fs::remove_file(machine.identity()).unwrap();
        succeed(&lab, &["receipt", "sign", "--run", own, "--key", "keys/martin"]);
        succeed(&lab, &[&load[..], &["--key", "keys/martin"]].concat());
        assert!(is_there());
        machine.whole("signed by the load that is through");
    }
}

// A receipt that no load announced makes room once another one can take its place, and is kept.
#[test]
fn a_receipt_that_nobody_announced_is_put_aside_and_never_before_the_identity_opened_the_archive() {
    let machine = Machine::new();
    let lab = machine.lab();
    assert!(killed(&lab, &machine.load(&[]), "papers.create.fsync.after:1"));
    let receipt = std::fs::read(lab.join("receipt.toml")).unwrap();
    let missing = other(&machine, &[("../own.age", "../none.age")], &[]);
    refused(&lab, &missing, "ECL-CLI-003");
    assert_eq!(std::fs::read(lab.join("receipt.toml")).unwrap(), receipt);
    machine.whole(&succeed(&lab, &machine.load(&[])));
    assert_eq!(std::fs::read(lab.join("receipt.old.toml")).unwrap(), receipt);
}

// Rows of it stand in clear at the other database: who destroys the only key there leaves them to nobody.
#[test]
fn a_load_that_is_half_way_keeps_its_identity_and_no_other_one_begins_beside_it() {
    let machine = Machine::new();
    let lab = machine.lab();
    half_way(&machine, &machine.load(&[]));
    assert_eq!(rows(&lab, "new.db"), Some(4));
    let elsewhere = other(&machine, &[("sqlite:new.db", "sqlite:other.db")], &[]);
    let said = refused(&lab, &elsewhere, "ECL-LOA-030");
    assert!(!said.contains("undo the load") && !said.contains("--run"), "it promises what there is: {said}");
    refused(&lab, &["undo", "load"], "ECL-UND-004");
    let beside = other(&machine, &[("sqlite:new.db", "sqlite:third.db")], &["--run", "load2"]);
    for _ in 0..2 {
        let said = refused(&lab, &beside, "ECL-LOA-042");
        assert!(said.contains("--run load") && machine.identity().exists(), "{said}");
        assert!(
            !lab.join("load2").exists() && !lab.join("third.db").exists(),
            "before anything begins: {said}"
        );
    }
    machine.whole(&succeed(&lab, &machine.load(&[])));
}

// Of two that began at once both stand there; the identity outlives the first that is through.
#[test]
fn of_two_loads_that_began_at_once_the_first_that_is_through_leaves_the_identity_to_the_other() {
    let machine = Machine::new();
    let lab = machine.lab();
    let load2 = other(&machine, &[("sqlite:new.db", "sqlite:other.db")], &["--run", "load2"]);
    half_way(&machine, &load2);
    // as it is where the second began before the first had a state
    std::fs::rename(lab.join("load2"), lab.join("held")).unwrap();
    half_way(&machine, &machine.load(&[]));
    std::fs::rename(lab.join("held"), lab.join("load2")).unwrap();
    let said = refused(&lab, &machine.load(&[]), "ECL-LOA-042");
    assert!(said.contains("load2") && machine.identity().exists(), "{said}");
    assert_eq!((rows(&lab, "new.db"), rows(&lab, "other.db")), (Some(6), Some(4)));
    // whichever is ended next, all that began is whole before the key goes
    succeed(&lab, &load2);
    assert_eq!((rows(&lab, "new.db"), rows(&lab, "other.db")), (Some(6), Some(6)));
    assert!(!machine.identity().exists());
}

// What the page of the code says to do, done.
#[test]
fn where_the_first_database_is_gone_a_folder_of_its_own_loads_the_archive() {
    let machine = Machine::new();
    let lab = machine.lab();
    half_way(&machine, &machine.load(&[]));
    std::fs::remove_file(lab.join("new.db")).unwrap();
    let own = lab.join("../own");
    std::fs::create_dir(&own).unwrap();
    for name in ["contract.toml", "fingerprints.txt", "recipient.toml", "status.toml", "keys"] {
        for name in [name.to_owned(), format!("{name}.sigs")].iter().filter(|name| lab.join(name).exists()) {
            let copied = Command::new("cp").arg("-r").arg(lab.join(name)).arg(own.join(name)).status();
            assert!(copied.unwrap().success());
        }
    }
    succeed(&own, &machine.load(&[]));
    assert_eq!(rows(&own, "new.db"), Some(6));
    assert!(!machine.identity().exists() && own.join("receipt.toml").exists());
}

// No row in another database, no file destroyed that opens nothing, and no word of what was not done.
#[test]
fn a_load_that_is_through_says_so_and_does_nothing_elsewhere() {
    let machine = Machine::new();
    let lab = machine.lab();
    succeed(&lab, &machine.load(&[]));
    let kept = lab.join("../kept.age");
    let keep = || {
        std::fs::write(&kept, crate::load::identity()).unwrap();
        crate::load::private(&kept);
    };
    keep();
    let words = [("../own.age", "../kept.age"), ("sqlite:new.db", "sqlite:other.db")];
    let elsewhere = other(&machine, &words, &[]);
    refused(&lab, &elsewhere, "ECL-LOA-030");
    assert!(kept.exists() && !lab.join("other.db").exists());
    // a database that is there, of no load; of the same name in another folder too
    std::fs::create_dir(lab.join("beside")).unwrap();
    drop(Connection::open(lab.join("beside/new.db")).unwrap().execute_batch("CREATE TABLE x(a)"));
    let same_name =
        other(&machine, &[("../own.age", "../kept.age"), ("sqlite:new.db", "sqlite:beside/new.db")], &[]);
    refused(&lab, &same_name, "ECL-LOA-030");
    assert!(kept.exists());
    // nothing there to destroy, and nothing is said of it
    let said = succeed(&lab, &machine.load(&[]));
    assert!(said.contains("Loaded before, into new (SQLite); nothing was written."), "{said}");
    assert!(!said.contains("overwritten and taken away") && !said.contains("rows loaded"), "{said}");
    let said = succeed(&lab, &without(&other(&machine, &[("../own.age", "../none.age")], &[]), "--to"));
    assert!(said.contains("Loaded before") && !said.contains("overwritten"), "{said}");
    // somebody else's key, and an empty file: they stay
    let others = lab.join("../others.age");
    std::fs::write(&others, ecluse_seal::Identity::generate().file().expose()).unwrap();
    crate::load::private(&others);
    refused(&lab, &other(&machine, &[("../own.age", "../others.age")], &[]), "ECL-LOA-010");
    std::fs::write(lab.join("../empty.age"), "").unwrap();
    crate::load::private(&lab.join("../empty.age"));
    assert!(!ecluse(&lab, &other(&machine, &[("../own.age", "../empty.age")], &[])).status.success());
    assert!(others.exists() && lab.join("../empty.age").exists());
    // a copy of the identity that somebody kept goes, and that is said
    let said = succeed(&lab, &other(&machine, &[("../own.age", "../kept.age")], &[]));
    assert!(said.contains("kept.age: overwritten and taken away") && !kept.exists(), "{said}");
    machine.whole(&said);
}

// The journal says that the identity is gone, and the receipt is signed on its word: so no mistyped name makes it say so.
#[test]
fn where_a_start_died_before_the_identity_went_another_name_destroys_nothing_and_says_nothing() {
    let machine = Machine::new();
    let lab = machine.lab();
    assert!(killed(&lab, &machine.load(&[]), "overwrite.fsync.before:1"));
    // as a power cut leaves it: announced, and the file as it was
    std::fs::write(machine.identity(), crate::load::identity()).unwrap();
    let mistyped = other(&machine, &[("../own.age", "../none.age")], &[]);
    refused(&lab, &mistyped, "ECL-CLI-003");
    refused(&lab, &["receipt", "sign", "--key", "keys/martin"], "ECL-LOA-018");
    assert!(machine.identity().exists());
    machine.whole(&succeed(&lab, &machine.load(&[])));
}

// Erasing takes the link away, and not what it leads to.
#[test]
fn a_part_that_is_a_link_to_another_disk_is_refused_by_name() {
    let machine = Machine::new();
    let lab = machine.lab();
    let (part, away) = (machine.archive().join(part_name(2)), lab.join("../away.age"));
    std::fs::rename(&part, &away).unwrap();
    std::os::unix::fs::symlink(&away, &part).unwrap();
    let said = refused(&lab, &["inspect", "../archive"], "ECL-LOA-043");
    assert!(said.contains("000002.age"), "{said}");
    refused(&lab, &["open", "../archive", "--identity", "../own.age"], "ECL-LOA-043");
    machine.refused("ECL-LOA-043");
    // the folder as a whole may lie elsewhere: the ledger of copies has it where it stands
    std::fs::remove_file(&part).unwrap();
    std::fs::rename(&away, &part).unwrap();
    std::fs::rename(machine.archive(), lab.join("../disk")).unwrap();
    std::os::unix::fs::symlink(lab.join("../disk"), machine.archive()).unwrap();
    machine.whole(&succeed(&lab, &machine.load(&[])));
}
