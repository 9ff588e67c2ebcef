//! Rows as pg_dump writes them with `--inserts`, `--column-inserts` or `--rows-per-insert` (its
//! `dumpTableData_insert`): numbers bare, truth values as words, bits as `B'…'`, everything else in quotes
//! that are doubled inside and know no escape (`standard_conforming_strings`, which the dump declares).

use ecluse_core::fault::Result;

use super::cell::{Form, Raw};
use super::ddl::written;
use super::input::Input;
use super::mariadb::{bare, delimiter, is_number, tuple};
use super::names::Names;
use super::reading::{Lines, Reading};
use super::script::Script;

/// What a number or a word without quotes may take: a numeric has at most 131,072 digits before the point and
/// 16,383 behind it.
const BARE: usize = 150_000;

const FORM: &str = "INSERT of another form than pg_dump's";

/// `INSERT INTO schema.table [(column, …)] [OVERRIDING SYSTEM VALUE] VALUES (…), (…);`, a value at a time.
pub(super) fn insert(script: &mut Script, into: &mut Reading<'_>) -> Result<()> {
    let mut head = Vec::new();
    let mut stop = bracket(script, &mut head)?;
    let mut names = Names::of(&head, b'"');
    let begins = names.word() == "INSERT" && names.word() == "INTO";
    let relation = names.relation();
    let (Some([schema, table]), true) = (relation.as_deref(), begins) else {
        return Err(script.hostile(FORM));
    };
    let table = written(&[schema.clone(), table.clone()]);
    let mut word = names.word();
    let mut listed = None;
    let mut list = Vec::new();
    let mut behind = Vec::new();
    if word.is_empty() && names.is_at_end() && stop == b'(' {
        // the bracket opened a list of columns
        while closing(script, &mut list)? != b')' {}
        listed = Names::of(&list, b'"').list();
        stop = bracket(script, &mut behind)?;
        names = Names::of(&behind, b'"');
        word = names.word();
        if listed.is_none() {
            return Err(script.hostile(FORM));
        }
    }
    if word == "OVERRIDING" && names.word() == "SYSTEM" && names.word() == "VALUE" {
        word = names.word();
    }
    if word != "VALUES" || !names.is_at_end() || stop != b'(' {
        return Err(script.hostile(FORM));
    }
    let place = script.input.place();
    if into.follows(&table, Lines::Insert, &place)?.is_none() {
        return Err(script.hostile("rows that were not announced"));
    }
    let columns = match (listed, into.schema.table(&table)) {
        (Some(columns), _) => columns,
        // of a generated column DEFAULT stands there: it has a place and no name
        (None, Some(made)) => {
            let named = |c: &ecluse_core::catalog::Column| {
                if c.generated.is_empty() { c.name.clone() } else { String::new() }
            };
            made.columns.iter().map(named).collect()
        }
        (None, None) => return Err(script.hostile("rows of a table that was not made")),
    };
    let mut rows = into.columns(&table, &columns, &place)?;
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

/// Up to a bracket that opens or the end of the statement, names in quotes as a whole; the byte there,
/// which stays.
fn bracket(script: &mut Script, out: &mut Vec<u8>) -> Result<u8> {
    loop {
        match script.input.until(|b| matches!(b, b'(' | b';' | b'"' | b'\''), Some(out))? {
            b'"' => name(&mut script.input, out)?,
            b'\'' => return Err(script.hostile(FORM)),
            stop => return Ok(stop),
        }
    }
}

/// Up to the bracket that closes a list of names, and past it; the byte that was passed.
fn closing(script: &mut Script, out: &mut Vec<u8>) -> Result<u8> {
    match script.input.until(|b| matches!(b, b')' | b';' | b'"' | b'\''), Some(out))? {
        b'"' => {
            name(&mut script.input, out)?;
            Ok(b'"')
        }
        b')' => {
            out.push(script.input.demand()?);
            Ok(b')')
        }
        _ => Err(script.hostile(FORM)),
    }
}

/// A name in quotes, with them; a doubled quote ends one and begins the next.
fn name(input: &mut Input, out: &mut Vec<u8>) -> Result<()> {
    out.push(input.demand()?);
    input.until(|b| b == b'"', Some(out))?;
    out.push(input.demand()?);
    Ok(())
}

/// One value; `None` where it is none that pg_dump writes.
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
    if !bare(input, &mut raw.bytes, BARE)? {
        return Ok(None);
    }
    match raw.bytes.as_slice() {
        b"NULL" => raw.form = Form::Null,
        b"true" | b"false" => {
            // as COPY writes them
            raw.bytes.truncate(1);
            raw.form = Form::Bare;
        }
        // never understood as a type, hence never wanted
        b"B" if !is_wanted && input.peek()? == b'\'' => quoted(input, None)?,
        // the value of a generated column, which nobody asks a dump for
        b"DEFAULT" if !is_wanted => {}
        word if is_number(word) => raw.form = Form::Bare,
        _ => return Ok(None),
    }
    Ok(Some(()))
}

/// `'…'` in which a doubled quote is one and nothing else means anything.
fn quoted(input: &mut Input, mut out: Option<&mut Vec<u8>>) -> Result<()> {
    input.skip(1);
    loop {
        input.until(|b| b == b'\'', out.as_deref_mut())?;
        input.skip(1);
        if input.ahead(1)?.first() != Some(&b'\'') {
            return Ok(());
        }
        input.skip(1);
        if let Some(out) = out.as_deref_mut() {
            out.push(b'\'');
        }
    }
}
