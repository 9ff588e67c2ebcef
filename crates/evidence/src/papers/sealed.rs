//! The sealed way: the manifest of the archive, and the recipient's receipt of it.

use ecluse_core::document::Kind;
use ecluse_core::language::Language;
use ecluse_core::manifest::{self, Manifest};
use ecluse_core::receipt::{self, Receipt};

use super::Chain;
use super::opened::{Opened, cites, of_order, open};
use super::recipient;
use crate::bench::Bench;
use crate::run;
use crate::verdict::Words;

/// Checks both, where they are there.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    let manifest = open(bench, &chain.contract, (manifest::FILE, Kind::Manifest), |paper, now| {
        Manifest::in_force(paper.bytes, &paper.signatures, &chain.contract, now)
    });
    if let Some(manifest) = &manifest {
        let stated = manifest.value.stated();
        of_order(bench, manifest::FILE, &stated.instruction.value);
        cites(bench, manifest::FILE, &stated.recipient.value, recipient::NAME);
        let words = Words::new(
            "What was sealed lies in the archive, which is not in the file: its parts are named by digest.",
            "Ce qui fut scellé est dans l’archive, qui n’est pas dans le fichier : ses parties sont nommées par empreinte.",
        );
        bench.lost(manifest::FILE, words);
    }
    let receipt = open(bench, &chain.contract, (receipt::FILE, Kind::Receipt), |paper, now| {
        Receipt::read(paper.bytes, &paper.signatures, &chain.contract, now)
    });
    if let Some(receipt) = &receipt {
        received(bench, receipt, manifest.as_ref());
    }
}

/// The receipt is of this archive and this order, and of as many rows as were sealed.
fn received(bench: &mut Bench<'_>, receipt: &Opened<Receipt>, manifest: Option<&Opened<Manifest>>) {
    let stated = receipt.value.stated();
    of_order(bench, receipt::FILE, &stated.instruction);
    cites(bench, receipt::FILE, &stated.manifest, manifest::FILE);
    cites(bench, receipt::FILE, &stated.recipient, recipient::NAME);
    run::of_run(bench, receipt::FILE, &stated.run);
    let words = Words::new(
        "It is of the archive of the manifest here.",
        "Il est celui de l’archive du manifeste d’ici.",
    );
    let same = manifest.is_some_and(|manifest| manifest.header.id == stated.archive);
    bench.check(receipt::FILE, same, words, || format!("of the archive {}", stated.archive));
    let rows = stated
        .tables
        .iter()
        .try_fold(0u64, |sum, table| sum.checked_add(table.rows)?.checked_add(table.refused));
    let (en, fr) = (Language::English, Language::French);
    let count = rows.unwrap_or_default();
    let words = Words::new(
        format!("{} rows were received: as many as the sender’s figures say were sealed.", en.count(count)),
        format!(
            "{} lignes reçues : autant que les chiffres de l’expéditeur en disent scellées.",
            fr.count(count)
        ),
    );
    let sealed = run::sums(bench).map(|(_, moved, _)| moved);
    bench.check(receipt::FILE, rows.is_some() && rows == sealed, words, || {
        format!("sealed were {}", sealed.unwrap_or_default())
    });
    let whole = stated.is_whole();
    let words = Words::new(
        "Everything received was read back and agrees; the key that opened the archive is destroyed, says who received.",
        "Tout ce qui fut reçu a été relu et concorde ; la clé qui ouvrait l’archive est détruite, dit qui a reçu.",
    );
    bench.check(receipt::FILE, whole.is_ok(), words, || {
        whole.err().map(|fault| fault.detail().to_owned()).unwrap_or_default()
    });
    let words = Words::new(
        "The tallies that it reveals: what they are compared with is sealed in the archive.",
        "Les totaux de contrôle qu’il révèle : ce à quoi on les compare est scellé dans l’archive.",
    );
    bench.lost(receipt::FILE, words);
}
