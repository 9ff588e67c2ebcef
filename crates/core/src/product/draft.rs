//! A product's dictionary out of a survey that somebody corrected.

use super::FORMAT;
use crate::dictionary::{Dictionary, Table};
use crate::reader::quote;

/// Which product and version it is of.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// In one word.
    pub name: &'a str,
    /// As people call it.
    pub title: &'a str,
    /// The version.
    pub version: &'a str,
}

/// The product's dictionary of these tables: names, types, classes, labels, and the relations the
/// engineer gave. Nothing that belongs to one database goes into it: no name of it, no identity, no
/// digest, no date.
#[must_use]
pub fn draft(survey: &Dictionary, named: Named<'_>, tables: &[String]) -> String {
    let mut out = format!(
        "# {} {}: the tables that somebody read and classified. Names, types and classes only.\n\n\
         [product]\nformat  = {}\nname    = {}\ntitle   = {}\nversion = {}\nengine  = {}\n",
        named.title,
        named.version,
        quote(FORMAT),
        quote(named.name),
        quote(named.title),
        quote(named.version),
        quote(survey.engine.name()),
    );
    for table in tables.iter().filter_map(|name| survey.table(name)) {
        draft_table(&mut out, table, tables);
    }
    out
}

fn draft_table(out: &mut String, table: &Table, tables: &[String]) {
    *out += &format!("\n[[table]]\nname  = {}\nlabel = {}\n", quote(&table.name.value), quote(&table.label));
    if table.patients {
        *out += "patients = true\n";
    }
    *out += "columns = [\n";
    for column in &table.columns {
        let label = if column.label.is_empty() {
            String::new()
        } else {
            format!(", label = {}", quote(&column.label))
        };
        *out += &format!(
            "  {{ name = {}, type = {}, class = {}{label} }},\n",
            quote(&column.name.value),
            quote(&column.sql_type),
            quote(column.class.name())
        );
    }
    *out += "]\n";
    let given: Vec<_> = table.relations.iter().filter(|r| !r.declared && tables.contains(&r.table)).collect();
    if given.is_empty() {
        return;
    }
    *out += "relations = [\n";
    for relation in given {
        *out += &format!(
            "  {{ column = {}, table = {}, to = {} }},\n",
            quote(&relation.column.value),
            quote(&relation.table),
            quote(&relation.to)
        );
    }
    *out += "]\n";
}
