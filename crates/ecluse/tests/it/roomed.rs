//! An archive loaded among other laboratories' rows: into the room that the signed mapping gives, and no row beside it
//! is touched.

use std::path::{Path, PathBuf};

use ecluse_testkit::kill::{VARIABLE, failpoints};
use rusqlite::Connection;

use crate::reference::refused;
use crate::sealed::{cited, recipients};
use crate::{ecluse, program, succeed};

const TABLES: &str = "
create table examen (code varchar(20) not null primary key, libelle varchar(40));
create table patient (id integer not null primary key, nom varchar(40) not null, suite_de integer references patient (id));
create table demande (id integer not null primary key, patient_id integer not null references patient (id));
create table resultat (demande_id integer not null references demande (id), rang integer not null,
  examen varchar(20) references examen (code), valeur varchar(40), primary key (demande_id, rang));
";
const ROWS: &str = "
insert into examen values ('A1', 'Un'), ('A2', 'Deux');
insert into patient values (1, 'Nom-1', null), (2, 'Nom-2', 1), (1999, 'Nom-1999', 2);
insert into demande values (1, 1999), (2, 2), (3, 1);
insert into resultat values (1, 1, 'A1', 'V'), (1, 2, null, null), (3, 1, 'A2', 'W');
";
const ROOM: &str = "[append]\noffset = 5000\nroom = 2000\nprefix = \"CHB-\"\n\n";
/// Keys of the source itself, the last before the room and the first after it.
const OTHERS: &str = "
insert into examen values ('A1', 'Voisin'), ('CHB', 'Voisin'), ('CHB.', 'Voisin'), ('chb-A1', 'Voisin');
insert into patient values (1, 'Voisin', null), (2, 'Voisin', 1), (4999, 'Voisin', 1), (7000, 'Voisin', 1);
insert into demande values (1, 1), (4999, 4999), (7000, 7000);
insert into resultat values (1, 1, 'A1', 'Voisin'), (4999, 1, 'CHB', 'Voisin'), (7000, 1, 'chb-A1', 'Voisin');
";
const ALL: &str = "
select group_concat(line, char(10)) from (
select 'e|' || code || '|' || libelle as line from examen union all
select 'p|' || id || '|' || nom || '|' || coalesce(suite_de, '-') from patient union all
select 'd|' || id || '|' || patient_id from demande union all
select 'r|' || demande_id || '|' || rang || '|' || coalesce(examen, '-') || '|' || coalesce(valeur, '-') from resultat
order by 1)";
/// What the source's rows are in their room.
const ROOMED: [&str; 11] = [
    "d|5001|6999",
    "d|5002|5002",
    "d|5003|5001",
    "e|CHB-A1|Un",
    "e|CHB-A2|Deux",
    "p|5001|Nom-1|-",
    "p|5002|Nom-2|5001",
    "p|6999|Nom-1999|5002",
    "r|5001|1|CHB-A1|V",
    "r|5001|2|-|-",
    "r|5003|1|CHB-A2|W",
];

const LOAD: [&str; 4] = ["load", "../archive", "--to", "sqlite:shared.db"];

fn lines(base: &Path) -> Vec<String> {
    let all: String = Connection::open(base).unwrap().query_row(ALL, [], |row| row.get(0)).unwrap();
    all.lines().map(str::to_owned).collect()
}

/// An archive under an order whose mapping gives a room.
fn extracted(here: &Path) -> PathBuf {
    Connection::open(here.join("old.db")).unwrap().execute_batch(&format!("{TABLES}{ROWS}")).unwrap();
    let tables = ["examen", "patient", "demande", "resultat"];
    let lab = cited(here, "sqlite:old.db", "sqlite:new.db", &tables);
    let mapping = std::fs::read_to_string(lab.join("mapping.toml")).unwrap();
    std::fs::write(lab.join("mapping.toml"), mapping.replacen("[[table]]", &format!("{ROOM}[[table]]"), 1))
        .unwrap();
    std::fs::remove_dir_all(lab.join("instruction.toml.sigs")).unwrap();
    succeed(&lab, &["instruction", "check", "--fill"]);
    succeed(&lab, &["instruction", "sign"]);
    succeed(&lab, &["extract", "-o", "../archive"]);
    lab
}

