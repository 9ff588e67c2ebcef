//! The only way from an order to an instruction.

use jiff::Timestamp;

use super::{Instruction, parse};
use crate::contract::Contract;
use crate::document::{Header, Kind};
use crate::finding::Finding;
use crate::signatures::{SignatureFile, Signer};

impl Instruction {
    /// Checks an instruction under its contract, as of `now`: header, period, contract,
    /// every demanded signature, then its text (GDPR Art. 28(3)(a), 29).
    ///
    /// Whether the controller has taken it back since is [`crate::status::Standing`]'s to say.
    ///
    /// # Errors
    /// Every fault at once; the text is only looked at once somebody answers for it.
    pub fn in_force(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let (header, signed) = contract.open(Kind::Instruction, bytes, files, now)?;
        let order = parse(&signed.text()?)?;
        Ok(Self { order, digest: signed.digest(), header, signers: signed.signers().to_vec() })
    }

    /// The document's header: id, version, period, whether it is a trial's.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Who signed it.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }
}
