//! What a certified migration has made: every step of the chain leaves something, and a file from which one is
//! gone does not hold, whatever the rest says.
//!
//! Whoever holds the processor's keys can sign a certificate that names less. So the list is here and not in the
//! certificate; where the order decides (sealed or direct), the signed order is asked.

use ecluse_core::{acceptance, instruction, manifest, mapping, receipt};

use super::{Chain, contract, recipient, rules, session, status};
use crate::bench::Bench;
use crate::log;
use crate::run;
use crate::verdict::Words;

/// Asked for on every way.
const ALWAYS: [&str; 15] = [
    contract::NAME,
    instruction::FILE,
    rules::DICTIONARY,
    mapping::FILE,
    status::NAME,
    session::NAME,
    run::FIGURES,
    acceptance::FILE,
    run::ERASURE,
    run::RESIDUE,
    run::EVENTS,
    log::CHECKPOINT,
    log::KEY,
    "copies.json",
    "report.html",
];
/// Asked for where rows went straight to the destination.
const DIRECT: [&str; 1] = [run::RECONCILIATION];
/// Asked for where they were sealed to a recipient.
const SEALED: [&str; 3] = [recipient::NAME, manifest::FILE, receipt::FILE];

/// Refuses each that is not there, by name.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    let sealed = chain.order.as_ref().is_some_and(|order| order.value.order().recipient().is_some());
    let way = if sealed { &SEALED[..] } else { &DIRECT };
    for path in ALWAYS.iter().chain(way) {
        if bench.bytes(path).is_some() {
            continue;
        }
        let words = Words::new(
            "It is missing: every certified migration has made it.",
            "Il manque : toute migration attestée l’a produit.",
        );
        bench.fails(path, words, None);
    }
}
