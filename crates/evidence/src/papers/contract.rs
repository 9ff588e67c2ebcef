//! The contract: the source of every key. Later versions are signed under the one before.

use ecluse_core::contract::{self, Contract, Earlier};
use ecluse_core::keys::day;
use ecluse_core::language::Language;

use super::opened::{missing, refused, signed};
use crate::bench::Bench;
use crate::moment;
use crate::verdict::Words;

/// The file.
pub(super) const NAME: &str = "contract.toml";

/// Checks the contract and the versions before it.
pub(super) fn check(bench: &mut Bench<'_>) -> Option<Contract> {
    let Some(paper) = bench.paper(NAME) else {
        missing(bench, NAME);
        return None;
    };
    let (header, terms) = match contract::open(paper.bytes) {
        Ok(read) => read,
        Err(findings) => {
            refused(bench, NAME, &findings);
            return None;
        }
    };
    let before: Vec<_> = bench.below("contract.v").filter(|path| !path.contains(".sigs/")).cloned().collect();
    let before: Vec<_> = before.iter().filter_map(|path| bench.paper(path)).collect();
    let earlier: Vec<Earlier> = before
        .iter()
        .map(|p| Earlier { bytes: p.bytes.to_vec(), signatures: p.signatures.clone() })
        .collect();
    let begins =
        moment::of_terms(&terms).into_iter().chain(moment::of_paper(&paper)).chain([header.not_before]);
    let held = moment::first(header.issued, bench.closed, begins, |now| {
        Contract::in_force_after(paper.bytes, &paper.signatures, &earlier, now)
    });
    let (at, contract) = match held {
        Ok(held) => held,
        Err(findings) => {
            refused(bench, NAME, &findings);
            return None;
        }
    };
    bench.holds(NAME, signed(contract.signers(), at));
    let versions = usize::try_from(header.version.saturating_sub(1)).unwrap_or(usize::MAX);
    // the check reached back to the first version: no more than these were asked
    for one in before.iter().filter(|_| before.len() == versions).chain([&paper]) {
        one.paths.iter().for_each(|path| bench.vouch(path));
    }
    lasts(bench, &contract);
    trial(bench, &contract);
    Some(contract)
}

/// The contract is in force until the last paper that was made under it.
fn lasts(bench: &mut Bench<'_>, contract: &Contract) {
    let (until, last) = (contract.header().not_after, bench.closed);
    let (en, fr) = (Language::English, Language::French);
    let words = Words::new(
        format!("In force until {}; the last paper here is of {}.", en.day(day(until)), en.day(day(last))),
        format!(
            "En vigueur jusqu’au {} ; le dernier document ici est du {}.",
            fr.day(day(until)),
            fr.day(day(last))
        ),
    );
    bench.check(NAME, last < until, words, || format!("it ended on {until}"));
}

/// Papers of a trial, or of nobody who exists, are said to be that.
fn trial(bench: &mut Bench<'_>, contract: &Contract) {
    if contract.header().trial {
        let words = Words::new(
            "These are papers of a trial: they order nothing.",
            "Ce sont les documents d’un essai : ils n’ordonnent rien.",
        );
        bench.holds(NAME, words);
    }
    if contract.terms().is_invented() {
        let words = Words::new(
            "Nobody in this contract exists: every address ends in .example.",
            "Personne dans ce contrat n’existe : chaque adresse finit par .example.",
        );
        bench.holds(NAME, words);
    }
}

/// Whether the keys of the controller's signatories are those that somebody read elsewhere.
pub(super) fn established(bench: &mut Bench<'_>, contract: &Contract, trust: &[String]) -> bool {
    let trust: Vec<String> = trust.iter().map(|given| given.trim().to_owned()).collect();
    match contract.established(&trust) {
        Ok(()) => {
            let words = Words::new(
                "The keys of the controller’s signatories are those that you brought from elsewhere.",
                "Les clés des signataires du responsable sont celles que vous tenez d’ailleurs.",
            );
            bench.holds(NAME, words);
            true
        }
        Err(fault) => {
            let words = Words::new(
                format!("Whose keys these are cannot be told from inside the file: {}.", fault.detail()),
                "À qui sont ces clés, le fichier seul ne peut le dire : comparez l’empreinte avec celle du contrat papier.",
            );
            bench.absent(NAME, words);
            false
        }
    }
}
