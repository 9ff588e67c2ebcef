//! The program as people use it: the demonstration, the command line, a trial.
#![cfg(test)]

mod accept;
mod adopt;
mod attached;
mod attempts;
mod bound;
mod canaries;
mod carried;
mod choices;
mod closed;
mod coded;
mod colossal;
mod commands;
mod compare;
mod corpus;
mod defaults;
mod demo;
mod differences;
mod drafted;
mod encodings;
mod erased;
mod erased_servers;
mod evidence;
mod excluded;
mod extracts;
mod figures;
mod full;
mod gone;
mod gone_on;
mod identifiers;
mod journal;
mod judged;
mod large;
mod leaving;
mod ledger;
mod load;
mod load_faults;
mod loaded;
mod made;
mod many;
mod noted;
mod odd;
mod orphans;
mod parted;
mod passed_on;
mod pipes;
mod plainly;
mod plan;
mod procedure;
mod received_first;
mod recipient;
mod reference;
mod rehearsed;
mod rejected;
mod results;
mod returned;
mod returned_servers;
mod roomed;
mod sample;
mod schemas;
mod sealed;
mod sealed_chain;
mod sealed_servers;
mod served;
mod singles;
mod slips;
mod stopped;
mod taken;
mod theirs;
mod trial;
mod vouched;
mod walls;
mod witnesses;

use std::path::Path;
use std::process::{Command, Output};

/// The program under test.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_ecluse"))
}

/// The moment at which papers are made.
#[expect(clippy::disallowed_methods, reason = "the program that is tried has its own clock")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Runs it in a folder.
fn ecluse(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(program()).current_dir(folder).args(arguments).output().expect("the program starts")
}

/// Runs it; anything but success is a panic with its words.
fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = ecluse(folder, arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ecluse {}: {}\n{said}{complained}", arguments.join(" "), output.status);
    said
}
