//! Reads a mapping's document.

use std::ops::Range;

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::{
    Append, Citation, ColumnMap, Constant, FORMAT, MISSING_KEY, Make, Mapping, Piece, SYNTAX, TableMap,
    UNKNOWN_KEY, WRONG_VALUE,
};
use super::{disguise, identifier};
use crate::fault::Code;
use crate::finding::Finding;
use crate::reader::{Codes, Fields, Reader, Spanned, as_table, as_text};

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// A name twice.
pub(super) static TWICE: Code = Code::refused("ECL-MAP-005", "the mapping names this twice");
/// A room in which no key could lie.
pub(super) static ROOM: Code = Code::refused("ECL-MAP-040", "[append] does not say where keys go");
/// A code table that is not cited.
pub(super) static UNCITED: Code = Code::refused("ECL-MAP-006", "this code table is not cited in the mapping");

/// Reads a mapping.
///
/// # Errors
/// Everything that is wrong with it, in the order of the document.
pub fn parse(text: &str) -> Result<Mapping, Vec<Finding>> {
    let mut r = Reader::new(text, &CODES);
    let mapping = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        let mapping = read(&mut r, &mut root);
        root.end(&mut r);
        mapping
    });
    if let Some(mapping) = &mapping {
        check(&mut r, mapping);
    }
    r.finish(mapping)
}

fn read(r: &mut Reader<'_>, root: &mut Fields<'_, '_>) -> Option<Mapping> {
    let mut head = root.table(r, "mapping")?;
    let format = head.text(r, "format");
    if let Some(format) = format.filter(|f| f.value != FORMAT) {
        let finding = Finding::new(&WRONG_VALUE, format!("the format `{}` is not known", format.value));
        r.find(finding.at(format.span).help(format!("this version reads {FORMAT}")));
    }
    head.end(r);
    let codes = root.tables(r, "code_table").into_iter().filter_map(|t| read_citation(r, t)).collect();
    let append = root.maybe_table(r, "append").and_then(|t| read_append(r, t));
    let tables = root.tables(r, "table").into_iter().filter_map(|t| read_table(r, t)).collect();
    Some(Mapping { digest: crate::digest::of_bytes(r.text.as_bytes()), codes, append, tables })
}

fn read_citation(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Citation> {
    let name = t.text(r, "name");
    let file = t.text(r, "file");
    let digest = t.text(r, "digest");
    t.end(r);
    if let Some(digest) = digest.as_ref().filter(|d| !crate::digest::well_formed(&d.value)) {
        let finding =
            Finding::new(&WRONG_VALUE, "`digest` wants sha256: and 64 lower-case hexadecimal digits");
        r.find(finding.at(digest.span.clone()));
    }
    // a path that climbs out of the folder could cite any file of the machine
    let outside =
        |f: &str| f.starts_with('/') || f.split(['/', '\\']).any(|part| part == "..") || f.contains(':');
    if let Some(file) = file.as_ref().filter(|f| outside(&f.value)) {
        let finding = Finding::new(&WRONG_VALUE, "a code table lies in the migration's folder");
        r.find(finding.at(file.span.clone()).help("for instance \"codes/sex.toml\""));
    }
    Some(Citation { name: name?, file: file?, digest: digest? })
}

fn read_append(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Append> {
    let number = |r: &mut Reader<'_>, t: &mut Fields<'_, '_>, key| {
        let given = t.maybe_number(r, key)?;
        let number = i64::try_from(given.value).unwrap_or(i64::MAX);
        Some(Spanned::new(number, given.span))
    };
    let offset = number(r, &mut t, "offset");
    let room = number(r, &mut t, "room");
    let prefix = t.maybe_text(r, "prefix");
    let plain = t.texts(r, "plain");
    let span = t.span.clone();
    t.end(r);
    let mut refuse = |span: &Range<usize>, message: &str, help: &str| {
        r.find(Finding::new(&ROOM, message).at(span.clone()).help(help));
    };
    match (&offset, &room) {
        (Some(offset), Some(room)) => {
            if room.value == 0 || offset.value.checked_add(room.value).is_none() {
                refuse(&room.span, "no whole number of 64 bits lies in this room", "for instance 1000000");
            }
        }
        (Some(one), None) | (None, Some(one)) => {
            refuse(&one.span, "`offset` and `room` go together", "write both, or neither");
        }
        (None, None) if prefix.is_none() => {
            refuse(&span, "nothing says where keys go", "write `offset` and `room`, `prefix`, or all three");
        }
        (None, None) => {}
    }
    // printable ASCII has a successor in every collation and encoding
    let ascii = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_graphic());
    if let Some(prefix) = prefix.as_ref().filter(|p| !ascii(&p.value)) {
        refuse(&prefix.span, "a prefix is letters, digits and signs of ASCII", "for instance \"CHB-\"");
    }
    Some(Append { offset, room, prefix, plain, span })
}

