//! The leave to look at the source's catalogue.

use ecluse_core::contract::Contract;
use ecluse_core::document::Kind;
use ecluse_core::mandate::Mandate;

use super::opened::open;
use crate::bench::Bench;

/// Checks it, where it is there: an order can have been drafted without looking.
pub(super) fn check(bench: &mut Bench<'_>, contract: &Contract) {
    open(bench, contract, ("mandate.toml", Kind::Survey), |paper, now| {
        Mandate::in_force(paper.bytes, &paper.signatures, contract, now)
    });
}
