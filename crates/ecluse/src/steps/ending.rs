//! The end of the chain: accepted, erased, certified, closed.

use ecluse_core::acceptance::FILE;
use ecluse_core::language::Language;

use super::{At, Found, LAB, YOU, missing, refused};
use crate::papers::acceptance::verified;
use crate::papers::{Paper, quietly};

/// The steps, from the first on that may be looked at now.
pub(super) fn steps(at: At<'_>) -> Vec<(&'static str, Found)> {
    acceptance(at).map(|found| ("acceptance", found)).into_iter().collect()
}

/// The laboratory's own last word. Until somebody proposes it nothing waits for it; a trial needs none.
fn acceptance(at: At<'_>) -> Option<Found> {
    let At { folder, trial, lang, now } = at;
    if !folder.has(FILE) {
        let words = lang.of(
            "the laboratory's own, ecluse accept propose; until then ecluse undo takes the run back",
            "au laboratoire, ecluse accept propose ; jusque-là ecluse undo reprend le passage",
        );
        return (!trial).then(|| Found::Later(words.to_owned()));
    }
    let unsigned = Paper::read(&folder.path(None, FILE), "").is_ok_and(|paper| paper.signatures.is_empty());
    if unsigned {
        let words = lang.of("proposed, not signed", "proposé, non signé");
        return Some(missing(
            words,
            LAB,
            &[
                "What it says:  ecluse accept show",
                "The controller's signatories accept, or not:  ecluse accept sign --key FILE",
            ],
        ));
    }
    Some(match quietly(|| verified(folder, &folder.path(None, "run"), now)) {
        Ok(accepted) => {
            let by: Vec<String> = accepted.signers().iter().map(|signer| signer.told(lang)).collect();
            let by = lang.listed(&by);
            Found::Done(match lang {
                Language::English => format!("accepted by {by}"),
                Language::French => format!("accepté par {by}"),
            })
        }
        Err(fault) => refused(at, &fault, YOU, "ecluse accept verify"),
    })
}
