//! The write step: what is moved is what was there, and what does not fit is refused by code.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BinaryArray, Date32Array, Float64Array, Int64Array, StringArray};
use ecluse_batch::{Batch, NO_CAST, Reason, Unreadable, Writer, Written};
use ecluse_core::fault::Code;
use ecluse_core::plan::assertion::{TableFields, table};
use ecluse_core::plan::{Expression, Piece, ReadColumn, TablePlan, WriteColumn};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::Value;
use proptest::prelude::*;

fn written(ty: Type, from: Expression) -> WriteColumn {
    WriteColumn {
        name: "w".into(),
        ty,
        sql_type: String::new(),
        nullable: true,
        max_length: None,
        int_bounds: None,
        labels: Vec::new(),
        from,
        relation: false,
    }
}

fn planned(read: &[Type], write: Vec<WriteColumn>) -> TablePlan {
    table(TableFields {
        number: 0,
        source: "t".into(),
        view: None,
        destination: "t".into(),
        read: read
            .iter()
            .map(|ty| ReadColumn { name: "r".into(), ty: *ty, sql_type: String::new(), moved: true })
            .collect(),
        key: vec![0],
        filter: ecluse_core::filter::Filter::Every,
        write,
        write_key: vec![0],
        relations: Vec::new(),
    })
}

