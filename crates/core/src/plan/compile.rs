//! Compiles an instruction in force into the extraction it permits, and nothing more.

use std::collections::BTreeMap;

use super::Plan;
use crate::catalog::{Catalog, Table};
use crate::class::Class;
use crate::codes::CodeTable;
use crate::dictionary::Dictionary;
use crate::finding::Finding;
use crate::instruction::Instruction;
use crate::mapping::Mapping;

/// Everything a plan is made of.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The order in force.
    pub instruction: &'a Instruction,
    /// The dictionary it cites.
    pub dictionary: &'a Dictionary,
    /// The mapping it cites.
    pub mapping: &'a Mapping,
    /// The code tables the mapping cites, by the name it gives them.
    pub codes: &'a BTreeMap<String, CodeTable>,
    /// The source's catalogue now: at least the instructed tables.
    pub source: &'a Catalog,
    /// The destination's catalogue now.
    pub destination: &'a Catalog,
    /// Whether the controller's views are read (PostgreSQL and MariaDB); else the tables themselves.
    pub views: bool,
    /// Rows per table at most, where the papers are a trial's.
    pub row_limit: Option<u64>,
}

/// A plan, and what it leaves behind.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// What stays, table by table in the dictionary's order.
    pub stays: Vec<StayingColumn>,
}

/// A column that stays behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StayingColumn {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// Its class.
    pub class: Class,
    /// Whether `[stays]` names a fate for its class.
    pub fate: bool,
}

/// What stands in the way of a plan.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Each problem with its place and one fix.
    pub findings: Vec<Finding>,
    /// Destination tables that are missing, as they would have to be; the destination adapter
    /// writes their `CREATE TABLE`.
    pub missing: Vec<Table>,
}

static NOT_COMPILED: crate::fault::Code =
    crate::fault::Code::refused("ECL-PLN-001", "nothing is ordered that could be planned");

/// Compiles the plan.
///
/// # Errors
/// [`Refusal`]: every problem found, each with its place and one fix.
pub fn compile(inputs: &Inputs<'_>) -> Result<Compiled, Refusal> {
    let names = inputs.instruction.order().table_names();
    Err(Refusal {
        findings: vec![Finding::new(&NOT_COMPILED, format!("{} tables", names.len()))],
        missing: Vec::new(),
    })
}
