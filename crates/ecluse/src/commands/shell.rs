//! `ecluse completions SHELL` and `ecluse man DIR`, made from the command tree itself.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use ecluse_core::fault::{Code, Result};

use crate::cli::Cli;
use crate::output;

static PAGES: Code = Code::outside("ECL-CLI-006", "the manual pages could not be written");

pub(crate) fn completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ecluse", &mut script);
    output::raw(&script);
}

pub(crate) fn man(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
        .map_err(|error| PAGES.fault(format!("{}: {}", dir.display(), error.kind())))
}
