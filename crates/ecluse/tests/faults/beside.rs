//! A destination that holds other laboratories: their rows stand in every table, with the very
//! keys of the source, and around the room; nothing that a run does touches one of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ecluse_testkit::kill::{CHUNK_ROWS, drive, failpoints};
use ecluse_testkit::migration::{Migration, Ordered};

use crate::base::Base;
use crate::laboratory::now;
use crate::pair::{Answer, migrate, plainly, reconciled};

/// Tables with a number, a text and two columns for their key, and one that refers to itself.
const TABLES: &str = "
create table examen (code varchar(20) not null primary key, libelle varchar(40));
create table patient (id integer not null primary key, nom varchar(40) not null, suite_de integer references patient (id));
create table demande (id integer not null primary key, patient_id integer not null references patient (id));
create table resultat (demande_id integer not null references demande (id), rang integer not null,
  examen varchar(20) references examen (code), valeur varchar(40), primary key (demande_id, rang));
";

/// Twelve hundred patients, one request each, three results each.
const ROWS: &str = "
insert into examen select 'A' || i, 'Analyse ' || i from N where i <= 30;
insert into patient select i, 'Nom-invente-' || i, case when i > 1 and i % 10 = 0 then i - 1 end from N;
insert into demande select i, 1201 - i from N;
insert into resultat select i, 1, 'A' || (1 + i % 30), 'Valeur-' || i from N;
insert into resultat select i, 2, null, null from N;
insert into resultat select i, 3, 'A1', 'Valeur-' || (i * 7) from N;
";

const ROOM: &str = "[append]\noffset = 5000\nroom = 2000\nprefix = \"CHB-\"\n";

/// The others' rows: keys of the source itself, the last before the room and the first after it.
const OTHERS: &str = "
insert into examen values ('A1', 'Voisin'), ('A2', 'Voisin'), ('CHB', 'Voisin'), ('CHB.', 'Voisin'), ('CHA-A1', 'Voisin'),
  ('chb-A1', 'Voisin'), ('CHC-A1', 'Voisin');
insert into patient values (1, 'Voisin', null), (2, 'Voisin', 1), (10, 'Voisin', 2), (4999, 'Voisin', 1), (7000, 'Voisin', 1),
  (7001, 'Voisin', 7000);
insert into demande values (1, 1), (2, 2), (4999, 4999), (7000, 7000), (7001, 1);
insert into resultat values (1, 1, 'A1', 'Voisin'), (1, 2, 'CHB.', 'Voisin'), (4999, 999999, 'CHB', 'Voisin'),
  (7000, 0, 'chb-A1', 'Voisin'), (7001, 5001, 'A1', 'Voisin');
";

/// Every row that is not in the room, by a condition of this test's own.
const NEIGHBOURS: &str = "
select 'a', code, libelle from examen where substr(code, 1, 4) <> 'CHB-' order by code;
select 'p', id, nom, suite_de from patient where id < 5000 or id > 6999 order by id;
select 'd', id, patient_id from demande where id < 5000 or id > 6999 order by id;
select 'r', demande_id, rang, examen, valeur from resultat where demande_id < 5000 or demande_id > 6999
  order by demande_id, rang;
";

fn order() -> Vec<Ordered> {
    let every = |table, columns| Ordered { table, rows: "true", columns, reasoned: vec![] };
    vec![
        every("examen", vec!["code", "libelle"]),
        every("patient", vec!["id", "nom", "suite_de"]),
        every("demande", vec!["id", "patient_id"]),
        every("resultat", vec!["demande_id", "rang", "examen", "valeur"]),
    ]
}

struct Beside {
    from: Base,
    to: Base,
    folder: tempfile::TempDir,
    /// The others' rows before anything was done.
    neighbours: String,
}

