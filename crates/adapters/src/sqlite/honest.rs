//! Before a snapshot is read: do the columns that decide which rows leave, and in which
//! order, hold what they declare?
//!
//! SQLite compares values of different storage classes by class (every text is greater
//! than every number: `x > 5` selects `'abc'`) and dates as the texts they are. A filter
//! or a key over a column that lies would choose other rows than those signed for, in
//! silence; here the run is refused instead. One count per column, inside the engine.

use std::collections::BTreeSet;

use ecluse_core::fault::{Code, Result};
use ecluse_core::filter::Filter;
use ecluse_core::plan::Plan;
use rusqlite::Connection;

use super::types::{self, Form};
use super::{SOURCE, fault, quoted};

static LYING: Code =
    Code::refused("ECL-SRC-309", "a column of the filter or the key holds values not stored as it declares");

/// Refuses a plan of whose filters or keys a column holds values in another form.
pub(super) fn check(connection: &Connection, plan: &Plan) -> Result<()> {
    let mut columns: BTreeSet<(usize, usize)> = BTreeSet::new();
    for table in plan.tables() {
        columns.extend(table.key().iter().map(|column| (table.number(), *column)));
        used(table.number(), table.filter(), &mut columns);
    }
    for (number, column) in columns {
        let Some(table) = plan.tables().get(number) else { continue };
        let Some(column) = table.read().get(column) else { continue };
        let Some(declared) = types::declared(&column.sql_type) else { continue };
        let sql = format!(
            "SELECT count(*) FROM main.{} WHERE {name} IS NOT NULL AND NOT ({})",
            quoted(table.source()),
            stored_as(declared.form, &quoted(&column.name)),
            name = quoted(&column.name),
        );
        let place = format!("{}.{}", table.source(), column.name);
        let count: i64 =
            connection.query_row(&sql, [], |row| row.get(0)).map_err(|e| fault(&SOURCE, &e, &place))?;
        if count > 0 {
            return Err(LYING
                .fault(format!("{place}, declared {}: {count} rows", column.sql_type))
                .help("Correct these values at the source, or choose the rows by another column."));
        }
    }
    Ok(())
}

/// The columns a table's filter asks about, `(table, column)`.
fn used(table: usize, filter: &Filter, columns: &mut BTreeSet<(usize, usize)>) {
    match filter {
        Filter::Every => {}
        Filter::Compare { column, .. }
        | Filter::OneOf { column, .. }
        | Filter::IsNull { column }
        | Filter::StartsWith { column, .. } => {
            columns.insert((table, *column));
        }
        Filter::Chosen { column, table: there, other } => {
            columns.extend([(table, *column), (*there, *other)]);
        }
        Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| used(table, part, columns)),
        Filter::Not(part) => used(table, part, columns),
    }
}

/// A condition that holds for a value stored in that form, in the one way of writing it
/// whose order is the values' order.
fn stored_as(form: Form, name: &str) -> String {
    const DATE: &str = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]";
    const TIME: &str = "[0-9][0-9]:[0-9][0-9]:[0-9][0-9]";
    let class = |classes: &str| format!("typeof({name}) IN ({classes})");
    let glob = |text: &str, pattern: &str| format!("{} AND {text} GLOB '{pattern}'", class("'text'"));
    // after the seconds: nothing, or a point and digits that do not end in 0
    let moment = |text: &str, pattern: &str, seconds: usize| {
        let (point, digits) = (seconds + 1, seconds + 2);
        format!(
            "{} AND (length({text}) = {seconds} OR (substr({text}, {point}, 1) = '.' AND length({text}) BETWEEN {digits} AND {} \
             AND substr({text}, {digits}) NOT GLOB '*[^0-9]*' AND substr({text}, -1) <> '0'))",
            glob(text, &format!("{pattern}*")),
            seconds + 7,
        )
    };
    match form {
        Form::Integer => class("'integer'"),
        Form::Bit => format!("{} AND {name} IN (0, 1)", class("'integer'")),
        Form::Real => class("'real'"),
        Form::Number => class("'integer', 'real'"),
        // as texts '10.0' comes before '9.0'
        Form::DecimalText => "0".to_owned(),
        Form::Text | Form::Json => class("'text'"),
        Form::Blob => class("'blob'"),
        Form::Date => glob(name, DATE),
        Form::Timestamp => moment(name, &format!("{DATE} {TIME}"), 19),
        Form::Instant => format!(
            "substr({name}, -6) = '+00:00' AND {}",
            moment(&format!("substr({name}, 1, length({name}) - 6)"), &format!("{DATE} {TIME}"), 19)
        ),
        Form::Time => moment(name, TIME, 8),
        Form::Uuid => {
            format!("{} AND length({name}) = 36 AND {name} NOT GLOB '*[^0-9a-f-]*'", class("'text'"))
        }
    }
}
