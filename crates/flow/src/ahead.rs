//! Reading ahead: a database delivers on a thread of its own, while what it delivered is worked on here.
//!
//! On one thread the two take turns, and the database with them: its buffer towards us is full while we
//! hash, and we wait for its next rows while it reads them.

use std::sync::mpsc::sync_channel;

use ecluse_batch::Batch;
use ecluse_core::fault::Result;

use crate::pipeline::DIED;
use crate::ports::Sink;
use crate::world::ENOUGH;

/// Batches that wait between the two threads. With the one being filled and the one being worked on,
/// four are in memory, each of about a megabyte or of one row.
const DEPTH: usize = 2;

/// Runs `read` on a thread of its own and hands each batch to `take` here, in the order in which it
/// came; `take` says whether more are wanted. Gives whether the read came to its end with all of it
/// wanted.
///
/// # Errors
///
/// The taker's, and else the read's, once everything that came before it was taken.
pub(crate) fn read(
    read: impl FnOnce(Sink<'_>) -> Result<()> + Send,
    mut take: impl FnMut(Batch) -> Result<bool>,
) -> Result<bool> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(DEPTH);
        let reading = scope
            .spawn(move || read(&mut |batch| sender.send(batch).map_err(|_the_batch_back| ENOUGH.fault(""))));
        let mut more = Ok(true);
        for batch in &receiver {
            more = take(batch);
            if !matches!(more, Ok(true)) {
                break;
            }
        }
        // a read that has more to send ends here
        drop(receiver);
        let read = reading.join().map_err(|_panic| DIED.fault("reading"))?;
        match (more?, read) {
            (more, Ok(())) => Ok(more),
            (false, Err(fault)) if std::ptr::eq(fault.code(), &ENOUGH) => Ok(false),
            (_, Err(fault)) => Err(fault),
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use ecluse_core::fault::Code;

    use super::*;

    static BROKE: Code = Code::outside("ECL-RUN-998", "the read broke");
    static REFUSED: Code = Code::refused("ECL-RUN-999", "the taker refused");

    /// A batch of so many rows and no column: its length names it.
    fn batch(rows: usize) -> Batch {
        Batch::new(&[], Vec::new(), rows).unwrap()
    }

    fn code<T: std::fmt::Debug>(read: Result<T>) -> &'static Code {
        read.unwrap_err().code()
    }

    #[test]
    fn every_batch_is_taken_in_its_order_while_others_are_read() {
        let (reached, waits) = channel();
        let (sent, mut taken) = (AtomicUsize::new(0), Vec::new());
        let whole = read(
            |sink| {
                for rows in 0..50 {
                    sink(batch(rows))?;
                    sent.store(rows + 1, Ordering::SeqCst);
                    let _ = reached.send(rows);
                }
                Ok(())
            },
            |batch| {
                if taken.is_empty() {
                    // the first is still in hand: on one thread the others would never come
                    while waits.recv_timeout(Duration::from_secs(20)).unwrap() < DEPTH {}
                }
                taken.push(batch.rows());
                assert!(sent.load(Ordering::SeqCst) <= taken.len() + DEPTH, "more wait than memory is for");
                Ok(true)
            },
        );
        assert!(whole.unwrap());
        assert_eq!(taken, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn what_came_before_a_fault_is_taken() {
        let mut taken = 0;
        let broken = read(
            |sink| {
                (0..5).try_for_each(|rows| sink(batch(rows)))?;
                Err(BROKE.fault(""))
            },
            |_| {
                taken += 1;
                Ok(true)
            },
        );
        assert_eq!((code(broken), taken), (&BROKE, 5));
    }

    #[test]
    fn a_taker_that_has_enough_ends_the_read() {
        let endless = |sink: Sink<'_>| loop {
            sink(batch(1))?;
        };
        assert!(!read(endless, |_| Ok(false)).unwrap());
        assert_eq!(code(read(endless, |_| Err(REFUSED.fault("")))), &REFUSED);
        // the last batch was enough: whether there would have been more is not known
        assert!(!read(|sink| sink(batch(1)), |_| Ok(false)).unwrap());
        // a read that cannot be ended cleanly says so
        let unclean = |sink: Sink<'_>| {
            while sink(batch(1)).is_ok() {}
            Err(BROKE.fault(""))
        };
        assert_eq!(code(read(unclean, |_| Ok(false))), &BROKE);
    }

    #[test]
    fn a_read_that_dies_is_a_fault() {
        let died = read(|_| panic!("a bug in an adapter"), |_| Ok(true));
        assert_eq!(code(died), &DIED);
    }
}
