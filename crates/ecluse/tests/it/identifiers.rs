//! National identifiers, moved end to end under each of the controller's rules.

use std::path::{Path, PathBuf};

use ecluse_adapters::sqlite::{Destination, Source, create_from};
use ecluse_core::digest::of_bytes;
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_testkit::migration::{End, Migration, Ordered};

use crate::{now, program};

const COLUMNS: [&str; 8] =
    ["id", "ins", "ins_oid", "birth_name", "first_name", "birth_date", "sex", "identity_status"];

const SOURCE: &str = "
    create table patient (id integer primary key, ins varchar(20), ins_oid varchar(40), birth_name varchar(40),
        first_name varchar(40), birth_date date, sex varchar(1), identity_status varchar(4));
    insert into patient values
        (1, '279035121518989', '1.2.250.1.213.1.4.10', 'INVENTEE', 'Une', '1979-03-01', 'F', 'VALI'),
        (2, '279035121518988', '1.2.250.1.213.1.4.10', 'INVENTEE', 'Deux', '1979-03-02', 'F', 'VALI'),
        (3, '2 79 03 51 215', '1.2.250.1.213.1.4.10', 'INVENTEE', 'Trois', '1979-03-03', 'F', null),
        (4, null, null, 'INVENTEE', 'Quatre', '1979-03-04', 'F', 'PROV');
";

const DESTINATION: &str = "
    create table patient (id integer primary key, ins varchar(15), ins_oid varchar(40), other_number varchar(20),
        birth_name varchar(40), first_name varchar(40), birth_date date, sex varchar(1), identity_status varchar(4));
";

const MAPPING: &str = r#"[mapping]
format = "ecluse-mapping/1"

[[table]]
from = "patient"
to   = "patient"
[table.national_identifier]
number    = "ins"
authority = "ins_oid"
status    = { column = "identity_status", provisional = "PROV" }
to        = { number = "ins", authority = "ins_oid", local = "other_number", status = "identity_status" }
[table.columns]
id         = "id"
birth_name = "birth_name"
first_name = "first_name"
birth_date = "birth_date"
sex        = "sex"
"#;

pub(crate) struct Moved {
    pub(crate) migration: Migration,
    to: PathBuf,
    _folder: tempfile::TempDir,
}

pub(crate) fn patients(invalid: &str) -> Moved {
    patients_of(invalid, "")
}

/// The same, and these rows at the source.
pub(crate) fn patients_of(invalid: &str, more: &str) -> Moved {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().canonicalize().unwrap();
    let (from, to) = (here.join("old.db"), here.join("new.db"));
    create_from(&from, &format!("{SOURCE}{more}")).unwrap();
    create_from(&to, DESTINATION).unwrap();
    let source = End::sqlite(&from, Source::open(&from).unwrap().identity().unwrap());
    let destination = End::sqlite(&to, Destination::open(&to).unwrap().identity().unwrap());
    let order =
        [Ordered { table: "patient", rows: "id >= 1", columns: COLUMNS.to_vec(), reasoned: Vec::new() }];
    let papers = here.join("papers");
    let mut migration = Migration::new(program(), &papers, now(), &source, &destination, &order);
    let text = migration.papers();
    let rule = format!("\n[national_identifier]\ninvalid = \"{invalid}\"\nnumbers = \"test\"\n\n[pending]\n");
    text.instruction = text
        .instruction
        .replace(&of_bytes(text.mapping.as_bytes()), &of_bytes(MAPPING.as_bytes()))
        .replace("\n[pending]\n", &rule);
    MAPPING.clone_into(&mut text.mapping);
    text.write(&papers);
    Moved { migration, to, _folder: folder }
}

fn rows(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection
        .prepare(
            "select concat_ws('|', id, coalesce(ins, '-'), coalesce(ins_oid, '-'), coalesce(other_number, '-'), \
             coalesce(identity_status, '-')) from patient order by id",
        )
        .unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

pub(crate) const WIDE: [&str; 5] = ["migrate", "--without-views", "a test", "--accept-wider-role", "a test"];

#[test]
fn a_number_that_does_not_hold_is_kept_as_a_local_one() {
    let moved = patients("local");
    let said = moved.migration.succeed(&WIDE);
    assert_eq!(
        rows(&moved.to),
        [
            "1|279035121518989|1.2.250.1.213.1.4.10|-|VALI",
            "2|-|-|279035121518988|PROV",
            "3|-|-|2 79 03 51 215|PROV",
            "4|-|-|-|PROV",
        ]
    );
    for told in ["4 rows moved, 0 refused", "1 ECL-BAT-131", "1 ECL-BAT-132", "kept as local identifiers"] {
        assert!(said.contains(told), "{told}\n{said}");
    }
    // no number is told
    assert!(!said.contains("2790351"), "{said}");
    moved.migration.succeed(&["reconcile"]);
    assert!(moved.migration.succeed(&["status"]).contains("1 ECL-BAT-132"));
    let figures = std::fs::read_to_string(moved.migration.folder().join("run/figures.json")).unwrap();
    let figures: serde_json::Value = serde_json::from_str(&figures).unwrap();
    assert_eq!(
        figures["tables"][0]["identifiers"],
        serde_json::json!({ "ECL-BAT-131 patient.ins": 1, "ECL-BAT-132 patient.ins": 1 })
    );
}

#[test]
fn a_number_that_does_not_hold_is_withheld_and_the_patient_moves() {
    let moved = patients("withhold");
    let said = moved.migration.succeed(&WIDE);
    assert!(said.contains("withheld, the patients moved"), "{said}");
    let there = rows(&moved.to);
    assert_eq!(there.len(), 4);
    assert_eq!(there[1], "2|-|-|-|PROV");
    moved.migration.succeed(&["reconcile"]);
}

#[test]
fn a_row_is_refused_for_its_number_where_the_controller_says_so() {
    let moved = patients("refuse");
    let refused = moved.migration.run(&WIDE);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("ECL-RUN-012"), "{said}");
    assert_eq!(rows(&moved.to).len(), 2);
}
