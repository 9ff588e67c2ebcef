//! The sealed list of persons whose rows never move, as a file of the migration folder.

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::Plan;
use ecluse_flow::excluded::Excluded;
use ecluse_seal::Identity;

use super::chain::Chain;
use crate::folder::{self, Folder};

/// The file's name in the migration folder.
pub(crate) const FILE: &str = "excluded.age";

static ABSENT: Code =
    Code::refused("ECL-CLI-035", "the order cites a list of persons, and its file is missing");

/// Opens the list that the order cites; nothing where it cites none.
///
/// # Errors
///
/// [`ABSENT`]; as [`Excluded::open`].
pub(crate) fn open(
    folder: &Folder,
    chain: &Chain,
    identities: &[&Identity],
    plan: &Plan,
) -> Result<Option<Excluded>> {
    let Some(cited) = &chain.instruction.order().excluded else { return Ok(None) };
    let path = folder.path(None, FILE);
    if !path.exists() {
        return Err(ABSENT
            .fault(path.display().to_string())
            .help("ask the laboratory for the file it made with: ecluse instruction exclude"));
    }
    Excluded::open(&folder::read(&path, "")?, &cited.value, identities, plan).map(Some)
}
