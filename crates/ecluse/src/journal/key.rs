//! The key that signs the journal of a migration.
//!
//! On the command line it is a file of the account that runs écluse: whoever has that account can write
//! another log in its name. That is found by those who hold a checkpoint, and by nobody else.

use std::path::Path;

use ecluse_core::fault::{Code, Result};
use ecluse_flow::failpoint;
use ecluse_journal::{KeyKind, NoteSigner};
use zeroize::Zeroizing;

use crate::chance;
use crate::folder::{self, Folder};
use crate::papers::hand;

static NO_KEY: Code = Code::refused("ECL-LOG-030", "this is no key of a journal");
static LOST: Code = Code::refused("ECL-LOG-031", "the key that signs the journal is missing");

/// The key's file.
const FILE: &str = "journal.key";

/// The key that signs this migration's journal, made where nothing was signed yet.
///
/// # Errors
///
/// [`LOST`], [`NO_KEY`]; `ECL-CLI-013` where others can read it.
pub(crate) fn signer(folder: &Folder) -> Result<NoteSigner> {
    let path = folder.path(None, FILE);
    if path.exists() {
        return read(&path, KeyKind::Log);
    }
    // two processes that both find none make one
    let _held = super::alone(folder)?;
    if path.exists() {
        return read(&path, KeyKind::Log);
    }
    let log = folder.path(None, super::FOLDER);
    if ecluse_adapters::log::Folder::find(&log).is_some() {
        return Err(LOST.fault(path.display().to_string()).help(
            "put it back from a copy of the folder; where there is none, keep the folder as it is and tell the controller",
        ));
    }
    let origin = format!("ecluse/{}", data_encoding::HEXLOWER.encode(&chance::bytes::<16>()?));
    make(&path, &origin, KeyKind::Log)
}

/// Makes a key of this name in a new file of its owner's alone.
///
/// # Errors
///
/// [`NO_KEY`] for a name that cannot be one; files that exist or cannot be written.
pub(crate) fn make(path: &Path, name: &str, kind: KeyKind) -> Result<NoteSigner> {
    let seed = Zeroizing::new(chance::bytes::<32>()?);
    let signer = NoteSigner::new(name, kind, &seed).ok_or_else(|| NO_KEY.fault(name.to_owned()))?;
    let secret = Zeroizing::new(format!("{}\n", signer.secret()));
    // under its name there is a whole key or none: half of one would stand in the way for good
    let new = path.with_extension("new");
    let _of_a_crash = std::fs::remove_file(&new);
    folder::create_durably(&new, secret.as_bytes(), 0o600)?;
    failpoint::hit("log.key.rename.before");
    std::fs::rename(&new, path).map_err(|error| folder::unwritable(path, &error))?;
    failpoint::hit("log.key.rename.after");
    Ok(signer)
}

/// Reads a key of this kind, which is its owner's alone.
///
/// # Errors
///
/// [`NO_KEY`]; `ECL-CLI-013` where others can read it.
pub(crate) fn read(path: &Path, kind: KeyKind) -> Result<NoteSigner> {
    hand::private(path)?;
    let secret = Zeroizing::new(folder::read(path, "name the key's file")?);
    let signer = std::str::from_utf8(&secret).ok().and_then(|text| NoteSigner::parse(text.trim_end()));
    signer
        .filter(|signer| signer.verifier().kind() == kind)
        .ok_or_else(|| NO_KEY.fault(path.display().to_string()))
}
