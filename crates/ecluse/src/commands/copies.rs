//! `ecluse copies`: what écluse made, until when it stands, who took it, and what is late.

use ecluse_core::copies::{Copy, Ledger, Standing};
use ecluse_core::count::{number, plural};
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use super::Here;
use crate::cli::CopiesArgs;
use crate::copies::look;
use crate::output;

static OPEN: Code = Code::refused("ECL-CPY-010", "a copy stands beyond its day");
static MISSED: Code = Code::refused("ECL-CPY-011", "the timer that erases copies has stopped");

pub(super) fn run(here: &Here, args: &CopiesArgs) -> Result<()> {
    let ledger = look(&here.folder)?;
    let shown = || ledger.copies.iter().filter(|copy| args.all || copy.ended.is_none());
    for copy in shown() {
        let id = copy.id.get(..8).unwrap_or_default();
        let holder =
            if copy.holder.is_empty() { String::new() } else { format!("   taken by {}", copy.holder) };
        output::line(format!(
            "{id}   {}   {}{holder}   {}",
            copy.store.words(),
            copy.place,
            words(copy, here)
        ));
    }
    if shown().next().is_none() {
        output::line("No copy stands.");
    }
    output::document(&json!({
        "copies": ledger.copies.iter().map(|copy| json!({
            "id": copy.id, "store": copy.store, "place": copy.place, "born": copy.born.to_string(),
            "erase_by": copy.erase_by.to_string(), "holder": copy.holder, "state": word(copy.standing(here.now)),
            "failed": copy.failed, "hold": copy.hold, "ended": copy.ended,
        })).collect::<Vec<_>>(),
        "beat": ledger.beat, "missed": ledger.missed(here.now), "open": ledger.open(here.now).len(),
    }));
    crate::journal::watched::in_order(here)?;
    in_order(&ledger, here)
}

/// That no copy stands beyond its day, and that no timer has stopped.
///
/// # Errors
///
/// [`OPEN`], [`MISSED`]; the ledger's own.
pub(crate) fn on_time(here: &Here) -> Result<()> {
    in_order(&look(&here.folder)?, here)
}

fn in_order(ledger: &Ledger, here: &Here) -> Result<()> {
    let open = ledger.open(here.now);
    if !open.is_empty() {
        let outside = open.iter().any(|copy| copy.standing(here.now) == Standing::Outstanding);
        let help = if outside {
            "ecluse erase; what somebody took is destroyed by them: until they have signed so, the line stays open"
        } else {
            "ecluse erase"
        };
        return Err(OPEN.fault(plural(number(open.len()), "copy", "copies")).help(help));
    }
    match &ledger.beat {
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
        Standing::Due => "due",
        Standing::Outstanding => "outstanding",
        Standing::Held(_) => "held",
        Standing::Ended => "ended",
    }
}
