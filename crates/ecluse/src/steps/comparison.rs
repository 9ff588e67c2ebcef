//! The laboratory's own look: drawn dossiers, old beside new.

use ecluse_adapters::folder::figures;
use ecluse_core::instruction;

use super::{At, Found, LAB, missing, refused};
use crate::folder;
use crate::papers::{compared, quietly};
use crate::report::discreet::Discreet;

const AGAIN: &str =
    "On a terminal of the laboratory, by the person who signs:  ecluse compare --as 'First Last'";

/// How the comparison stands; `None` where the order does not say what a dossier is. Until somebody looks it
/// is offered and nothing waits for it; once begun it is waited for.
pub(super) fn comparison(at: At<'_>) -> Option<Found> {
    let text = folder::read(&at.folder.path(None, instruction::FILE), "").ok()?;
    instruction::parse(std::str::from_utf8(&text).ok()?).ok()?.dossier?;
    let run = at.folder.path(None, "run");
    let mut hides = true;
    let looked = quietly(|| match figures(&run)? {
        Some(known) => {
            let looked = compared::of(at.folder, &run, &known, at.now)?;
            let discreet = Discreet::read(&run, &known);
            hides = looked.as_ref().is_none_or(|looked| discreet.hides(&looked.comparison.table));
            Ok(looked)
        }
        None => Ok(None),
    });
    Some(match looked {
        Err(fault) => refused(at, &fault, LAB, "ecluse compare verify"),
        Ok(None) => {
            let words = "the laboratory's own: ecluse compare shows drawn dossiers, old beside new";
            let french = "au laboratoire : ecluse compare montre des dossiers tirés, ancien et nouveau";
            Found::Later(at.lang.of(words, french).to_owned())
        }
        Ok(Some(looked)) if looked.holds() => Found::Done(looked.words(at.lang, hides)),
        Ok(Some(looked)) => {
            let crossed = !looked.comparison.crossed().is_empty();
            let sign = "Who looked signs:  ecluse compare sign --key FILE";
            let mend = "What is crossed is put right, or explained; then the same person looks again:  ecluse compare";
            let advice = if crossed { [mend, sign] } else { [AGAIN, sign] };
            missing(looked.words(at.lang, hides), LAB, &advice)
        }
    })
}
