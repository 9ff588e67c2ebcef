//! The one place where the time enters; everything else takes it as an argument.

use jiff::Timestamp;

/// The system's clock.
#[expect(clippy::disallowed_methods, reason = "the clock enters the program here and nowhere else")]
pub(crate) fn now() -> Timestamp {
    #[cfg(test)]
    if let Some(now) = frozen::now() {
        return now;
    }
    let now = Timestamp::now();
    #[cfg(feature = "failpoints")]
    let now = ahead::of(now);
    now
}

#[cfg(feature = "failpoints")]
pub(crate) mod ahead {
    //! A clock that a test sets ahead, or back: no part of a release.

    use std::sync::atomic::{AtomicI64, Ordering};

    use jiff::{SignedDuration, Timestamp};

    static SECONDS: AtomicI64 = AtomicI64::new(0);

    /// Sets it, once, before anything asks.
    pub(crate) fn set(seconds: i64) {
        SECONDS.store(seconds, Ordering::Relaxed);
    }

    pub(super) fn of(now: Timestamp) -> Timestamp {
        let ahead = SignedDuration::from_secs(SECONDS.load(Ordering::Relaxed));
        now.checked_add(ahead).unwrap_or(now)
    }
}

#[cfg(test)]
pub(crate) mod frozen {
    //! A clock that stands still for one test, on its own thread.

    use std::cell::Cell;

    use jiff::Timestamp;

    thread_local! {
        static NOW: Cell<Option<Timestamp>> = const { Cell::new(None) };
    }

    pub(super) fn now() -> Option<Timestamp> {
        NOW.get()
    }

    /// Sets it.
    pub(crate) fn at(now: Timestamp) {
        NOW.set(Some(now));
    }

    /// Lets it go once the test is over: the next one may have the same thread.
    pub(crate) struct Frozen;

    impl Drop for Frozen {
        fn drop(&mut self) {
            NOW.set(None);
        }
    }
}
