//! `ecluse report`: one page for a biologist, a lawyer and an auditor.

use std::path::{Path, PathBuf};

use askama::Template as _;
use ecluse_adapters::folder::{REPORT, Undo, events, undo};
use ecluse_core::copies::Store;
use ecluse_core::count::number;
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use serde_json::json;

use super::{Here, begun, ordered, reconciled, runs};
use crate::cli::{PaperArgs, ReportArgs};
use crate::copies::{self, Born};
use crate::pages::labels::Labels;
use crate::pages::words::spaced;
use crate::papers::accepted::{self as acceptance, Acceptance, Signature};
use crate::papers::chain::{Chain, Link};
use crate::papers::ending::Ending;
use crate::papers::handed::Handed;
use crate::papers::stopped::stopped;
use crate::papers::{beside, compared, objections, reference};
use crate::report::discreet::Discreet;
use crate::report::facts::Facts;
use crate::report::fill::{Sources, day, page};
use crate::{folder, output};

static PAGE: Code = Code::refused("ECL-REP-003", "the page could not be made");

pub(super) fn run(here: &Here, args: &ReportArgs) -> Result<()> {
    let run = here.folder.path(args.run.dir.as_deref(), "run");
    let path = written(here, &run, args.output.as_deref(), args.lang.into())?;
    output::line(path.display().to_string());
    output::document(&json!({ "report": path }));
    Ok(())
}

/// Writes the page; returns where.
///
/// # Errors
///
/// `ECL-CLI-025`, `ECL-REP-002`; papers that did not hold when the run began.
pub(crate) fn written(here: &Here, run: &Path, to: Option<&Path>, lang: Language) -> Result<PathBuf> {
    let figures = begun::figures(run)?;
    // before its papers are judged as of that run
    ordered::under(&here.folder, &figures)?;
    let journal = events(run)?;
    let mut facts = Facts::read(run)?;
    let labels = Labels::of(lang);
    facts.tables.iter_mut().for_each(|table| table.label = labels.say(&table.label).to_owned());
    // the papers are judged as of the run: a report is still written after they have expired
    let then = begun::then(&figures, here.now);
    let mut chain = Chain::read(&here.folder, &PaperArgs::default(), then)?;
    // each where it stands in the chain: before what was surveyed, and after what was ordered
    let at = chain.links.len().min(1);
    chain.links.splice(at..at, beside::mandate(&here.folder, &chain, here.now));
    let order = chain.links.iter().position(|link| link.artefact.starts_with("order, "));
    let at = order.map_or(chain.links.len(), |order| order + 1);
    chain.links.splice(at..at, beside::word(&here.folder, &chain));
    let reconciliation = reconciled::of(run, &figures)?;
    let accepted = accepted(here, &reconciliation)?;
    chain.links.extend(accepted.as_ref().map(|signature| Link {
        artefact: "accepted differences".to_owned(),
        signers: signature.signers.clone(),
        when: signature.on.clone(),
        digest: signature.digest.clone(),
        was_valid: None,
    }));
    let compared = compared::of(&here.folder, run, &figures, here.now)?;
    chain.links.extend(compared.as_ref().filter(|looked| !looked.signers.is_empty()).map(|looked| Link {
        artefact: compared::COMPARED.to_owned(),
        signers: looked.signers.clone(),
        when: looked.on.clone(),
        digest: looked.digest.clone(),
        was_valid: None,
    }));
    let taken = reference::shown(&here.folder, &chain, run, &figures, here.now)?;
    chain.links.extend(taken.map(|(accepted, was_valid)| Link {
        artefact: "accepted reference data".to_owned(),
        signers: accepted.signers().to_vec(),
        when: accepted.header().issued.to_string(),
        digest: accepted.digest(),
        was_valid,
    }));
    // the order itself is judged as of today: whoever reads the page must learn that it was stopped
    let stopped = stopped(&here.folder, &chain.contract, &chain.instruction, here.now)?;
    let html = page(&Sources {
        lang,
        labels,
        stopped,
        accepted: accepted.map(|signature| signature.words(lang)),
        compared,
        ending: Ending::of(&here.folder, run, here.now),
        objections: objections::all(&here.folder, here.now)?,
        chain: &chain,
        facts: &facts,
        figures: &figures,
        reconciliation: &reconciliation,
        handed: chain.recipient.is_some().then(|| Handed::of(&here.folder, run, &figures, here.now)),
        undone: undone(&undo(run)?, &Discreet::of(&figures, &facts), lang),
        events: journal.head.lines,
        journal: &journal.head.digest,
        today: here.now.to_zoned(jiff::tz::TimeZone::UTC).date(),
    })
    .render()
    .map_err(|_| PAGE.fault(""))?;
    let kept = run.join(REPORT);
    // the run keeps its report, wherever else it was asked for: whoever comes next finds it there
    if let Some(to) = to {
        let place = runs::name(&here.folder, to);
        let copies = Some(chain.instruction.order().erasure.copies.value);
        copies::born(
            &here.folder,
            here.now,
            &[Born { store: Store::Report, place: &place, copies, marker: "" }],
        )?;
    }
    for path in [Some(kept.as_path()), to].into_iter().flatten() {
        folder::replace(path, spaced(&html, lang).as_bytes())?;
    }
    Ok(to.map_or(kept, Path::to_owned))
}

/// That the run was undone, in a sentence.
fn undone(undo: &Undo, told: &Discreet, lang: Language) -> Option<String> {
    match undo {
        Undo::Never => None,
        Undo::Begun => Some(
            lang.of(
                "An undo of this run began and did not come to its end: ecluse undo.",
                "Une annulation de cette migration a commencé et n’est pas arrivée à son terme : ecluse undo.",
            )
            .to_owned(),
        ),
        Undo::Ended(undone) => {
            let chunks = lang.plural(number(undone.kept.len()), lang.of("chunk", "lot"), lang.of("chunks", "lots"));
            let rows = |n| told.total(n).of(lang, lang.of("row", "ligne"), lang.of("rows", "lignes"));
            let left = rows(undone.kept.iter().map(|kept| kept.rows).sum());
            let kept = if undone.kept.is_empty() {
                lang.of("nothing of it is left at the destination", "il n’en reste rien à la destination").to_owned()
            } else {
                lang.of(
                    format!("{chunks} of {left} kept: ecluse status says why"),
                    format!("{chunks} ({left}) conservés : ecluse status dit pourquoi"),
                )
            };
            let (day, gone) = (day(&undone.ended, lang), rows(undone.rows()));
            Some(lang.of(
                format!("This run was undone on {day}: {gone} taken away, {kept}."),
                format!("Cette migration a été annulée le {day} : {gone} retirées, {kept}."),
            ))
        }
    }
}

/// Who accepted the differences, where somebody did.
fn accepted(here: &Here, reconciliation: &reconciled::Reconciled) -> Result<Option<Signature>> {
    let Some(found) = reconciliation.found() else { return Ok(None) };
    Ok(match acceptance::of(&here.folder, found, here.now)? {
        Acceptance::Whole(signature) => Some(*signature),
        Acceptance::Proposed | Acceptance::None => None,
    })
}
