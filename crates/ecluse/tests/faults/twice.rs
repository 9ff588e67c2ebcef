//! Two runs at once: one goes its way, the other is refused by code, and nothing is harmed.

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use ecluse_testkit::migration::Migration;
use rustix::process::{Pid, Signal, kill_process};

use crate::base::Base;
use crate::pair::{Answer, Pair, goes_on, migrate, migrated, reconciled};

/// A run that stands still in the middle of its way, as a laptop that was closed.
struct Halted(Child);

impl Halted {
    /// Starts a run and halts it once the destination has so many chunks.
    fn after(pair: &Pair, made: &Migration, run: &str, journaled: usize) -> Self {
        let folder = pair.run(run);
        let mut command = migrate(made, &folder, &[]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let chunks = || {
            let events = std::fs::read_to_string(folder.join("events.jsonl")).unwrap_or_default();
            events.lines().filter(|line| line.contains("\"chunk\"")).count()
        };
        let start = Instant::now();
        while chunks() < journaled {
            assert!(child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(1));
        }
        let halted = Self(child);
        halted.signal(Signal::STOP);
        halted
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Lets it go on to its end.
    fn released(self) -> Answer {
        self.signal(Signal::CONT);
        Answer::of(&self.0.wait_with_output().unwrap())
    }
}

/// A second run into the same folder, one into a folder of its own, and one that dies while
/// it waits; then the first goes on to its end.
fn second_is_kept_out(pair: &Pair, same: &str, own: (i32, &str)) {
    let made = pair.direct();
    let first = Halted::after(pair, &made, "first", 2);
    migrated(&made, &pair.run("first"), &[]).is(3, same);
    migrated(&made, &pair.run("second"), &[]).is(own.0, own.1);
    let mut waits = migrate(&made, &pair.run("third"), &[]).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    waits.kill().unwrap();
    waits.wait().unwrap();
    first.released().holds();
    pair.arrived();
    reconciled(&made, &pair.run("first")).holds();
    // the rows are the first run's: another run over them is refused even after its end
    for run in ["second", "third"] {
        migrated(&made, &pair.run(run), &[]).is(1, "ECL-RUN-006");
    }
    pair.arrived();
    reconciled(&made, &pair.run("first")).holds();
}

#[test]
fn a_second_run_into_postgresql_is_kept_out() {
    let (Some(from), Some(to)) = (Base::postgres("two"), Base::postgres("two")) else { return };
    second_is_kept_out(&Pair::new(from, to, 10_000), "ECL-RUN-203", (1, "ECL-RUN-006"));
}

#[test]
fn a_second_run_into_mariadb_is_kept_out() {
    let home = tempfile::tempdir().unwrap();
    let Some(to) = Base::mariadb("two") else { return };
    let pair = Pair::new(Base::sqlite(home.path(), "old.db"), to, 10_000);
    second_is_kept_out(&pair, "ECL-RUN-203", (1, "ECL-RUN-006"));
}

#[test]
fn a_second_run_into_sqlite_is_kept_out() {
    let home = tempfile::tempdir().unwrap();
    let pair = Pair::new(Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db"), 10_000);
    // the whole file is locked: the second comes no further
    second_is_kept_out(&pair, "ECL-DST-322", (3, "ECL-DST-322"));
}

/// The first holds the destination and has written no row yet: a trigger there waits for
/// somebody else. It is killed while it waits.
#[test]
fn two_runs_that_both_find_empty_tables_do_not_both_write() {
    let (Some(from), Some(to)) = (Base::postgres("two"), Base::postgres("two")) else { return };
    let pair = Pair::new(from, to, 100);
    let made = pair.direct();
    let Base::Postgres(database) = &pair.to else { return };
    pair.to.sql(
        "create function waits() returns trigger language plpgsql as
             $$ begin perform pg_advisory_xact_lock(42); return new; end $$;
         create trigger waits before insert on patient for each row execute function waits()",
    );
    let mut somebody = database.server().psql(database.name(), "postgres");
    let mut somebody = somebody.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut orders = somebody.stdin.take().unwrap();
    orders.write_all(b"begin; select pg_advisory_xact_lock(42);\n").unwrap();
    let until = |granted: bool| {
        let sql = format!(
            "select count(*) from pg_locks l join pg_database d on d.oid = l.database \
             where d.datname = current_database() and l.objid = 42 and granted = {granted}"
        );
        let start = Instant::now();
        while database.sql(&sql) == "0" {
            assert!(start.elapsed() < Duration::from_secs(10), "granted: {granted}");
        }
    };
    until(true);
    let mut dies = migrate(&made, &pair.run("dies"), &[]).stderr(Stdio::null()).spawn().unwrap();
    until(false);
    migrated(&made, &pair.run("second"), &[]).is(3, "ECL-DST-521");
    // killed while it waits, the first leaves nothing behind that keeps another out for long
    dies.kill().unwrap();
    dies.wait().unwrap();
    orders.write_all(b"rollback;\n").unwrap();
    drop(orders);
    assert!(somebody.wait().unwrap().success());
    goes_on(&made, &pair.run("dies"));
    pair.arrived();
    reconciled(&made, &pair.run("dies")).holds();
}

/// The same, where the server's lock is the connection's: it goes when the process is killed.
#[test]
fn two_runs_that_both_find_empty_tables_in_mariadb_do_not_both_write() {
    let home = tempfile::tempdir().unwrap();
    let Some(to) = Base::mariadb("two") else { return };
    let pair = Pair::new(Base::sqlite(home.path(), "old.db"), to, 100);
    let made = pair.direct();
    let Base::Mariadb(database) = &pair.to else { return };
    pair.to.sql(
        "create trigger waits before insert on patient for each row set @waited = get_lock('ecluse-test', 20)",
    );
    let mut somebody = database.server().client(database.name());
    let mut somebody = somebody.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut orders = somebody.stdin.take().unwrap();
    orders.write_all(b"select get_lock('ecluse-test', 0);\n").unwrap();
    let until = |sql: &str| {
        let start = Instant::now();
        while database.sql(sql) == "0" {
            assert!(start.elapsed() < Duration::from_secs(10), "{sql}");
        }
    };
    until("select is_used_lock('ecluse-test') is not null");
    let mut dies = migrate(&made, &pair.run("dies"), &[]).stderr(Stdio::null()).spawn().unwrap();
    until(&format!(
        "select count(*) from information_schema.processlist where db = '{}' and state = 'User lock'",
        database.name()
    ));
    migrated(&made, &pair.run("second"), &[]).is(3, "ECL-DST-221");
    // killed while it waits, the first leaves nothing behind that keeps another out for long
    dies.kill().unwrap();
    dies.wait().unwrap();
    drop(orders);
    somebody.wait().unwrap();
    pair.to.sql("drop trigger waits");
    goes_on(&made, &pair.run("dies"));
    pair.arrived();
    reconciled(&made, &pair.run("dies")).holds();
}

/// The first dies where it stands: its folder goes on, another folder does not take over.
#[test]
fn a_run_that_died_holds_no_lock_and_keeps_its_rows() {
    let (Some(from), Some(to)) = (Base::postgres("two"), Base::postgres("two")) else { return };
    let pair = Pair::new(from, to, 10_000);
    let made = pair.direct();
    let mut first = Halted::after(&pair, &made, "first", 2);
    first.0.kill().unwrap();
    first.0.wait().unwrap();
    let other = migrated(&made, &pair.run("second"), &[]);
    assert_ne!(other.code, Some(0), "{other:?}");
    goes_on(&made, &pair.run("first"));
    pair.arrived();
    reconciled(&made, &pair.run("first")).holds();
}

/// Many processes write the register of runs: none of their lines is lost, and none is torn.
#[test]
fn the_register_of_runs_loses_no_line_to_another_process() {
    const RUNS: usize = 12;
    let (Some(from), Some(to)) = (Base::postgres("many"), Base::postgres("many")) else { return };
    let pair = Pair::new(from, to, 10);
    let made = pair.direct();
    let children: Vec<Child> = (0..RUNS)
        .map(|n| {
            let mut command = migrate(&made, &pair.run(&format!("run-{n}")), &[]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let answers: Vec<Answer> =
        children.into_iter().map(|child| Answer::of(&child.wait_with_output().unwrap())).collect();
    for answer in answers.iter().filter(|a| a.code != Some(0)) {
        let kept_out = ["ECL-DST-521", "ECL-DST-520", "ECL-RUN-006"].contains(&answer.last());
        assert!(kept_out, "{answer:?}");
    }
    assert_eq!(answers.iter().filter(|a| a.code == Some(0)).count(), 1, "{answers:?}");
    pair.arrived();
    let register = std::fs::read(made.folder().join("runs.json")).unwrap();
    let register: serde_json::Value = serde_json::from_slice(&register).unwrap();
    let lines: Vec<&str> =
        register["runs"].as_array().unwrap().iter().filter_map(|run| run["folder"].as_str()).collect();
    // one that found the tables filled may have been refused before it took a line
    for (n, _) in answers.iter().enumerate().filter(|(_, a)| a.last() != "ECL-RUN-006") {
        let folder = pair.run(&format!("run-{n}"));
        let written = lines.iter().filter(|line| **line == folder.to_str().unwrap()).count();
        assert_eq!(written, 1, "run {n}: {register}");
    }
}
