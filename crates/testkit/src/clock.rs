//! A clock that moves only when a test says so.

use jiff::{SignedDuration, Timestamp};

/// A frozen clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrozenClock {
    now: Timestamp,
}

impl FrozenClock {
    /// Frozen at an RFC 3339 instant, for instance `2026-11-22T09:00:00Z`.
    ///
    /// # Panics
    ///
    /// When it is not one.
    #[must_use]
    pub fn at(instant: &str) -> Self {
        Self { now: instant.parse().expect("an RFC 3339 instant") }
    }

    /// What it shows.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Moves it; backwards with a negative number of seconds.
    ///
    /// # Panics
    ///
    /// Past the end of time (year 9999).
    pub fn move_by(&mut self, seconds: i64) {
        self.now =
            self.now.checked_add(SignedDuration::from_secs(seconds)).expect("a time before year 10000");
    }
}

#[cfg(test)]
mod tests {
    use super::FrozenClock;

    #[test]
    fn it_stands_still_until_moved() {
        let mut clock = FrozenClock::at("2026-02-28T23:59:59Z");
        assert_eq!(clock.now(), clock.now());
        clock.move_by(1);
        assert_eq!(clock.now().to_string(), "2026-03-01T00:00:00Z");
        clock.move_by(-1);
        assert_eq!(clock, FrozenClock::at("2026-02-28T23:59:59Z"));
    }
}
