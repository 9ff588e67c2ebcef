//! What the demonstration types: a command as a user types it in the demonstration's folder, parsed and done by the
//! program's own command line. It is shown first; its own words are left out, the story has a line for them.

use clap::Parser as _;
use ecluse_core::fault::Result;

use super::UNLIKELY;
use crate::cli::Cli;
use crate::{commands, output};

/// Shows a command and does it.
///
/// # Errors
///
/// The command's own.
pub(super) fn typed(line: &str) -> Result<()> {
    output::line(format!("  $ {line}"));
    let cli = Cli::try_parse_from(line.split_whitespace()).map_err(|_| UNLIKELY.fault(line.to_owned()))?;
    output::muted(|| commands::run(&cli))
}
