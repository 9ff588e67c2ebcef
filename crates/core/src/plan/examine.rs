//! What papers alone can tell of a plan, before anybody signs them.
//!
//! A draft is compiled exactly as the instruction in force will be, against the surveyed names and types and
//! the destination's catalogue; of what comes out, findings alone leave this module. There is no plan without
//! a verified order.

use std::collections::BTreeMap;

use super::compile::{Given, Refusal, made};
use crate::catalog::{Catalog, Column};
use crate::codes::CodeTable;
use crate::dictionary::Dictionary;
use crate::document::Header;
use crate::fault::Code;
use crate::finding::Finding;
use crate::instruction::Order;
use crate::mapping::{self, Mapping};
use crate::types::{Engine, Type};

/// A note: only rows can tell whether it matters.
static ELSEWHERE: Code = Code::refused(
    "ECL-PLN-095",
    "a foreign key of the destination leads where this order's relations do not",
);

/// Papers as they lie there, signed or not.
#[derive(Clone, Copy, Debug)]
pub struct Drafted<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its header.
    pub header: &'a Header,
    /// The dictionary it cites.
    pub dictionary: &'a Dictionary,
    /// The mapping it cites.
    pub mapping: &'a Mapping,
    /// The code tables that could be read, by the name the mapping gives them.
    pub codes: &'a BTreeMap<String, CodeTable>,
    /// The destination's catalogue: as it is, or as the missing tables would make it.
    pub destination: &'a Catalog,
}

/// Everything that a plan of these papers would be refused for, as far as a survey tells; else what a
/// person should know. What a dictionary does not keep (NULL, lengths that the type does not name, triggers)
/// is left to the plan.
///
/// # Errors
///
/// As [`super::compile`].
pub fn examine(drafted: &Drafted<'_>) -> Result<Vec<Finding>, Refusal> {
    let Drafted { order, header, dictionary, mapping, codes, destination } = *drafted;
    let source = surveyed(dictionary);
    let (digest, views) = ("", false);
    let given = Given {
        order,
        header,
        digest,
        dictionary,
        mapping,
        codes,
        source: &source,
        destination,
        views,
        surveyed: true,
        returns: false,
    };
    let compiled = made(&given)?;
    let tables = compiled.plan.tables();
    let elsewhere = compiled.plan.demands().iter().filter(|d| d.enforced).filter_map(|demand| {
        let table = tables.get(demand.table)?;
        let named = if demand.name.is_empty() { String::new() } else { format!(" ({})", demand.name) };
        let message = format!("{}.{} to {}{named}", table.destination(), demand.named, demand.references);
        let finding = Finding::new(&ELSEWHERE, message).in_file(mapping::FILE);
        Some(finding.help("ecluse plan counts the rows that would find no parent there"))
    });
    Ok(compiled.notes.into_iter().chain(elsewhere).collect())
}

/// The dictionary as a catalogue that refuses nothing it does not know.
pub(super) fn surveyed(dictionary: &Dictionary) -> Catalog {
    let mut catalog = dictionary.as_catalog();
    let engine = catalog.engine;
    for column in catalog.tables.iter_mut().flat_map(|t| &mut t.columns) {
        column.nullable = false;
        column.max_length = length(engine, column);
        column.int_bounds = (column.ty == Some(Type::Int)).then(|| bounds(engine, &column.sql_type));
    }
    catalog
}

/// Characters at most, where the type names them; 0 where it cannot be told, which fits everywhere.
fn length(engine: Engine, column: &Column) -> Option<u32> {
    let (word, rest) = column.sql_type.split_once('(').unwrap_or((&column.sql_type, ""));
    let word = word.trim().to_ascii_lowercase();
    let is_text = matches!(word.as_str(), "varchar" | "char" | "character varying" | "character");
    match rest.split_once(')').map(|(length, _)| length.trim().parse()) {
        Some(Ok(length)) if is_text => Some(length),
        None if engine == Engine::Postgresql && matches!(word.as_str(), "text" | "character varying") => None,
        _ => Some(0),
    }
}

/// What a column of whole numbers holds; nothing but 0, which fits everywhere, where it cannot be told.
fn bounds(engine: Engine, sql_type: &str) -> (i64, i64) {
    let word = sql_type.split(['(', ' ']).next().unwrap_or_default().to_ascii_lowercase();
    if engine == Engine::Sqlite {
        return (i64::MIN, i64::MAX);
    }
    let signed = !sql_type.to_ascii_lowercase().contains("unsigned");
    match (word.as_str(), signed) {
        ("smallint", true) => (i64::from(i16::MIN), i64::from(i16::MAX)),
        ("int" | "integer", true) => (i64::from(i32::MIN), i64::from(i32::MAX)),
        ("int" | "integer", false) => (0, i64::from(u32::MAX)),
        ("bigint", true) => (i64::MIN, i64::MAX),
        _ => (0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_type_does_not_say_fits_everywhere() {
        let at = |sql_type: &str| Column {
            name: "c".into(),
            sql_type: sql_type.into(),
            ty: Some(Type::Text),
            max_length: None,
            int_bounds: None,
            nullable: true,
            has_default: false,
            identity: false,
            generated: String::new(),
            collation: String::new(),
            choice: false,
            labels: Vec::new(),
            comment: String::new(),
        };
        let length = |engine, sql_type: &str| length(engine, &at(sql_type));
        assert_eq!(length(Engine::Mariadb, "varchar(40)"), Some(40));
        assert_eq!(length(Engine::Postgresql, "character varying(7)"), Some(7));
        assert_eq!(length(Engine::Postgresql, "text"), None);
        assert_eq!(length(Engine::Mariadb, "text"), Some(0));
        assert_eq!(length(Engine::Mariadb, "enum('a','b')"), Some(0));
        assert_eq!(bounds(Engine::Mariadb, "int(10) unsigned"), (0, 4_294_967_295));
        assert_eq!(bounds(Engine::Postgresql, "oid"), (0, 0));
    }
}
