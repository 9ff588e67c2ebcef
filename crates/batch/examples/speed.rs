//! Where a million rows' time goes: `cargo run --release -p ecluse-batch --example speed`.
#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(clippy::expect_used, reason = "a measurement, not the product")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use ecluse_batch::{Batch, ChosenSets, Keys, RowHasher, Tally, TallyKey, evaluate};
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::types::Type;
use ecluse_core::value::Value;

const ROWS: usize = 2_048;

fn main() {
    use Type::{Date, Float, Int, Text, Timestamp};
    let types = [Int, Int, Int, Int, Text, Text, Float, Text, Timestamp, Date, Text];
    let batch = batch(&types);
    let mut hasher = RowHasher::new(&TallyKey::new([7; 32]), "result", &types);
    let mut hashes = Vec::new();
    let mut tally = Tally::new();
    report("tally", || {
        hashes.clear();
        hasher.hash_rows(&batch, &mut hashes).expect("the batch is the hasher's");
        tally.extend(&hashes);
    });
    report("key order", || {
        Keys::new(&batch, &types, &[0]).expect("a key").check_order(None).expect("in order");
    });
    let mut chosen = ChosenSets::new([1; 32]);
    chosen.want(0, 0, Int);
    report("collecting a set", || chosen.collect(0, &batch, &types, None).expect("wanted"));
    let filter = Filter::And(vec![
        Filter::Compare { column: 8, op: Comparison::Ge, value: Value::Timestamp(5) },
        Filter::Chosen { column: 0, table: 0, other: 0 },
    ]);
    report("filter", || {
        black_box(evaluate(&filter, &batch, &types, &chosen).expect("typed"));
    });
    println!("{} rows tallied", black_box(tally).count());
}

fn report(what: &str, mut f: impl FnMut()) {
    let mut best = f64::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{what:<20} {:.3} s per million rows", best * 1e6 / 2_048.0);
}

fn batch(types: &[Type]) -> Batch {
    let n = i64::try_from(ROWS).unwrap_or(0);
    let ints = |f: fn(i64) -> i64| Arc::new(Int64Array::from_iter_values((0..n).map(f))) as ArrayRef;
    let texts = |f: fn(i64) -> Option<String>| Arc::new((0..n).map(f).collect::<StringArray>()) as ArrayRef;
    let columns = vec![
        ints(|i| i),
        ints(|i| i / 3),
        ints(|i| i % 500),
        ints(|i| i % 7),
        texts(|i| Some(format!("LOINC-{}", i % 997))),
        texts(|i| (i % 3 == 0).then(|| "négatif".to_owned())),
        Arc::new(Float64Array::from_iter(
            (0..ROWS).map(|i| Some(f64::from(u32::try_from(i).unwrap_or(0)) / 8.0)),
        )) as ArrayRef,
        texts(|_| Some("mmol/L".to_owned())),
        Arc::new(TimestampMicrosecondArray::from_iter_values((0..n).map(|i| i * 1000))) as ArrayRef,
        Arc::new(Date32Array::from_iter_values((0..ROWS).map(|i| i32::try_from(i % 9000).unwrap_or(0))))
            as ArrayRef,
        texts(|i| (i % 11 == 0).then(|| "à contrôler sur un second prélèvement".to_owned())),
    ];
    Batch::new(types, columns, ROWS).expect("columns of these types")
}
