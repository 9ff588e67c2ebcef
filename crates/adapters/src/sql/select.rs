//! A filter, walked into SQL; what differs between engines is asked of the [`Dialect`].

use ecluse_core::fault::{Fault, Result};
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::plan::{Plan, ReadColumn, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::Value;

use super::dialect::Dialect;
use super::{NO_SQL, Statement, identifier, literal, relation, view};

/// See [`super::condition`].
pub(super) fn condition(
    engine: Engine,
    table: &TablePlan,
    plan: &Plan,
    first: usize,
) -> Result<Option<Statement>> {
    if *table.filter() == Filter::Every {
        return Ok(None);
    }
    let mut walk = Walk { engine, plan, database: None, bound: Some(Vec::new()), first };
    let text = walk.filter(table.filter(), Place { table, alias: None, depth: 0 })?;
    Ok(Some(Statement { text, parameters: walk.bound.unwrap_or_default() }))
}

/// See [`super::view_body`].
pub(super) fn view_body(
    engine: Engine,
    table: &TablePlan,
    plan: &Plan,
    database: Option<&str>,
) -> Result<String> {
    let mut walk = Walk { engine, plan, database, bound: None, first: 1 };
    let columns: Vec<String> = table.read().iter().map(|c| identifier(engine, &c.name)).collect();
    let mut text =
        format!("SELECT {} FROM {}", columns.join(", "), relation(engine, table.source(), database));
    if *table.filter() != Filter::Every {
        text.push_str(" WHERE ");
        text.push_str(&walk.filter(table.filter(), Place { table, alias: None, depth: 0 })?);
    }
    text.push_str(&order(engine, table));
    Ok(text)
}

/// The key's order, inside a PostgreSQL view: from outside, the planner does not look for an index
/// beneath a `security_barrier` and sorts the whole table before the first row comes. A text's
/// order is by bytes, which an index seldom has: it is left to the read.
fn order(engine: Engine, table: &TablePlan) -> String {
    let key: Vec<&ReadColumn> = table.key().iter().filter_map(|i| table.read().get(*i)).collect();
    if engine != Engine::Postgresql || key.is_empty() || key.iter().any(|c| c.ty == Type::Text) {
        return String::new();
    }
    let names: Vec<String> = key.iter().map(|c| identifier(engine, &c.name)).collect();
    format!(" ORDER BY {}", names.join(", "))
}

struct Walk<'a> {
    engine: Engine,
    plan: &'a Plan,
    database: Option<&'a str>,
    /// The values bound so far; `None` where values stand as literals.
    bound: Option<Vec<Value>>,
    first: usize,
}

/// The table whose rows are asked about, and how its columns are named there.
#[derive(Clone, Copy)]
struct Place<'a> {
    table: &'a TablePlan,
    alias: Option<usize>,
    depth: usize,
}

