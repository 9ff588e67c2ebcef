//! How long a journal is kept: whole bundles are erased from its front, and what is left still verifies.

use std::io::ErrorKind;
use std::path::Path;

use ecluse_core::fault::{Code, Result};
use ecluse_flow::failpoint;
use ecluse_journal::audit;
use serde::{Deserialize, Serialize};

use super::write::Writer;
use super::{KEPT, WRITE, files};

static MALFORMED: Code = Code::refused("ECL-LOG-024", "what was erased of the journal cannot be told");

const FORMAT: &str = "ecluse-kept/1";

/// What retention left of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    format: String,
    /// The first entry that is kept: a multiple of 256.
    pub first: u64,
    /// What was erased, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<Erased>,
}

/// One erasure from a journal's front.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erased {
    /// When, UTC, RFC 3339.
    pub at: String,
    /// All entries before this one.
    pub before: u64,
    /// The months for which entries are kept.
    pub months: u32,
    /// Why for longer than a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Kept {
    /// What is kept of the journal at this path: everything, where nothing says otherwise.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = path.join(KEPT);
        let Some(bytes) = files::read(&file)? else {
            return Ok(Self { format: FORMAT.to_owned(), first: 0, erased: Vec::new() });
        };
        let read: Option<Self> = serde_json::from_slice(&bytes).ok();
        let whole = |kept: &Self| kept.format == FORMAT && kept.first.is_multiple_of(ecluse_journal::FULL);
        read.filter(whole).ok_or_else(|| MALFORMED.fault(file.display().to_string()))
    }
}

impl Writer {
    /// Erases every entry before this one, a multiple of 256, and the hashes that tell of nothing later. What
    /// is kept is said durably first: a death in between leaves objects that the next erasure takes.
    ///
    /// # Errors
    ///
    /// `ECL-LOG-001`; `ECL-LOG-024`.
    pub fn erase(&self, erased: Erased) -> Result<()> {
        let mut kept = Kept::read(self.path())?;
        if kept.first < erased.before {
            kept.first = erased.before;
            kept.erased.push(erased);
            let mut json = serde_json::to_vec_pretty(&kept).unwrap_or_default();
            json.push(b'\n');
            files::replace(&[(&self.path().join(KEPT), &json)], self.readers())?;
        }
        failpoint::hit("log.erase.event.before");
        for tile in audit::prunable(kept.first, self.size()) {
            let path = self.path().join(tile.path());
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(files::failed(&WRITE, &path, &e)),
                Ok(()) | Err(_) => {}
            }
        }
        failpoint::hit("log.erase.event.after");
        Ok(())
    }
}
