//! What the journal's writer under another account is watched for: attempts that it told of, and whether it still
//! looks for what is older than it keeps.

use ecluse_adapters::log::{self, Looked, Remote};
use ecluse_core::count::{number, plural};
use ecluse_core::fault::{Code, Result};
use ecluse_flow::event::{Act, Leaf};

use super::{begun, seen};
use crate::commands::Here;
use crate::folder::Folder;

static ALERT: Code = Code::refused("ECL-LOG-055", "somebody tried what the journal's writer does not take");
static STOPPED: Code = Code::refused("ECL-LOG-056", "the journal's writer has stopped looking");
static EXCHANGED: Code = Code::refused("ECL-LOG-057", "this is not the journal that was joined");

/// How the canonical form of such an entry begins: of all others nothing is read further.
const BEGINS: &[u8] = b"{\"act\":\"alert\",";

/// That the journal is there where one was begun; of one that another account keeps, that no attempt is open, and that
/// its writer looks when it should.
///
/// An attempt is open until a signatory of the laboratory has signed over an entry after it.
///
/// # Errors
///
/// `ECL-LOG-046`; [`ALERT`] with the entries, [`STOPPED`], [`EXCHANGED`]; the journal's.
pub(crate) fn in_order(here: &Here) -> Result<()> {
    begun::stands(&here.folder)?;
    let path = here.journal();
    let Some(remote) = Remote::find(&path)? else { return Ok(()) };
    let log = log::Folder::open(&path)?;
    if log.verifier()? != *remote.key() {
        return Err(EXCHANGED.fault(path.display().to_string()).help(
            "ask the account that keeps the journal; keep the folder as it is and tell the controller",
        ));
    }
    let seen = seen::in_papers(&here.folder, here.now)?;
    let seen = seen.iter().filter(|witness| witness.is_foreign).map(|witness| witness.checkpoint.size).max();
    let open: Vec<String> = alerts(&log)?
        .into_iter()
        .filter(|(index, _)| *index >= seen.unwrap_or_default())
        .map(|(index, leaf)| format!("entry {index} of {} ({})", leaf.time, leaf.outcome))
        .collect();
    if !open.is_empty() {
        let some: Vec<&str> = open.iter().take(5).map(String::as_str).collect();
        let count = plural(number(open.len()), "attempt", "attempts");
        return Err(ALERT.fault(format!("{count}: {}", some.join(", "))).help(
            "find out who it was: ecluse journal tail; it stays open until the laboratory's signatory has signed after it: ecluse instruction status --key FILE",
        ));
    }
    match Looked::read(&path)? {
        Some(looked) if looked.missed(here.now) => Err(STOPPED
            .fault(format!("last on {}", looked.at))
            .help("systemctl status ecluse-journal@…, or ask the account that keeps the journal")),
        _ => Ok(()),
    }
}

/// Where the journal is another account's: where it lies, and what becomes of it. No command of this account's erases it.
///
/// # Errors
///
/// The journal's.
pub(crate) fn kept_elsewhere(here: &Here) -> Result<Option<(String, String)>> {
    let path = here.journal();
    if Remote::find(&path)?.is_none() {
        return Ok(None);
    }
    let place = std::fs::read_link(path.join("checkpoint")).unwrap_or_else(|_| path.clone());
    let place = place.parent().unwrap_or(&place).display().to_string();
    let words = match Looked::read(&path)? {
        Some(Looked { held: Some(why), .. }) => format!("the journal, another account's; held: {why}"),
        Some(looked) => {
            let months = looked.months;
            format!(
                "the journal, another account's; its writer erases what is older than {months} months, last looked on {}",
                looked.at
            )
        }
        None => "the journal, another account's; nobody says when it is erased".to_owned(),
    };
    Ok(Some((place, words)))
}

/// How many attempts a journal of another account's tells of; none of one that cannot be read: whoever needs it says so.
pub(crate) fn attempts(folder: &Folder) -> u64 {
    let path = super::path(folder);
    let read = || {
        Remote::find(&path).ok().flatten()?;
        alerts(&log::Folder::find(&path)?).ok()
    };
    read().map_or(0, |alerts| number(alerts.len()))
}

fn alerts(log: &log::Folder) -> Result<Vec<(u64, Leaf)>> {
    let tree = log.signed()?.checkpoint().clone();
    let mut found = Vec::new();
    log.entries(&tree, log.kept()?.first, |index, entry| {
        let leaf = if entry.starts_with(BEGINS) { Leaf::parse(entry) } else { None };
        found.extend(leaf.filter(|leaf| leaf.act == Act::Alert).map(|leaf| (index, leaf)));
    })?;
    Ok(found)
}
