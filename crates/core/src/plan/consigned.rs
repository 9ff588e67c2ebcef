//! What an archive may hold: made anew, by its recipient, of the order and the papers that the order cites.
//!
//! The sealed index is its sender's word. Order, dictionary, mapping and code tables are the controller's, the last two
//! under the biologist's signatures where these are due: they are
//! compiled here once more, as the extraction compiled them, and the index has to tell of the same tables and
//! columns, and of no others. Of a column, name and type are told by the papers, and how long its texts are where the
//! dictionary's word for the type says it; whether it may be NULL the source's catalogue alone said, which did not
//! travel.

use std::collections::BTreeMap;

use super::compile::{Given, Refusal, made};
use super::examine::surveyed;
use super::files::FileColumn;
use super::load::Laden;
use super::{Plan, TablePlan};
use crate::catalog::{Catalog, Column, Table};
use crate::codes::CodeTable;
use crate::dictionary::Dictionary;
use crate::fault::Code;
use crate::finding::Finding;
use crate::instruction::Instruction;
use crate::judged::Judged;
use crate::mapping::{Append, Mapping};
use crate::plain::shown;
use crate::types::{Engine, Type};

static NOT_THIS_ORDERS: Code =
    Code::refused("ECL-LOA-004", "the archive holds a table that its order does not name");
static OTHERWISE: Code =
    Code::refused("ECL-LOA-029", "the archive does not hold what its order and mapping make");

/// Findings at most: a hostile index must not make as many as it has columns.
const MOST: usize = 20;

/// The papers that came with an archive, each of the digest that is cited, and signed by whom it has to be.
#[derive(Clone, Debug)]
pub struct Carried<'a> {
    /// The order in force.
    pub instruction: &'a Instruction,
    /// The dictionary that it cites.
    pub dictionary: &'a Dictionary,
    /// The mapping that it cites.
    pub mapping: Judged<Mapping>,
    /// The code tables that the mapping cites, by the name it gives them.
    pub codes: BTreeMap<String, Judged<CodeTable>>,
}

/// Tables of an archive that are those which its papers make. Only [`consigned`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::plan::{Consigned, Laden};
/// fn forge(real: Consigned, tables: Vec<Laden>) -> Consigned {
///     Consigned { tables, ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Consigned {
    tables: Vec<Laden>,
    /// Per table: its columns that name files, `write` as the archive has the columns.
    files: Vec<Vec<FileColumn>>,
    /// The room that the mapping gives, and per table the columns that are moved into it.
    append: Option<Append>,
    aside: Vec<Vec<usize>>,
}

impl Consigned {
    /// The tables, in the archive's order.
    #[must_use]
    pub fn tables(&self) -> &[Laden] {
        &self.tables
    }

    /// Per table, in their order, its columns that name files; indices are the archive's.
    pub(super) fn files(&self) -> &[Vec<FileColumn>] {
        &self.files
    }

    /// The room that the mapping gives among other laboratories' rows, and per table the columns, as the archive has
    /// them, that are moved into it.
    pub(super) const fn room(&self) -> (Option<&Append>, &[Vec<usize>]) {
        (self.append.as_ref(), self.aside.as_slice())
    }

    /// Whether rows name files, which then lie in the archive too.
    #[must_use]
    pub fn name_files(&self) -> bool {
        self.files.iter().any(|columns| !columns.is_empty())
    }
}

/// Compares the tables of an archive with those that the papers make: the same tables in the same order, each with
/// its name at the destination, its columns by name and type in their order, its key and its relations.
///
/// # Errors
///
/// Everything that is otherwise, by name, up to 20 findings; what [`super::compile`] refuses the papers for.
pub fn consigned(carried: Carried<'_>, tables: Vec<Laden>) -> Result<Consigned, Vec<Finding>> {
    let append = carried.mapping.paper().append.clone();
    let (plan, typed) = remade(carried)?;
    compared(&plan, &typed, append, tables)
}

