//! Objections to the order, and what the controller answered (GDPR Art. 28(3), last sentence).

use crate::papers::objections::Stated;
use crate::report::fill::{Sources, day};
use crate::report::page::{Block, Part, Said};

/// `None` where nobody objected to this order.
pub(crate) fn part(from: &Sources<'_>) -> Option<Part> {
    let lang = from.lang;
    let order = from.chain.instruction.digest();
    let lines: Vec<Said> = from
        .objections
        .iter()
        .filter(|one| one.said.instruction == order)
        .map(|one| line(one, from).into())
        .collect();
    let title = lang.of("Objections to the order", "Objections à l’ordre");
    (!lines.is_empty()).then(|| Part::new(title).with(Block::List(lines)))
}

fn line(one: &Stated, from: &Sources<'_>) -> String {
    let lang = from.lang;
    let (by, on, text) = (&one.said.by, day(&one.said.time, lang), &one.said.text);
    let objected = lang.of(format!("{by}, on {on}: “{text}”"), format!("{by}, le {on} : « {text} »"));
    let Some(answer) = &one.answer else {
        return lang.of(format!("{objected} Not answered."), format!("{objected} Sans réponse."));
    };
    let names: Vec<String> = answer.signers().iter().map(|s| s.told(lang)).collect();
    let (by, text) = (lang.listed(&names), &answer.stated().text);
    let on = day(&answer.header().issued.to_string(), lang);
    lang.of(
        format!("{objected} Answered by {by} on {on}: “{text}”"),
        format!("{objected} Réponse de {by}, le {on} : « {text} »"),
    )
}