impl Beside {
    fn new(from: Base, to: Base) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let many = match from {
            Base::Postgres(_) => "(select i from generate_series(1, 1200) i) n",
            Base::Mariadb(_) => "(select seq as i from seq_1_to_1200) n",
            Base::Sqlite(_) => {
                "(with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200) select i from n) n"
            }
        };
        from.sql(&format!("{TABLES}{}", ROWS.replace("from N", &format!("from {many}"))));
        let mut this = Self { from, to, folder, neighbours: String::new() };
        this.fresh();
        this
    }

    /// The destination as it was before any run.
    fn fresh(&mut self) {
        let mut script = String::new();
        let ledger = match self.to {
            Base::Sqlite(_) => ["ecluse_ledger_run", "ecluse_ledger_chunk", "ecluse_ledger_ddl"].as_slice(),
            Base::Mariadb(_) => ["ecluse_ledger_run", "ecluse_ledger_chunk"].as_slice(),
            Base::Postgres(_) => {
                script.push_str("drop schema if exists ecluse_ledger cascade;");
                &[]
            }
        };
        for table in [&["resultat", "demande", "patient", "examen"], ledger].concat() {
            let _ = write!(script, "drop table if exists {table};");
        }
        // keys by another case are other keys
        let tables = match self.to {
            Base::Mariadb(_) => TABLES
                .replace("varchar(20)", "varchar(20) character set utf8mb4 collate utf8mb4_bin")
                .replace("integer", "bigint"),
            Base::Postgres(_) | Base::Sqlite(_) => TABLES.to_owned(),
        };
        self.to.sql(&format!("{script}{tables}{OTHERS}"));
        self.neighbours = self.to.sql(NEIGHBOURS);
        assert_eq!(self.neighbours.lines().count(), 7 + 6 + 5 + 5);
    }

    fn migration(&self) -> Migration {
        let folder = self.folder.path().join("lab");
        std::fs::create_dir(&folder).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
        let (from, to) = (self.from.as_source(), self.to.as_destination());
        Migration::appended(program, &folder, now(), &from, &to, &order(), ROOM)
    }

    fn run(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[track_caller]
    fn others_are_as_they_were(&self) {
        assert_eq!(self.to.sql(NEIGHBOURS), self.neighbours);
    }

    /// Every row of the source stands in the room, and its references with it.
    #[track_caller]
    fn arrived(&self) {
        let moved = self.to.sql(
            "select code, libelle from examen where substr(code, 1, 4) = 'CHB-' order by libelle, code;
             select id, nom, suite_de from patient where id between 5000 and 6999 order by id;
             select id, patient_id from demande where id between 5000 and 6999 order by id;
             select demande_id, rang, examen, valeur from resultat where demande_id between 5000 and 6999
               order by demande_id, rang",
        );
        let asked = self.from.sql(
            "select 'CHB-' || code, libelle from examen order by libelle, code;
             select id + 5000, nom, suite_de + 5000 from patient order by id;
             select id + 5000, patient_id + 5000 from demande order by id;
             select demande_id + 5000, rang, 'CHB-' || examen, valeur from resultat order by demande_id, rang",
        );
        assert_eq!(moved, asked);
        self.others_are_as_they_were();
    }
}

/// Run, reconcile, catch up, be tampered with, be repaired: the others' rows stay as they are.
fn appended(mut beside: Beside) {
    let made = beside.migration();
    if let Base::Postgres(source) = &beside.from {
        made.grant_reader(source);
    }
    let run = beside.run("run");
    plainly(&made, &run, &[]).holds();
    beside.arrived();
    reconciled(&made, &run).holds();
    // the others live on beside the room; that is no difference of ours
    beside.to.sql(
        "update patient set nom = 'Voisin-1' where id = 1; insert into patient values (3, 'Voisin', null)",
    );
    beside.neighbours = beside.to.sql(NEIGHBOURS);
    reconciled(&made, &run).holds();
    plainly(&made, &run, &["--repair"]).holds();
    beside.arrived();

    // one of ours hangs on a neighbour's patient, another is changed, a third is somebody's own in our room
    beside.to.sql(
        "update demande set patient_id = 1 where id = 5007; update patient set nom = 'X' where id = 5010",
    );
    reconciled(&made, &run).is(1, "ECL-REC-004");
    plainly(&made, &run, &["--repair"]).holds();
    beside.arrived();
    beside.to.sql("insert into patient values (6999, 'Voisin dans la place', null)");
    reconciled(&made, &run).is(1, "ECL-REC-002");
    plainly(&made, &run, &["--repair"]).holds();
    beside.arrived();

    // the source lives on
    beside.from.sql(
        "update patient set nom = 'Nom-nouveau' where id = 1; delete from resultat where demande_id = 2;
         insert into patient values (1999, 'Nom-dernier', 1); insert into examen values ('Z', null)",
    );
    plainly(&made, &run, &[]).holds();
    beside.arrived();
    reconciled(&made, &run).holds();

    // taken away again, and the others' alone stand
    Answer::of(&made.run(&["undo", &run.display().to_string()])).holds();
    beside.others_are_as_they_were();
    let all = "select (select count(*) from examen) + (select count(*) from patient)
        + (select count(*) from demande) + (select count(*) from resultat)";
    assert_eq!(beside.to.sql(all), beside.neighbours.lines().count().to_string());
}

