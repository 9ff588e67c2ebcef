//! What `ecluse migrate` takes: the papers, and which kind of start it is.

use clap::{Args, value_parser};
use ecluse_flow::sample::MOST;
use ecluse_flow::start::Start;

use super::PaperArgs;

/// What a migration takes.
#[derive(Debug, Default, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) papers: PaperArgs,

    /// Make the destination's missing tables first, as `ecluse plan --ddl` prints them.
    #[arg(long)]
    pub(crate) ddl: bool,

    #[command(flatten)]
    pub(crate) start: StartArgs,
}

/// The kind of start: without one of these flags everything moves, goes on or is caught up with. Two of
/// them together mean nothing.
#[derive(Clone, Copy, Debug, Default, Args)]
#[group(multiple = false)]
pub(crate) struct StartArgs {
    /// Move the reference data alone: what the order marks `reference = true`, accepted before the rest moves.
    #[arg(long)]
    reference: bool,

    /// Catch up for the last time: the source was frozen (ecluse freeze), and is looked at again at the end.
    #[arg(long)]
    catch_up: bool,

    /// Put chunks right that were changed at the destination since they were written.
    #[arg(long)]
    repair: bool,

    /// Rehearse: move N whole dossiers only, drawn by chance, at least one of each kind that the order
    /// names; then say how long the whole would take. The whole run comes in their place.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=MOST))]
    sample: Option<u64>,
}

impl StartArgs {
    /// The kind that the flags name; at most one of them is given.
    pub(crate) fn kind(self) -> Start {
        match self {
            Self { sample: Some(asked), .. } => Start::Sample(asked),
            Self { reference: true, .. } => Start::Reference,
            Self { catch_up: true, .. } => Start::CatchUp,
            Self { repair: true, .. } => Start::Repair,
            _ => Start::Whole,
        }
    }

    /// The command that gives such a start.
    pub(crate) fn command(self) -> String {
        let flag = match self.kind() {
            Start::Whole => String::new(),
            Start::Repair => " --repair".to_owned(),
            Start::CatchUp => " --catch-up".to_owned(),
            Start::Reference => " --reference".to_owned(),
            Start::Sample(asked) => format!(" --sample {asked}"),
        };
        format!("ecluse migrate{flag}")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use clap::error::ErrorKind;

    use super::*;
    use crate::cli::{Cli, Command};

    fn given(flags: &[&str]) -> Result<StartArgs, ErrorKind> {
        let line = [&["ecluse", "migrate"], flags].concat();
        let Command::Migrate(args) = Cli::try_parse_from(line).map_err(|error| error.kind())?.command else {
            panic!("another command");
        };
        Ok(args.start)
    }

    #[test]
    fn each_flag_is_one_kind_of_start_and_no_two_go_together() {
        let flags: [&[&str]; 4] = [&["--reference"], &["--catch-up"], &["--repair"], &["--sample", "7"]];
        let kinds = [Start::Reference, Start::CatchUp, Start::Repair, Start::Sample(7)];
        assert_eq!(given(&[]).unwrap().kind(), Start::Whole);
        for (one, (flag, start)) in flags.iter().zip(kinds).enumerate() {
            let args = given(flag).unwrap();
            assert_eq!(args.kind(), start);
            assert_eq!(args.command(), [&["ecluse", "migrate"], *flag].concat().join(" "));
            for other in flags.iter().skip(one + 1) {
                let both = [*flag, *other].concat();
                assert_eq!(given(&both).unwrap_err(), ErrorKind::ArgumentConflict, "{both:?}");
            }
        }
    }
}
