//! What was read back at the destination.

use std::collections::BTreeMap;

use ecluse_core::differences::{self, Difference};
use ecluse_core::document;
use ecluse_core::instruction;
use ecluse_core::language::Language;
use serde::Deserialize;

use super::figures::Figures;
use super::{Events, attested, told};
use crate::bench::Bench;
use crate::papers::Chain;
use crate::verdict::Words;

/// The file.
pub(crate) const RECONCILIATION: &str = "run/reconciliation.json";

/// A reconciliation, as far as it can be computed again.
#[derive(Debug, Deserialize)]
struct Recorded {
    run: String,
    instruction: String,
    lines: u64,
    journal: String,
    holds: bool,
    rows: u64,
    #[serde(default)]
    files: u64,
    differences: u64,
    #[serde(default)]
    kinds: BTreeMap<String, u64>,
    list: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
struct Listed {
    code: String,
    table: String,
    column: Option<String>,
    chunk: u64,
    row: Option<String>,
    rows: u64,
    #[serde(default)]
    damage: bool,
    #[serde(default)]
    there: Option<String>,
}

/// Checks it: attested, of this run and order, over all rows that moved; and the differences that were accepted.
pub(super) fn check(
    bench: &mut Bench<'_>,
    chain: &Chain,
    events: Option<&Events>,
    figures: Option<&Figures>,
) {
    if bench.bytes(RECONCILIATION).is_none() {
        let words =
            Words::new("Nobody has read the destination back here.", "Personne n’a relu ici la destination.");
        bench.absent(RECONCILIATION, words);
        return;
    }
    let Some(found) = told::<Recorded>(bench, RECONCILIATION) else { return };
    attested(bench, events, (RECONCILIATION, "reconcile"));
    let order = chain.order.as_ref();
    let words = Words::new(
        format!("It is of the order in {}.", instruction::FILE),
        format!("Il est celui de l’ordre de {}.", instruction::FILE),
    );
    let same = order.is_some_and(|order| order.digest == found.instruction);
    bench.check(RECONCILIATION, same, words, || format!("of {}", found.instruction));
    super::of_run(bench, RECONCILIATION, &found.run);
    if let Some(events) = events {
        let words = Words::new(
            format!("It was made after event {} of this run.", found.lines),
            format!("Il fut fait après l’événement {} de ce transfert.", found.lines),
        );
        let stood = events.head(found.lines).as_deref() == Some(found.journal.as_str());
        bench.check(RECONCILIATION, stood, words, || "the events here are others".to_owned());
    }
    rows(bench, &found, figures);
    accepted(bench, &found);
}

/// Every row and file that moved was read back, and what differs is counted.
fn rows(bench: &mut Bench<'_>, found: &Recorded, figures: Option<&Figures>) {
    let damage = found.list.iter().filter(|one| one.damage).count() as u64;
    let by_kind = found.kinds.values().try_fold(0u64, |sum, rows| sum.checked_add(*rows));
    let (en, fr) = (Language::English, Language::French);
    let words = Words::new(
        format!("{} rows were read back; {} differ.", en.count(found.rows), en.count(found.differences)),
        format!("{} lignes relues ; {} diffèrent.", fr.count(found.rows), fr.count(found.differences)),
    );
    let no_damage = found.differences == 0 && damage == 0 && by_kind == Some(0);
    let counted = if found.holds { no_damage } else { found.differences > 0 && damage > 0 };
    bench.check(RECONCILIATION, counted, words, || {
        "what it says of differences does not fit its list".to_owned()
    });
    if let Some(figures) = figures.filter(|_| found.holds) {
        let words = Words::new(
            "As many rows and files were read back as moved.",
            "Autant de lignes et de fichiers ont été relus qu’il en est parti.",
        );
        let same = figures.moved() == Some(found.rows) && figures.files() == Some(found.files);
        bench.check(RECONCILIATION, same, words, || format!("{} rows, {} files", found.rows, found.files));
    }
    let words = Words::new(
        "The row by row comparison: its key was the run’s, and is destroyed with it.",
        "La comparaison ligne à ligne : sa clé était celle du transfert et disparaît avec lui.",
    );
    bench.lost(RECONCILIATION, words);
}

/// Where something differed: every difference is in the list that the controller signed.
fn accepted(bench: &mut Bench<'_>, found: &Recorded) {
    if found.holds {
        return;
    }
    let damage: Vec<Difference> =
        found.list.iter().filter(|one| one.damage).map(Listed::difference).collect();
    let list = bench.bytes(differences::FILE).unwrap_or_default();
    let listed = document::text(list).and_then(differences::parse).ok();
    let covered = listed.is_some_and(|list| list.covers(&found.run, &found.instruction, &damage).is_ok());
    let words = Words::new(
        format!("Every difference stands in {}.", differences::FILE),
        format!("Chaque différence figure dans {}.", differences::FILE),
    );
    bench.check(RECONCILIATION, covered, words, || "some were accepted by nobody".to_owned());
}

impl Listed {
    fn difference(&self) -> Difference {
        Difference {
            code: self.code.clone(),
            table: self.table.clone(),
            column: self.column.clone(),
            chunk: self.chunk,
            row: self.row.clone(),
            rows: self.rows,
            there: self.there.clone(),
        }
    }
}
