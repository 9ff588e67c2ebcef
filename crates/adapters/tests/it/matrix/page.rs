//! `docs/types.md`, read: what the page says of every type of a source.

use std::collections::BTreeSet;

use ecluse_core::types::Engine;

const PAGE: &str = include_str!("../../../../../docs/types.md");

/// One line: a type of the source, and what becomes of it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) source_type: String,
    /// The type on the way as it displays itself; `–` where the type is refused.
    pub(crate) way: String,
    pub(crate) to_postgresql: Cell,
    pub(crate) to_mariadb: Cell,
    pub(crate) to_sqlite: Cell,
}

impl Line {
    pub(crate) fn to(&self, engine: Engine) -> &Cell {
        match engine {
            Engine::Postgresql => &self.to_postgresql,
            Engine::Mariadb => &self.to_mariadb,
            Engine::Sqlite => &self.to_sqlite,
            Engine::Csv => panic!("a folder of files is no destination"),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Exact(String),
    Widened(String),
    Refused(String),
}

impl Cell {
    fn read(text: &str) -> Self {
        let (word, rest) = text.split_once(' ').unwrap_or_else(|| panic!("a cell: {text}"));
        let rest = rest.trim_matches('`').to_owned();
        match word {
            "exact" => Self::Exact(rest),
            "widened" => Self::Widened(rest),
            "refused" => Self::Refused(rest),
            _ => panic!("exact, widened or refused: {text}"),
        }
    }

    /// The type that `--ddl` makes.
    pub(crate) fn made(&self) -> Option<&str> {
        match self {
            Self::Exact(made) | Self::Widened(made) => Some(made),
            Self::Refused(_) => None,
        }
    }
}

/// The section of a source, up to the next heading.
fn section(engine: Engine) -> &'static str {
    let heading = match engine {
        Engine::Postgresql => "## From PostgreSQL",
        Engine::Mariadb => "## From MariaDB",
        Engine::Sqlite => "## From SQLite",
        Engine::Csv => panic!("a folder of files has no types"),
    };
    let rest = PAGE.split_once(heading).expect("the section").1;
    rest.split("\n## ").next().unwrap()
}

/// The lines of a source's table.
pub(crate) fn lines(engine: Engine) -> Vec<Line> {
    let rows = section(engine).lines().filter(|l| l.starts_with("| ")).skip(1);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [source_type, way, to_postgresql, to_mariadb, to_sqlite, ..] = cells.as_slice() else {
            panic!("a line of six cells: {row}")
        };
        Line {
            source_type: source_type.trim_matches('`').to_owned(),
            way: (*way).to_owned(),
            to_postgresql: Cell::read(to_postgresql),
            to_mariadb: Cell::read(to_mariadb),
            to_sqlite: Cell::read(to_sqlite),
        }
    })
    .collect()
}

/// Every name between backticks in the section, widths left out: lines and the sentences below them.
pub(crate) fn named(engine: Engine) -> BTreeSet<String> {
    let name = |text: &str| {
        let (head, tail) = text.split_once('(').unwrap_or((text, ""));
        let tail = tail.split_once(')').map_or("", |(_, tail)| tail);
        format!("{head}{tail}")
    };
    section(engine).split('`').skip(1).step_by(2).map(name).collect()
}
