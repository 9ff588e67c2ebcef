//! The room of one laboratory in a table of the destination that others use.

use ecluse_core::fault::Result;
use ecluse_core::plan::TablePlan;
use ecluse_core::types::Engine;

use super::dialect::Dialect;
use super::select::Named;
use super::{identifier, literal};

/// See [`super::room`].
pub(super) fn room(engine: Engine, table: &TablePlan, alias: Option<&str>) -> Result<Option<String>> {
    let mut parts = Vec::new();
    for bounds in table.room() {
        let name = identifier(engine, &bounds.column.name);
        let sql = alias.map_or_else(|| name.clone(), |alias| format!("{alias}.{name}"));
        let place = format!("{}.{}", table.destination(), bounds.column.name);
        let operand = engine.operand(&Named { sql, place }, bounds.column.ty)?;
        let (from, below) = (literal(engine, &bounds.from)?, literal(engine, &bounds.below)?);
        parts.push(format!("{operand} >= {from} AND {operand} < {below}"));
    }
    Ok(if parts.is_empty() { None } else { Some(format!("({})", parts.join(" AND "))) })
}
