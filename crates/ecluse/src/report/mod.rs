//! The report: one HTML page without any personal value, in French or English.
//!
//! [`fill`] says what stands on it and in which order; each part has a file of its own in [`parts`].
//! Sentences stand in both languages where they are said ([`Language::of`]); what the papers and the
//! program call things is [`crate::pages::words`].
//!
//! [`Language::of`]: ecluse_core::language::Language::of

pub(crate) mod boxes;
pub(crate) mod counts;
pub(crate) mod discreet;
pub(crate) mod drawing;
pub(crate) mod facts;
pub(crate) mod figure;
pub(crate) mod fill;
pub(crate) mod lead;
pub(crate) mod page;
pub(crate) mod parts;
pub(crate) mod recorded;

#[cfg(test)]
mod tests;
