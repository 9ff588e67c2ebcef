//! The reference data as they stood at the destination, accepted by a biologist.

use ecluse_core::document::Kind;
use ecluse_core::reference::{Accepted, FILE};

use super::Chain;
use super::opened::{of_order, open};
use crate::bench::Bench;
use crate::run;
use crate::verdict::Words;

/// Checks the acceptance, where there is one. Its tallies are keyed: without the run's key nobody computes them.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    let opened = open(bench, &chain.contract, (FILE, Kind::Reference), |paper, now| {
        Accepted::read(paper.bytes, &paper.signatures, &chain.contract, now)
    });
    let Some(opened) = opened else { return };
    let stated = opened.value.stated();
    of_order(bench, FILE, &stated.instruction);
    run::of_run(bench, FILE, &stated.run);
    let words = Words::new(
        "The tallies of the accepted tables: their key was the run’s, and is destroyed with it.",
        "Les totaux de contrôle des tables acceptées : leur clé était celle du transfert et disparaît avec lui.",
    );
    bench.lost(FILE, words);
}
