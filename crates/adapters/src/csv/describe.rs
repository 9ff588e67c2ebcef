//! What a folder of CSV files is: the description that stands beside it (`ecluse-csv/1`).
//!
//! Nothing about a CSV file is guessed from its bytes: the separator, the quote, the encoding, how NULL
//! is written, each table's file, columns, types and key are said here, and the signed schema
//! digest covers every one of them.

use std::io::ErrorKind;
use std::path::{Component, Path};

use ecluse_core::catalog::{Catalog, Column, Table};
use ecluse_core::dictionary::type_of;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::types::{Engine, Type};
use ecluse_flow::ports::Scope;
use serde::Deserialize;

use crate::regular::{self, Unread};

static ABSENT: Code = Code::outside("ECL-SRC-650", "the CSV folder or a file of it cannot be read");
static MALFORMED: Code =
    Code::refused("ECL-SRC-651", "the description of the CSV folder cannot be understood");

/// The one layout this version reads.
const FORMAT: &str = "ecluse-csv/1";

/// Bytes of a description at most.
const MOST: u64 = 64 << 20;

/// A folder, described.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    pub(super) encoding: Encoding,
    /// How NULL is written; `None` where nothing is NULL.
    pub(super) null: Option<String>,
    /// What stands between a number's whole and its fraction.
    pub(super) decimal: u8,
    pub(super) tables: Vec<File>,
}

/// The encoding of every file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Windows1252,
}

/// One table's file.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) key: Vec<String>,
    pub(super) columns: Vec<(String, Type)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    delimiter: String,
    #[serde(default = "quote")]
    quote: String,
    encoding: String,
    null: Option<String>,
    #[serde(default = "point")]
    decimal: String,
    #[serde(default)]
    table: Vec<TableOf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableOf {
    name: String,
    file: Option<String>,
    #[serde(default)]
    key: Vec<String>,
    columns: Vec<ColumnOf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnOf {
    name: String,
    #[serde(rename = "type")]
    ty: String,
}

fn quote() -> String {
    "\"".to_owned()
}

fn point() -> String {
    ".".to_owned()
}

impl Description {
    /// Reads the description.
    ///
    /// # Errors
    ///
    /// [`ABSENT`], [`MALFORMED`].
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = regular::read(path, MOST).map_err(|unread| {
            let kind = if let Unread::Io(kind) = unread { kind } else { ErrorKind::InvalidInput };
            absent(path, kind).help("write one: docs/formats.md, \"CSV folders\", shows every line of it")
        })?;
        Self::parse(&String::from_utf8(bytes).map_err(|_| malformed("not UTF-8"))?)
    }

    fn parse(text: &str) -> Result<Self> {
        let document: Document = toml::from_str(text).map_err(|e| {
            let before = e.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(before).filter(|b| *b == b'\n').count();
            malformed(&format!("line {line}"))
        })?;
        Self::of(document)
    }

    fn of(document: Document) -> Result<Self> {
        if document.format != FORMAT {
            return Err(malformed("format"));
        }
        let encoding = match document.encoding.as_str() {
            "utf-8" => Encoding::Utf8,
            "windows-1252" | "latin1" => Encoding::Windows1252,
            _ => return Err(malformed("encoding: utf-8 or windows-1252")),
        };
        let (delimiter, quote) = (byte("delimiter", &document.delimiter)?, byte("quote", &document.quote)?);
        let decimal = byte("decimal", &document.decimal)?;
        if delimiter == quote || !matches!(decimal, b'.' | b',') || matches!(delimiter, b'\n' | b'\r') {
            return Err(malformed("delimiter, quote, decimal"));
        }
        let tables = document.table.into_iter().map(file).collect::<Result<Vec<_>>>()?;
        let twice = tables
            .iter()
            .enumerate()
            .find(|(i, t)| tables.iter().take(*i).any(|other| other.name == t.name || other.file == t.file));
        if let Some((_, table)) = twice {
            return Err(malformed(&format!("table {} or its file stands twice", table.name)));
        }
        Ok(Self { delimiter, quote, encoding, null: document.null, decimal, tables })
    }

    pub(super) fn table(&self, name: &str) -> Option<&File> {
        self.tables.iter().find(|t| t.name == name)
    }

    /// The catalogue that it makes; how values are written is a part of it, and of its digest.
    pub(super) fn catalog(&self, identity: &str, database: &str, scope: Scope<'_>) -> Catalog {
        let wanted = |name: &str| match scope {
            Scope::Everything => true,
            Scope::Tables(names) => names.iter().any(|n| n == name),
        };
        let mut tables: Vec<Table> =
            self.tables.iter().filter(|t| wanted(&t.name)).map(|t| self.table_of(t)).collect();
        tables.sort_by(|a, b| a.name.cmp(&b.name));
        Catalog { engine: Engine::Csv, database: database.to_owned(), identity: identity.to_owned(), tables }
    }

    fn table_of(&self, file: &File) -> Table {
        let encoding = if self.encoding == Encoding::Utf8 { "utf-8" } else { "windows-1252" };
        let column = |(name, ty): &(String, Type)| Column {
            name: name.clone(),
            sql_type: ty.to_string(),
            ty: Some(*ty),
            max_length: None,
            int_bounds: (*ty == Type::Int).then_some((i64::MIN, i64::MAX)),
            nullable: self.null.is_some() && !file.key.contains(name),
            has_default: false,
            identity: false,
            generated: String::new(),
            collation: String::new(),
            choice: false,
            labels: Vec::new(),
            comment: String::new(),
        };
        Table {
            name: file.name.clone(),
            kind: "table".to_owned(),
            oid: None,
            storage: "csv".to_owned(),
            columns: file.columns.iter().map(column).collect(),
            key: file.key.clone(),
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            triggers: Vec::new(),
            row_security: String::new(),
            definition: format!(
                "file {:?} delimiter {} quote {} encoding {encoding} null {:?} decimal {} key {:?}",
                file.file, self.delimiter, self.quote, self.null, self.decimal, file.key
            ),
            estimated_rows: None,
        }
    }
}

