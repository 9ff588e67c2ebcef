//! The instruction: what was ordered.

use ecluse_core::contract::Contract;
use ecluse_core::document::Kind;
use ecluse_core::instruction::{FILE, Instruction};

use super::opened::{Opened, missing, open};
use crate::bench::Bench;
use crate::verdict::Words;

/// Checks the instruction, and that it was in force under this contract.
pub(super) fn check(bench: &mut Bench<'_>, contract: &Contract) -> Option<Opened<Instruction>> {
    if bench.bytes(FILE).is_none() {
        missing(bench, FILE);
        return None;
    }
    let opened = open(bench, contract, (FILE, Kind::Instruction), |paper, now| {
        Instruction::in_force(paper.bytes, &paper.signatures, contract, now)
    })?;
    if opened.value.order().excluded.is_some() {
        let words = Words::new(
            "The list of persons whose rows never move is sealed, and is not part of the evidence.",
            "La liste des personnes dont les lignes ne partent pas est scellée et ne fait pas partie de la preuve.",
        );
        bench.lost(FILE, words);
    }
    Some(opened)
}
