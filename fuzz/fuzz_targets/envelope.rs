//! `src/envelope.rs` says what is promised.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: ecluse_fuzz::forgive(&["/parquet-", "/arrow-"]),
    |bytes: &[u8]| ecluse_fuzz::envelope::run(bytes)
);
