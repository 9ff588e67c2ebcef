//! Copies that somebody took out of reach: each that the ledger names has its signed statement of destruction, and each
//! that the journal noted stands in the ledger.

use std::collections::BTreeSet;

use ecluse_core::copies::{Copy, FILE as LEDGER, Ledger, Store, Taken};
use ecluse_core::destruction::{Destroyed, FOLDER, file};
use ecluse_core::document::Kind;
use ecluse_core::keys::day;
use ecluse_core::language::Language;

use super::Chain;
use super::opened::open;
use crate::bench::Bench;
use crate::run::Events;
use crate::verdict::Words;

/// Checks the ledger's lines against the statements, then the run's events against the ledger.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain, events: Option<&Events>) {
    // whether it has to be there is asked elsewhere (`demanded.rs`)
    let Some(bytes) = bench.bytes(LEDGER) else { return };
    let ledger = match Ledger::read(bytes) {
        Ok(ledger) => ledger,
        Err(fault) => {
            let words =
                Words::new("The ledger of copies cannot be read.", "Le registre des copies ne peut être lu.");
            bench.fails(LEDGER, words, fault.to_string());
            return;
        }
    };
    kept(bench, &ledger);
    for (copy, taken) in ledger.outside() {
        one(bench, chain, copy, taken);
    }
    let known: BTreeSet<String> = ledger.outside().map(|(copy, _)| file(&copy.id)).collect();
    let folder = format!("{FOLDER}/");
    let strays: Vec<String> = bench
        .below(&folder)
        .filter(|path| !path.contains(".sigs/") && !known.contains(*path))
        .cloned()
        .collect();
    for path in strays {
        let words = Words::new(
            "It is about a copy that the ledger does not name.",
            "Il porte sur une copie que le registre ne nomme pas.",
        );
        bench.fails(&path, words, None);
    }
    if let Some(events) = events {
        let taken = events.leaves.iter().filter(|leaf| leaf.is_taken()).map(|leaf| leaf.object.clone());
        noted(bench, &taken.collect());
    }
}

/// Until when this file, and its own copy of the events, may stand where it was made.
fn kept(bench: &mut Bench<'_>, ledger: &Ledger) {
    let standing = |copy: &&Copy| copy.store == Store::Evidence && copy.ended.is_none();
    let Some(until) = ledger.copies.iter().filter(standing).map(|copy| copy.erase_by).max() else { return };
    let on = |language: Language| language.day(until);
    let words = Words::new(
        format!(
            "This evidence, with its own copy of the run’s events, is to be erased at the processor’s by {}.",
            on(Language::English)
        ),
        format!(
            "Cette preuve, avec sa propre copie des événements, doit être effacée chez le sous-traitant au plus tard le {}.",
            on(Language::French)
        ),
    );
    bench.holds(LEDGER, words);
}

/// A copy that somebody took: stated to be destroyed, by whom it must be, as the ledger has it.
fn one(bench: &mut Bench<'_>, chain: &Chain, copy: &Copy, taken: &Taken) {
    let path = file(&copy.id);
    let holder = &taken.holder;
    if bench.bytes(&path).is_none() {
        let words = Words::new(
            format!("{holder} took a copy; no statement that it was destroyed is in the file."),
            format!(
                "{holder} a emporté une copie ; aucune déclaration de sa destruction n’est dans le fichier."
            ),
        );
        match bench.is_closed() {
            true => bench.fails(&path, words, copy.place.clone()),
            false => bench.absent(&path, words),
        }
        return;
    }
    let opened = open(bench, &chain.contract, (&path, Kind::Destruction), |paper, now| {
        Destroyed::read(paper.bytes, &paper.signatures, &chain.contract, now)
    });
    let Some(opened) = opened else { return };
    let stated = opened.value.stated();
    let of = stated.is_of(copy);
    let words = Words::new(
        format!("It is of the copy that {holder} took, as the ledger of copies has it."),
        format!("Elle porte sur la copie que {holder} a emportée, telle qu’au registre des copies."),
    );
    bench.check(&path, of.is_ok(), words, || of.err().map(|fault| fault.to_string()).unwrap_or_default());
    let cited = copy.ended.as_ref().and_then(|ended| ended.statement.clone());
    let words = Words::new(
        "The ledger ended the copy’s line with this very statement.",
        "Le registre a clos la ligne de la copie par cette déclaration même.",
    );
    bench.check(&path, cited.as_deref() == Some(opened.digest.as_str()), words, || {
        format!("it cites {}", cited.unwrap_or_else(|| "none".to_owned()))
    });
    let (by, method, how, limits) = (&stated.by, stated.method.name(), &stated.how, &stated.limits);
    let on = |language: Language| language.day(day(stated.at));
    let words = Words::new(
        format!(
            "{by} states that it was destroyed on {} ({method}): {how}. Not reached: {limits}. It is a person’s word, no proof that no other copy exists.",
            on(Language::English)
        ),
        format!(
            "{by} déclare qu’elle fut détruite le {} ({method}) : {how}. Non atteint : {limits}. C’est la parole d’une personne, non la preuve qu’il n’existe aucune autre copie.",
            on(Language::French)
        ),
    );
    bench.holds(&path, words);
}

/// Every copy that was noted as taken stands in the ledger as such: whoever takes a line out leaves the event.
pub(crate) fn noted(bench: &mut Bench<'_>, taken: &BTreeSet<String>) {
    let ledger = bench.bytes(LEDGER).and_then(|bytes| Ledger::read(bytes).ok());
    // one that is missing, or cannot be read, is told where it is asked for
    let Some(ledger) = ledger.filter(|_| !taken.is_empty()) else { return };
    let unnamed = taken.iter().find(|id| !ledger.outside().any(|(copy, _)| copy.id == **id));
    let words = Words::new(
        "It names every copy that was noted as taken by somebody.",
        "Il nomme chaque copie notée comme emportée par quelqu’un.",
    );
    bench.check(LEDGER, unnamed.is_none(), words, || {
        format!("{} was noted, and is not in it", unnamed.cloned().unwrap_or_default())
    });
}
