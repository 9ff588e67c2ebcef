//! Whether the order stands today, and who works under it.

use ecluse_core::status::{REVOKED, SUSPENDED};
use jiff::Timestamp;

use super::{Found, LAB, Seen, YOU, missing, refused};
use crate::commands::runs;
use crate::folder::Folder;
use crate::papers::chain::{self, StatusFile};
use crate::papers::objections;
use crate::papers::quietly;
use crate::papers::stopped::set_aside;

pub(super) fn status(folder: &Folder, trial: bool, now: Timestamp, seen: &Seen) -> Found {
    let Some(chain) = &seen.chain else { return missing("no order", YOU, &[]) };
    match quietly(|| objections::open(folder, None, now)) {
        Ok(None) => {}
        Ok(Some(one)) => {
            return missing(
                format!("objection {} by {} is open", one.number, one.said.by),
                LAB,
                &[
                    &format!("\u{201c}{}\u{201d}", one.said.text),
                    &format!(
                        "The signatory answers it:  ecluse instruction answer {} 'words' --key FILE",
                        one.number
                    ),
                ],
            );
        }
        Err(fault) => return refused(&fault, YOU, "ecluse procedure"),
    }
    let digest = chain.instruction.digest();
    let asked = quietly(|| {
        let mut met = runs::met(folder, digest)?;
        let keep = |met| runs::meet(folder, digest, met);
        StatusFile::new(folder, None, chain).ask(&chain.contract, now, &mut met, keep)
    });
    match asked {
        Ok(word) => Found::Done(format!("the order stands, as of {}", word.as_of())),
        Err(fault) if fault.code().id == SUSPENDED.id => {
            let mut found = refused(&fault, LAB, "ecluse instruction status");
            if let (Found::Missing { advice, .. }, true) = (&mut found, trial) {
                advice.push("In this trial you are the signatory: --key keys/controller-signatory".into());
            }
            found
        }
        Err(fault) if fault.code().id == REVOKED.id => Found::Missing {
            words: fault.code().title.to_owned(),
            waits: LAB,
            advice: vec![
                format!("{}: {}", fault.code().id, fault.detail()),
                "A new order is needed, with a mapping of its own; this one and its run stay as they are:"
                    .to_owned(),
                format!("  {}", set_aside(digest)),
                "  ecluse instruction new     (ecluse next then says with which tables)".to_owned(),
            ],
        },
        Err(_) if trial => missing("the order's status is not stated", YOU, &["ecluse instruction status"]),
        Err(fault) => {
            let mut found = refused(&fault, LAB, "ecluse instruction status");
            if let Found::Missing { advice, .. } = &mut found {
                advice.push(
                    "The signatory states that the order stands:  ecluse instruction status --key FILE"
                        .into(),
                );
            }
            found
        }
    }
}

pub(super) fn session(folder: &Folder, trial: bool, now: Timestamp, seen: &Seen) -> Found {
    let Some(contract) = &seen.contract else { return missing("no contract", YOU, &[]) };
    match quietly(|| chain::session(folder, None, contract, now)) {
        Ok((session, _)) => {
            Found::Done(format!("{} until {}", session.operator(), session.header().not_after))
        }
        Err(_) if trial => Found::Done("opens by itself in a trial".into()),
        Err(_) => missing("none is open", Some("the operator"), &["ecluse session new --key FILE"]),
    }
}
