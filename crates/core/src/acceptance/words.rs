//! What an acceptance says, in the laboratory's language: made from what it states and from nothing else.

use super::{Basis, Stated};
use crate::language::Language;

/// The sentences, in their order.
pub(super) fn words(stated: &Stated) -> Vec<String> {
    let mut says = vec![moved(stated), known(stated)];
    says.extend(stated.comparisons.iter().map(|looked| {
        let lang = stated.language;
        let (by, drawn) = (&looked.by, lang.count(looked.drawn));
        let (same, crossed) = (lang.count(looked.same), lang.count(looked.crossed));
        lang.of(
            format!("{by} compared dossiers, old beside new: {drawn} drawn, {same} the same, {crossed} crossed."),
            format!(
                "{by} a comparé des dossiers, ancien et nouveau côte à côte : {drawn} tirés, {same} identiques, \
                 {crossed} avec écart."
            ),
        )
    }));
    says.push(consequence(stated.language));
    says
}

fn moved(Stated { asked, moved, refused, language: lang, .. }: &Stated) -> String {
    let [asked, moved, refused] = [asked, moved, refused].map(|n| lang.count(*n));
    lang.of(
        format!("Of {asked} rows that the order chose, {moved} stand in the new system; refused: {refused}."),
        format!(
            "Sur {asked} lignes choisies par l’ordre, {moved} se trouvent dans le nouveau système ; refusées : \
             {refused}."
        ),
    )
}

fn known(Stated { basis, differ, language: lang, .. }: &Stated) -> String {
    let read = match basis {
        Basis::Reconciliation(_) => lang.of(
            "The new system was read back and compared with what had left the old one",
            "Le nouveau système a été relu et comparé à ce qui avait quitté l’ancien",
        ),
        Basis::Receipt(_) => lang.of(
            "The recipient loaded the sealed archive, read it back and signed the receipt",
            "Le destinataire a intégré l’archive scellée, l’a relue et a signé l’accusé d’intégration",
        ),
    };
    let found = match differ {
        0 => lang.of("no difference", "aucune différence").to_owned(),
        n => {
            let rows = lang.plural(*n, lang.of("row", "ligne"), lang.of("rows", "lignes"));
            lang.of(
                format!("{rows} with a difference, accepted in the list of differences"),
                format!("{rows} avec écart, accepté dans la liste des différences"),
            )
        }
    };
    lang.of(format!("{read}: {found}."), format!("{read} : {found}."))
}

/// What follows from the signature.
fn consequence(lang: Language) -> String {
    lang.of(
        "With this signature the laboratory accepts the migration as it stands. It can no longer be undone, and what \
         the order says of erasure is done from now on.",
        "Par cette signature, le laboratoire accepte la migration telle qu’elle est. Elle ne peut plus être annulée, \
         et les effacements prévus par l’ordre ont lieu à partir de maintenant.",
    )
    .to_owned()
}
