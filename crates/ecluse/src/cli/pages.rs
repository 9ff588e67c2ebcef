//! The pages that people read, as options.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use ecluse_core::language::Language;

use super::RunArgs;

/// The language of a page.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Lang {
    /// French.
    Fr,
    /// English.
    En,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Fr => Self::French,
            Lang::En => Self::English,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct OrderArgs {
    /// The instruction; by default the migration folder's.
    #[arg(value_name = "INSTRUCTION", value_hint = ValueHint::FilePath)]
    pub(crate) instruction: Option<PathBuf>,

    /// The page's language.
    #[arg(long, value_enum, default_value = "fr", value_name = "LANGUAGE")]
    pub(crate) lang: Lang,

    /// Where the page is written; by default `order.html` in the migration folder.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PatientsArgs {
    /// The instruction; by default the migration folder's.
    #[arg(value_name = "INSTRUCTION", value_hint = ValueHint::FilePath)]
    pub(crate) instruction: Option<PathBuf>,

    /// The page's language.
    #[arg(long, value_enum, default_value = "fr", value_name = "LANGUAGE")]
    pub(crate) lang: Lang,

    /// Where the page is written; by default `patients.html` in the migration folder.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,

    /// The page's language.
    #[arg(long, value_enum, default_value = "fr", value_name = "LANGUAGE")]
    pub(crate) lang: Lang,

    /// Where the page is written; by default `report.html` in the run folder.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}
