//! From a run folder and the papers to the page.

use ecluse_core::count::{count, plural};
use ecluse_core::document::Kind;
use ecluse_core::instruction::{Fate, label, rows_told};
use ecluse_core::language::Language;
use ecluse_core::person::Role;
use ecluse_core::signatures::{Signer, Way};
use ecluse_flow::figures::{Figures, TableFigures};
use ecluse_flow::rights::{minute, told};
use ecluse_seal::{Noted, What};

use super::caught;
use super::drawing::{Band, Widths, draw};
use super::facts::{Facts, TableFacts, spoken};
use super::figure::{Figure, alone, together};
use super::page::{Check, Difference, Link, Page, Refused, Section, TableLine};
use crate::commands::reconciled::Reconciled;
use crate::commands::sign::short;
use crate::papers::chain::Chain;

/// Everything the page is made of.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) chain: &'a Chain,
    pub(crate) facts: &'a Facts,
    pub(crate) figures: &'a Figures,
    pub(crate) reconciliation: &'a Reconciled,
    /// That the run was undone, where it was.
    pub(crate) undone: Option<String>,
    /// Events of the journal, all of them following from the one before.
    pub(crate) events: u64,
    pub(crate) journal: &'a str,
    /// Who accepted the differences that were found, in words; all of them, or nobody did.
    pub(crate) accepted: Option<String>,
    /// Why the order does not stand any more, where it was stopped.
    pub(crate) stopped: Option<String>,
    /// When the page is written.
    pub(crate) today: String,
}

/// The page.
pub(crate) fn page(from: &Sources<'_>) -> Page {
    let pairs: Vec<_> = from.figures.tables.iter().zip(&from.facts.tables).collect();
    let lines: Vec<TableLine> = pairs.iter().map(|(f, t)| table_line(f, t)).collect();
    let bands: Vec<Band> = pairs.iter().map(|(f, t)| band(f, t)).collect();
    let hidden =
        |l: &TableLine| [l.available, l.asked, l.moved, l.refused, l.left_out].iter().any(|f| f.is_hidden());
    let trial = from.chain.instruction.header().trial;
    Page {
        trial,
        invented: from.chain.contract.terms().is_invented(),
        title: format!("{}: {} → {}", from.chain.contract.terms().controller.name, from.facts.source, from.facts.destination),
        order: from.chain.order(),
        sentence: sentence(from, &lines),
        alerts: alerts(from),
        drawing: draw(&from.facts.source, &from.facts.destination, &bands),
        caption: "A band per table, as wide as its rows. What was not ordered bends away and stays; refused rows are the \
                  dashed thread."
            .into(),
        boxes: boxes(from),
        suppressed: lines.iter().any(hidden),
        filters: filters(from),
        tables: lines,
        chain: links(from),
        catch_ups: caught::sections(from.figures, from.facts),
        reconciliation: reconciliation(from),
        differences: differences(from),
        refusals: pairs.iter().flat_map(|(f, t)| refusals(f, t)).collect(),
        barriers: barriers(from),
        limits: limits(from),
        overrides: overrides(from),
        checks: checks(from),
        footer: format!("écluse {} · written on {} · run {}", env!("CARGO_PKG_VERSION"), from.today, short(&from.figures.run)),
    }
}

/// Which rows were ordered: told from the signed order, whatever lies in the run folder.
fn filters(from: &Sources<'_>) -> Vec<String> {
    let (order, dictionary) = (from.chain.instruction.order(), &from.chain.dictionary);
    let rows = rows_told(order, dictionary, Language::English);
    let tables = order.tables.iter().zip(rows);
    tables.filter_map(|(table, rows)| Some(format!("{}: {}.", label(table, dictionary), rows?))).collect()
}

/// Available, asked, moved, refused, left out by a trial, and what stays: withheld by the filter
/// or left out. Available = moved + refused + stays.
fn counts(f: &TableFigures, t: &TableFacts) -> [Figure; 6] {
    let stays = f.available.map(|_| staying(f));
    let refused = Some(f.refused_rows());
    together([f.available, Some(f.asked), Some(f.moved), refused, Some(f.left_out), stays], t.sensitive)
}

fn staying(f: &TableFigures) -> u64 {
    f.available.map_or(0, |a| a.saturating_sub(f.asked)) + f.left_out
}

fn table_line(f: &TableFigures, t: &TableFacts) -> TableLine {
    let [available, asked, moved, refused, left_out, _] = counts(f, t);
    TableLine {
        label: t.label.clone(),
        source: f.source.clone(),
        destination: f.destination.clone(),
        available,
        asked,
        moved,
        refused,
        left_out,
        columns: t.granted,
    }
}

