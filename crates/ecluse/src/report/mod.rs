//! The report: one self-contained HTML page that a biologist, a lawyer and an auditor can read.
//!
//! [`page::Page`] holds words and counts only; no type that could carry a row's value or key
//! is known here. [`drawing`] draws the flow.

pub(crate) mod caught;
mod drawing;
pub(crate) mod facts;
pub(crate) mod figure;
pub(crate) mod fill;
pub(crate) mod page;

#[cfg(test)]
mod tests;