fn one(array: &ArrayRef, from: Type, column: WriteColumn) -> Written {
    let batch = Batch::new(&[from], vec![Arc::clone(array)], array.len()).unwrap();
    Writer::new(&planned(&[from], vec![column]), Engine::Postgresql).unwrap().write(&batch).unwrap()
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Casts texts; the rows that are refused, by index.
fn refused(values: &[&str], to: Type) -> Vec<usize> {
    let result = one(&texts(values), Type::Text, written(to, Expression::Cast(0)));
    assert!(result.refused.iter().all(|r| r.reason == Reason::Cast && r.column == Some(0)));
    assert_eq!(result.batch.rows() + result.refused.len(), values.len());
    result.refused.iter().map(|r| r.row).collect()
}

#[test]
fn a_column_moved_as_it_is_shares_its_memory() {
    let array = texts(&["a", "b"]);
    let result = one(&array, Type::Text, written(Type::Text, Expression::Column(0)));
    let out = &result.batch.columns()[0];
    assert_eq!(out.as_string::<i32>().values().as_ptr(), array.as_string::<i32>().values().as_ptr());
    assert!(result.refused.is_empty());
}

#[test]
fn null_empty_and_negative_stay_three_things() {
    let array: ArrayRef = Arc::new(StringArray::from(vec![None, Some(""), Some("négatif")]));
    let result = one(&array, Type::Text, written(Type::Text, Expression::Column(0)));
    let out: Vec<_> = result.batch.columns()[0].as_string::<i32>().iter().collect();
    assert_eq!(out, [None, Some(""), Some("négatif")]);
}

#[test]
fn only_exact_texts_become_numbers_dates_and_bools() {
    let decimal = Type::Decimal { precision: 6, scale: 2 };
    let wrong = |values: &[&str], to: Type| {
        let all: Vec<usize> = (0..values.len()).collect();
        assert_eq!(refused(values, to), all, "{to}: {values:?}");
    };
    let right = |values: &[&str], to: Type| assert_eq!(refused(values, to), [0usize; 0], "{to}: {values:?}");
    right(&["0", "-1", "007", "9223372036854775807", "-9223372036854775808"], Type::Int);
    wrong(&["", "+1", " 1", "1 ", "1.0", "1e3", "9223372036854775808", "０", "abc", "-"], Type::Int);
    right(&["0", "-12.5", "12.50", "12.500", "9999.99", "007.1"], decimal);
    wrong(&["12,5", "12.505", "10000", "1e3", ".5", "5.", "-", "", "+1", "1.2.3", "NaN"], decimal);
    right(&["1", "0", "true", "false"], Type::Bool);
    wrong(&["TRUE", "t", "yes", "oui", "", "2"], Type::Bool);
    right(&["2019-01-31", "2020-02-29", "0001-01-01", "9999-12-31"], Type::Date);
    wrong(
        &[
            "2019-02-29",
            "31/01/2019",
            "2019-1-31",
            "20190131",
            "2019-01-31 ",
            "0000-00-00",
            "+2019-01-31",
            "",
        ],
        Type::Date,
    );
    right(&["2019-01-31 23:59:59", "2019-01-31T00:00:00.123456"], Type::Timestamp);
    wrong(
        &[
            "2019-01-31",
            "2019-01-31 24:00:00",
            "2019-01-31 23:59:60",
            "2019-01-31 1:00:00",
            "2019-01-31 00:00:00Z",
            "2019-01-31 00:00:00.1234567",
            "éééééééééé 00:00:00",
        ],
        Type::Timestamp,
    );
    right(&["00:00:00", "23:59:59.5"], Type::Time);
    wrong(&["24:00:00", "1:00:00", "00:00", "00:00:00.", "00:00:00:00"], Type::Time);
    right(&["00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-AABBCCDDEEFF"], Type::Uuid);
    wrong(
        &[
            "00112233445566778899aabbccddeeff",
            "0011223-34455-6677-8899-aabbccddeeff",
            "é0112233-4455-6677-8899-aabbccddeef",
        ],
        Type::Uuid,
    );
    right(&["0.1", "-12.5", "123456789012345"], Type::Float);
    wrong(&["1e3", "inf", "NaN", "1234567890123456"], Type::Float);
}

#[test]
fn what_was_cast_is_the_same_number() {
    let cast = |array: ArrayRef, from, to| {
        one(&array, from, written(to, Expression::Cast(0))).batch.columns()[0].clone()
    };
    let ints = |values: &[i64]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    let decimal = Type::Decimal { precision: 10, scale: 3 };
    assert_eq!(cast(ints(&[-7]), Type::Int, decimal).as_primitive::<Decimal128Type>().value(0), -7000);
    assert_eq!(cast(ints(&[-7]), Type::Int, Type::Text).as_string::<i32>().value(0), "-7");
    assert_eq!(
        cast(texts(&["-12.50"]), Type::Text, decimal).as_primitive::<Decimal128Type>().value(0),
        -12_500
    );
    assert_eq!(cast(texts(&["1970-01-02"]), Type::Text, Type::Date).as_primitive::<Date32Type>().value(0), 1);
    assert_eq!(
        cast(texts(&["1969-12-31 23:59:59.5"]), Type::Text, Type::Timestamp)
            .as_primitive::<TimestampMicrosecondType>()
            .value(0),
        -500_000
    );
    let day: ArrayRef = Arc::new(Date32Array::from(vec![-1]));
    assert_eq!(cast(Arc::clone(&day), Type::Date, Type::Text).as_string::<i32>().value(0), "1969-12-31");
    assert_eq!(
        cast(day, Type::Date, Type::Timestamp).as_primitive::<TimestampMicrosecondType>().value(0),
        -86_400_000_000
    );
    assert_eq!(cast(texts(&["0.1"]), Type::Text, Type::Float).as_primitive::<Float64Type>().value(0), 0.1);
}

#[test]
fn a_float_is_the_decimal_its_writer_meant_or_nothing() {
    let to = Type::Decimal { precision: 20, scale: 2 };
    let array: ArrayRef = Arc::new(Float64Array::from(vec![
        12.34,
        -0.07,
        5.0,
        0.1 + 0.2,
        1.005,
        f64::NAN,
        f64::INFINITY,
        -0.0,
        1e300,
        123_456_789_012_345_680.0,
    ]));
    let result = one(&array, Type::Float, written(to, Expression::Cast(0)));
    let kept: Vec<_> = result.batch.columns()[0].as_primitive::<Decimal128Type>().values().to_vec();
    assert_eq!(kept, [1234, -7, 500]);
    assert_eq!(result.refused.iter().map(|r| r.row).collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8, 9]);
    assert_eq!([0, 1, 2].map(|row| result.origin(row)), [0, 1, 2]);
}

