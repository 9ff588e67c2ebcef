//! Many laboratories on one board: forty of LabBook's schema moved as a campaign, and what the board,
//! the inheritance and `each` refuse.
#![cfg(test)]

mod board;
mod forty;
mod labbook;
mod laboratories;

use std::path::Path;
use std::process::{Command, Output};

/// The program in a folder.
fn ecluse(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecluse")).current_dir(folder).args(arguments).output().unwrap()
}

/// Both streams of it, ended with this code.
#[track_caller]
fn ends(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = ecluse(folder, arguments);
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "ecluse {}: {said}", arguments.join(" "));
    said
}

/// The board as a document, whatever its exit code.
fn board(folder: &Path) -> serde_json::Value {
    let output = ecluse(folder, &["--json", "campaign"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// A laboratory's line.
fn line(board: &serde_json::Value, folder: &str) -> serde_json::Value {
    let lines = board["laboratories"].as_array().unwrap();
    lines.iter().find(|line| line["folder"] == folder).unwrap_or_else(|| panic!("{board:#}")).clone()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program reads the machine's clock, so its papers must be of today"
)]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
