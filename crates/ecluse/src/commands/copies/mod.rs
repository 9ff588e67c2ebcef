//! `ecluse copies`: what écluse made, until when it stands, who took it, and what is late.
//!
//! | file | holds |
//! |---|---|
//! | `mod.rs` | the list |
//! | `taken.rs` | that somebody took a copy out of our reach |
//! | `state.rs` | that it was destroyed: the statement, its signature, the end of its line |
//! | `source.rs` | whether the source was erased when the order says |

pub(crate) mod source;
mod state;
mod taken;

use ecluse_core::copies::{Copy, Ledger, Standing};
use ecluse_core::count::{number, plural};
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use super::Here;
use crate::cli::{CopiesArgs, CopiesStep};
use crate::copies::look;
use crate::output;
use crate::papers::destruction::{self, Outside};
use crate::papers::ending::Stood;
use crate::screen::harmless;

static OPEN: Code = Code::refused("ECL-CPY-010", "a copy stands beyond its day");
static MISSED: Code = Code::refused("ECL-CPY-011", "the timer that erases copies has stopped");

pub(super) fn run(here: &Here, args: &CopiesArgs) -> Result<()> {
    match &args.step {
        None => list(here, args),
        Some(CopiesStep::Taken(args)) => taken::run(here, args),
        Some(CopiesStep::State(args)) => state::run(here, args),
        Some(CopiesStep::Sign(args)) => state::signed(here, args),
        Some(CopiesStep::Verify) => state::verify(here),
    }
}

fn list(here: &Here, args: &CopiesArgs) -> Result<()> {
    let ledger = look(&here.folder)?;
    let shown = || ledger.copies.iter().filter(|copy| args.all || copy.ended.is_none());
    for copy in shown() {
        output::line(line(copy, here));
    }
    if shown().next().is_none() {
        output::line("No copy stands.");
    }
    unwatched(&ledger);
    output::document(&json!({
        "copies": ledger.copies.iter().map(|copy| json!({
            "id": copy.id, "store": copy.store, "place": copy.place, "born": copy.born.to_string(),
            "erase_by": copy.erase_by.to_string(), "taken": copy.taken, "state": word(copy.standing(here.now)),
            "failed": copy.failed, "hold": copy.hold, "ended": copy.ended,
        })).collect::<Vec<_>>(),
        "beat": ledger.beat, "missed": ledger.missed(here.now), "open": ledger.open(here.now).len(),
        "outstanding": outstanding(&ledger).count(),
    }));
    crate::journal::watched::in_order(here)?;
    in_order(&ledger, here)
}

/// One line of the ledger.
fn line(copy: &Copy, here: &Here) -> String {
    let id = copy.short();
    let holder = copy.taken.as_ref().map(|taken| format!("   taken by {}", taken.holder)).unwrap_or_default();
    // one that an earlier écluse entered, or a person on the way: one line each, whatever it holds
    let place = harmless(&copy.place);
    format!("{id}   {}   {place}{holder}   {}", copy.store.words(), words(copy, here))
}

/// Copies that somebody took and that nobody has stated to be destroyed.
fn outstanding(ledger: &Ledger) -> impl Iterator<Item = &Copy> {
    ledger.outside().map(|(copy, _)| copy).filter(|copy| copy.ended.is_none())
}

/// Names the copies that somebody took and that nobody has stated to be destroyed, and counts them; and says where no
/// timer ever looked.
///
/// # Errors
///
/// The ledger's own.
pub(crate) fn outside(here: &Here) -> Result<usize> {
    let ledger = look(&here.folder)?;
    let open: Vec<&Copy> = outstanding(&ledger).collect();
    for copy in &open {
        output::line(format!("copy out of reach   {}", line(copy, here)));
    }
    unwatched(&ledger);
    Ok(open.len())
}

/// Says so where something stands that goes on a day, and no timer has ever looked here.
fn unwatched(ledger: &Ledger) {
    if ledger.beat.is_none() && ledger.copies.iter().any(|copy| copy.ended.is_none()) {
        output::line("no timer erases what is due: ecluse erase --watch, or packaging/systemd");
    }
}

/// That no copy stands beyond its day, that each statement of destruction is the one that was taken in, that the source
/// was erased when the order says, and that no timer has stopped.
///
/// # Errors
///
/// [`OPEN`], [`MISSED`]; what is wrong with a statement; as [`source::on_time`]; the ledger's own.
pub(crate) fn on_time(here: &Here) -> Result<()> {
    in_order(&look(&here.folder)?, here)
}

fn in_order(ledger: &Ledger, here: &Here) -> Result<()> {
    let open = ledger.open(here.now);
    if !open.is_empty() {
        let outside = open.iter().any(|copy| copy.standing(here.now) == Standing::Outstanding);
        let help = if outside {
            "ecluse erase; what somebody took is destroyed by them, who sign that it is: ecluse copies state ID"
        } else {
            "ecluse erase"
        };
        return Err(OPEN.fault(plural(number(open.len()), "copy", "copies")).help(help));
    }
    let bent = destruction::of(ledger, &here.folder, here.now).into_iter().find_map(|one| match one {
        Outside { copy, stood: Stood::Refused(fault) } if copy.ended.is_some() => Some(fault),
        _ => None,
    });
    if let Some(fault) = bent {
        return Err(*fault);
    }
    source::on_time(here, ledger)?;
    match &ledger.beat {
        Some(beat) if beat.at > here.now && ledger.missed(here.now) => Err(MISSED
            .fault(format!("it looked by a clock that showed {}", beat.at))
            .help("put the clock right; the timer's next look tells of it no more, nor does: ecluse erase")),
        Some(beat) if ledger.missed(here.now) => Err(MISSED
            .fault(format!("last looked on {}, every {} hours", beat.at, beat.hours))
            .help("systemctl status ecluse-erase@….timer, or start again: ecluse erase --watch")),
        _ => Ok(()),
    }
}

fn words(copy: &Copy, here: &Here) -> String {
    let failed = copy.failed.as_ref().map_or(String::new(), |failed| {
        format!(
            "; {} of {} failed ({})",
            plural(failed.times, "erasure", "erasures"),
            failed.last,
            failed.code
        )
    });
    match copy.standing(here.now) {
        Standing::Live => format!("until {}{failed}", copy.erase_by),
        Standing::Taken => {
            format!("open until it is stated that it was destroyed, by {}", copy.erase_by)
        }
        Standing::Due => format!("DUE since {}{failed}", copy.erase_by),
        Standing::Outstanding => {
            format!("OUTSTANDING since {}: no statement that it was destroyed", copy.erase_by)
        }
        Standing::Held(until) => {
            let hold = copy.hold.as_ref();
            let (why, who) = hold.map_or(("", ""), |hold| (hold.reason.as_str(), hold.approver.as_str()));
            format!("held until {until}: {why} ({who})")
        }
        Standing::Ended => {
            copy.ended.as_ref().map_or(String::new(), |e| format!("gone on {}: {}", e.at, e.how))
        }
    }
}

const fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Live => "live",
        Standing::Taken => "taken",
        Standing::Due => "due",
        Standing::Outstanding => "outstanding",
        Standing::Held(_) => "held",
        Standing::Ended => "ended",
    }
}