#[test]
fn every_float_is_a_text_from_which_it_can_be_told_back() {
    let values = [3.9, 4.0, -0.0, 0.1 + 0.2, 5e-324, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let array: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
    let result = one(&array, Type::Float, written(Type::Text, Expression::Cast(0)));
    assert!(result.refused.is_empty());
    let texts = result.batch.columns()[0].as_string::<i32>();
    for (row, value) in values.iter().enumerate() {
        let text = texts.value(row);
        let back: f64 = text.parse().unwrap();
        assert!(back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan()), "{text}");
        assert!(!text.contains(['e', '+']), "{text}: no exponent");
    }
    let named: Vec<&str> = [0, 1, 2, 3, 6, 7, 8].map(|row| texts.value(row)).to_vec();
    assert_eq!(named, ["3.9", "4", "-0", "0.30000000000000004", "Infinity", "-Infinity", "NaN"]);
}

#[test]
fn what_the_destination_cannot_hold_is_refused_before_it_is_sent() {
    let check = |array: ArrayRef, from: Type, column: WriteColumn, reason: Reason, rows: &[usize]| {
        let result = one(&array, from, column);
        assert_eq!(result.refused.iter().map(|r| r.row).collect::<Vec<_>>(), rows);
        assert!(result.refused.iter().all(|r| r.reason == reason), "{:?}", result.refused);
    };
    let plain = |ty| written(ty, Expression::Column(0));
    // characters, not bytes: é is two bytes; trailing blanks count, though PostgreSQL would drop them
    let short = WriteColumn { max_length: Some(3), ..plain(Type::Text) };
    check(texts(&["ééé", "abcd", "ab  ", "", "abc"]), Type::Text, short, Reason::TooLong, &[1, 2]);
    let bytes: ArrayRef = Arc::new(BinaryArray::from_iter_values([&b"abc"[..], b"abcd"]));
    let short = WriteColumn { max_length: Some(3), ..plain(Type::Bytes) };
    check(bytes, Type::Bytes, short, Reason::TooLong, &[1]);
    let small = WriteColumn { int_bounds: Some((-128, 127)), ..plain(Type::Int) };
    let ints: ArrayRef = Arc::new(Int64Array::from(vec![Some(127), Some(128), None, Some(-129)]));
    check(ints, Type::Int, small, Reason::OutOfRange, &[1, 3]);
    let full: ArrayRef = Arc::new(StringArray::from(vec![None, Some("")]));
    check(full, Type::Text, WriteColumn { nullable: false, ..plain(Type::Text) }, Reason::Null, &[0]);
    check(texts(&["a", "b\0c"]), Type::Text, plain(Type::Text), Reason::Nul, &[1]);
    let days: ArrayRef = Arc::new(Date32Array::from(vec![-2_440_588, -2_440_589, i32::MAX]));
    check(days, Type::Date, plain(Type::Date), Reason::OutOfRange, &[1, 2]);
}

#[test]
fn sqlite_would_change_two_floats_so_they_are_refused_there_only() {
    let array: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0, f64::NAN]));
    let plan = planned(&[Type::Float], vec![written(Type::Float, Expression::Column(0))]);
    let batch = Batch::new(&[Type::Float], vec![array], 3).unwrap();
    for (engine, refused) in [(Engine::Sqlite, 2), (Engine::Postgresql, 0)] {
        assert_eq!(Writer::new(&plan, engine).unwrap().write(&batch).unwrap().refused.len(), refused);
    }
}

#[test]
fn codes_are_looked_up_and_never_guessed() {
    let line = |a: &str, b: &str| (Value::Text(a.into()), Value::Text(b.into()));
    // unsorted on purpose
    let codes = Expression::Code {
        column: 0,
        table: vec![line("P", "positive"), line("", "empty"), line("N", "negative")],
    };
    let array: ArrayRef =
        Arc::new(StringArray::from(vec![Some("N"), Some("n"), None, Some(""), Some("P "), Some("P")]));
    let result = one(&array, Type::Text, written(Type::Text, codes));
    let out: Vec<_> = result.batch.columns()[0].as_string::<i32>().iter().collect();
    assert_eq!(out, [Some("negative"), None, Some("empty"), Some("positive")]);
    let refused: Vec<_> = result.refused.iter().map(|r| (r.row, r.reason)).collect();
    assert_eq!(refused, [(1, Reason::Unmapped), (4, Reason::Unmapped)]);
    assert_eq!([0, 1, 2, 3].map(|row| result.origin(row)), [0, 2, 3, 5]);

    // a code table is text; its codes are typed by the column
    let numbers = Expression::Code {
        column: 0,
        table: vec![
            (Value::Text("10".into()), Value::Int(1)),
            (Value::Text("9".into()), Value::Int(2)),
            (Value::Null, Value::Int(0)),
        ],
    };
    let ints: ArrayRef = Arc::new(Int64Array::from(vec![Some(9), None, Some(10), Some(11)]));
    let result = one(&ints, Type::Int, written(Type::Int, numbers));
    assert_eq!(result.batch.columns()[0].as_primitive::<Int64Type>().values(), &[2, 0, 1]);
    assert_eq!(result.refused.len(), 1);
}

