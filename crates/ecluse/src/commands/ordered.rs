//! Whether a run is the one that was ordered: under this order, and with no more rows refused than
//! it tolerates.

use std::path::Path;

use ecluse_core::count::count;
use ecluse_core::digest::of_bytes;
use ecluse_core::fault::{Code, Result};
use ecluse_flow::figures::Figures;

use crate::folder::{self, Folder};

static OTHER_ORDER: Code = Code::refused("ECL-RUN-033", "the run was not begun under this order");
/// More rows were refused than the order tolerates.
pub(crate) static TOO_MANY: Code =
    Code::refused("ECL-REC-014", "what moved is as it should be, but too many rows were refused");

/// The run was begun under the order that lies in the folder.
///
/// # Errors
///
/// [`OTHER_ORDER`]; the order's file cannot be read.
pub(crate) fn under(folder: &Folder, figures: &Figures) -> Result<()> {
    let order = folder::read(&folder.path(None, "instruction.toml"), "ecluse instruction new")?;
    if of_bytes(&order) == figures.instruction {
        return Ok(());
    }
    Err(OTHER_ORDER.fault(short(&figures.instruction)).help("how a new order's run begins: ecluse next"))
}

/// No more rows were refused than the order tolerates.
///
/// # Errors
///
/// [`TOO_MANY`].
pub(crate) fn tolerable(figures: &Figures) -> Result<()> {
    if !figures.is_beyond_tolerance() {
        return Ok(());
    }
    let (refused, tolerated) = (count(figures.refused_rows()), count(figures.tolerated));
    Err(TOO_MANY
        .fault(format!("{refused} refused, {tolerated} tolerated"))
        .help("see why: ecluse report; mend the mapping, a code table or the source; then: ecluse migrate"))
}

/// How the run of a new order begins where the folder of another one's stands.
pub(crate) fn way_out(run: &Path, figures: &Figures) -> Vec<String> {
    let (run, id) = (run.display(), &figures.run);
    vec![
        format!(
            "{run} holds the run of order {}; it stays as it is, under another name:",
            short(&figures.instruction)
        ),
        format!("  mv {run} {run}.{}", short(&figures.instruction)),
        "The destination's tables must not hold that run's rows: empty them, and take its ledger away:"
            .to_owned(),
        format!("  DELETE FROM ecluse_ledger_run WHERE run = '{id}'   (PostgreSQL: ecluse_ledger.run)"),
        "Or let the new order's mapping name other tables. Then:  ecluse migrate".to_owned(),
    ]
}

fn short(digest: &str) -> String {
    digest.trim_start_matches("sha256:").chars().take(8).collect()
}
