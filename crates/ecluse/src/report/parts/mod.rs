//! The parts of the report below its boxes, one file each.

pub(crate) mod barriers;
pub(crate) mod caught;
pub(crate) mod chain;
pub(crate) mod checks;
pub(crate) mod encodings;
mod ending;
pub(crate) mod files;
pub(crate) mod identifiers;
pub(crate) mod known;
pub(crate) mod minimised;
pub(crate) mod next_keys;
pub(crate) mod objections;
pub(crate) mod pending;
pub(crate) mod received;
pub(crate) mod reconciliation;
pub(crate) mod refused;
pub(crate) mod tables;
pub(crate) mod timing;
