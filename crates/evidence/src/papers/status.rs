//! The controller's word on whether the order stood: judged at the moments at which the run relied on it.

use std::collections::BTreeSet;

use ecluse_core::document::{self, Header, Kind};
use ecluse_core::keys::day;
use ecluse_core::language::Language;
use ecluse_core::status::{self, State};
use jiff::{SignedDuration, Timestamp};

use super::Chain;
use super::opened::{of_order, open};
use crate::bench::Bench;
use crate::run::{self, Events};
use crate::verdict::Words;

/// The last word.
pub(super) const NAME: &str = "status.toml";
/// Those before it, as each was heard.
const KEPT: &str = "journal/statuses/";
/// By how much two honest clocks may differ (`core::document`).
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// A word that the controller signed.
struct Word {
    header: Header,
    state: State,
}

/// Checks each word in the file, then whether the order stood whenever the run asked. Gives when the first word of
/// this order was given: nothing was done under it before.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain, events: Option<&Events>) -> Option<Timestamp> {
    let order = chain.order.as_ref()?;
    let kept: Vec<String> = bench.below(KEPT).filter(|path| !path.contains(".sigs/")).cloned().collect();
    let mut words = Vec::new();
    for name in kept.iter().map(String::as_str).chain([NAME]) {
        let text = document::text(bench.bytes(name).unwrap_or_default()).and_then(status::read);
        // a word about an earlier order is none about this one
        if name != NAME && !text.is_ok_and(|word| word.instruction.value == order.digest) {
            continue;
        }
        let read = open(bench, &chain.contract, (name, Kind::Status), |paper, _| {
            document::text(paper.bytes).and_then(status::read)
        });
        let Some(opened) = read else { continue };
        of_order(bench, name, &opened.value.instruction.value);
        words.push(Word { header: opened.header, state: opened.value.state });
    }
    if let Some(last) = words.iter().max_by_key(|word| word.header.issued) {
        told(bench, last);
    }
    let allowed = i64::try_from(order.value.order().status_max_age).unwrap_or(i64::MAX);
    let allowed = SignedDuration::from_secs(allowed);
    let given = words.iter().map(|word| word.header.issued).min();
    let moments = moments(bench, events);
    if moments.is_empty() {
        return given;
    }
    let fallen = moments.iter().find(|(_, at)| !at.is_some_and(|at| stood(&words, at, allowed)));
    let (en, fr) = (Language::English, Language::French);
    let count = moments.len() as u64;
    let said = Words::new(
        format!(
            "At each of the {} moments at which the run asked, the order stood by a word in the file, fresh enough.",
            en.count(count)
        ),
        format!(
            "À chacun des {} moments où le transfert l’a demandé, l’ordre valait d’après un état du fichier, assez récent.",
            fr.count(count)
        ),
    );
    bench.check(NAME, fallen.is_none(), said, || {
        let (what, at) = fallen.cloned().unwrap_or_default();
        let at = at.map(|at| at.to_string()).unwrap_or_default();
        format!("{what}, {at}: {}", why(&words, fallen.and_then(|(_, at)| *at)))
    });
    given
}

/// What the last word is; what became of the order later is its history.
fn told(bench: &mut Bench<'_>, last: &Word) {
    let given = day(last.header.issued);
    let words = Words::new(
        format!(
            "The controller’s last word here, of {}: {}.",
            Language::English.day(given),
            last.state.name()
        ),
        format!(
            "Dernier mot du responsable ici, du {} : {}.",
            Language::French.day(given),
            french(last.state)
        ),
    );
    bench.holds(NAME, words);
}

/// When the run asked, or acted upon the answer; of a file without events, when its figures say it began. A dry
/// run moves nothing, and may have been one of an earlier order.
fn moments(bench: &Bench<'_>, events: Option<&Events>) -> Vec<(String, Option<Timestamp>)> {
    let Some(events) = events else {
        return run::began(bench).map(|at| ("the run began".to_owned(), Some(at))).into_iter().collect();
    };
    let dry: BTreeSet<&str> =
        events.leaves.iter().filter(|leaf| leaf.act == "plan").map(|leaf| leaf.object.as_str()).collect();
    let numbered = events.leaves.iter().enumerate().filter(|(_, leaf)| !dry.contains(leaf.object.as_str()));
    let relied =
        numbered.filter(|(_, leaf)| (leaf.act == "standing" && leaf.outcome == "done") || leaf.moves());
    relied.map(|(line, leaf)| (format!("event {} ({})", line + 1, leaf.act), leaf.at())).collect()
}

/// Whether the order stood then: a word said so, was fresh, and no later one had taken it back.
fn stood(words: &[Word], at: Timestamp, allowed: SignedDuration) -> bool {
    let says_so = |word: &&Word| {
        let Header { issued, not_before, not_after, .. } = word.header;
        let age = issued.duration_until(at);
        word.state == State::InForce
            && (age >= -CLOCKS && age <= allowed.saturating_add(CLOCKS))
            && (not_before.duration_until(at) >= -CLOCKS && at < not_after)
    };
    let taken_back = |word: &Word| {
        let later = |stop: &&Word| {
            stop.state == State::Revoked
                || (stop.state == State::Suspended && stop.header.issued >= word.header.issued)
        };
        words.iter().filter(later).any(|stop| stop.header.issued.duration_until(at) > CLOCKS)
    };
    words.iter().filter(says_so).any(|word| !taken_back(word))
}

/// The word that was the last one then.
fn why(words: &[Word], at: Option<Timestamp>) -> String {
    let before = words.iter().filter(|word| at.is_some_and(|at| word.header.issued <= at));
    match before.max_by_key(|word| word.header.issued) {
        Some(word) => format!("the last word then was of {}: {}", word.header.issued, word.state.name()),
        None => "no word that was given before is in the file".to_owned(),
    }
}

const fn french(state: State) -> &'static str {
    match state {
        State::InForce => "en vigueur",
        State::Suspended => "suspendu",
        State::Revoked => "révoqué",
    }
}