#[test]
fn constants_and_joined_texts() {
    let pieces = vec![Piece::Column(0), Piece::Literal(" / ".into()), Piece::Column(0)];
    let array: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
    let result = one(&array, Type::Text, written(Type::Text, Expression::Concat(pieces)));
    let out: Vec<_> = result.batch.columns()[0].as_string::<i32>().iter().flatten().collect();
    assert_eq!(out, ["a / a", " / "]);
    for (ty, value) in [
        (Type::Bool, Value::Bool(true)),
        (Type::Int, Value::Int(4)),
        (Type::Decimal { precision: 4, scale: 1 }, Value::Decimal { unscaled: 15, scale: 1 }),
        (Type::Text, Value::Text("x".into())),
        (Type::Bytes, Value::Bytes(vec![1])),
        (Type::Date, Value::Date(1)),
        (Type::Timestamp, Value::Timestamp(1)),
        (Type::Instant, Value::Instant(1)),
        (Type::Time, Value::Time(1)),
        (Type::Uuid, Value::Uuid([7; 16])),
        (Type::Json, Value::Text("{}".into())),
        (Type::Float, Value::Null),
    ] {
        let result = one(&array, Type::Text, written(ty, Expression::Constant(value.clone())));
        assert_eq!(result.batch.rows(), 2, "{ty}");
        assert_eq!(result.batch.columns()[0].null_count(), if value == Value::Null { 2 } else { 0 });
    }
}

#[test]
fn an_unreadable_value_refuses_its_row_with_the_sources_code() {
    static LIES: Code = Code::refused("ECL-SRC-999", "a test's code");
    let batch = Batch::new(&[Type::Text], vec![texts(&["a", "b", "c"])], 3)
        .unwrap()
        .with_unreadable(vec![Unreadable { row: 1, column: 0, code: &LIES }]);
    let plan = planned(
        &[Type::Text],
        vec![WriteColumn { max_length: Some(0), ..written(Type::Text, Expression::Column(0)) }],
    );
    let result = Writer::new(&plan, Engine::Postgresql).unwrap().write(&batch).unwrap();
    let codes: Vec<_> = result.refused.iter().map(|r| (r.row, r.reason.code().id)).collect();
    assert_eq!(
        codes,
        [(0, "ECL-BAT-103"), (1, "ECL-SRC-999"), (2, "ECL-BAT-103")],
        "each row once, its first reason"
    );
}

#[test]
fn a_plan_that_cannot_be_carried_out_is_refused_before_any_row() {
    let cases = [
        (Type::Int, written(Type::Text, Expression::Column(0))),
        (Type::Timestamp, written(Type::Instant, Expression::Cast(0))),
        (Type::Instant, written(Type::Timestamp, Expression::Cast(0))),
        (Type::Text, written(Type::Int, Expression::Constant(Value::Text("4".into())))),
        (
            Type::Text,
            written(
                Type::Decimal { precision: 3, scale: 1 },
                Expression::Constant(Value::Decimal { unscaled: 1, scale: 0 }),
            ),
        ),
        (
            Type::Text,
            written(
                Type::Decimal { precision: 3, scale: 1 },
                Expression::Constant(Value::Decimal { unscaled: 1000, scale: 1 }),
            ),
        ),
        (Type::Int, written(Type::Text, Expression::Concat(vec![Piece::Column(0)]))),
        (
            Type::Int,
            written(
                Type::Text,
                Expression::Code { column: 0, table: vec![(Value::Text("x".into()), Value::Null)] },
            ),
        ),
    ];
    for (from, column) in cases {
        let fault = Writer::new(&planned(&[from], vec![column.clone()]), Engine::Postgresql).unwrap_err();
        assert_eq!(fault.code(), &NO_CAST, "{:?}", column.from);
    }
    assert!(
        Writer::new(&planned(&[Type::Int], vec![written(Type::Int, Expression::Column(1))]), Engine::Sqlite)
            .is_err()
    );
}

