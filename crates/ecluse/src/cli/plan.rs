//! What `ecluse plan` takes.

use clap::Args;

use super::PaperArgs;

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) papers: PaperArgs,

    /// Print the statements that make the destination's missing tables.
    #[arg(long)]
    pub(crate) ddl: bool,

    /// Print the exact statements the source will be asked.
    #[arg(long)]
    pub(crate) statements: bool,

    /// List the columns that stay.
    #[arg(long)]
    pub(crate) stays: bool,
}
