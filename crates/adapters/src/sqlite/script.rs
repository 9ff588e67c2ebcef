//! Scripts run on a database of one's own: the demonstration's invented laboratory.

use std::path::Path;

use ecluse_core::fault::Result;

use super::{DESTINATION, Destination, existing, fault};

/// Makes a new database that only its owner can read, and runs a script in it.
///
/// # Errors
///
/// `ECL-DST-315` where a file is there already; the engine's own code where the script fails.
pub fn create_from(path: &Path, script: &str) -> Result<()> {
    drop(Destination::create(path)?);
    execute(path, script)
}

/// Runs a script in a database that is there. Never used on a source or a destination of anybody's.
///
/// # Errors
///
/// `ECL-DST-321` where there is no such file; the engine's own code where the script fails.
pub fn execute(path: &Path, script: &str) -> Result<()> {
    let path = existing(&DESTINATION, path)?;
    let failed = |e: rusqlite::Error| fault(&DESTINATION, &e, &path.display().to_string());
    rusqlite::Connection::open(&path).and_then(|c| c.execute_batch(script)).map_err(failed)
}
