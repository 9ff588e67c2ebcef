//! The cut-over: the source frozen, the last catch-up, and what the laboratory accepts in the end.

use ecluse_adapters::folder::{Undo, figures, frozen, undo};
use ecluse_adapters::url::Url;
use ecluse_core::fault::Result;
use ecluse_core::language::Language;
use ecluse_seal::CatchUp;
use jiff::Timestamp;

use super::{At, Found, YOU, missing, refused};
use crate::connect;
use crate::connections::{self, End};
use crate::papers::ending::closed;
use crate::papers::{acceptance, quietly};
use crate::report::discreet::Discreet;

/// The freeze, and the catch-up after it; `None` where nothing lives on that could be frozen: in a
/// trial, and where the source is a dump or a folder of files.
pub(super) fn cut_over(at: At<'_>) -> Option<[Found; 2]> {
    let url = connections::written(at.folder, End::Source).ok().flatten();
    let url = url.and_then(|url| connect::parse(&url).ok());
    if at.trial || matches!(url, Some(Url::Dump(_) | Url::Csv(_))) {
        return None;
    }
    let run = at.folder.path(None, "run");
    let read = || -> Result<_> { Ok((frozen(&run)?, figures(&run)?, undo(&run)?)) };
    Some(match read() {
        // what was frozen and caught up was the run's that is gone
        Ok((.., Undo::Begun | Undo::Ended(_))) => [Found::Later(String::new()), Found::Later(String::new())],
        Ok((Some(since), figures, _)) => {
            // the freeze that this catch-up found is the last one
            let after = |one: &&CatchUp| moment(&one.frozen) >= moment(&since) && !one.frozen.is_empty();
            let last = figures.as_ref().and_then(|f| Some((f.catch_ups.iter().rfind(after)?, f)));
            let last = last.map(|(one, f)| (one, Discreet::read(&run, f)));
            let words = at.lang.of("the source stands still since", "la source est arrêtée depuis");
            [Found::Done(format!("{words} {}", at.lang.hour_of(&since))), catch_up(at, last)]
        }
        // a migration that ended with the source alive: nothing is caught up with any more
        Ok((None, ..)) if closed(&run).is_some() => return None,
        // nor after it was accepted so: what another start took over would have to be accepted anew
        Ok((None, ..)) if quietly(|| acceptance::verified(at.folder, &run, at.now)).is_ok() => return None,
        Ok((None, ..)) => [not_frozen(at.lang), Found::Later(String::new())],
        Err(fault) => [refused(at, &fault, YOU, "ecluse status"), Found::Later(String::new())],
    })
}

fn not_frozen(lang: Language) -> Found {
    missing(
        lang.of("the source lives on", "la source vit encore"),
        YOU,
        &[
            "Until the day, the same command takes over what changed since:  ecluse migrate",
            "On the day: stop the old software, then keep the hour:          ecluse freeze",
        ],
    )
}

/// The last catch-up that found the source frozen.
fn catch_up(at: At<'_>, last: Option<(&CatchUp, Discreet)>) -> Found {
    let lang = at.lang;
    let again = &["Catch up for the last time:  ecluse migrate --catch-up"];
    match last {
        None => missing(lang.of("not done yet", "pas encore fait"), YOU, again),
        Some((one, _)) if one.ended.is_empty() => {
            missing(lang.of("begun, not through", "commencé, pas au bout"), YOU, again)
        }
        Some((one, _)) if one.held == "moved" => missing(
            lang.of("the source was written to since", "la source a été modifiée depuis"),
            YOU,
            &["Find who writes there and stop it; then:  ecluse freeze;  ecluse migrate --catch-up"],
        )
        .coded(Some("ECL-RUN-054")),
        Some((one, told)) => {
            let [added, changed, deleted] = told.changes(one.rows()).map(|n| n.told(lang));
            Found::Done(lang.of(
                format!("{added} added, {changed} changed, {deleted} deleted"),
                format!("{added} ajoutées, {changed} modifiées, {deleted} supprimées"),
            ))
        }
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
