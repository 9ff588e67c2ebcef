//! `src/filter.rs` says what is promised.
#![no_main]

libfuzzer_sys::fuzz_target!(init: ecluse_fuzz::filter::forgive_the_parser(), |bytes: &[u8]| ecluse_fuzz::filter::run(bytes));
