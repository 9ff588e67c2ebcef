//! Dictionary, instruction, mapping and their checks, from outside the crate.

mod classes;
mod dump;
mod labbook;
