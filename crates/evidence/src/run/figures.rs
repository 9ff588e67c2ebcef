//! What the run counted: every row that was asked for has become something, once.

use std::collections::BTreeMap;

use ecluse_core::instruction;
use ecluse_core::language::Language;
use serde::Deserialize;

use super::{Events, attested, parsed, told};
use crate::bench::Bench;
use crate::papers::Chain;
use crate::verdict::Words;

/// The file.
pub(crate) const FIGURES: &str = "run/figures.json";

/// The figures, as far as they can be computed again.
#[derive(Debug, Deserialize)]
pub(super) struct Figures {
    pub(super) run: String,
    instruction: String,
    pub(super) began: String,
    ended: String,
    pub(super) whole: bool,
    #[serde(default)]
    tolerated: u64,
    tables: Vec<Table>,
    #[serde(default)]
    catch_ups: Vec<CatchUp>,
}

#[derive(Debug, Deserialize)]
struct Table {
    source: String,
    available: Option<u64>,
    asked: u64,
    moved: u64,
    refused: BTreeMap<String, u64>,
    left_out: u64,
    #[serde(default)]
    excluded: u64,
    #[serde(default)]
    files: Vec<Files>,
    chunks: u64,
    replaced: u64,
}

#[derive(Debug, Deserialize)]
struct Files {
    column: String,
    named: u64,
    moved: u64,
    missing: u64,
    refused: u64,
}

#[derive(Debug, Deserialize)]
struct CatchUp {
    number: u64,
    tables: Vec<Caught>,
}

#[derive(Debug, Deserialize)]
struct Caught {
    table: String,
    chunks: u64,
    replaced: u64,
}

/// A sum; `None` where it is larger than any count can be.
fn sum(counts: impl IntoIterator<Item = u64>) -> Option<u64> {
    counts.into_iter().try_fold(0u64, u64::checked_add)
}

impl Figures {
    pub(super) fn moved(&self) -> Option<u64> {
        sum(self.tables.iter().map(|table| table.moved))
    }

    /// Rows that were asked for, moved and refused.
    pub(super) fn sums(&self) -> Option<(u64, u64, u64)> {
        Some((sum(self.tables.iter().map(|table| table.asked))?, self.moved()?, self.refused()?))
    }

    /// Files that rows name and that moved.
    pub(super) fn files(&self) -> Option<u64> {
        sum(self.tables.iter().flat_map(|table| &table.files).map(|files| files.moved))
    }

    fn refused(&self) -> Option<u64> {
        sum(self.tables.iter().flat_map(|table| table.refused.values().copied()))
    }

    /// The first sum that does not come out, in words.
    fn uneven(&self) -> Option<String> {
        self.tables.iter().find_map(Table::uneven).or_else(|| self.catch_ups.iter().find_map(CatchUp::uneven))
    }
}

impl Table {
    fn uneven(&self) -> Option<String> {
        let Self { source, asked, moved, left_out, excluded, .. } = self;
        let parts = self.refused.values().copied().chain([*moved, *left_out, *excluded]);
        if sum(parts) != Some(*asked) {
            return Some(format!("{source}: {asked} rows were asked for, another number is accounted for"));
        }
        if self.available.is_some_and(|available| available < *asked) {
            return Some(format!("{source}: more rows were asked for than there are"));
        }
        if self.replaced > self.chunks {
            return Some(format!("{source}: more chunks were replaced than there are"));
        }
        let uneven = |files: &&Files| sum([files.moved, files.missing, files.refused]) != Some(files.named);
        let files = self.files.iter().find(uneven)?;
        Some(format!(
            "{source}.{}: {} files are named, another number is accounted for",
            files.column, files.named
        ))
    }
}

impl CatchUp {
    fn uneven(&self) -> Option<String> {
        let wrong = self.tables.iter().find(|caught| caught.replaced > caught.chunks)?;
        Some(format!("catch-up {}, {}: more chunks were replaced than there are", self.number, wrong.table))
    }
}

/// The figures, where they are there.
///
/// # Errors
/// Where they cannot be read.
pub(super) fn read(bench: &Bench<'_>) -> Result<Option<Figures>, String> {
    parsed(bench, FIGURES)
}

/// Checks them: attested, of this order, and adding up.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain, events: Option<&Events>) -> Option<Figures> {
    if bench.bytes(FIGURES).is_none() {
        bench.absent(
            FIGURES,
            Words::new("No run has left figures.", "Aucun transfert n’a laissé de chiffres."),
        );
        return None;
    }
    let figures: Figures = told(bench, FIGURES)?;
    attested(bench, events, (FIGURES, "close"));
    let order = chain.order.as_ref();
    let words = Words::new(
        format!("They are of the order in {}.", instruction::FILE),
        format!("Ils sont ceux de l’ordre de {}.", instruction::FILE),
    );
    let same = order.is_some_and(|order| order.digest == figures.instruction);
    bench.check(FIGURES, same, words, || format!("of {}", figures.instruction));
    period(bench, chain, &figures);
    let uneven = figures.uneven();
    let (asked, moved) = (sum(figures.tables.iter().map(|t| t.asked)), figures.moved());
    let (asked, moved) = (asked.unwrap_or_default(), moved.unwrap_or_default());
    let (en, fr) = (Language::English, Language::French);
    let words = Words::new(
        format!(
            "They add up: of {} rows asked for {} moved; the others were refused, left out or excluded, and are counted.",
            en.count(asked),
            en.count(moved)
        ),
        format!(
            "Les sommes tombent juste : sur {} lignes demandées, {} sont parties ; les autres, refusées, laissées ou exclues, sont comptées.",
            fr.count(asked),
            fr.count(moved)
        ),
    );
    bench.check(FIGURES, uneven.is_none(), words, || uneven.unwrap_or_default());
    whole(bench, chain, &figures);
    Some(figures)
}

/// The run began and ended while the order held.
fn period(bench: &mut Bench<'_>, chain: &Chain, figures: &Figures) {
    let Some(order) = &chain.order else { return };
    let within = |text: &str| {
        let at: Option<jiff::Timestamp> = text.parse().ok();
        at.is_some_and(|at| (order.header.not_before..order.header.not_after).contains(&at))
    };
    let words = Words::new(
        "The last start began and ended while the order held.",
        "Le dernier départ a commencé et fini tant que l’ordre valait.",
    );
    bench.check(FIGURES, within(&figures.began) && within(&figures.ended), words, || {
        format!(
            "from {} to {}; the order held from {} to {}",
            figures.began, figures.ended, order.header.not_before, order.header.not_after
        )
    });
}

/// The run came to its end, within what the order tolerates.
fn whole(bench: &mut Bench<'_>, chain: &Chain, figures: &Figures) {
    let allowed = chain.order.as_ref().map_or(0, |order| order.value.order().tolerance);
    let refused = figures.refused();
    let words = Words::new(
        "The run came to its end, and refused no more rows than the order tolerates.",
        "Le transfert est allé à son terme et n’a pas refusé plus de lignes que l’ordre n’en tolère.",
    );
    let is_tolerated = figures.tolerated <= allowed && refused.is_some_and(|refused| refused <= allowed);
    bench.check(FIGURES, figures.whole && is_tolerated, words, || {
        if figures.whole {
            "more rows were refused than is tolerated".to_owned()
        } else {
            "it is not whole".to_owned()
        }
    });
}
