//! `src/served.rs` says what is promised.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ecluse_fuzz::served::run(bytes));
