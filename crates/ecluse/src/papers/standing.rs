//! The papers in force: contract first, then everything made under it.

use std::path::Path;

use ecluse_core::contract::Contract;
use ecluse_core::fault::Result;
use jiff::Timestamp;

use super::Paper;
use crate::folder::{self, Folder};

/// Where fingerprints obtained elsewhere are written down: one `SHA256:…` a line, then in words
/// where it was read (paper contract, telephone). They establish whose keys the controller's are.
pub(crate) const FINGERPRINTS: &str = "fingerprints.txt";

/// The contract, in force and established.
///
/// # Errors
///
/// Every fault of the contract; a controller's key that nothing from outside confirms.
pub(crate) fn contract(folder: &Folder, flag: Option<&Path>, now: Timestamp) -> Result<(Contract, Paper)> {
    let paper = Paper::read(&folder.path(flag, "contract.toml"), "ecluse contract new")?;
    let contract = paper.judge(Contract::in_force(&paper.bytes, &paper.signatures, now))?;
    contract.established(&fingerprints(&folder.path(None, FINGERPRINTS))?)?;
    Ok((contract, paper))
}

fn fingerprints(path: &Path) -> Result<Vec<String>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = folder::read(path, "")?;
    Ok(String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.starts_with("SHA256:"))
        .map(str::to_owned)
        .collect())
}
