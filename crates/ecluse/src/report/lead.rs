//! What happened in one sentence, and what is not as it should be.

use ecluse_core::language::Language;
use ecluse_core::person::Role;

use super::counts::Counted;
use super::figure::together;
use super::fill::{Sources, day};
use super::parts::received;
use crate::commands::reconciled::Reconciled;
use crate::pages::words;

/// What moved, from where to where, when, by whose order, and whether it was found again.
pub(crate) fn sentence(from: &Sources<'_>, tables: &[Counted]) -> String {
    let lang = from.lang;
    let what: Vec<String> = tables.iter().map(|table| rows(table, lang)).collect();
    let signers = from.chain.instruction.signers().iter();
    let who: Vec<String> =
        signers.filter(|s| s.role == Role::ControllerSignatory).map(|s| s.told(lang)).collect();
    // a start that was killed left no end
    let ended = [&from.figures.ended, &from.figures.began].into_iter().find(|at| !at.is_empty());
    let when = ended.map(|at| day(at, lang)).unwrap_or_default();
    let stays: u64 = from.facts.stays.values().sum();
    let (what, who) = (lang.listed(&what), lang.listed(&who));
    let [source, destination] = from.ends();
    let (found, columns) =
        (found(from), lang.plural(stays, lang.of("column", "colonne"), lang.of("columns", "colonnes")));
    let into = match from.handed {
        Some(_) => lang.of("into", "dans"),
        None => lang.of("to", "à"),
    };
    lang.of(
        format!(
            "On {when}, these rows moved from {source} {into} {destination}, as ordered by {who}: {what}; {found}. \
             {columns} stayed."
        ),
        format!(
            "Le {when}, ces lignes sont passées de {source} {into} {destination}, sur ordre de {who} : {what} ; {found}. \
             Restent en place : {columns}."
        ),
    )
}

/// `patients (612)`: the number stands behind the laboratory's word, which may name many (validators) or one thing
/// (catalogue of analyses); `sigl_03_data (612)` where there is no word.
fn rows(table: &Counted, lang: Language) -> String {
    let name = if table.label == table.source { table.source.clone() } else { table.label.to_lowercase() };
    format!("{name} ({})", table.rows.moved.told(lang))
}

fn found(from: &Sources<'_>) -> String {
    match &from.handed {
        Some(handed) => received::found(from, handed),
        None => read_back(from).to_owned(),
    }
}

