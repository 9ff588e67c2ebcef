//! From which entry on a journal still holds them.

use std::path::Path;

use ecluse_core::fault::{Code, Result};
use serde::{Deserialize, Serialize};

use super::{KEPT, files};

static MALFORMED: Code = Code::refused("ECL-LOG-024", "what was erased of the journal cannot be told");

const FORMAT: &str = "ecluse-kept/1";

/// What retention left of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    format: String,
    /// The first entry that is kept: a multiple of 256.
    pub first: u64,
}

impl Kept {
    /// What is kept of the journal at this path: everything, where nothing says otherwise.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = path.join(KEPT);
        let Some(bytes) = files::read(&file)? else {
            return Ok(Self { format: FORMAT.to_owned(), first: 0 });
        };
        let read: Option<Self> = serde_json::from_slice(&bytes).ok();
        let whole = |kept: &Self| kept.format == FORMAT && kept.first.is_multiple_of(ecluse_journal::FULL);
        read.filter(whole).ok_or_else(|| MALFORMED.fault(file.display().to_string()))
    }
}
