//! pg_dump's plain text: `COPY … FROM stdin`, its lines (`INSERT`: `inserts.rs`), and the few settings that change how
//! they read (PostgreSQL manual, "COPY", "Text Format").

use ecluse_core::fault::{Code, Result};

use super::cell::{Encoding, Form, Raw};
use super::ddl::written;
use super::inserts;
use super::names::Names;
use super::reading::{Lines, Reading, SETTING};
use super::script::{Next, Script, Text};

/// A line with another number of fields, or an escape that is none.
pub(super) static RAGGED: Code =
    Code::refused("ECL-SRC-606", "a row of the dump has another form than its table");

/// The line that pg_dump ends with.
const END: &[u8] = b"-- PostgreSQL database dump complete";

/// Reads a whole dump.
pub(super) fn read(script: &mut Script, into: &mut Reading<'_>) -> Result<()> {
    loop {
        match script.next()? {
            Next::End => return Ok(()),
            Next::Comment(line) => {
                if line == END {
                    into.complete();
                } else if let Some(table) = announced(&line) {
                    into.section(table, &script.input.place())?;
                }
            }
            Next::Client(line) => client(script, &line, into)?,
            Next::Insert => inserts::insert(script, into)?,
            Next::Statement(text) => statement(script, &text, into)?,
        }
    }
}

/// The table of `-- Data for Name: patient; Type: TABLE DATA; Schema: public; Owner: -`.
fn announced(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix("-- Data for Name: ")?;
    let (name, rest) = line.split_once("; Type: TABLE DATA; Schema: ")?;
    let (schema, _owner) = rest.split_once("; Owner: ")?;
    Some(written(&[schema.to_owned(), name.to_owned()]))
}

/// Lines for psql: those that pg_dump itself writes.
fn client(script: &Script, line: &[u8], into: &Reading<'_>) -> Result<()> {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some("\\restrict" | "\\unrestrict"), Some(_), None) => Ok(()),
        (Some("\\connect"), Some(database), None) if database == into.database => Ok(()),
        _ => Err(script.hostile("a backslash command")),
    }
}

fn statement(script: &mut Script, text: &Text, into: &mut Reading<'_>) -> Result<()> {
    let mut names = Names::of(&text.bytes, b'"');
    let (first, second) = (names.word(), names.word());
    match (first.as_str(), second.as_str()) {
        ("CREATE", "TABLE") => into.create(text, script),
        ("CREATE", "UNLOGGED" | "FOREIGN") if names.word() == "TABLE" => into.create(text, script),
        ("CREATE", "TYPE") => {
            into.schema.enumeration(text);
            Ok(())
        }
        ("CREATE", "DOMAIN") => {
            into.schema.domain(text);
            Ok(())
        }
        ("CREATE", what) if !matches!(what, "" | "TEMP" | "TEMPORARY" | "GLOBAL" | "LOCAL") => Ok(()),
        ("ALTER", "TABLE") => into.attach(text, script),
        ("SET", _) => set(text, into, script),
        ("ALTER" | "COMMENT" | "GRANT" | "REVOKE" | "DROP" | "SECURITY", _) => Ok(()),
        // sequences' positions, the search path, large objects' end: no row of a table
        ("SELECT", _) if is_known_call(&text.bytes) => Ok(()),
        ("COPY", _) => copy(script, text, into),
        _ => Err(script.hostile(&format!("{} {}", shown(&first), shown(&second)))),
    }
}

fn is_known_call(text: &[u8]) -> bool {
    let call: &[u8] = text.trim_ascii().get(b"SELECT".len()..).unwrap_or_default().trim_ascii_start();
    call.starts_with(b"pg_catalog.set_config('search_path', '', false)")
        || call.starts_with(b"pg_catalog.setval(")
}

/// A word for a message: a statement's own words only, no value.
fn shown(word: &str) -> &str {
    if word.len() <= 16 && word.bytes().all(|b| b.is_ascii_alphabetic()) { word } else { "…" }
}

fn set(text: &Text, into: &mut Reading<'_>, script: &Script) -> Result<()> {
    let text = String::from_utf8_lossy(&text.bytes);
    let words: Vec<&str> = text.split([' ', '\n', '=']).filter(|w| !w.is_empty()).collect();
    let value = words.get(2).map(|w| w.trim_matches('\'').to_uppercase()).unwrap_or_default();
    match words.get(1).map(|w| w.to_lowercase()).as_deref() {
        Some("client_encoding") => {
            let encoding = match value.as_str() {
                "UTF8" => Some(Encoding::Utf8),
                "LATIN1" => Some(Encoding::Latin1),
                "WIN1252" => Some(Encoding::Windows1252),
                _ => None,
            };
            into.encoded(encoding, &script.input.place())
        }
        Some("standard_conforming_strings") if value != "ON" => {
            Err(SETTING.fault(format!("{}: standard_conforming_strings", script.input.place())))
        }
        // before rows it would say whose they are; pg_dump qualifies every name instead
        Some("search_path" | "session" | "role") => Err(script.hostile("SET search_path, session or role")),
        _ => Ok(()),
    }
}

/// `COPY schema.table (column, …) FROM stdin;` and its lines.
fn copy(script: &mut Script, text: &Text, into: &mut Reading<'_>) -> Result<()> {
    let mut names = Names::of(&text.bytes, b'"');
    names.word();
    let relation = names.relation();
    let columns = names.list();
    let is_stdin = names.word() == "FROM" && names.word() == "STDIN" && names.is_at_end();
    let (Some(relation), Some(columns), true) = (relation, columns, is_stdin) else {
        return Err(script.hostile("COPY of another form than pg_dump's"));
    };
    if relation.len() != 2 {
        return Err(script.hostile("COPY into a table without its schema"));
    }
    let table = written(&relation);
    let mut line = Vec::new();
    script.input.line(&mut line)?;
    if !line.trim_ascii().is_empty() {
        return Err(script.hostile("text behind COPY"));
    }
    let place = script.input.place();
    if into.follows(&table, Lines::Copy, &place)?.is_none() {
        return Err(script.hostile("COPY behind INSERT"));
    }
    let mut rows = into.columns(&table, &columns, &place)?;
    loop {
        script.input.line(&mut line)?;
        if line == b"\\." {
            return Ok(());
        }
        let malformed = || RAGGED.fault(format!("{}: table {table}", script.input.place()));
        let mut fields = 0;
        for (index, field) in line.split(|b| *b == b'\t').enumerate() {
            fields = index + 1;
            if let Some(raw) = rows.wanted(index) {
                unescape(field, raw).ok_or_else(malformed)?;
            }
        }
        if fields != columns.len() && !(columns.is_empty() && line.is_empty()) {
            return Err(malformed());
        }
        rows.row(into)?;
    }
}

/// A field of the text format; `None` where an escape is cut off.
fn unescape(field: &[u8], raw: &mut Raw) -> Option<()> {
    raw.bytes.clear();
    raw.form = Form::Text;
    if field == b"\\N" {
        raw.form = Form::Null;
        return Some(());
    }
    let mut rest = field;
    while let Some(at) = rest.iter().position(|b| *b == b'\\') {
        let (plain, escape) = rest.split_at_checked(at)?;
        raw.bytes.extend_from_slice(plain);
        let (letter, behind) = escape.get(1..)?.split_first()?;
        rest = behind;
        let byte = match letter {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            // COPY TO writes neither octal nor hexadecimal escapes
            b'0'..=b'9' | b'x' | b'N' | b'.' => return None,
            other => *other,
        };
        raw.bytes.push(byte);
    }
    raw.bytes.extend_from_slice(rest);
    Some(())
}
