//! mariadb-dump's and mysqldump's text: `INSERT INTO … VALUES (…),(…)`, its escapes, and the few
//! settings that change how they read (MariaDB manual, "String Literals"; mariadb-dump).

use ecluse_core::fault::Result;

use super::cell::{Encoding, Form, Raw};
use super::input::Input;
use super::names::Names;
use super::postgres::RAGGED;
use super::reading::{Reading, Rows, SETTING};
use super::script::{Next, Script, Text, is_name};

/// How the line begins that a dump ends with; the hour may follow.
const END: &[u8] = b"-- Dump completed";
/// How the line begins behind which a table's rows stand, perhaps none.
const ROWS: &[u8] = b"-- Dumping data for table ";
/// What a number or a word without quotes may take.
const BARE: usize = 512;

/// Reads a whole dump.
pub(super) fn read(script: &mut Script, into: &mut Reading<'_>) -> Result<()> {
    let mut current = String::new();
    loop {
        match script.next()? {
            Next::End => return Ok(()),
            Next::Comment(line) => {
                let named = line.strip_prefix(ROWS).map(|rest| Names::of(rest, b'`').relation());
                match named.as_ref().map(|n| n.as_deref()) {
                    Some(Some([table])) => {
                        into.announce(table, &script.input.place())?;
                        current.clone_from(table);
                    }
                    Some(_) => return Err(script.hostile("a comment of another form than mariadb-dump's")),
                    None if is_end(&line) => into.complete(),
                    None => {}
                }
            }
            Next::Client(_) => return Err(script.hostile("a backslash command")),
            Next::Insert => insert(script, &current, into)?,
            Next::Statement(text) => statement(script, &text, into)?,
        }
    }
}

fn is_end(line: &[u8]) -> bool {
    line.strip_prefix(END).is_some_and(|rest| rest.is_empty() || rest.starts_with(b" on "))
}

fn statement(script: &Script, text: &Text, into: &mut Reading<'_>) -> Result<()> {
    let mut names = Names::of(&text.bytes, b'`');
    let (first, second) = (names.word(), names.word());
    match (first.as_str(), second.as_str()) {
        ("CREATE", "TABLE") => into.create(text, script),
        ("CREATE", "TEMPORARY" | "") => Err(script.hostile("CREATE TEMPORARY TABLE")),
        // a table that another statement fills would be read without its rows
        ("CREATE", "OR") if !holds_word(&text.bytes, b"VIEW") => Err(script.hostile("CREATE OR REPLACE")),
        ("USE", _) => {
            let mut names = Names::of(&text.bytes, b'`');
            names.word();
            match names.relation().as_deref() {
                Some([database]) if *database == into.database => Ok(()),
                _ => Err(script.hostile("USE of another database")),
            }
        }
        ("SET", _) => set(text, into, script),
        ("ALTER", "TABLE") => {
            into.schema.alter(text);
            Ok(())
        }
        // no failpoint: nothing is executed, a word is known
        ("CREATE" | "ALTER" | "DROP" | "LOCK" | "UNLOCK" | "COMMIT" | "FLUSH", _)
        | ("START", "TRANSACTION") => Ok(()),
        _ => Err(script.hostile("a statement of another kind than mariadb-dump's")),
    }
}

fn holds_word(text: &[u8], word: &[u8]) -> bool {
    text.split(|b| !is_name(*b)).any(|w| w.eq_ignore_ascii_case(word))
}

