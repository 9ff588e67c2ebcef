//! How MariaDB shows the text of a view that the printed script makes.
//!
//! MariaDB keeps a view as a tree and prints it anew in `information_schema.views`: names
//! whole, keywords small, no bracket that precedence makes needless, `NOT` carried down to the
//! comparisons, literals without their character set. The account that reads may make no view, so
//! that the server cannot be asked to print our text: it is written here as the server would,
//! for the few shapes that a filter has. A test holds both together over every shape; a
//! server that prints otherwise is refused, never believed.

use ecluse_core::fault::{Fault, Result};
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::Value;

use super::dialect::Dialect as _;
use super::select::Named;
use super::{NO_SQL, identifier, literal, mariadb, relation, view};

const MARIADB: Engine = Engine::Mariadb;

/// See [`super::shown`].
pub(super) fn shown(table: &TablePlan, plan: &Plan, database: &str) -> Result<String> {
    let from = relation(MARIADB, table.source(), Some(database));
    let columns: Vec<String> = table
        .read()
        .iter()
        .map(|c| identifier(MARIADB, &c.name))
        .map(|c| format!("{from}.{c} AS {c}"))
        .collect();
    let mut text = format!("select {} from {from}", columns.join(","));
    if *table.filter() != Filter::Every {
        text.push_str(" where ");
        text.push_str(&Place { table, plan, from }.tree(table.filter(), false)?.print());
    }
    Ok(text)
}

/// A condition as the server keeps it.
enum Tree {
    Leaf(String),
    All(Vec<Tree>),
    Any(Vec<Tree>),
}

impl Tree {
    /// Of conditions joined by AND (or by OR): those joined alike already become one list.
    fn joined(trees: Vec<Self>, all: bool) -> Self {
        let mut flat = Vec::new();
        for tree in trees {
            match (tree, all) {
                (Self::All(inner), true) | (Self::Any(inner), false) => flat.extend(inner),
                (other, _) => flat.push(other),
            }
        }
        if all { Self::All(flat) } else { Self::Any(flat) }
    }

    fn print(&self) -> String {
        let join = |trees: &[Self], with: &str, bracket: bool| {
            let print = |tree: &Self| match tree {
                Self::Any(_) if bracket => format!("({})", tree.print()),
                _ => tree.print(),
            };
            trees.iter().map(print).collect::<Vec<_>>().join(with)
        };
        match self {
            Self::Leaf(text) => text.clone(),
            Self::All(trees) => join(trees, " and ", true),
            Self::Any(trees) => join(trees, " or ", false),
        }
    }
}

/// The table whose rows are asked about.
struct Place<'a> {
    table: &'a TablePlan,
    plan: &'a Plan,
    /// Its name, whole.
    from: String,
}

