//! PostgreSQL as a source and as a destination, against a real private server.

mod faults;
pub(crate) mod help;
mod loads;
mod reads;
mod rights;
mod types;
#[cfg(test)]
mod views;