#[test]
fn every_conversion_that_is_offered_exists() {
    let decimal = Type::Decimal { precision: 10, scale: 2 };
    let all = [
        Type::Bool,
        Type::Int,
        decimal,
        Type::Float,
        Type::Text,
        Type::Bytes,
        Type::Date,
        Type::Timestamp,
        Type::Instant,
        Type::Time,
        Type::Uuid,
        Type::Json,
    ];
    for from in all {
        for to in all {
            let plan = planned(&[from], vec![written(to, Expression::Cast(0))]);
            let writer = Writer::new(&plan, Engine::Postgresql);
            assert_eq!(writer.is_ok(), from.casts_to(to), "{from} to {to}");
            if let Ok(writer) = writer {
                let none = arrow_array::new_null_array(&ecluse_batch::arrow_type(from), 3);
                let out = writer.write(&Batch::new(&[from], vec![none], 3).unwrap()).unwrap();
                assert_eq!(out.batch.rows(), 3, "NULL stays NULL: {from} to {to}");
            }
        }
    }
}

proptest! {
    // there and back: an exact conversion loses nothing
    #[test]
    fn text_gives_back_what_was_made_of_it(int in any::<i64>(), unscaled in -999_999_999_999i64..1_000_000_000_000, days in -719_162i32..2_932_896, micros in -62_135_596_800_000_000i64..253_402_300_799_999_999) {
        let decimal = Type::Decimal { precision: 12, scale: 4 };
        let there_and_back = |ty: Type, value: Value| {
            let from = Expression::Constant(value.clone());
            let typed = one(&texts(&["x"]), Type::Text, written(ty, from)).batch.columns()[0].clone();
            let text = one(&typed, ty, written(Type::Text, Expression::Cast(0))).batch.columns()[0].clone();
            let back = one(&text, Type::Text, written(ty, Expression::Cast(0)));
            let again = one(&texts(&["x"]), Type::Text, written(ty, Expression::Constant(value))).batch.columns()[0].clone();
            back.refused.is_empty() && *back.batch.columns()[0] == *again
        };
        prop_assert!(there_and_back(Type::Int, Value::Int(int)), "there and back");
        prop_assert!(there_and_back(decimal, Value::Decimal { unscaled: i128::from(unscaled), scale: 4 }), "there and back");
        prop_assert!(there_and_back(Type::Date, Value::Date(days)), "there and back");
        prop_assert!(there_and_back(Type::Timestamp, Value::Timestamp(micros)), "there and back");
        prop_assert!(there_and_back(Type::Time, Value::Time(micros.rem_euclid(86_400_000_000))), "there and back");
        prop_assert!(there_and_back(Type::Uuid, Value::Uuid((u128::from(int.cast_unsigned()) << 32).to_be_bytes())), "there and back");
    }

    #[test]
    fn no_text_panics_a_cast(text in ".{0,30}") {
        for to in [Type::Int, Type::Decimal { precision: 38, scale: 10 }, Type::Float, Type::Bool, Type::Date, Type::Timestamp, Type::Time, Type::Uuid] {
            let _ = one(&texts(&[&text]), Type::Text, written(to, Expression::Cast(0)));
        }
    }
}

