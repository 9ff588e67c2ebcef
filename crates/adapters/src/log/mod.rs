//! The journal's folder: a transparency log on a disk, laid out by C2SP tlog-tiles.
//!
//! | name | holds | changes by |
//! |---|---|---|
//! | `checkpoint` | how much the log holds and the root over it, signed | atomic replacement, last of a round |
//! | `tile/…` | hashes and entries | atomic replacement; a full one never |
//! | `taken.json` | how many lines of each run folder the log holds | atomic replacement, before the checkpoint |
//! | `log.pub` | the key that signs, as C2SP signed-note prints it | once |
//! | `kept.json` | from which entry on the log still holds them | atomic replacement, before anything is erased |
//! | `looked.json` | of a writer under another account: when it looked last for what is older than the retention | atomic replacement |
//! | `of` | of such a writer: which migration's journal it is | once |
//! | `lock` | nothing; locked while a process writes | never |
//!
//! A round is: what is taken, the objects, the checkpoint. Each is durable before the next begins, so that a
//! death leaves the checkpoint of before with all its objects, or the new one with all of its.
//! `taken.json` tells of both, and the checkpoint that stands says which holds.
//!
//! The folder is its owner's alone (0700, files 0600). The private key lies elsewhere.
//!
//! Where the writer is a process of another account ([`Served`]), its group may read the folder, and an
//! application appends through a socket ([`Remote`]).

mod files;
mod read;
mod remote;
mod retention;
mod served;
mod taken;
mod write;

use ecluse_core::fault::Code;

pub use self::files::Readers;
pub use self::read::{CUT, FORK, Folder, STRANGER};
pub use self::remote::{CHANGED, JOINED, MIGRATION, Remote};
pub use self::retention::{Erased, Keep, Kept, LOOKED, Looked};
pub use self::served::{Served, WRITER};
pub use self::taken::{Lines, Run, Taken, gather};
pub use self::write::Writer;

static WRITE: Code = Code::outside("ECL-LOG-001", "the journal cannot be written");
static READ: Code = Code::outside("ECL-LOG-002", "the journal cannot be read");
static BUSY: Code = Code::outside("ECL-LOG-003", "another process writes the journal");
static KEY: Code = Code::refused("ECL-LOG-004", "the journal was signed by another key");
static NONE: Code = Code::refused("ECL-LOG-005", "there is no journal in this folder yet");

/// The journal's folder, beside the run folders of a migration.
pub const FOLDER: &str = "journal";
const CHECKPOINT: &str = "checkpoint";
const VERIFIER: &str = "log.pub";
const TAKEN: &str = "taken.json";
const KEPT: &str = "kept.json";
const OF: &str = "of";
const LOCK: &str = "lock";
