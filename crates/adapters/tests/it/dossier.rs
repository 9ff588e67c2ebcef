//! Whole dossiers of a small laboratory: what belongs to a request comes, and nothing of another's.

use std::collections::{BTreeMap, BTreeSet};

use ecluse_adapters::sqlite::{Destination, Source};
use ecluse_batch::TokenKey;
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::plan::assertion::{plan, table, with_dossiers};
use ecluse_core::plan::{Kind, Plan, TablePlan, Way};
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::dossier::{draw, follow, gather};
use ecluse_flow::ports::{Destination as _, Scope, Sink, Source as _};
use rusqlite::Connection;

use crate::common::{every, fields, related};

/// Patients, with contacts that hang on them alone; requests, some of which correct an earlier one;
/// specimens; results, which name request, specimen and validator; a catalogue that nothing refers to.
const SCHEMA: &str = "
CREATE TABLE patient  (id INTEGER PRIMARY KEY NOT NULL, last BIGINT);
CREATE TABLE contact  (id INTEGER PRIMARY KEY NOT NULL, patient BIGINT);
CREATE TABLE request  (id INTEGER PRIMARY KEY NOT NULL, patient BIGINT, corrects BIGINT);
CREATE TABLE specimen (id INTEGER PRIMARY KEY NOT NULL, request BIGINT, kind VARCHAR(9));
CREATE TABLE result   (id INTEGER PRIMARY KEY NOT NULL, request BIGINT, specimen BIGINT, validator BIGINT);
CREATE TABLE staff    (id INTEGER PRIMARY KEY NOT NULL, head BIGINT);
CREATE TABLE unit     (id INTEGER PRIMARY KEY NOT NULL, name VARCHAR(9));";

/// 40 patients, 100 requests (no. 7 corrects no. 6), two specimens and three results each; the third
/// result stands in no specimen. Only no. 90's second specimen is a culture.
const ROWS: &str = "
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
  INSERT INTO patient SELECT i, NULL FROM n WHERE i <= 40;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
  INSERT INTO contact SELECT i, CASE WHEN i % 9 = 0 THEN NULL ELSE 1 + i % 40 END FROM n WHERE i <= 80;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
  INSERT INTO request SELECT i, 1 + (i * 7) % 40, CASE WHEN i = 7 THEN 6 END FROM n WHERE i <= 100;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
  INSERT INTO specimen SELECT i, 1 + (i - 1) / 2, CASE WHEN i = 180 THEN 'culture' ELSE 'blood' END FROM n WHERE i <= 200;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
  INSERT INTO result SELECT i, 1 + (i - 1) / 3, CASE WHEN i % 3 = 0 THEN NULL ELSE 2 * ((i - 1) / 3) + i % 3 END, 1 + i % 5 FROM n;
INSERT INTO staff VALUES (1, 2), (2, 3), (3, NULL), (4, 4), (5, NULL), (6, 6);
INSERT INTO unit VALUES (1, 'g/L'), (2, 'mmol/L');";

const NAMES: [&str; 7] = ["patient", "contact", "request", "specimen", "result", "staff", "unit"];
const REQUEST: usize = 2;

