//! What an order may not grant, and what it must say with it.

use std::collections::{BTreeMap, BTreeSet};

use super::{FILE, Order, TableOrder};
use crate::class::Class;
use crate::classify::is_credential;
use crate::dictionary::{self, Dictionary};
use crate::fault::Code;
use crate::finding::Finding;
use crate::nearest::suggestion;

static TWICE: Code = Code::refused("ECL-INS-007", "the instruction names this twice");
static NO_TABLE: Code = Code::refused("ECL-INS-008", "the dictionary has no such table");
static NO_COLUMN: Code = Code::refused("ECL-INS-009", "the table has no such column");
static NOTHING: Code = Code::refused("ECL-INS-010", "a table grants no column");
static CREDENTIAL: Code = Code::refused("ECL-INS-013", "credentials never move, listed or not");
static FREE_TEXT: Code = Code::refused("ECL-INS-014", "this column holds free text; it needs a reason");
static THIRD_PARTY: Code =
    Code::refused("ECL-INS-015", "this column is about somebody else; it needs a reason");
static STAFF: Code =
    Code::refused("ECL-INS-016", "this column is about the laboratory's staff; it needs a reason");
static ELSEWHERE: Code = Code::refused("ECL-INS-017", "a relation leads to a table that is not instructed");
static OTHER_DICTIONARY: Code = Code::refused("ECL-INS-018", "the instruction cites another dictionary");
static OTHER_SCHEMA: Code =
    Code::refused("ECL-INS-019", "the schema digest is not that of the instructed tables");
static STATUS_TOO_OLD: Code =
    Code::refused("ECL-INS-021", "the instruction relies on a status for longer than 7 days");

/// The longest an order may rely on one word of the controller's, in seconds: whoever withholds
/// a later word wins no more time than this.
const LONGEST_STATUS: u64 = 7 * 86_400;

/// Everything wrong with an order, judged by the dictionary it cites; empty is right.
#[must_use]
pub fn check(order: &Order, dictionary: &Dictionary) -> Vec<Finding> {
    let mut findings = cited(order, dictionary);
    if order.status_max_age > LONGEST_STATUS {
        let finding = Finding::new(&STATUS_TOO_OLD, "`status_max_age` is longer").law("GDPR Art. 28(3)(a)");
        findings.push(finding.help("write status_max_age = \"24h\", \"7d\" at most"));
    }
    // looked up, not searched: a database may have ten thousand tables
    let known: BTreeMap<&str, &dictionary::Table> =
        dictionary.tables.iter().rev().map(|t| (t.name.value.as_str(), t)).collect();
    let ordered: BTreeSet<&str> = order.tables.iter().map(|t| t.name.value.as_str()).collect();
    let mut seen = BTreeSet::new();
    for table in &order.tables {
        let name = &table.name;
        if !seen.insert(name.value.as_str()) {
            let finding = Finding::new(&TWICE, format!("table {}", name.value)).at(name.span.clone());
            findings.push(finding.help("keep one"));
        }
        match known.get(name.value.as_str()) {
            Some(surveyed) => findings.extend(columns(table, surveyed)),
            None => {
                let names = dictionary.tables.iter().map(|t| t.name.value.as_str());
                let finding = Finding::new(&NO_TABLE, name.value.clone()).at(name.span.clone());
                findings.push(match suggestion(&name.value, names) {
                    Some(help) => finding.help(help),
                    None => finding.help("ecluse survey lists the tables in dictionary.toml"),
                });
            }
        }
        for relation in table.relations.iter().filter(|r| !ordered.contains(r.table.value.as_str())) {
            let finding =
                Finding::new(&ELSEWHERE, relation.table.value.clone()).at(relation.table.span.clone());
            findings.push(finding.help("instruct that table too, or take the relation out"));
        }
    }
    let surveyed = dictionary.as_catalog();
    let surveyed = surveyed.by_name();
    let mut found: Vec<Finding> = Vec::new();
    let mut filters = Vec::new();
    for table in &order.tables {
        let filter = super::rows(order, table, &|name| surveyed.get(name).copied());
        filters.push(filter.map_err(|wrong| found.extend(wrong)).ok());
    }
    findings.extend(found);
    findings.extend(super::dossier::check(order, &|name| surveyed.get(name).copied()));
    findings.extend(super::pending::check(order, &|name| surveyed.get(name).copied()));
    findings.extend(super::entity::entity(order, dictionary, &filters));
    findings.extend(super::files::check(order));
    findings.extend(super::beside::check(order, dictionary));
    findings.sort_by_key(|f| f.span.as_ref().map_or(usize::MAX, |s| s.start));
    findings.into_iter().map(|f| f.in_file(FILE)).collect()
}

