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
    ACT_MARKS, ACT_TABLES, CREDENTIAL, CREDENTIAL_WITHIN, HARMLESS, PERSON_MARKS, PERSON_TEXT_MARKS,
    PROFESSIONAL_TABLES, QUALITY_TABLES, RULES, Rule, STAFF_MARKS, STAFF_TABLES, STRONG, Wants, has, split,
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
        let columns: Vec<(bool, Vec<String>)> =
            table.columns.iter().map(|c| (is_text(c), spoken(&c.name))).collect();
        let named = |list: &str| name.iter().any(|w| has(list, w));
        let holds = |list: &str| columns.iter().flat_map(|(_, words)| words).any(|w| has(list, w));
        // `first_seen_at` is no first name
        let texts = columns.iter().filter(|(text, _)| *text).flat_map(|(_, words)| words);
        let person = holds(PERSON_MARKS) || texts.into_iter().any(|w| has(PERSON_TEXT_MARKS, w));
        let patients = named("patient patients pat");
        let born = holds("ddn naissance birth dob birthdate");
        let about = if patients && person {
            // a portal's password in it does not make patients staff
            About::Patients
        } else if named(STAFF_TABLES) || (person && holds(STAFF_MARKS)) {
            About::Staff
        } else if named(PROFESSIONAL_TABLES) {
            About::Others
        } else if person && born && !named(ACT_TABLES) {
            About::Patients
        } else if person && !named(ACT_TABLES) {
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

    const fn persons(&self) -> bool {
        matches!(self.about, About::Patients | About::Staff | About::Others)
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
    let words = spoken(&column.name);
    let text = is_text(column);
    for rule in RULES {
        let Rule { class, words: list, wants } = rule;
        let fits = match wants {
            Wants::Anything => true,
            Wants::Text => text,
            Wants::NotText => !text,
            Wants::Person => context.persons(),
            Wants::PersonText => text && context.persons(),
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

/// A name's words, and each two that stand side by side as one: `national_id` says `nationalid` too.
fn spoken(name: &str) -> Vec<String> {
    let mut words = split(name);
    let pairs: Vec<String> = words.windows(2).map(<[String]>::concat).collect();
    words.extend(pairs);
    words
}

/// Whether a column takes words: a number without a declared precision travels as text, but is none.
fn is_text(column: &Column) -> bool {
    matches!(column.ty, Some(Type::Text | Type::Json)) && !is_number(column)
}

/// Whether the engine takes nothing but numbers, however they travel.
fn is_number(column: &Column) -> bool {
    ["numeric", "decimal", "number"].iter().any(|name| {
        column
            .sql_type
            .to_ascii_lowercase()
            .strip_prefix(name)
            .is_some_and(|rest| rest.trim_start().is_empty() || rest.trim_start().starts_with('('))
    })
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
    // what is counted in whole numbers is a key, a reference or a code, as an integer would be
    let whole = matches!(column.ty, Some(Type::Decimal { scale: 0, .. }));
    let ty = if is_number(column) && !matches!(column.ty, Some(Type::Decimal { .. })) {
        Some(Type::Float)
    } else {
        column.ty
    };
    match (about, ty) {
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
                | Type::Single
                | Type::Decimal { .. },
            ),
        ) if !whole => proposal(Class::Result, "a date or figure of an act about a patient"),
        _ => proposal(Class::Technical, "nothing in the name or type says more"),
    }
}