/// `SET NAMES`, `TIME_ZONE` and `sql_mode`; a value from a variable (`@OLD_…`) puts back what was.
fn set(text: &Text, into: &mut Reading<'_>, script: &Script) -> Result<()> {
    let place = script.input.place();
    let words = String::from_utf8_lossy(&text.bytes).to_lowercase();
    let words: Vec<&str> = words.split([' ', '=', ',', '\n', '\t']).filter(|w| !w.is_empty()).collect();
    let encoding = |name: &str| match name.trim_matches(['\'', '"']) {
        "utf8" | "utf8mb3" | "utf8mb4" => Some(Encoding::Utf8),
        "latin1" => Some(Encoding::Windows1252),
        _ => None,
    };
    if let [_, "names", name, ..] = words.as_slice() {
        return into.encoded(encoding(name), &place);
    }
    for pair in words.windows(2) {
        match pair {
            // around CREATE TABLE it says how names are written, and rows never follow it
            ["character_set_client" | "@@character_set_client", name]
                if !name.starts_with('@') && encoding(name).is_none() =>
            {
                return into.encoded(None, &place);
            }
            ["time_zone" | "@@time_zone" | "@@session.time_zone", zone] if !zone.starts_with('@') => {
                if zone.trim_matches(['\'', '"']) != "+00:00" {
                    return Err(SETTING.fault(format!("{place}: a time zone other than UTC")));
                }
                into.utc = true;
            }
            _ => {}
        }
    }
    if words.iter().any(|w| w.contains("no_backslash_escapes") || w.contains("ansi_quotes")) {
        return Err(SETTING.fault(format!("{place}: how quotes are read")));
    }
    Ok(())
}

/// `INSERT INTO table [(column, …)] VALUES (…),(…);`, a value at a time.
fn insert(script: &mut Script, current: &str, into: &mut Reading<'_>) -> Result<()> {
    let mut head = Vec::new();
    let bracket = script.input.until(|b| b == b'(' || b == b';', Some(&mut head))?;
    if bracket != b'(' {
        return Err(script.hostile("INSERT of another form than mariadb-dump's"));
    }
    let mut names = Names::of(&head, b'`');
    let begins = (names.word(), names.word());
    let relation = names.relation();
    let is_insert = begins.0 == "INSERT" && begins.1 == "INTO";
    let ([table], true) = (relation.as_deref().unwrap_or_default(), is_insert) else {
        return Err(script.hostile("INSERT of another form than mariadb-dump's"));
    };
    let table = table.clone();
    let mut rest = names.word();
    let mut listed = None;
    if rest.is_empty() && names.is_at_end() {
        // the bracket opened a list of columns; identifiers hold no bracket that is not quoted
        head.clear();
        script.input.until(|b| b == b')', Some(&mut head))?;
        head.push(script.input.demand()?);
        let mut names = Names::of(&head, b'`');
        listed = names.list().filter(|_| names.is_at_end());
        head.clear();
        script.input.until(|b| b == b'(' || b == b';', Some(&mut head))?;
        let mut names = Names::of(&head, b'`');
        rest = names.word();
        if listed.is_none() || !names.is_at_end() {
            return Err(script.hostile("INSERT of another form than mariadb-dump's"));
        }
    } else if !names.is_at_end() {
        return Err(script.hostile("INSERT of another form than mariadb-dump's"));
    }
    if rest != "VALUES" || table != current || !into.was_announced(&table) {
        return Err(script.hostile("rows that were not announced"));
    }
    let columns = match listed {
        Some(columns) => columns,
        None => match into.schema.table(&table) {
            Some(made) => made.columns.iter().map(|c| c.name.clone()).collect(),
            None => return Err(script.hostile("rows of a table that was not made")),
        },
    };
    let mut rows = into.columns(&table, &columns, &script.input.place())?;
    loop {
        tuple(&mut script.input, &mut rows, columns.len(), &table, value)?;
        rows.row(into)?;
        match delimiter(&mut script.input)? {
            b',' => {}
            b';' => return Ok(()),
            _ => return Err(script.hostile("something behind a row")),
        }
    }
}

/// The next byte that is not blank.
pub(super) fn delimiter(input: &mut Input) -> Result<u8> {
    input.until(|b| !b.is_ascii_whitespace(), None)?;
    input.demand()
}

/// Reads one value; `None` where it is none that the dump's program writes.
pub(super) type ReadValue = fn(&mut Input, Option<&mut Raw>) -> Result<Option<()>>;

