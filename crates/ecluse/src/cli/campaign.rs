//! `ecluse campaign …`: many laboratories, each in a folder of its own.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::pages::Lang;

/// The board, or what is done with a campaign.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct CampaignArgs {
    #[command(subcommand)]
    pub(crate) command: Option<Campaign>,

    #[command(flatten)]
    pub(crate) board: BoardArgs,
}

/// The board of all laboratories.
#[derive(Debug, Args)]
pub(crate) struct BoardArgs {
    /// The campaign's folder, with `campaign.toml`; by default the current one.
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) folder: Option<PathBuf>,

    /// Write the board as a page instead.
    #[arg(short, long, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The page's language.
    #[arg(long, value_enum, default_value = "fr", value_name = "LANGUAGE")]
    pub(crate) lang: Lang,
}

/// What is done with a campaign. None of it signs, and none changes a paper that is there.
#[derive(Debug, Subcommand)]
pub(crate) enum Campaign {
    /// Write `campaign.toml` to fill in; where it is there, make each listed folder that is missing.
    #[command(after_help = "Example:\n  ecluse campaign new labbook-2026")]
    New {
        /// The campaign's folder.
        #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
    /// Copy the product's mapping and code tables into each laboratory's folder, and lay its
    /// dictionary over the survey there: once, and never over what a laboratory has.
    #[command(
        after_help = "Example:\n  ecluse campaign inherit labbook-2026\n  ecluse campaign inherit labbook-2026 --only tilleuls"
    )]
    Inherit(OfLaboratories),
    /// In what each laboratory's mapping, code tables and dictionary depart from its product's.
    #[command(
        after_help = "Example:\n  ecluse campaign diff labbook-2026\n  ecluse campaign diff labbook-2026 --only tilleuls"
    )]
    Diff(OfLaboratories),
    /// Run one command in every laboratory's folder that is ready for it. Nothing that signs for a
    /// laboratory runs so: each signs for itself.
    #[command(
        after_help = "Example:\n  ecluse campaign each labbook-2026 -- plan\n  ecluse campaign each labbook-2026 --only tilleuls --only lilas -- freeze"
    )]
    Each(EachArgs),
}

/// Which laboratories.
#[derive(Debug, Args)]
pub(crate) struct OfLaboratories {
    /// The campaign's folder.
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,

    /// Only this laboratory, by its folder's name in campaign.toml (repeatable).
    #[arg(long, value_name = "LABORATORY")]
    pub(crate) only: Vec<String>,
}

/// Which command, where.
#[derive(Debug, Args)]
pub(crate) struct EachArgs {
    #[command(flatten)]
    pub(crate) of: OfLaboratories,

    /// How many laboratories at once.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) at_once: u8,

    /// The command, as it is typed after `ecluse -C FOLDER`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}
