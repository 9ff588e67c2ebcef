//! The last figure of a laboratory: what was found when its destination was read back, or else what moved.

use ecluse_adapters::folder::{Undo, figures, undo};
use ecluse_core::fault::Result;
use ecluse_core::language::Language;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::reconciled;
use crate::folder::Folder;
use crate::papers::accepted::{self, Acceptance};
use crate::papers::quietly;
use crate::report::discreet::Discreet;
use crate::report::figure::Figure;

/// Counts over all tables, told as the report tells them; no table, row or person can be told from them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Last {
    pub(crate) moved: Figure,
    pub(crate) refused: Figure,
    /// Rows read back, where the last reconciliation still counts.
    pub(crate) read_back: Option<Figure>,
    pub(crate) differences: Option<u64>,
    /// Whether the controller accepted every difference.
    pub(crate) accepted: bool,
    /// Rows that an undo took away.
    pub(crate) undone: Option<Figure>,
}

/// The last figure of a folder; `None` where no run has begun.
///
/// # Errors
///
/// Files of the run that are not what écluse wrote.
pub(super) fn last(folder: &Folder, now: Timestamp) -> Result<Option<Last>> {
    let run = folder.path(None, "run");
    let Some(moved) = figures(&run)? else { return Ok(None) };
    let undone = match undo(&run)? {
        Undo::Never => None,
        Undo::Begun => Some(0),
        Undo::Ended(undone) => Some(undone.rows()),
    };
    let found = reconciled::of(&run, &moved)?;
    let found = found.found().filter(|_| undone.is_none());
    let accepted = found.is_some_and(|found| {
        !found.holds && matches!(quietly(|| accepted::of(folder, found, now)), Ok(Acceptance::Whole(_)))
    });
    let told = Discreet::read(&run, &moved);
    Ok(Some(Last {
        moved: told.total(moved.moved_rows()),
        refused: told.total(moved.refused_rows()),
        read_back: found.map(|found| told.total(found.rows)),
        differences: found.map(|found| found.differences),
        accepted,
        undone: undone.map(|rows| told.total(rows)),
    }))
}

impl Last {
    /// In a few words: `28 agree`, `2 differ, 3 refused`, `27,402 moved, 0 refused`.
    pub(crate) fn words(&self, lang: Language) -> String {
        let (count, refused) = (|n: Figure| n.told(lang), self.refused.told(lang));
        if let Some(gone) = self.undone {
            let gone = count(gone);
            return lang.of(format!("undone, {gone} taken away"), format!("annulé, {gone} retirées"));
        }
        let refused = lang.of(format!(", {refused} refused"), format!(", {refused} refusées"));
        let found = match (self.read_back, self.differences) {
            (Some(back), Some(0)) => format!("{} {}", count(back), lang.of("agree", "concordent")),
            (Some(_), Some(differ)) => {
                let accepted = if self.accepted { lang.of(", accepted", ", accepté") } else { "" };
                format!("{} {}{accepted}", lang.count(differ), lang.of("differ", "diffèrent"))
            }
            _ => {
                let moved = count(self.moved);
                return lang.of(format!("{moved} moved{refused}"), format!("{moved} déplacées{refused}"));
            }
        };
        if self.refused != Figure::Exact(0) { found + &refused } else { found }
    }
}
