//! The comparison of arriving persons with those at the destination, in a plan: which columns of which
//! rows are read, and nothing else of others' rows.

use super::compile::Given;
use super::literal::constant;
use super::{Plan, Shift, TablePlan, WriteColumn};
use crate::catalog::{Column, Table};
use crate::fault::Code;
use crate::finding::Finding;
use crate::instruction::{self, Whose};
use crate::mapping::Constant;
use crate::reader::Spanned;
use crate::types::Type;
use crate::value::Value;

static CANNOT: Code =
    Code::refused("ECL-PLN-092", "persons cannot be compared with those at the destination as ordered");

/// What is read of others' rows, and how.
#[derive(Clone, Debug)]
pub struct KnownPlan {
    table: TablePlan,
    only: Option<(WriteColumn, Value)>,
    number: Option<[usize; 2]>,
    traits: Option<[usize; 4]>,
}

impl KnownPlan {
    /// The table of persons with its key and the compared columns alone, and with the same room:
    /// whatever an adapter does with it stays among this laboratory's own rows.
    #[must_use]
    pub const fn table(&self) -> &TablePlan {
        &self.table
    }

    /// Whose rows alone are read of the others': this column holds this value. `None`: every row of
    /// a table that the order calls shared.
    #[must_use]
    pub const fn only(&self) -> Option<&(WriteColumn, Value)> {
        self.only.as_ref()
    }

    /// Number and authority: indices into the written columns of [`Self::table`].
    #[must_use]
    pub const fn number(&self) -> Option<[usize; 2]> {
        self.number
    }

    /// Family name, first given name, day of birth, sex: indices as of [`Self::number`].
    #[must_use]
    pub const fn traits(&self) -> Option<[usize; 4]> {
        self.traits
    }
}

impl Plan {
    /// With whose records the persons who arrive are compared, where the order says it.
    #[must_use]
    pub const fn known(&self) -> Option<&KnownPlan> {
        self.known.as_ref()
    }
}

/// Compiles what the order says.
///
/// # Errors
/// [`CANNOT`]: the table is not written or has no room of its own, a column is not written or of
/// another type, the entity's column is not there.
pub(super) fn known(inputs: &Given<'_>, tables: &[TablePlan]) -> Result<Option<KnownPlan>, Vec<Finding>> {
    let known = inputs.order.destination().and_then(|destination| destination.known.as_ref());
    let Some(known) = known else { return Ok(None) };
    let Some(table) = tables.iter().find(|t| t.destination == known.table.value) else {
        let message = format!("no ordered table moves into {}", known.table.value);
        return Err(vec![refuse(
            &known.table,
            message,
            "name the destination's table of the persons who arrive",
        )]);
    };
    if table.room().is_empty() {
        let message = format!("{} is this laboratory's alone", known.table.value);
        let help =
            "let the mapping give a room beside the others' rows ([append]), or take [destination.known] out";
        return Err(vec![refuse(&known.table, message, help)]);
    }
    let mut findings = Vec::new();
    let mut narrow = Narrow { table, write: Vec::new() };
    let key: Vec<usize> = table.write_key.iter().filter_map(|column| narrow.take(*column)).collect();
    let number = known.number.as_ref().map(|[number, authority]| {
        [(number, TEXT), (authority, TEXT)].map(|(column, types)| narrow.column(column, types, &mut findings))
    });
    let traits = known.traits.as_ref().map(|[family, given, born, sex]| {
        [(family, TEXT), (given, TEXT), (born, BORN), (sex, SEX)]
            .map(|(column, types)| narrow.column(column, types, &mut findings))
    });
    let only = match &known.whose {
        Whose::Everybody(_) => None,
        Whose::Entity { column, value } => {
            match inputs.destination.table(&table.destination).and_then(|there| only(there, column, value)) {
                Some(only) => Some(only),
                None => {
                    let message = format!("{}.{} cannot hold `{value}`", known.table.value, column.value);
                    findings.push(refuse(column, message, ENTITY));
                    None
                }
            }
        }
    };
    if !findings.is_empty() {
        return Err(findings);
    }
    let shift = |s: &Shift| {
        Some(Shift { column: narrow.write.iter().position(|c| *c == s.column)?, by: s.by.clone() })
    };
    let shifts = table.shifts.iter().filter_map(shift).collect();
    let write = narrow.write.iter().filter_map(|column| table.write.get(*column).cloned()).collect();
    let (relations, files) = (Vec::new(), Vec::new());
    let narrowed = TablePlan { write, write_key: key, shifts, relations, files, ..table.clone() };
    Ok(Some(KnownPlan { table: narrowed, only, number, traits }))
}

const ENTITY: &str = "name the destination's column that says whose a row is, a text or a whole number";
const TEXT: &[Type] = &[Type::Text];
const BORN: &[Type] = &[Type::Date, Type::Timestamp, Type::Text];
const SEX: &[Type] = &[Type::Text, Type::Int, Type::Bool];

/// The table's written columns that are read, each once.
struct Narrow<'a> {
    table: &'a TablePlan,
    write: Vec<usize>,
}

impl Narrow<'_> {
    fn take(&mut self, column: usize) -> Option<usize> {
        self.table.write.get(column)?;
        let known = self.write.iter().position(|c| *c == column);
        Some(known.unwrap_or_else(|| {
            self.write.push(column);
            self.write.len() - 1
        }))
    }

    /// Where the named column stands; 0 after a finding.
    fn column(&mut self, name: &Spanned<String>, types: &[Type], findings: &mut Vec<Finding>) -> usize {
        let place = format!("{}.{}", self.table.destination, name.value);
        let Some(column) = self.table.write.iter().position(|c| c.name == name.value) else {
            let message = format!("{place} is not written: persons who arrive have nothing there");
            findings.push(refuse(name, message, "name a column that the mapping fills"));
            return 0;
        };
        let ty = self.table.write.get(column).map(|c| c.ty);
        if !ty.is_some_and(|ty| types.contains(&ty)) {
            let wanted = types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
            findings.push(refuse(name, format!("{place} is not {wanted}"), "name another column"));
        }
        self.take(column).unwrap_or_default()
    }
}

/// The column that says whose a row is, with the value there.
fn only(table: &Table, column: &Spanned<String>, value: &str) -> Option<(WriteColumn, Value)> {
    let there: &Column = table.column(&column.value)?;
    let ty = there.ty.filter(|ty| matches!(ty, Type::Text | Type::Int))?;
    let value = match ty {
        Type::Int => Constant::Int(value.parse().ok()?),
        _ => Constant::Text(value.to_owned()),
    };
    let value = constant(&value, there, ty)?;
    let column = WriteColumn {
        name: there.name.clone(),
        ty,
        sql_type: there.sql_type.clone(),
        nullable: there.nullable,
        max_length: there.max_length,
        int_bounds: there.int_bounds,
        labels: there.labels.clone(),
        from: super::Expression::Constant(value.clone()),
        relation: false,
    };
    Some((column, value))
}

fn refuse(at: &Spanned<String>, message: String, help: &str) -> Finding {
    Finding::new(&CANNOT, message).at(at.span.clone()).in_file(instruction::FILE).help(help)
}
