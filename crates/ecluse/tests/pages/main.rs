//! The pages that people read, made by the program and looked at as a browser shows them.
#![cfg(test)]

mod browser;
mod golden;
mod on_paper;
mod order;
mod papers;
mod sealed;
mod verifier;