/// Killed around each of the destination's commits, and resumed.
fn killed(mut beside: Beside, prefix: &str) {
    let made = beside.migration();
    // where the destination's rows or its constraints change
    let changes =
        |name: &String| ["chunk", "drop", "putback", "finish"].iter().any(|part| name.contains(part));
    let names: Vec<String> =
        failpoints().into_iter().filter(|name| name.starts_with(prefix) && changes(name)).collect();
    let folder = beside.folder.path().to_owned();
    let cell = std::cell::RefCell::new(&mut beside);
    let drive = drive(
        names.iter().map(String::as_str),
        &[2],
        |death| {
            cell.borrow_mut().fresh();
            folder.join(format!("run-{}-{}", death.failpoint, death.nth))
        },
        |run| {
            let mut command = migrate(&made, run, &[]);
            command.env(CHUNK_ROWS, "500");
            command
        },
        |_, _, _| cell.borrow().others_are_as_they_were(),
        |run, death, output| {
            Answer::of(output).holds();
            cell.borrow().arrived();
            assert_eq!(reconciled(&made, run).code, Some(0), "{death:?}");
        },
    );
    assert!(drive.survived.iter().any(|d| d.failpoint.contains("chunk")), "{drive:?}");
}

// proves: REC-02
#[test]
fn neighbours_in_postgresql_are_never_touched() {
    let (Some(from), Some(to)) = (Base::postgres("beside"), Base::postgres("beside")) else { return };
    appended(Beside::new(from, to));
}

// proves: REC-02
#[test]
fn neighbours_in_sqlite_are_never_touched() {
    let home = tempfile::tempdir().unwrap();
    appended(Beside::new(Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db")));
}

// proves: REC-02
#[test]
fn neighbours_in_mariadb_are_never_touched() {
    let home = tempfile::tempdir().unwrap();
    let Some(to) = Base::mariadb("beside") else { return };
    appended(Beside::new(Base::sqlite(home.path(), "old.db"), to));
}

/// Keys that the engine counts: after what is told at the end, the next one comes after the room.
fn the_next_key_comes_after_the_room(to: &Base, counted: &str, word: &str) {
    let home = tempfile::tempdir().unwrap();
    let from = Base::sqlite(home.path(), "old.db");
    from.sql(
        "create table patient (id integer not null primary key, nom varchar(40) not null);
         insert into patient values (1, 'Inventee-1'), (2, 'Inventee-2')",
    );
    to.sql(&format!(
        "create table patient (id bigint {counted} primary key, nom varchar(40) not null);
         insert into patient (nom) values ('Voisin')"
    ));
    let order =
        [Ordered { table: "patient", rows: "true", columns: vec!["id", "nom"], reasoned: Vec::new() }];
    let lab = home.path().join("lab");
    std::fs::create_dir(&lab).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
    let ends = (from.as_source(), to.as_destination());
    let made = Migration::appended(program, &lab, now(), &ends.0, &ends.1, &order, ROOM);
    let answer = Answer::of(&migrate(&made, &lab.join("run"), &[]).output().unwrap());
    answer.holds();
    let typed = answer.out.lines().find(|line| line.trim_start().starts_with(word)).unwrap();
    made.succeed(&["report"]);
    let page = std::fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(page.contains(word) && page.contains("Clés des nouvelles lignes"), "{page}");
    to.sql(typed);
    to.sql("insert into patient (nom) values ('Nouvelle')");
    let keys = to.sql("select id from patient order by id");
    assert_eq!(keys.split_whitespace().collect::<Vec<_>>(), ["1", "5001", "5002", "7000"]);
    reconciled(&made, &lab.join("run")).holds();
}

#[test]
fn what_is_told_of_counted_keys_makes_the_next_come_after_the_room_in_postgresql() {
    let Some(to) = Base::postgres("counted") else { return };
    the_next_key_comes_after_the_room(&to, "generated by default as identity", "SELECT setval");
}

#[test]
fn what_is_told_of_counted_keys_makes_the_next_come_after_the_room_in_mariadb() {
    let Some(to) = Base::mariadb("counted") else { return };
    the_next_key_comes_after_the_room(&to, "auto_increment", "ALTER TABLE");
}

#[test]
fn neighbours_in_mariadb_are_as_they_were_wherever_a_run_dies() {
    let home = tempfile::tempdir().unwrap();
    let Some(to) = Base::mariadb("beside") else { return };
    killed(Beside::new(Base::sqlite(home.path(), "old.db"), to), "mariadb.");
}

#[test]
fn neighbours_in_postgresql_are_as_they_were_wherever_a_run_dies() {
    let (Some(from), Some(to)) = (Base::postgres("beside"), Base::postgres("beside")) else { return };
    killed(Beside::new(from, to), "postgres.");
}

#[test]
fn neighbours_in_sqlite_are_as_they_were_wherever_a_run_dies() {
    let home = tempfile::tempdir().unwrap();
    let beside = Beside::new(Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db"));
    killed(beside, "sqlite_");
}
