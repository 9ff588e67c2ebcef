//! The one place where randomness enters: the operating system's generator.

use ecluse_core::fault::{Code, Result};

/// The system's random generator answered with an error.
static NO_CHANCE: Code = Code::outside("ECL-CLI-008", "the system's random generator failed");

/// Random bytes fit for keys.
///
/// # Errors
///
/// [`NO_CHANCE`], never weaker bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// As [`bytes`], into a place that is there.
///
/// # Errors
///
/// [`NO_CHANCE`].
#[expect(clippy::disallowed_methods, reason = "randomness enters the program here and nowhere else")]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|_| NO_CHANCE.fault("").help("look at the system's log, then try again"))
}
