//! A paper under a contract: what it says, and that everybody signed it who must.

use jiff::Timestamp;

use crate::contract::Contract;
use crate::document::{Header, Kind};
use crate::fault::Result;
use crate::finding::Finding;
use crate::signatures::{SignatureFile, Signed, Signer};

/// What a paper of one kind says, its header, its checked signatures. The kinds are named where they are stated
/// ([`crate::manifest::Manifest`], [`crate::receipt::Receipt`] …), each with the one function that makes it.
///
/// ```compile_fail,E0451
/// # use ecluse_core::paper::Paper;
/// fn forge<S>(stated: S, real: Paper<S>) -> Paper<S> {
///     Paper { stated, ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Paper<S> {
    stated: S,
    header: Header,
    signed: Signed,
}

impl<S> Paper<S> {
    /// Checks header and signatures under the contract, as of `now`, and then reads what it says.
    ///
    /// # Errors
    /// Every fault of header and signatures; else what `parse` finds.
    pub(crate) fn open(
        kind: Kind,
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        now: Timestamp,
        parse: impl FnOnce(&str) -> Result<S, Vec<Finding>>,
    ) -> Result<Self, Vec<Finding>> {
        let (header, signed) = contract.open(kind, bytes, files, now)?;
        let stated = parse(&signed.text()?)?;
        Ok(Self { stated, header, signed })
    }

    /// What it says.
    #[must_use]
    pub const fn stated(&self) -> &S {
        &self.stated
    }

    /// Its header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Who signed it, at least one.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        self.signed.signers()
    }

    /// The signed bytes' digest: what other papers cite.
    #[must_use]
    pub fn digest(&self) -> String {
        self.signed.digest()
    }
}
