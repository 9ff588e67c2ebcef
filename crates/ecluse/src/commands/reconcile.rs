//! `ecluse reconcile`: the destination, read back by this fresh process, and compared.

use std::collections::BTreeMap;
use std::path::Path;

use ecluse_adapters::folder::{RECONCILIATION as FILE, RunFolder, figures};
use ecluse_core::count::{count, plural};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_flow::event::Head;
use ecluse_flow::figures::Figures;
use ecluse_flow::ports::Record as _;
use ecluse_flow::reconcile::{Difference, Kind, Reconciliation, conclude, reconcile};
use ecluse_flow::run::Options;
use ecluse_flow::start::Start;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::begun::begun;
use super::{Here, ordered, sampled, withdrawn};
use crate::cli::{PaperArgs, ReconcileArgs};
use crate::connect;
use crate::output;
use crate::papers::accepted::{self, Acceptance};
use crate::progress::Teller;
use crate::ready::{self, Ends, Missing, Ready};

/// How many differences are printed; the file has all.
const SHOWN: usize = 20;

/// The recorded outcome, as the report reads it: counts and tokens only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) at: String,
    /// The run that was compared, and the instruction it was moved under.
    pub(crate) run: String,
    pub(crate) instruction: String,
    /// Where the journal stood when it was through: lines, and the last one's digest.
    pub(crate) lines: u64,
    pub(crate) journal: String,
    pub(crate) holds: bool,
    /// Rows read back.
    pub(crate) rows: u64,
    /// Files read back that rows name.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(crate) files: u64,
    /// Rows that are damage, each once; and how many of each kind, in words.
    pub(crate) differences: u64,
    #[serde(default)]
    pub(crate) kinds: BTreeMap<String, u64>,
    /// Changed at the source since the run; no damage.
    pub(crate) since: u64,
    /// Under which overrides the source could be read, with their reasons.
    #[serde(default)]
    pub(crate) overrides: Vec<String>,
    pub(crate) list: Vec<RecordedDifference>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
const fn is_none(files: &u64) -> bool {
    *files == 0
}

/// One difference, in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RecordedDifference {
    pub(crate) code: String,
    pub(crate) words: String,
    pub(crate) table: String,
    pub(crate) column: Option<String>,
    pub(crate) chunk: u64,
    pub(crate) row: Option<String>,
    pub(crate) rows: u64,
    /// Whether it is damage: a row that changed at the source since is none.
    #[serde(default)]
    pub(crate) damage: bool,
    /// The published tally of the chunk as it was read back.
    #[serde(default)]
    pub(crate) there: Option<String>,
}

pub(super) fn run(here: &Here, args: &ReconcileArgs) -> Result<()> {
    let run = here.folder.path(args.begun.run.dir.as_deref(), "run");
    begun(&run)?;
    let papers = args.begun.papers();
    let figures = figures(&run)?;
    let start = if args.reference { Start::Reference } else { Start::Whole };
    let (found, gravest) = compared(here, &papers, &run, (args.full, start))?;
    output::document(&found);
    let holds = told(here, &run, figures, &found, gravest);
    withdrawn::told(&run)?;
    holds
}

/// What was found, in words; a difference that nobody accepted is a refusal.
fn told(
    here: &Here,
    run: &Path,
    figures: Option<Figures>,
    found: &Recorded,
    gravest: Option<&'static Code>,
) -> Result<()> {
    let Some(gravest) = gravest else {
        output::line(format!(
            "{} read back; every one is as the order and the mapping say.",
            plural(found.rows, "row", "rows")
        ));
        if found.files > 0 {
            let files = plural(found.files, "file", "files");
            output::line(format!("{files} read back that rows name; each holds what was moved."));
        }
        listed(found, run);
        if found.since > 0 {
            output::line(format!(
                "{} changed at the source since: catch up with  ecluse migrate",
                plural(found.since, "row has", "rows have")
            ));
        }
        if let Some(sample) = figures.as_ref().and_then(|figures| figures.sample.as_ref()) {
            output::line(format!("{}: this is not the whole run.", sampled::dossiers(sample)));
        }
        return figures.map_or(Ok(()), |figures| ordered::tolerable(&figures));
    };
    listed(found, run);
    output::line(format!("{} of {} differ.", count(found.differences), plural(found.rows, "row", "rows")));
    match accepted::of(&here.folder, found, here.now)? {
        Acceptance::Whole(signature) => {
            output::line(format!("{}.", signature.words(Language::English)));
            output::document(&json!({ "accepted": signature.rows(), "list": found.list }));
            return figures.map_or(Ok(()), |figures| ordered::tolerable(&figures));
        }
        Acceptance::Proposed => output::line(
            "They are proposed to the laboratory, whose signatory accepts them or not:  ecluse differences sign --key FILE",
        ),
        Acceptance::None => {
            output::line(
                "Where they are right as they are, the laboratory can accept them:  ecluse differences propose",
            );
        }
    }
    if let Some(token) = found.list.iter().find_map(|d| d.row.as_ref()) {
        output::line(format!("Show the row on the laboratory's premises:  ecluse locate {token}"));
    }
    Err(gravest.fault(kinds(found)).help("put the chunks right from the source: ecluse migrate --repair"))
}

