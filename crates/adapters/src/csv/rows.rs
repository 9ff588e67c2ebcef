//! One file, read by the `csv` crate: every record has its header's number of fields, or the file
//! is refused with the line.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use ecluse_core::fault::{Code, Result};
use ecluse_core::types::Type;
use sha2::{Digest as _, Sha256};

use super::describe::{self, Description, Encoding};
use crate::civil;
use crate::columns::{Builder, Cell, NO_SUCH_TIME, NOT_EXACT, NOT_UTF8, WRONG_KIND, dated};
use crate::gathered::Gathering;
use crate::mariadb::types::{decimal, from_latin1, uuid};

static RAGGED: Code =
    Code::refused("ECL-SRC-652", "a row of a CSV file has another number of fields than its header");
static HEADER: Code = Code::refused("ECL-SRC-654", "the first line of a CSV file is not the one described");
static NOT_PLAIN: Code =
    Code::refused("ECL-SRC-655", "a file of the CSV folder is a link, or no regular file");
static UNCLOSED: Code = Code::refused("ECL-SRC-656", "a CSV file ends inside a quote, or holds NUL bytes");

/// What a file was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) bytes: u64,
    pub(super) digest: String,
    /// Ordered texts that a spreadsheet would take for formulas.
    pub(super) formulas: u64,
}

/// The file of a table: a regular one that lies in the folder itself.
pub(super) fn path(folder: &Path, file: &describe::File) -> Result<PathBuf> {
    let path = folder.join(&file.file);
    let metadata = path.symlink_metadata().map_err(|e| describe::absent(&path, e.kind()))?;
    if metadata.is_file() {
        return Ok(path);
    }
    Err(NOT_PLAIN.fault(file.file.clone()).help("put the file itself into the folder"))
}

/// The digest and size of a file as it is now.
pub(super) fn digest(path: &Path) -> Result<(u64, String)> {
    let mut file = Watched::open(path, b'"')?;
    std::io::copy(&mut file, &mut std::io::sink()).map_err(|e| describe::absent(path, e.kind()))?;
    Ok(file.end())
}

/// Reads a file: its planned columns go where they are gathered.
///
/// # Errors
///
/// [`HEADER`], [`RAGGED`], [`UNCLOSED`]; the gathering's.
pub(super) fn read(
    folder: &Path,
    described: &Description,
    file: &describe::File,
    into: &mut Gathering,
) -> Result<Seen> {
    let path = path(folder, file)?;
    let mut watched = Watched::open(&path, described.quote)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(described.delimiter)
        .quote(described.quote)
        .from_reader(BufReader::with_capacity(256 << 10, &mut watched));
    let header = reader.byte_headers().map_err(|_quotes| HEADER.fault(file.file.clone()))?;
    let named: Option<Vec<String>> = header.iter().map(|name| text(described.encoding, name)).collect();
    let described_names = file.columns.iter().map(|(name, _)| name);
    if !named.is_some_and(|named| named.iter().eq(described_names)) {
        return Err(HEADER
            .fault(file.file.clone())
            .help("describe the columns in the order of the file's first line"));
    }
    let Some(table) = into.table(&file.name) else { return Err(HEADER.fault(file.name.clone())) };
    let number = table.number();
    // for each planned column: where it stands in the file, and as what
    let columns: Vec<(usize, Type)> = table
        .read()
        .iter()
        .filter_map(|c| file.columns.iter().position(|(name, _)| *name == c.name).map(|at| (at, c.ty)))
        .collect();
    let mut record = csv::ByteRecord::new();
    let mut formulas = 0;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                return Err(RAGGED
                    .fault(format!("{}, line {line}", file.file))
                    .help("export it again, every field that holds the separator, a quote or a line's end in quotes"));
            }
        }
        into.row(number, &mut |column, builder| {
            let (at, ty) = columns.get(column).copied().ok_or(&WRONG_KIND)?;
            let cell = record.get(at).ok_or(&WRONG_KIND)?;
            if ty == Type::Text && cell.first().is_some_and(|b| matches!(b, b'=' | b'+' | b'-' | b'@')) {
                formulas += 1;
            }
            value(described, builder, cell)
        })?;
    }
    drop(reader);
    if watched.quotes % 2 != 0 || watched.nul {
        return Err(UNCLOSED
            .fault(file.file.clone())
            .help("export it again, whole; a quote inside a field is doubled"));
    }
    let (bytes, digest) = watched.end();
    Ok(Seen { bytes, digest, formulas })
}

