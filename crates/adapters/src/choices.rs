//! Columns that a CHECK holds to a list of words, read by `sqlparser`.
//!
//! What is not understood lists nothing: the column stays what its type alone says.

use ecluse_core::catalog::Table;
use ecluse_core::types::Engine;
use sqlparser::ast::{
    Array, BinaryOperator, ColumnOption, CreateTable, Expr, Statement, TableConstraint, Value,
};
use sqlparser::dialect::{PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

/// Marks what a `CREATE TABLE` that SQLite keeps lists.
pub(crate) fn of_sqlite(table: &mut Table, statement: &str) {
    let parsed = Parser::parse_sql(&SQLiteDialect {}, statement).unwrap_or_default();
    if let [Statement::CreateTable(made)] = parsed.as_slice() {
        of_statement(table, Engine::Sqlite, made);
    }
}

/// Marks what one CHECK lists, as PostgreSQL prints its expression (`pg_get_expr`).
pub(crate) fn of_postgres(table: &mut Table, expression: &str) {
    let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(expression).and_then(|mut p| p.parse_expr());
    if let Ok(check) = parsed {
        mark(table, Engine::Postgresql, &check);
    }
}

/// Marks what the CHECKs of a parsed statement list, those of its columns and its own.
pub(crate) fn of_statement(table: &mut Table, engine: Engine, made: &CreateTable) {
    for option in made.columns.iter().flat_map(|c| &c.options) {
        if let ColumnOption::Check(check) = &option.option {
            mark(table, engine, &check.expr);
        }
    }
    for constraint in &made.constraints {
        if let TableConstraint::Check(check) = constraint {
            mark(table, engine, &check.expr);
        }
    }
}

fn mark(table: &mut Table, engine: Engine, check: &Expr) {
    let Some(name) = listed(check) else { return };
    // SQLite folds letters of ASCII; PostgreSQL's own words are exact
    let is_it = |column: &str| match engine {
        Engine::Sqlite => column.eq_ignore_ascii_case(name),
        _ => column == name,
    };
    if let Some(column) = table.columns.iter_mut().find(|c| is_it(&c.name)) {
        column.choice = true;
    }
}

/// The column that an expression holds to a list of words, or to them and NULL.
fn listed(check: &Expr) -> Option<&str> {
    match bare(check) {
        Expr::InList { expr, list, negated: false } if list.iter().all(is_word) => column(expr),
        // PostgreSQL's print of the same
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => match bare(right) {
            Expr::Array(Array { elem, .. }) if elem.iter().all(is_word) => column(left),
            _ => None,
        },
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            let null = |one: &Expr| matches!(bare(one), Expr::IsNull(_));
            match (null(left), null(right)) {
                (true, false) => listed(right),
                (false, true) => listed(left),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Without brackets and casts.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        Expr::Cast { expr, .. } => bare(expr),
        other => other,
    }
}

fn is_word(expr: &Expr) -> bool {
    matches!(bare(expr), Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)))
}

fn column(expr: &Expr) -> Option<&str> {
    match bare(expr) {
        Expr::Identifier(name) => Some(&name.value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_listed(expression: &str, wanted: Option<&str>) {
        let dialect = PostgreSqlDialect {};
        let check = Parser::new(&dialect).try_with_sql(expression).unwrap().parse_expr().unwrap();
        assert_eq!(listed(&check), wanted, "{expression}");
    }

    #[test]
    fn only_a_list_of_words_is_a_choice() {
        for expression in [
            "etat IN ('a', 'b')",
            "(etat = ANY (ARRAY['a'::text, 'b'::text]))",
            "((etat)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            "((etat IS NULL) OR (etat = ANY (ARRAY['a'::text, 'b'::text])))",
        ] {
            is_listed(expression, Some("etat"));
        }
        for expression in [
            "etat NOT IN ('a', 'b')",
            "etat IN ('a', autre)",
            "(etat <> ANY (ARRAY['a'::text, 'b'::text]))",
            "(lower(etat) = ANY (ARRAY['a'::text, 'b'::text]))",
            "((etat = ANY (ARRAY['a'::text])) OR (libre > 0))",
            "etat IN (1, 2)",
            "length(etat) < 9",
        ] {
            is_listed(expression, None);
        }
    }
}
