//! The acceptance: the controller's signatories answer for what was found at the destination.

use std::collections::BTreeSet;

use ecluse_core::acceptance::{Accepted, Basis, FILE, Stated};
use ecluse_core::document::Kind;
use ecluse_core::{comparison, differences};

use super::Chain;
use super::opened::{cites, of_order, open};
use crate::bench::Bench;
use crate::run;
use crate::verdict::Words;

/// Checks it, where it is there: everything that it cites, and every number that it says again.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain) {
    let opened = open(bench, &chain.contract, (FILE, Kind::Acceptance), |paper, now| {
        Accepted::read(paper.bytes, &paper.signatures, &chain.contract, now)
    });
    let Some(opened) = opened else {
        if bench.bytes(FILE).is_none() {
            bench.absent(
                FILE,
                Words::new(
                    "Nobody has accepted the migration here.",
                    "Personne n’a accepté la migration ici.",
                ),
            );
        }
        return;
    };
    let stated = opened.value.stated();
    of_order(bench, FILE, &stated.instruction);
    run::of_run(bench, FILE, &stated.run);
    cites(bench, FILE, &stated.figures, run::FIGURES);
    match &stated.basis {
        Basis::Reconciliation(digest) => cites(bench, FILE, digest, run::RECONCILIATION),
        Basis::Receipt(digest) => cites(bench, FILE, digest, "receipt.toml"),
    };
    if let Some(digest) = &stated.differences {
        cites(bench, FILE, digest, differences::FILE);
    }
    beside(bench, stated);
    let (asked, moved, refused) = (stated.asked, stated.moved, stated.refused);
    let words = Words::new(
        format!("It says what the figures say: {asked} rows asked for, {moved} moved, {refused} refused."),
        format!(
            "Il dit ce que disent les chiffres : {asked} lignes demandées, {moved} parties, {refused} refusées."
        ),
    );
    let same = run::sums(bench) == Some((asked, moved, refused));
    bench.check(FILE, same, words, || "the figures here say otherwise".to_owned());
}

/// The answers and the compared dossiers that it cites by digest.
fn beside(bench: &mut Bench<'_>, stated: &Stated) {
    let digests = |bench: &Bench<'_>, prefix: &str| -> BTreeSet<String> {
        let files = bench.below(prefix).filter(|path| !path.contains(".sigs/"));
        files.filter_map(|path| bench.digest(path)).collect()
    };
    let answers = digests(bench, "answers/");
    let comparisons = digests(bench, comparison::FILE.trim_end_matches("toml"));
    let missing = stated.answers.iter().find(|cited| !answers.contains(*cited));
    let missing =
        missing.or_else(|| stated.comparisons.iter().map(|c| &c.record).find(|c| !comparisons.contains(*c)));
    let words = Words::new(
        "The answers and compared dossiers that it cites are in the file.",
        "Les réponses et les dossiers comparés qu’il cite sont dans le fichier.",
    );
    bench.check(FILE, missing.is_none(), words, || missing.cloned().unwrap_or_default());
}
