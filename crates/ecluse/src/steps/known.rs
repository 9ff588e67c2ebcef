//! The list of persons who exist at the destination already: it waits for the laboratory's eyes.

use ecluse_adapters::folder::{Undo, figures, undo};
use ecluse_core::language::Language;

use super::{At, Found, LAB, missing, refused};
use crate::commands::known::looked_at;
use crate::report::figure::alone;

/// How the list stands; `None` where no run has made one, or nobody is on it. Where something else is waited
/// for (`waiting`), it is told all the same: it can be looked at meanwhile.
pub(super) fn known(at: At<'_>, waiting: bool) -> Option<Found> {
    let run = at.folder.path(None, "run");
    let look = || {
        let Some(figures) = figures(&run)?.filter(|figures| figures.whole) else { return Ok(None) };
        if undo(&run)? != Undo::Never {
            return Ok(None);
        }
        let persons = figures.known.as_ref().map_or(0, |known| known.persons);
        Ok(looked_at(&run, &figures)?.map(|looked| (persons, looked)))
    };
    let (persons, looked) = match look() {
        Ok(found) => found?,
        Err(fault) => return Some(refused(at, &fault, LAB, "ecluse status")),
    };
    // the sheet is handed on, and that somebody is another's patient too is delicate whatever the table
    let of = at.lang;
    let who = alone(persons, true).of(of, of.of("person", "personne"), of.of("persons", "personnes"));
    let words = match at.lang {
        Language::English => format!("{who} may exist at the destination already"),
        Language::French => format!("{who} peut-être déjà connues à la destination"),
    };
    Some(if looked {
        Found::Done(format!("{words}{}", at.lang.of(", the list was looked at", ", la liste a été regardée")))
    } else if waiting {
        let look = at.lang.of("for the laboratory to look at", "à regarder par le laboratoire");
        Found::Later(format!("{words}, {look}: ecluse known"))
    } else {
        missing(
            words,
            LAB,
            &["Nothing was merged. On a terminal of the laboratory, who they are:  ecluse known --reveal"],
        )
    })
}