fn read_table(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<TableMap> {
    let from = t.text(r, "from");
    let to = t.text(r, "to");
    let keys = t.maybe_text(r, "keys");
    if let Some(keys) = keys.filter(|k| k.value != "kept") {
        let finding = Finding::new(&WRONG_VALUE, "a table keeps its keys, unless [append] moves all aside");
        r.find(finding.at(keys.span).help("write keys = \"kept\", or leave it out"));
    }
    let columns = t.table(r, "columns");
    let columns = columns.map(|c| c.entries()).unwrap_or_default();
    let mut columns: Vec<_> =
        columns.into_iter().filter_map(|(to, value)| read_column(r, to, value)).collect();
    if let Some(section) = t.maybe_table(r, "national_identifier") {
        columns.extend(identifier::read(r, section));
    }
    let span = t.span.clone();
    t.end(r);
    Some(TableMap { from: from?, to: to?, columns, span })
}

type Value<'i> = toml::Spanned<DeValue<'i>>;

fn read_column(r: &mut Reader<'_>, to: Spanned<String>, value: &Value<'_>) -> Option<ColumnMap> {
    if value.get_ref().as_table().is_none() {
        let column = as_text(r, &to.value, value)?;
        return Some(ColumnMap { to, make: Make::Column(column), required: false });
    }
    let mut t = as_table(r, &to.value, value)?;
    let required = t.flag(r, "required");
    let given: Vec<&str> =
        ["column", "cast", "constant", "concat", "code"].into_iter().filter(|k| t.get(k).is_some()).collect();
    let make = match given.as_slice() {
        ["column"] => disguise::read(r, &mut t),
        ["cast"] => t.text(r, "cast").map(Make::Cast),
        ["constant"] => t.get("constant").and_then(|v| read_constant(r, v)).map(Make::Constant),
        ["concat"] => {
            let pieces = t.list(r, "concat");
            Some(Make::Concat(pieces.into_iter().filter_map(|v| read_piece(r, v)).collect()))
        }
        ["code"] => {
            let column = t.text(r, "code");
            let table = t.text(r, "table");
            column.zip(table).map(|(column, table)| Make::Code { column, table })
        }
        _ => {
            let finding = Finding::new(&WRONG_VALUE, format!("`{}` is made in exactly one way", to.value));
            r.find(finding.at(value.span()).help("one of: column, cast, constant, concat, code"));
            t.get("table");
            None
        }
    };
    t.end(r);
    Some(ColumnMap { to, make: make?, required })
}

fn read_constant(r: &mut Reader<'_>, value: &Value<'_>) -> Option<Spanned<Constant>> {
    let constant = match value.get_ref() {
        DeValue::String(text) => Some(Constant::Text(text.to_string())),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(Constant::Int),
        DeValue::Boolean(flag) => Some(Constant::Bool(*flag)),
        DeValue::Datetime(moment) => Some(Constant::Moment(moment.to_string())),
        DeValue::Float(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    };
    if constant.is_none() {
        let finding =
            Finding::new(&WRONG_VALUE, "a constant is a text, a whole number, true, false, or a date");
        r.find(finding.at(value.span()).help("write a decimal number as a text: \"1.50\""));
    }
    constant.map(|c| Spanned::new(c, value.span()))
}

fn read_piece(r: &mut Reader<'_>, value: &Value<'_>) -> Option<Piece> {
    if let Some(text) = value.get_ref().as_str() {
        return Some(Piece::Literal(text.to_owned()));
    }
    let mut t = as_table(r, "concat", value)?;
    let column = t.text(r, "column");
    t.end(r);
    column.map(Piece::Column)
}

fn check(r: &mut Reader<'_>, mapping: &Mapping) {
    let (mut from, mut to) = (BTreeSet::new(), BTreeSet::new());
    for table in &mapping.tables {
        if !from.insert(table.from.value.as_str()) {
            r.find(
                Finding::new(&TWICE, format!("source table {}", table.from.value))
                    .at(table.from.span.clone()),
            );
        }
        if !to.insert(table.to.value.as_str()) {
            let finding = Finding::new(&TWICE, format!("destination table {}", table.to.value));
            r.find(finding.at(table.to.span.clone()).help("one source table for each destination table"));
        }
        for column in &table.columns {
            let Make::Code { table: name, .. } = &column.make else { continue };
            if mapping.codes.iter().all(|c| c.name.value != name.value) {
                let finding = Finding::new(&UNCITED, format!("`{}`", name.value)).at(name.span.clone());
                r.find(finding.help("add a [[code_table]] with its name, file and digest"));
            }
        }
    }
    for (i, code) in mapping.codes.iter().enumerate() {
        if mapping.codes.iter().take(i).any(|c| c.name.value == code.name.value) {
            r.find(
                Finding::new(&TWICE, format!("code table {}", code.name.value)).at(code.name.span.clone()),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_room_says_where_keys_go() {
        let read = |append: &str| {
            let text = format!("[mapping]\nformat = \"ecluse-mapping/1\"\n\n[append]\n{append}");
            parse(&text).map_err(|found| found.into_iter().map(|f| f.code.id).collect::<Vec<_>>())
        };
        let whole =
            read("offset = 5\nroom = 10\nprefix = \"A-\"\nplain = [\"a.id_b\"]").unwrap().append.unwrap();
        assert_eq!((whole.numbers(), whole.prefix.unwrap().value.as_str()), (Some((5, 10)), "A-"));
        assert_eq!(read("prefix = \"A-\"").unwrap().append.unwrap().numbers(), None);
        assert!(read("offset = 0\nroom = 9223372036854775807").is_ok());
        for wrong in [
            "",
            "offset = 5",
            "room = 5",
            "offset = 5\nroom = 0",
            "offset = 1\nroom = 9223372036854775807",
            "prefix = \"\"",
            "prefix = \"a b\"",
            "prefix = \"é\"",
        ] {
            assert_eq!(read(wrong).unwrap_err(), ["ECL-MAP-040"], "{wrong}");
        }
        assert_eq!(read("offset = 5\nroom = 1\nprefx = \"A\"").unwrap_err(), ["ECL-MAP-002"]);
    }
}
