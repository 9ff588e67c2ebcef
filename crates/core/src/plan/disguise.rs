//! What the mapping says of moments, of a text's bytes and of booleans in disguise, against both catalogues.

use super::Expression;
use super::compile::Draft;
use super::literal::typed;
use super::target::{CODE_VALUE, NO_CAST, OTHER_TYPE, column};
use crate::catalog::{Column, Table};
use crate::fault::Code;
use crate::filter::{chooses, looks_at};
use crate::finding::Finding;
use crate::mapping::{self, Make, TableMap};
use crate::reader::Spanned;
use crate::types::Type;
use crate::value::Value;
use crate::zone::Zone;

/// A zero date that means NULL in one place and a refused row in another.
static TWO_MEANINGS: Code =
    Code::refused("ECL-PLN-060", "a zero date cannot be NULL here: something else is decided by it");

/// A moment as it is, or the local time of a zone as an instant.
pub(super) fn moment(
    name: &Spanned<String>,
    zone: Option<&Zone>,
    zero_null: bool,
    source: &Table,
    there: &Column,
    ty: Type,
) -> Result<Expression, Vec<Finding>> {
    let (index, _, from) = column(source, name)?;
    let refuse = |code, message: String, help: &str| {
        Err(vec![Finding::new(code, message).at(name.span.clone()).help(help)])
    };
    let dated = matches!(from, Type::Date | Type::Timestamp | Type::Instant);
    match zone {
        Some(_) if from != Type::Timestamp => refuse(
            &NO_CAST,
            format!("{} is {from}; a zone is named of a local time", name.value),
            "take `zone` out",
        ),
        Some(_) if ty != Type::Instant => refuse(
            &OTHER_TYPE,
            format!("{} becomes an instant, {} is {ty}", name.value, there.name),
            "map to a column that holds instants, or take `zone` out",
        ),
        None if !dated => {
            refuse(&NO_CAST, format!("{} is {from} and has no zero date", name.value), "take `zero_date` out")
        }
        None if from != ty => refuse(
            &OTHER_TYPE,
            format!("{} is {from}, {} is {ty}", name.value, there.name),
            "map to a column of the same type",
        ),
        _ => Ok(Expression::Moment { column: index, zone: zone.cloned(), zero_null }),
    }
}

/// A text as the UTF-8 that its bytes are; what is too long for its column refuses its row, as a cast's.
pub(super) fn utf8(
    name: &Spanned<String>,
    source: &Table,
    there: &Column,
    ty: Type,
) -> Result<Expression, Vec<Finding>> {
    let (index, _, from) = column(source, name)?;
    let (code, message, help) = match (from, ty) {
        (Type::Text, Type::Text) => return Ok(Expression::Utf8(index)),
        (Type::Text, _) => {
            (&OTHER_TYPE, format!("{} is text, {} is {ty}", name.value, there.name), "map to a text column")
        }
        _ => (&NO_CAST, format!("{} is {from}, and no text", name.value), "take `bytes` out"),
    };
    Err(vec![Finding::new(code, message).at(name.span.clone()).help(help)])
}

/// A boolean out of the values that are said to mean true and false: a code table of two lists.
pub(super) fn boolean(
    name: &Spanned<String>,
    yes: &[Spanned<String>],
    no: &[Spanned<String>],
    source: &Table,
    there: &Column,
    ty: Type,
) -> Result<Expression, Vec<Finding>> {
    let (index, _, from) = column(source, name)?;
    // MariaDB has no booleans: 1 and 0
    let means: fn(bool) -> Value = match ty {
        Type::Bool => Value::Bool,
        Type::Int => |yes| Value::Int(i64::from(yes)),
        _ => {
            let finding = Finding::new(&OTHER_TYPE, format!("{} is {ty}, and no boolean", there.name));
            return Err(vec![
                finding.at(name.span.clone()).help("map to a boolean column, or use a code table"),
            ]);
        }
    };
    let lists = yes.iter().map(|v| (v, true)).chain(no.iter().map(|v| (v, false)));
    let (mut table, mut findings) = (Vec::new(), Vec::new());
    for (value, yes) in lists {
        match typed(&value.value, from) {
            Some(code) => table.push((code, means(yes))),
            None => {
                let message = format!("`{}`: {} is {from}", value.value, name.value);
                let finding = Finding::new(&CODE_VALUE, message).at(value.span.clone());
                findings.push(finding.help("write values of that type"));
            }
        }
    }
    table.sort();
    if findings.is_empty() { Ok(Expression::Code { column: index, table }) } else { Err(findings) }
}

/// A column whose zero dates mean NULL is made into nothing else and chooses no row: the database would
/// compare the zero date, the process NULL.
pub(super) fn zero_dates(drafts: &[Draft<'_>], maps: &[&TableMap]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, (draft, map)) in drafts.iter().zip(maps).enumerate() {
        let zeros = map.columns.iter().filter_map(|c| match &c.make {
            Make::Moment { column, zero_null: true, .. } => Some((c, column)),
            _ => None,
        });
        for (written, name) in zeros {
            let Some(index) = draft.source.columns.iter().position(|c| c.name == name.value) else {
                continue;
            };
            let mut asked = draft.key.contains(&index) || draft.relations.iter().any(|r| r.column == index);
            looks_at(&draft.filter, &mut |column| asked |= column == index);
            for other in drafts {
                chooses(&other.filter, &mut |table, column| asked |= table == number && column == index);
                asked |= other.relations.iter().any(|r| r.parent == number && r.parent_column == index);
            }
            let elsewhere = map.columns.iter().any(|c| {
                let null = matches!(&c.make, Make::Moment { zero_null: true, .. });
                c.to.value != written.to.value && !null && c.make.uses().iter().any(|u| u.value == name.value)
            });
            if asked || elsewhere {
                let message = format!("{}.{}", draft.source.name, name.value);
                let finding = Finding::new(&TWO_MEANINGS, message).at(name.span.clone());
                findings.push(finding.in_file(mapping::FILE).help(
                    "leave `zero_date` out, or keep the column out of the row filter, the key and other columns",
                ));
            }
        }
    }
    findings
}
