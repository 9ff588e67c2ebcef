//! The certificate: the last paper, whose signatures cover every other file.

use std::collections::BTreeMap;

use ecluse_core::certificate::{Certified, FILE, Stated};
use ecluse_core::document::Kind;
use ecluse_core::erasure::{Erasure, Residue};

use super::Chain;
use super::opened::{cites, of_order, open};
use crate::bench::Bench;
use crate::file::is_last;
use crate::run::{self, Events, Leaf};
use crate::verdict::Words;

/// Checks it, where it is there: then no file is covered by nothing. Whether it closes the file: it is signed by
/// whom it must be; what it says is told line by line.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain, events: Option<&Events>) -> bool {
    let opened = open(bench, &chain.contract, (FILE, Kind::Certificate), |paper, now| {
        Certified::read(paper.bytes, &paper.signatures, &chain.contract, now)
    });
    let Some(opened) = opened else {
        if bench.bytes(FILE).is_none() {
            let words = Words::new(
                "No certificate closes this file: it is evidence of a migration that is under way.",
                "Aucune attestation ne clôt ce fichier : c’est la preuve d’une migration en cours.",
            );
            bench.absent(FILE, words);
        }
        return false;
    };
    let stated = opened.value.stated();
    of_order(bench, FILE, &stated.instruction);
    run::of_run(bench, FILE, &stated.run);
    cites(bench, FILE, &stated.acceptance, ecluse_core::acceptance::FILE);
    cites(bench, FILE, &stated.erasure, run::ERASURE);
    cites(bench, FILE, &stated.residue, run::RESIDUE);
    said(bench, stated);
    named(bench, stated);
    if let Some(events) = events {
        let words = Words::new(
            "The last event in the file announces it: none was cut off behind.",
            "Le dernier événement du fichier l’annonce : aucun n’a été retranché après.",
        );
        let last = events.leaves.last();
        bench.check(run::EVENTS, last.is_some_and(Leaf::announces_certificate), words, || {
            format!("line {}: {}", events.leaves.len(), last.map_or("", |leaf| leaf.act.as_str()))
        });
    }
    true
}

/// It says of places what the two files say that it cites.
fn said(bench: &mut Bench<'_>, stated: &Stated) {
    let erasure = run::parsed::<Erasure>(bench, run::ERASURE).ok().flatten();
    let residue = run::parsed::<Residue>(bench, run::RESIDUE).ok().flatten();
    let erased = erasure.is_some_and(|erasure| {
        stated.done == erasure.done
            && stated.held == erasure.held
            && stated.out_of_reach == erasure.out_of_reach
    });
    let looked =
        residue.is_some_and(|residue| stated.looked == residue.looked && residue.survivors.is_empty());
    let words = Words::new(
        "It says of each place what was noted when it was erased and searched: a declaration, no proof that no copy exists.",
        "Elle dit de chaque endroit ce qui fut noté à l’effacement et à la recherche : une déclaration, non la preuve qu’il n’existe aucune copie.",
    );
    bench.check(FILE, erased && looked, words, || "what was noted says otherwise".to_owned());
}

/// It names every other file, and no file that is not there.
fn named(bench: &mut Bench<'_>, stated: &Stated) {
    let named: BTreeMap<&str, String> =
        stated.artefacts.iter().map(|one| (one.path.as_str(), format!("sha256:{}", one.sha256))).collect();
    let others: Vec<String> = bench.below("").filter(|path| !is_last(path)).cloned().collect();
    let mut wrong = named.keys().find(|path| bench.bytes(path).is_none()).map(|path| (*path).to_owned());
    for path in others {
        if named.get(path.as_str()) == bench.digest(&path).as_ref() {
            bench.vouch(&path);
        } else {
            wrong = wrong.or(Some(path));
        }
    }
    let words = Words::new(
        format!("It names {} files by digest: every other one here.", named.len()),
        format!("Elle nomme {} fichiers par leur empreinte : tous les autres d’ici.", named.len()),
    );
    let is_right = wrong.is_none() && named.len() == stated.artefacts.len();
    bench.check(FILE, is_right, words, || {
        format!("{} is another file, is gone, or was added", wrong.unwrap_or_default())
    });
}
