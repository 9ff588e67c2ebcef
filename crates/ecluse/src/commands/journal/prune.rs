//! `ecluse journal prune`: what is older than the retention is erased, by whole bundles from the front.

use ecluse_adapters::log::{self, Erased, Keep, Writer};
use ecluse_core::fault::{Code, Result};
use ecluse_flow::event::Act;
use ecluse_journal::FULL;
use serde_json::json;

use super::{Here, entries};
use crate::cli::PruneArgs;
use crate::journal::{key, reading};
use crate::{journal, output};

static PERIOD: Code = Code::usage("ECL-LOG-050", "a journal is kept for 6 to 12 months");
static HELD: Code = Code::refused("ECL-LOG-047", "somebody holds the journal");
static NOBODY: Code = Code::refused("ECL-LOG-051", "erasing from the journal is an operator's act");

/// Months for which an entry is kept where nobody said otherwise, the most without a reason.
const YEAR: u32 = 12;

static ELSEWHERE: Code = Code::refused("ECL-LOG-052", "this journal is kept by another account");

pub(super) fn run(here: &Here, args: &PruneArgs) -> Result<()> {
    period(args.months, args.reason.as_deref())?;
    journal::keep(&here.folder)?;
    if let Some(held) = journal::begun::held(&here.folder, here.now)? {
        return Err(HELD.fault(held).help("ecluse copies; ecluse hold ID --release, by whoever approved it"));
    }
    let path = journal::path(&here.folder);
    if log::Remote::find(&path)?.is_some() {
        return Err(ELSEWHERE
            .fault(path.display().to_string())
            .help("its writer erases by itself what is older than it keeps: ecluse journal serve --months"));
    }
    let log = log::Folder::open(&path)?;
    let tree = log.signed()?.checkpoint().clone();
    let reason = args.reason.clone();
    let keep = Keep { months: args.months, reason: reason.clone(), held: None };
    let before = log.due(&tree, keep.until(here.now))?;
    let kept = log.kept()?.first;
    if before <= kept {
        if kept > 0 {
            // a start that died between saying so and doing so
            Writer::open(&path, key::signer(&here.folder)?, log::Readers::Owner)?.erase_left()?;
        }
        output::line(format!(
            "Nothing is due: no whole bundle of {FULL} is older than {} months.",
            args.months
        ));
        return output_of(kept, 0);
    }
    let session = reading::session(here)
        .ok_or_else(|| NOBODY.fault("no session in force").help("ecluse session new --key FILE"))?;
    // noted, and in the journal, before anything goes: what is missing in front is believed on this entry's word
    reading::note(here, &session, Act::JournalErased, &before.to_string())?;
    journal::keep(&here.folder)?;
    let writer = Writer::open(&path, key::signer(&here.folder)?, log::Readers::Owner)?;
    writer.erase(Erased { at: here.now.to_string(), before, months: args.months, reason })?;
    output::line(format!(
        "{} erased from the front; the journal goes on at entry {before}.",
        entries(before - kept)
    ));
    output_of(before, before - kept)
}

/// What a look at what is due erases by itself: entries older than a year, or than the longer time for which a reason was
/// written down when something was erased last. How many; none where somebody holds the journal, or another account keeps it.
///
/// # Errors
///
/// Those of the journal, whose entries are all compared first.
pub(crate) fn over(here: &Here, session: &str) -> Result<u64> {
    let path = journal::path(&here.folder);
    if log::Remote::find(&path)?.is_some() || journal::begun::held(&here.folder, here.now)?.is_some() {
        return Ok(0);
    }
    let Some(log) = log::Folder::find(&path) else { return Ok(0) };
    let tree = log.signed()?.checkpoint().clone();
    let kept = log.kept()?;
    let longer = kept.erased.last().filter(|last| last.months > YEAR);
    let months = longer.map_or(YEAR, |last| last.months);
    let reason = longer.and_then(|last| last.reason.clone());
    let keep = Keep { months, reason: reason.clone(), held: None };
    let before = log.due(&tree, keep.until(here.now))?;
    if before > kept.first {
        reading::note(here, session, Act::JournalErased, &before.to_string())?;
        journal::keep(&here.folder)?;
        let writer = Writer::open(&path, key::signer(&here.folder)?, log::Readers::Owner)?;
        writer.erase(Erased { at: here.now.to_string(), before, months, reason })?;
    } else if kept.first > 0 {
        // a start that died between saying so and doing so
        Writer::open(&path, key::signer(&here.folder)?, log::Readers::Owner)?.erase_left()?;
    }
    Ok(before.saturating_sub(kept.first))
}

fn output_of(first: u64, erased: u64) -> Result<()> {
    output::document(&json!({ "first": first, "erased": erased }));
    Ok(())
}

/// Six to twelve months (CNIL, 2021-122); up to three years with a reason that is written down.
pub(super) fn period(months: u32, reason: Option<&str>) -> Result<()> {
    let is_said = reason.is_some_and(|reason| !reason.trim().is_empty());
    match months {
        6..=12 => Ok(()),
        13..=36 if is_said => Ok(()),
        13..=36 => Err(PERIOD
            .fault(format!("{months} months, and no reason"))
            .help("say why: --reason 'the analysis that …, see …'; it is kept with the journal")),
        _ => Err(PERIOD.fault(format!("{months} months")).help("--months 12")),
    }
}

#[cfg(test)]
mod tests {
    use super::period;

    #[test]
    fn a_year_at_most_without_a_reason_and_half_a_year_at_least() {
        let all = [(5, None), (5, Some("why")), (13, None), (13, Some(" ")), (37, Some("why")), (0, None)];
        assert!(all.into_iter().all(|(months, reason)| period(months, reason).is_err()));
        let all = [(6, None), (12, None), (13, Some("why")), (36, Some("why"))];
        assert!(all.into_iter().all(|(months, reason)| period(months, reason).is_ok()));
    }
}