/// As [`consigned`], of an archive in which classes are returned: made anew of the order and its dictionary.
///
/// # Errors
///
/// As [`consigned`]; what [`super::give_back`] refuses the papers for.
pub fn consigned_back(
    instruction: &Instruction,
    dictionary: &Dictionary,
    tables: Vec<Laden>,
) -> Result<Consigned, Vec<Finding>> {
    compared(&super::returned::remade(instruction, dictionary)?, &[], None, tables)
}

fn compared(
    plan: &Plan,
    typed: &[Table],
    append: Option<Append>,
    tables: Vec<Laden>,
) -> Result<Consigned, Vec<Finding>> {
    let mut findings: Vec<Finding> = differences(plan, &tables)
        .chain(longer(typed, &tables))
        .take(MOST)
        .map(|(code, what)| {
            Finding::new(code, shown(&what))
                .help("load nothing of it, keep it as it is, and tell the controller")
        })
        .collect();
    if findings.is_empty() {
        let files = plan.tables().iter().map(|table| table.files().to_vec()).collect();
        let aside = |table: &TablePlan| table.shifts().iter().map(|shift| shift.column).collect();
        let aside = plan.tables().iter().map(aside).collect();
        return Ok(Consigned { tables, files, append, aside });
    }
    findings.dedup();
    Err(findings)
}

/// A planned table as an archive tells of it.
#[must_use]
pub fn laden(plan: &Plan, table: &TablePlan) -> Laden {
    let column = |c: &super::WriteColumn| Column {
        name: c.name.clone(),
        sql_type: c.ty.to_string(),
        ty: Some(c.ty),
        max_length: c.max_length,
        int_bounds: c.int_bounds,
        nullable: c.nullable,
        has_default: false,
        identity: false,
        generated: String::new(),
        collation: String::new(),
        choice: false,
        labels: c.labels.clone(),
        comment: String::new(),
    };
    let key = table.write_key().iter().filter_map(|at| table.write().get(*at)).map(|c| c.name.clone());
    let relations = table.relations().iter().filter_map(|relation| {
        let parent = plan.tables().get(relation.parent)?;
        Some((arrives(table, relation.column)?, relation.parent, arrives(parent, relation.parent_column)?))
    });
    Laden {
        source: table.source().to_owned(),
        table: Table {
            name: table.destination().to_owned(),
            kind: "table".to_owned(),
            oid: None,
            storage: String::new(),
            columns: table.write().iter().map(column).collect(),
            key: key.collect(),
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            triggers: Vec::new(),
            row_security: String::new(),
            definition: String::new(),
            estimated_rows: None,
        },
        relations: relations.collect(),
        ordered: !table.key().is_empty(),
    }
}

/// The written column that carries a read one.
fn arrives(table: &TablePlan, read: usize) -> Option<String> {
    table.write().iter().find(|c| c.from.carries(read)).map(|c| c.name.clone())
}

/// The plan of the extraction, as far as papers tell it: against tables as they would be made for it.
///
/// Beside it the tables as the dictionary's own words for the types make them, with the lengths that these say.
fn remade(carried: Carried<'_>) -> Result<(Plan, Vec<Table>), Vec<Finding>> {
    let Carried { instruction, dictionary, mapping, codes } = carried;
    let codes = codes.into_iter().map(|(name, table)| (name, table.apart().0)).collect();
    let source = surveyed(dictionary);
    let compiled = |destination: &Catalog| {
        made(&Given {
            order: instruction.order(),
            header: instruction.header(),
            digest: instruction.digest(),
            dictionary,
            mapping: mapping.paper(),
            codes: &codes,
            source: &source,
            destination,
            views: false,
            surveyed: true,
            returns: false,
        })
    };
    let mut there = Catalog {
        engine: Engine::Postgresql,
        database: String::new(),
        identity: String::new(),
        tables: Vec::new(),
    };
    let refused = match compiled(&there) {
        Ok(compiled) => return Ok((compiled.plan, Vec::new())),
        Err(refused) => refused,
    };
    if refused.missing.is_empty() {
        return Err(refused.findings);
    }
    // a dictionary knows no lengths: none refuses anything
    there.tables = refused.missing.iter().map(endless).collect();
    let plan = compiled(&there).map(|compiled| compiled.plan).map_err(|Refusal { findings, .. }| findings)?;
    Ok((plan, refused.missing))
}

