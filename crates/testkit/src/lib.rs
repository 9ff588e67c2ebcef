//! Beside the house, for tests and benchmarks alone: invented data, private servers, searches.
//!
//! | module | holds |
//! |---|---|
//! | [`account`] | another user of the machine |
//! | [`server`] | private PostgreSQL and MariaDB, a database per test, the statement log |
//! | [`canary`], [`leak`] | values that exist nowhere else, and the search that finds them |
//! | [`proxy`] | records traffic, cuts the line |
//! | [`disk`] | a small disk that fills up |
//! | [`kill`] | kills the program at every failpoint, resumes it, checks |
//! | [`clock`] | a clock that a test moves |
//! | [`laboratory`] | an invented laboratory of any size |
//! | [`papers`] | a complete, validly signed migration folder, and every way to spoil it |
//! | [`migration`] | a migration ready to run, made by the program itself |
//! | [`tools`] | where the outside programs are |
//! | [`certificates`] | a throw-away certificate authority |
//!
//! A helper that cannot do its work panics: it is a failed test.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that cannot do its work is a failed test"
)]

pub mod account;
pub mod canary;
pub mod certificates;
pub mod clock;
pub mod disk;
pub mod kill;
pub mod laboratory;
pub mod leak;
pub mod migration;
pub mod papers;
pub mod proxy;
pub mod server;
pub mod terminal;
pub mod tools;

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The folder of outside data (`ECLUSE_TEST_DATA`), or `None` after saying loudly that the
/// test is skipped.
#[must_use]
pub fn outside_data(name: &str) -> Option<PathBuf> {
    let Some(folder) = environment("ECLUSE_TEST_DATA") else {
        skipped("ECLUSE_TEST_DATA is not set (outside data is never required)");
        return None;
    };
    let path = Path::new(&folder).join(name);
    if !path.exists() {
        skipped(&format!("{name} is not in ECLUSE_TEST_DATA"));
        return None;
    }
    Some(path)
}

/// Says that the running test is skipped because this process may not mount a disk: under
/// `cargo xtask test` too, which runs without root as well.
pub(crate) fn unmountable() {
    skip("mounting a small disk needs root");
}

/// The folder's path that `cargo xtask test` names in this variable, or `None` after saying loudly that the
/// test is skipped: for what comes from outside and is not required, a browser or a checker of pages.
#[must_use]
pub fn outside_tool(variable: &str) -> Option<PathBuf> {
    let path = environment(variable).map(PathBuf::from).filter(|path| path.exists());
    if path.is_none() {
        skip(&format!("{variable} is not set: what it names could not be had"));
    }
    path
}

/// Says loudly, past the test harness's capture, that the running test did not check all that it is there for: what
/// that takes from outside, and is not required, could not be had. `cargo xtask trace` counts it as no proof then.
pub fn not_checked(why: &str) {
    skip(why);
}

/// Says that the running test is skipped, past the test harness's capture. Under
/// `cargo xtask test` a missing server fails instead: nothing is skipped unseen there.
pub(crate) fn skipped(why: &str) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let required = environment(server::REQUIRED_VARIABLE).is_some() && !why.contains("ECLUSE_TEST_DATA");
    assert!(!required, "{name}: {why}, and this run requires it");
    skip(why);
}

fn skip(why: &str) {
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("SKIPPED (run cargo xtask test): {name}: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[expect(clippy::disallowed_methods, reason = "how a test run tells its tests where the servers are")]
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// `bytes` random bytes in hexadecimal, for throw-away passwords.
pub(crate) fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    let mut source = std::fs::File::open("/dev/urandom").expect("the random device");
    source.read_exact(&mut buffer).expect("random bytes");
    data_encoding::HEXLOWER.encode(&buffer)
}

/// Mode 0600.
pub(crate) fn only_owner(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("mode 0600");
}
