//! The chain, link by link: artefact, who signed, when, fingerprint, or what is missing.

use ecluse_core::language::Language;

use super::{ending, received};
use crate::commands::sign::short;
use crate::pages::words;
use crate::papers::compared::COMPARED;
use crate::report::fill::{Sources, day};
use crate::report::page::{Block, Cell, Grid, Kind, Part, heads};

pub(crate) fn part(from: &Sources<'_>) -> Part {
    let lang = from.lang;
    let names = [
        lang.of("Paper", "Document"),
        lang.of("Signed by", "Signé par"),
        lang.of("When", "Le"),
        lang.of("Fingerprint", "Empreinte"),
        lang.of("State", "État"),
    ];
    let rows = links(from).into_iter().map(|link| row(link, lang)).collect();
    Part::new(lang.of("The chain", "La chaîne")).with(Block::Table(Grid { heads: heads(&names), rows }))
}

/// One paper of the chain.
#[derive(Default)]
pub(super) struct Link {
    pub(super) artefact: String,
    pub(super) signer: String,
    pub(super) when: String,
    pub(super) fingerprint: String,
    /// What is missing; empty where the paper holds.
    pub(super) missing: String,
    /// Not due yet, or no more: nothing failed.
    pub(super) later: bool,
}

fn row(link: Link, lang: Language) -> Vec<Cell> {
    let state = match (link.missing.is_empty(), link.later) {
        (true, _) => Cell::of(Kind::Holds, lang.of("holds", "valable")),
        (false, true) => Cell::words(format!("– {}", link.missing)),
        (false, false) => Cell::of(Kind::Lacks, link.missing),
    };
    vec![
        Cell::words(link.artefact),
        Cell::words(link.signer),
        Cell::of(Kind::Day, link.when),
        Cell::of(Kind::Code, link.fingerprint),
        state,
    ]
}

fn links(from: &Sources<'_>) -> Vec<Link> {
    let lang = from.lang;
    let paper = |link: &crate::papers::chain::Link| {
        let names: Vec<String> = link.signers.iter().map(|s| s.told(lang)).collect();
        let signer = match names.as_slice() {
            [] => lang.of("cited by the order", "cité par l’ordre").to_owned(),
            names => names.join(lang.of("; ", " ; ")),
        };
        let was_valid = link.was_valid.map(|at| {
            let day = day(&at.to_string(), lang);
            lang.of(format!("was valid on {day}"), format!("valable le {day}"))
        });
        Link {
            artefact: words::artefact(&link.artefact, lang),
            signer,
            when: day(&link.when, lang),
            fingerprint: short(&link.digest),
            later: was_valid.is_some(),
            missing: was_valid.unwrap_or_default(),
        }
    };
    let mut links: Vec<Link> = from.chain.links.iter().map(paper).collect();
    let run_missing = match (&from.undone, from.figures.whole) {
        (Some(_), _) => lang.of("undone", "annulée"),
        (None, true) => "",
        (None, false) => lang.of("not through", "non terminée"),
    };
    let (events, operator) = (lang.count(from.events), &from.facts.operator);
    links.push(Link {
        artefact: lang.of(
            format!("run, journal of {events} events"),
            format!("migration, journal de {events} événements"),
        ),
        signer: format!("{operator} (session)"),
        when: day(&from.figures.ended, lang),
        fingerprint: short(from.journal),
        missing: run_missing.into(),
        later: false,
    });
    match &from.handed {
        Some(handed) => links.extend(received::links(from, handed)),
        None => links.push(reconciliation(from)),
    }
    let looked = from.compared.as_ref();
    // of a sealed order nothing stands beside the old that the sender's side could look at
    let compares = from.compares() && (from.handed.is_none() || looked.is_some());
    if looked.is_none_or(|looked| looked.signers.is_empty()) && compares {
        // that the laboratory has not looked yet is no failure; what it began, it ends
        let (missing, later) = match looked {
            None => (lang.of("nobody has looked yet", "personne n’a encore regardé"), true),
            Some(_) => (lang.of("not signed", "non signé"), false),
        };
        let artefact = words::artefact(COMPARED, lang);
        links.push(Link { artefact, missing: missing.into(), later, ..Link::default() });
    }
    links.extend(ending::links(&from.ending, lang));
    links
}

/// What a fresh process found at the destination.
fn reconciliation(from: &Sources<'_>) -> Link {
    let lang = from.lang;
    let (when, missing) = match from.reconciliation.found() {
        Some(r) if r.holds => (day(&r.at, lang), String::new()),
        Some(r) => {
            let many = lang.plural(
                r.differences,
                lang.of("difference", "différence"),
                lang.of("differences", "différences"),
            );
            (day(&r.at, lang), many)
        }
        None => (String::new(), lang.of("not done", "non fait").into()),
    };
    let artefact = lang.of("reconciliation", "contrôle de concordance").into();
    Link { artefact, when, missing, ..Link::default() }
}