impl Place<'_> {
    /// The filter, or what it leaves out where it stands under a `NOT`.
    fn tree(&self, filter: &Filter, not: bool) -> Result<Tree> {
        match filter {
            Filter::Every => Ok(Tree::Leaf(if not { "1 <> 1" } else { "1 = 1" }.to_owned())),
            Filter::Compare { column, op, value } => {
                let (c, ty) = self.column(*column)?;
                let test = format!("{} {} {}", operand(&c, ty)?, sign(*op, not), said(value, ty)?);
                Ok(guarded(&c, test, not))
            }
            Filter::OneOf { column, values } => {
                let (c, ty) = self.column(*column)?;
                let operand = operand(&c, ty)?;
                let values = values.iter().map(|v| said(v, ty)).collect::<Result<Vec<_>>>()?;
                let test = match (values.as_slice(), not) {
                    ([one], not) => format!("{operand} {} {one}", sign(Comparison::Eq, not)),
                    (_, false) => format!("{operand} in ({})", values.join(",")),
                    (_, true) => format!("{operand} not in ({})", values.join(",")),
                };
                Ok(guarded(&c, test, not))
            }
            Filter::IsNull { column } => {
                let word = if not { "is not null" } else { "is null" };
                Ok(Tree::Leaf(format!("{} {word}", self.column(*column)?.0.sql)))
            }
            Filter::StartsWith { column, prefix } => {
                let (c, _) = self.column(*column)?;
                let (value, sign) = (text(prefix), sign(Comparison::Eq, not));
                let characters = prefix.chars().count();
                let (c, sql) = (&c, &c.sql);
                let test = format!(
                    "left(convert({sql} using utf8mb4),{characters}) collate utf8mb4_nopad_bin {sign} {value}"
                );
                Ok(guarded(c, test, not))
            }
            Filter::Chosen { column, table, other } => self.chosen(*column, *table, *other, not),
            // De Morgan: under a NOT, "all" becomes "any"
            Filter::And(filters) => self.joined(filters, !not, not),
            Filter::Or(filters) => self.joined(filters, not, not),
            Filter::Not(inner) => self.tree(inner, !not),
        }
    }

    fn joined(&self, filters: &[Filter], all: bool, not: bool) -> Result<Tree> {
        let trees = filters.iter().map(|f| self.tree(f, not)).collect::<Result<Vec<_>>>()?;
        Ok(Tree::joined(trees, all))
    }

    fn chosen(&self, column: usize, number: usize, other: usize, not: bool) -> Result<Tree> {
        let (c, ty) = self.column(column)?;
        let table = self.plan.tables().get(number).ok_or_else(|| refuse(&c))?;
        let name = table.view().ok_or_else(|| refuse(&c))?;
        let inner = Self { table, plan: self.plan, from: "`e1`".to_owned() };
        let (o, other_ty) = inner.column(other)?;
        let test = format!(
            "{} in (select {} from {} `e1` where {} is not null)",
            operand(&c, ty)?,
            operand(&o, other_ty)?,
            view(MARIADB, name),
            o.sql,
        );
        Ok(guarded(&c, if not { format!("!({test})") } else { test }, not))
    }

    fn column(&self, index: usize) -> Result<(Named, Type)> {
        let source = self.table.source();
        let column = self.table.read().get(index).ok_or_else(|| NO_SQL.fault(source))?;
        let sql = format!("{}.{}", self.from, identifier(MARIADB, &column.name));
        Ok((Named { sql, place: format!("{source}.{}", column.name) }, column.ty))
    }
}

fn guarded(column: &Named, test: String, not: bool) -> Tree {
    let word = if not { "is null" } else { "is not null" };
    let guard = Tree::Leaf(format!("{} {word}", column.sql));
    Tree::joined(vec![guard, Tree::Leaf(test)], !not)
}

fn operand(column: &Named, ty: Type) -> Result<String> {
    let sql = &column.sql;
    match ty {
        Type::Text => Ok(format!("convert({sql} using utf8mb4) collate utf8mb4_nopad_bin")),
        Type::Instant => Ok(format!("unix_timestamp({sql})")),
        _ => MARIADB.operand(column, ty),
    }
}

fn said(value: &Value, ty: Type) -> Result<String> {
    match mariadb::bindable(value, ty) {
        Value::Text(value) => Ok(text(&value)),
        Value::Decimal { unscaled, scale: 0 } => Ok(unscaled.to_string()),
        Value::Bytes(bytes) => Ok(format!("X'{}'", data_encoding::HEXUPPER.encode(&bytes))),
        other => literal(MARIADB, &other),
    }
}

/// A text as the server prints one.
fn text(value: &str) -> String {
    let mut out = String::from("'");
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{1a}' => out.push_str("\\Z"),
            // the server keeps this text in utf8mb3: one question mark for each byte it cannot keep
            '\u{10000}'.. => out.push_str("????"),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}

const fn sign(op: Comparison, not: bool) -> &'static str {
    match (op, not) {
        (Comparison::Eq, false) | (Comparison::Ne, true) => "=",
        (Comparison::Ne, false) | (Comparison::Eq, true) => "<>",
        (Comparison::Lt, false) | (Comparison::Ge, true) => "<",
        (Comparison::Le, false) | (Comparison::Gt, true) => "<=",
        (Comparison::Gt, false) | (Comparison::Le, true) => ">",
        (Comparison::Ge, false) | (Comparison::Lt, true) => ">=",
    }
}

fn refuse(column: &Named) -> Fault {
    NO_SQL.fault(format!("{} on {MARIADB}", column.place))
}
