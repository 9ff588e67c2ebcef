//! What is written: the mapping of one table against the destination's catalogue.

use super::compile::{Given, position, readable};
use super::identifier::identifier;
use super::literal::{constant, typed};
use super::{Expression, Piece, Shift, WriteColumn, disguise};
use crate::catalog::{Column, Table};
use crate::fault::Code;
use crate::finding::Finding;
use crate::mapping::{self, ColumnMap, Constant, Make, TableMap};
use crate::nearest::{nearest, suggestion};
use crate::reader::Spanned;
use crate::types::Type;

/// A destination table that is not there; `ecluse migrate --ddl` makes it, `ecluse plan --ddl` prints how.
pub static NO_TABLE: Code = Code::refused("ECL-PLN-008", "the destination has no such table");
static NO_COLUMN: Code = Code::refused("ECL-PLN-010", "the destination has no such column");
pub(super) static OTHER_TYPE: Code =
    Code::refused("ECL-PLN-011", "the destination's column has another type");
static NARROWER: Code = Code::refused("ECL-PLN-012", "the destination's column is narrower");
static MAY_BE_NULL: Code = Code::refused("ECL-PLN-013", "NULL may arrive where the destination refuses it");
static NOT_FILLED: Code = Code::refused("ECL-PLN-014", "the destination demands a column that nothing fills");
static GENERATED: Code = Code::refused("ECL-PLN-015", "the destination computes this column itself");
pub(super) static NO_CAST: Code =
    Code::refused("ECL-PLN-016", "there is no exact conversion between these types");
static CONSTANT: Code = Code::refused("ECL-PLN-017", "the constant does not fit the destination's column");
pub(super) static CODE_VALUE: Code =
    Code::refused("ECL-PLN-018", "a line of the code table does not fit its columns");
static KEY_CHANGED: Code = Code::refused("ECL-PLN-021", "the key must arrive as it is");
static OTHER_KEY: Code = Code::refused("ECL-PLN-022", "the destination table has another key");
static CITED: Code =
    Code::refused("ECL-PLN-023", "a cited document is missing or is not the one that was cited");
static TRIGGERS: Code = Code::refused("ECL-PLN-024", "the destination table has triggers");
static UNSUPPORTED: Code =
    Code::refused("ECL-PLN-026", "this version cannot write the column's type exactly");

/// The number is the same, the digits that are read are not.
static WIDENED: Code =
    Code::refused("ECL-PLN-093", "single precision: what reads 5.4 will read 5.400000095367432");

/// Nobody decided the value, and every row has it.
static DEFAULT: Code = Code::refused("ECL-PLN-096", "the destination's own default will stand in every row");

/// The destination's side of one table.
pub(super) struct Target {
    pub name: String,
    /// Indices in the expressions are into the *source table's* columns.
    pub columns: Vec<WriteColumn>,
    /// Of `columns`, those that are moved aside; none until all tables are known.
    pub shifts: Vec<Shift>,
    pub notes: Vec<Finding>,
}

/// Compiles a table's map. A destination table that is missing is proposed in `missing`.
pub(super) fn target(
    inputs: &Given<'_>,
    map: &TableMap,
    source: &Table,
    key: &[String],
    missing: &mut Vec<Table>,
) -> Result<Target, Vec<Finding>> {
    let to = &map.to;
    let mut findings = kept(map, source, key);
    let Some(table) = inputs.destination.table(&to.value) else {
        let names = inputs.destination.tables.iter().map(|t| t.name.as_str());
        let near = nearest(&to.value, names).map(|n| format!("did you mean `{n}`? Or "));
        let help = format!(
            "{}make it: ecluse migrate --ddl, or have the administrator run what ecluse plan --ddl prints",
            near.unwrap_or_default()
        );
        let finding = Finding::new(&NO_TABLE, to.value.clone()).at(to.span.clone());
        findings.push(finding.in_file(mapping::FILE).help(help));
        missing.push(proposed(inputs, map, source, key));
        return Err(findings);
    };
    let mut columns = Vec::new();
    for column in &map.columns {
        match write_column(inputs, map, column, source, table, key) {
            Ok(write) => columns.push(write),
            Err(found) => findings.extend(found.into_iter().map(|f| f.in_file(mapping::FILE))),
        }
    }
    findings.extend(not_filled(map, table));
    findings.extend(other_key(map, table, key));
    let notes = table.triggers.iter().map(|trigger| {
        let name = trigger.split(' ').next().unwrap_or_default();
        let finding = Finding::new(&TRIGGERS, format!("{} on {}", name, table.name)).at(to.span.clone());
        finding
            .in_file(mapping::FILE)
            .help("make sure that it may fire for every row, or disable it for the run")
    });
    let notes = notes.chain(widened(map, source, table)).chain(defaults(map, table)).collect();
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(Target { name: table.name.clone(), columns, shifts: Vec::new(), notes })
}

