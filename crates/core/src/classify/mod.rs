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
    ACCOUNT_MARKS, ACCOUNT_SECRETS, ACT_MARKS, ACT_TABLES, BORN_MARKS, CATALOGUE_TABLES, CREDENTIAL,
    CREDENTIAL_IN_TABLE, CREDENTIAL_TABLES, CREDENTIAL_WITHIN, HARMLESS, PATIENT_MARKS, PERSON_MARKS,
    PERSON_REACH_TABLES, PERSON_TABLES, PERSON_TEXT_MARKS, PROCEDURE_ACT_MARKS, PROCEDURE_TABLES,
    PROFESSIONAL_TABLES, QUALITY_TABLES, REACH_TABLES, REACH_WORDS, RESULT_WORDS, RULES, Rule, STAFF_MARKS,
    STAFF_TABLES, STRONG, Wants, has,
};

pub use words::split;

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
    name: String,
    key: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// The patients themselves.
    Patients,
    /// What is kept of each patient or person beside: identifiers, attributes, insurances.
    OfPatients,
    /// Telephones and other ways to reach somebody.
    Reach,
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
        let name = spoken(&table.name);
        let columns: Vec<(&Column, Vec<String>)> =
            table.columns.iter().map(|c| (c, spoken(&c.name))).collect();
        let named = |list: &str| name.iter().any(|w| has(list, w));
        let says = |column: &dyn Fn(&Column) -> bool, list: &str| {
            columns.iter().filter(|(c, _)| column(c)).flat_map(|(_, words)| words).any(|w| has(list, w))
        };
        let holds = |list: &str| says(&|_| true, list);
        // a form's switches are called `dob` and `name`, and `first_seen_at` is no first name
        let person = says(&|c| !is_figure(c), PERSON_MARKS) || says(&is_text, PERSON_TEXT_MARKS);
        let born = says(&|c| !is_figure(c), BORN_MARKS);
        let patients = named("patient patients pat");
        let of_person = named(PERSON_TABLES);
        let kinds = lists_kinds(&table.name);
        let account = holds(ACCOUNT_MARKS) && holds(ACCOUNT_SECRETS);
        let procedures = named(PROCEDURE_TABLES) && !named(ACT_TABLES) && !holds(PROCEDURE_ACT_MARKS);
        let about = if patients && (person || holds(PATIENT_MARKS)) {
            // a portal's password in it does not make patients staff
            About::Patients
        } else if named(REACH_TABLES) || (of_person && named(PERSON_REACH_TABLES)) {
            About::Reach
        } else if named(STAFF_TABLES) || account || (person && holds(STAFF_MARKS)) {
            About::Staff
        } else if named(PROFESSIONAL_TABLES) {
            About::Others
        } else if person && born && !named(ACT_TABLES) {
            About::Patients
        } else if person && !named(ACT_TABLES) && !of_person {
            About::Others
        } else if of_person && !named(ACT_TABLES) && !kinds {
            About::OfPatients
        } else if named(QUALITY_TABLES) || procedures {
            About::Quality
        } else if (holds(ACT_MARKS) || named(ACT_TABLES) || named(PROCEDURE_TABLES)) && !kinds {
            About::Acts
        } else {
            About::Things
        };
        Self { about, name: table.name.clone(), key: table.key.clone() }
    }

    const fn persons(&self) -> bool {
        matches!(self.about, About::Patients | About::OfPatients | About::Staff | About::Others)
    }

    /// Whether the rows are the patients.
    #[must_use]
    pub fn patients(&self) -> bool {
        self.about == About::Patients
    }
}

/// Whether a table's name says that it lists kinds of things: `test_type`, `specimen_categories`.
#[must_use]
pub fn lists_kinds(table: &str) -> bool {
    split(table).last().is_some_and(|word| has(CATALOGUE_TABLES, word))
}

/// Proposes a class for a column.
#[must_use]
pub fn propose(context: &Context, column: &Column) -> Proposal {
    if is_credential(&context.name, &column.name) {
        return Proposal {
            class: Class::Credential,
            reason: "the name of a password, token or key".to_owned(),
        };
    }
    let words = spoken(&column.name);
    let text = is_text(column);
    if let Some(class) = of_table(context.about, column, &words) {
        return Proposal { class, reason: "what the table is about".to_owned() };
    }
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
        let (class, place) = in_table(*class, context.about, word);
        return Proposal { class, reason: format!("the word \"{word}\"{place}") };
    }
    // a name or a number that somebody bears is a key too
    let counted = !text || !matches!(context.about, About::Patients | About::OfPatients | About::Reach);
    if context.key.contains(&column.name) && counted {
        return Proposal { class: Class::Technical, reason: "the table's key".to_owned() };
    }
    by_type(context.about, column)
}

/// A name's words, and each two or three that stand side by side as one: `national_id` says `nationalid` too.
fn spoken(name: &str) -> Vec<String> {
    let mut words = split(name);
    let joined: Vec<String> = words.windows(2).chain(words.windows(3)).map(<[String]>::concat).collect();
    words.extend(joined);
    words
}