/// `(value, …)`.
pub(super) fn tuple(
    input: &mut Input,
    rows: &mut Rows,
    columns: usize,
    table: &str,
    value: ReadValue,
) -> Result<()> {
    let ragged = |input: &Input| RAGGED.fault(format!("{}: table {table}", input.place()));
    if delimiter(input)? != b'(' {
        return Err(ragged(input));
    }
    for column in 0.. {
        if column >= columns {
            return Err(ragged(input));
        }
        if value(input, rows.wanted(column))?.is_none() {
            return Err(ragged(input));
        }
        match delimiter(input)? {
            b',' => {}
            b')' if column + 1 == columns => return Ok(()),
            _ => return Err(ragged(input)),
        }
    }
    Ok(())
}

/// One value; `None` where it is none that mariadb-dump writes.
fn value(input: &mut Input, wanted: Option<&mut Raw>) -> Result<Option<()>> {
    input.until(|b| !b.is_ascii_whitespace(), None)?;
    let mut nowhere = Raw::default();
    let is_wanted = wanted.is_some();
    let raw = wanted.unwrap_or(&mut nowhere);
    raw.bytes.clear();
    raw.form = Form::Text;
    if input.peek()? == b'\'' {
        return quoted(input, is_wanted.then_some(&mut raw.bytes)).map(Some);
    }
    // a digit string in hexadecimal may be as long as any value
    if input.ahead(2)?.starts_with(b"0x") {
        input.skip(2);
        raw.form = Form::Hex;
        input.until(|b| !b.is_ascii_hexdigit(), is_wanted.then_some(&mut raw.bytes))?;
        return Ok(Some(()));
    }
    if !bare(input, &mut raw.bytes, BARE)? {
        return Ok(None);
    }
    let word = raw.bytes.as_slice();
    if word == b"NULL" {
        raw.form = Form::Null;
        return Ok(Some(()));
    }
    if matches!(word, b"_binary" | b"_utf8mb4" | b"_utf8mb3" | b"_utf8") {
        input.until(|b| !b.is_ascii_whitespace(), None)?;
        raw.bytes.clear();
        if input.peek()? != b'\'' {
            return Ok(None);
        }
        return quoted(input, is_wanted.then_some(&mut raw.bytes)).map(Some);
    }
    let is_bits = word == b"b" && input.peek()? == b'\'';
    if is_bits {
        // never understood as a type, hence never wanted
        quoted(input, None)?;
        return Ok((!is_wanted).then_some(()));
    }
    raw.form = Form::Bare;
    Ok(is_number(word).then_some(()))
}

/// Reads a word that stands without quotes; whether it is no longer than `most`, the bound of its program's words.
pub(super) fn bare(input: &mut Input, word: &mut Vec<u8>, most: usize) -> Result<bool> {
    input.until(|b| !(is_name(b) || matches!(b, b'+' | b'-' | b'.')), Some(&mut *word))?;
    Ok(word.len() <= most)
}

/// Whether a word is made of what a number is written with.
pub(super) fn is_number(word: &[u8]) -> bool {
    !word.is_empty()
        && word.iter().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'))
}

/// `'…'` with its escapes, as `mysql_real_escape_string` writes them.
fn quoted(input: &mut Input, mut out: Option<&mut Vec<u8>>) -> Result<()> {
    input.skip(1);
    loop {
        let stop = input.until(|b| b == b'\'' || b == b'\\', out.as_deref_mut())?;
        input.skip(1);
        let byte = if stop == b'\\' {
            match input.demand()? {
                b'0' => 0,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'Z' => 26,
                other => other,
            }
        } else if input.ahead(1)?.first() == Some(&b'\'') {
            input.skip(1);
            b'\''
        } else {
            return Ok(());
        };
        if let Some(out) = out.as_deref_mut() {
            out.push(byte);
        }
    }
}
