//! The four boxes: what left, what stayed and what becomes of it, who received, when it is destroyed.

use std::collections::BTreeSet;

use ecluse_core::class::Class;
use ecluse_core::count::number;
use ecluse_core::instruction::{Fate, Stay};
use ecluse_core::language::Language;

use super::fill::Sources;
use super::page::Section;
use crate::pages::words;

/// The boxes, in their order.
pub(crate) fn boxes(from: &Sources<'_>) -> Vec<Section> {
    let lang = from.lang;
    let box_of = |english, french, lines| Section { title: lang.of(english, french), lines };
    vec![
        box_of("What left", "Ce qui est parti", left(from)),
        box_of("What stayed, and what becomes of it", "Ce qui est resté, et ce qu’il devient", stayed(from)),
        box_of("Who received", "Qui a reçu", received(from)),
        box_of("When it is destroyed", "Quand c’est détruit", destroyed(from)),
    ]
}

fn left(from: &Sources<'_>) -> Vec<String> {
    let lang = from.lang;
    let columns = number(from.facts.tables.iter().map(|t| t.granted).sum());
    let columns = lang.plural(columns, lang.of("column", "colonne"), lang.of("columns", "colonnes"));
    let tables = lang.plural(number(from.facts.tables.len()), "table", "tables");
    let purpose = &from.chain.instruction.order().purpose.value;
    vec![
        lang.of(format!("{columns} of {tables}"), format!("{columns} de {tables}")),
        lang.of(format!("for: {purpose}"), format!("but : {purpose}")),
    ]
}

/// A line a fate: what it is, and which classes have it, with their columns.
fn stayed(from: &Sources<'_>) -> Vec<String> {
    let lang = from.lang;
    let stays = &from.chain.instruction.order().stays;
    let mut fates: Vec<(String, Vec<String>)> = Vec::new();
    for (class, columns) in &from.facts.stays {
        let fate = stays.iter().find(|s| s.class.value.name() == class).map_or_else(
            || lang.of("no fate named", "aucun sort indiqué").to_owned(),
            |stay| words::fate(stay.fate, lang),
        );
        let name = Class::from_name(class).map_or(class.as_str(), |class| words::class(class, lang));
        let held = format!("{name} ({})", lang.count(*columns));
        match fates.iter_mut().find(|(known, _)| *known == fate) {
            Some((_, classes)) => classes.push(held),
            None => fates.push((fate, vec![held])),
        }
    }
    let all = from.facts.stays.values().sum();
    let all = lang.plural(all, lang.of("column", "colonne"), lang.of("columns", "colonnes"));
    let line = |(fate, classes): (String, Vec<String>)| {
        format!("{fate}{} {}", lang.of(":", " :"), classes.join(", "))
    };
    std::iter::once(all).chain(fates.into_iter().map(line)).collect()
}

fn received(from: &Sources<'_>) -> Vec<String> {
    let lang = from.lang;
    let [_, destination] = from.ends();
    let (by, operator) = (&from.chain.contract.terms().processor.name, &from.facts.operator);
    if let Some(recipient) = &from.chain.recipient {
        let names: Vec<String> = recipient.signers().iter().map(|signer| signer.person.clone()).collect();
        let key = lang.listed(&names);
        let opened = lang.of(
            format!("in a sealed archive that only the key of {key} opens"),
            format!("par une archive scellée que seule ouvre la clé de {key}"),
        );
        let destroyed = from.handed.as_ref().and_then(|handed| handed.receipt.done()).map(|_| {
            let says = "that key is destroyed, says the receipt";
            lang.of(says, "cette clé est détruite, dit l’accusé d’intégration").to_owned()
        });
        let sealed = lang.of(
            format!("sealed by {by}, operator {operator}"),
            format!("scellée par {by}, opérateur : {operator}"),
        );
        return [recipient.entity().to_owned(), opened]
            .into_iter()
            .chain(destroyed)
            .chain([sealed])
            .collect();
    }
    vec![
        destination,
        lang.of(
            format!("carried by {by}, operator {operator}"),
            format!("transporté par {by}, opérateur : {operator}"),
        ),
    ]
}

fn destroyed(from: &Sources<'_>) -> Vec<String> {
    let lang = from.lang;
    let order = from.chain.instruction.order();
    let [copies, record] = words::copies_go(order.erasure.copies.value, lang);
    let mut lines = vec![
        lang.of(
            format!("Every copy of patients' data that écluse made: by {copies}"),
            format!("Toute copie de données de patients faite par écluse : au plus tard le {copies}"),
        ),
        lang.of(
            format!("What tells of the migration (journal, counts, row tokens without their key, reports, evidence): by {record}"),
            format!(
                "Ce qui rend compte de la migration (journal, nombres, jetons de lignes sans leur clé, rapports, preuves) : au plus tard le {record}"
            ),
        ),
    ];
    if let Some(at) = &order.erasure.source {
        let at = lang.day(at.value);
        lines.push(lang.of(
            format!("What moved, at the source: by {at}"),
            format!("Ce qui est parti, à la source : au plus tard le {at}"),
        ));
    }
    let doomed = order.stays.iter().filter(|stay| matches!(stay.fate, Fate::Destroy { .. }));
    lines.extend(doomed.map(|stay| {
        let (class, fate) = (words::class(stay.class.value, lang), words::fate(stay.fate, lang));
        format!("{class}{} {fate}", lang.of(":", " :"))
    }));
    lines
}

/// One fate for all of a table's classes in few words, or that there are several; empty where there is none.
pub(crate) fn fate(stays: &[Stay], classes: &[Class], lang: Language) -> String {
    let of_table: BTreeSet<String> = stays
        .iter()
        .filter(|stay| classes.contains(&stay.class.value))
        .map(|stay| words::fate_in_short(stay.fate, lang))
        .collect();
    let mut fates = of_table.into_iter();
    match (fates.next(), fates.next()) {
        (Some(only), None) => only,
        (Some(_), Some(_)) => lang.of("each class has its fate", "chaque classe a son sort").to_owned(),
        (None, _) => String::new(),
    }
}
