//! `ecluse completions SHELL` and `ecluse man DIR`, made from the command tree itself.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use crate::cli::Cli;
use crate::output;

static PAGES: Code = Code::outside("ECL-CLI-006", "the manual pages could not be written");

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
