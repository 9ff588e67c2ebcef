//! An invented laboratory with canaries in every cell, and the order that moves a part of it.

use std::path::{Path, PathBuf};

use ecluse_testkit::canary::{Canaries, Side};
use ecluse_testkit::laboratory::{Cell, Column, Kind, Laboratory, Size, Table};
use ecluse_testkit::leak::{Found, Search};
use ecluse_testkit::migration::{End, Migration, Ordered};
use jiff::Timestamp;

use crate::base::Base;

/// The tables of the order.
pub(crate) const TABLES: [Table; 3] = [Table::Patient, Table::Request, Table::Result];

/// Everything one test needs: a filled source, an empty destination, papers in force.
pub(crate) struct World {
    pub(crate) canaries: Canaries,
    pub(crate) source: Base,
    pub(crate) destination: Base,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    /// PostgreSQL at both ends; `None` (said loudly) where there is none.
    pub(crate) fn postgres(size: Size) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        Some(Self::between(Base::postgres("from")?, Base::postgres("to")?, folder, size))
    }

    /// Fills the source with canaries in every cell, and makes the destination's tables.
    pub(crate) fn between(source: Base, destination: Base, folder: tempfile::TempDir, size: Size) -> Self {
        let canaries = Canaries::new();
        let lab = planted(&canaries, size);
        match &source {
            Base::Postgres(database) => lab.write_postgres(database, &Table::ALL),
            Base::Mariadb(database) => lab.write_mariadb(database, &Table::ALL),
            Base::Sqlite(path) => {
                std::fs::remove_file(path).unwrap();
                lab.write_sqlite(path, &Table::ALL);
            }
        }
        empty(&source, &destination);
        Self { canaries, source, destination, folder }
    }

    /// The migration, its papers made now, over these two ends.
    pub(crate) fn migration(&self, from: &End, to: &End) -> Migration {
        Migration::new(Path::new(env!("CARGO_BIN_EXE_ecluse")), self.folder.path(), now(), from, to, &order())
    }

    pub(crate) fn search(&self, side: Side) -> Search {
        Search::new(&self.canaries.needles(side))
    }

    /// Canaries of either side in what the program leaves beside the databases.
    pub(crate) fn leaks(&self, place: &Path) -> Vec<Found> {
        [Side::Inside, Side::Outside].iter().flat_map(|side| self.search(*side).folder(place)).collect()
    }

    /// Canaries of either side in what the program said.
    pub(crate) fn said(&self, output: &std::process::Output) -> Vec<Found> {
        [Side::Inside, Side::Outside]
            .iter()
            .flat_map(|side| {
                let mut found = self.search(*side).bytes("output", &output.stdout);
                found.extend(self.search(*side).bytes("errors", &output.stderr));
                found
            })
            .collect()
    }

    /// What must be at the destination, and what is, as the engine's own client tells it:
    /// whole rows where both ends are PostgreSQL, keys and texts where they write the rest otherwise.
    pub(crate) fn expected_and_moved(&self) -> (String, String) {
        let same = matches!((&self.source, &self.destination), (Base::Postgres(_), Base::Postgres(_)));
        let question = |table: &Ordered, condition: &str| {
            let (name, columns) = (table.table, table.columns.join(", "));
            if same {
                return format!(
                    "select '{name}', count(*), md5(string_agg(row({columns})::text, '|' order by id)) \
                     from {name} where {condition};"
                );
            }
            format!("select {} from {name} where {condition} order by id;", texts(table).join(", "))
        };
        let order = order();
        let conditions = [PATIENTS, REQUESTS, RESULTS];
        let expected: String = order.iter().zip(conditions).map(|(t, c)| question(t, c)).collect();
        let moved: String = order.iter().map(|t| question(t, "1 = 1")).collect();
        (self.source.sql(&expected), self.destination.sql(&moved))
    }
}

/// The key and the texts of an ordered table.
fn texts(ordered: &Ordered) -> Vec<&'static str> {
    let table = Table::ALL.into_iter().find(|t| t.name() == ordered.table).unwrap();
    let text = |c: &&Column| matches!(c.kind, Kind::Text(_) | Kind::LongText) || c.name == "id";
    table
        .columns()
        .iter()
        .filter(text)
        .map(|c| c.name)
        .filter(|name| ordered.columns.contains(name))
        .collect()
}

