//! The run itself, and what was found when it was read back.

use ecluse_adapters::folder::{REPORT, Undo, figures, undo};
use ecluse_core::count::{count, plural};
use jiff::Timestamp;

use super::{Found, LAB, YOU, missing, refused};
use crate::commands::reconcile::Recorded;
use crate::commands::reconciled::{self, Reconciled};
use crate::commands::{ordered, undo as command};
use crate::folder::Folder;
use crate::papers::accepted::{self, Acceptance};
use crate::papers::quietly;

pub(super) fn run(folder: &Folder, trial: bool) -> Found {
    let read = figures(&folder.path(None, "run")).and_then(|f| Ok((f, undo(&folder.path(None, "run"))?)));
    let (figures, undo) = match read {
        Ok(read) => read,
        Err(fault) => return refused(&fault, YOU, "ecluse status"),
    };
    match figures {
        Some(_) if undo != Undo::Never => undone(folder, &undo),
        Some(f) if ordered::under(folder, &f).is_err() => Found::Missing {
            words: "not begun under this order".to_owned(),
            waits: YOU,
            advice: ordered::way_out(&folder.path(None, "run"), &f),
        },
        Some(f) if f.whole && f.is_beyond_tolerance() => missing(
            format!(
                "{} refused, {} tolerated: not the run that was ordered",
                plural(f.refused_rows(), "row", "rows"),
                count(f.tolerated)
            ),
            YOU,
            &[
                "Why, by code:  ecluse report;  which rows, by token:  ecluse status",
                "Mend the mapping, a code table or the source (or have an order signed that tolerates as many), then:",
                "  ecluse migrate",
            ],
        ),
        Some(f) if f.whole => Found::Done(format!(
            "{} moved, {} refused",
            plural(f.moved_rows(), "row", "rows"),
            count(f.refused_rows())
        )),
        Some(_) => missing(
            "begun, not through",
            YOU,
            &["The same command goes on where it stopped:  ecluse migrate"],
        ),
        None if trial => missing(
            "not begun",
            YOU,
            &[
                "Make the tables that the destination lacks, and move:  ecluse migrate --ddl",
                "Or look first, nothing moves and nothing is made:      ecluse plan",
            ],
        ),
        None => missing(
            "not begun",
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

/// A run that was undone is over; another one begins in a folder of its own.
fn undone(folder: &Folder, undo: &Undo) -> Found {
    let path = folder.path(None, "run");
    let Undo::Ended(undone) = undo else {
        return missing(
            "being undone, not through",
            YOU,
            &["The same command goes on where it stopped:  ecluse undo"],
        );
    };
    if !undone.kept.is_empty() {
        return missing(
            format!("undone but for {}", command::in_all(undone)),
            YOU,
            &[
                "What was kept and why:                     ecluse status",
                "Once its rows are as they were moved:      ecluse undo",
            ],
        );
    }
    let short: String = undone.run.chars().take(8).collect();
    let words = format!("undone, {} taken away", plural(undone.rows(), "row", "rows"));
    let (run, waits) = (path.display(), YOU);
    let advice = vec![
        "Its folder stays, under another name; it counts as a run of the order for ever.".to_owned(),
        format!("  mv {run} {run}.undone-{short}"),
        "If the order allows one more run (max_runs), it begins anew:  ecluse migrate".to_owned(),
    ];
    Found::Missing { words, waits, advice }
}

pub(super) fn reconciliation(folder: &Folder, now: Timestamp) -> Found {
    let run = folder.path(None, "run");
    let reconciled =
        figures(&run).and_then(|figures| figures.map_or(Ok(Reconciled::Never), |f| reconciled::of(&run, &f)));
    let reconciled = match reconciled {
        Ok(reconciled) => reconciled,
        Err(fault) => return refused(&fault, YOU, "ecluse status"),
    };
    match reconciled {
        Reconciled::Done(found) if found.holds => {
            Found::Done(format!("{} read back, no difference", plural(found.rows, "row", "rows")))
        }
        Reconciled::Done(found) => differ(folder, &found, now),
        Reconciled::Stale(_) => missing(
            "older than the run",
            YOU,
            &["The run has gone on since; read the destination back again:  ecluse reconcile"],
        ),
        Reconciled::Never => {
            missing("not done yet", YOU, &["A fresh process reads the destination back:  ecluse reconcile"])
        }
    }
}

/// Differences hold nothing up once the controller has accepted every one.
fn differ(folder: &Folder, found: &Recorded, now: Timestamp) -> Found {
    let rows = plural(found.differences, "difference", "differences");
    match quietly(|| accepted::of(folder, found, now)) {
        Ok(Acceptance::Whole(signature)) => Found::Done(signature.words()),
        Ok(Acceptance::Proposed) => missing(
            format!("{rows}, proposed to the laboratory"),
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
        ),
        Err(fault) => refused(&fault, YOU, "ecluse differences verify"),
    }
}

pub(super) fn report(folder: &Folder) -> Found {
    let path = folder.path(None, "run").join(REPORT);
    if path.exists() {
        Found::Done(path.display().to_string())
    } else {
        missing(
            "not written yet",
            YOU,
            &["Write the page for a biologist, a lawyer and an auditor:  ecluse report"],
        )
    }
}