fn write_column(
    inputs: &Given<'_>,
    map: &TableMap,
    column: &ColumnMap,
    source: &Table,
    table: &Table,
    key: &[String],
) -> Result<WriteColumn, Vec<Finding>> {
    let to = &column.to;
    let one = |finding: Finding| vec![finding.at(to.span.clone())];
    let Some(there) = table.column(&to.value) else {
        let help = suggestion(&to.value, table.columns.iter().map(|c| c.name.as_str()));
        let finding = Finding::new(&NO_COLUMN, format!("{}.{}", table.name, to.value));
        return Err(one(
            finding.help(help.unwrap_or_else(|| "add it to the destination, or map to another".to_owned()))
        ));
    };
    if !there.generated.is_empty() {
        let finding = Finding::new(&GENERATED, format!("{}.{}", table.name, to.value));
        return Err(one(finding.help("take it out of the mapping")));
    }
    let Some(ty) = there.ty else {
        let finding =
            Finding::new(&UNSUPPORTED, format!("{}.{} is `{}`", table.name, to.value, there.sql_type));
        return Err(one(finding.help("map to a column of another type")));
    };
    let from = expression(inputs, column, source, there, ty, key)?;
    if there.nullable || column.required || !may_be_null(&column.make, source) {
        return Ok(WriteColumn {
            name: there.name.clone(),
            ty,
            sql_type: there.sql_type.clone(),
            nullable: there.nullable && !column.required,
            max_length: there.max_length,
            int_bounds: there.int_bounds,
            labels: there.labels.clone(),
            from,
            relation: false,
        });
    }
    let used = column.make.uses().first().map(|c| c.value.clone()).unwrap_or_default();
    let message = format!("{}.{used} may be NULL, {}.{} may not", map.from.value, table.name, to.value);
    let fix = format!(
        "let {}.{} be NULL, or write {} = {{ column = \"{used}\", required = true }}: such rows are then refused and counted",
        table.name, to.value, to.value
    );
    Err(one(Finding::new(&MAY_BE_NULL, message).help(fix)))
}

/// Columns of single precision that go into double precision as they are.
fn widened<'a>(map: &'a TableMap, source: &'a Table, table: &'a Table) -> impl Iterator<Item = Finding> + 'a {
    let goes = |c: &&ColumnMap| {
        let (Make::Column(from) | Make::Cast(from)) = &c.make else { return false };
        let ends = (source.column(&from.value), table.column(&c.to.value));
        matches!(ends, (Some(here), Some(there)) if here.ty == Some(Type::Single) && there.ty == Some(Type::Float))
    };
    map.columns.iter().filter(goes).map(|c| {
        let finding = Finding::new(&WIDENED, format!("{}.{}", table.name, c.to.value)).at(c.to.span.clone());
        finding.in_file(mapping::FILE).help(
            "the number is the same; for the digits that the source shows, map by a cast to a decimal or a text column",
        )
    })
}

/// Columns that may not be NULL, that nothing fills, and that the destination fills alike in every row.
fn defaults<'a>(map: &'a TableMap, table: &'a Table) -> impl Iterator<Item = Finding> + 'a {
    let mapped = |name: &str| map.columns.iter().any(|c| c.to.value == name);
    let filled = move |c: &&Column| {
        !c.nullable && c.has_default && !c.identity && c.generated.is_empty() && !mapped(&c.name)
    };
    table.columns.iter().filter(filled).map(|c| {
        let message = format!("{}.{}, `{}`", table.name, c.name, c.sql_type);
        let finding = Finding::new(&DEFAULT, message).at(map.to.span.clone()).in_file(mapping::FILE);
        finding.help("look at the default in the destination's schema; where it is not right of every row, map a column, a code table or a constant to it")
    })
}

