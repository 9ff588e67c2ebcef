//! Persons who exist at the destination already, as a run found them: keys of rows, and by what they agree.

use ecluse_core::value::Key;
use serde::{Deserialize, Serialize};

/// The list that one comparison left. Personal throughout; nothing in it is merged by anybody.
#[derive(Clone, Default)]
pub struct KnownList {
    /// The source table whose rows arrived.
    pub source: String,
    /// The destination's table of persons.
    pub table: String,
    /// The columns of its key.
    pub key: Vec<String>,
    /// Who may be who, in the order of the rows that arrived; not all where there are very many.
    pub pairs: Vec<KnownPair>,
}

/// A row that arrived, and one that stood there, which may be one person's.
#[derive(Clone)]
pub struct KnownPair {
    /// The arrived row's key, as the source has it.
    pub here: Key,
    /// The arrived row's key at the destination.
    pub arrived: Key,
    /// The other row's key at the destination; empty where it has none that can be read.
    pub stood: Key,
    /// By what they agree.
    pub by: AgreeBy,
}

/// By what two records agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgreeBy {
    /// The national health identity number and its authority.
    Number,
    /// Family name, first given name, day of birth and sex.
    Traits,
    /// Both.
    Both,
}

impl AgreeBy {
    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Traits => "traits",
            Self::Both => "both",
        }
    }
}

impl std::fmt::Debug for KnownList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownList({}, {} pairs)", self.table, self.pairs.len())
    }
}

impl std::fmt::Debug for KnownPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownPair({:?}, …)", self.by)
    }
}
