//! The path from one database to another: steps and ports, nothing else.
//!
//! `run.rs` tells the whole story on one page. Everything here is synchronous: an
//! adapter that needs an async runtime keeps it inside, so that the story has no colour.

pub mod failpoint;
pub mod ports;