fn may_be_null(make: &Make, source: &Table) -> bool {
    match make {
        Make::Moment { zero_null: true, .. } => true,
        Make::Column(c)
        | Make::Cast(c)
        | Make::Utf8(c)
        | Make::Code { column: c, .. }
        | Make::Moment { column: c, .. }
        | Make::Boolean { column: c, .. } => source.column(&c.value).is_none_or(|c| c.nullable),
        Make::Constant(_) | Make::Concat(_) => false,
        Make::Identifier { .. } => true,
    }
}

fn expression(
    inputs: &Given<'_>,
    map: &ColumnMap,
    source: &Table,
    there: &Column,
    ty: Type,
    key: &[String],
) -> Result<Expression, Vec<Finding>> {
    match &map.make {
        Make::Column(name) => {
            as_it_is(map, name, source, there, ty, key.contains(&name.value)).map_err(|f| vec![f])
        }
        Make::Moment { column, zone, zero_null } => {
            let zone = zone.as_ref().map(|z| &z.value);
            disguise::moment(column, zone, *zero_null, source, there, ty)
        }
        Make::Utf8(column) => disguise::utf8(column, source, there, ty),
        Make::Boolean { column, yes, no } => disguise::boolean(column, yes, no, source, there, ty),
        Make::Cast(name) => {
            let (index, _, from) = column(source, name)?;
            if from.casts_to(ty) {
                return Ok(Expression::Cast(index));
            }
            let message = format!("{} is {from}, {} is {ty}", name.value, there.name);
            let finding = Finding::new(&NO_CAST, message).at(name.span.clone());
            Err(vec![finding.help("change the destination's column, or use a code table")])
        }
        Make::Constant(value) => {
            constant(&value.value, there, ty).map(Expression::Constant).ok_or_else(|| {
                let finding = Finding::new(&CONSTANT, format!("{} is `{}`", there.name, there.sql_type));
                vec![finding.at(value.span.clone()).help("write a value of that type")]
            })
        }
        Make::Concat(pieces) => concat(pieces, source, there, ty),
        Make::Code { column: name, table } => code(inputs, name, table, source, there, ty),
        Make::Identifier { of, part } => identifier(inputs, of, *part, source, there, ty),
    }
}

pub(super) fn column<'a>(
    source: &'a Table,
    name: &Spanned<String>,
) -> Result<(usize, &'a Column, Type), Vec<Finding>> {
    let (found, ty) = readable(source, &name.value).map_err(|f| vec![f.at(name.span.clone())])?;
    let index = position(source, &name.value).unwrap_or(usize::MAX);
    Ok((index, found, ty))
}

#[expect(clippy::result_large_err, reason = "a finding ends the compilation; nothing is hot here")]
fn as_it_is(
    map: &ColumnMap,
    name: &Spanned<String>,
    source: &Table,
    there: &Column,
    ty: Type,
    is_key: bool,
) -> Result<Expression, Finding> {
    let at = |finding: Finding| finding.at(name.span.clone());
    let (here, from) = readable(source, &name.value).map_err(&at)?;
    let index = position(source, &name.value).unwrap_or(usize::MAX);
    let cast = format!("{} = {{ cast = \"{}\" }}", map.to.value, name.value);
    if !from.fits_in(ty) {
        let message = format!("{} is {from}, {} is {ty}", name.value, there.name);
        let help = if matches!((from, ty), (Type::Decimal { .. }, Type::Decimal { .. })) {
            format!(
                "widen the destination's column, or write {cast}: rows that do not fit are refused and counted"
            )
        } else if from.casts_to(ty) {
            format!("write {cast}: rows without an exact counterpart are refused and counted")
        } else {
            "there is no exact conversion; change the destination's column, or use a code table".to_owned()
        };
        return Err(at(Finding::new(&OTHER_TYPE, message).help(help)));
    }
    let narrower = match (here.int_bounds, there.int_bounds) {
        (Some((low, high)), Some((lowest, highest))) if ty == Type::Int => low < lowest || high > highest,
        (None, Some(bounds)) if from == Type::Int => bounds != (i64::MIN, i64::MAX),
        _ => false,
    };
    // a key is never cast; one that is too long refuses its row, as every text is measured when it is written
    let shorter = !is_key
        && matches!(ty, Type::Text | Type::Bytes)
        && there.max_length.is_some_and(|most| here.max_length.is_none_or(|length| length > most));
    if narrower || shorter {
        let message =
            format!("{} is `{}`, {} is `{}`", name.value, here.sql_type, there.name, there.sql_type);
        let help = if is_key {
            "widen the destination's column: a key arrives as it is".to_owned()
        } else {
            format!(
                "widen the destination's column, or write {cast}: rows that do not fit are refused and counted"
            )
        };
        return Err(at(Finding::new(&NARROWER, message).help(help)));
    }
    // more digits, or a truth value as a number, are another type on the way, though no value is lost
    Ok(if from == ty { Expression::Column(index) } else { Expression::Cast(index) })
}

