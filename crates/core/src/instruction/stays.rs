//! What stays behind, and what becomes of it.
//!
//! Code de la santé publique R.1131-20 and GDPR Art. 5(1)(e): the old system will be switched off
//! one day. What becomes of what it still holds is the controller's to decide, class by class,
//! before anything moves; nobody guesses it.

use std::collections::{BTreeMap, BTreeSet};

use super::{FILE, Fate, Order};
use crate::class::Class;
use crate::count::{number, plural};
use crate::dictionary::Dictionary;
use crate::document::Header;
use crate::fault::Code;
use crate::finding::Finding;
use crate::reader::quote;

static NO_FATE: Code = Code::refused("ECL-PLN-009", "columns that stay have no fate");
static NOT_CARRIED_OUT: Code =
    Code::refused("ECL-PLN-080", "this version does not carry this fate out by itself");
static KEPT: Code =
    Code::refused("ECL-ERA-017", "rows that moved hold columns which stay, and are not to be destroyed");
static PAST: Code = Code::refused("ECL-PLN-081", "a fate's day lies before the order holds");

/// A column of which something stays behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StayingColumn {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// Its class.
    pub class: Class,
    /// Whether all of it stays; else it moves for the rows that are chosen, and stays for the others.
    pub whole: bool,
    /// What `[stays]` says of its class.
    pub fate: Option<Fate>,
}

/// Every column of which something stays, table by table in the dictionary's order: tables that
/// nobody named, columns that are not granted, and granted ones where the order does not choose
/// every row.
#[must_use]
pub fn staying(order: &Order, dictionary: &Dictionary) -> Vec<StayingColumn> {
    let mut stays = Vec::new();
    for table in &dictionary.tables {
        let ordered = order.table(&table.name.value);
        // without a look at the rows: any other filter may leave some, and so may a person's opposition
        let every = ordered.is_some_and(|t| t.rows.value.trim() == "true") && order.excluded.is_none();
        for column in &table.columns {
            let granted = ordered.is_some_and(|t| t.column(&column.name.value).is_some());
            if granted && every {
                continue;
            }
            stays.push(StayingColumn {
                table: table.name.value.clone(),
                column: column.name.value.clone(),
                class: column.class,
                whole: !granted,
                fate: order.stays.iter().find(|s| s.class.value == column.class).map(|s| s.fate),
            });
        }
    }
    stays
}

/// What is wrong with the fates; empty is right. Nothing is planned while one is missing.
#[must_use]
pub fn fates(order: &Order, header: &Header, dictionary: &Dictionary) -> Vec<Finding> {
    let mut findings: Vec<Finding> = no_fate(&staying(order, dictionary)).into_iter().collect();
    let begins = header.not_before.to_zoned(jiff::tz::TimeZone::UTC).date();
    for stay in &order.stays {
        if let Some(day) = stay.fate.day().filter(|day| *day < begins) {
            let message = format!("{}: {day}, and the order holds from {begins}", stay.class.value);
            let finding = Finding::new(&PAST, message).at(stay.class.span.clone()).in_file(FILE);
            findings.push(finding.help("write a day that is still to come"));
        }
    }
    findings.extend(super::beside::past(order, header, &PAST));
    findings
}

fn no_fate(stays: &[StayingColumn]) -> Option<Finding> {
    let mut without: BTreeMap<Class, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for one in stays.iter().filter(|s| s.fate.is_none()) {
        let (columns, tables) = without.entry(one.class).or_default();
        *columns += 1;
        tables.insert(&one.table);
    }
    let (first, _) = without.first_key_value()?;
    let list: Vec<String> = without
        .iter()
        .map(|(class, (columns, tables))| {
            format!(
                "{class} ({} of {})",
                plural(number(*columns), "column", "columns"),
                plural(number(tables.len()), "table", "tables")
            )
        })
        .collect();
    let name = quote(first.name());
    let help = format!(
        "name each under [stays], as the controller decides:  {name} = {{ fate = \"keep\", until = 2036-12-31 }}\n\
         the other two fates: ecluse explain {}; the columns: ecluse plan --stays",
        NO_FATE.id
    );
    let finding = Finding::new(&NO_FATE, list.join(", ")).in_file(FILE);
    Some(finding.law("GDPR Art. 5(1)(e), Art. 28(3)(g)").help(help))
}

/// What keeps the moved rows from being deleted at the source: columns of theirs that stay behind and whose
/// class the order does not have destroyed. One that is kept until a day goes with its row once that day is past;
/// one that is to be returned once it is (`returned`: the controller's receipt is there).
#[must_use]
pub fn kept_with_rows(
    order: &Order,
    dictionary: &Dictionary,
    today: jiff::civil::Date,
    returned: bool,
) -> Vec<Finding> {
    let stays = |column: &StayingColumn| match column.fate {
        Some(Fate::Destroy { .. }) => false,
        Some(Fate::Keep { until }) => until >= today,
        Some(Fate::Return) => !returned,
        None => true,
    };
    let mut named: BTreeMap<Class, BTreeSet<String>> = BTreeMap::new();
    let ordered = |column: &StayingColumn| order.table(&column.table).is_some();
    for column in staying(order, dictionary).into_iter().filter(|c| c.whole && ordered(c) && stays(c)) {
        named.entry(column.class).or_default().insert(format!("{}.{}", column.table, column.column));
    }
    let finding = |(class, columns): (Class, BTreeSet<String>)| {
        let fate = order.stays.iter().find(|stay| stay.class.value == class);
        let words = fate.map_or_else(
            || "no fate".to_owned(),
            |stay| match stay.fate {
                Fate::Keep { until } => format!("kept until {until}"),
                other => format!("fate \"{}\"", other.name()),
            },
        );
        let list: Vec<String> = columns.into_iter().collect();
        let at = fate.map_or(0..0, |stay| stay.class.span.clone());
        Finding::new(&KEPT, format!("{class}, {words}: {}", list.join(", "))).at(at).in_file(FILE)
    };
    named.into_iter().map(finding).collect()
}

/// Notes for whoever reads the order: fates that are ordered and that this version leaves to people, and classes to be
/// returned to a key that the order does not name.
#[must_use]
pub fn not_carried_out(order: &Order, dictionary: &Dictionary) -> Vec<Finding> {
    let mut notes = Vec::new();
    let returned = super::returning(order, dictionary);
    if !returned.is_empty() && order.back.is_none() {
        notes.push(super::without_recipient(&returned));
    }
    let held: BTreeSet<Class> = staying(order, dictionary).iter().map(|s| s.class).collect();
    let destroyed =
        |s: &&super::Stay| matches!(s.fate, Fate::Destroy { .. }) && held.contains(&s.class.value);
    let destroyed: Vec<&str> = order.stays.iter().filter(destroyed).map(|s| s.class.value.name()).collect();
    if !destroyed.is_empty() {
        let finding = Finding::new(&NOT_CARRIED_OUT, format!("to destroy: {}", destroyed.join(", ")));
        notes.push(finding.in_file(FILE).help(
            "the order may say so; until écluse can, a named person does it and writes down that it is done",
        ));
    }
    notes
}
