//! *Information des patients*: half a page that the laboratory can hand out or hang up.
//!
//! GDPR Art. 13 and 14: who, what, why, to whom, until when, which rights. It says what the signed papers say and
//! the law itself; the legal basis and the periods of retention are the laboratory's to add.

use std::collections::BTreeSet;

use askama::Template;
use ecluse_core::class::Class;
use ecluse_core::contract::Terms;
use ecluse_core::dictionary::Dictionary;
use ecluse_core::document::Header;
use ecluse_core::instruction::{Known, Order};
use ecluse_core::keys::day;
use ecluse_core::language::Language;

use super::order::Standing;
use super::words;

/// The page; its template is `templates/patients.html`.
#[derive(Debug, Template)]
#[template(path = "patients.html")]
pub(crate) struct Page {
    lang: Language,
    /// The order is signed and stands.
    stands: bool,
    trial: bool,
    invented: bool,
    laboratory: String,
    address: String,
    lead: String,
    purpose: String,
    classes: String,
    by: String,
    until: String,
    copies: String,
    /// By what a record is compared with those that stand there already; empty where it is not.
    compared: String,
    contact: String,
}

/// The page.
pub(crate) fn page(
    lang: Language,
    terms: &Terms,
    header: &Header,
    order: &Order,
    dictionary: &Dictionary,
    standing: &Standing,
) -> Page {
    let (laboratory, by) = (terms.controller.name.clone(), &terms.processor.name);
    let classes: Vec<&str> = moved(order, dictionary).into_iter().map(|c| words::class(c, lang)).collect();
    let officer = terms.controller.dpo.as_ref().map_or_else(String::new, |dpo| {
        lang.of(
            format!("Its data protection officer: {dpo}."),
            format!("Sa déléguée ou son délégué à la protection des données : {dpo}."),
        )
    });
    let contact = lang.of(
        format!("Write to {laboratory}, {}. {officer}", terms.controller.address),
        format!("Écrivez à {laboratory}, {}. {officer}", terms.controller.address),
    );
    Page {
        lang,
        stands: matches!(standing, Standing::Signed(_)),
        trial: header.trial,
        invented: terms.is_invented(),
        lead: lang.of(
            format!("{laboratory} is changing its computer system. Part of your record is copied from the old system into the new one."),
            format!("{laboratory} change de logiciel. Une partie de votre dossier est copiée de l’ancien système dans le nouveau."),
        ),
        address: terms.controller.address.clone(),
        purpose: order.purpose.value.clone(),
        classes: lang.listed(&classes),
        by: lang.of(
            format!("{by} does the work on the laboratory’s written order, and may use your data for nothing else."),
            format!("{by} fait le travail sur ordre écrit du laboratoire, et ne peut utiliser vos données à rien d’autre."),
        ),
        until: lang.day(day(header.not_after)),
        copies: lang.day(order.erasure.copies.value),
        compared: order
            .destination()
            .and_then(|to| to.known.as_ref())
            .map(|known| compared(known, lang))
            .unwrap_or_default(),
        contact: contact.trim_end().to_owned(),
        laboratory,
    }
}

fn compared(known: &Known, lang: Language) -> String {
    let by = words::compared_by(known, lang);
    lang.of(
        format!("Your record is compared with those that stand there, by {by}, so that the laboratory is told who is on record twice. No computer merges two records."),
        format!("Votre dossier est comparé à ceux qui y figurent, par {by}, pour que le laboratoire sache qui y figure deux fois. Aucun ordinateur ne fusionne deux dossiers."),
    )
}

/// The classes of which a column moves, but for what names nobody or the laboratory's own staff.
fn moved(order: &Order, dictionary: &Dictionary) -> BTreeSet<Class> {
    let tables = order.tables.iter().filter_map(|table| Some((table, dictionary.table(&table.name.value)?)));
    tables
        .flat_map(|(table, known)| table.columns.iter().filter_map(|c| known.column(&c.name.value)))
        .map(|column| column.class)
        .filter(|class| !matches!(class, Class::Technical | Class::Staff))
        .collect()
}
