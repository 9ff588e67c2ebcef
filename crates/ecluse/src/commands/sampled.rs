//! What a sample moved, in words: never taken for the whole run.

use std::time::Duration;

use ecluse_core::count::{count, plural};
use ecluse_core::language::Language;
use ecluse_flow::dossier::KindDrawn;
use ecluse_flow::figures::Figures;
use ecluse_flow::sample::{Estimate, Sampled};

use crate::output;
use crate::report::discreet::Discreet;

/// Tells the dossiers, the kinds, and the time that the whole would take.
pub(crate) fn told(sample: &Sampled, figures: &Figures) {
    output::line(format!(
        "{}: {} moved, {} refused. This is not the whole run.",
        dossiers(sample),
        plural(figures.moved_rows(), "row", "rows"),
        count(figures.refused_rows()),
    ));
    sample.kinds.iter().for_each(|kind| output::line(format!("  {}   {}", kind.name, found(kind))));
    output::line(match &sample.estimate {
        Some(estimate) => whole(estimate),
        None => "How long the whole would take cannot be said: this start wrote no row.".to_owned(),
    });
    output::line("Read them back:  ecluse reconcile     Then the whole, in their place:  ecluse migrate");
}

/// `Sample of 20 dossiers of 6,075, with 2 that they lead to`.
pub(crate) fn dossiers(sample: &Sampled) -> String {
    let led = sample.dossiers.saturating_sub(sample.drawn);
    let led = if led > 0 { format!(", with {} that they lead to", count(led)) } else { String::new() };
    format!("Sample of {} of {}{led}", plural(sample.drawn, "dossier", "dossiers"), count(sample.there))
}

/// As the board says it: `sample of 20 dossiers moved, 1,234 rows`.
pub(crate) fn stands(sample: &Sampled, figures: &Figures, told: &Discreet, lang: Language) -> String {
    let [dossiers, rows] = [sample.dossiers, figures.moved_rows()].map(|count| told.total(count).told(lang));
    lang.of(
        format!("only a sample of {dossiers} dossiers was moved, {rows} rows"),
        format!("seul un échantillon de {dossiers} dossiers est passé, {rows} lignes"),
    )
}

fn found(kind: &KindDrawn) -> String {
    match kind.there {
        0 => "not found: the source has none".to_owned(),
        there => format!("{} of {}", count(kind.drawn), count(there)),
    }
}

fn whole(estimate: &Estimate) -> String {
    format!(
        "The whole would take about {} (an estimate: going through every ordered row took {}, writing {} took {}; \
         constraints put back at the end come on top).",
        about(estimate.whole()),
        about(Duration::from_millis(estimate.read_millis)),
        plural(estimate.written, "row", "rows"),
        about(Duration::from_micros(estimate.write_micros)),
    )
}

/// `0.4 s`, `12 s`, `3 min`, `2 h 5 min`: no closer than it is known.
fn about(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", count(seconds / 3_600), seconds % 3_600 / 60),
    }
}
