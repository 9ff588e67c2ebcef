//! What went back to the controller: the statement of its key, the manifest of what was sealed to it, its receipt.

use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::document::{self, Kind};
use ecluse_core::instruction::{self, returning};
use ecluse_core::language::Language;
use ecluse_core::manifest::Manifest;
use ecluse_core::receipt::{self, Receipt};
use ecluse_core::recipient::{self, Recipient};

use super::Chain;
use super::opened::{Opened, cites, missing, of_order, open};
use super::rules;
use crate::bench::{Bench, told};
use crate::verdict::Words;

/// The manifest's file.
const MANIFEST: &str = "return-manifest.toml";

/// Checks each, where it is there; where a class is to be returned, all of them have to be once the file is closed.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    statement(bench, chain);
    let contract = &chain.contract;
    let manifest = open(bench, contract, (MANIFEST, Kind::Manifest), |paper, now| {
        Manifest::in_force(paper.bytes, &paper.signatures, contract, now)
    });
    if let Some(manifest) = &manifest {
        let stated = manifest.value.stated();
        of_order(bench, MANIFEST, &stated.instruction.value);
        cites(bench, MANIFEST, &stated.recipient.value, recipient::RETURN_FILE);
    }
    let receipt = open(bench, contract, (receipt::RETURN_FILE, Kind::ReturnReceipt), |paper, now| {
        Receipt::of_return(paper.bytes, &paper.signatures, contract, now)
    });
    match &receipt {
        Some(receipt) => received(bench, receipt, manifest.as_ref()),
        None => open_still(bench, chain),
    }
}

fn statement(bench: &mut Bench<'_>, chain: &Chain) {
    const NAME: &str = recipient::RETURN_FILE;
    let contract = &chain.contract;
    let order = chain.order.as_ref();
    let cited = order.and_then(|order| Some((&order.value.order().back.as_ref()?.to, &order.header)));
    if cited.is_some() && bench.bytes(NAME).is_none() {
        missing(bench, NAME);
        return;
    }
    let opened = open(bench, contract, (NAME, Kind::ReturnRecipient), |paper, now| {
        Recipient::of_controller(paper.bytes, &paper.signatures, contract, now)
    });
    if let (Some(opened), Some((cited, header))) = (opened, cited) {
        let found = opened.value.is_cited(cited, header);
        let words =
            Words::new(format!("It cites {NAME}, with its key."), format!("Il cite {NAME}, avec sa clé."));
        bench.check(instruction::FILE, found.is_ok(), words, || {
            told(&found.err().unwrap_or_default()).unwrap_or_default()
        });
    }
}

/// The receipt is the controller's, of this archive and this order.
fn received(bench: &mut Bench<'_>, receipt: &Opened<Receipt>, manifest: Option<&Opened<Manifest>>) {
    const NAME: &str = receipt::RETURN_FILE;
    let stated = receipt.value.stated();
    of_order(bench, NAME, &stated.instruction);
    cites(bench, NAME, &stated.manifest, MANIFEST);
    cites(bench, NAME, &stated.recipient, recipient::RETURN_FILE);
    let same = manifest.is_some_and(|manifest| manifest.header.id == stated.archive);
    let words = Words::new(
        "It is of the archive of the manifest here.",
        "Il est celui de l’archive du manifeste d’ici.",
    );
    bench.check(NAME, same, words, || format!("of the archive {}", stated.archive));
    let rows = stated.tables.iter().fold(0u64, |sum, table| sum.saturating_add(table.rows));
    let (en, fr) = (Language::English, Language::French);
    let words = Words::new(
        format!(
            "{} rows went back to the laboratory, which opened and added up every one, it says.",
            en.count(rows)
        ),
        format!(
            "{} lignes ont été rendues au laboratoire, qui les a toutes ouvertes et additionnées, dit-il.",
            fr.count(rows)
        ),
    );
    let whole = stated.is_whole();
    bench.check(NAME, whole.is_ok(), words, || {
        whole.err().map(|fault| fault.detail().to_owned()).unwrap_or_default()
    });
    let words = Words::new(
        "The tallies that it reveals: what they are compared with is sealed in the archive.",
        "Les totaux de contrôle qu’il révèle : ce à quoi on les compare est scellé dans l’archive.",
    );
    bench.lost(NAME, words);
}

/// A class that is to be returned and of which no receipt tells: open while the migration is under way, and a gap in
/// what a certificate closes.
fn open_still(bench: &mut Bench<'_>, chain: &Chain) {
    let Some(order) = chain.order.as_ref() else { return };
    let Some(dictionary) = surveyed(bench) else { return };
    let classes = returning(order.value.order(), &dictionary);
    if classes.is_empty() || bench.bytes(receipt::RETURN_FILE).is_some() {
        return;
    }
    let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
    let words = Words::new(
        format!("To be returned to the laboratory, and no receipt of it is here: {}.", names.join(", ")),
        format!("À rendre au laboratoire, et aucun accusé n’en est ici : {}.", names.join(", ")),
    );
    // an order that says to whom has it done before anybody certifies
    if order.value.order().back.is_some() && bench.is_closed() {
        bench.fails(receipt::RETURN_FILE, words, None);
    } else {
        bench.absent(receipt::RETURN_FILE, words);
    }
}

fn surveyed(bench: &Bench<'_>) -> Option<Dictionary> {
    let bytes = bench.bytes(rules::DICTIONARY)?;
    document::text(bytes).and_then(dictionary::parse).ok()
}
