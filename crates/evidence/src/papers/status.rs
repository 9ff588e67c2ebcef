//! The controller's word on whether the order stood.

use ecluse_core::document::Kind;
use ecluse_core::keys::day;
use ecluse_core::language::Language;
use ecluse_core::status::{self, State};
use jiff::{SignedDuration, Timestamp};

use super::Chain;
use super::opened::{of_order, open};
use crate::bench::Bench;
use crate::verdict::Words;

/// The file.
const NAME: &str = "status.toml";

/// Checks the last word in the file; `began` is when the run's last start began. A word that was given later
/// took the place of the one that the run relied on: then only that one's absence can be told.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain, began: Option<Timestamp>) {
    let read = open(bench, &chain.contract, (NAME, Kind::Status), |paper, _| {
        ecluse_core::document::text(paper.bytes).and_then(status::read)
    });
    let Some(opened) = read else { return };
    of_order(bench, NAME, &opened.value.instruction.value);
    let given = opened.header.issued;
    let relied = began.is_some_and(|began| given <= began);
    let (en, fr) = (Language::English.day(day(given)), Language::French.day(day(given)));
    let stands = opened.value.state == State::InForce;
    let name = opened.value.state.name();
    let words = Words::new(
        format!("The controller’s last word here, of {en}: {name}."),
        format!("Dernier mot du responsable ici, du {fr} : {}.", french(opened.value.state)),
    );
    // what was taken back before the run began may not have run; later, it is the order's history
    bench.check(NAME, stands || !relied, words, || format!("{name} on {given}, before the run began"));
    let Some((began, order)) = began.filter(|_| relied).zip(chain.order.as_ref()) else { return };
    let allowed = i64::try_from(order.value.order().status_max_age).unwrap_or(i64::MAX);
    let fresh = given.duration_until(began) <= SignedDuration::from_secs(allowed);
    let words = Words::new(
        "It was fresh enough for the order when the run’s last start began.",
        "Il était assez récent pour l’ordre quand le dernier départ du transfert a commencé.",
    );
    bench.check(NAME, fresh, words, || format!("given {given}, the run began {began}"));
}

const fn french(state: State) -> &'static str {
    match state {
        State::InForce => "en vigueur",
        State::Suspended => "suspendu",
        State::Revoked => "révoqué",
    }
}
