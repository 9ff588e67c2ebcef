//! Whether the administrator's views say what the printed script says.
//!
//! A view that leaves rows out, or shows another column under the right name, gives rows that
//! pass every check in process: only its text tells. SHOW VIEW on the views, and on nothing
//! else, lets the account see it. Compared while the transaction holds each view's structure.
//! `docs/decisions/0015-view-texts-are-compared.md`.

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::Plan;

use super::session::{Session, text};
use crate::sql;

static OTHER_VIEW: Code = Code::refused("ECL-SRC-209", "a view is not the one that the printed script makes");
static UNSEEN: Code = Code::refused("ECL-SRC-215", "a view's text cannot be seen with this account");

const AGAIN: &str = "Let the administrator remove it (`ecluse grants --remove`) and run the script that `ecluse grants` prints for this instruction.";

/// Compares every view of the plan over the tables of `database`.
///
/// # Errors
///
/// `ECL-SRC-209` names the view and quotes nothing of it; `ECL-SRC-215` without SHOW VIEW.
pub(super) fn compare(session: &mut Session, plan: &Plan, database: &str) -> Result<()> {
    let sql =
        "SELECT view_definition FROM information_schema.views WHERE table_schema = ? AND table_name = ?";
    for table in plan.tables() {
        let Some((space, view)) = table.view().and_then(|v| v.split_once('.')) else { continue };
        let place = format!("{space}.{view}");
        let rows = session.rows(sql, vec![space.into(), view.into()], table.source())?;
        let shown = rows
            .first()
            .map(|row| text(row, 0))
            .ok_or_else(|| OTHER_VIEW.fault(format!("{place} is not there, or is not a view")).help(AGAIN))?;
        if shown.is_empty() {
            return Err(UNSEEN.fault(place).help(
                "Let the administrator run the script that `ecluse grants` prints again: it grants SHOW VIEW.",
            ));
        }
        if shown != sql::shown(table, plan, database)? {
            return Err(OTHER_VIEW.fault(place).help(AGAIN));
        }
    }
    Ok(())
}

/// Whether there is any view of the plan that the account may see.
pub(super) fn exist(session: &mut Session, plan: &Plan) -> Result<bool> {
    let sql = "SELECT 1 FROM information_schema.views WHERE table_schema = ? AND table_name = ?";
    for table in plan.tables() {
        let Some((space, view)) = table.view().and_then(|v| v.split_once('.')) else { continue };
        if !session.rows(sql, vec![space.into(), view.into()], table.source())?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
