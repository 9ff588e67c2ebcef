//! What enters from outside as an argument: the clock, chance, the order to stop.

use std::sync::atomic::{AtomicBool, Ordering};

use ecluse_core::fault::{Code, Result};
use jiff::Timestamp;

/// Ends a read that has given enough; the caller that raised it takes it back.
pub(crate) static ENOUGH: Code = Code::refused("ECL-RUN-099", "a read was ended on purpose");

/// Clock and chance. The binary gives the real ones, tests frozen ones.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The time now.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Fills the bytes from a cryptographically secure generator.
    pub chance: &'a (dyn Fn(&mut [u8]) -> Result<()> + Sync),
    /// Set by Ctrl-C: the run ends after the chunk in flight.
    pub stop: &'a AtomicBool,
}

impl World<'_> {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// `N` random bytes.
    ///
    /// # Errors
    ///
    /// The generator's own fault.
    pub fn random<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        (self.chance)(&mut bytes)?;
        Ok(bytes)
    }

    /// A random id of 128 bits, hexadecimal.
    ///
    /// # Errors
    ///
    /// The generator's own fault.
    pub fn id(&self) -> Result<String> {
        Ok(data_encoding::HEXLOWER.encode(&self.random::<16>()?))
    }

    /// Whether the run was asked to end.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
