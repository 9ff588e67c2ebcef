//! `ecluse campaign`: the board of many laboratories, on the terminal, as JSON, or as a page.

use std::path::{Path, PathBuf};

use askama::Template as _;
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use jiff::Timestamp;
use serde_json::json;

use crate::campaign::board::{Board, look};
use crate::campaign::page::{Page, sentence};
use crate::campaign::row::{Row, State};
use crate::campaign::{Whole, diff, each, inherit, lay_out};
use crate::cli::{BoardArgs, Campaign, CampaignArgs};
use crate::procedure::{ENGLISH, FRENCH};
use crate::{folder, output};

static PAGE: Code = Code::refused("ECL-CAM-015", "the board could not be made a page");
static REFUSED: Code = Code::refused("ECL-CAM-030", "some laboratories are refused, or differ");

pub(super) fn run(args: &CampaignArgs, given: Option<&Path>, now: Timestamp) -> Result<()> {
    match &args.command {
        None => board(&args.board, given, now),
        Some(Campaign::New { folder }) => lay_out::run(folder, now),
        Some(Campaign::Inherit(of)) => inherit::run(of, now),
        Some(Campaign::Diff(of)) => diff::run(of),
        Some(Campaign::Each(args)) => each::run(args, now),
    }
}

fn board(args: &BoardArgs, given: Option<&Path>, now: Timestamp) -> Result<()> {
    let root = args.folder.as_deref().or(given).map_or_else(|| PathBuf::from("."), Path::to_owned);
    let whole = Whole::read(&root)?;
    // the program itself speaks English; the page speaks its reader's language
    let lang = if args.output.is_some() { args.lang.into() } else { Language::English };
    let board = look(&whole, lang, now);
    output::document(&board);
    if let Some(path) = &args.output {
        let page = Page { lang, w: lang.of(&ENGLISH, &FRENCH), b: &board };
        let html = page.render().map_err(|_| PAGE.fault(""))?;
        folder::replace(path, html.as_bytes())?;
        output::line(path.display().to_string());
        output::document(&json!({ "page": path }));
    } else {
        told(&board, &root);
    }
    let first = board.laboratories.first().filter(|row| row.state == State::Refused);
    first.map_or(Ok(()), |row| {
        let shown = root.join(&row.folder);
        Err(REFUSED
            .fault(format!("{} of {}", board.counts.refused, board.counts.all))
            .help(format!("ecluse -C {} next", shown.display())))
    })
}

fn told(board: &Board, root: &Path) {
    output::line(format!("{}   as of {}", board.campaign, board.on));
    output::line(sentence(board, Language::English));
    output::line("");
    for row in &board.laboratories {
        output::line(line(row).trim_end());
    }
    output::line("");
    if !board.unlisted.is_empty() {
        output::line(format!("Not in campaign.toml: {}", board.unlisted.join(", ")));
    }
    if board.counts.departing > 0 {
        output::line(format!(
            "{} depart from their product's papers:  ecluse campaign diff {}",
            board.counts.departing,
            root.display()
        ));
    }
    if let Some(row) = board.laboratories.first().filter(|row| row.state != State::Done) {
        output::line(format!("What to do first:  ecluse -C {} next", root.join(&row.folder).display()));
    }
}

/// One line of 80 columns: the sign, the laboratory, its step, who is waited for since when, and the
/// code or the last figure.
fn line(row: &Row) -> String {
    let sign = match row.state {
        State::Refused => "✗",
        State::Laboratory | State::Operator => "·",
        State::Done => "✓",
    };
    let who = row.waits_for.map_or("", |who| who.trim_start_matches("the "));
    let waits = match row.days {
        Some(0) => format!("{who} today"),
        Some(days) => format!("{who} {days} d"),
        None => who.to_owned(),
    };
    let figure = row.last.as_ref().map_or_else(String::new, |last| last.words(Language::English));
    let last = row.code.as_ref().map_or(figure.clone(), |code| format!("{code} {}", cut(&figure, 12)));
    let name = cut(&row.laboratory, 22);
    format!("{sign} {name:22} {:14} {waits:16} {last}", row.step.unwrap_or_default())
}

/// At most so many characters; what is cut is seen to be.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}
