//! Who may open a sealed archive: the statement that the order cites.

use ecluse_core::document::Kind;
use ecluse_core::instruction;
use ecluse_core::recipient::Recipient;

use super::Chain;
use super::opened::{missing, open};
use crate::bench::{Bench, told};
use crate::verdict::Words;

/// The file.
pub(crate) const NAME: &str = "recipient.toml";

/// Checks the statement, where the order is sealed to a recipient: there it has to be.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    let contract = &chain.contract;
    let cited =
        chain.order.as_ref().and_then(|order| Some((order.value.order().recipient()?, &order.header)));
    if cited.is_some() && bench.bytes(NAME).is_none() {
        missing(bench, NAME);
        return;
    }
    let opened = open(bench, contract, (NAME, Kind::Recipient), |paper, now| {
        Recipient::in_force(paper.bytes, &paper.signatures, contract, now)
    });
    if let (Some(opened), Some((cited, header))) = (opened, cited) {
        let found = opened.value.is_cited(cited, header);
        let words =
            Words::new(format!("It cites {NAME}, with its key."), format!("Il cite {NAME}, avec sa clé."));
        bench.check(instruction::FILE, found.is_ok(), words, || {
            told(&found.err().unwrap_or_default()).unwrap_or_default()
        });
    }
}
