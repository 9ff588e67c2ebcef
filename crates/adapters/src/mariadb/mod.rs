//! MariaDB, as a source and as a destination.
//!
//! ```text
//! source       one REPEATABLE READ READ ONLY snapshot
//! destination  one transaction per chunk: DELETE range · prepared multi-row INSERTs · ledger line
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `source.rs` | the snapshot, the reads |
//! | `destination.rs`, `load.rs`, `ledger.rs` | the writes, the bisection, the ledger |
//! | `constraints.rs`, `durable.rs` | what is looked at before and after a load; when it is on disk |
//! | `session.rs`, `connect.rs`, `error.rs` | the connection, its settings, errors without the driver's text |
//! | `catalog.rs`, `types.rs` | what the database says of itself; which types are understood, and their values |
//! | `encode.rs` | values on their way into a column |
//! | `statement.rs`, `written.rs`, `ddl.rs` | every SQL text over planned tables: read, written, made |
//! | `undo.rs` | what a run wrote, taken away |
//! | `unfilled.rs` | columns that no run fills |
//! | `probe.rs` | what the account could do beyond its orders |
//! | `grants.rs` | the script for the controller's administrator |
//! | `views.rs` | whether the administrator's views say what that script says |

mod catalog;
mod code;
mod connect;
mod constraints;
mod ddl;
mod destination;
mod durable;
mod encode;
mod erase;
mod erasing;
mod error;
mod grants;
mod ledger;
mod load;
mod look;
mod marks;
mod probe;
mod session;
mod source;
mod statement;
pub(crate) mod types;
mod undo;
mod unfilled;
mod views;
mod written;

pub use destination::Destination;
pub use erase::Eraser;
pub use erasing::erasing;
pub use grants::{Grants, grants};
pub use look::look;
pub use source::Source;
