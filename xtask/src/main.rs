//! The house's own tools: `cargo xtask help`.
//!
//! | command | does |
//! |---|---|
//! | [`test`] | private servers, then every test, then nothing left behind |
//! | [`check`] | walls, codes and their pages, failpoints, paths in pages, length of files |
//! | [`walls`] | every wall refuses what is planted behind it |
//! | [`trace`] | which requirements a passed test proves |
//! | [`mutate`] | a guard's test fails when the guard is off |
//! | [`bench`] | ratios against the raw pipe, medians of interleaved pairs |
//! | [`verifier`] | the evidence's check as one page that runs in a browser, offline |
//! | [`servers`] | the private servers alone, until Ctrl-C |
#![expect(clippy::disallowed_methods, reason = "a developer's tool reads its own environment and clock")]

mod args;
mod bench;
mod check;
mod copy;
mod fetched;
mod guards;
mod mutate;
mod packages;
mod servers;
mod sources;
mod test;
mod trace;
mod verifier;
mod walls;

use std::io::Write as _;
use std::process::ExitCode;

/// What a tool gives back: nothing, or a sentence saying what failed.
type Outcome<T = ()> = Result<T, String>;

const HELP: &str = "\
cargo xtask test [--only CRATE]… [--unpacked] [FILTER] [-- HARNESS ARGUMENTS]
    starts private PostgreSQL and MariaDB servers (installing or unpacking Debian's
    packages where missing), runs the tests, stops the servers, leaves nothing behind
cargo xtask servers
    starts the private servers, prints the environment that tests read, waits for Ctrl-C
cargo xtask check
    walls, error codes and their pages, failpoints, paths named in pages, length of files
cargo xtask walls
    plants what each wall must refuse in a copy of the tree: lints, imports, licences; each is refused
cargo xtask trace [--json]
    which requirements are proven by a test that passed in the last `cargo xtask test`
cargo xtask mutate [NAME]… [--package NAME]… [--some N]
    switches the guards of docs/guards.toml off, one by one: their tests must fail;
    of all, of those named, of packages, or N more that the commit draws
cargo xtask bench [--rows N] [--pairs N] [--program FILE] [--json] [--sealed] [--journal] [--peers] [--into-mariadb] [--catch-up] [--staged]
    ratios against the raw pipe, on an invented laboratory of N results (5,000,000);
    the sealed path alone, against COPY | zstd | age and the direct move; the journal alone;
    into MariaDB alone, against its own dump and client; a catch-up alone, against one read to nothing;
    a dump staged beyond 64 MiB, against the same in memory
cargo xtask verifier [-o FILE.html]
    makes verifier.html: `ecluse verify` for a browser, offline (Debian: rustc-web, rust-web-src, lld)
";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = if arguments.is_empty() { "help".to_owned() } else { arguments.remove(0) };
    let outcome = match command.as_str() {
        "test" => test::run(arguments),
        "servers" => servers::run(),
        "trace" => trace::run(arguments),
        "check" => check::run(&arguments),
        "walls" => walls::run(&arguments),
        "mutate" => mutate::run(arguments),
        "bench" => bench::run(arguments),
        "verifier" => verifier::run(&arguments),
        "help" | "--help" | "-h" => {
            say(HELP);
            Ok(())
        }
        other => Err(format!("no tool is called {other}\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line; a closed pipe is no error of ours.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{}", line.trim_end_matches('\n'));
}

/// The repository's root.
fn root() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where cargo builds.
fn target() -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into)
}

/// `cargo`, the one that runs us.
fn cargo() -> std::process::Command {
    let mut command = std::process::Command::new(cargo_path());
    command.current_dir(root());
    command
}

/// Where `cargo` is, the one that runs us: which one built us may be another.
fn cargo_path() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
