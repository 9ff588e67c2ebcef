//! Sources that cannot deny, and those that lie in clear: only where the signed instruction says so.

use ecluse_adapters::csv;
use ecluse_adapters::url::Url;
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Endpoint;

use crate::output;

static NOT_SAID: Code =
    Code::refused("ECL-SRC-622", "this source cannot deny anything, and the instruction does not say so");
static IN_CLEAR: Code =
    Code::refused("ECL-SRC-623", "the source lies in clear in a file, and the instruction does not say so");

/// Whether the instruction knows what this source is.
///
/// # Errors
///
/// [`NOT_SAID`], [`IN_CLEAR`].
pub(crate) fn allowed(url: &Url, signed: &Endpoint) -> Result<()> {
    let lies = match url {
        Url::Dump(dump) => dump.origin.file().map(|file| (1, file.bytes)),
        Url::Csv(folder) => Some(csv::lies(&folder.path)),
        Url::Sqlite(_) | Url::Server(_) => return Ok(()),
    };
    if !signed.cannot_deny {
        return Err(NOT_SAID.fault(url.to_string()).help(
            "read the database over a connection, or have cannot_deny = true written under [source] and signed",
        ));
    }
    let Some((files, bytes)) = lies else { return Ok(()) };
    if !signed.in_clear {
        return Err(IN_CLEAR.fault(format!("{files} files, {bytes} bytes")).help(
            "pipe the dump (pg_dump … | ecluse migrate), or have in_clear = true written under [source] and signed",
        ));
    }
    output::remark(format!(
        "a copy in clear: {url}, {files} files, {bytes} bytes; the instruction wants it erased by the day of [erasure] copies"
    ));
    Ok(())
}
