//! The report's page: taken away when what it tells of changes; what is left of it is when it was written.

use std::path::Path;

use ecluse_core::fault::Result;
use jiff::Timestamp;

use super::{REPORT, read};

/// When the page was written that was taken away last: one time, RFC 3339.
pub(super) const WITHDRAWN: &str = "report.withdrawn";

/// When the report was written that no longer describes what stands; `None` where one stands, or none ever did.
///
/// # Errors
///
/// `ECL-RUN-205` where it cannot be read.
pub fn withdrawn(path: &Path) -> Result<Option<String>> {
    if path.join(REPORT).exists() {
        return Ok(None);
    }
    let text = read(&path.join(WITHDRAWN))?;
    Ok(text.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|at| at.parse::<Timestamp>().is_ok()))
}

/// When the page that stands was written, as the file system has it.
pub(super) fn written(path: &Path) -> Option<String> {
    let changed = std::fs::metadata(path.join(REPORT)).and_then(|known| known.modified()).ok()?;
    Timestamp::try_from(changed).ok().map(|at| at.to_string())
}
