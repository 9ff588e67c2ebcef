//! The papers, in the chain's order: the contract first, since every key comes from it.

mod acceptance;
mod answers;
mod certificate;
mod comparison;
mod contract;
mod differences;
mod mandate;
mod opened;
mod order;
mod recipient;
mod reference;
mod rules;
mod sealed;
mod session;
mod status;

use ecluse_core::contract::Contract;
use ecluse_core::instruction::Instruction;

use crate::bench::Bench;
use crate::log;
use crate::run;
use crate::verdict::Words;

pub(crate) use opened::Opened;

/// What the papers of the beginning gave, for whatever cites them.
pub(crate) struct Chain {
    pub(crate) contract: Contract,
    pub(crate) order: Option<Opened<Instruction>>,
}

/// Checks every paper, then what the run left; whether the contract's keys are the controller's.
pub(crate) fn check(bench: &mut Bench<'_>, trust: &[String]) -> bool {
    let Some(contract) = contract::check(bench) else { return false };
    let established = contract::established(bench, &contract, trust);
    mandate::check(bench, &contract);
    let order = order::check(bench, &contract);
    let chain = Chain { contract, order };
    rules::check(bench, &chain);
    recipient::check(bench, &chain);
    let began = run::began(bench);
    status::check(bench, &chain, began);
    session::check(bench, &chain);
    answers::check(bench, &chain);
    let events = run::check(bench, &chain);
    reference::check(bench, &chain);
    comparison::check(bench, &chain);
    differences::check(bench, &chain);
    sealed::check(bench, &chain);
    acceptance::check(bench, &chain);
    certificate::check(bench, &chain);
    log::check(bench, events.as_ref());
    unvouched(bench);
    established
}

/// What no signature, no digest and no event covers could have been changed by anybody.
fn unvouched(bench: &mut Bench<'_>) {
    for path in bench.unvouched() {
        bench.fails(
            &path,
            Words::new(
                "Nobody vouches for this file: no signed paper and no event cites it.",
                "Personne ne répond de ce fichier : aucun document signé, aucun événement ne le cite.",
            ),
            None,
        );
    }
}
