//! How long a journal is kept: whole bundles are erased from its front, and what is left still verifies.

use std::io::ErrorKind;
use std::path::Path;

use ecluse_core::fault::{Code, Result};
use ecluse_flow::event::Leaf;
use ecluse_flow::failpoint;
use ecluse_journal::{Checkpoint, FULL, audit};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::write::Writer;
use super::{Folder, KEPT, WRITE, files};

static MALFORMED: Code = Code::refused("ECL-LOG-024", "what was erased of the journal cannot be told");

const FORMAT: &str = "ecluse-kept/1";
const LOOKED_FORMAT: &str = "ecluse-looked/1";
/// When a writer under another account looked last for what is older than the retention.
pub const LOOKED: &str = "looked.json";
/// How often such a writer looks.
const HOURS: i64 = 24;

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

/// How long a writer under another account keeps its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Months.
    pub months: u32,
    /// Why for longer than a year.
    pub reason: Option<String>,
    /// Why nothing is erased for now, whatever its age.
    pub held: Option<String>,
}

impl Keep {
    /// What is older than this is not kept.
    #[must_use]
    pub fn until(&self, now: Timestamp) -> Timestamp {
        now.to_zoned(TimeZone::UTC).saturating_sub(i64::from(self.months).months()).timestamp()
    }
}

/// The last look of such a writer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looked {
    format: String,
    /// When, UTC, RFC 3339.
    pub at: String,
    /// Until when it looks again, UTC, RFC 3339.
    pub next: String,
    /// The months for which entries are kept.
    pub months: u32,
    /// Why for longer than a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why nothing is erased for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

impl Looked {
    pub(super) fn new(keep: &Keep, now: Timestamp) -> Self {
        Self {
            format: LOOKED_FORMAT.to_owned(),
            at: now.to_string(),
            next: now.saturating_add(Self::every()).unwrap_or(now).to_string(),
            months: keep.months,
            reason: keep.reason.clone(),
            held: keep.held.clone(),
        }
    }

    /// How often it looks.
    #[must_use]
    pub const fn every() -> SignedDuration {
        SignedDuration::from_hours(HOURS)
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        files::replace(&[(&path.join(LOOKED), &json)], files::Readers::Group)
    }

    /// The last look over the journal at this path; `None` where nobody looks.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`]; where it cannot be read.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let file = path.join(LOOKED);
        let Some(bytes) = files::read(&file)? else { return Ok(None) };
        let read: Option<Self> = serde_json::from_slice(&bytes).ok();
        let read = read.filter(|looked| looked.format == LOOKED_FORMAT);
        read.map(Some).ok_or_else(|| MALFORMED.fault(file.display().to_string()))
    }

    /// Whether it should have looked again by now: as long again is not taken amiss.
    #[must_use]
    pub fn missed(&self, now: Timestamp) -> bool {
        let next = self.next.parse::<Timestamp>().unwrap_or(Timestamp::MIN);
        now.duration_since(next) > Self::every()
    }
}

impl Folder {
    /// The first entry that is to be kept where those before this moment are not: a bundle with one entry that is
    /// still to be kept stays whole, and so does what comes after it. All entries are compared with the tree.
    ///
    /// # Errors
    ///
    /// As [`Self::whole`].
    pub fn due(&self, tree: &Checkpoint, until: Timestamp) -> Result<u64> {
        let mut young: Option<u64> = None;
        self.whole(tree, |index, entry| {
            let at = Leaf::parse(entry).and_then(|leaf| leaf.time.parse::<Timestamp>().ok());
            if young.is_none() && at.is_none_or(|at| at >= until) {
                young = Some(index);
            }
        })?;
        Ok(young.unwrap_or(tree.size) / FULL * FULL)
    }
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
    /// is kept is said durably first: what a death in between leaves, [`Self::erase_left`] takes.
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
        self.gone(kept.first)
    }

    /// Takes away what an erasure has said durably that it erases, and left because it died.
    ///
    /// # Errors
    ///
    /// As [`Self::erase`].
    pub fn erase_left(&self) -> Result<()> {
        self.gone(Kept::read(self.path())?.first)
    }

    fn gone(&self, first: u64) -> Result<()> {
        failpoint::hit("log.erase.event.before");
        for tile in audit::prunable(first, self.size()) {
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
