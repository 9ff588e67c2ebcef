//! What each fuzz target promises of any bytes at all; `fuzz_targets/` hands them over, `tests/corpora.rs` runs
//! what was kept once through each.
//!
//! A promise that does not hold panics. So does memory beyond [`HEAP`], which no reader needs for what a target
//! gives it.

use std::alloc::System;

use cap::Cap;

pub mod canonical;
pub mod dump;
pub mod envelope;
pub mod evidence;
pub mod filter;
pub mod journal;
pub mod keys;
pub mod log;
pub mod manifest;
pub mod papers;
pub mod signature;
pub mod state;

/// Bytes on the heap at once: what a bomb of a few kilobytes would take is more.
#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, 1 << 30);

/// The longest beginning that is text.
fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("valid so far"),
    }
}

/// Lets a panic pass that stands in the code of these crates: whoever calls them catches it, and says that they gave
/// up. Every other stops the fuzzer.
pub fn forgive(crates: &'static [&'static str]) {
    let stop = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let theirs = |place: &std::panic::Location<'_>| crates.iter().any(|one| place.file().contains(one));
        if !panic.location().is_some_and(theirs) {
            stop(panic);
        }
    }));
}
