//! The laboratory's own folder, where what is returned to it is received: its statement, the archive, its receipt.

use ecluse_core::contract::Contract;
use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_core::receipt::{RETURN_FILE as RECEIPT, Receipt};
use ecluse_core::recipient::{self, RETURN_FILE as STATEMENT, Recipient};

use super::{At, Board, Found, LAB, Look, Seen, YOU, add, contract, missing, refused};
use crate::folder::Folder;
use crate::papers::{Paper, lasting, quietly, returned};

/// Whether a folder is the laboratory's for a return: its statement, and nothing that an order or a recipient has.
pub(super) fn is_laboratorys(folder: &Folder) -> bool {
    folder.has(STATEMENT) && !folder.has("instruction.toml") && !folder.has(recipient::FILE)
}

/// Its steps, each looked at once the one before is done.
pub(super) fn board(at: At<'_>) -> Board {
    let mut seen = Seen::default();
    let mut steps = Vec::new();
    let looks: [(&'static str, Look); 3] = [
        ("contract", |at, seen, _| contract::contract(at, seen)),
        ("statement", |at, seen, _| statement(at, seen)),
        ("receipt", |at, seen, _| receipt(at, seen)),
    ];
    for (name, look) in looks {
        let found =
            if super::is_waiting(&steps) { Found::Later(String::new()) } else { look(at, &mut seen, true) };
        add(&mut steps, name, found);
    }
    let of = seen.contract.as_ref().map(|contract| contract.terms().controller.name.clone());
    let of = of.unwrap_or_else(|| at.lang.of("the laboratory", "le laboratoire").to_owned());
    let title = at.lang.of(format!("Returned to {of}"), format!("Rendu à {of}"));
    Board { title, trial: at.trial, steps }
}

fn statement(at: At<'_>, seen: &Seen) -> Found {
    let lang = at.lang;
    let Some(contract) = &seen.contract else { return Found::Later(String::new()) };
    match quietly(|| returned::in_force(&at.folder.path(None, STATEMENT), contract, at.now)) {
        Ok((stated, _)) => {
            let names: Vec<String> = stated.signers().iter().map(|signer| signer.told(lang)).collect();
            Found::Done(format!("{} {}", lang.of("signed by", "signée par"), lang.listed(&names)))
        }
        // what was received stays received when the statement ends
        Err(_) if at.folder.has(RECEIPT) => {
            Found::Done(lang.of("was used for this return", "a servi à cette restitution").to_owned())
        }
        Err(fault) => match ended(at, contract) {
            Ok(day) => Found::Done(lang.of(
                format!("ended on {day}; what was sealed to it before opens all the same"),
                format!("échue le {day} ; ce qui a été scellé avant s’ouvre quand même"),
            )),
            Err(_) => refused(at, &fault, LAB, "ecluse recipient verify --return")
                .advised("A signatory signs it:  ecluse recipient sign --return --key FILE"),
        },
    }
}

/// The day on which the statement ended, where nothing else is wrong with it.
fn ended(at: At<'_>, contract: &Contract) -> Result<String> {
    let paper = Paper::read(&at.folder.path(None, STATEMENT), "")?;
    let stated = quietly(|| {
        lasting::read(&paper, Kind::ReturnRecipient, at.now, |then| {
            Recipient::of_controller(&paper.bytes, &paper.signatures, contract, then)
        })
    })?;
    Ok(at.lang.hour(stated.header().not_after))
}

fn receipt(at: At<'_>, seen: &Seen) -> Found {
    let lang = at.lang;
    let Some(contract) = &seen.contract else { return Found::Later(String::new()) };
    if !at.folder.has(RECEIPT) {
        return missing(
            lang.of("nothing was received yet", "rien n’est encore reçu"),
            YOU,
            &[
                "return-recipient.toml and return-recipient.toml.sigs go to whoever writes the order: it cites them.",
                "Is the archive whole, from whom; no key is needed:  ecluse inspect ARCHIVE",
                "Every row opened and added up, the receipt written:  ecluse open ARCHIVE --identity FILE --receipt",
            ],
        );
    }
    let signed = quietly(|| {
        let paper = Paper::read(&at.folder.path(None, RECEIPT), "")?;
        lasting::read(&paper, Kind::ReturnReceipt, at.now, |then| {
            Receipt::of_return(&paper.bytes, &paper.signatures, contract, then)
        })
    });
    match signed {
        Ok(receipt) => {
            let names: Vec<String> = receipt.signers().iter().map(|signer| signer.told(lang)).collect();
            let by = lang.listed(&names);
            Found::Done(lang.of(
                format!("signed by {by}; return-receipt.toml and its signatures go back to the publisher; keep archive and identity"),
                format!("signé par {by} ; return-receipt.toml et ses signatures retournent à l’éditeur ; gardez l’archive et l’identité"),
            ))
        }
        Err(fault) => refused(at, &fault, YOU, "ecluse receipt sign --return")
            .advised("A signatory signs it:  ecluse receipt sign --return --key FILE"),
    }
}
