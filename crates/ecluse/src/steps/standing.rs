//! Whether the order stands today, and who works under it.

use ecluse_core::language::Language;
use ecluse_core::status::{REVOKED, SUSPENDED};

use super::{At, Found, LAB, Seen, YOU, missing, refused};
use crate::commands::runs;
use crate::papers::chain::{self, StatusFile};
use crate::papers::objections;
use crate::papers::quietly;
use crate::papers::stopped::set_aside;

/// The controller's word; a word that has grown old is only asked for again where something is `left` to move.
pub(super) fn status(at: At<'_>, seen: &Seen, left: bool) -> Found {
    let At { folder, trial, now, lang } = at;
    let Some(chain) = &seen.chain else { return missing(lang.of("no order", "pas d’ordre"), YOU, &[]) };
    match quietly(|| objections::open(folder, None, now)) {
        Ok(None) => {}
        Ok(Some(one)) => {
            return missing(
                match lang {
                    Language::English => format!("objection {} by {} is open", one.number, one.said.by),
                    Language::French => {
                        format!("l’objection {} de {} est sans réponse", one.number, one.said.by)
                    }
                },
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
        Err(fault) => return refused(at, &fault, YOU, "ecluse procedure"),
    }
    let digest = chain.instruction.digest();
    let asked = quietly(|| {
        let mut met = runs::met(folder, digest)?;
        let keep = |met| runs::meet(folder, digest, met);
        StatusFile::new(folder, None, chain).ask(&chain.contract, now, &mut met, keep)
    });
    match asked {
        Ok(word) => Found::Done(format!(
            "{} {}",
            lang.of("the order stands, as of", "l’ordre tient, au"),
            lang.hour(word.as_of())
        )),
        Err(fault) if fault.code().id == SUSPENDED.id => {
            let mut found = refused(at, &fault, LAB, "ecluse instruction status");
            if let (Found::Missing { advice, .. }, true) = (&mut found, trial) {
                advice.push("In this trial you are the signatory: --key keys/controller-signatory".into());
            }
            found
        }
        Err(fault) if fault.code().id == REVOKED.id => Found::Missing {
            words: lang.of(fault.code().title, "l’ordre est révoqué").to_owned(),
            waits: LAB,
            code: Some(fault.code().id.to_owned()),
            advice: vec![
                format!("{}: {}", fault.code().id, fault.detail()),
                "A new order is needed, with a mapping of its own; this one and its run stay as they are:"
                    .to_owned(),
                format!("  {}", set_aside(digest)),
                "  ecluse instruction new     (ecluse next then says with which tables)".to_owned(),
            ],
        },
        Err(_) if !left => Found::Done(nothing_left(lang)),
        Err(_) if trial => {
            let words = lang.of("the order's status is not stated", "l’état de l’ordre n’est pas déclaré");
            missing(words, YOU, &["ecluse instruction status"])
        }
        Err(fault) => {
            let mut found = refused(at, &fault, LAB, "ecluse instruction status");
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

pub(super) fn session(at: At<'_>, seen: &Seen, left: bool) -> Found {
    let At { folder, trial, now, lang } = at;
    let Some(contract) = &seen.contract else {
        return missing(lang.of("no contract", "pas de contrat"), YOU, &[]);
    };
    match quietly(|| chain::session(folder, None, contract, now)) {
        Ok((session, _)) => {
            let until = lang.of("until", "jusqu’au");
            Found::Done(format!("{} {until} {}", session.operator(), lang.hour(session.header().not_after)))
        }
        Err(_) if !left => Found::Done(nothing_left(lang)),
        Err(_) if trial => {
            Found::Done(lang.of("opens by itself in a trial", "s’ouvre d’elle-même dans un essai").into())
        }
        Err(_) => {
            let words = lang.of("none is open", "aucune n’est ouverte");
            missing(words, Some("the operator"), &["ecluse session new --key FILE"])
        }
    }
}

fn nothing_left(lang: Language) -> String {
    lang.of("not asked for: nothing is left to move", "n’est plus demandé : il ne reste rien à déplacer")
        .to_owned()
}
