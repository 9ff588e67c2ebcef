//! The mapping against the instruction: nothing more than is granted, nothing granted for nothing.

use super::{FILE, Mapping, TableMap};
use crate::fault::Code;
use crate::finding::Finding;
use crate::instruction::{self, Order};
use crate::nearest::suggestion;
use crate::types::Engine;

static NOT_GRANTED: Code =
    Code::refused("ECL-MAP-010", "the mapping uses a column that the instruction does not grant");
static UNUSED: Code =
    Code::refused("ECL-MAP-011", "the instruction grants a column that the mapping does not use");
static TABLE_NOT_GRANTED: Code =
    Code::refused("ECL-MAP-012", "the mapping moves a table that is not instructed");
static TABLE_UNUSED: Code = Code::refused("ECL-MAP-013", "an instructed table is not mapped");
static RESERVED: Code =
    Code::refused("ECL-MAP-015", "the mapping names a table that is not the laboratory's to fill");
static OTHER_MAPPING: Code = Code::refused("ECL-MAP-014", "the instruction cites another mapping");

/// Everything in which the two disagree, both places shown; empty is right.
#[must_use]
pub fn against(mapping: &Mapping, order: &Order) -> Vec<Finding> {
    let mut findings = Vec::new();
    if order.mapping.value != mapping.digest {
        let finding = Finding::new(&OTHER_MAPPING, "the mapping here has another digest");
        let finding = finding.at(order.mapping.span.clone()).in_file(instruction::FILE);
        findings.push(finding.help(
            "while it is a draft: ecluse instruction check --fill; once it is signed, put back the mapping it cites",
        ));
    }
    // a recipient's engine is not known to the order
    let engine = order.destination().map(|destination| destination.engine);
    let reserved = |map: &&TableMap| engine.is_some_and(|engine| is_reserved(&map.to.value, engine));
    for map in mapping.tables.iter().filter(reserved) {
        let finding = Finding::new(&RESERVED, map.to.value.clone()).at(map.to.span.clone()).in_file(FILE);
        findings.push(finding.help("name a table of the application that takes the data"));
    }
    for map in &mapping.tables {
        let Some(table) = order.table(&map.from.value) else {
            // one that is mapped already is not what was meant
            let names = order.tables.iter().map(|t| t.name.value.as_str());
            let names = names.filter(|name| mapping.table(name).is_none());
            let finding = Finding::new(&TABLE_NOT_GRANTED, map.from.value.clone()).at(map.from.span.clone());
            let help = suggestion(&map.from.value, names);
            findings.push(
                finding.in_file(FILE).help(help.unwrap_or_else(|| "take it out of the mapping".to_owned())),
            );
            continue;
        };
        for used in map.columns.iter().flat_map(|c| c.make.uses()) {
            if table.column(&used.value).is_some() {
                continue;
            }
            let message = format!("{}.{}", map.from.value, used.value);
            let finding = Finding::new(&NOT_GRANTED, message).at(used.span.clone()).in_file(FILE);
            let finding =
                finding.also(instruction::FILE, table.name.span.clone(), "this table does not grant it");
            let near = suggestion(&used.value, table.columns.iter().map(|c| c.name.value.as_str()));
            let help = near.filter(|n| n.starts_with("did")).unwrap_or_else(|| {
                "take it out of the mapping, or have it granted by a new version of the instruction"
                    .to_owned()
            });
            findings.push(finding.law("GDPR Art. 28(3)(a)").help(help));
        }
    }
    for table in &order.tables {
        let Some(map) = mapping.table(&table.name.value) else {
            let finding = Finding::new(&TABLE_UNUSED, table.name.value.clone()).at(table.name.span.clone());
            findings
                .push(finding.in_file(instruction::FILE).help("map it, or take it out of the instruction"));
            continue;
        };
        for column in &table.columns {
            let used = map.columns.iter().flat_map(|c| c.make.uses()).any(|u| u.value == column.name.value);
            if used {
                continue;
            }
            let message = format!("{}.{} would be read for nothing", table.name.value, column.name.value);
            let finding =
                Finding::new(&UNUSED, message).at(column.name.span.clone()).in_file(instruction::FILE);
            let finding = finding.also(FILE, map.from.span.clone(), "this table's map does not use it");
            findings.push(finding.law("GDPR Art. 5(1)(c)").help("map it, or take it out of the instruction"));
        }
    }
    findings
}

/// Whether the engine keeps the name for itself, or écluse for its ledger; a path is no table's name.
/// Both engines fold the case of what they keep.
fn is_reserved(table: &str, destination: Engine) -> bool {
    let name = table.to_lowercase();
    let begins = |with: &[&str]| with.iter().any(|with| name.starts_with(with));
    let own = match destination {
        Engine::Sqlite => begins(&["sqlite_", "main.", "temp."]),
        Engine::Postgresql => begins(&["pg_catalog.", "information_schema."]),
        Engine::Mariadb | Engine::Csv => false,
    };
    own || begins(&["ecluse_ledger"]) || name.contains(['/', '\\'])
}
