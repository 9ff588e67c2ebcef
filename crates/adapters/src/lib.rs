//! Every outside thing, one file or folder each; never each other.

mod civil;
mod columns;
pub mod folder;
pub mod sql;
pub mod sqlite;
