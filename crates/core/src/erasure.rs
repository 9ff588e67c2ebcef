//! What was erased, and what was then looked for: two files of the run folder, on which a certificate of
//! erasure rests.
//!
//! They hold places, counts and days; no value, no row key. Each counts while its digest is the `paper` of the
//! journal's last event of its act ([`Erasure`]: `erase`, [`Residue`]: `look`) and nothing has changed since
//! (`docs/formats.md`, "The run folder").

use serde::{Deserialize, Serialize};

/// What was erased, in the run folder.
pub const ERASURE: &str = "erasure.json";
/// What was looked for, in the run folder.
pub const RESIDUE: &str = "residue.json";

/// What an erasure did, and what it could not reach. Replaced as a whole; a later erasure keeps the lines of
/// an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// `ecluse-erasure/1`.
    pub format: String,
    /// The run, and the digest of its instruction.
    pub run: String,
    /// See `run`.
    pub instruction: String,
    /// The digest of the acceptance after which the source was erased; empty where nothing of it was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub acceptance: String,
    /// Why the source was erased by an account that could do more than it needed; empty where it could not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wider_role: String,
    /// What more it could do, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excess: Vec<String>,
    /// When the first start began and the last one ended (RFC 3339, UTC).
    pub began: String,
    /// See `began`; empty while it is under way, or died.
    pub ended: String,
    /// What is gone.
    pub done: Vec<Erased>,
    /// What stays for the time being, since somebody said why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// What no command of ours reaches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub out_of_reach: Vec<Beyond>,
}

/// One thing that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erased {
    /// Where it was.
    pub side: Side,
    /// The database or folder, without account or password.
    pub place: String,
    /// The table, the file, or the kind of files; at the source the table's own name.
    pub what: String,
    /// How, in words for the certificate (NIST SP 800-88: clear, purge, destroy are said of whole media only).
    pub method: String,
    /// Rows that went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Files that went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// When (RFC 3339, UTC).
    pub at: String,
}

/// Whose data went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The retired system's own.
    Source,
    /// A copy that écluse made.
    Copy,
}

/// Something under a legal hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// As of [`Erased`].
    pub place: String,
    /// As of [`Erased`].
    pub what: String,
    /// Why.
    pub reason: String,
    /// Who approved, by name.
    pub approver: String,
    /// The day on which the hold ends (`2027-01-31`).
    pub until: String,
}

/// Something beyond our reach: a WAL, a binlog, a replica, a snapshot, a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beyond {
    /// As of [`Erased`].
    pub place: String,
    /// What may still hold data.
    pub what: String,
    /// Who answers for it, by name.
    pub owner: String,
    /// The day by which it is gone (`2027-01-31`).
    pub until: String,
}

/// What was looked for after an erasure, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residue {
    /// `ecluse-residue/1`.
    pub format: String,
    /// The run, and the digest of its instruction.
    pub run: String,
    /// See `run`.
    pub instruction: String,
    /// The digest of the `erasure.json` after which it was looked.
    pub erasure: String,
    /// When it began and ended (RFC 3339, UTC).
    pub began: String,
    /// See `began`.
    pub ended: String,
    /// How many values and markers were sought; a look for nothing finds nothing, and counts for nothing.
    #[serde(default)]
    pub sought: u64,
    /// How many of them are values of patients; the others are markers of copies that are gone.
    #[serde(default)]
    pub values: u64,
    /// How many files and folders of écluse's own places, and of the source, could not be read.
    #[serde(default)]
    pub closed: u64,
    /// Every place that was looked at.
    pub looked: Vec<Looked>,
    /// What was found that should be gone; one is enough to refuse a certificate.
    pub survivors: Vec<Survivor>,
}

/// One place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looked {
    /// The place, as of [`Erased`].
    pub place: String,
    /// For what, in words: `markers of 12 artefacts, 64 values drawn from the destination`.
    pub sought: String,
    /// Files, or tables, that were read.
    pub files: u64,
    /// Bytes that were read; 0 where they are not counted.
    #[serde(default)]
    pub bytes: u64,
    /// What could not be read, in words; empty is best.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// Something that should be gone: where, never the value that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survivor {
    /// The place, as of [`Erased`].
    pub place: String,
    /// The file or table in which it was found: by its name where that is écluse's own, else by its copy's id or its
    /// inode, since a name can be a person's.
    pub what: String,
    /// Of which artefact the marker was, or `a value of the destination`.
    pub of: String,
}

impl Erasure {
    /// `format` of this layout.
    pub const FORMAT: &'static str = "ecluse-erasure/1";

    /// Whether this table of the source was erased.
    #[must_use]
    pub fn covers_source(&self, table: &str) -> bool {
        self.done.iter().any(|one| one.side == Side::Source && one.what == table)
    }

    /// Whether it is said what became of the files that a column (`report.path`) of the source named.
    #[must_use]
    pub fn covers_files(&self, column: &str) -> bool {
        let what = Self::files_of(column);
        self.done.iter().any(|one| one.side == Side::Source && one.files.is_some() && one.what == what)
    }

    /// What a line about them is of.
    #[must_use]
    pub fn files_of(column: &str) -> String {
        format!("files that rows of {column} named")
    }
}

impl Residue {
    /// `format` of this layout.
    pub const FORMAT: &'static str = "ecluse-residue/1";
}
