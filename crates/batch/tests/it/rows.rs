//! Keys, filters and chosen rows over batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int64Array, StringArray};
use ecluse_batch::{Batch, ChosenSets, Keys, MISTYPED, Mask, NULL_KEY, OUT_OF_ORDER, Unreadable, evaluate};
use ecluse_core::fault::Code;
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::types::Type;
use ecluse_core::value::{Key, Value};
use proptest::prelude::*;

fn ints(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn pair(keys: &[(i64, &str)]) -> Batch {
    let n = ints(&keys.iter().map(|k| Some(k.0)).collect::<Vec<_>>());
    let t = texts(&keys.iter().map(|k| Some(k.1)).collect::<Vec<_>>());
    Batch::new(&[Type::Int, Type::Text], vec![n, t], keys.len()).unwrap()
}

fn key(n: i64, t: &str) -> Key {
    Key(vec![Value::Int(n), Value::Text(t.into())])
}

#[test]
fn keys_are_found_compared_and_their_order_held() {
    let types = [Type::Int, Type::Text];
    let batch = pair(&[(1, "B"), (1, "a"), (1, "é"), (2, "")]);
    let keys = Keys::new(&batch, &types, &[0, 1]).unwrap();
    assert_eq!(keys.get(1), Some(key(1, "a")));
    assert_eq!(keys.last(), Some(key(2, "")));
    assert_eq!(keys.get(4), None);
    keys.check_order(None).unwrap();
    keys.check_order(Some(&key(1, "A"))).unwrap();
    for before in [key(1, "B"), key(3, "")] {
        assert_eq!(keys.check_order(Some(&before)).unwrap_err().code(), &OUT_OF_ORDER);
    }
    for (upto, rows) in
        [(key(0, "z"), 0), (key(1, "B"), 1), (key(1, "b"), 2), (key(1, "é"), 3), (key(9, ""), 4)]
    {
        assert_eq!(keys.rows_upto(&upto), rows, "{rows}");
    }
    for unordered in [pair(&[(1, "a"), (1, "a")]), pair(&[(2, "a"), (1, "b")]), pair(&[(1, "é"), (1, "z")])]
    {
        let keys = Keys::new(&unordered, &types, &[0, 1]).unwrap();
        assert_eq!(
            keys.check_order(None).unwrap_err().code(),
            &OUT_OF_ORDER,
            "doubled, falling, or by another order than bytes"
        );
    }
}

#[test]
fn a_key_with_null_and_a_key_of_floats_are_refused() {
    let batch = Batch::new(&[Type::Int], vec![ints(&[Some(1), None])], 2).unwrap();
    assert_eq!(Keys::new(&batch, &[Type::Int], &[0]).err().unwrap().code(), &NULL_KEY);
    assert!(Keys::new(&batch, &[Type::Float], &[0]).is_err());
    assert!(Keys::new(&batch, &[Type::Int], &[1]).is_err());
}

#[test]
fn a_comparison_with_null_is_false_and_its_negation_true() {
    let batch = Batch::new(&[Type::Text], vec![texts(&[Some("P"), Some("F"), None, Some("p")])], 4).unwrap();
    let chosen = ChosenSets::new([0; 32]);
    let rows = |filter: &Filter| -> Vec<bool> {
        evaluate(filter, &batch, &[Type::Text], &chosen).unwrap().iter().collect()
    };
    let is = Filter::Compare { column: 0, op: Comparison::Eq, value: Value::Text("P".into()) };
    let differs = Filter::Compare { column: 0, op: Comparison::Ne, value: Value::Text("P".into()) };
    assert_eq!(rows(&is), [true, false, false, false]);
    assert_eq!(rows(&Filter::Not(Box::new(is))), [false, true, true, true]);
    assert_eq!(rows(&differs), [false, true, false, true]);
    assert_eq!(rows(&Filter::IsNull { column: 0 }), [false, false, true, false]);
    assert_eq!(rows(&Filter::Not(Box::new(Filter::IsNull { column: 0 }))), [true, true, false, true]);
    let prefix = Filter::StartsWith { column: 0, prefix: "P".into() };
    assert_eq!(rows(&prefix), [true, false, false, false]);
    let wrong = Filter::Compare { column: 0, op: Comparison::Eq, value: Value::Int(4) };
    assert_eq!(evaluate(&wrong, &batch, &[Type::Text], &chosen).unwrap_err().code(), &MISTYPED);
}

#[test]
fn decimals_compare_by_number_whatever_their_scale() {
    let ty = Type::Decimal { precision: 38, scale: 2 };
    let array =
        Decimal128Array::from(vec![150, -150, i128::from(i64::MAX)]).with_precision_and_scale(38, 2).unwrap();
    let batch = Batch::new(&[ty], vec![Arc::new(array)], 3).unwrap();
    let rows = |op, unscaled, scale| -> Vec<bool> {
        let filter = Filter::Compare { column: 0, op, value: Value::Decimal { unscaled, scale } };
        evaluate(&filter, &batch, &[ty], &ChosenSets::new([0; 32])).unwrap().iter().collect()
    };
    assert_eq!(rows(Comparison::Eq, 15, 1), [true, false, false]);
    assert_eq!(rows(Comparison::Lt, 1501, 3), [true, true, false]);
    // scaling up would overflow 128 bits: the magnitude decides
    assert_eq!(rows(Comparison::Lt, 10i128.pow(37), 0), [true, true, true]);
    assert_eq!(rows(Comparison::Lt, -(10i128.pow(37)), 0), [false, false, false]);
    assert_eq!(rows(Comparison::Gt, 1, 38), [true, false, true]);
}

#[test]
fn an_unreadable_row_is_not_asked_about() {
    static LIES: Code = Code::refused("ECL-SRC-999", "a test's code");
    let mark = |row| Unreadable { row, column: 0, code: &LIES };
    let batch = Batch::new(&[Type::Int], vec![ints(&[Some(1), None, Some(2), None])], 4)
        .unwrap()
        .with_unreadable(vec![mark(1), mark(1), mark(3)]);
    let filter = Filter::Compare { column: 0, op: Comparison::Eq, value: Value::Int(1) };
    let mask = evaluate(&filter, &batch, &[Type::Int], &ChosenSets::new([0; 32])).unwrap();
    assert_eq!(mask.iter().collect::<Vec<_>>(), [true, true, false, true]);
}

#[test]
fn chosen_rows_are_known_for_the_whole_range_and_only_where_asked_for() {
    let mut sets = ChosenSets::new([5; 32]);
    sets.want(0, 0, Type::Int);
    sets.want(0, 1, Type::Text);
    let values = [Some(i64::MIN), Some(-1), None, Some(0), Some(i64::MAX)];
    let names = [Some("é"), Some(""), None, Some("F "), Some("F")];
    let batch = Batch::new(&[Type::Int, Type::Text], vec![ints(&values), texts(&names)], 5).unwrap();
    let kept = Mask::from_fn(5, |row| row != 4);
    sets.collect(0, &batch, &[Type::Int, Type::Text], Some(&kept)).unwrap();
    let members = |array: &ArrayRef, ty, column| {
        sets.members(0, column, array, ty).map(|m| m.iter().collect::<Vec<_>>())
    };
    assert_eq!(members(&ints(&values), Type::Int, 0).unwrap(), [true, true, false, true, false]);
    assert_eq!(members(&texts(&names), Type::Text, 1).unwrap(), [true, true, false, true, false]);
    assert_eq!(
        members(&texts(&[Some("e\u{301}"), Some("f "), Some("F  ")]), Type::Text, 1).unwrap(),
        [false; 3]
    );
    assert!(members(&texts(&names), Type::Text, 0).is_err(), "another type");
    assert!(members(&ints(&values), Type::Int, 2).is_err(), "a set nobody asked for is not an empty one");
    assert_eq!(format!("{sets:?}"), "ChosenSets(2 columns)");
}

proptest! {
    #[test]
    fn cutting_at_a_key_agrees_with_the_keys_order(mut keys in proptest::collection::btree_set((-5i64..5, "[aé ]{0,2}"), 1..30), n in -6i64..6, t in "[aé ]{0,2}") {
        let sorted: Vec<(i64, String)> = std::mem::take(&mut keys).into_iter().collect();
        let rows: Vec<(i64, &str)> = sorted.iter().map(|(n, t)| (*n, t.as_str())).collect();
        let batch = pair(&rows);
        let found = Keys::new(&batch, &[Type::Int, Type::Text], &[0, 1]).unwrap();
        prop_assert!(found.check_order(None).is_ok());
        let upto = key(n, &t);
        let all: Vec<Key> = (0..rows.len()).map(|row| found.get(row).unwrap()).collect();
        prop_assert_eq!(found.rows_upto(&upto), all.iter().filter(|k| **k <= upto).count());
    }
}
