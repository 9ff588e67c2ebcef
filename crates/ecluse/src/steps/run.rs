//! The run itself, and what was found when it was read back.

use ecluse_adapters::folder::{REPORT, Undo, figures, undo};
use ecluse_core::instruction::{Order, parse};
use ecluse_core::language::Language;
use ecluse_core::reference::FILE;

use super::{At, Found, LAB, YOU, missing, refused};
use crate::commands::reconcile::Recorded;
use crate::commands::reconciled::{self, Reconciled};
use crate::commands::{ordered, runs, sampled, undo as command, withdrawn};
use crate::folder::{self, Folder};
use crate::papers::accepted::{self, Acceptance};
use crate::papers::stopped::set_aside;
use crate::papers::{Paper, quietly};
use crate::report::discreet::Discreet;
use crate::report::figure::Figure;

pub(super) fn run(at: At<'_>) -> Found {
    let At { folder, trial, lang, .. } = at;
    let read = figures(&folder.path(None, "run")).and_then(|f| Ok((f, undo(&folder.path(None, "run"))?)));
    let (figures, undo) = match read {
        Ok(read) => read,
        Err(fault) => return refused(at, &fault, YOU, "ecluse status"),
    };
    match figures {
        Some(f) if undo != Undo::Never => undone(at, &undo, &Discreet::read(&folder.path(None, "run"), &f)),
        Some(f) if ordered::under(folder, &f).is_err() => Found::Missing {
            words: lang.of("not begun under this order", "pas commencé sous cet ordre").to_owned(),
            waits: YOU,
            code: None,
            advice: ordered::way_out(&folder.path(None, "run"), &f),
        },
        Some(f) if f.whole && f.is_beyond_tolerance() => missing(
            {
                let discreet = Discreet::read(&folder.path(None, "run"), &f);
                let (refused, tolerated) =
                    (rows(lang, discreet.total(f.refused_rows())), lang.count(f.tolerated));
                match lang {
                    Language::English => {
                        format!("{refused} refused, {tolerated} tolerated: not the run that was ordered")
                    }
                    Language::French => {
                        format!("{refused} refusées, {tolerated} tolérées : ce n’est pas le passage ordonné")
                    }
                }
            },
            YOU,
            &[
                "Which rows, by token, code and column:  ecluse rejected;  for all to read:  ecluse report",
                "Mend the mapping, a code table or the source (or have an order signed that tolerates as many), then:",
                "  ecluse migrate",
            ],
        )
        .coded(Some(ordered::TOO_MANY.id)),
        Some(f) if f.whole => {
            let discreet = Discreet::read(&folder.path(None, "run"), &f);
            Found::Done(format!(
                "{} {}, {} {}",
                rows(lang, discreet.total(f.moved_rows())),
                lang.of("moved", "déplacées"),
                discreet.total(f.refused_rows()).told(lang),
                lang.of("refused", "refusées"),
            ))
        }
        Some(f) if f.reference => reference(at),
        Some(f) if f.is_through() => missing(
            f.sample
                .as_ref()
                .map(|sample| {
                    let discreet = Discreet::read(&folder.path(None, "run"), &f);
                    sampled::stands(sample, &f, &discreet, lang)
                })
                .unwrap_or_default(),
            YOU,
            if first(folder) { SAMPLED_WITH_REFERENCE } else { SAMPLED },
        ),
        Some(_) => missing(
            lang.of("begun, not through", "commencé, pas au bout"),
            YOU,
            &["The same command goes on where it stopped:  ecluse migrate"],
        ),
        None if first(folder) => missing(
            lang.of("not begun", "pas commencé"),
            YOU,
            &[
                "What the code tables do, for the biologist:  ecluse reference print",
                "The reference data come first:               ecluse migrate --reference",
            ],
        ),
        None if witnessed(folder) => missing(
            lang.of("not begun", "pas commencé"),
            YOU,
            &[
                "The role that may read these rows only (the administrator runs the script):  ecluse grants",
                "The tables that the destination lacks:                                       ecluse plan --ddl",
                "What would move, noted in the journal:                                       ecluse plan",
                "The laboratory, which has the journal before it, states the order again:     ecluse instruction status --key FILE",
                "Move:                                                                        ecluse migrate",
            ],
        ),
        None if trial => missing(
            lang.of("not begun", "pas commencé"),
            YOU,
            &[
                "Make the tables that the destination lacks, and move:  ecluse migrate --ddl",
                "Or look first, nothing moves and nothing is made:      ecluse plan",
            ],
        ),
        None => missing(
            lang.of("not begun", "pas commencé"),
            YOU,
            &[
                "The role that may read these rows only (the administrator runs the script):  ecluse grants",
                "The tables that the destination lacks:                                       ecluse plan --ddl",
                "What would move:                                                             ecluse plan",
                "Move:                                                                        ecluse migrate",
            ],
        ),
    }
}