/// Whether it is about a table or a column that the dictionary does not have: a slip, set right first.
#[must_use]
pub fn is_unknown_name(finding: &Finding) -> bool {
    [NO_TABLE.id, NO_COLUMN.id].contains(&finding.code.id)
}

fn cited(order: &Order, dictionary: &Dictionary) -> Vec<Finding> {
    let mut findings = Vec::new();
    if order.dictionary.value != dictionary.digest {
        let finding = Finding::new(&OTHER_DICTIONARY, "the dictionary here has another digest");
        let finding = finding.at(order.dictionary.span.clone());
        findings.push(finding.help(format!(
            "write dictionary = \"{}\" while this is a draft; put back the cited dictionary once it is signed",
            dictionary.digest
        )));
    }
    let now = dictionary.schema(&order.table_names());
    if let Some(signed) = order.source.schema.as_ref().filter(|s| s.value != now) {
        let finding = Finding::new(&OTHER_SCHEMA, "the tables were surveyed with another digest")
            .at(signed.span.clone());
        findings
            .push(finding.help(format!("write schema = \"{now}\" while this is a draft; else survey again")));
    }
    findings
}

fn columns(table: &TableOrder, surveyed: &dictionary::Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    if table.columns.is_empty() {
        let finding = Finding::new(&NOTHING, table.name.value.clone()).at(table.name.span.clone());
        findings.push(finding.help("list the columns that move, or take the table out"));
    }
    for (i, column) in table.columns.iter().enumerate() {
        let at = |finding: Finding| finding.at(column.name.span.clone());
        let name = column.name.value.as_str();
        let full = format!("{}.{name}", table.name.value);
        if table.columns.iter().take(i).any(|c| c.name.value == name) {
            findings.push(at(Finding::new(&TWICE, format!("column {full}")).help("keep one")));
            continue;
        }
        // a credential by its name stays one, whatever class the dictionary was given since
        let known = surveyed.column(name);
        if is_credential(&table.name.value, name) || known.is_some_and(|c| c.class == Class::Credential) {
            let finding = Finding::new(&CREDENTIAL, full)
                .law("GDPR Art. 32(1): it would open the old system to whoever has it");
            findings.push(at(finding.help("take it out; people choose a new password in the new system")));
            continue;
        }
        let Some(known) = known else {
            let names = surveyed.columns.iter().map(|c| c.name.value.as_str());
            let finding = at(Finding::new(&NO_COLUMN, full));
            findings.push(match suggestion(name, names) {
                Some(help) => finding.help(help),
                None => finding.help(format!("dictionary.toml lists the columns of {}", table.name.value)),
            });
            continue;
        };
        findings.extend(reason(column, known, &full).map(at));
    }
    // a filter, a key or a relation must not reach a credential either: comparing it leaks it
    for used in table.key.iter().chain(table.relations.iter().map(|r| &r.column)) {
        if is_credential(&table.name.value, &used.value) {
            findings.push(
                Finding::new(&CREDENTIAL, format!("{}.{}", table.name.value, used.value))
                    .at(used.span.clone()),
            );
        }
    }
    findings
}

/// Free text and other people's data move only with a reason each.
fn reason(column: &super::ColumnOrder, known: &dictionary::Column, full: &str) -> Option<Finding> {
    if column.reason.is_some() {
        return None;
    }
    let (code, law) = match known.class {
        Class::FreeText => {
            (&FREE_TEXT, "GDPR Art. 5(1)(c); free text was where other people's secrets travelled")
        }
        Class::ThirdParty => (&THIRD_PARTY, "GDPR Art. 5(1)(c): this person is not the patient"),
        Class::Staff => (&STAFF, "GDPR Art. 5(1)(c): this person is not the patient"),
        _ => return None,
    };
    let label = if known.label.is_empty() { String::new() } else { format!(", \"{}\"", known.label) };
    let finding = Finding::new(code, format!("{full}{label}")).law(law);
    Some(finding.help(format!(
        "write  {{ name = \"{}\", reason = \"…\" }}\n\
         or leave it out: then it stays, and its fate is named under [stays]",
        column.name.value
    )))
}
