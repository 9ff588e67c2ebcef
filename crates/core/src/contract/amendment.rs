//! Amendments: from version 2 on, a contract is signed under the one before it too.
//!
//! Otherwise whoever writes a contract could write a later one in which the other side has
//! another key, and sign it for both: the keys that sign would come from the paper itself.

use ecluse_sign::Signature;

use super::open;
use crate::digest;
use crate::document::{Header, Kind};
use crate::fault::Code;
use crate::finding::Finding;
use crate::keys::Key;
use crate::on_paper;
use crate::person::Role;
use crate::signatures::{self, SignatureFile};

/// The version before is absent, or another.
pub static BEFORE: Code =
    Code::refused("ECL-CTR-061", "the contract before this version is missing or is not the one it amends");

/// An earlier version of a contract and the signatures beside it, as bytes.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// The document.
    pub bytes: Vec<u8>,
    /// The files of its `.sigs` folder.
    pub signatures: Vec<SignatureFile>,
}

/// Checks a later version's signatures against the versions before it, back to the first: every
/// signatory of the version before signed this one, with a key that the version before lists
/// and that counted on the day this one was issued. Returns the signatures that are made with keys of
/// `keys`, or of no version: those that the caller has still to check.
///
/// # Errors
/// [`BEFORE`]; a finding per signature that the version before demands and does not find.
pub(super) fn check(
    header: &Header,
    bytes: &[u8],
    files: &[SignatureFile],
    keys: &[Key],
    earlier: &[Earlier],
) -> Result<Vec<SignatureFile>, Vec<Finding>> {
    if header.version < 2 {
        return Ok(files.to_vec());
    }
    let cited = header.supersedes.as_deref().unwrap_or_default();
    let Some(before) = earlier.iter().find(|before| digest::of_bytes(&before.bytes) == cited) else {
        let message = format!("version {} supersedes {cited}, and that version is not here", header.version);
        return Err(vec![Finding::new(&BEFORE, message).help(format!(
            "keep it beside this one, as contract.v{}.toml with contract.v{}.toml.sigs/",
            header.version - 1,
            header.version - 1
        ))]);
    };
    let (old, terms) = open(&before.bytes)?;
    if let Some(why) = unfit(&old, header) {
        return Err(vec![Finding::new(&BEFORE, why)]);
    }
    // the chain back to the first version, each as of the day its successor was issued
    let rest = check(&old, &before.bytes, &before.signatures, &terms.keys, earlier)?;
    signatures::check(
        Kind::Contract,
        old.version,
        &before.bytes,
        &rest,
        &terms.keys,
        terms.demands,
        header.issued,
    )
    .map_err(|findings| told(findings, &format!("version {}", old.version)))?;

    let signs = [Role::ControllerSignatory, Role::ProcessorSignatory];
    let of = |file: &SignatureFile, keys: &[Key]| {
        if let Some(found) = &file.paper {
            return on_paper::is_of(found, keys);
        }
        let claimed = Signature::from_armour(&file.armoured).ok().map(|s| s.claimed_key().clone());
        claimed.is_some_and(|claimed| keys.iter().any(|key| key.public.as_ref() == Some(&claimed)))
    };
    let checks = |key: &Key| on_paper::checked_people(&terms.keys, &key.email).next().is_some();
    let needed = |key: &&Key| signs.contains(&key.role) || checks(key);
    let signatories: Vec<Key> = terms.keys.iter().filter(needed).cloned().collect();
    let theirs: Vec<SignatureFile> = files.iter().filter(|file| of(file, &signatories)).cloned().collect();
    signatures::check(
        Kind::Contract,
        header.version,
        bytes,
        &theirs,
        &signatories,
        terms.demands,
        header.issued,
    )
    .map_err(|findings| {
        told(findings, &format!("version {}, signed under version {}", header.version, old.version))
    })?;
    let ours = |file: &&SignatureFile| of(file, keys) || !of(file, &signatories);
    Ok(files.iter().filter(ours).cloned().collect())
}

/// Why a version cannot follow this one, if it cannot.
fn unfit(old: &Header, new: &Header) -> Option<String> {
    if old.version + 1 != new.version {
        return Some(format!("version {} follows version {}", new.version, old.version));
    }
    if old.trial != new.trial {
        return Some("one version is a trial's, the other is not".to_owned());
    }
    (new.issued < old.issued).then(|| {
        format!("version {} was issued on {}, before the version it supersedes", new.version, new.issued)
    })
}

fn told(findings: Vec<Finding>, what: &str) -> Vec<Finding> {
    findings
        .into_iter()
        .map(|mut finding| {
            finding.message = format!("{what}: {}", finding.message);
            finding.span = None;
            finding
        })
        .collect()
}
