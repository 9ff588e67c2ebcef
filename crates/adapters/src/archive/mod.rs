//! A sealed archive as a folder: written part by part; its parts read once each, and its rows as a source.
//!
//! ```text
//! ARCHIVE/manifest.toml (+ .sigs)   signed by the sender; verified by the caller before anything here
//! ARCHIVE/000000.age                the sealed index
//! ARCHIVE/000001.age …              one Parquet file each: rows, then pieces of the files that these name
//! ```

mod files;
mod read;
mod settle;
mod source;
mod write;

pub use files::Received;
pub use read::{Archive, Whole};
pub use source::{Laid, Source};
pub use write::{Begun, MARK, Writer, begun};
