//! What a run knew when it began, kept beside its figures so that the report can be written
//! later without connecting to anything: names and counts of columns.

use std::collections::BTreeMap;
use std::path::Path;

use ecluse_adapters::sql;
use ecluse_core::class::Class;
use ecluse_core::count::number;
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Order;
use ecluse_core::language::Language;
use ecluse_core::plan::{Counter, TablePlan};
use serde::{Deserialize, Serialize};

use crate::connect;
use crate::folder;
use crate::ready::Ready;

/// The file's name in the run folder.
pub(crate) const FILE: &str = "plan.json";

static UNREADABLE: Code = Code::refused("ECL-REP-002", "the run folder does not say what the run knew");

/// See the module.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) operator: String,
    pub(crate) tables: Vec<TableFacts>,
    /// Columns that stay, by class.
    pub(crate) stays: BTreeMap<String, u64>,
    /// How many of them have no fate.
    pub(crate) without_fate: u64,
    /// What the destination's administrator types before the application writes there again: new rows
    /// would get keys of this laboratory's room.
    #[serde(default)]
    pub(crate) next_keys: Vec<String>,
}

/// One table of the plan.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct TableFacts {
    /// What the laboratory calls it; else its name.
    pub(crate) label: String,
    /// Columns written at the destination.
    pub(crate) columns: usize,
    /// Columns of the source that moved.
    pub(crate) granted: usize,
    /// Columns of the source that are read to choose rows and let go.
    #[serde(default)]
    pub(crate) looked_at: usize,
    /// Relations to other tables that the reconciliation follows.
    #[serde(default)]
    pub(crate) relations: usize,
    /// Whether a column that moves holds sensitive results.
    pub(crate) sensitive: bool,
}

impl Facts {
    /// Of a plan that is about to run.
    pub(crate) fn of(ready: &Ready) -> Self {
        let order = ready.chain.instruction.order();
        let plan = &ready.compiled.plan;
        let mut stays = BTreeMap::new();
        for column in &ready.compiled.stays {
            *stays.entry(column.class.name().to_owned()).or_insert(0) += 1;
        }
        let without = ready.compiled.stays.iter().filter(|s| s.fate.is_none()).count();
        Self {
            source: connect::name(&ready.source, Language::English),
            destination: ready
                .destination
                .as_ref()
                .map_or_else(|| "a sealed archive".to_owned(), |url| connect::name(url, Language::English)),
            operator: ready.session.operator().to_owned(),
            tables: plan.tables().iter().map(|t| table(ready, order, t)).collect(),
            stays,
            without_fate: number(without),
            next_keys: next_keys(ready),
        }
    }

    /// Of the run in this folder.
    ///
    /// # Errors
    ///
    /// [`UNREADABLE`], or where there are none.
    pub(crate) fn read(run: &Path) -> Result<Self> {
        let path = run.join(FILE);
        serde_json::from_slice(&folder::read(&path, "ecluse migrate")?)
            .map_err(|_| UNREADABLE.fault(path.display().to_string()).help("ecluse migrate"))
    }
}

fn next_keys(ready: &Ready) -> Vec<String> {
    let Some(to) = ready.chain.instruction.order().destination() else { return Vec::new() };
    let statement =
        |counter: &Counter| sql::next_key(to.engine, &counter.table, &counter.column, counter.next);
    ready.compiled.counters.iter().filter_map(statement).collect()
}

fn table(ready: &Ready, order: &Order, plan: &TablePlan) -> TableFacts {
    let called = |name: &str| {
        let ordered = order.table(name).map(|t| t.label.clone()).unwrap_or_default();
        let surveyed = ready.chain.dictionary.table(name).map(|t| t.label.clone()).unwrap_or_default();
        [ordered, surveyed].into_iter().find(|l| !l.is_empty()).unwrap_or_else(|| name.to_owned())
    };
    let surveyed = ready.chain.dictionary.table(plan.source());
    let sensitive =
        plan.read().iter().filter(|c| c.moved).any(|c| {
            surveyed.and_then(|t| t.column(&c.name)).is_some_and(|c| c.class == Class::SensitiveResult)
        });
    TableFacts {
        label: called(plan.source()),
        columns: plan.write().len(),
        granted: plan.read().iter().filter(|c| c.moved).count(),
        looked_at: plan.read().iter().filter(|c| !c.moved).count(),
        relations: plan.relations().len(),
        sensitive,
    }
}