const SAMPLED: &[&str] = &[
    "Read the sample back:                     ecluse reconcile",
    "Then the whole, in the sample's place:    ecluse migrate",
];
const SAMPLED_WITH_REFERENCE: &[&str] = &[
    "Read the sample back, and the reference data:         ecluse reconcile",
    "Have the reference data accepted, where nobody has:   ecluse reference propose",
    "Then the whole, in the sample's place:                ecluse migrate",
];

/// Whether the order marks reference data, as far as it can be read.
fn first(folder: &Folder) -> bool {
    order(folder).is_some_and(|order| order.tables.iter().any(|table| table.reference))
}

/// Whether the order wants its plan seen by somebody else before a row moves.
fn witnessed(folder: &Folder) -> bool {
    order(folder).is_some_and(|order| order.witnessed)
}

/// The order as it is written; whether it is signed is asked elsewhere.
fn order(folder: &Folder) -> Option<Order> {
    let bytes = folder::read(&folder.path(None, "instruction.toml"), "").ok()?;
    String::from_utf8(bytes).ok().and_then(|text| parse(&text).ok())
}

/// The reference data stand there, and nothing else moves before they are accepted.
fn reference(At { folder, lang, .. }: At<'_>) -> Found {
    let words = lang.of("the reference data have moved", "les données de référence sont passées");
    let paper = folder.path(None, FILE);
    match Paper::read(&paper, "").map(|paper| paper.signatures.is_empty()) {
        Err(_) => missing(
            words,
            YOU,
            &[
                "Read them back:                     ecluse reconcile --reference",
                "Have them accepted by a biologist:  ecluse reference propose",
            ],
        ),
        Ok(true) => missing(
            words,
            LAB,
            &[
                "A biologist looks at them in the new system, and accepts them:  ecluse reference sign --key FILE",
            ],
        ),
        Ok(false) => missing(
            lang.of("the reference data are accepted", "les données de référence sont acceptées"),
            YOU,
            &["The rest moves:  ecluse migrate"],
        ),
    }
}

/// A run that was undone is over; another one begins in a folder of its own.
fn undone(At { folder, lang, .. }: At<'_>, undo: &Undo, told: &Discreet) -> Found {
    let path = folder.path(None, "run");
    let Undo::Ended(undone) = undo else {
        return missing(
            lang.of("being undone, not through", "annulation commencée, pas au bout"),
            YOU,
            &["The same command goes on where it stopped:  ecluse undo"],
        );
    };
    if !undone.kept.is_empty() {
        let kept = match lang {
            Language::English => format!("undone but for {}", command::in_all(undone)),
            Language::French => {
                let kept = undone.kept.iter().map(|kept| kept.rows).sum();
                format!("annulé, sauf {} gardées", rows(lang, told.total(kept)))
            }
        };
        return missing(
            kept,
            YOU,
            &[
                "What was kept and why:                     ecluse status",
                "Once its rows are as they were moved:      ecluse undo",
            ],
        )
        .coded(undone.gravest().map(|code| code.id));
    }
    let short: String = undone.run.chars().take(8).collect();
    let gone = rows(lang, told.total(undone.rows()));
    let words = lang.of(format!("undone, {gone} taken away"), format!("annulé, {gone} retirées"));
    let (run, waits) = (path.display(), YOU);
    let mut advice = vec![
        "Its folder stays, under another name; it counts as a run of the order for ever.".to_owned(),
        format!("  mv {run} {run}.undone-{short}"),
    ];
    match (order(folder), runs::used(folder, &undone.instruction)) {
        (Some(order), Ok(used)) if used >= order.max_runs => advice.extend([
            format!(
                "The order's runs are used up ({used} of {}, max_runs): a new version is signed first.",
                order.max_runs
            ),
            format!("  {}", set_aside(&undone.instruction)),
            "  ecluse instruction new     (ecluse next then says with which tables)".to_owned(),
        ]),
        (Some(order), Ok(used)) => advice.push(format!(
            "Then it begins anew (run {} of the {} that the order allows):  ecluse migrate",
            used + 1,
            order.max_runs
        )),
        _ => advice
            .push("If the order allows one more run (max_runs), it begins anew:  ecluse migrate".to_owned()),
    }
    Found::Missing { words, waits, advice, code: None }
}

