//! The script for the controller's administrator, on the command line.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::FromArgs;

/// A name or a host for the printed script: an administrator runs it, and no character of it is to end a
/// comment, a text or a statement there.
fn account(text: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-%:".contains(c);
    if (1..=63).contains(&text.len()) && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("letters, digits and _ . - (a host: % and : too), 63 at most")
    }
}

#[derive(Debug, Args)]
pub(crate) struct GrantsArgs {
    /// The instruction.
    #[arg(value_name = "INSTRUCTION", value_hint = ValueHint::FilePath)]
    pub(crate) instruction: Option<PathBuf>,

    /// The role to make: letters, digits and _ . - (63 at most).
    #[arg(long, value_name = "NAME", value_parser = account)]
    pub(crate) role: Option<String>,

    /// MariaDB: from where its account connects.
    #[arg(long, value_name = "HOST", default_value = "localhost", value_parser = account)]
    pub(crate) host: String,

    /// The mapping.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) mapping: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) from: FromArgs,

    /// The account that erases at the source, in the place of the one that reads.
    #[arg(long)]
    pub(crate) erasing: bool,

    /// The account that reads what is returned to the laboratory (`ecluse return`), and nothing else.
    #[arg(long = "return", conflicts_with = "erasing")]
    pub(crate) back: bool,

    /// Print the removal instead.
    #[arg(long)]
    pub(crate) remove: bool,
}
