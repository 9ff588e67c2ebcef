//! Differences that the controller accepted.

use ecluse_core::differences::{Accepted, FILE};
use ecluse_core::document::Kind;

use super::Chain;
use super::opened::open;
use crate::bench::Bench;

/// Checks the list, where there is one.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    open(bench, &chain.contract, (FILE, Kind::Differences), |paper, now| {
        Accepted::read(paper.bytes, &paper.signatures, &chain.contract, now)
    });
}
