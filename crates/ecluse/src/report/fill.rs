//! From a run folder and the papers to the page: what stands on it, in which order.

use ecluse_core::class::Class;
use ecluse_core::fault::Fault;
use ecluse_core::language::Language;
use ecluse_flow::figures::Figures;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::counts::{Counted, counted};
use super::discreet::Discreet;
use super::drawing::{Band, draw};
use super::facts::Facts;
use super::page::Page;
use super::recorded::recorded;
use super::{boxes, lead, parts};
use crate::commands::reconciled::Reconciled;
use crate::commands::sign::short;
use crate::pages::labels::Labels;
use crate::papers::chain::Chain;
use crate::papers::compared::Looked;
use crate::papers::ending::Ending;
use crate::papers::handed::Handed;
use crate::papers::objections::Stated;

/// Everything the page is made of.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) lang: Language,
    /// What labels are called in that language.
    pub(crate) labels: Labels,
    pub(crate) chain: &'a Chain,
    pub(crate) facts: &'a Facts,
    pub(crate) figures: &'a Figures,
    pub(crate) reconciliation: &'a Reconciled,
    /// Of an order to a recipient: what was sealed, and what came back; nobody reads its destination back.
    pub(crate) handed: Option<Handed>,
    /// That the run was undone, where it was, in the page's language.
    pub(crate) undone: Option<String>,
    /// Events of the journal, all of them following from the one before.
    pub(crate) events: u64,
    pub(crate) journal: &'a str,
    /// Who accepted the differences that were found, in words; all of them, or nobody did.
    pub(crate) accepted: Option<String>,
    /// What the laboratory said of drawn dossiers.
    pub(crate) compared: Option<Looked>,
    /// Objections to the order, with their answers.
    pub(crate) objections: Vec<Stated>,
    /// How the end of the chain stands.
    pub(crate) ending: Ending,
    /// Why the order does not stand any more, where it was stopped.
    pub(crate) stopped: Option<Fault>,
    /// When the page is written.
    pub(crate) today: Date,
}

impl Sources<'_> {
    /// Whether the order says what a dossier is, so that some can be drawn and compared.
    pub(super) fn compares(&self) -> bool {
        self.chain.instruction.order().dossier.is_some()
    }

    /// How the run's counts are told.
    pub(super) fn discreet(&self) -> Discreet {
        Discreet::of(self.figures, self.facts)
    }

    /// What both ends are called; that of an order to a recipient by whom the statement names.
    pub(super) fn ends(&self) -> [String; 2] {
        let [source, destination] =
            [&self.facts.source, &self.facts.destination].map(|name| recorded(name, self.lang).words);
        let sealed = self.chain.recipient.as_ref().map(|recipient| {
            let entity = recipient.entity();
            let sealed = format!("an archive sealed to {entity}");
            self.lang.of(sealed, format!("une archive scellée pour {entity}"))
        });
        [source, sealed.unwrap_or(destination)]
    }
}

/// The page.
pub(crate) fn page(from: &Sources<'_>) -> Page {
    let lang = from.lang;
    let tables = counted(from);
    let terms = from.chain.contract.terms();
    let bands: Vec<Band> = tables.iter().map(|table| band(from, table)).collect();
    let [source, destination] = from.ends();
    let (version, run) = (env!("CARGO_PKG_VERSION"), short(&from.figures.run));
    let today = lang.day(from.today);
    Page {
        lang,
        trial: from.chain.instruction.header().trial,
        invented: terms.is_invented(),
        title: format!("{}{} {source} → {destination}", terms.controller.name, lang.of(":", " :")),
        order: from.chain.order(),
        sentence: lead::sentence(from, &tables),
        alerts: lead::alerts(from),
        // both names stand in one line of it, on a telephone too
        drawing: draw(&source, from.chain.recipient.as_ref().map_or(&destination, |r| r.entity()), &bands, lang),
        caption: lang
            .of(
                "A band per table, as wide as its rows. What was not ordered bends away and stays; refused rows are the \
                 dashed thread.",
                "Une bande par table, large comme ses lignes. Ce qui n’était pas ordonné s’écarte et reste ; les lignes \
                 refusées sont le fil tireté.",
            )
            .into(),
        boxes: boxes::boxes(from),
        parts: [
            Some(parts::tables::part(from, &tables)),
            Some(parts::chain::part(from)),
            parts::objections::part(from),
            parts::pending::part(from),
            parts::caught::part(from),
            Some(match &from.handed {
                Some(handed) => parts::received::part(from, handed),
                None => parts::reconciliation::part(from),
            }),
            Some(parts::refused::part(from, &tables)),
            parts::identifiers::part(from, &tables),
            parts::known::part(from),
            parts::encodings::part(from, &tables),
            parts::files::part(from),
            parts::next_keys::part(from),
            Some(parts::barriers::part(from)),
            parts::timing::part(from, &tables),
            Some(parts::checks::part(from)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        footer: lang.of(
            format!("écluse {version} · written on {today} · run {run}"),
            format!("écluse {version} · écrit le {today} · passage {run}"),
        ),
    }
}

fn band(from: &Sources<'_>, table: &Counted) -> Band {
    let lang = from.lang;
    let rows = &table.rows;
    let surveyed = from.chain.dictionary.table(&table.source);
    let classes: Vec<Class> =
        surveyed.map(|t| t.columns.iter().map(|c| c.class).collect()).unwrap_or_default();
    let fate = match rows.left_out.width() {
        0 => boxes::fate(&from.chain.instruction.order().stays, &classes, lang),
        _ if rows.withheld.width() == 0 => left_out(from).to_owned(),
        _ => lang
            .of(format!("not ordered, or {}", left_out(from)), format!("non ordonné, ou {}", left_out(from))),
    };
    Band { label: table.label.clone(), moved: rows.moved, refused: rows.refused, stays: rows.stays, fate }
}

/// Why rows that were ordered did not move.
fn left_out(from: &Sources<'_>) -> &'static str {
    if from.figures.sample.is_some() {
        from.lang.of("of no dossier of the sample", "d’aucun dossier de l’échantillon")
    } else {
        from.lang.of("left out by the trial's limit", "laissé de côté par la limite de l’essai")
    }
}

/// The day of a time as the page's language writes it; as it stands where it is none.
pub(crate) fn day(at: &str, lang: Language) -> String {
    let parsed = at.parse::<Timestamp>().map(|at| at.to_zoned(TimeZone::UTC).date());
    parsed.or_else(|_| at.parse::<Date>()).map_or_else(|_| at.to_owned(), |day| lang.day(day))
}
