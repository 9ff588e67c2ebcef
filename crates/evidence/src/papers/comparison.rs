//! Drawn dossiers that one person of the laboratory compared with their own eyes.

use ecluse_core::comparison::{Compared, FILE};
use ecluse_core::document::Kind;

use super::Chain;
use super::opened::{of_order, open};
use crate::bench::Bench;
use crate::run;
use crate::verdict::Words;

/// Checks the records, the last one and those that were set aside.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    let earlier: Vec<String> =
        bench.below("comparison.v").filter(|path| !path.contains(".sigs/")).cloned().collect();
    for name in earlier.iter().map(String::as_str).chain([FILE]) {
        let opened = open(bench, &chain.contract, (name, Kind::Comparison), |paper, now| {
            Compared::read(paper.bytes, &paper.signatures, &chain.contract, now)
        });
        let Some(opened) = opened else { continue };
        let said = opened.value.stated();
        of_order(bench, name, &said.instruction);
        run::of_run(bench, name, &said.run);
        let (same, drawn) = (said.same(), said.drawn);
        let words = Words::new(
            format!("{same} of {drawn} drawn dossiers were found the same."),
            format!("{same} dossiers tirés au sort sur {drawn} ont été trouvés identiques."),
        );
        bench.holds(name, words);
    }
}
