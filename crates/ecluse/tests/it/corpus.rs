//! Every field of a result arrives as it was: numbers with their zeroes, texts, microbiology, what is in
//! no code system, what was never recorded, an attached report.

use std::path::{Path, PathBuf};

use ecluse_adapters::sqlite::{Destination, Source, create_from};
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_testkit::migration::{End, Migration, Ordered};

use crate::{now, program};

const COLUMNS: [&str; 17] = [
    "id",
    "patient_id",
    "code",
    "loinc",
    "value_num",
    "value_text",
    "unit",
    "low",
    "high",
    "status",
    "method",
    "partial",
    "validated_at",
    "validator",
    "comment",
    "taken_on",
    "report",
];

/// The table at either end; the destination's texts are this long.
fn table(longest: u16) -> String {
    format!(
        "create table result (id integer primary key, patient_id integer not null, code varchar(20) not null, \
         loinc varchar(10), value_num decimal(12,3), value_text varchar({longest}), unit varchar(12), \
         low decimal(12,3), high decimal(12,3), status varchar(1) not null, method varchar(60), \
         partial boolean not null, validated_at timestamp, validator varchar(80), comment text, \
         taken_on date, report blob);"
    )
}

const ROWS: &str = "insert into result values
    (1, 7, 'GLU', '2345-7', 5.1, null, 'mmol/L', 3.9, 5.5, 'V', 'hexokinase', 0, '2025-03-01 09:00:00', 'Dr Aubry', null, '2025-03-01', null),
    (2, 7, 'K', '2823-3', 4.100, null, 'mmol/L', 3.5, 5.1, 'V', 'ISE indirecte', 1, null, null, 'Compte rendu partiel', '2025-03-01', null),
    (3, 8, 'LOCAL-17', null, null, 'Présence de cristaux d''oxalate', null, null, null, 'V', 'microscopie', 0, '2025-03-02 10:30:00.25', 'Dr Aubry', '', '2025-03-02', null),
    (4, 8, 'ECBU', '630-4', null, 'Escherichia coli, 10^5 UFC/mL
 ampicilline : R (CMI > 8 mg/L)
 fosfomycine : S', null, null, null, 'P', 'culture', 1, null, null, 'Antibiogramme à suivre', '2025-03-02', null),
    (5, 9, 'VIH', '56888-1', null, 'négatif', null, null, null, 'V', null, 0, '2025-03-03 08:00:00', 'Dr Aubry', null, '2025-03-03', x'255044462d312e370a00ff0d0a'),
    (6, 9, 'CRP', '1988-5', -0.001, null, 'mg/L', 0, 5, 'C', null, 0, '2025-03-03 08:00:00', 'Dr Aubry', ' suivi d''un blanc ', null, x''),
    (7, 9, 'TSH', '3016-3', 999999999.999, '', 'mUI/L', null, null, 'V', null, 0, '1969-12-31 23:59:59', 'Dr É. Nuñez', '😀 ﬁ', '0001-01-01', null);";

/// Every field of every row as the engine itself writes it.
fn fields(path: &Path) -> Vec<Vec<String>> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let quoted: Vec<String> = COLUMNS.iter().map(|c| format!("typeof({c}) || ' ' || quote({c})")).collect();
    let mut statement =
        connection.prepare(&format!("select {} from result order by id", quoted.join(", "))).unwrap();
    let read = |row: &rusqlite::Row<'_>| (0..COLUMNS.len()).map(|at| row.get(at)).collect();
    statement.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap()
}

struct Corpus {
    migration: Migration,
    from: PathBuf,
    to: PathBuf,
    _folder: tempfile::TempDir,
}

fn corpus(longest: u16) -> Corpus {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().canonicalize().unwrap();
    let (from, to) = (here.join("old.db"), here.join("new.db"));
    create_from(&from, &format!("{}{ROWS}", table(2_000))).unwrap();
    create_from(&to, &table(longest)).unwrap();
    let source = End::sqlite(&from, Source::open(&from).unwrap().identity().unwrap());
    let destination = End::sqlite(&to, Destination::open(&to).unwrap().identity().unwrap());
    let order = [Ordered {
        table: "result",
        rows: "id >= 1",
        columns: COLUMNS.to_vec(),
        reasoned: vec!["value_text", "method", "validator", "comment", "report"],
    }];
    let migration = Migration::new(program(), &here.join("papers"), now(), &source, &destination, &order);
    Corpus { migration, from, to, _folder: folder }
}

// Value, unit, interval, status, method, code, validation and the mark of a partial result, field by field.
// proves: REC-03
#[test]
fn every_field_of_a_result_arrives_as_it_was() {
    let moved = corpus(2_000);
    moved.migration.succeed(&["migrate", "--without-views", "a test", "--accept-wider-role", "a test"]);
    let (before, after) = (fields(&moved.from), fields(&moved.to));
    assert_eq!(before.len(), 7);
    for (before, after) in before.iter().zip(&after) {
        for ((column, before), after) in COLUMNS.iter().zip(before).zip(after) {
            assert_eq!(before, after, "{column}");
        }
    }
    assert_eq!(after.len(), 7);
    moved.migration.succeed(&["reconcile"]);

    // and where a text would not fit, nothing is moved and nothing is cut
    let narrow = corpus(20);
    let refused =
        narrow.migration.run(&["migrate", "--without-views", "a test", "--accept-wider-role", "a test"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("ECL-PLN-012"));
    assert!(fields(&narrow.to).is_empty());
}
