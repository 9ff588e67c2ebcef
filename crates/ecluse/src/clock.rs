//! The one place where the time enters; everything else takes it as an argument.

use jiff::Timestamp;

/// The system's clock.
#[expect(clippy::disallowed_methods, reason = "the clock enters the program here and nowhere else")]
pub(crate) fn now() -> Timestamp {
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
