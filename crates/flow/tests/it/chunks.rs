//! Cutting partitions any rising sequence of keys; the subset search finds what is true.

use ecluse_batch::assertion::ints;
use ecluse_batch::{Keys, RowHash, RowHasher, Tally, TallyKey};
use ecluse_core::types::Type;
use ecluse_core::value::{Key, Value};
use ecluse_flow::chunk::{Cutter, End, ROWS};
use ecluse_flow::subset::{self, Item, MOST, Side};
use proptest::prelude::*;

fn int(n: i64) -> Key {
    Key(vec![Value::Int(n)])
}

/// The chunks that a stream of batches is cut into, and the boundaries afterwards.
fn cut(stream: &[Vec<i64>], known: &[i64], row_bytes: usize) -> (Vec<Vec<i64>>, Vec<i64>) {
    let mut ends = known.to_vec();
    let mut cutter = Cutter::new(known.iter().copied().map(int).collect());
    let mut chunks = vec![vec![]];
    for rows in stream {
        let batch = ints(rows).unwrap();
        let keys = Keys::new(&batch, &[Type::Int], &[0]).unwrap();
        let mut from = 0;
        loop {
            let done = cutter.cut(&keys, from, rows.len(), row_bytes);
            chunks.last_mut().unwrap().extend_from_slice(&rows[from..from + done.rows]);
            from += done.rows;
            match done.ends {
                Some(End::New(Key(values))) => {
                    let [Value::Int(end)] = values[..] else { panic!("another key") };
                    ends.push(end);
                    chunks.push(vec![]);
                }
                Some(End::Known) => chunks.push(vec![]),
                None => assert_eq!(from, rows.len(), "a batch is used up or a chunk ends"),
            }
            if from >= rows.len() {
                break;
            }
        }
    }
    while cutter.end() {
        chunks.push(vec![]);
    }
    (chunks, ends)
}

fn rising() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::btree_set(-500i64..500, 0..200).prop_map(|set| set.into_iter().collect())
}

proptest! {
    #[test]
    fn every_row_is_in_the_one_chunk_whose_range_holds_it(
        rows in rising(), known in rising(), sizes in prop::collection::vec(1usize..50, 1..20), heavy in any::<bool>(),
    ) {
        let mut stream = Vec::new();
        let mut left = rows.as_slice();
        for size in sizes.iter().cycle() {
            if left.is_empty() {
                break;
            }
            let (batch, rest) = left.split_at((*size).min(left.len()));
            stream.push(batch.to_vec());
            left = rest;
        }
        let row_bytes = if heavy { 3 << 20 } else { 8 };
        let (chunks, ends) = cut(&stream, &known, row_bytes);
        prop_assert_eq!(chunks.concat(), rows);
        prop_assert_eq!(chunks.len(), ends.len() + 1);
        prop_assert!(ends.is_sorted_by(|a, b| a < b));
        for (number, chunk) in chunks.iter().enumerate() {
            let after = number.checked_sub(1).map(|n| ends[n]);
            let upto = ends.get(number);
            for row in chunk {
                prop_assert!(after.is_none_or(|end| *row > end) && upto.is_none_or(|end| row <= end));
            }
            if heavy && number >= known.len() {
                prop_assert!(chunk.len() <= 5, "16 MiB hold five rows of 3 MiB");
            }
        }
        // the same rows and boundaries give the same chunks
        let (again, same) = cut(&stream, &ends, row_bytes);
        prop_assert_eq!(again, chunks);
        prop_assert_eq!(same, ends);
    }

    #[test]
    fn the_subset_search_finds_the_combination_that_is_true(
        sides in prop::collection::vec(any::<bool>(), 1..=MOST), agree in 0i64..20,
    ) {
        let (base, items) = differing(agree, sides.len());
        let truth: Vec<Side> =
            sides.iter().map(|s| if *s { Side::Source } else { Side::Destination }).collect();
        let ledger = total(&base, &items, &truth);
        prop_assert_eq!(subset::find(&base, &items, &|sum| *sum == ledger), Some(truth));
    }
}

fn hashes(rows: std::ops::Range<i64>) -> Vec<RowHash> {
    let mut hasher = RowHasher::new(&TallyKey::new([9; 32]), "t", &[Type::Int]);
    let mut out = Vec::new();
    hasher.hash_rows(&ints(&rows.collect::<Vec<_>>()).unwrap(), &mut out).unwrap();
    out
}

fn tally(rows: &[RowHash]) -> Tally {
    let mut tally = Tally::new();
    tally.extend(rows);
    tally
}

/// Rows that agree, and rows that differ: altered, missing and extra ones in turn.
fn differing(agree: i64, differ: usize) -> (Tally, Vec<Item>) {
    let here = hashes(1_000..1_000 + i64::try_from(differ).unwrap());
    let there = hashes(5_000..5_000 + i64::try_from(differ).unwrap());
    let items = here.iter().zip(&there).enumerate().map(|(n, (h, t))| match n % 3 {
        0 => Item { source: tally(&[*h]), destination: tally(&[*t]), kind: 2 },
        1 => Item { source: tally(&[*h]), destination: Tally::new(), kind: 0 },
        _ => Item { source: Tally::new(), destination: tally(&[*t]), kind: 1 },
    });
    (tally(&hashes(0..agree)), items.collect())
}

fn total(base: &Tally, items: &[Item], sides: &[Side]) -> Tally {
    let mut sum = *base;
    for (item, side) in items.iter().zip(sides) {
        sum.merge(if *side == Side::Source { &item.source } else { &item.destination });
    }
    sum
}

#[test]
fn what_neither_side_explains_is_not_guessed() {
    let (base, items) = differing(3, 5);
    let other = tally(&hashes(90..91));
    assert_eq!(subset::find(&base, &items, &|sum| *sum == other), None);
}

#[test]
fn many_rows_of_one_kind_share_an_answer_beside_few_of_another() {
    let (base, mut items) = differing(3, 900);
    items.retain(|item| item.kind != 1);
    let mut few = 0;
    items.retain(|item| {
        item.kind != 2 || {
            few += 1;
            few <= 4
        }
    });
    // all missing rows were moved; of the altered ones two changed at the source since
    let truth: Vec<Side> = {
        let mut altered = 0;
        let side = |item: &Item| {
            altered += usize::from(item.kind == 2);
            if item.kind == 2 && altered % 2 == 0 { Side::Destination } else { Side::Source }
        };
        items.iter().map(side).collect()
    };
    let ledger = total(&base, &items, &truth);
    assert_eq!(subset::find(&base, &items, &|sum| *sum == ledger), Some(truth));
}

#[test]
fn a_chunk_ends_at_its_row_limit() {
    let rows: Vec<i64> = (0..i64::try_from(ROWS).unwrap() * 2 + 10).collect();
    let (chunks, ends) = cut(&[rows], &[], 8);
    assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [ROWS, ROWS, 10]);
    assert_eq!(ends.len(), 2);
}
