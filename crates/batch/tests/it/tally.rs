//! What tallies promise: order does not matter, every cell does, and the key hides it all.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use ecluse_batch::{Batch, RowHash, RowHasher, Scope, Tally, TallyKey};
use ecluse_core::types::Type;
use proptest::prelude::*;

const TYPES: [Type; 3] = [Type::Int, Type::Text, Type::Text];
type Row = (i64, Option<String>, Option<String>);

fn hashes(key: u8, table: &str, rows: &[Row]) -> Vec<RowHash> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.0))),
        Arc::new(rows.iter().map(|r| r.1.as_deref()).collect::<StringArray>()),
        Arc::new(rows.iter().map(|r| r.2.as_deref()).collect::<StringArray>()),
    ];
    let batch = Batch::new(&TYPES, columns, rows.len()).unwrap();
    let mut out = Vec::new();
    RowHasher::new(&TallyKey::new([key; 32]), table, &TYPES).hash_rows(&batch, &mut out).unwrap();
    out
}

fn tally(rows: &[Row]) -> Tally {
    let mut tally = Tally::new();
    tally.extend(&hashes(1, "result", rows));
    tally
}

fn text() -> impl Strategy<Value = Option<String>> {
    // short and out of few letters, so that neighbours could run together
    proptest::option::of("[ab\u{0}\u{1}é]{0,3}")
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec((-3i64..4, text(), text()), 0..12)
}

proptest! {
    #[test]
    fn the_order_of_rows_does_not_matter(rows in rows(), seed in any::<u64>()) {
        let mut shuffled = rows.clone();
        shuffled.sort_by_key(|r| (r.0.unsigned_abs() ^ seed, r.1.clone(), r.2.clone()));
        prop_assert_eq!(tally(&rows), tally(&shuffled));
    }

    // U+0005 is also the tag of a text: without the lengths both rows would be the same bytes
    #[test]
    fn texts_that_would_run_together_are_told_apart(p in "[ab]{0,3}", q in "[ab]{0,3}", r in "[ab]{0,3}") {
        let row = |a: String, b: String| (1, Some(a), Some(b));
        let left = row(p.clone(), format!("{q}\u{5}{r}"));
        let right = row(format!("{p}\u{5}{q}"), r);
        prop_assert_ne!(tally(&[left]), tally(&[right]));
    }

    #[test]
    fn different_rows_have_different_tallies(a in rows(), b in rows()) {
        let sorted = |rows: &[Row]| { let mut r = rows.to_vec(); r.sort(); r };
        prop_assert_eq!(sorted(&a) == sorted(&b), tally(&a) == tally(&b));
    }

    #[test]
    fn chunks_add_up_and_rows_can_be_taken_out(a in rows(), b in rows()) {
        let mut whole = tally(&a);
        whole.merge(&tally(&b));
        prop_assert_eq!(whole, tally(&[a.clone(), b.clone()].concat()));
        for hash in hashes(1, "result", &b) {
            whole.subtract(&hash);
        }
        prop_assert_eq!(whole, tally(&a));
    }
}

#[test]
fn swapping_two_patients_results_changes_the_tally() {
    let row = |id, result: &str| (id, Some("glucose".to_owned()), Some(result.to_owned()));
    let right = [row(1, "5.1"), row(2, "12.4")];
    let swapped = [row(1, "12.4"), row(2, "5.1")];
    assert_ne!(tally(&right), tally(&swapped), "a digest per column would be equal");
}

#[test]
fn doubled_rows_do_not_cancel_out() {
    let row = (1, Some("x".to_owned()), None);
    assert_ne!(tally(&[row.clone(), row.clone()]), tally(&[]), "under XOR they would");
    assert_eq!(tally(&[row.clone(), row]).count(), 2);
}

#[test]
fn nothing_published_is_equal_under_another_key_table_or_chunk() {
    let rows = [(1, Some("x".to_owned()), None)];
    let publish = |key: u8, table: &str, scope| {
        let mut tally = Tally::new();
        tally.extend(&hashes(key, table, &rows));
        tally.publish(&TallyKey::new([key; 32]), scope)
    };
    let chunk = |table, chunk| Scope::Chunk { table, chunk };
    let all = [
        publish(1, "result", chunk(0, 0)),
        publish(2, "result", chunk(0, 0)),
        publish(1, "patient", chunk(0, 0)),
        publish(1, "result", chunk(0, 1)),
        publish(1, "result", chunk(1, 0)),
        publish(1, "result", Scope::Table(0)),
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|b| a != b));
    }
}

#[test]
fn nothing_prints_a_value_or_a_hash() {
    let rows = [(4_242_424, Some("Éléonore".to_owned()), None)];
    let hash = &hashes(1, "result", &rows)[0];
    let hasher = RowHasher::new(&TallyKey::new([0xAB; 32]), "result", &TYPES);
    let printed = format!("{hash:?} {hasher:?} {:?} {:?}", tally(&rows), TallyKey::new([0xAB; 32]));
    assert_eq!(printed, "RowHash(…) RowHasher(3 columns) Tally(1 rows) TallyKey(…)");
}
