//! The papers in force: contract first, then everything made under it.

use std::path::Path;

use ecluse_core::contract::{Contract, Earlier, Terms};
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
    let contract = read(&paper, now)?;
    contract.established(&fingerprints(&folder.path(None, FINGERPRINTS))?)?;
    Ok((contract, paper))
}

/// The contract in force: its signatures, those of the version before it, and its text where it lies beside.
///
/// # Errors
///
/// Every fault of the contract.
pub(crate) fn read(paper: &Paper, now: Timestamp) -> Result<Contract> {
    let earlier = earlier(&paper.path)?;
    let contract = paper.judge(Contract::in_force_after(&paper.bytes, &paper.signatures, &earlier, now))?;
    text(&paper.path, contract.terms())?;
    Ok(contract)
}

/// Compares the contract's text with its digest; `false` where the file does not lie beside the contract.
///
/// # Errors
///
/// Another file.
pub(crate) fn text(contract: &Path, terms: &Terms) -> Result<bool> {
    let file = contract.with_file_name(&terms.text);
    if !file.is_file() {
        return Ok(false);
    }
    terms.text_is(&folder::read(&file, "")?)?;
    Ok(true)
}

/// The versions before, which lie beside a contract: `contract.v1.toml` beside `contract.toml`.
///
/// # Errors
///
/// Files that cannot be read.
pub(crate) fn earlier(contract: &Path) -> Result<Vec<Earlier>> {
    let stem = contract.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let beside = contract.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut versions = Vec::new();
    for path in folder::list(beside)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = name.strip_prefix(&format!("{stem}.v")).and_then(|n| n.strip_suffix(".toml"));
        if number.is_some_and(|n| n.parse::<u64>().is_ok()) {
            let Paper { bytes, signatures, .. } = Paper::read(&path, "")?;
            versions.push(Earlier { bytes, signatures });
        }
    }
    Ok(versions)
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
