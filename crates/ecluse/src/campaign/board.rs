//! The board: every laboratory's line, what only all of them together show, and who is needed first.

use std::cmp::Reverse;

use ecluse_core::fault::Code;
use ecluse_core::language::Language;
use jiff::Timestamp;
use serde::Serialize;

use super::Whole;
use super::row::{Papers, Row, State, row};
use crate::folder;
use crate::procedure::dates::day;
use crate::procedure::{ENGLISH, FRENCH};

static SAME_PAPER: Code = Code::refused("ECL-CAM-020", "two laboratories hold the same paper");
static SAME_SOURCE: Code = Code::refused("ECL-CAM-021", "two laboratories' orders name the same source");
static OTHER_ENTITY: Code =
    Code::refused("ECL-CAM-022", "the order is of another legal entity than the campaign's laboratory");

/// All lines.
#[derive(Debug, Serialize)]
pub(crate) struct Board {
    pub(crate) campaign: String,
    /// The day on which it was looked at.
    pub(crate) on: String,
    /// Who is needed first, first.
    pub(crate) laboratories: Vec<Row>,
    pub(crate) counts: Counts,
    /// Migration folders beside the listed ones.
    pub(crate) unlisted: Vec<String>,
}

/// How many stand how.
#[derive(Debug, Serialize)]
pub(crate) struct Counts {
    pub(crate) all: usize,
    pub(crate) refused: usize,
    pub(crate) laboratory: usize,
    pub(crate) operator: usize,
    pub(crate) done: usize,
    pub(crate) reconciled: usize,
    pub(crate) cut_over: usize,
    pub(crate) departing: usize,
}

/// Looks at every folder, one after the other.
pub(crate) fn look(whole: &Whole, lang: Language, now: Timestamp) -> Board {
    let words = lang.of(&ENGLISH, &FRENCH);
    let laboratories = &whole.campaign.laboratories;
    let mut rows: Vec<Row> = laboratories.iter().map(|one| row(whole, one, words, now)).collect();
    apart(&mut rows);
    rows.sort_by_key(|row| (row.state, Reverse(row.days)));
    Board {
        campaign: whole.campaign.name.clone(),
        on: day(now),
        counts: counts(&rows),
        laboratories: rows,
        unlisted: unlisted(whole),
    }
}

/// Refuses what no single folder shows: a paper or a source that two laboratories share. A folder
/// copied for the next laboratory begins so.
fn apart(rows: &mut [Row]) {
    let codes: Vec<_> = (0..rows.len()).map(|at| shared(rows, at)).collect();
    for (row, code) in rows.iter_mut().zip(codes) {
        if let Some(code) = code {
            row.code = Some(code.id.to_owned());
            row.state = State::Refused;
        }
    }
}

fn shared(rows: &[Row], at: usize) -> Option<&'static Code> {
    let row = rows.get(at)?;
    let mine = &row.papers;
    let others = || rows.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, row)| &row.papers);
    let same = |mine: &Option<String>, theirs: &Option<String>| mine.is_some() && mine == theirs;
    let paper = |theirs: &Papers| {
        same(&mine.contract, &theirs.contract) || same(&mine.instruction, &theirs.instruction)
    };
    // several laboratories in one base are told apart by their legal entities
    let source = |theirs: &Papers| {
        let apart = mine.entity.is_some() && theirs.entity.is_some() && mine.entity != theirs.entity;
        same(&mine.source, &theirs.source) && !apart
    };
    if others().any(paper) {
        return Some(&SAME_PAPER);
    }
    if others().any(source) {
        return Some(&SAME_SOURCE);
    }
    match (&row.finess, &mine.entity) {
        (Some(listed), Some((ordered, _))) if listed != ordered => Some(&OTHER_ENTITY),
        _ => None,
    }
}

fn counts(rows: &[Row]) -> Counts {
    let of = |state| rows.iter().filter(|row| row.state == state).count();
    Counts {
        all: rows.len(),
        refused: of(State::Refused),
        laboratory: of(State::Laboratory),
        operator: of(State::Operator),
        done: of(State::Done),
        reconciled: rows.iter().filter(|row| row.reconciled).count(),
        cut_over: rows.iter().filter(|row| row.cut_over).count(),
        departing: rows.iter().filter(|row| row.departs.unwrap_or(0) > 0).count(),
    }
}

/// Migration folders of the campaign's folder that its paper does not name: nobody would miss them.
fn unlisted(whole: &Whole) -> Vec<String> {
    let listed = |name: &str| whole.campaign.laboratories.iter().any(|one| one.folder.value == name);
    let folders = folder::list(&whole.root).unwrap_or_default();
    folders
        .into_iter()
        .filter(|path| ["contract.toml", "connections.toml"].iter().any(|file| path.join(file).is_file()))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .filter(|name| !listed(name))
        .collect()
}
