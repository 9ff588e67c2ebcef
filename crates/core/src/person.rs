//! Persons and the roles they act in: one account is one natural person.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::fault::Code;
use crate::finding::Finding;
use crate::reader::Spanned;

/// A name or an address that is nobody's.
pub static GENERIC: Code = Code::refused("ECL-CTR-040", "an account names one natural person");

/// The two sides of a contract (GDPR Art. 28(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The laboratory: decides.
    Controller,
    /// The publisher: does what is instructed.
    Processor,
}

impl Side {
    /// The word for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Processor => "processor",
        }
    }

    /// The side of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Controller, Self::Processor].into_iter().find(|side| side.name() == name)
    }
}

/// What a person of a contract may do. Which documents each may sign stands in
/// [`crate::document::Kind::signers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Signs for the laboratory: its legal representative or a written delegate.
    ControllerSignatory,
    /// Judges the data: signs code tables.
    ControllerBiologist,
    /// Administers the laboratory's database: runs the grants; signs nothing.
    ControllerAdministrator,
    /// Signs for the publisher.
    ProcessorSignatory,
    /// Runs migrations, under own name, in sessions of at most 12 hours.
    Operator,
    /// Receives a sealed archive, for the publisher or for a sub-processor: states the key that opens it.
    Recipient,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::ControllerSignatory,
        Self::ControllerBiologist,
        Self::ControllerAdministrator,
        Self::ProcessorSignatory,
        Self::Operator,
        Self::Recipient,
    ];

    /// The name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ControllerSignatory => "controller-signatory",
            Self::ControllerBiologist => "controller-biologist",
            Self::ControllerAdministrator => "controller-administrator",
            Self::ProcessorSignatory => "processor-signatory",
            Self::Operator => "operator",
            Self::Recipient => "recipient",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whose side the role is on.
    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Self::ControllerSignatory | Self::ControllerBiologist | Self::ControllerAdministrator => {
                Side::Controller
            }
            // whoever receives does so on the controller's behalf, as the publisher or under it
            Self::ProcessorSignatory | Self::Operator | Self::Recipient => Side::Processor,
        }
    }
}

/// Words that name a function, a machine or a place, and no person.
const GENERIC_WORDS: [&str; 47] = [
    "accueil",
    "adm",
    "admin",
    "administrateur",
    "administration",
    "administrator",
    "anonymous",
    "biologie",
    "compte",
    "contact",
    "demo",
    "direction",
    "dpo",
    "dsi",
    "editeur",
    "equipe",
    "exploitation",
    "formation",
    "guest",
    "hotline",
    "info",
    "informatique",
    "invite",
    "labo",
    "laboratoire",
    "lims",
    "maintenance",
    "migration",
    "noreply",
    "operateur",
    "operator",
    "postmaster",
    "prestataire",
    "production",
    "root",
    "secretariat",
    "service",
    "sil",
    "stagiaire",
    "superuser",
    "support",
    "system",
    "technicien",
    "technique",
    "test",
    "user",
    "utilisateur",
];

/// Refuses names and addresses that are nobody's: `admin`, `Labo 2`, `info@…`.
///
/// A person has at least a first and a last name; the first is no generic word (there are
/// people called Root, but no first name is), and there are no digits. No part of the address before the
/// `@` is generic, unless the person is called so. CNIL: shared accounts make every journal
/// worthless.
#[must_use]
pub fn natural(name: &Spanned<String>, email: &Spanned<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let named = words(&name.value);
    findings.extend(nobodys_name(&name.value).map(|message| person(message, name)));
    let Some((local, domain)) = email.value.split_once('@').filter(|(l, d)| !l.is_empty() && d.contains('.'))
    else {
        findings.push(person(format!("`{}` is not an e-mail address", email.value), email));
        return findings;
    };
    let local = fold(local);
    let parts: Vec<&str> =
        local.split(|c: char| !c.is_alphabetic()).filter(|part| !part.is_empty()).collect();
    let nobodys = |part: &&str| is_generic(part) && !named.iter().any(|word| word == part);
    if domain.contains('@') || email.value.contains(char::is_whitespace) {
        findings.push(person(format!("`{}` is not one e-mail address", email.value), email));
    } else if parts.iter().any(nobodys) || parts.is_empty() {
        findings.push(person(format!("`{}` is an address that nobody alone reads", email.value), email));
    }
    findings
}

