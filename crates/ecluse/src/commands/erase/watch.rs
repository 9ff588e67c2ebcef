//! A process that stays and looks again and again, where nobody sets up a timer of the system.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ecluse_core::fault::Result;
use jiff::{SignedDuration, Timestamp};

use super::due::Who;
use super::once;
use crate::clock;
use crate::commands::Here;
use crate::output;

/// How long a signal to stop is not noticed at most.
const PAUSE: Duration = Duration::from_secs(2);

/// Looks now and after every `hours` hours, until it is told to stop (SIGINT, SIGTERM). What could not be
/// erased is tried again at the next look: it is told, and ends nothing. A clock that is set back is looked at anew, at
/// once.
///
/// # Errors
///
/// None of a look's own; the last look's fault once it is told to stop.
pub(super) fn run(here: &Here, hours: u32) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let _as_ever_where_it_fails = signal_hook::flag::register(signal, Arc::clone(&stop));
    }
    looks(here, hours, &clock::now, &mut || {
        std::thread::sleep(PAUSE);
        !stop.load(Ordering::Relaxed)
    })
}

/// The looks, on this clock; `wait` waits a little, and says whether to go on.
pub(super) fn looks(
    here: &Here,
    hours: u32,
    clock: &dyn Fn() -> Timestamp,
    wait: &mut dyn FnMut() -> bool,
) -> Result<()> {
    loop {
        let now = clock();
        let last = once(&Here { now, ..here.clone() }, (Who::Timer { hours }, None), false);
        if let Err(fault) = &last {
            output::warning(fault.to_string());
        }
        let next = now.saturating_add(SignedDuration::from_hours(i64::from(hours))).unwrap_or(now);
        // the clock is asked again and again: a machine that slept looks as soon as it wakes, and one whose clock was
        // ahead as soon as it is set back
        while (now..next).contains(&clock()) {
            if !wait() {
                return last;
            }
        }
    }
}
