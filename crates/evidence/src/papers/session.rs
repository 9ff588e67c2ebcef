//! Who ran it: the operator's statement.

use ecluse_core::document::Kind;
use ecluse_core::session::Session;

use super::Chain;
use super::opened::open;
use crate::bench::Bench;

/// Checks it, where it is there; events under other sessions are told by [`crate::run`].
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    open(bench, &chain.contract, ("session.toml", Kind::Session), |paper, now| {
        Session::in_force(paper.bytes, &paper.signatures, &chain.contract, now)
    });
}