impl Walk<'_> {
    fn filter(&mut self, filter: &Filter, place: Place<'_>) -> Result<String> {
        Ok(match filter {
            Filter::Every => self.engine.always().to_owned(),
            Filter::Compare { column, op, value } => {
                let (c, ty) = self.column(*column, place)?;
                let right = self.value(value, ty)?;
                self.guarded(&c, ty, &format!("{} {} {right}", self.engine.operand(&c, ty)?, sign(*op)))
            }
            Filter::OneOf { column, values } => {
                let (c, ty) = self.column(*column, place)?;
                let left = self.engine.operand(&c, ty)?;
                let list = values.iter().map(|v| self.value(v, ty)).collect::<Result<Vec<_>>>()?;
                self.guarded(&c, ty, &format!("{left} IN ({})", list.join(", ")))
            }
            Filter::IsNull { column } => format!("({} IS NULL)", self.column(*column, place)?.0.sql),
            Filter::StartsWith { column, prefix } => {
                let (c, ty) = self.column(*column, place)?;
                if ty != Type::Text {
                    return Err(self.refuse(&c));
                }
                let value = self.value(&Value::Text(prefix.clone()), ty)?;
                let operand = self.engine.operand(&c, ty)?;
                let prefixed = self.engine.starts_with(&operand, &value, prefix.chars().count());
                self.guarded(&c, ty, &prefixed)
            }
            Filter::Chosen { column, table, other } => self.chosen(*column, *table, *other, place)?,
            Filter::And(all) => self.joined(all, " AND ", place)?,
            Filter::Or(any) => self.joined(any, " OR ", place)?,
            Filter::Not(inner) => format!("(NOT {})", self.filter(inner, place)?),
        })
    }

    fn joined(&mut self, filters: &[Filter], with: &str, place: Place<'_>) -> Result<String> {
        let parts = filters.iter().map(|f| self.filter(f, place)).collect::<Result<Vec<_>>>()?;
        Ok(format!("({})", parts.join(with)))
    }

    /// Membership in the rows chosen of another table, which stands earlier in the plan:
    /// that bounds the nesting.
    fn chosen(&mut self, column: usize, number: usize, other: usize, place: Place<'_>) -> Result<String> {
        let (c, ty) = self.column(column, place)?;
        let plan = self.plan;
        let table = plan.tables().get(number).filter(|_| number < place.table.number());
        let table = table.ok_or_else(|| self.refuse(&c))?;
        let depth = place.depth + 1;
        let inner = Place { table, alias: Some(depth), depth };
        let (o, other_ty) = self.column(other, inner)?;
        if ty != other_ty {
            return Err(self.refuse(&c));
        }
        let (from, rest) = match table.view() {
            Some(name) => (view(self.engine, name), String::new()),
            None => {
                let from = relation(self.engine, table.source(), self.database);
                let rest = match table.filter() {
                    Filter::Every => String::new(),
                    filter => format!(" AND {}", self.filter(filter, inner)?),
                };
                (from, rest)
            }
        };
        let membership = format!(
            "{} IN (SELECT {} FROM {from} AS e{depth} WHERE {}{rest})",
            self.engine.operand(&c, ty)?,
            self.engine.operand(&o, ty)?,
            self.engine.present(&o, ty),
        );
        Ok(self.guarded(&c, ty, &membership))
    }

    /// False where the column is NULL, or (SQLite) holds another type than it declares.
    fn guarded(&self, column: &Named, ty: Type, test: &str) -> String {
        format!("({} AND {test})", self.engine.present(column, ty))
    }

    fn value(&mut self, value: &Value, ty: Type) -> Result<String> {
        let value = self.engine.bindable(value, ty);
        match &mut self.bound {
            Some(bound) => {
                let number = self.first + bound.len();
                let text = self.engine.parameter(number, ty, &value);
                bound.push(value);
                Ok(text)
            }
            None => literal(self.engine, &value),
        }
    }

    fn column(&self, index: usize, place: Place<'_>) -> Result<(Named, Type)> {
        let ReadColumn { name, ty, .. } = place.table.read().get(index).ok_or_else(|| {
            NO_SQL.fault(format!("{}: the filter names a column that is not planned", place.table.source()))
        })?;
        let quoted = identifier(self.engine, name);
        let sql = match place.alias {
            Some(alias) => format!("e{alias}.{quoted}"),
            None => quoted,
        };
        Ok((Named { sql, place: format!("{}.{name}", place.table.source()) }, *ty))
    }

    fn refuse(&self, column: &Named) -> Fault {
        NO_SQL.fault(format!("{} on {}", column.place, self.engine))
    }
}

/// A column as it is written in SQL.
pub(super) struct Named {
    /// Quoted, qualified inside a subquery.
    pub(super) sql: String,
    /// `table.column`, for messages.
    pub(super) place: String,
}

fn sign(op: Comparison) -> &'static str {
    match op {
        Comparison::Eq => "=",
        Comparison::Ne => "<>",
        Comparison::Lt => "<",
        Comparison::Le => "<=",
        Comparison::Gt => ">",
        Comparison::Ge => ">=",
    }
}