fn band(f: &TableFigures, t: &TableFacts) -> Band {
    let [_, _, moved, refused, _, stays] = counts(f, t);
    let widths = Widths { moved: f.moved, refused: f.refused_rows(), stays: staying(f) };
    let fate = match f.left_out {
        0 => t.fate.clone(),
        all if all == staying(f) => "left out by the trial's limit".to_owned(),
        _ => "not ordered, or left out by the trial's limit".to_owned(),
    };
    Band { label: t.label.clone(), widths, moved, refused, stays, fate }
}

fn sentence(from: &Sources<'_>, lines: &[TableLine]) -> String {
    let what: Vec<String> = lines.iter().map(rows).collect();
    let who: Vec<String> = from
        .chain
        .instruction
        .signers()
        .iter()
        .filter(|s| s.role == Role::ControllerSignatory)
        .map(|s| s.told(Language::English))
        .collect();
    // a start that was killed left no end
    let when =
        [&from.figures.ended, &from.figures.began].into_iter().find_map(|t| t.get(..10)).unwrap_or_default();
    let beyond = from.figures.is_beyond_tolerance();
    let found = match from.reconciliation.found() {
        Some(r) if r.holds && beyond => {
            "more rows were refused than the order tolerates; what moved was found again, unchanged"
        }
        None if beyond => {
            "more rows were refused than the order tolerates, and nobody has read the destination back yet"
        }
        Some(r) if r.holds && from.figures.tables.iter().any(|t| t.left_out > 0) => {
            "every row that moved was found again, unchanged; the rest was left out, as in every trial"
        }
        Some(r) if r.holds => "every row was found again, unchanged",
        Some(_) if from.accepted.is_some() => {
            "every row was found again but for differences that the laboratory accepted"
        }
        Some(_) => "not every row was found again as it left",
        None => "nobody has read the destination back yet",
    };
    let stays: u64 = from.facts.stays.values().sum();
    format!(
        "{} moved from {} to {} on {when}, as ordered by {}; {found}. {} stayed.",
        listed(&what),
        from.facts.source,
        from.facts.destination,
        listed(&who),
        plural(stays, "column", "columns"),
    )
}

/// `612 patients` where the laboratory has a word for it, else `612 rows of sigl_03_data`.
fn rows(line: &TableLine) -> String {
    let (n, rows) = (line.moved, if line.moved == Figure::Exact(1) { "row" } else { "rows" });
    if line.label == line.source {
        format!("{n} {rows} of {}", line.source)
    } else {
        format!("{n} {}", line.label.to_lowercase())
    }
}

fn listed<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

fn alerts(from: &Sources<'_>) -> Vec<String> {
    let mut alerts: Vec<String> = from.stopped.iter().chain(&from.undone).cloned().collect();
    if !from.figures.whole {
        alerts.push("The run is not through: the same command goes on where it stopped.".into());
    }
    if from.figures.is_beyond_tolerance() {
        alerts.push(
            "More rows were refused than the order tolerates: this is not the migration that was ordered. ecluse status names the rows by token."
                .into(),
        );
    }
    match from.reconciliation {
        Reconciled::Never if from.undone.is_some() => {}
        Reconciled::Never => alerts.push(
            "The destination has not been read back: run ecluse reconcile, then write this page again."
                .into(),
        ),
        Reconciled::Stale(at) => alerts.push(format!(
            "The run has gone on since the destination was read back on {}: run ecluse reconcile, then \
             write this page again.",
            hour(at)
        )),
        Reconciled::Done(_) => {}
    }
    if let Some(r) = from.reconciliation.found().filter(|r| !r.holds && from.accepted.is_none()) {
        alerts.push(format!(
            "{} between source and destination: see “Reconciliation”.",
            plural(r.differences, "difference", "differences")
        ));
    }
    if from.facts.without_fate > 0 {
        alerts.push(format!(
            "{} that stay have no fate in the order.",
            plural(from.facts.without_fate, "column", "columns")
        ));
    }
    alerts
}

