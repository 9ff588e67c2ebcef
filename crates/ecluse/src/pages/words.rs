//! What the papers' words are called on a page that laypeople read, in both languages.

use ecluse_core::class::Class;
use ecluse_core::fault::Code;
use ecluse_core::instruction::{Fate, Pending};
use ecluse_core::language::Language;
use ecluse_core::person::Role;
use ecluse_core::types::Engine;

/// A class of data.
pub(crate) fn class(class: Class, language: Language) -> &'static str {
    let french = match class {
        Class::Identity => "identité",
        Class::Contact => "coordonnées",
        Class::NationalIdentifier => "identifiants nationaux",
        Class::ThirdParty => "autres personnes",
        Class::Staff => "personnel du laboratoire",
        Class::Result => "résultats",
        Class::SensitiveResult => "résultats sensibles",
        Class::FreeText => "textes libres",
        Class::Attachment => "pièces jointes",
        Class::Credential => "mots de passe et clés",
        Class::Billing => "facturation",
        Class::Quality => "qualité",
        Class::Audit => "traces du logiciel",
        Class::Technical => "données techniques",
    };
    language.of(class.name(), french)
}

/// What becomes of data that stay.
pub(crate) fn fate(fate: Fate, language: Language) -> String {
    match fate {
        Fate::Return => {
            language.of("given back to the laboratory, sealed", "rendu au laboratoire, scellé").to_owned()
        }
        Fate::Keep { until } => {
            let day = language.day(until);
            language.of(
                format!("kept in the old system until {day}"),
                format!("conservé dans l’ancien système jusqu’au {day}"),
            )
        }
        Fate::Destroy { by } => {
            let day = language.day(by);
            language.of(
                format!("destroyed in the old system by {day}"),
                format!("détruit dans l’ancien système au plus tard le {day}"),
            )
        }
    }
}

/// What becomes of requests that are not finished.
pub(crate) const fn pending(rule: Pending, language: Language) -> &'static str {
    match (rule, language) {
        (Pending::Stay, Language::English) => {
            "Requests that are not finished stay, and are finished in the old system."
        }
        (Pending::Stay, Language::French) => {
            "Les demandes en cours restent et sont terminées dans l’ancien système."
        }
        (Pending::Move, Language::English) => {
            "Requests that are not finished move as they are, and are finished in the new system."
        }
        (Pending::Move, Language::French) => {
            "Les demandes en cours partent telles quelles et sont terminées dans le nouveau système."
        }
        (Pending::Wait, Language::English) => "The cut-over waits until no request is unfinished.",
        (Pending::Wait, Language::French) => "La bascule attend qu’aucune demande ne soit en cours.",
    }
}

/// Why a paper does not stand, by the code that says so; what has no words here keeps its code alone.
pub(crate) fn why(code: &Code, language: Language) -> String {
    let french = match code.id {
        "ECL-SGN-020" => "une signature manque",
        "ECL-SGN-021" => "une signature ne correspond pas au document : il a été modifié depuis",
        "ECL-SGN-006" => "l’ordre n’est pas encore en vigueur",
        "ECL-SGN-007" => "l’ordre a expiré",
        "ECL-SGN-008" => "l’ordre a été établi sous un autre contrat",
        "ECL-STA-010" => "le laboratoire a suspendu l’ordre",
        "ECL-STA-011" => "le laboratoire a révoqué l’ordre",
        "ECL-CTR-060" => "l’identité du signataire du laboratoire n’est pas établie",
        other if other.starts_with("ECL-CTR") => "le contrat n’est pas en ordre",
        _ => "l’ordre n’a pas pu être vérifié",
    };
    format!("{} ({})", language.of(code.title, french), code.id)
}

/// A person's role.
pub(crate) fn role(role: Role, language: Language) -> &'static str {
    let french = match role {
        Role::ControllerSignatory => "signataire du laboratoire",
        Role::ControllerBiologist => "biologiste du laboratoire",
        Role::ControllerAdministrator => "administrateur du laboratoire",
        Role::ProcessorSignatory => "signataire de l’éditeur",
        Role::Operator => "opérateur",
    };
    let english = match role {
        Role::ControllerSignatory => "signatory of the laboratory",
        Role::ControllerBiologist => "biologist of the laboratory",
        Role::ControllerAdministrator => "administrator of the laboratory",
        Role::ProcessorSignatory => "signatory of the publisher",
        Role::Operator => "operator",
    };
    language.of(english, french)
}

/// An engine, as its makers write it.
pub(crate) const fn engine(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgresql => "PostgreSQL",
        Engine::Mariadb => "MariaDB",
        Engine::Sqlite => "SQLite",
        Engine::Csv => "CSV",
    }
}

/// Puts spaces that do not break where French typography wants them, in a whole page. Signs of the
/// page's own code have no space before them.
pub(crate) fn spaced(html: &str, language: Language) -> String {
    match language {
        Language::English => html.to_owned(),
        Language::French => {
            [(" :", "\u{a0}:"), (" ;", "\u{a0};"), (" ?", "\u{a0}?"), ("« ", "«\u{a0}"), (" »", "\u{a0}»")]
                .into_iter()
                .fold(html.to_owned(), |text, (from, to)| text.replace(from, to))
        }
    }
}
