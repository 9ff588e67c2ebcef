//! Whether a product's dictionary is that of the database that was surveyed.

use std::collections::BTreeMap;

use super::{Product, Table};
use crate::dictionary::{self, Dictionary};
use crate::fault::Code;
use crate::finding::Finding;

static NO_TABLE: Code = Code::refused("ECL-DIC-010", "the survey has no such table of this product");
static NO_COLUMN: Code = Code::refused("ECL-DIC-011", "the survey has no such column of this product");
static OTHER_TYPE: Code = Code::refused("ECL-DIC-012", "this column has another type than the product's");
static NEW_COLUMN: Code = Code::refused("ECL-DIC-013", "the product's dictionary does not know this column");
static OTHER_ENGINE: Code = Code::refused("ECL-DIC-014", "the dictionary is made for another engine");

/// How a product's dictionary and a survey agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Tables of the product's dictionary that the survey has.
    pub found: usize,
    /// Tables of the product's dictionary.
    pub of: usize,
    /// Everything in which they differ, in the order of the product's dictionary; empty where it is
    /// this version's.
    pub differences: Vec<Finding>,
}

impl Fit {
    /// Whether the survey looks like some version of this product: half of its tables at least.
    #[must_use]
    pub const fn resembles(&self) -> bool {
        self.found > 0 && self.found.saturating_mul(2) >= self.of
    }

    /// Whether nothing differs.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Compares names and types of the product's tables with the surveyed ones. Tables that only the
/// survey has are no difference: nobody claims to know them.
#[must_use]
pub fn fit(product: &Product, survey: &Dictionary) -> Fit {
    let of = product.tables.len();
    if product.engine != survey.engine {
        let message = format!(
            "{} keeps its data in {}, the survey is of {}",
            product.called(),
            product.engine,
            survey.engine
        );
        let finding =
            Finding::new(&OTHER_ENGINE, message).help("ecluse dictionary list shows which one fits");
        return Fit { found: 0, of, differences: vec![finding] };
    }
    let surveyed: BTreeMap<&str, &dictionary::Table> =
        survey.tables.iter().map(|t| (t.name.value.as_str(), t)).collect();
    let mut found = 0;
    let mut differences = Vec::new();
    for table in &product.tables {
        match surveyed.get(table.name.value.as_str()) {
            Some(there) => {
                found += 1;
                columns(product, table, there, &mut differences);
            }
            None => {
                let finding = Finding::new(&NO_TABLE, table.name.value.clone());
                differences.push(finding.help("order no such table; --agreeing takes the rest"));
            }
        }
    }
    Fit { found, of, differences }
}

fn columns(product: &Product, table: &Table, surveyed: &dictionary::Table, into: &mut Vec<Finding>) {
    for column in &table.columns {
        let name = format!("{}.{}", table.name.value, column.name.value);
        match surveyed.column(&column.name.value) {
            None => {
                let finding = Finding::new(&NO_COLUMN, name);
                into.push(finding.help("look for its new name among the columns nobody knows"));
            }
            Some(there) if !column.is_of(&there.sql_type) => {
                let message =
                    format!("{name} is {}, in {} {}", there.sql_type, product.called(), column.sql_type);
                into.push(
                    at(Finding::new(&OTHER_TYPE, message), there)
                        .help("give it its class in dictionary.toml"),
                );
            }
            Some(_) => {}
        }
    }
    for there in surveyed.columns.iter().filter(|c| table.column(&c.name.value).is_none()) {
        let message = format!("{}.{}", table.name.value, there.name.value);
        into.push(at(Finding::new(&NEW_COLUMN, message), there).help("give it its class in dictionary.toml"));
    }
}

fn at(finding: Finding, column: &dictionary::Column) -> Finding {
    finding.at(column.name.span.clone())
}
