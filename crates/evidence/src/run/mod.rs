//! What the run left: its figures, what was read back, what was erased, and the events that vouch for them.

mod erased;
mod events;
mod figures;
mod reconciled;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::bench::Bench;
use crate::papers::Chain;
use crate::verdict::Words;

pub(crate) use erased::{ERASURE, RESIDUE};
pub(crate) use events::{EVENTS, Events, Leaf};
pub(crate) use figures::FIGURES;
pub(crate) use reconciled::RECONCILIATION;

/// Counts of the dry runs that were noted in the run folder.
pub(crate) const REHEARSALS: &str = "run/rehearsals.json";

/// When the run's last start began, as its figures say.
pub(crate) fn began(bench: &Bench<'_>) -> Option<Timestamp> {
    figures::read(bench).ok()??.began.parse().ok()
}

/// Rows that were asked for, moved and refused over all tables, as the figures say.
pub(crate) fn sums(bench: &Bench<'_>) -> Option<(u64, u64, u64)> {
    figures::read(bench).ok()??.sums()
}

/// Checks the events first: they vouch for the rest. Gives them back where their chain holds.
pub(crate) fn check(bench: &mut Bench<'_>, chain: &Chain) -> Option<Events> {
    let events = events::check(bench);
    let figures = figures::check(bench, chain, events.as_ref());
    reconciled::check(bench, chain, events.as_ref(), figures.as_ref());
    erased::check(bench, chain, events.as_ref());
    events
}

/// Whether a paper is about the run of the figures here.
pub(crate) fn of_run(bench: &mut Bench<'_>, of: &str, run: &str) {
    let Ok(Some(figures)) = figures::read(bench) else { return };
    let words = Words::new("It is about this run.", "Il porte sur ce transfert.");
    bench.check(of, figures.run == run, words, || format!("run {run}; the figures are of {}", figures.run));
}

/// Reads a file that écluse wrote as JSON.
pub(crate) fn parsed<T: DeserializeOwned>(bench: &Bench<'_>, path: &str) -> Result<Option<T>, String> {
    let Some(bytes) = bench.bytes(path) else { return Ok(None) };
    serde_json::from_slice(bytes)
        .map(Some)
        .map_err(|fault| format!("line {}: not what écluse writes", fault.line()))
}

/// As [`parsed`], and says so where it cannot be read.
fn told<T: DeserializeOwned>(bench: &mut Bench<'_>, path: &str) -> Option<T> {
    match parsed(bench, path) {
        Ok(read) => read,
        Err(finding) => {
            let words = Words::new("It cannot be read.", "Il ne peut être lu.");
            bench.fails(path, words, finding);
            None
        }
    }
}

/// Whether the last event of an act holds the file's digest; then it vouches for the file.
fn attested(bench: &mut Bench<'_>, events: Option<&Events>, (path, act): (&str, &str)) {
    let (Some(events), Some(digest)) = (events, bench.digest(path)) else { return };
    let last = events.paper(act);
    let holds = last == Some(digest.as_str());
    if holds {
        bench.vouch(path);
    }
    let words = Words::new(
        format!("The run’s events hold its digest (last `{act}`)."),
        format!("Les événements du transfert portent son empreinte (dernier `{act}`)."),
    );
    bench.check(path, holds, words, || {
        format!("it is {digest}, the event says {}", last.unwrap_or("nothing"))
    });
}
