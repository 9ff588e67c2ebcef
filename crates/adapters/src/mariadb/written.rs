//! Every SQL text over the tables that are written, and the values it binds.

use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::{Key, KeyRange};

use super::statement::{Edge, Statement, beyond, bind, conditions, keyed, order, quoted};
use crate::sql;

/// A table as it is written and read back.
pub(super) struct Written {
    name: String,
    columns: Vec<String>,
    /// The key's columns in the order of keys, as SQL.
    key: Vec<(String, Type)>,
    /// This laboratory's rows, where others have theirs in the table.
    room: Option<String>,
}

impl Written {
    /// `in_bytes(column)`: whether the column itself compares its texts by bytes, so that its own
    /// index serves ranges and order; any other is converted, which no index helps.
    pub(super) fn new(table: &TablePlan, in_bytes: impl Fn(&str) -> bool) -> Result<Self> {
        let key = table.write_key().iter().filter_map(|i| table.write().get(*i)).map(|column| {
            let plain = column.ty == Type::Text && in_bytes(&column.name);
            let sql = if plain { quoted(&column.name) } else { keyed(&column.name, column.ty) };
            (sql, column.ty)
        });
        Ok(Self {
            name: quoted(table.destination()),
            columns: table.write().iter().map(|c| quoted(&c.name)).collect(),
            key: key.collect(),
            room: sql::room(Engine::Mariadb, table, None)?,
        })
    }

    /// Inserts so many rows; one `?` per value, row by row.
    pub(super) fn insert(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns.len()].join(","));
        let rows = vec![row; rows].join(",");
        format!("INSERT INTO {} ({}) VALUES {rows}", self.name, self.columns.join(", "))
    }

    /// Deletes a range.
    pub(super) fn delete(&self, range: &KeyRange) -> Result<Statement> {
        let (within, parameters) = self.within(range)?;
        Ok(Statement { sql: format!("DELETE FROM {}{within}", self.name), parameters })
    }

    /// Reads the written columns of a range back.
    pub(super) fn read_back(&self, range: &KeyRange, ordered: bool) -> Result<Statement> {
        let (within, parameters) = self.within(range)?;
        let order = if ordered { order(&self.key) } else { String::new() };
        let sql = format!("SELECT {} FROM {}{within}{order}", self.columns.join(", "), self.name);
        Ok(Statement { sql, parameters })
    }

    /// Reads the written columns of those rows of a range back that one more condition chooses, in the
    /// key's order.
    pub(super) fn read_back_where(&self, range: &KeyRange, condition: &str) -> Result<Statement> {
        let (within, parameters) = self.within(range)?;
        let and = if within.is_empty() { "WHERE" } else { "AND" };
        let (columns, order) = (self.columns.join(", "), order(&self.key));
        let sql = format!("SELECT {columns} FROM {}{within} {and} ({condition}){order}", self.name);
        Ok(Statement { sql, parameters })
    }

    /// ` WHERE` with a range's bounds, within the room; empty where it is the whole table.
    pub(super) fn within(&self, range: &KeyRange) -> Result<(String, Vec<mysql_async::Value>)> {
        let (mut parts, mut values) = (Vec::from_iter(self.room.clone()), Vec::new());
        for (bound, edge) in [(&range.after, Edge::After), (&range.upto, Edge::UpTo)] {
            if let Some(Key(bound)) = bound {
                parts.push(beyond(&self.key, bound, edge, &mut values)?);
            }
        }
        Ok((conditions(&parts), bind(&values)?))
    }
}
