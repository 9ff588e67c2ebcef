//! `ecluse`: the command line. The environment, the clock, keys and sockets enter here only.

mod attachments;
mod campaign;
mod chance;
mod clear;
mod cli;
mod clock;
mod commands;
mod connect;
mod connections;
mod copies;
mod demo;
mod evidence;
mod folder;
mod hardening;
mod journal;
mod loading;
mod output;
mod overwrite;
mod pages;
mod papers;
mod procedure;
mod products;
mod progress;
mod proposed;
mod ready;
mod report;
mod screen;
mod staged;
mod steps;
mod trial;

use std::panic;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use ecluse_core::fault::{Code, Fault};

/// A defect in écluse itself. The panic's text is not shown: it may quote a value.
static DEFECT: Code = Code::refused("ECL-CLI-009", "a defect in écluse stopped the command");
/// The command line could not be understood.
static WRONG_USE: Code = Code::usage("ECL-CLI-001", "the command line is not understood");

fn main() -> ExitCode {
    hardening::raise();
    #[cfg(feature = "failpoints")]
    arm_failpoint();
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_use(&error),
    };
    output::choose(cli.json);
    panic::set_hook(Box::new(|_text_may_quote_a_value| {}));
    match panic::catch_unwind(|| commands::run(&cli)) {
        Ok(Ok(())) => {
            output::finish();
            ExitCode::SUCCESS
        }
        Ok(Err(fault)) => failed(&fault),
        Err(_) => failed(
            &DEFECT
                .fault("")
                .help("run the same command again; if it stops again, report the command and this code"),
        ),
    }
}

/// Arms the failpoint that `ECLUSE_FAILPOINT=NAME[:NTH]` names: the process dies when it is
/// passed for the nth time. `ECLUSE_CHUNK_ROWS=N` makes chunks of at most N rows, `ECLUSE_CLOCK_AHEAD=N` sets the clock
/// N seconds ahead. `ECLUSE_PASSED=FILE` has the name of each failpoint that is passed at the end of that file, which is
/// there already.
#[cfg(feature = "failpoints")]
#[expect(clippy::disallowed_methods, reason = "how a test says where the process dies; not in a release")]
fn arm_failpoint() {
    if let Some(rows) = std::env::var("ECLUSE_CHUNK_ROWS").ok().and_then(|rows| rows.parse().ok()) {
        ecluse_flow::failpoint::cut_at(rows);
    }
    if let Some(ahead) = std::env::var("ECLUSE_CLOCK_AHEAD").ok().and_then(|seconds| seconds.parse().ok()) {
        clock::ahead::set(ahead);
    }
    let passed = std::env::var("ECLUSE_PASSED").ok();
    if let Some(file) = passed.and_then(|path| std::fs::File::options().append(true).open(path).ok()) {
        ecluse_flow::failpoint::tell(move |name| {
            use std::io::Write as _;
            // in one piece: threads pass failpoints side by side
            let line = format!("{name}\n");
            let _a_line_that_is_missing_fails_the_test = (&file).write_all(line.as_bytes());
        });
    }
    if let Ok(wish) = std::env::var("ECLUSE_FAILPOINT") {
        let (name, nth) = wish.rsplit_once(':').unwrap_or((&wish, "1"));
        ecluse_flow::failpoint::arm(name, nth.parse().unwrap_or(1));
    }
}

fn failed(fault: &Fault) -> ExitCode {
    output::failure(fault);
    output::finish();
    ExitCode::from(fault.code().exit.status())
}

/// Help and version are answers; everything else is wrong use, with what clap advises above
/// the coded last line.
#[expect(clippy::disallowed_methods, reason = "what was typed enters here, where clap could not read it")]
fn wrong_use(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    // the line was not understood as a whole; whether JSON was asked for is plain all the same
    output::choose(std::env::args_os().take_while(|a| a != "--").any(|a| a == "--json"));
    // the kind alone: clap's own words repeat what was typed
    let kind = error.kind().as_str().unwrap_or_default();
    let is_folder =
        std::env::args_os().skip(1).last().is_some_and(|last| std::path::Path::new(&last).is_dir());
    let help = match error.kind() {
        ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument if is_folder => {
            "a migration's folder is named before the command: ecluse -C DIR COMMAND"
        }
        _ => "ecluse --help",
    };
    failed(&WRONG_USE.fault(kind).help(help))
}
