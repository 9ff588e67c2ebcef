//! Copies in our reach, as the ledger has them on the day on which the file was closed: none stands past its day, none
//! with patients' data but the run's own sealed state, and what somebody ordered to be kept is told.

use ecluse_core::copies::{Copy, FILE as LEDGER, Ledger, Standing};
use ecluse_core::erasure::{Erased, Erasure, Held, Side};

use crate::bench::Bench;
use crate::run::ERASURE;
use crate::verdict::Words;

/// Checks the ledger's lines, where the file is closed: before that, copies have every right to stand.
pub(super) fn check(bench: &mut Bench<'_>) {
    // one that is missing, or cannot be read, is told where it is asked for
    let ledger = bench.bytes(LEDGER).and_then(|bytes| Ledger::read(bytes).ok());
    let Some(ledger) = ledger.filter(|_| bench.is_closed()) else { return };
    let now = bench.closed;
    for copy in &ledger.copies {
        let is_late = matches!(copy.standing(now), Standing::Due | Standing::Outstanding);
        if is_late || copy.keeps_a_certificate_back(now) {
            fails(bench, copy);
        }
    }
    let held = ledger.holds(now);
    held.iter().for_each(|hold| tell(bench, hold));
    let said = bench.bytes(ERASURE).and_then(|bytes| serde_json::from_slice::<Erasure>(bytes).ok());
    let Some(said) = said else { return };
    let gone: Vec<Erased> = ledger.gone().collect();
    let is_there = |one: &&Erased| {
        gone.iter()
            .any(|gone| (&gone.place, &gone.what, &gone.method) == (&one.place, &one.what, &one.method))
    };
    let other = said.done.iter().filter(|one| one.side == Side::Copy).find(|one| !is_there(one));
    let words = Words::new(
        "Each copy that it says is gone ended so in the ledger of copies.",
        "Chaque copie qu’il dit effacée a pris fin ainsi dans le registre des copies.",
    );
    bench.check(ERASURE, other.is_none(), words, || {
        other.map_or_else(String::new, |one| format!("{}: {LEDGER} does not say so", one.place))
    });
    let words = Words::new(
        "What it says is held by somebody’s order is what the ledger of copies holds.",
        "Ce qu’il dit conservé sur ordre est ce que conserve le registre des copies.",
    );
    bench.check(ERASURE, said.held == held, words, || {
        format!("{} held there, {} in {LEDGER}", said.held.len(), held.len())
    });
}

fn fails(bench: &mut Bench<'_>, copy: &Copy) {
    let what = copy.store.words();
    let words = Words::new(
        format!("A copy stood when the file was closed: {what}."),
        format!("Une copie subsistait à la clôture du fichier : {what}."),
    );
    bench.fails(LEDGER, words, format!("{}, until {}", copy.place, copy.erase_by));
}

fn tell(bench: &mut Bench<'_>, hold: &Held) {
    let Held { place, what, reason, approver, until } = hold;
    let words = Words::new(
        format!("Not erased, held until {until} on the word of {approver}: {what}, {place} ({reason})."),
        format!(
            "Non effacé, conservé jusqu’au {until} sur la parole de {approver} : {what}, {place} ({reason})."
        ),
    );
    bench.holds(LEDGER, words);
}
