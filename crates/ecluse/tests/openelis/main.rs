//! OpenELIS Global, a real laboratory system, under the worked papers of `docs/openelis`.
#![cfg(test)]

mod canaries;
mod dictionary;
mod figures;
mod laboratory;
mod moves;
