//! What MariaDB tells of writes to the planned tables, without reading a row of them.
//!
//! | mark | moves with |
//! |---|---|
//! | `update_time` of a table that the account sees | a write to it, by the second; forgotten when the server restarts |
//!
//! An account that reads views alone sees no table's own mark: then nothing is told. There is no mark
//! of the whole instance that its background work leaves alone.

use ecluse_core::fault::Result;
use ecluse_core::plan::Plan;
use ecluse_flow::ports::Marks;
use mysql_async::Value;

use super::session::{Session, number, text};

/// See the port.
pub(super) fn marks(session: &mut Session, plan: &Plan) -> Result<Marks> {
    let place = "the marks of writes";
    let mut marks = Marks::default();
    let read_only = session.rows("SELECT @@global.read_only", Vec::new(), place)?;
    if read_only.first().and_then(|row| number(row, 0)) == Some(1) {
        marks.guards.push("read_only = ON (accounts with READ_ONLY ADMIN may still write)".to_owned());
    }
    let sql = "SELECT COALESCE(DATE_FORMAT(update_time, '%Y-%m-%d %H:%i:%s'), 'none') \
               FROM information_schema.tables \
               WHERE table_schema = DATABASE() AND table_name = ? AND table_type = 'BASE TABLE'";
    for table in plan.tables() {
        let rows = session.rows(sql, vec![Value::from(table.source())], place)?;
        marks.tables.push(rows.first().map(|row| text(row, 0)).unwrap_or_default());
    }
    Ok(marks)
}