fn file(table: TableOf) -> Result<File> {
    let TableOf { name, file, key, columns } = table;
    let bad = |what: &str| malformed(&format!("table {name}: {what}"));
    let file = file.unwrap_or_else(|| format!("{name}.csv"));
    // a name in the folder and nothing else: no way up, no way in
    let plain =
        matches!(Path::new(&file).components().collect::<Vec<_>>().as_slice(), [Component::Normal(_)]);
    if !plain || name.is_empty() || file.contains(['/', '\\']) {
        return Err(bad("its file is not a name in the folder"));
    }
    let columns = columns
        .into_iter()
        .map(|c| match type_of(&c.ty) {
            Some(ty) if ty != Type::Bytes && !c.name.is_empty() => Ok((c.name, ty)),
            _ => Err(bad("a column's type is none that a CSV file carries")),
        })
        .collect::<Result<Vec<_>>>()?;
    let named = |wanted: &String| columns.iter().filter(|(name, _)| name == wanted).count() == 1;
    if columns.is_empty() || !columns.iter().all(|(name, _)| named(name)) || !key.iter().all(named) {
        return Err(bad("its columns or its key"));
    }
    Ok(File { name, file, key, columns })
}

fn byte(what: &str, text: &str) -> Result<u8> {
    match text.as_bytes() {
        [one] if one.is_ascii() && *one != 0 => Ok(*one),
        _ => Err(malformed(&format!("{what}: one ASCII character"))),
    }
}

pub(super) fn absent(path: &Path, kind: std::io::ErrorKind) -> Fault {
    ABSENT.fault(format!("{}: {kind}", path.file_name().unwrap_or_default().to_string_lossy()))
}

fn malformed(place: &str) -> Fault {
    MALFORMED.fault(place).help("docs/formats.md, \"CSV folders\", shows every line of it")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/formats.md");

    fn example() -> &'static str {
        PAGE.split_once("```toml csv\n").unwrap().1.split_once("```").unwrap().0
    }

    #[test]
    fn the_pages_example_is_read() {
        let described = Description::parse(example()).unwrap();
        assert_eq!((described.delimiter, described.quote, described.decimal), (b';', b'"', b','));
        assert_eq!((described.encoding, described.null.as_deref()), (Encoding::Windows1252, Some("")));
        let table = described.table("patient").unwrap();
        assert_eq!((table.file.as_str(), table.columns.len()), ("PATIENTS 2024.csv", 4));
        assert_eq!(table.columns[3].1, Type::Decimal { precision: 6, scale: 3 });
    }

    #[test]
    fn every_line_of_it_is_under_the_schema_digest() {
        let digest = |text: &str| {
            let described = Description::parse(text).unwrap();
            let catalog = described.catalog("csv/x", "x", Scope::Everything);
            ecluse_core::digest::of_schema(&catalog, &["patient".to_owned()])
        };
        let was = digest(example());
        for (from, to) in [
            ("\";\"", "\",\""),
            ("'\"'", "\"'\""),
            ("windows-1252", "utf-8"),
            ("null      = \"\"", "null      = \"NULL\""),
            ("decimal   = \",\"", "decimal   = \".\""),
            ("PATIENTS 2024.csv", "PATIENTS 2025.csv"),
            ("[\"id\"]", "[]"),
            ("type = \"date\"", "type = \"text\""),
            ("\"nom\"", "\"NOM\""),
        ] {
            let changed = example().replacen(from, to, 1);
            assert_ne!(changed, example(), "{from}");
            assert_ne!(digest(&changed), was, "{from}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (from, to) in [
            ("ecluse-csv/1", "ecluse-csv/2"),
            ("\";\"", "\";;\""),
            ("\";\"", "'\"'"),
            ("windows-1252", "utf-16"),
            ("PATIENTS 2024.csv", "../PATIENTS.csv"),
            ("PATIENTS 2024.csv", "/etc/passwd"),
            ("PATIENTS 2024.csv", ".."),
            ("[\"id\"]", "[\"idd\"]"),
            ("type = \"date\"", "type = \"bytes\""),
            ("\"nom\"", "\"id\""),
            ("null ", "nul "),
        ] {
            let changed = example().replacen(from, to, 1);
            assert_ne!(changed, example(), "{from}");
            assert_eq!(Description::parse(&changed).unwrap_err().code(), &MALFORMED, "{to}");
        }
    }
}
