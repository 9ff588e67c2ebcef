//! Proposes a class for a column from its name, its type and its table, with the reason.
//!
//! French, English and the three-letter prefixes of older laboratory software. A
//! proposal is for a person to correct; but a column whose name says credential stays refused
//! whatever a dictionary says afterwards ([`is_credential`]).

mod words;

use crate::catalog::{Column, Table};
use crate::class::Class;
use crate::types::Type;
use words::{
    ACT_MARKS, ACT_TABLES, CREDENTIAL, CREDENTIAL_WITHIN, HARMLESS, PERSON_MARKS, PROFESSIONAL_TABLES,
    QUALITY_TABLES, RULES, Rule, STAFF_MARKS, STAFF_TABLES, STRONG, Wants, has, split,
};

/// A proposed class and the reason, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The class.
    pub class: Class,
    /// Why: `the word "commentaire"`.
    pub reason: String,
}

/// What the table around a column is about, judged from its name and its columns' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    about: About,
    key: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// The patients themselves.
    Patients,
    /// People who work at the laboratory.
    Staff,
    /// Other persons: prescribers, suppliers' contacts.
    Others,
    /// Quality management.
    Quality,
    /// Requests, specimens, results: acts about a patient.
    Acts,
    /// None of these.
    Things,
}

impl Context {
    /// Judges a table.
    #[must_use]
    pub fn of(table: &Table) -> Self {
        let name = split(&table.name);
        let columns: Vec<Vec<String>> = table.columns.iter().map(|c| split(&c.name)).collect();
        let named = |list: &str| name.iter().any(|w| has(list, w));
        let holds = |list: &str| columns.iter().flatten().any(|w| has(list, w));
        let person = holds(PERSON_MARKS);
        let patients = named("patient patients pat");
        let born = holds("ddn naissance birth dob birthdate");
        let about = if patients && person {
            // a portal's password in it does not make patients staff
            About::Patients
        } else if named(STAFF_TABLES) || (person && holds(STAFF_MARKS)) {
            About::Staff
        } else if named(PROFESSIONAL_TABLES) {
            About::Others
        } else if person && born {
            About::Patients
        } else if person {
            About::Others
        } else if named(QUALITY_TABLES) {
            About::Quality
        } else if holds(ACT_MARKS) || named(ACT_TABLES) {
            About::Acts
        } else {
            About::Things
        };
        Self { about, key: table.key.clone() }
    }

    /// Whether the rows are the patients.
    #[must_use]
    pub fn patients(&self) -> bool {
        self.about == About::Patients
    }
}

/// Proposes a class for a column.
#[must_use]
pub fn propose(context: &Context, column: &Column) -> Proposal {
    if is_credential(&column.name) {
        return Proposal {
            class: Class::Credential,
            reason: "the name of a password, token or key".to_owned(),
        };
    }
    let words = split(&column.name);
    let text = matches!(column.ty, Some(Type::Text | Type::Json));
    for rule in RULES {
        let Rule { class, words: list, wants } = rule;
        let fits = match wants {
            Wants::Anything => true,
            Wants::Text => text,
            Wants::NotText => !text,
            Wants::Person => matches!(context.about, About::Patients | About::Staff | About::Others),
        };
        let Some(word) = words.iter().find(|w| has(list, w)).filter(|_| fits) else { continue };
        let (class, place) = in_table(*class, context.about);
        return Proposal { class, reason: format!("the word \"{word}\"{place}") };
    }
    if context.key.contains(&column.name) {
        return Proposal { class: Class::Technical, reason: "the table's key".to_owned() };
    }
    by_type(context.about, column)
}

/// Whether a column's name alone says that it holds a credential.
#[must_use]
pub fn is_credential(name: &str) -> bool {
    let words = split(name);
    let joined = words.concat();
    let says = words.iter().any(|w| has(CREDENTIAL, w))
        || CREDENTIAL_WITHIN.split_ascii_whitespace().any(|part| joined.contains(part));
    // `token_count` counts, `otp_phone_number` is a telephone; a password stays one whatever stands beside it
    let harmless = words.last().is_some_and(|w| has(HARMLESS, w))
        && !STRONG.split_ascii_whitespace().any(|part| joined.contains(part));
    says && !harmless
}

/// A person's name is identity, staff or a third party according to whose table it stands in.
fn in_table(class: Class, about: About) -> (Class, &'static str) {
    let personal = matches!(class, Class::Identity | Class::Contact | Class::NationalIdentifier);
    match (about, class) {
        (About::Staff, Class::FreeText | Class::Attachment | Class::ThirdParty) => (class, ""),
        (About::Staff, _) if personal => (Class::Staff, " in a table about staff"),
        (About::Others, _) if personal => (Class::ThirdParty, " in a table about other persons"),
        (About::Quality, Class::Result) => (Class::Quality, " in a table about quality"),
        _ => (class, ""),
    }
}

fn by_type(about: About, column: &Column) -> Proposal {
    let proposal = |class, reason: &str| Proposal { class, reason: reason.to_owned() };
    let wide = column.max_length.is_none_or(|n| n >= 200);
    match (about, column.ty) {
        (_, Some(Type::Bytes)) => proposal(Class::Attachment, "bytes"),
        (_, Some(Type::Json)) => proposal(Class::FreeText, "JSON may hold anything"),
        (_, Some(Type::Text)) if wide => proposal(Class::FreeText, "a text without a narrow limit"),
        (_, None) => proposal(Class::FreeText, "a type that is not known may hold anything"),
        (About::Staff, _) => proposal(Class::Staff, "in a table about staff"),
        (About::Quality, _) => proposal(Class::Quality, "in a table about quality"),
        (
            About::Acts,
            Some(
                Type::Date
                | Type::Timestamp
                | Type::Instant
                | Type::Time
                | Type::Float
                | Type::Decimal { .. },
            ),
        ) => proposal(Class::Result, "a date or figure of an act about a patient"),
        _ => proposal(Class::Technical, "nothing in the name or type says more"),
    }
}
