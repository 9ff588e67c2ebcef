//! The instruction binds its source and destination; here they are compared with what is there.

use super::compile::Given;
use crate::catalog::Catalog;
use crate::dictionary::Dictionary;
use crate::digest;
use crate::fault::Code;
use crate::finding::Finding;
use crate::instruction::{self, Endpoint};

static OTHER_SOURCE: Code = Code::refused("ECL-PLN-002", "this is not the source that was signed for");
static OTHER_SCHEMA: Code =
    Code::refused("ECL-PLN-003", "the tables are not as they were when the instruction was signed");
static OTHER_DESTINATION: Code =
    Code::refused("ECL-PLN-004", "this is not the destination that was signed for");

/// Everything the instruction binds and that is not so. The servers' keys
/// (`tls_spki`) were asked for when the connections were made.
pub(super) fn bind(inputs: &Given<'_>) -> Vec<Finding> {
    let order = inputs.order;
    let mut findings = Vec::new();
    findings.extend(instance(&OTHER_SOURCE, &order.source, inputs.source));
    let destination = order.destination();
    findings.extend(destination.and_then(|to| instance(&OTHER_DESTINATION, to, inputs.destination)));
    // of a draft the order's own check compares it with the dictionary
    let looked_at = (!inputs.surveyed).then_some(inputs.source);
    let differs = looked_at.and_then(|source| schema(&order.source, source, &order.table_names()));
    findings.extend(differs.map(|mut finding| {
        let changed = changed(inputs.dictionary, inputs.source, &order.table_names());
        if !changed.is_empty() {
            finding.message = changed.join("; ");
        }
        finding
    }));
    let destinations: Vec<String> = inputs.mapping.tables.iter().map(|t| t.to.value.clone()).collect();
    findings.extend(destination.and_then(|to| schema(to, inputs.destination, &destinations)));
    findings
}

fn instance(code: &'static Code, signed: &Endpoint, found: &Catalog) -> Option<Finding> {
    let (what, span) = if signed.engine != found.engine {
        (format!("{} was signed for, this is {}", signed.engine, found.engine), &signed.database.span)
    } else if signed.database.value != found.database {
        (
            format!("{} was signed for, this is {}", signed.database.value, found.database),
            &signed.database.span,
        )
    } else if signed.identity.value != found.identity {
        ("another instance, or a copy of it".to_owned(), &signed.identity.span)
    } else {
        return None;
    };
    let finding = Finding::new(code, what).at(span.clone()).in_file(instruction::FILE);
    Some(finding.help("connect to the database that was signed for"))
}

fn schema(signed: &Endpoint, found: &Catalog, tables: &[String]) -> Option<Finding> {
    let digest = signed.schema.as_ref()?;
    let now = digest::of_schema(found, tables);
    (digest.value != now).then(|| {
        let finding = Finding::new(&OTHER_SCHEMA, format!("they are {now} now")).at(digest.span.clone());
        finding
            .in_file(instruction::FILE)
            .help("survey again; a new version of the instruction is signed for the tables as they are")
    })
}

/// What is not as it was surveyed, by table and column.
fn changed(dictionary: &Dictionary, found: &Catalog, tables: &[String]) -> Vec<String> {
    let mut changed = Vec::new();
    for name in tables {
        let Some(was) = dictionary.table(name) else { continue };
        let Some(is) = found.table(name) else {
            changed.push(format!("{name} is gone"));
            continue;
        };
        if was.digest == digest::of_table(is) {
            continue;
        }
        let before = changed.len();
        for column in &was.columns {
            match is.columns.iter().find(|c| c.name == column.name.value) {
                None => changed.push(format!("{name}.{} is gone", column.name.value)),
                Some(now) if now.sql_type != column.sql_type => {
                    changed.push(format!("{name}.{} was {}, is {}", now.name, column.sql_type, now.sql_type));
                }
                Some(_) => {}
            }
        }
        for column in is.columns.iter().filter(|c| was.column(&c.name).is_none()) {
            changed.push(format!("{name}.{} is new", column.name));
        }
        if changed.len() == before {
            changed.push(format!("{name} has another order of columns, key, collation or trigger"));
        }
    }
    changed
}
