//! Links of the chain from which no run is compiled: the mandate under which the source was surveyed, and the controller's
//! last word on the order with what it saw of the journal.

use ecluse_core::document::{self, Header, Kind};
use ecluse_core::signatures::Signer;
use ecluse_core::status;
use jiff::Timestamp;

use super::chain::{Chain, Link};
use super::{Paper, quietly};
use crate::folder::Folder;

/// The mandate that the dictionary cites, where it lies here and its signatures hold; it may have ended since the survey.
pub(crate) fn mandate(folder: &Folder, chain: &Chain, now: Timestamp) -> Option<Link> {
    let (paper, header, signers) = signed(folder, "mandate.toml", Kind::Survey, chain)?;
    (paper.digest() == chain.dictionary.mandate).then(|| Link {
        artefact: "survey mandate".into(),
        signers,
        when: header.issued.to_string(),
        digest: paper.digest(),
        was_valid: header.objection(now).map(|_| header.issued),
    })
}

/// The last word on this order that lies here, where its signatures hold.
pub(crate) fn word(folder: &Folder, chain: &Chain) -> Option<Link> {
    let (paper, header, signers) = signed(folder, "status.toml", Kind::Status, chain)?;
    let word = status::read(paper.text()).ok()?;
    let state = format!("status: {}", word.state.name());
    (word.instruction.value == chain.instruction.digest()).then(|| Link {
        artefact: match header.seen {
            Some(seen) => format!("{state}; journal seen to entry {}", seen.size),
            None => state,
        },
        signers,
        when: header.issued.to_string(),
        digest: paper.digest(),
        was_valid: None,
    })
}

/// A paper of this kind, with who signed it as of the moment at which it was written.
fn signed(folder: &Folder, name: &str, kind: Kind, chain: &Chain) -> Option<(Paper, Header, Vec<Signer>)> {
    quietly(|| {
        let paper = Paper::read(&folder.path(None, name), "").ok()?;
        let header = document::header(paper.text(), kind).ok()?;
        let (contract, at) = (&chain.contract, header.issued);
        let signed = contract.signatures(kind, header.version, &paper.bytes, &paper.signatures, at).ok()?;
        let signers = signed.signers().to_vec();
        Some((paper, header, signers))
    })
}
