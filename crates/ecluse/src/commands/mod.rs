//! One file per step of the chain; this one only says who does what.

mod explain;
mod shell;

use ecluse_core::fault::{Code, Result};

use crate::cli::{Cli, Command};

/// A step this build does not have yet.
static ABSENT: Code = Code::refused("ECL-CLI-007", "this command is not there yet");

/// Does what the command line says.
///
/// # Errors
///
/// The step's own faults.
pub(crate) fn run(cli: &Cli) -> Result<()> {
    match &cli.command {
        Command::Explain(args) => explain::run(args),
        Command::Completions { shell } => {
            shell::completions(*shell);
            Ok(())
        }
        Command::Man { dir } => shell::man(dir),
        _ => Err(ABSENT.fault("")),
    }
}