/// Texts that would be longer than the signed dictionary's types say.
fn longer<'a>(typed: &'a [Table], tables: &'a [Laden]) -> impl Iterator<Item = Difference> + 'a {
    let pairs = tables.iter().filter_map(|t| Some((t, typed.iter().find(|made| made.name == t.table.name)?)));
    pairs.flat_map(|(laden, made)| {
        laden.table.columns.iter().filter_map(move |column| {
            let most = said(made.column(&column.name)?)?;
            let within = column.max_length.is_some_and(|length| length <= most);
            let what = || format!("column {}.{} is longer than {most} characters", made.name, column.name);
            (!within).then(|| (&OTHERWISE, what()))
        })
    })
}

/// The length that a text's type names; 0 where it cannot be told ([`surveyed`]).
fn said(column: &Column) -> Option<u32> {
    column.max_length.filter(|most| *most > 0 && column.ty == Some(Type::Text))
}

pub(super) fn endless(table: &Table) -> Table {
    let column = |column: &Column| Column { max_length: None, ..column.clone() };
    Table { columns: table.columns.iter().map(column).collect(), ..table.clone() }
}

type Difference = (&'static Code, String);

fn differences<'a>(plan: &'a Plan, tables: &'a [Laden]) -> impl Iterator<Item = Difference> + 'a {
    let ordered = |laden: &&Laden| plan.tables().iter().any(|t| t.source() == laden.source);
    let strange = tables.iter().filter(move |laden| !ordered(laden));
    let strange = strange.map(|laden| (&NOT_THIS_ORDERS, format!("table {}", laden.source)));
    let lacking = plan.tables().iter().filter(|t| !tables.iter().any(|laden| laden.source == t.source()));
    let lacking = lacking.map(|t| (&OTHERWISE, format!("table {} is ordered, and not there", t.source())));
    let places = plan.tables().iter().map(TablePlan::source);
    let moved = (!places.eq(tables.iter().map(|laden| laden.source.as_str())))
        .then(|| (&OTHERWISE, "its tables do not lie in the order of the plan".to_owned()));
    // by their place: where the tables are others, that is said above
    let within = plan
        .tables()
        .iter()
        .zip(tables)
        .filter(|(planned, laden)| planned.source() == laden.source)
        .flat_map(|(planned, found)| otherwise(&laden(plan, planned), found))
        .map(|what| (&OTHERWISE, what));
    strange.chain(lacking).chain(moved).chain(within)
}

/// In what a table is not the planned one.
fn otherwise(planned: &Laden, found: &Laden) -> Vec<String> {
    let (here, there) = (&planned.table, &found.table);
    let mut what = Vec::new();
    if there.name != here.name {
        what.push(format!("table {} goes to {}, not to {}", planned.source, here.name, there.name));
    }
    for column in there.columns.iter().filter(|c| here.column(&c.name).is_none()).take(MOST) {
        what.push(format!("column {}.{}", here.name, column.name));
    }
    for column in here.columns.iter().filter(|c| there.column(&c.name).is_none()) {
        what.push(format!("column {}.{} is mapped, and not there", here.name, column.name));
    }
    for (column, found) in here.columns.iter().filter_map(|c| Some((c, there.column(&c.name)?))) {
        if column.ty != found.ty {
            what.push(format!(
                "column {}.{} is {}, not {}",
                here.name, column.name, column.sql_type, found.sql_type
            ));
        }
    }
    if what.is_empty() && !here.columns.iter().map(|c| &c.name).eq(there.columns.iter().map(|c| &c.name)) {
        what.push(format!("the columns of {} stand in another order, or twice", here.name));
    }
    if there.key != here.key {
        what.push(format!("the key of {}", here.name));
    }
    if found.relations != planned.relations {
        what.push(format!("the relations of {}", here.name));
    }
    what
}