fn boxes(from: &Sources<'_>) -> Vec<Section> {
    let order = from.chain.instruction.order();
    let terms = from.chain.contract.terms();
    let columns: usize = from.facts.tables.iter().map(|t| t.granted).sum();
    let staying: Vec<String> = from
        .facts
        .stays
        .iter()
        .map(|(class, n)| {
            let fate = order
                .stays
                .iter()
                .find(|s| s.class.value.name() == class)
                .map_or_else(|| "no fate named".into(), spoken);
            format!("{class}: {}, {fate}", plural(*n, "column", "columns"))
        })
        .collect();
    let mut destroyed = vec![format!("Every copy écluse made: by {}", order.erasure.copies.value)];
    if let Some(day) = &order.erasure.source {
        destroyed.push(format!("What moved, at the source: by {}", day.value));
    }
    destroyed.extend(
        order
            .stays
            .iter()
            .filter(|s| matches!(s.fate, Fate::Destroy { .. }))
            .map(|s| format!("{}: {}", s.class.value.name(), spoken(s))),
    );
    vec![
        Section {
            title: "What left",
            lines: vec![
                format!(
                    "{} of {}",
                    plural(u64::try_from(columns).unwrap_or(0), "column", "columns"),
                    plural(u64::try_from(from.facts.tables.len()).unwrap_or(0), "table", "tables")
                ),
                format!("for: {}", order.purpose.value),
            ],
        },
        Section { title: "What stayed, and what becomes of it", lines: staying },
        Section {
            title: "Who received",
            lines: vec![
                from.facts.destination.clone(),
                format!("carried by {}, operator {}", terms.processor.name, from.facts.operator),
            ],
        },
        Section { title: "When it is destroyed", lines: destroyed },
    ]
}

fn links(from: &Sources<'_>) -> Vec<Link> {
    let mut links: Vec<Link> = from
        .chain
        .links
        .iter()
        .map(|l| {
            let names: Vec<String> = l.signers.iter().map(|s| s.told(Language::English)).collect();
            let signer = if names.is_empty() { "cited by the order".to_owned() } else { names.join("; ") };
            Link {
                artefact: l.artefact.clone(),
                signer,
                when: l.when.clone(),
                fingerprint: short(&l.digest),
                missing: String::new(),
                later: false,
            }
        })
        .collect();
    let run_missing = match (&from.undone, from.figures.whole) {
        (Some(_), _) => "undone",
        (None, true) => "",
        (None, false) => "not through",
    };
    let day = |t: &str| t.get(..10).unwrap_or_default().to_owned();
    links.push(Link {
        artefact: format!("run, journal of {} events", count(from.events)),
        signer: format!("{} (session)", from.facts.operator),
        when: day(&from.figures.ended),
        fingerprint: short(from.journal),
        missing: run_missing.into(),
        later: false,
    });
    let (when, missing) = match from.reconciliation.found() {
        Some(r) if r.holds => (day(&r.at), String::new()),
        Some(r) => (day(&r.at), plural(r.differences, "difference", "differences")),
        None => (String::new(), "not done".into()),
    };
    links.push(Link { artefact: "reconciliation".into(), when, missing, ..Link::default() });
    for later in ["acceptance", "erasure"] {
        links.push(Link {
            artefact: later.into(),
            missing: "not yet part of this version".into(),
            later: true,
            ..Link::default()
        });
    }
    links
}

fn reconciliation(from: &Sources<'_>) -> String {
    match from.reconciliation.found() {
        None => "The destination has not been read back since the run last changed it.".into(),
        Some(r) => {
            let since = if r.since > 0 {
                format!(
                    " {} at the source since the run; that is no damage.",
                    plural(r.since, "row changed", "rows changed")
                )
            } else {
                String::new()
            };
            let found = if r.holds {
                let related = from.facts.tables.iter().map(|t| t.relations).sum::<usize>();
                if related > 0 {
                    "each is there once, unchanged, and hangs on the row it belongs to.".to_owned()
                } else {
                    "each is there once, unchanged. Neither the order nor the dictionary names a relation between \
                     these tables: whether a row hangs on the right one is known from its own columns only."
                        .to_owned()
                }
            } else {
                let accepted = from.accepted.as_ref().map_or(String::new(), |words| format!(" {words}."));
                format!("{}.{accepted}", plural(r.differences, "differs", "differ"))
            };
            format!(
                "A fresh process read {} back and compared them with the tallies of what left the source: {found}{since} \
                 This finds accidents and outsiders, not whoever holds the run's tally key.",
                plural(r.rows, "row", "rows"),
            )
        }
    }
}

/// How many differences the page lists; the run folder has all.
const LISTED: usize = 50;

fn differences(from: &Sources<'_>) -> Vec<Difference> {
    let list = from.reconciliation.found().map(|r| r.list.as_slice()).unwrap_or_default();
    list.iter()
        .take(LISTED)
        .map(|d| Difference {
            words: d.words.clone(),
            table: d.table.clone(),
            column: d.column.clone().unwrap_or_default(),
            chunk: d.chunk.to_string(),
            row: d.row.clone().unwrap_or_else(|| plural(d.rows, "row", "rows")),
        })
        .collect()
}

