//! PostgreSQL, as a source and as a destination.
//!
//! ```text
//! source       one REPEATABLE READ READ ONLY snapshot, relations locked ACCESS SHARE
//!              COPY … TO STDOUT (binary) → decode.rs → Arrow
//! destination  one transaction per chunk: DELETE range · COPY … FROM STDIN (binary) · ledger line
//! ```
//!
//! | file | subject |
//! |---|---|
//! | `connect.rs` | one connection with its own runtime; session settings |
//! | `error.rs` | the engine's errors as coded faults: SQLSTATE and table, never the server's text |
//! | `types.rs` | the engine's types and ours |
//! | `decode.rs`, `encode.rs`, `numeric.rs` | the binary COPY format (PostgreSQL manual, "COPY", "File Formats") |
//! | `catalog.rs` | what the database says of itself |
//! | `probe.rs`, `grants.rs` | what a role can do beyond its orders; the script that gives it no more |
//! | `views.rs` | whether the administrator's views say what that script says |
//! | `source.rs`, `counting.rs` | the snapshot and its reads; the counts, ahead of them |
//! | `destination.rs`, `load.rs`, `ledger.rs` | the writes, the bisection, the ledger |
//! | `constraints.rs`, `putback.rs`, `lanes.rs` | what is dropped for speed, and put back, over two connections |

mod bound;
mod catalog;
mod code;
mod connect;
mod constraints;
mod counting;
mod decode;
mod destination;
mod encode;
mod erase;
mod erasing;
mod error;
mod grants;
mod lanes;
mod ledger;
mod load;
mod look;
mod marks;
mod numeric;
mod probe;
mod putback;
mod source;
mod text;
pub(crate) mod types;
mod undo;
mod unfilled;
mod views;

pub use destination::Destination;
pub use erase::Eraser;
pub use erasing::erasing;
pub use grants::{Grants, grants};
pub use look::look;
pub use source::Source;
