//! Which thing is put back next: two connections take from one list, as the engine's locks let them.
//!
//! | thing | lock on its table | beside it, on the same table |
//! |---|---|---|
//! | an index | SHARE | other indexes |
//! | a foreign key's validation, statistics | SHARE UPDATE EXCLUSIVE | nothing |
//!
//! So a table's indexes are built together, and the rest follows one by one while the other connection is at
//! the next table. Nothing here waits within the engine, where a lock would run into `lock_timeout`.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use ecluse_core::fault::Result;

/// What is left to do on one table.
pub(super) struct Table<T> {
    /// May be done side by side.
    pub(super) together: VecDeque<T>,
    /// Once these are through, one by one.
    pub(super) alone: VecDeque<T>,
}

/// The list, the tables that take longest first.
pub(super) struct Lanes<T> {
    tables: Mutex<Vec<At<T>>>,
    freed: Condvar,
}

/// A table, and how many of its things are being done.
struct At<T> {
    left: Table<T>,
    busy: usize,
}

impl<T> Lanes<T> {
    pub(super) fn new(tables: Vec<Table<T>>) -> Self {
        let tables = tables.into_iter().map(|left| At { left, busy: 0 }).collect();
        Self { tables: Mutex::new(tables), freed: Condvar::new() }
    }

    /// Whether a second connection would find anything to do beside the first.
    pub(super) fn is_for_two(&self) -> bool {
        let tables = self.lock();
        tables.len() > 1 || tables.iter().any(|table| table.left.together.len() > 1)
    }

    /// Does what is left, thing by thing, until there is none; for as many threads as like. Where one of
    /// them fails, none begins another thing.
    ///
    /// # Errors
    ///
    /// The thing's.
    pub(super) fn work(&self, mut does: impl FnMut(T) -> Result<()>) -> Result<()> {
        while let Some((table, thing)) = self.next() {
            let busy = Busy { lanes: self, table };
            let done = does(thing);
            if done.is_err() {
                self.lock().clear();
            }
            drop(busy);
            done?;
        }
        Ok(())
    }

    /// The next thing that may be done now, once there is one; `None` where nothing is left to begin.
    fn next(&self) -> Option<(usize, T)> {
        let mut tables = self.lock();
        loop {
            for (number, table) in tables.iter_mut().enumerate() {
                let At { left, busy } = table;
                let alone = || if *busy == 0 { left.alone.pop_front() } else { None };
                if let Some(thing) = left.together.pop_front().or_else(alone) {
                    *busy += 1;
                    return Some((number, thing));
                }
            }
            if tables.iter().all(|table| table.left.alone.is_empty()) {
                return None;
            }
            tables = self.freed.wait(tables).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<At<T>>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thing being done: whoever waits for its table goes on when it ends, however it does.
struct Busy<'a, T> {
    lanes: &'a Lanes<T>,
    table: usize,
}

impl<T> Drop for Busy<'_, T> {
    fn drop(&mut self) {
        if let Some(table) = self.lanes.lock().get_mut(self.table) {
            table.busy = table.busy.saturating_sub(1);
        }
        self.lanes.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ecluse_core::fault::Code;

    use super::*;

    static BROKE: Code = Code::outside("ECL-DST-998", "a thing broke");

    fn table<T: Copy>(together: &[T], alone: &[T]) -> Table<T> {
        Table { together: together.iter().copied().collect(), alone: alone.iter().copied().collect() }
    }

    #[test]
    fn indexes_of_one_table_are_built_together_and_what_needs_the_table_alone_has_it_alone() {
        let lanes = Lanes::new(vec![
            table(
                &[("big", "index"), ("big", "index")],
                &[("big", "fk"), ("big", "fk"), ("big", "statistics")],
            ),
            table(&[("small", "index")], &[("small", "fk")]),
        ]);
        assert!(lanes.is_for_two());
        // both indexes of the largest table are under way at once, or this never ends
        let both = Barrier::new(2);
        let (busy, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let lane = || {
            lanes.work(|(table, kind)| {
                let big = usize::from(table == "big");
                let beside = busy.fetch_add(big, Ordering::SeqCst);
                match (table, kind) {
                    ("big", "index") => drop(both.wait()),
                    ("big", _) => assert_eq!(beside, 0, "{kind} beside another thing of its table"),
                    _ => {}
                }
                std::thread::yield_now();
                busy.fetch_sub(big, Ordering::SeqCst);
                done.lock().unwrap().push((table, kind));
                Ok(())
            })
        };
        std::thread::scope(|scope| {
            let (one, two) = (scope.spawn(lane), scope.spawn(lane));
            one.join().unwrap().unwrap();
            two.join().unwrap().unwrap();
        });
        let done = done.into_inner().unwrap();
        let of = |wanted: &str| -> Vec<&str> {
            done.iter().filter(|(table, _)| *table == wanted).map(|(_, kind)| *kind).collect()
        };
        assert_eq!(of("big"), ["index", "index", "fk", "fk", "statistics"]);
        assert_eq!(of("small"), ["index", "fk"]);
    }

    #[test]
    fn nothing_is_begun_once_a_thing_failed() {
        let lanes = Lanes::new(vec![table(&[1], &[2]), table(&[], &[3])]);
        let mut begun = Vec::new();
        let failed = lanes.work(|thing| {
            begun.push(thing);
            Err(BROKE.fault(""))
        });
        assert!(std::ptr::eq(failed.unwrap_err().code(), &BROKE));
        assert_eq!(begun, [1]);
        assert!(lanes.work(|_| panic!("the list is closed")).is_ok());
    }

    #[test]
    fn a_lane_that_dies_holds_up_no_other() {
        let lanes = Lanes::new(vec![table(&["dies"], &["goes on"])]);
        assert!(!lanes.is_for_two(), "one thing after the other");
        let mut done = Vec::new();
        std::thread::scope(|scope| {
            let dies = scope.spawn(|| lanes.work(|_| panic!("a bug in the driver")));
            assert!(dies.join().is_err());
        });
        let mut note = |thing| {
            done.push(thing);
            Ok(())
        };
        lanes.work(&mut note).unwrap();
        assert_eq!(done, ["goes on"]);
    }
}
