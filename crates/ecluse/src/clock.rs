//! The one place where the time enters; everything else takes it as an argument.

use jiff::Timestamp;

/// The system's clock.
#[expect(clippy::disallowed_methods, reason = "the clock enters the program here and nowhere else")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