fn read_back(from: &Sources<'_>) -> &'static str {
    let lang = from.lang;
    let beyond = from.figures.is_beyond_tolerance();
    match from.reconciliation.found() {
        Some(r) if r.holds && beyond => lang.of(
            "more rows were refused than the order tolerates; what moved was found again, unchanged",
            "plus de lignes ont été refusées que l’ordre n’en tolère ; ce qui est passé a été retrouvé, inchangé",
        ),
        None if beyond => lang.of(
            "more rows were refused than the order tolerates, and nobody has read the destination back yet",
            "plus de lignes ont été refusées que l’ordre n’en tolère, et personne n’a encore relu la destination",
        ),
        Some(r) if r.holds && from.figures.sample.is_some() => lang.of(
            "every row of a sample was found again, unchanged; the whole has not moved yet",
            "chaque ligne d’un échantillon a été retrouvée, inchangée ; le tout n’est pas encore passé",
        ),
        Some(r) if r.holds && from.figures.tables.iter().any(|t| t.left_out > 0) => lang.of(
            "every row that moved was found again, unchanged; the rest was left out, as in every trial",
            "chaque ligne passée a été retrouvée, inchangée ; le reste a été laissé de côté, comme dans tout essai",
        ),
        Some(r) if r.holds => lang.of(
            "every row was found again, unchanged",
            "chaque ligne a été retrouvée, inchangée",
        ),
        Some(_) if from.accepted.is_some() => lang.of(
            "every row was found again but for differences that the laboratory accepted",
            "chaque ligne a été retrouvée, aux différences près que le laboratoire a acceptées",
        ),
        Some(_) => lang.of(
            "not every row was found again as it left",
            "des lignes n’ont pas été retrouvées telles qu’elles sont parties",
        ),
        None => lang.of(
            "nobody has read the destination back yet",
            "personne n’a encore relu la destination",
        ),
    }
}

/// What is not as it should be.
pub(crate) fn alerts(from: &Sources<'_>) -> Vec<String> {
    let lang = from.lang;
    let stopped = from.stopped.as_ref().map(|stop| {
        let (why, detail) = (words::why(stop.code(), lang), stop.detail());
        lang.of(
            format!("Since then {}: {detail}.", stop.code().title),
            format!("Depuis lors : {why}. {detail}."),
        )
    });
    let mut alerts: Vec<String> = stopped.into_iter().chain(from.undone.clone()).collect();
    let mut tell = |english: String, french: String| alerts.push(lang.of(english, french));
    if let Some(sample) = from.figures.sample.as_ref().filter(|sample| sample.through) {
        let dossier = from.chain.instruction.order().dossier.as_ref();
        let hides = dossier.is_none_or(|dossier| from.discreet().hides(&dossier.table.value));
        let [drawn, there] =
            together([sample.dossiers, sample.there].map(Some), hides).map(|figure| figure.told(lang));
        let reference = match from.chain.instruction.order().tables.iter().any(|table| table.reference) {
            true => lang.of(
                " The reference data have moved whole.",
                " Les données de référence sont passées entières.",
            ),
            false => "",
        };
        tell(
            format!(
                "Only a sample of {drawn} of {there} dossiers has moved: this is a rehearsal, not the migration.{reference}"
            ),
            format!(
                "Seul un échantillon de {drawn} dossiers sur {there} est passé : c’est une répétition, pas la migration.{reference}"
            ),
        );
    } else if from.figures.reference && !from.figures.whole {
        tell(
            "Only the reference data have moved: the rest moves once a biologist has accepted them.".into(),
            "Seules les données de référence sont passées : le reste passe quand un biologiste les a acceptées.".into(),
        );
    } else if !from.figures.whole {
        tell(
            "The run is not through: the same command goes on where it stopped.".into(),
            "La migration n’est pas terminée : la même commande reprend où elle s’est arrêtée.".into(),
        );
    }
    if from.figures.is_beyond_tolerance() {
        tell(
            "More rows were refused than the order tolerates: this is not the migration that was ordered. \
             ecluse status names the rows by token."
                .into(),
            "Plus de lignes ont été refusées que l’ordre n’en tolère : ce n’est pas la migration ordonnée. \
             ecluse status nomme ces lignes par leur jeton."
                .into(),
        );
    }
    match from.reconciliation {
        _ if from.handed.is_some() => {}
        Reconciled::Never if from.undone.is_some() => {}
        Reconciled::Never => tell(
            "The destination has not been read back: run ecluse reconcile, then write this page again."
                .into(),
            "La destination n’a pas été relue : lancez ecluse reconcile, puis écrivez cette page à nouveau."
                .into(),
        ),
        Reconciled::Stale(at) => tell(
            format!(
                "The run has gone on since the destination was read back on {}: run ecluse reconcile, then \
                 write this page again.",
                lang.hour_of(at)
            ),
            format!(
                "La migration a continué depuis que la destination a été relue le {} : lancez ecluse reconcile, \
                 puis écrivez cette page à nouveau.",
                lang.hour_of(at)
            ),
        ),
        Reconciled::Done(_) => {}
    }
    alerts.extend(from.handed.as_ref().and_then(|handed| received::alert(from, handed)));
    let mut tell = |english: String, french: String| alerts.push(lang.of(english, french));
    if let Some(r) = from.reconciliation.found().filter(|r| !r.holds && from.accepted.is_none()) {
        let many = lang.plural(
            r.differences,
            lang.of("difference", "différence"),
            lang.of("differences", "différences"),
        );
        tell(
            format!("{many} between source and destination: see “Reconciliation”."),
            format!("{many} entre source et destination : voir « Contrôle de concordance »."),
        );
    }
    if let Some(looked) = from.compared.as_ref().filter(|looked| !looked.holds()) {
        let words = looked.words(lang, from.discreet().hides(&looked.comparison.table));
        tell(format!("{words}."), format!("{words}."));
    }
    if from.facts.without_fate > 0 {
        let many = lang.plural(
            from.facts.without_fate,
            lang.of("column", "colonne"),
            lang.of("columns", "colonnes"),
        );
        tell(
            format!("{many} that stay have no fate in the order."),
            format!("{many} qui restent n’ont pas de sort dans l’ordre."),
        );
    }
    alerts
}