/// The first of what differs, and where the rest stands.
fn listed(found: &Recorded, run: &Path) {
    for d in found.list.iter().take(SHOWN) {
        let column = d.column.as_ref().map_or(String::new(), |c| format!("   column {c}"));
        let row = d.row.as_ref().map_or_else(|| format!("{} rows", count(d.rows)), |t| format!("row {t}"));
        output::line(format!("  {}   chunk {}   {row}{column}   {}", d.table, d.chunk, d.words));
    }
    if found.list.len() > SHOWN {
        output::line(format!("  … all of them: {}", run.join(FILE).display()));
    }
}

/// `2 altered, 1 missing`.
fn kinds(found: &Recorded) -> String {
    found.kinds.iter().map(|(words, rows)| format!("{} {words}", count(*rows))).collect::<Vec<_>>().join(", ")
}

/// Compares, and writes down what was found: of everything, or of the reference data alone.
///
/// # Errors
///
/// Where the comparison could not be made.
fn compared(
    here: &Here,
    papers: &PaperArgs,
    run: &Path,
    (full, start): (bool, Start),
) -> Result<(Recorded, Option<&'static Code>)> {
    let (ready, ends) = Ready::prepare(here, papers, Missing::Refuse)?;
    let mut record = RunFolder::existing(run, &here.journal())?;
    ready.swept(&mut record)?;
    let Ends { source, mut destination } = ends;
    let mut first = Some(source);
    let mut teller = Teller::new();
    let still = &papers.still;
    let overrides: Vec<String> =
        [&still.without_views, &still.accept_wider_role].into_iter().flatten().cloned().collect();
    ready.with_orders(|orders| {
        let mut open = || match first.take() {
            Some(source) => Ok(source),
            None => connect::source(&ready.source),
        };
        let found = reconcile(
            orders,
            Options { start, full, ..ready.options() },
            &mut open,
            destination.as_mut(),
            &mut record,
            ready::world(),
            &mut |p| {
                teller.tell(p);
            },
        )?;
        let head = record.head();
        let recorded =
            Recorded { overrides, ..summary(&found, here, ready.chain.instruction.digest(), head) };
        let json = serde_json::to_vec_pretty(&recorded).unwrap_or_default();
        conclude(&found, &json, orders, &mut record, ready::world())?;
        Ok((recorded, found.gravest()))
    })
}

/// What was found, as the run folder keeps it.
pub(super) fn summary(found: &Reconciliation, here: &Here, instruction: &str, journal: Head) -> Recorded {
    Recorded {
        at: here.now.to_string(),
        run: found.run.clone(),
        instruction: instruction.to_owned(),
        lines: journal.lines,
        journal: journal.digest,
        holds: found.holds(),
        rows: found.tables.iter().map(|t| t.rows).sum(),
        files: found.tables.iter().map(|t| t.files).sum(),
        differences: found.rows(Kind::is_damage),
        kinds: found.damaged().iter().map(|(kind, rows)| (kind.words().to_owned(), *rows)).collect(),
        since: found.rows(|kind| kind == Kind::Since),
        overrides: Vec::new(),
        list: found.differences.iter().map(line).collect(),
    }
}

fn line(d: &Difference) -> RecordedDifference {
    RecordedDifference {
        code: d.kind.code().id.to_owned(),
        words: d.kind.code().title.to_owned(),
        table: d.table.clone(),
        column: d.column.clone(),
        chunk: d.chunk,
        row: d.row.clone(),
        rows: d.rows,
        damage: d.kind.is_damage(),
        there: d.there.clone(),
    }
}