#[test]
fn a_local_time_of_a_named_zone_is_an_instant_or_refuses_its_row() {
    use ecluse_core::zone::{Fold, Zone};
    const HOUR: i64 = 3_600_000_000;
    // 2024-03-31, 2024-10-27 and 2024-07-01 at midnight
    let (spring, autumn, summer) = (19_813 * 24 * HOUR, 20_023 * 24 * HOUR, 19_905 * 24 * HOUR);
    let local =
        [Some(summer), None, Some(spring + 2 * HOUR), Some(autumn + 2 * HOUR + 1), Some(autumn + 3 * HOUR)];
    let array: ArrayRef = Arc::new(arrow_array::TimestampMicrosecondArray::from(local.to_vec()));
    let zoned = |fold| {
        let zone = Zone::named("Europe/Paris", fold);
        let from = Expression::Moment { column: 0, zone, zero_null: false };
        let out = one(&array, Type::Timestamp, written(Type::Instant, from));
        let refused: Vec<_> = out.refused.iter().map(|r| (r.row, r.reason.code().id)).collect();
        let column = out.batch.columns()[0].as_primitive::<TimestampMicrosecondType>();
        (refused, column.iter().collect::<Vec<_>>())
    };
    let (missing, doubled) = ((2, "ECL-BAT-111"), (3, "ECL-BAT-110"));
    let (first, last) = (Some(summer - 2 * HOUR), Some(autumn + 2 * HOUR));
    assert_eq!(zoned(Fold::Refuse), (vec![missing, doubled], vec![first, None, last]));
    assert_eq!(zoned(Fold::Earlier), (vec![missing], vec![first, None, Some(autumn + 1), last]));
    assert_eq!(zoned(Fold::Later), (vec![missing], vec![first, None, Some(autumn + HOUR + 1), last]));
}

#[test]
fn single_precision_is_cast_by_the_digits_that_it_shows() {
    let values = [5.4_f32, 0.1, 655.96, -1.1, 16_777_216.0, 123_456_792.0, f32::NAN].map(f64::from);
    let array: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
    let to = |ty| one(&array, Type::Single, written(ty, Expression::Cast(0)));
    let refused = |w: &Written| w.refused.iter().map(|r| r.row).collect::<Vec<_>>();
    let text = to(Type::Text);
    let told: Vec<_> = text.batch.columns()[0].as_string::<i32>().iter().flatten().collect();
    assert_eq!(told, ["5.4", "0.1", "655.96", "-1.1", "16777216", "123456790", "NaN"]);
    let decimal = to(Type::Decimal { precision: 10, scale: 2 });
    assert_eq!(refused(&decimal), [5, 6], "whole numbers that a binary32 does not tell apart");
    let unscaled = decimal.batch.columns()[0].as_primitive::<Decimal128Type>().values().to_vec();
    assert_eq!(unscaled, [540, 10, 65_596, -110, 1_677_721_600]);
    assert_eq!(refused(&to(Type::Int)), [0, 1, 2, 3, 5, 6]);
    let wide = to(Type::Float);
    let bits = wide.batch.columns()[0].as_primitive::<Float64Type>().values().iter().map(|v| v.to_bits());
    assert!(bits.eq(values.iter().map(|v| v.to_bits())), "the same numbers");
    // and back: what a binary32 holds, written as it would be
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![0.5, 5.4, f64::from(5.4_f32), f64::MAX]));
    let narrow = one(&doubles, Type::Float, written(Type::Single, Expression::Cast(0)));
    assert_eq!(refused(&narrow), [1, 3]);
    let written_so = texts(&[
        "5.4",
        "655.96",
        "-12.50",
        "0",
        "0.1000000001",
        "16777217",
        "1e3",
        "NaN",
        "400000000000000000000000000000000000000",
    ]);
    let read = one(&written_so, Type::Text, written(Type::Single, Expression::Cast(0)));
    assert_eq!(refused(&read), [4, 5, 6, 7, 8]);
    assert_eq!(read.batch.columns()[0].as_primitive::<Float64Type>().value(0), f64::from(5.4_f32));
}

// proves: REC-03
#[test]
fn bytes_that_are_no_utf_8_refuse_their_row_where_they_are_said_to_be() {
    let kept = texts(&["HÃ©lÃ¨ne", "Zoé", "plain", "Î©"]);
    let mut column = written(Type::Text, Expression::Utf8(0));
    column.max_length = Some(6);
    let out = one(&kept, Type::Text, column);
    let refused: Vec<_> = out.refused.iter().map(|r| (r.row, r.reason.code().id)).collect();
    assert_eq!(refused, [(1, "ECL-BAT-112")]);
    let there: Vec<_> = out.batch.columns()[0].as_string::<i32>().iter().flatten().collect();
    assert_eq!(there, ["Hélène", "plain", "Ω"]);
    let number = planned(&[Type::Int], vec![written(Type::Text, Expression::Utf8(0))]);
    assert_eq!(Writer::new(&number, Engine::Postgresql).unwrap_err().code(), &NO_CAST);
}