/// The laboratory's file, and its plan: every relation, none declared.
fn laboratory(folder: &tempfile::TempDir, more: &str) -> (Source, Plan) {
    let path = folder.path().join("lab.db");
    Connection::open(&path).unwrap().execute_batch(&format!("{SCHEMA}{ROWS}{more}")).unwrap();
    let catalog = Destination::open(&path).unwrap().catalog(Scope::Everything).unwrap();
    let of = |name: &str| {
        let number = NAMES.iter().position(|n| *n == name).unwrap();
        fields(number, catalog.table(name).unwrap(), &every(name, &[]))
    };
    let tables = vec![
        table(related(of("patient"), 1, REQUEST, 0)),
        table(related(of("contact"), 1, 0, 0)),
        table(related(related(of("request"), 1, 0, 0), 2, REQUEST, 0)),
        table(related(of("specimen"), 1, REQUEST, 0)),
        table(related(related(related(of("result"), 1, REQUEST, 0), 2, 3, 0), 3, 5, 0)),
        table(related(of("staff"), 1, 5, 0)),
        table(of("unit")),
    ];
    let culture = Filter::Compare { column: 2, op: Comparison::Eq, value: Value::Text("culture".to_owned()) };
    let corrected = Filter::Not(Box::new(Filter::IsNull { column: 2 }));
    let genetic = Filter::Compare { column: 2, op: Comparison::Eq, value: Value::Text("dna".to_owned()) };
    let kind = |name: &str, table, filter| Kind { name: name.to_owned(), table, filter };
    let kinds = vec![
        kind("microbiology", 3, culture),
        kind("corrected", REQUEST, corrected),
        kind("genetic", 3, genetic),
    ];
    let plan = with_dossiers(plan(tables), REQUEST, kinds);
    let mut source = Source::open(&path).unwrap();
    source.open(&plan, false).unwrap();
    (source, plan)
}

fn request(id: i64) -> Key {
    Key(vec![Value::Int(id)])
}

/// The keys of the rows that belong to these requests, table by table.
fn belonging(source: &mut Source, plan: &Plan, named: &[i64]) -> BTreeMap<&'static str, BTreeSet<i64>> {
    let read = &mut |table: &TablePlan, sink: Sink<'_>| source.read(table, plan, &KeyRange::default(), sink);
    let keys = named.iter().map(|id| request(*id));
    let selection = follow(plan, keys, [7; 32], 100, read).unwrap();
    let gathered = gather(plan, &selection, read).unwrap();
    NAMES.iter().copied().zip(&gathered.tables).map(|(name, rows)| (name, ids(rows))).collect()
}

/// The first column of some batches.
fn ids(rows: &[ecluse_batch::Batch]) -> BTreeSet<i64> {
    let mut ids = BTreeSet::new();
    for batch in rows {
        for row in 0..batch.rows() {
            let types: Vec<_> = vec![ecluse_core::types::Type::Int];
            match ecluse_batch::cell(batch, &types, 0, row).unwrap() {
                Value::Int(id) => ids.insert(id),
                other => panic!("{other:?}"),
            };
        }
    }
    ids
}

fn set(ids: &[i64]) -> BTreeSet<i64> {
    ids.iter().copied().collect()
}

#[test]
fn a_dossier_is_whole_and_has_nothing_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let (mut source, plan) = laboratory(&folder, "");
    let ways: Vec<Way> = (0..7).map(|table| plan.dossiers().unwrap().way(table)).collect();
    use Way::{Ancestor, Beside, Descendant, Dossier, Reference};
    assert_eq!(ways, [Ancestor, Beside, Dossier, Descendant, Descendant, Ancestor, Reference]);

    let one = belonging(&mut source, &plan, &[10]);
    assert_eq!(one["request"], set(&[10]));
    assert_eq!(one["specimen"], set(&[19, 20]));
    assert_eq!(one["result"], set(&[28, 29, 30]));
    assert_eq!(one["patient"], set(&[31]), "other requests of this patient are other dossiers");
    assert_eq!(one["contact"], set(&[9, 18, 27, 30, 36, 45, 54, 63, 70, 72]), "the patient's, and nobody's");
    // validators 4, 5 and 1, whose head is 2, whose head is 3; nobody's subordinates
    assert_eq!(one["staff"], set(&[1, 2, 3, 4, 5]));
    assert_eq!(one["unit"], set(&[]), "reference data is no dossier's");
}

#[test]
fn a_dossier_that_another_refers_to_comes_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (mut source, plan) = laboratory(&folder, "");
    let both = belonging(&mut source, &plan, &[7]);
    assert_eq!(both["request"], set(&[6, 7]));
    assert_eq!(both["result"], set(&[16, 17, 18, 19, 20, 21]));
    // and the earlier one alone has nothing of the later
    assert_eq!(belonging(&mut source, &plan, &[6])["request"], set(&[6]));
}

