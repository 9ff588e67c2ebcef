//! `ecluse freeze`: the old software is stopped, on the operator's word; the hour and the engine's marks.

use ecluse_adapters::folder::RunFolder;
use ecluse_core::fault::Result;
use ecluse_core::language::Language;
use ecluse_flow::freeze::freeze;
use serde_json::json;

use super::Here;
use super::begun::begun;
use crate::cli::BegunArgs;
use crate::output;
use crate::ready::{self, Ends, Missing, Ready};

pub(super) fn run(here: &Here, args: &BegunArgs) -> Result<()> {
    let run = here.folder.path(args.run.dir.as_deref(), "run");
    begun(&run)?;
    let papers = args.papers();
    let (ready, mut ends) = Ready::prepare(here, &papers, Missing::Refuse)?;
    let mut record = RunFolder::existing(&run, &here.journal())?;
    ready.swept(&mut record)?;
    let Ends { source, .. } = &mut ends;
    let done = ready.with_orders(|orders| freeze(&orders, source.as_mut(), &mut record, ready::world()))?;
    let since = Language::English.hour_of(&done.frozen.at);
    output::line(format!("Frozen since {since}, on the word of {}.", ready.session.operator()));
    for guard in &done.guards {
        output::line(format!("  {guard}"));
    }
    if done.guards.is_empty() {
        output::line("  nothing at the server keeps anybody from writing: it hangs on your word");
    }
    if !done.untold.is_empty() {
        output::line(format!(
            "  the engine does not tell this account whether these are written to: {}",
            done.untold.join(", ")
        ));
    }
    output::line("Catch up for the last time:  ecluse migrate --catch-up");
    output::document(&json!({ "frozen": done.frozen.at, "guards": done.guards, "untold": done.untold }));
    Ok(())
}
