//! `ecluse instruction exclude` on the command line.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// What a list of persons who stay is made of.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  ecluse instruction exclude --to age1…             type one person per line, then Ctrl-D\n  ecluse instruction exclude opposition.txt --erase"
)]
pub(crate) struct ExcludeArgs {
    /// A file with one person per line: the key of the person's row, its columns split by a tab; by
    /// default standard input.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) list: Option<PathBuf>,

    /// The table in which each of them is a row; by default the dictionary's table of patients.
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,

    /// An operator's age recipient (repeatable); by default that of the session in the folder.
    #[arg(long, value_name = "age1…")]
    pub(crate) to: Vec<String>,

    /// Overwrite and remove FILE once the list is sealed: it holds the persons in clear.
    #[arg(long, requires = "list")]
    pub(crate) erase: bool,

    /// Where the sealed list is written; by default `excluded.age` in the migration folder, where a run
    /// looks for it.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}
