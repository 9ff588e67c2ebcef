//! `src/manifest.rs` says what is promised.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ecluse_fuzz::manifest::run(bytes));