/// The recipient's folder, and a base in it that holds others' rows.
fn shared(here: &Path, lab: &Path, tables: &str) -> PathBuf {
    let theirs = here.join("theirs");
    let _ = std::fs::remove_dir_all(&theirs);
    recipients(lab, &theirs);
    Connection::open(theirs.join("shared.db")).unwrap().execute_batch(&format!("{tables}{OTHERS}")).unwrap();
    theirs
}

// fails with the guard off: rows are loaded under the keys of another laboratory's
#[test]
fn rows_of_an_archive_stand_in_the_room_of_the_signed_mapping_and_neighbours_are_never_touched() {
    let all = tempfile::tempdir().unwrap();
    let lab = extracted(all.path());
    let theirs = shared(all.path(), &lab, TABLES);
    let others = lines(&theirs.join("shared.db"));
    let whole = |said: &str| {
        let stand = lines(&theirs.join("shared.db"));
        let (ours, beside): (Vec<_>, Vec<_>) = stand.into_iter().partition(|line| !others.contains(line));
        assert_eq!(ours, ROOMED, "{said}");
        assert_eq!(beside, others, "{said}");
    };
    let places = failpoints().into_iter().filter(|name| name.starts_with("sqlite_"));
    let mut deaths = 0;
    for place in places.map(|place| format!("{place}:1")).collect::<Vec<_>>() {
        shared(all.path(), &lab, TABLES);
        let mut command = std::process::Command::new(program());
        let died = command.current_dir(&theirs).args(LOAD).env(VARIABLE, &place).output().unwrap();
        if died.status.success() {
            continue;
        }
        deaths += 1;
        let stand = lines(&theirs.join("shared.db"));
        assert!(others.iter().all(|line| stand.contains(line)), "{place}");
        whole(&format!("{place}: {}", succeed(&theirs, &LOAD)));
    }
    assert!(deaths >= 4, "{deaths}");
    shared(all.path(), &lab, TABLES);
    whole(&succeed(&theirs, &LOAD));
    for name in ["receipt.toml", "receipt.toml.sigs/"] {
        let copied =
            std::process::Command::new("cp").arg("-r").arg(theirs.join(name)).arg(&lab).status().unwrap();
        assert!(copied.success());
    }
    succeed(&lab, &["receipt", "verify", "--archive", "../archive"]);
    // whoever comes with another folder finds them there
    let again = all.path().join("again");
    recipients(&lab, &again);
    std::fs::copy(theirs.join("shared.db"), again.join("shared.db")).unwrap();
    refused(&again, &LOAD, "ECL-LOA-011");
}

// fails with the guard off: a reference that the recipient's own base declares leads to somebody else's row
#[test]
fn a_room_that_the_recipients_base_does_not_hold_is_refused_before_a_row_is_loaded() {
    let all = tempfile::tempdir().unwrap();
    let lab = extracted(all.path());
    // there a plain value of ours is a reference
    let other = TABLES.replace("rang integer not null,", "rang integer not null references demande (id),");
    let theirs = shared(all.path(), &lab, &other);
    let others = lines(&theirs.join("shared.db"));
    let said = refused(&theirs, &LOAD, "ECL-LOA-002");
    assert!(said.contains("resultat.rang refers to demande.id"), "{said}");
    assert_eq!(lines(&theirs.join("shared.db")), others);
    assert!(theirs.join("keys/recipient.age").exists());
    // a key beyond the room is refused where it is read, and no archive stands
    Connection::open(all.path().join("old.db"))
        .unwrap()
        .execute("insert into patient values (2000, 'x', 1)", [])
        .unwrap();
    std::fs::rename(all.path().join("archive"), all.path().join("first")).unwrap();
    let output = ecluse(&lab, &["extract", "-o", "../archive"]);
    assert!(!output.status.success() && !all.path().join("archive").exists());
    let figures = std::fs::read_to_string(lab.join("run/figures.json")).unwrap();
    assert!(
        figures.contains("\"refused\"") && String::from_utf8_lossy(&output.stderr).contains("ECL-RUN-012")
    );
}
