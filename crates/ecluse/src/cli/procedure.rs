//! The dated sheet.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ecluse procedure\n  ecluse procedure -o procedure.html --lang fr")]
pub(crate) struct ProcedureArgs {
    /// Where a page that prints on A4 is written; without it the sheet is told here.
    #[arg(short, long, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The page's language.
    #[arg(long, value_enum, default_value_t = Language::En)]
    pub(crate) lang: Language,
}

/// What people read is French or English.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    En,
    Fr,
}
