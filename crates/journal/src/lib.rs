//! A transparency log: entries that cannot be changed, moved or taken away unseen by whoever kept a
//! checkpoint.
//!
//! | standard | here |
//! |---|---|
//! | RFC 6962, section 2.1: hashes, roots and proofs of a Merkle tree | [`Hash`], [`tree`], [`check`] |
//! | C2SP tlog-tiles: where hashes and entries lie | [`Tile`], [`bundle`] |
//! | C2SP signed-note: text with signatures | [`Note`], [`VerifierKey`], [`NoteSigner`] |
//! | C2SP tlog-checkpoint, tlog-cosignature | [`Checkpoint`], [`Signed`] |
//! | C2SP tlog-proof: one entry's proof in one file | [`Proof`] |
//!
//! [`Log`] writes, [`audit`] reads. Nothing here touches a disk, a clock or a source of chance, and
//! nothing knows what an entry says: an auditor can rebuild the check from this crate, or from the
//! standards alone. It imports none of our crates.
//!
//! What it can tell is relative: a log whose writer makes another one from its first entry on, and signs
//! it, is consistent with itself. It is found by a checkpoint that another party holds, and by nothing else.

pub mod audit;
pub mod bundle;
pub mod check;
mod checkpoint;
mod hash;
mod log;
mod note;
mod objects;
mod proof;
mod tile;
pub mod tree;

pub use checkpoint::{Checkpoint, Signed};
pub use hash::Hash;
pub use log::{Log, Stopped};
pub use note::{KeyKind, Note, NoteFault, NoteSigner, VerifierKey, sign};
pub use objects::{Objects, Unread};
pub use proof::Proof;
pub use tile::{FULL, Kind, Tile};
