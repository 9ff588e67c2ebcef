//! Cosignatures that came back: `journal/cosigned/`, one signed checkpoint a file.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use ecluse_core::fault::{Code, Result};
use ecluse_journal::{Signed, VerifierKey};

use super::seen::Witness;
use crate::folder::{self, Folder};

static NO_WITNESS: Code = Code::usage("ECL-LOG-041", "this is no key of a witness");

const FOLDER: &str = "cosigned";

/// Where a cosigned checkpoint is kept.
pub(crate) fn place(folder: &Folder, signed: &Signed, witness: &VerifierKey) -> PathBuf {
    let name = format!("{}-{}.checkpoint", signed.checkpoint().size, HEXLOWER.encode(&witness.id()));
    super::path(folder).join(FOLDER).join(name)
}

/// Reads witnesses' keys, as `ecluse journal cosign` prints them.
///
/// # Errors
///
/// [`NO_WITNESS`].
pub(crate) fn keys<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<Vec<VerifierKey>> {
    let key = |text: &String| {
        let key = VerifierKey::parse(text.trim());
        key.filter(|key| key.kind() == ecluse_journal::KeyKind::Witness).ok_or_else(|| {
            NO_WITNESS.fault(text.clone()).help("name+id+key, as `ecluse journal cosign` prints it")
        })
    };
    texts.into_iter().map(key).collect()
}

/// What these witnesses signed for, of the checkpoints that lie in the folder. One that this log did not
/// sign, or a cosignature that does not hold, is no witness.
///
/// # Errors
///
/// Files that cannot be read.
pub(crate) fn cosigned(
    folder: &Folder,
    log: &VerifierKey,
    witnesses: &[VerifierKey],
) -> Result<Vec<Witness>> {
    let mut found = Vec::new();
    if witnesses.is_empty() {
        return Ok(found);
    }
    for path in folder::list(&super::path(folder).join(FOLDER))? {
        let Ok(signed) = Signed::open(&folder::read(&path, "")?, log) else { continue };
        found.extend(witnesses.iter().filter(|witness| signed.seen_by(witness).is_ok()).map(|witness| {
            Witness {
                place: super::said(&path),
                who: witness.name().to_owned(),
                is_foreign: true,
                kind: None,
                checkpoint: signed.checkpoint().clone(),
            }
        }));
    }
    Ok(found)
}
