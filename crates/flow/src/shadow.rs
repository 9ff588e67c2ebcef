//! Tables beside the order in which the source itself keeps copies of ordered rows: what triggers write elsewhere.
//!
//! Whoever erased the rows and left their copies would certify what is not so. A trigger that fires for the DELETE
//! would even make new ones.

use ecluse_core::fault::{Code, Result};

static KEPT: Code = Code::refused("ECL-ERA-026", "a table beside the order may hold copies of what would go");
static FIRES: Code = Code::refused("ECL-ERA-027", "a trigger would write while rows are deleted");

/// Something at the source that writes elsewhere when rows of an ordered table are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shadow {
    /// The ordered table, by its catalogue name.
    pub of: String,
    /// The trigger's or rule's name.
    pub by: String,
    /// A table that it may write to, by its catalogue name; `None` where that cannot be read from its text.
    pub table: Option<String>,
    /// Whether it writes when we delete.
    pub fires: bool,
}

/// Refuses while a copy may stand, or would be made, that nobody signed for; `beside`: an ordered table, and a table
/// whose rows that name its rows have their fate in the order.
///
/// # Errors
///
/// [`FIRES`], [`KEPT`]: each trigger, and where it writes.
pub fn refuse(shadows: &[Shadow], ordered: &[&str], beside: &[(&str, &str)]) -> Result<()> {
    let told = |shadow: &Shadow| {
        let table = shadow.table.as_deref().unwrap_or("a place that its text does not tell");
        format!("{} of {} writes to {table}", shadow.by, shadow.of)
    };
    let firing: Vec<String> = shadows.iter().filter(|one| one.fires).map(told).collect();
    if !firing.is_empty() {
        return Err(FIRES
            .fault(firing.join("; "))
            .help("nothing went; its owner drops the trigger, or switches it off, until the rows are gone"));
    }
    let has_fate = |shadow: &Shadow| {
        let named = |table| ordered.contains(&table) || beside.contains(&(shadow.of.as_str(), table));
        shadow.table.as_deref().is_some_and(named)
    };
    let kept: Vec<String> = shadows.iter().filter(|one| !has_fate(one)).map(told).collect();
    if kept.is_empty() {
        return Ok(());
    }
    Err(KEPT
        .fault(kept.join("; "))
        .help("nothing went; move the table too, or say in the order what becomes of its rows that name ordered ones: [[beside]]"))
}