/// `1 row`, `2 rows`.
fn rows(lang: Language, n: Figure) -> String {
    n.of(lang, lang.of("row", "ligne"), lang.of("rows", "lignes"))
}

pub(super) fn reconciliation(at: At<'_>) -> Found {
    let At { folder, lang, .. } = at;
    let run = folder.path(None, "run");
    let read = figures(&run).and_then(|figures| {
        let discreet = Discreet::read(&run, &figures.clone().unwrap_or_default());
        Ok((figures.map_or(Ok(Reconciled::Never), |f| reconciled::of(&run, &f))?, discreet))
    });
    let (reconciled, discreet) = match read {
        Ok(read) => read,
        Err(fault) => return refused(at, &fault, YOU, "ecluse status"),
    };
    match reconciled {
        Reconciled::Done(found) if found.holds => {
            let same = lang.of("read back, no difference", "relues, aucune différence");
            Found::Done(format!("{} {same}", rows(lang, discreet.total(found.rows))))
        }
        Reconciled::Done(found) => differ(at, &found),
        Reconciled::Stale(_) => missing(
            lang.of("older than the run", "plus ancien que le passage"),
            YOU,
            &["The run has gone on since; read the destination back again:  ecluse reconcile"],
        ),
        Reconciled::Never => {
            let words = lang.of("not done yet", "pas encore fait");
            missing(words, YOU, &["A fresh process reads the destination back:  ecluse reconcile"])
        }
    }
}

/// Differences hold nothing up once the controller has accepted every one.
fn differ(at: At<'_>, found: &Recorded) -> Found {
    let At { folder, now, lang, .. } = at;
    let rows = lang.plural(
        found.differences,
        lang.of("difference", "différence"),
        lang.of("differences", "différences"),
    );
    match quietly(|| accepted::of(folder, found, now)) {
        Ok(Acceptance::Whole(signature)) => Found::Done(signature.words(lang)),
        Ok(Acceptance::Proposed) => missing(
            format!("{rows}, {}", lang.of("proposed to the laboratory", "proposées au laboratoire")),
            LAB,
            &[
                "The signatory reads differences.toml and accepts, or not:  ecluse differences sign --key FILE",
            ],
        ),
        Ok(Acceptance::None) => missing(
            rows,
            YOU,
            &[
                "See them again:             ecluse reconcile",
                "Put right from the source:  ecluse migrate --repair",
                "Or, where they are right as they are:  ecluse differences propose",
            ],
        )
        .coded(found.list.iter().find(|d| d.damage).map(|d| d.code.as_str())),
        Err(fault) => refused(at, &fault, YOU, "ecluse differences verify"),
    }
}

/// The page; that one was taken away is told even while another step is `waiting`.
pub(super) fn report(at: At<'_>, waiting: bool) -> Found {
    let path = at.folder.path(None, "run").join(REPORT);
    let again = "Write the page for a biologist, a lawyer and an auditor:  ecluse report";
    if path.exists() {
        return Found::Done(path.display().to_string());
    }
    match withdrawn::words(&at.folder.path(None, "run"), at.lang) {
        Ok(Some(words)) if waiting => Found::Later(words),
        Ok(Some(words)) => missing(words, YOU, &["Whoever holds that page must learn of it.", again]),
        Ok(None) => missing(at.lang.of("not written yet", "pas encore écrit"), YOU, &[again]),
        Err(fault) => refused(at, &fault, YOU, "ecluse status"),
    }
}