#[test]
fn a_patient_that_names_its_last_request_brings_that_one_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (mut source, plan) = laboratory(&folder, "UPDATE patient SET last = 90 WHERE id = 31;");
    let found = belonging(&mut source, &plan, &[10]);
    assert_eq!(found["request"], set(&[10, 90]));
    assert_eq!(found["specimen"], set(&[19, 20, 179, 180]));
    // of no. 90, and its patient
    assert_eq!(found["patient"], set(&[31]));
}

#[test]
fn a_result_in_another_requests_specimen_brings_that_request_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (mut source, plan) = laboratory(&folder, "UPDATE result SET specimen = 40 WHERE id = 28;");
    let found = belonging(&mut source, &plan, &[10]);
    assert_eq!(found["request"], set(&[10, 20]), "no row is left without its parent");
    assert_eq!(found["result"], set(&[28, 29, 30, 58, 59, 60]));
}

#[test]
fn the_one_dossier_of_a_kind_is_always_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let (mut source, plan) = laboratory(&folder, "");
    let mut draws = BTreeSet::new();
    for seed in 1..20 {
        let read = &mut |t: &TablePlan, sink: Sink<'_>| source.read(t, &plan, &KeyRange::default(), sink);
        let drawn = draw(&plan, 4, &TokenKey::new([seed; 32]), [7; 32], read).unwrap();
        assert_eq!(drawn.there, 100);
        let told: Vec<_> = drawn.kinds.iter().map(|k| (k.name.as_str(), k.there, k.drawn)).collect();
        assert_eq!(told, [("microbiology", 1, 1), ("corrected", 1, 1), ("genetic", 0, 0)]);
        let keys: BTreeSet<Key> = drawn.keys.iter().cloned().collect();
        assert_eq!(keys.len(), 4);
        assert!(keys.contains(&request(90)) && keys.contains(&request(7)));
        // the same key draws the same
        let again = draw(&plan, 4, &TokenKey::new([seed; 32]), [9; 32], read).unwrap();
        assert_eq!(again.keys.into_iter().collect::<BTreeSet<Key>>(), keys);
        draws.insert(keys);
    }
    assert!(draws.len() > 15, "another key draws others: {}", draws.len());
    let read = &mut |t: &TablePlan, sink: Sink<'_>| source.read(t, &plan, &KeyRange::default(), sink);
    let few = draw(&plan, 1, &TokenKey::new([1; 32]), [7; 32], read).unwrap();
    assert_eq!(few.keys.len(), 2, "one of each kind, though one was asked for");
}

#[test]
fn each_dossier_of_several_is_taken_apart_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut source, plan) = laboratory(&folder, "");
    let alone = belonging(&mut source, &plan, &[10]);
    let read = &mut |t: &TablePlan, sink: Sink<'_>| source.read(t, &plan, &KeyRange::default(), sink);
    let selection = follow(&plan, [request(10), request(50), request(7)], [7; 32], 100, read).unwrap();
    assert_eq!(selection.dossiers(), 4, "no. 6 came with no. 7");
    let all = gather(&plan, &selection, read).unwrap();
    let one = all.one(request(10), [8; 32]).unwrap();
    for (name, rows) in NAMES.iter().zip(&one.tables) {
        assert_eq!(ids(rows), alone[name], "{name}");
    }
}

#[test]
fn dossiers_that_lead_to_too_many_others_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let chained = "UPDATE request SET corrects = id - 1 WHERE id > 1;";
    let (mut source, plan) = laboratory(&folder, chained);
    let read = &mut |t: &TablePlan, sink: Sink<'_>| source.read(t, &plan, &KeyRange::default(), sink);
    let fault = follow(&plan, [request(60)], [7; 32], 50, read).unwrap_err();
    assert_eq!(fault.code().id, "ECL-RUN-061");
    assert_eq!(follow(&plan, [request(40)], [7; 32], 50, read).unwrap().dossiers(), 40);
}