/// What the table alone says of a word that means something else elsewhere.
fn of_table(about: About, column: &Column, words: &[String]) -> Option<Class> {
    let one_of = |list: &str| words.iter().any(|w| has(list, w));
    match about {
        _ if !is_text(column) => None,
        About::Reach if one_of(REACH_WORDS) => Some(Class::Contact),
        // a laboratory's own fields: the village, a second number, a telephone
        About::Patients | About::OfPatients if one_of("value") && !is_wide(column) => Some(Class::Identity),
        _ => None,
    }
}

/// Whether it holds true and false or a figure, and so no name and no day.
const fn is_figure(column: &Column) -> bool {
    matches!(column.ty, Some(Type::Bool | Type::Int | Type::Float | Type::Decimal { .. }))
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

/// Whether the names alone say that a column holds a credential: its own, and its table's where `key` is the
/// key of a session.
#[must_use]
pub fn is_credential(table: &str, name: &str) -> bool {
    let words = split(name);
    if !words.is_empty()
        && words.iter().all(|w| has(CREDENTIAL_IN_TABLE, w))
        && spoken(table).iter().any(|w| has(CREDENTIAL_TABLES, w))
    {
        return true;
    }
    let joined = words.concat();
    let says = words.iter().any(|w| has(CREDENTIAL, w))
        || CREDENTIAL_WITHIN.split_ascii_whitespace().any(|part| joined.contains(part));
    // `token_count` counts, `otp_phone_number` is a telephone; a password stays one whatever stands beside it
    let harmless = words.last().is_some_and(|w| has(HARMLESS, w))
        && !STRONG.split_ascii_whitespace().any(|part| joined.contains(part));
    says && !harmless
}

/// A person's name is identity, staff or a third party according to whose table it stands in.
fn in_table(class: Class, about: About, word: &str) -> (Class, &'static str) {
    let personal = matches!(class, Class::Identity | Class::Contact | Class::NationalIdentifier);
    match (about, class) {
        (About::Staff, Class::FreeText | Class::Attachment | Class::ThirdParty) => (class, ""),
        (About::Staff, _) if personal => (Class::Staff, " in a table about staff"),
        (About::Others, _) if personal => (Class::ThirdParty, " in a table about other persons"),
        (About::Quality, Class::Result) if !has(RESULT_WORDS, word) => {
            (Class::Quality, " in a table about quality")
        }
        _ => (class, ""),
    }
}

/// Whether a text has room for anything.
fn is_wide(column: &Column) -> bool {
    !column.choice && column.max_length.is_none_or(|n| n >= 200)
}

fn by_type(about: About, column: &Column) -> Proposal {
    let proposal = |class, reason: &str| Proposal { class, reason: reason.to_owned() };
    let wide = is_wide(column);
    // what is counted in whole numbers is a key, a reference or a code, as an integer would be
    let whole = matches!(column.ty, Some(Type::Decimal { scale: 0, .. }));
    let ty = if is_number(column) && !matches!(column.ty, Some(Type::Decimal { .. })) {
        Some(Type::Float)
    } else {
        column.ty
    };
    match (about, ty) {
        (About::Reach, Some(Type::Text)) if !wide => {
            proposal(Class::Contact, "a text in a table of ways to reach somebody")
        }
        (_, Some(Type::Bytes)) => proposal(Class::Attachment, "bytes"),
        (_, Some(Type::Json)) => proposal(Class::FreeText, "JSON may hold anything"),
        (About::Things | About::Quality, Some(Type::Text)) if column.choice => {
            proposal(Class::Technical, "one of a few words that the catalogue lists")
        }
        (About::Acts, Some(Type::Text)) if column.choice => {
            proposal(Class::Result, "one of a few words in a table about acts")
        }
        (_, Some(Type::Text)) if wide => proposal(Class::FreeText, "a text without a narrow limit"),
        (_, None) => proposal(Class::FreeText, "a type that is not known may hold anything"),
        (About::Staff, _) => proposal(Class::Staff, "in a table about staff"),
        (About::Quality, _) => proposal(Class::Quality, "in a table about quality"),
        (About::Patients | About::OfPatients, Some(Type::Text)) => {
            proposal(Class::Identity, "a text in a table about patients")
        }
        (About::Patients | About::OfPatients, Some(Type::Bool | Type::Float | Type::Decimal { .. }))
            if !whole =>
        {
            proposal(Class::Result, "a finding or figure in a table about patients")
        }
        (
            About::Patients | About::OfPatients,
            Some(Type::Date | Type::Timestamp | Type::Instant | Type::Time),
        ) => proposal(Class::Identity, "a day in a table about patients"),
        (About::Others, Some(Type::Text)) => {
            proposal(Class::ThirdParty, "a text in a table about other persons")
        }
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