/// One field into a column. What is not exactly of its type refuses its row by code.
fn value(described: &Description, builder: &mut Builder, cell: &[u8]) -> Cell {
    if described.null.as_ref().is_some_and(|null| null.as_bytes() == cell) {
        return Ok(None);
    }
    let text = text(described.encoding, cell).ok_or(&NOT_UTF8)?;
    match builder {
        Builder::Text(b) | Builder::Json(b) => {
            b.append_value(&text);
            return Ok(Some(text.len()));
        }
        Builder::Bool(b) => b.append_value(match text.as_str() {
            "true" | "t" | "1" => true,
            "false" | "f" | "0" => false,
            _ => return Err(&WRONG_KIND),
        }),
        Builder::Int(b) => b.append_value(text.parse().map_err(|_quotes| &NOT_EXACT)?),
        Builder::Decimal { builder, precision, scale } => {
            let padded = padded(&number(described, &text), *scale);
            builder.append_value(decimal(padded.as_bytes(), *precision, *scale).ok_or(&NOT_EXACT)?);
        }
        Builder::Float(b) => b.append_value(number(described, &text).parse().map_err(|_quotes| &NOT_EXACT)?),
        Builder::Date(b) => b.append_value(civil::parse_date(dated(&text)?).ok_or(&NO_SUCH_TIME)?),
        Builder::Timestamp(b) => b.append_value(civil::parse_timestamp(dated(&text)?).ok_or(&NO_SUCH_TIME)?),
        Builder::Instant(b) => {
            // in UTC and saying so; an offset would need a zone's history to be believed
            let utc = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")).ok_or(&NO_SUCH_TIME)?;
            b.append_value(civil::parse_timestamp(dated(utc)?).ok_or(&NO_SUCH_TIME)?);
        }
        Builder::Time(b) => b.append_value(civil::parse_time(&text).ok_or(&NO_SUCH_TIME)?),
        Builder::Uuid(b) => {
            let value = uuid(text.as_bytes()).ok_or(&WRONG_KIND)?;
            b.append_value(value).map_err(|_text_may_quote| &WRONG_KIND)?;
        }
        Builder::Bytes(_) => return Err(&WRONG_KIND),
    }
    Ok(Some(8))
}

fn text(encoding: Encoding, bytes: &[u8]) -> Option<String> {
    match encoding {
        Encoding::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
        Encoding::Windows1252 => Some(bytes.iter().copied().map(from_latin1).collect()),
    }
}

/// A number with a point. One that is written with the other sign is none.
fn number(described: &Description, text: &str) -> String {
    match described.decimal {
        b',' if !text.contains('.') => text.replace(',', "."),
        _ => text.to_owned(),
    }
}

/// `12.5` as `12.50`: the same number in the column's scale.
fn padded(text: &str, scale: u8) -> String {
    let scale = usize::from(scale);
    let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let point = if scale > 0 && !text.contains('.') { "." } else { "" };
    format!("{text}{point}{}", "0".repeat(scale.saturating_sub(fraction)))
}

/// A file that is counted and summed up as it passes.
struct Watched {
    file: File,
    digest: Sha256,
    bytes: u64,
    quote: u8,
    quotes: u64,
    nul: bool,
}

impl Watched {
    fn open(path: &Path, quote: u8) -> Result<Self> {
        let file = File::open(path).map_err(|e| describe::absent(path, e.kind()))?;
        Ok(Self { file, digest: Sha256::new(), bytes: 0, quote, quotes: 0, nul: false })
    }

    fn end(self) -> (u64, String) {
        (self.bytes, format!("sha256:{}", data_encoding::HEXLOWER.encode(&self.digest.finalize())))
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        let new = buffer.get(..read).unwrap_or_default();
        self.digest.update(new);
        self.bytes += u64::try_from(read).unwrap_or(0);
        self.quotes += u64::try_from(new.iter().filter(|b| **b == self.quote).count()).unwrap_or(0);
        self.nul |= new.contains(&0);
        Ok(read)
    }
}