fn concat(
    pieces: &[mapping::Piece],
    source: &Table,
    there: &Column,
    ty: Type,
) -> Result<Expression, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut made = Vec::new();
    for piece in pieces {
        match piece {
            mapping::Piece::Literal(text) => made.push(Piece::Literal(text.clone())),
            mapping::Piece::Column(name) => match column(source, name) {
                Ok((index, _, Type::Text)) => made.push(Piece::Column(index)),
                Ok((_, _, other)) => {
                    let finding = Finding::new(
                        &OTHER_TYPE,
                        format!("{} is {other}; only texts are joined", name.value),
                    );
                    findings.push(finding.at(name.span.clone()).help("give it a column of its own"));
                }
                Err(found) => findings.extend(found),
            },
        }
    }
    if ty != Type::Text {
        let span = pieces.iter().find_map(|p| match p {
            mapping::Piece::Column(name) => Some(name.span.clone()),
            mapping::Piece::Literal(_) => None,
        });
        let finding = Finding::new(&OTHER_TYPE, format!("{} is {ty}; joined texts are text", there.name));
        findings.push(finding.at(span.unwrap_or_default()).help("map to a text column"));
    }
    if findings.is_empty() { Ok(Expression::Concat(made)) } else { Err(findings) }
}

fn code(
    inputs: &Given<'_>,
    name: &Spanned<String>,
    table: &Spanned<String>,
    source: &Table,
    there: &Column,
    ty: Type,
) -> Result<Expression, Vec<Finding>> {
    let (index, _, from) = column(source, name)?;
    let citation = inputs.mapping.codes.iter().find(|c| c.name.value == table.value);
    let codes = inputs.codes.get(&table.value);
    let (Some(citation), Some(codes)) = (citation, codes) else {
        let finding = Finding::new(&CITED, format!("code table `{}`", table.value)).at(table.span.clone());
        return Err(vec![finding.help("put the file where the [[code_table]] says it lies")]);
    };
    if citation.digest.value != codes.digest {
        let message = format!("{} is {}", citation.file.value, codes.digest);
        let finding = Finding::new(&CITED, message).at(citation.digest.span.clone());
        return Err(vec![
            finding.help("put back the file that was signed, or sign a new version of the mapping"),
        ]);
    }
    let mut pairs = Vec::new();
    let mut findings = Vec::new();
    for pair in &codes.pairs {
        match (typed(&pair.from.value, from), constant(&Constant::Text(pair.to.value.clone()), there, ty)) {
            (Some(code), Some(value)) => pairs.push((code, value)),
            _ => {
                let message = format!(
                    "`{}` → `{}`: {} is {from}, {} is {ty}",
                    pair.from.value, pair.to.value, name.value, there.name
                );
                let finding = Finding::new(&CODE_VALUE, message).at(pair.from.span.clone());
                findings
                    .push(finding.in_file(citation.file.value.clone()).help("write values of these types"));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    if findings.is_empty() { Ok(Expression::Code { column: index, table: pairs }) } else { Err(findings) }
}

/// The key's columns arrive as they are: a chunk is found again at the destination by its keys.
fn kept(map: &TableMap, source: &Table, key: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for column in key {
        let plain = |c: &&ColumnMap| matches!(&c.make, Make::Column(name) if name.value == *column);
        if map.columns.iter().any(|c| plain(&c)) {
            continue;
        }
        let used = map.columns.iter().find(|c| c.make.uses().iter().any(|u| u.value == *column));
        let span = used.map_or_else(|| map.from.span.clone(), |c| c.to.span.clone());
        let finding = Finding::new(&KEY_CHANGED, format!("{}.{column} is the key", source.name)).at(span);
        findings.push(finding.in_file(mapping::FILE).help(format!("map it plainly: COLUMN = \"{column}\"")));
    }
    findings
}

fn not_filled(map: &TableMap, table: &Table) -> Vec<Finding> {
    let mapped = |name: &str| map.columns.iter().any(|c| c.to.value == name);
    table
        .columns
        .iter()
        .filter(|c| {
            !c.nullable && !c.has_default && !c.identity && c.generated.is_empty() && !mapped(&c.name)
        })
        .map(|c| {
            let finding = Finding::new(&NOT_FILLED, format!("{}.{} is NOT NULL", table.name, c.name));
            let help = format!("map a column to it, or a constant: {} = {{ constant = … }}", c.name);
            finding.at(map.to.span.clone()).in_file(mapping::FILE).help(help)
        })
        .collect()
}

/// The destination's primary key, where it has one, is made of the columns the key arrives in.
fn other_key(map: &TableMap, table: &Table, key: &[String]) -> Option<Finding> {
    if table.key.is_empty() || key.is_empty() {
        return None;
    }
    let arrives = |column: &String| {
        map.columns
            .iter()
            .find(|c| matches!(&c.make, Make::Column(n) if n.value == *column))
            .map(|c| c.to.value.clone())
    };
    let mut here: Vec<String> = key.iter().filter_map(arrives).collect();
    let mut there = table.key.clone();
    here.sort();
    there.sort();
    (here != there && here.len() == key.len()).then(|| {
        let message = format!(
            "{} has the key ({}), the rows bring ({})",
            table.name,
            table.key.join(", "),
            here.join(", ")
        );
        let finding = Finding::new(&OTHER_KEY, message).at(map.to.span.clone()).in_file(mapping::FILE);
        finding.help("map the key to the destination's key, or change the destination's")
    })
}

/// A missing destination table as it would have to be: source types, mapped names.
fn proposed(inputs: &Given<'_>, map: &TableMap, source: &Table, key: &[String]) -> Table {
    let columns: Vec<Column> = map.columns.iter().map(|c| propose(inputs, c, source)).collect();
    let arrives = |k: &String| {
        map.columns
            .iter()
            .find(|c| matches!(&c.make, Make::Column(n) if n.value == *k))
            .map(|c| c.to.value.clone())
    };
    Table {
        name: map.to.value.clone(),
        kind: "table".to_owned(),
        oid: None,
        storage: String::new(),
        columns,
        key: key.iter().filter_map(arrives).collect(),
        uniques: Vec::new(),
        foreign_keys: Vec::new(),
        triggers: Vec::new(),
        row_security: String::new(),
        definition: String::new(),
        estimated_rows: None,
    }
}

fn names_files(inputs: &Given<'_>, source: &Table, column: &Column) -> bool {
    let ordered = inputs.order.table(&source.name);
    ordered.is_some_and(|t| t.files.iter().any(|files| files.column.value == column.name))
}

fn propose(inputs: &Given<'_>, map: &ColumnMap, source: &Table) -> Column {
    let used = map.make.uses().first().and_then(|u| source.column(&u.value));
    let plain = matches!(map.make, Make::Column(_) | Make::Cast(_) | Make::Utf8(_)).then_some(used).flatten();
    let ty = match &map.make {
        Make::Moment { zone: Some(_), .. } => Some(Type::Instant),
        Make::Column(_) | Make::Cast(_) | Make::Utf8(_) | Make::Moment { .. } => used.and_then(|c| c.ty),
        Make::Boolean { .. } => Some(Type::Bool),
        Make::Constant(value) => Some(match &value.value {
            Constant::Int(_) => Type::Int,
            Constant::Bool(_) => Type::Bool,
            Constant::Moment(text) if text.len() == 10 => Type::Date,
            Constant::Moment(_) => Type::Timestamp,
            Constant::Text(_) => Type::Text,
        }),
        Make::Concat(_) | Make::Identifier { .. } => Some(Type::Text),
        Make::Code { table, .. } => {
            let numbers =
                |c: &crate::codes::CodeTable| c.pairs.iter().all(|p| p.to.value.parse::<i64>().is_ok());
            let int = inputs.codes.get(&table.value).is_some_and(numbers);
            Some(if int { Type::Int } else { Type::Text })
        }
    };
    Column {
        name: map.to.value.clone(),
        sql_type: String::new(),
        ty,
        // a file's name at the destination is longer than most at the source
        max_length: plain.filter(|c| !names_files(inputs, source, c)).and_then(|c| c.max_length),
        int_bounds: plain.and_then(|c| c.int_bounds),
        nullable: !map.required && may_be_null(&map.make, source),
        has_default: false,
        identity: false,
        generated: String::new(),
        collation: String::new(),
        choice: false,
        labels: Vec::new(),
        comment: String::new(),
    }
}
