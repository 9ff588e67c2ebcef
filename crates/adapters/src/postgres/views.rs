//! Whether the administrator's views say what the printed script says.
//!
//! A view that leaves rows out, or shows another column under the right name, gives rows that
//! pass every check in process: only its text tells. Two texts are equal when the server
//! itself prints them alike, so it is given ours as a temporary view, which is made without
//! a right on the tables beneath, read by nobody and rolled back.
//!
//! Compared under the lock that [`super::source`] holds on each view until the snapshot ends:
//! what is read is read through this text. `docs/decisions/0015-view-texts-are-compared.md`.

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Plan, TablePlan};
use ecluse_core::types::Engine;
use tokio_postgres::error::SqlState;

use super::connect::Link;
use super::text::{list, relation};
use crate::sql;

/// A view's text is not the script's.
pub(crate) static OTHER_TEXT: Code =
    Code::refused("ECL-SRC-522", "a view is not the one that the printed script makes");

/// The role cannot have the server print our text.
pub(crate) static NOT_COMPARED: Code =
    Code::refused("ECL-SRC-523", "the views' text cannot be compared with the role's rights");

const PLACE: &str = "the views' text";

/// Compares every view of the plan; what could not be compared comes back in words.
///
/// # Errors
///
/// [`OTHER_TEXT`] names the view and quotes nothing of it; [`NOT_COMPARED`] where the role
/// may not make a temporary view or not name the tables beneath.
pub(super) fn compare(link: &Link, plan: &Plan) -> Result<Option<String>> {
    if plan.tables().iter().all(|table| table.view().is_none()) {
        return Ok(None);
    }
    if link.one("SELECT pg_catalog.pg_is_in_recovery()", &[], PLACE)? {
        return Ok(Some(
            "the views' text was not compared with the printed script: a standby server cannot make the \
             temporary view that this takes"
                .to_owned(),
        ));
    }
    // names are printed with their schema where the search path does not find them
    link.batch("BEGIN READ WRITE; SET LOCAL search_path = pg_catalog", PLACE)?;
    let compared = plan
        .tables()
        .iter()
        .filter_map(|table| Some((table, table.view()?)))
        .try_for_each(|(table, view)| same(link, plan, table, view));
    link.batch("ROLLBACK", PLACE)?;
    compared.map(|()| None)
}

/// Whether there is any view of the plan that the role may read.
pub(super) fn exist(link: &Link, plan: &Plan) -> Result<bool> {
    let names: Vec<&str> = plan.tables().iter().filter_map(TablePlan::view).collect();
    link.one(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname || '.' || c.relname = ANY ($1::text[]) AND has_schema_privilege(n.oid, 'USAGE') \
         AND has_any_column_privilege(c.oid, 'SELECT'))",
        &[&names],
        PLACE,
    )
}

fn same(link: &Link, plan: &Plan, table: &TablePlan, view: &str) -> Result<()> {
    let body = sql::view_body(Engine::Postgresql, table, plan, None)?;
    let columns = list(table.read().iter().map(|c| c.name.as_str()));
    let ours = format!("pg_temp.ecluse_{}", table.number());
    link.run(link.client().batch_execute(&format!("CREATE TEMPORARY VIEW {ours} ({columns}) AS {body}")))
        .map_err(|error| match error.code() {
            Some(state) if *state == SqlState::INSUFFICIENT_PRIVILEGE => NOT_COMPARED
                .fault(view)
                .help("have the administrator run the script that `ecluse grants` prints again: it grants TEMPORARY on the database and USAGE on the tables' schemas"),
            _ => link.side().fault(&error, view),
        })?;
    let equal: bool = link.one(
        "SELECT coalesce(pg_get_viewdef(to_regclass($1)) = pg_get_viewdef(to_regclass($2)), false)",
        &[&ours, &relation(view)],
        view,
    )?;
    if equal {
        return Ok(());
    }
    Err(OTHER_TEXT.fault(view).help(
        "have the administrator remove it (`ecluse grants --remove`) and run the script that `ecluse grants` prints for this instruction",
    ))
}
