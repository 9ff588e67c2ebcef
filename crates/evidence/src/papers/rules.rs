//! What the order cites: the dictionary it was written against, the mapping, the code tables.

use std::collections::BTreeSet;

use ecluse_core::codes;
use ecluse_core::dictionary;
use ecluse_core::document::{self, Kind};
use ecluse_core::instruction;
use ecluse_core::mapping::{self, Mapping};

use super::Chain;
use super::opened::{cites, refused, signed};
use crate::bench::{Bench, told};
use crate::moment;
use crate::verdict::Words;

/// The file.
pub(super) const DICTIONARY: &str = "dictionary.toml";

/// Compares each with the digest that was signed, and checks the biologist's signatures.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    let Some(order) = chain.order.as_ref().map(|order| order.value.order()) else { return };
    let dictionary = cites(bench, instruction::FILE, &order.dictionary.value, DICTIONARY);
    let mapping = cites(bench, instruction::FILE, &order.mapping.value, mapping::FILE);
    let text = |name: &str| bench.bytes(name).unwrap_or_default();
    let read = document::text(text(DICTIONARY)).and_then(dictionary::parse);
    let map = document::text(text(mapping::FILE)).and_then(mapping::parse);
    match &read {
        Ok(read) if dictionary => {
            let findings = instruction::check(order, read);
            let words = Words::new(
                "It names tables and columns of the dictionary, and the fate of what stays.",
                "Il nomme des tables et des colonnes du dictionnaire, et le sort de ce qui reste.",
            );
            bench
                .check(instruction::FILE, findings.is_empty(), words, || told(&findings).unwrap_or_default());
            drafted(bench, &read.mandate);
        }
        Err(findings) if dictionary => refused(bench, DICTIONARY, findings),
        _ => {}
    }
    match &map {
        Ok(map) if mapping => {
            let judged = read.as_ref().is_ok_and(|read| mapping::own(map, read).iter().any(|own| own.judged));
            let _told = signatures(bench, chain, (mapping::FILE, Kind::Mapping), judged);
            code_tables(bench, chain, map);
        }
        Err(findings) if mapping => refused(bench, mapping::FILE, findings),
        _ => {}
    }
}

/// Tells where the mandate under which the dictionary was drafted is not in the file: a later one may have taken its
/// place in the folder, and the order is what the laboratory signed.
fn drafted(bench: &mut Bench<'_>, mandate: &str) {
    if mandate.is_empty() || bench.below("").any(|path| bench.digest(path).as_deref() == Some(mandate)) {
        return;
    }
    let words = Words::new(
        "The leave to look at the source, under which it was drafted, is not in the file.",
        "L’autorisation d’examiner la source, sous laquelle il fut établi, n’est pas dans le fichier.",
    );
    bench.absent(DICTIONARY, words);
}

/// The code tables that the mapping cites: each is a biologist's.
fn code_tables(bench: &mut Bench<'_>, chain: &Chain, mapping: &Mapping) {
    let mut files = BTreeSet::new();
    for cited in &mapping.codes {
        let path = &cited.file.value;
        if !cites(bench, mapping::FILE, &cited.digest.value, path) || !files.insert(path) {
            continue;
        }
        match document::text(bench.bytes(path).unwrap_or_default()).and_then(codes::parse) {
            Ok(_) => {
                let _told = signatures(bench, chain, (path, Kind::Codes), true);
            }
            Err(findings) => refused(bench, path, &findings),
        }
    }
}

/// The signatures of a paper alone, told: of one that has no header, or that an earlier contract has the header of.
pub(super) fn signatures(
    bench: &mut Bench<'_>,
    chain: &Chain,
    (name, kind): (&str, Kind),
    due: bool,
) -> bool {
    let paper = bench.paper(name).filter(|paper| due || !paper.signatures.is_empty());
    let Some(paper) = paper else { return false };
    let begins = moment::of_terms(chain.contract.terms()).into_iter().chain(moment::of_paper(&paper));
    let held = moment::first(chain.contract.header().issued, bench.closed, begins, |now| {
        chain.contract.signatures(kind, 1, paper.bytes, &paper.signatures, now)
    });
    match held {
        Ok((at, held)) => {
            paper.paths.iter().for_each(|path| bench.vouch(path));
            bench.holds(name, signed(held.signers(), at));
            true
        }
        Err(findings) => {
            refused(bench, name, &findings);
            false
        }
    }
}