fn refusals(f: &TableFigures, t: &TableFacts) -> Vec<Refused> {
    f.refused
        .iter()
        .map(|(code, n)| {
            let id = code.split_whitespace().next().unwrap_or_default();
            let place = code.split_whitespace().nth(1).unwrap_or_default();
            let words = crate::commands::explain::title(id).unwrap_or(id);
            Refused {
                code: id.to_owned(),
                words: if place.is_empty() { words.to_owned() } else { format!("{words} ({place})") },
                table: t.label.clone(),
                rows: alone(*n, t.sensitive),
            }
        })
        .collect()
}

fn barriers(from: &Sources<'_>) -> Vec<String> {
    let mut barriers: Vec<String> = noted(from, What::Barrier)
        .map(|n| format!("At the source, since {}: {}", hour(&n.at), n.words))
        .collect();
    barriers.push("In écluse: the plan names its columns one by one, and each row was checked again against the order's filter.".into());
    barriers
}

fn limits(from: &Sources<'_>) -> Vec<String> {
    let mut limits: Vec<String> =
        noted(from, What::Limit).map(|n| format!("{} ({})", n.words, hour(&n.at))).collect();
    limits.push("What the two database servers write into their own logs and journals is theirs.".into());
    limits.push(
        "Whoever has another account on the source, or a backup of it, is outside of this page.".into(),
    );
    limits
}

/// Those of every start of the run: a later one without them does not cover them up.
fn overrides(from: &Sources<'_>) -> Vec<String> {
    let spoken = |n: &Noted| match n.what {
        What::WithoutViews => {
            Some(format!("The tables themselves were read, not views made by the administrator: {}", n.words))
        }
        What::WiderRole => {
            Some(format!("The role can do more than the order needs, and was accepted: {}", n.words))
        }
        What::Excess | What::Barrier | What::Limit => None,
    };
    let all = from.figures.noted.iter();
    let mut overrides: Vec<String> =
        all.filter_map(|n| spoken(n).map(|words| format!("{}: {words}", hour(&n.at)))).collect();
    let excess: Vec<&Noted> = noted(from, What::Excess).collect();
    for met in excess.chunk_by(|a, b| minute(&a.at) == minute(&b.at)) {
        let since = met.first().map(|n| hour(&n.at)).unwrap_or_default();
        let rights: Vec<&str> = met.iter().map(|n| n.words.as_str()).collect();
        let told = told(&rights);
        let shortened = told.len() < rights.len();
        overrides.extend(told.iter().map(|e| format!("{since}: The role {e}.")));
        if shortened {
            overrides.push(format!("{since}: Each of these rights stands in the run's figures.json."));
        }
    }
    if let Some(compared) = from.reconciliation.found() {
        let said = |reason| {
            format!("{}: The comparison could read more than it needs: {reason}", hour(&compared.at))
        };
        overrides.extend(compared.overrides.iter().map(said));
    }
    overrides
}

fn noted<'a>(from: &'a Sources<'_>, what: What) -> impl Iterator<Item = &'a Noted> {
    from.figures.noted.iter().filter(move |n| n.what == what)
}

/// `2026-11-22 05:00 UTC`.
pub(super) fn hour(at: &str) -> String {
    at.get(..16).map_or_else(|| at.to_owned(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

/// Whose key a signature's fingerprint is.
fn key_of(signer: &Signer) -> &str {
    match &signer.way {
        Way::Key => &signer.person,
        Way::Paper { checker } | Way::Word { checker } => checker,
    }
}

fn checks(from: &Sources<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for s in from.chain.instruction.signers() {
        checks.push(Check {
            what: format!(
                "The order's signature: the key of {} ({}) has the fingerprint",
                key_of(s),
                s.role.name()
            ),
            how: s.fingerprint.clone(),
        });
    }
    let email = from.chain.instruction.signers().first().map(|s| s.email.as_str()).unwrap_or_default();
    checks.push(Check {
        what: "Write that key into a file “allowed” as: ADDRESS namespaces=\"ecluse-instruction-v1\" KEY; then".into(),
        how: format!(
            "ssh-keygen -Y verify -n {} -f allowed -I {email} -s instruction.toml.sigs/NAME.sig < instruction.toml",
            Kind::Instruction.namespace(),
        ),
    });
    checks.push(Check {
        what: "The papers' digests: their first 8 characters stand in the chain above".into(),
        how: "sha256sum contract.toml instruction.toml mapping.toml dictionary.toml".into(),
    });
    checks.push(Check {
        what: "The papers, the figures and the run's journal, each line following from the one before".into(),
        how: "ecluse instruction verify; ecluse status run".into(),
    });
    checks
}
