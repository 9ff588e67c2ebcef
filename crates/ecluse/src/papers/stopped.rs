//! An order that does not stand any more: who stopped it, when and why; and how it makes room.

use ecluse_core::contract::Contract;
use ecluse_core::fault::{Fault, Result};
use ecluse_core::instruction::Instruction;
use ecluse_core::status::{Heard, REVOKED, SUSPENDED};
use jiff::{SignedDuration, Timestamp};

use super::Paper;
use crate::commands::runs;
use crate::folder::Folder;

/// Why the order is stopped, by the word in the folder or by one that a run met. An old word, or none,
/// stops nothing here: whoever reads rows asks for a fresh one.
///
/// # Errors
///
/// A register that cannot be read.
pub(crate) fn stopped(
    folder: &Folder,
    contract: &Contract,
    order: &Instruction,
    now: Timestamp,
) -> Result<Option<Fault>> {
    let path = folder.path(None, "status.toml");
    if let Ok(paper) = Paper::read(&path, "") {
        let ever = SignedDuration::MAX;
        let heard = Heard::hear(&paper.bytes, &paper.signatures, contract, order.digest(), ever, now);
        let why = heard.ok().and_then(|heard| heard.standing.err()).unwrap_or_default();
        if let Some(stop) = why.iter().find(|f| [SUSPENDED.id, REVOKED.id].contains(&f.code.id)) {
            return Ok(Some(stop.fault()));
        }
    }
    Ok(runs::met(folder, order.digest())?.unrevoked().err())
}

/// Moves a stopped order aside, with its signatures and its mapping: a new one needs their names, and
/// a mapping is one order's. The folder bears the order's fingerprint, so that none is written over.
pub(crate) fn set_aside(digest: &str) -> String {
    let short: String = digest.trim_start_matches("sha256:").chars().take(8).collect();
    format!("mkdir order-{short} && mv instruction.toml instruction.toml.sigs mapping.toml order-{short}/")
}
