//! The papers, in the chain's order: the contract first, since every key comes from it.

mod acceptance;
mod answers;
mod certificate;
mod comparison;
mod contract;
mod copies;
mod demanded;
pub(crate) mod destruction;
mod differences;
mod mandate;
mod opened;
mod order;
mod recipient;
mod reference;
mod returned;
mod rules;
mod sealed;
mod session;
mod status;
mod witness;

use ecluse_core::contract::Contract;
use ecluse_core::instruction::Instruction;

use crate::bench::Bench;
use crate::log;
use crate::run;
use crate::verdict::{Settled, Words};

pub(crate) use opened::Opened;

/// What the papers of the beginning gave, for whatever cites them.
pub(crate) struct Chain {
    pub(crate) contract: Contract,
    pub(crate) order: Option<Opened<Instruction>>,
}

/// Checks every paper, then what the run left; whether a certificate closes it all, and whether the contract's
/// keys are the controller's.
pub(crate) fn check(bench: &mut Bench<'_>, trust: &[String]) -> Settled {
    let Some(contract) = contract::check(bench) else { return Settled::default() };
    let established = contract::established(bench, &contract, trust);
    mandate::check(bench, &contract);
    let order = order::check(bench, &contract);
    let chain = Chain { contract, order };
    rules::check(bench, &chain);
    recipient::check(bench, &chain);
    answers::check(bench, &chain);
    let events = run::check(bench, &chain);
    let given = status::check(bench, &chain, events.as_ref());
    session::check(bench, &chain, events.as_ref());
    reference::check(bench, &chain);
    comparison::check(bench, &chain);
    differences::check(bench, &chain);
    sealed::check(bench, &chain);
    copies::check(bench);
    destruction::check(bench, &chain, events.as_ref());
    returned::check(bench, &chain);
    acceptance::check(bench, &chain);
    let certified = certificate::check(bench, &chain, events.as_ref());
    let log = log::check(bench, events.as_ref());
    witness::check(bench, &chain, given, (log.as_ref(), events.as_ref()));
    if certified || bench.closing {
        demanded::check(bench, &chain);
    }
    if !bench.closing {
        unvouched(bench);
    }
    Settled { certified, established }
}

/// What no signature, no digest and no event covers could have been changed by anybody. What a run leaves is
/// covered by the certificate alone: before there is one, that is said and not held against it.
fn unvouched(bench: &mut Bench<'_>) {
    for path in bench.unvouched() {
        let words = Words::new(
            "Nobody vouches for this file: no signed paper and no event cites it.",
            "Personne ne répond de ce fichier : aucun document signé, aucun événement ne le cite.",
        );
        if is_left(&path) { bench.uncovered(&path, words) } else { bench.fails(&path, words, None) }
    }
}

/// Whether a path is one under which what a run leaves stands in the evidence.
fn is_left(path: &str) -> bool {
    let beside = ["report.html", "copies.json", ecluse_core::objection::FILE];
    path.starts_with("run/") || path.starts_with("journal/") || beside.contains(&path)
}
