//! `ecluse help COMMAND`, `ecluse completions SHELL` and `ecluse man DIR`, made from the command tree itself.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use crate::cli::Cli;
use crate::output;

static PAGES: Code = Code::outside("ECL-CLI-006", "the manual pages could not be written");

static NO_COMMAND: Code = Code::usage("ECL-CLI-034", "no such command");

/// The help of a command, of the whole program where none is named.
///
/// # Errors
///
/// [`NO_COMMAND`].
pub(crate) fn help(names: &[String]) -> Result<()> {
    let mut command = Cli::command();
    command.build();
    for name in names {
        let found = command.find_subcommand(name).cloned();
        command = found.ok_or_else(|| NO_COMMAND.fault("").help("ecluse --help lists them"))?;
    }
    let help = command.render_long_help().to_string();
    output::line(help.trim_end());
    output::document(&json!({ "command": names, "help": help }));
    Ok(())
}

pub(crate) fn completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ecluse", &mut script);
    let script = String::from_utf8_lossy(&script);
    output::line(script.trim_end());
    output::document(&json!({ "shell": shell.to_string(), "script": script }));
}

pub(crate) fn man(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
        .map_err(|error| PAGES.fault(format!("{}: {}", dir.display(), error.kind())))?;
    output::line(format!("{}: written, one page a command.", dir.display()));
    output::document(&json!({ "made": dir }));
    Ok(())
}
