//! MariaDB as a source.
//!
//! | file | holds |
//! |---|---|
//! | `source.rs` | the snapshot, the reads |
//! | `session.rs`, `connect.rs` | the connection, its settings, errors without the driver's text |
//! | `catalog.rs`, `types.rs` | what the database says of itself; which types are understood, and their values |
//! | `statement.rs` | every SQL text over planned tables |
//! | `probe.rs` | what the account could do beyond its orders |
//! | `grants.rs` | the script for the controller's administrator |
//! | `views.rs` | whether the administrator's views say what that script says |

mod catalog;
mod connect;
mod grants;
mod probe;
mod session;
mod source;
mod statement;
mod types;
mod views;

pub use grants::{Grants, grants};
pub use source::Source;