/// Why a name is nobody's, if it is: no first and last name, a number in it, a word that names a function.
#[must_use]
pub fn nobodys_name(name: &str) -> Option<String> {
    let generic = words(name).into_iter().next().filter(|word| is_generic(word));
    if let Some(word) = generic {
        return Some(format!("`{name}` names no person: `{word}` is a generic word"));
    }
    let nameless = name.split_whitespace().count() < 2 || name.chars().any(|c| c.is_ascii_digit());
    nameless.then(|| format!("`{name}` is not a first and a last name"))
}

fn person(message: String, place: &Spanned<String>) -> Finding {
    Finding::new(&GENERIC, message)
        .at(place.span.clone())
        .law("GDPR Art. 32(4); one account, one natural person")
        .help("write the first and last name of one person, and that person's own address")
}

fn is_generic(word: &str) -> bool {
    GENERIC_WORDS.contains(&word.trim_end_matches('s')) || GENERIC_WORDS.contains(&word)
}

/// A form of a person's name in which two spellings of one person are equal: without
/// titles, accents, case and order.
#[must_use]
pub fn same_person_key(name: &str) -> String {
    const TITLES: [&str; 10] =
        ["dr", "docteur", "pr", "professeur", "m", "mr", "mme", "mlle", "monsieur", "madame"];
    let words: BTreeSet<String> =
        words(name).into_iter().filter(|word| !TITLES.contains(&word.as_str())).collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn words(name: &str) -> Vec<String> {
    fold(name).split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

/// Lower case, French accents off.
fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'à' | 'â' | 'ä' | 'á' => 'a',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' | 'í' => 'i',
            'ô' | 'ö' | 'ó' => 'o',
            'ù' | 'û' | 'ü' | 'ú' => 'u',
            'ç' => 'c',
            'ÿ' => 'y',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, email: &str) -> usize {
        natural(&Spanned::new(name.to_owned(), 0..1), &Spanned::new(email.to_owned(), 0..1)).len()
    }

    #[test]
    fn people_pass() {
        for (name, email) in [
            ("Claire Fontaine", "claire.fontaine@labo-exemple.example"),
            ("Dr Élodie N'Guyen-Leroy", "e.nguyen@labo.example"),
            ("Jean-Michel Testud", "jm.testud@editeur.example"),
            ("Ève Or", "eve@x.example"),
            ("Joe Root", "joe.root@labo.example"),
            ("Bérénice Essai-Biologie", "berenice.essai@labo.example"),
        ] {
            assert_eq!(found(name, email), 0, "{name} {email}");
        }
    }

    #[test]
    fn generic_names_are_refused() {
        let good = "claire.fontaine@labo.example";
        for name in [
            "admin",
            "root",
            "labo",
            "user",
            "operateur",
            "test",
            "Opérateur",
            "Labo Deux",
            "Utilisateurs",
            "Claire",
            "",
            "Service Technique",
            "Root Admin",
            "Claire 2",
        ] {
            assert_eq!(found(name, good), 1, "{name}");
        }
    }

    #[test]
    fn shared_addresses_are_refused() {
        for email in [
            "info@labo.example",
            "contact@labo.example",
            "admin2@labo.example",
            "labo.nord@labo.example",
            "claire",
            "@labo.example",
            "a b@labo.example",
            "a@b@c.example",
            "12@labo.example",
        ] {
            assert_eq!(found("Claire Fontaine", email), 1, "{email}");
        }
    }

    #[test]
    fn spellings_of_one_person_are_equal() {
        for other in ["FONTAINE Hélène", "Dr. Helene Fontaine", "hélène  fontaine", "Mme Fontaine, Hélène"]
        {
            assert_eq!(same_person_key(other), same_person_key("Hélène Fontaine"), "{other}");
        }
        assert_ne!(same_person_key("Hélène Fontaine"), same_person_key("Hélène Fontanel"));
    }
}
