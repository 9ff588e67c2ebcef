//! The one place where randomness enters: the operating system's generator.

use ecluse_core::fault::{Code, Result};

/// The system's random generator answered with an error.
static NO_CHANCE: Code = Code::outside("ECL-CLI-008", "the system's random generator failed");

/// Random bytes fit for keys.
///
/// # Errors
///
/// [`NO_CHANCE`], never weaker bytes.
#[expect(clippy::disallowed_methods, reason = "randomness enters the program here and nowhere else")]
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| NO_CHANCE.fault("").help("look at the system's log, then try again"))?;
    Ok(bytes)
}
