//! `ecluse dictionary …`: what is known of a product before one of its databases is seen.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// What is done with a product's dictionary.
#[derive(Debug, Subcommand)]
pub(crate) enum ProductDictionary {
    /// Which come with this version, and how each fits the survey here.
    #[command(after_help = "Example:\n  ecluse dictionary list")]
    List,
    /// Print one: its tables and columns with their classes.
    #[command(after_help = "Example:\n  ecluse dictionary show openelis-3.5")]
    Show {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Write its classes, labels and relations into the surveyed dictionary.
    #[command(
        after_help = "Example:\n  ecluse dictionary use openelis-3.5\n  ecluse dictionary use ours-2.1.toml --agreeing"
    )]
    Use(UseArgs),
    /// Make one of the surveyed tables that you classified, to use again or to contribute.
    #[command(
        after_help = "Example:\n  ecluse dictionary new kalys --title Kalys --release 7.2 --table patient --table result > kalys-7.2.toml"
    )]
    New(NewArgs),
}

/// Which one, and what becomes of differences.
#[derive(Debug, Args)]
pub(crate) struct UseArgs {
    /// Its name, or the path of a file ending in .toml.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Where this is another version: take what agrees. What the product's dictionary does not know
    /// moves with a reason of its own or not at all, until you classify it.
    #[arg(long)]
    pub(crate) agreeing: bool,

    /// The surveyed dictionary; by default the migration folder's.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) dictionary: Option<PathBuf>,
}

/// What it is of.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The product in one word.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The product as people call it.
    #[arg(long, value_name = "WORDS")]
    pub(crate) title: String,

    /// The product's version.
    #[arg(long, value_name = "VERSION")]
    pub(crate) release: String,

    /// A table that you read and classified (repeatable).
    #[arg(long = "table", value_name = "NAME", required = true)]
    pub(crate) tables: Vec<String>,

    /// The surveyed dictionary; by default the migration folder's.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) dictionary: Option<PathBuf>,
}
