//! The room of one laboratory in a table of the destination that others use.

use ecluse_core::fault::Result;
use ecluse_core::plan::{KnownPlan, TablePlan};
use ecluse_core::types::Engine;

use super::dialect::Dialect;
use super::select::Named;
use super::{NO_SQL, identifier, literal};

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

/// See [`super::beside`].
pub(super) fn beside(engine: Engine, known: &KnownPlan) -> Result<String> {
    let table = known.table();
    // without a room there is nobody beside it: NOT of nothing must not become everything
    let room = room(engine, table, None)?.ok_or_else(|| NO_SQL.fault(table.destination()))?;
    let Some((column, value)) = known.only() else { return Ok(format!("(NOT {room})")) };
    let place = format!("{}.{}", table.destination(), column.name);
    let named = Named { sql: identifier(engine, &column.name), place };
    let (present, operand) = (engine.present(&named, column.ty), engine.operand(&named, column.ty)?);
    let value = literal(engine, &engine.bindable(value, column.ty))?;
    Ok(format!("(NOT {room} AND {present} AND {operand} = {value})"))
}
