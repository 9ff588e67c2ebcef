//! What the report says: words and counts, nothing that could name a person's row.
//!
//! The head of the page is of its own kind; everything below the boxes is a [`Part`], which the
//! template knows how to print whatever it is about.

use askama::Template;
use ecluse_core::language::Language;

use super::figure::Figure;

/// The page; its template is `templates/report.html`. A4 in print, readable on a telephone,
/// no script, nothing fetched.
#[derive(Debug, Default, Template)]
#[template(path = "report.html")]
pub(crate) struct Page {
    pub(crate) lang: Language,
    /// Whether the papers say TRIAL.
    pub(crate) trial: bool,
    /// Whether nobody in the contract exists.
    pub(crate) invented: bool,
    /// The migration, in words.
    pub(crate) title: String,
    /// The instruction's fingerprint and version.
    pub(crate) order: String,
    /// What happened, in one sentence a layperson understands.
    pub(crate) sentence: String,
    /// What is not as it should be; empty is best.
    pub(crate) alerts: Vec<String>,
    /// Inline SVG, made by [`super::drawing`].
    pub(crate) drawing: String,
    /// Under the drawing.
    pub(crate) caption: String,
    /// What left, what stayed, who received, when it is destroyed.
    pub(crate) boxes: Vec<Section>,
    /// The rest, in its order.
    pub(crate) parts: Vec<Part>,
    /// The last line.
    pub(crate) footer: String,
}

/// A box: a title and some lines.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) lines: Vec<String>,
}

/// A part of the page under its own title.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) title: &'static str,
    pub(crate) blocks: Vec<Block>,
}

impl Part {
    /// A part that has nothing to say yet.
    pub(crate) const fn new(title: &'static str) -> Self {
        Self { title, blocks: Vec::new() }
    }

    /// The same with one more block.
    pub(crate) fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }
}

/// What stands in a part, from top to bottom.
#[derive(Debug)]
pub(crate) enum Block {
    /// A paragraph.
    Text(String),
    /// A paragraph in grey.
    Note(String),
    /// A lesser title.
    Head(&'static str),
    /// One thing a line.
    List(Vec<Said>),
    /// Commands and fingerprints.
    Checks(Vec<Check>),
    /// A table.
    Table(Grid),
    /// The bars of [`super::parts::minimised`].
    Bars(Bars),
}

/// A line, in the page's language or in the program's.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) words: String,
    /// Whether it stands here in English because it was recorded so.
    pub(crate) english: bool,
}

impl From<String> for Said {
    fn from(words: String) -> Self {
        Self { words, english: false }
    }
}

/// A table: on a telephone each cell stands under the head of its column.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    pub(crate) heads: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// The head of a column.
#[derive(Debug, Default)]
pub(crate) struct Column {
    pub(crate) words: &'static str,
    /// Whether numbers stand in it.
    pub(crate) number: bool,
}

/// One cell.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// Beneath it, smaller: a technical name.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) english: bool,
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Words,
    /// A code, a token, a fingerprint.
    Code,
    /// Holds: a mark before the text.
    Holds,
    /// Is missing.
    Lacks,
    /// A day or an hour: not broken.
    Day,
    /// To be looked at.
    Warns,
}

impl Cell {
    pub(crate) fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(crate) fn of(kind: Kind, text: impl Into<String>) -> Self {
        Self { text: text.into(), kind, ..Self::default() }
    }

    pub(crate) fn said(said: Said) -> Self {
        Self { text: said.words, english: said.english, ..Self::default() }
    }

    pub(crate) fn figure(figure: Figure, lang: Language) -> Self {
        Self::words(figure.told(lang))
    }
}

/// Heads of columns; those that begin with `#` hold numbers.
pub(crate) fn heads(words: &[&'static str]) -> Vec<Column> {
    let head = |words: &&'static str| match words.strip_prefix('#') {
        Some(words) => Column { words, number: true },
        None => Column { words, number: false },
    };
    words.iter().map(head).collect()
}

/// Per table, what there was and what became of it.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    /// What each pattern means: its class in the page's style, and words.
    pub(crate) legend: Vec<(&'static str, &'static str)>,
    pub(crate) tables: Vec<Barred>,
}

/// One table's two bars.
#[derive(Debug, Default)]
pub(crate) struct Barred {
    pub(crate) label: String,
    /// The technical name, where it is another.
    pub(crate) name: String,
    pub(crate) bars: Vec<Bar>,
}

/// One bar, and the same in words for whoever does not see it.
#[derive(Debug, Default)]
pub(crate) struct Bar {
    /// Inline SVG.
    pub(crate) svg: String,
    pub(crate) words: String,
}

/// Something a stranger can check.
#[derive(Debug, Default)]
pub(crate) struct Check {
    pub(crate) what: String,
    pub(crate) how: String,
}
