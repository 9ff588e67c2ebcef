//! An order to a recipient: the archive handed over, and the receipt that comes back.

use ecluse_adapters::folder::figures;
use ecluse_core::copies::Store;
use ecluse_core::receipt::FILE;

use super::{At, Found, LAB, YOU, missing, refused, run};
use crate::copies;
use crate::papers::acceptance::found;
use crate::papers::{quietly, sealed};

const THEM: Option<&str> = Some("the recipient");

/// Whether the folder's order, signed or not, goes to a recipient.
pub(super) fn is_sealed(at: At<'_>) -> bool {
    quietly(|| sealed::is_ordered(at.folder)).unwrap_or_default()
}

/// What such an order asks for in the place of a run and its reconciliation.
pub(super) fn acts(at: At<'_>) -> Vec<(&'static str, Found)> {
    let lang = at.lang;
    let made = figures(&at.folder.path(None, "run")).ok().flatten().filter(|figures| figures.whole);
    let Some(made) = made else {
        return vec![("run", run::run(at)), ("receipt", Found::Later(String::new()))];
    };
    let rows = lang.plural(made.moved_rows(), lang.of("row", "ligne"), lang.of("rows", "lignes"));
    let refused = lang.count(made.refused_rows());
    let sealed =
        lang.of(format!("{rows} sealed, {refused} refused"), format!("{rows} scellées, {refused} refusées"));
    vec![("run", Found::Done(sealed)), ("receipt", receipt(at))]
}

/// What the recipient loaded, as the acceptance will take it.
fn receipt(at: At<'_>) -> Found {
    let At { folder, lang, now, .. } = at;
    if !folder.has(FILE) && is_gone(at) {
        return missing(
            lang.of(
                "the archive was erased before it was received",
                "l’archive a été effacée avant d’être reçue",
            ),
            YOU,
            &[
                "Seal it again, under an order whose day for copies is still to come:  ecluse extract -o ARCHIVE --key FILE",
            ],
        );
    }
    if !folder.has(FILE) {
        return missing(
            lang.of("the archive was not received yet", "l’archive n’est pas encore reçue"),
            THEM,
            &[
                "Hand over the archive, contract.toml and status.toml, each with its folder of signatures; read the",
                "manifest's fingerprint aloud. The recipient, in a folder with these, says ecluse next.",
                "What comes back, receipt.toml and receipt.toml.sigs, is put here; then:  ecluse receipt verify",
            ],
        );
    }
    match quietly(|| found(folder, &folder.path(None, "run"), lang, now)) {
        Ok(_) => Found::Done(
            lang.of("every row that was sealed was received", "chaque ligne scellée a été reçue").to_owned(),
        ),
        Err(fault) => refused(at, &fault, THEM, "ecluse receipt verify"),
    }
}

/// Whether archives were made here, and each of them is gone.
fn is_gone(at: At<'_>) -> bool {
    let ledger = copies::look(at.folder).unwrap_or_default();
    let mut archives = ledger.copies.iter().filter(|copy| copy.store == Store::Archive).peekable();
    archives.peek().is_some() && archives.all(|copy| copy.ended.is_some())
}

/// The acceptance that nobody has proposed: over a receipt nothing else is left to do.
pub(super) fn to_accept(at: At<'_>) -> Found {
    missing(
        at.lang.of("not proposed", "non proposé"),
        if at.trial { YOU } else { LAB },
        &[
            "What was received, to be accepted:  ecluse accept propose",
            "Then the controller's signatory:    ecluse accept sign --key FILE",
        ],
    )
}
