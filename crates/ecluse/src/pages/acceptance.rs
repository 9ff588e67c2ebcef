//! *Procès-verbal de recette*: the acceptance as a page that the controller's signatories read, and sign by hand
//! where the contract foresees it.

use askama::Template;
use ecluse_core::acceptance::{Basis, Stated};
use ecluse_core::contract::Terms;
use ecluse_core::language::Language;
use ecluse_core::person::Role;

use super::reference::grouped;

/// The page; its template is `templates/acceptance.html`.
#[derive(Debug, Template)]
#[template(path = "acceptance.html")]
pub(crate) struct Page {
    lang: Language,
    trial: bool,
    invented: bool,
    laboratory: String,
    processor: String,
    says: Vec<String>,
    /// What is cited, and the digest's first 32 characters.
    cites: Vec<(&'static str, String)>,
    signatories: Vec<String>,
    fingerprint: String,
}

/// The page of an acceptance of this digest.
pub(crate) fn page(terms: &Terms, trial: bool, stated: &Stated, digest: &str) -> Page {
    let lang = stated.language;
    let basis = match &stated.basis {
        Basis::Reconciliation(digest) => (lang.of("Reconciliation", "Contrôle de concordance"), digest),
        Basis::Receipt(digest) => (lang.of("Receipt", "Accusé d’intégration"), digest),
    };
    let mut cites = vec![
        (lang.of("Order", "Ordre de migration"), &stated.instruction),
        (lang.of("Figures of the run", "Chiffres de la migration"), &stated.figures),
        basis,
    ];
    let differences = lang.of("Accepted differences", "Différences acceptées");
    cites.extend(stated.differences.iter().map(|digest| (differences, digest)));
    let compared = lang.of("Compared dossiers", "Dossiers comparés");
    cites.extend(stated.comparisons.iter().map(|looked| (compared, &looked.record)));
    let answer = lang.of("Answer to an objection", "Réponse à une objection");
    cites.extend(stated.answers.iter().map(|digest| (answer, digest)));
    let signatories = terms.keys.iter().filter(|key| key.role == Role::ControllerSignatory);
    let mut signatories: Vec<String> = signatories.map(|key| key.person.clone()).collect();
    signatories.dedup();
    Page {
        lang,
        trial,
        invented: terms.is_invented(),
        laboratory: terms.controller.name.clone(),
        processor: terms.processor.name.clone(),
        says: stated.words(),
        cites: cites.into_iter().map(|(name, digest)| (name, grouped(digest))).collect(),
        signatories,
        fingerprint: grouped(digest),
    }
}
