//! Two threads and a narrow channel: one tallies what a third reads ahead, one writes.

use std::sync::mpsc::sync_channel;

use ecluse_core::fault::{Code, Result};

use crate::reader::{Emit, Message};
use crate::world::{ENOUGH, World};

/// Chunks that wait between the two threads. With the one being filled and the one being
/// written, four chunks of at most 16 MiB are in memory.
const DEPTH: usize = 2;

pub(crate) static DIED: Code = Code::outside("ECL-RUN-017", "a thread of the run died");

/// How the pipeline ended without a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All messages were taken.
    Whole,
    /// The operator asked to stop.
    Stopped,
}

/// Runs `read` on a thread of its own and `take` here, until there is no more message, a
/// fault on either side, or the order to stop. What was taken before a fault stays done.
pub(crate) fn pump(
    world: &World<'_>,
    read: impl FnOnce(Emit<'_>) -> Result<()> + Send,
    mut take: impl FnMut(Message) -> Result<()>,
) -> Result<Ended> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Result<Message>>(DEPTH);
        let reader = scope.spawn(move || {
            let mut emit = |message| sender.send(Ok(message)).map_err(|_the_message_back| ENOUGH.fault(""));
            if let Err(fault) = read(&mut emit) {
                // nobody listens where the writing half ended first: then its reason counts
                let _unheard = sender.send(Err(fault));
            }
        });
        let mut ended = Ok(Ended::Whole);
        loop {
            if world.stopped() {
                ended = Ok(Ended::Stopped);
                break;
            }
            let Ok(message) = receiver.recv() else { break };
            if let Err(fault) = message.and_then(&mut take) {
                ended = Err(fault);
                break;
            }
        }
        drop(receiver);
        match reader.join() {
            Ok(()) => ended,
            Err(_panic) => ended.and(Err(DIED.fault("reading"))),
        }
    })
}