// the order's filters again, in SQL that this test wrote itself
const PATIENTS: &str = "birth_date >= '1970-01-01'";
const REQUESTS: &str =
    "status = 'V' and patient_id in (select id from patient where birth_date >= '1970-01-01')";
const RESULTS: &str = "request_id in (select id from request where status = 'V' and patient_id in \
     (select id from patient where birth_date >= '1970-01-01'))";

fn order() -> Vec<Ordered> {
    vec![
        Ordered {
            table: "patient",
            rows: "birth_date >= date(\"1970-01-01\")",
            columns: vec!["id", "family_name", "given_name", "birth_date", "sex", "created_at"],
            reasoned: vec![],
        },
        Ordered {
            table: "request",
            rows: "status == \"V\" && patient_id in chosen.patient",
            columns: vec!["id", "patient_id", "number", "requested_at", "urgent", "status"],
            reasoned: vec![],
        },
        Ordered {
            table: "result",
            rows: "request_id in chosen.request",
            columns: vec![
                "id",
                "request_id",
                "patient_id",
                "analysis_id",
                "value_num",
                "value_text",
                "unit",
                "abnormal",
                "validated_at",
                "validator",
                "comment",
            ],
            reasoned: vec!["value_text", "validator", "comment"],
        },
    ]
}

/// Canaries in every cell that can carry one, but for the columns that the filters ask.
fn planted(canaries: &Canaries, size: Size) -> Laboratory {
    let plain = Laboratory::new(11, size);
    let base = plain.clone();
    let number = |cell: &Cell| match cell {
        Cell::Int(value) => u64::try_from(*value).unwrap(),
        _ => panic!("a key is a number"),
    };
    let patient_moves = move |cells: &[Cell]| matches!(cells[5], Cell::Date(days) if days >= 0);
    let known = base.clone();
    let request_moves = move |cells: &[Cell]| {
        cells[5] == Cell::Text("V".to_owned()) && patient_moves(&known.row(Table::Patient, number(&cells[1])))
    };
    let granted = order();
    canaries.plant(plain, move |table, _, column, cells| {
        if matches!((table, column), (Table::Patient, "birth_date") | (Table::Request, "status")) {
            return None;
        }
        let ordered = granted.iter().find(|o| o.table == table.name());
        let moves = ordered.is_some_and(|o| o.columns.contains(&column))
            && match table {
                Table::Patient => patient_moves(cells),
                Table::Request => request_moves(cells),
                Table::Result => request_moves(&base.row(Table::Request, number(&cells[1]))),
                _ => false,
            };
        Some(if moves { Side::Inside } else { Side::Outside })
    })
}

/// Tables that wait for rows: the columns of the order, keys and foreign keys.
pub(crate) fn empty(source: &Base, destination: &Base) {
    const RELATIONS: &str = "alter table patient add unique (id, sex);\
         alter table request add foreign key (patient_id) references patient (id);\
         alter table result add foreign key (request_id) references request (id);";
    const INDEX: &str = "create index result_request on result (request_id);";
    // columns outside the order stay empty there
    let mut tables: String = TABLES.iter().map(|table| table.create(destination.dialect(), true)).collect();
    if matches!(source, Base::Mariadb(_)) {
        // that engine has neither truth values nor points in time: they arrive as what they are there
        tables = tables.replace(" boolean", " integer").replace(" timestamptz", " timestamp");
    }
    if let (Base::Postgres(_), Base::Sqlite(_)) = (source, destination) {
        // a point in time arrives as one
        tables = tables.replace("validated_at datetime", "validated_at timestamptz");
    }
    match destination {
        Base::Sqlite(path) => {
            std::fs::remove_file(path).unwrap();
            ecluse_adapters::sqlite::create_from(path, &format!("{tables}{INDEX}")).unwrap();
        }
        Base::Mariadb(database) => {
            let ours = ["ecluse_ledger_run", "ecluse_ledger_chunk", "result", "request", "patient"];
            database.sql(&format!(
                "set foreign_key_checks = 0; drop table if exists {}; {tables}{RELATIONS}{INDEX}",
                ours.join(", ")
            ));
        }
        server => {
            server.sql(&format!(
                "drop schema if exists ecluse_ledger cascade; drop schema public cascade; create schema public;\
                 {tables}{RELATIONS}{INDEX}"
            ));
        }
    }
}

pub(crate) fn run_folder(world: &World, name: &str) -> PathBuf {
    world.folder.path().join(name)
}

#[expect(clippy::disallowed_methods, reason = "papers must be in force while the program runs")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
