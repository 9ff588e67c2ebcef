//! The filter as a sentence: what the laboratory signs, in words a person can read.

use super::{Comparison, Filter};
use crate::value::Value;

/// How columns are called in a sentence, for instance "Date of birth — PAT.DDN".
pub struct Words<'a> {
    /// A column of the table itself.
    pub column: &'a dyn Fn(usize) -> String,
    /// A column of another table: (table number, column).
    pub other: &'a dyn Fn(usize, usize) -> String,
    /// Columns whose literals are left out of the sentence: a name or a key in them would name a
    /// person. The signed order has them.
    pub unsaid: &'a dyn Fn(usize) -> bool,
}

impl std::fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Words")
    }
}

/// The filter in English: "status is one of 4, 8, and date is from 2019-01-01 on".
///
/// Complete and unambiguous: parts of an `or` inside an `and` stand in brackets, and a
/// negation says what becomes of an empty column. Of an [unsaid](Words::unsaid) column it tells
/// what is asked, and not the literals: "name is one of 3 values written in the order".
#[must_use]
pub fn sentence(filter: &Filter, words: &Words<'_>) -> String {
    say(filter, words, false)
}

fn say(filter: &Filter, words: &Words<'_>, inside: bool) -> String {
    match filter {
        Filter::Every => "every row".to_owned(),
        Filter::Compare { column, op, value } if (words.unsaid)(*column) => {
            format!(
                "{} {}",
                (words.column)(*column),
                compared(*op, dated(value), "a value written in the order")
            )
        }
        Filter::OneOf { column, values } if (words.unsaid)(*column) => {
            let many = match values.len() {
                1 => "a value".to_owned(),
                n => format!("one of {n} values"),
            };
            format!("{} is {many} written in the order", (words.column)(*column))
        }
        Filter::StartsWith { column, .. } if (words.unsaid)(*column) => {
            format!("{} begins with a text written in the order", (words.column)(*column))
        }
        Filter::Compare { column, op, value: Value::Bool(b) } => {
            let yes = *b == matches!(op, Comparison::Eq);
            format!("{} is {}", (words.column)(*column), if yes { "yes" } else { "no" })
        }
        Filter::Compare { column, op, value } => {
            format!("{} {}", (words.column)(*column), compared(*op, dated(value), &spoken(value)))
        }
        Filter::OneOf { column, values } => match values.as_slice() {
            [value] => format!("{} is {}", (words.column)(*column), spoken(value)),
            values => {
                let values: Vec<String> = values.iter().map(spoken).collect();
                format!("{} is one of {}", (words.column)(*column), values.join(", "))
            }
        },
        Filter::IsNull { column } => format!("{} is empty", (words.column)(*column)),
        Filter::StartsWith { column, prefix } => {
            format!("{} begins with “{prefix}”", (words.column)(*column))
        }
        Filter::Chosen { column, table, other } => {
            format!("{} stands in {} of a chosen row", (words.column)(*column), (words.other)(*table, *other))
        }
        Filter::And(parts) => joined(parts, " and ", words, inside),
        Filter::Or(parts) => joined(parts, " or ", words, inside),
        Filter::Not(inner) => match inner.as_ref() {
            Filter::IsNull { column } => format!("{} is not empty", (words.column)(*column)),
            Filter::Every => "no row".to_owned(),
            Filter::Not(twice) => say(twice, words, inside),
            // two-valued: the negation of a comparison holds for empty columns too
            inner @ (Filter::Compare { .. }
            | Filter::OneOf { .. }
            | Filter::StartsWith { .. }
            | Filter::Chosen { .. }) => format!("not ({}), or it is empty", say(inner, words, false)),
            inner => format!("not ({})", say(inner, words, false)),
        },
    }
}

fn joined(parts: &[Filter], with: &str, words: &Words<'_>, inside: bool) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|part| match part {
            Filter::Not(inner) if !matches!(**inner, Filter::IsNull { .. }) => {
                format!("({})", say(part, words, true))
            }
            part => say(part, words, true),
        })
        .collect();
    let text = parts.join(&format!(",{with}"));
    if inside { format!("({text})") } else { text }
}

fn dated(value: &Value) -> bool {
    matches!(value, Value::Date(_) | Value::Timestamp(_) | Value::Instant(_))
}

fn compared(op: Comparison, dated: bool, value: &str) -> String {
    match (op, dated) {
        (Comparison::Eq, _) => format!("is {value}"),
        (Comparison::Ne, _) => format!("is filled in and is not {value}"),
        (Comparison::Lt, true) => format!("is before {value}"),
        (Comparison::Le, true) => format!("is up to {value}, that moment included"),
        (Comparison::Gt, true) => format!("is after {value}"),
        (Comparison::Ge, true) => format!("is from {value} on"),
        (Comparison::Lt, false) => format!("is less than {value}"),
        (Comparison::Le, false) => format!("is at most {value}"),
        (Comparison::Gt, false) => format!("is more than {value}"),
        (Comparison::Ge, false) => format!("is at least {value}"),
    }
}

/// A literal of the signed document, in words. Never used for values of a database.
fn spoken(value: &Value) -> String {
    use jiff::civil::DateTime;
    let moment = |seconds: i64| {
        DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
            .checked_add(jiff::SignedDuration::from_secs(seconds))
            .map(|d| d.to_string())
            .unwrap_or_default()
    };
    let precise = |micros: i64| {
        let text = moment(micros.div_euclid(1_000_000)).replace('T', " ");
        match micros.rem_euclid(1_000_000) {
            0 => text,
            fraction => format!("{text}.{}", format!("{fraction:06}").trim_end_matches('0')),
        }
    };
    match value {
        Value::Null => "empty".to_owned(),
        Value::Bool(b) => if *b { "yes" } else { "no" }.to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Decimal { unscaled, scale } => {
            let width = usize::from(*scale) + 1;
            let digits = format!("{:0>width$}", unscaled.unsigned_abs());
            let sign = if *unscaled < 0 { "-" } else { "" };
            match digits.split_at_checked(digits.len() - usize::from(*scale)) {
                Some((whole, fraction)) if *scale > 0 => format!("{sign}{whole}.{fraction}"),
                _ => format!("{sign}{digits}"),
            }
        }
        Value::Text(text) => format!("“{text}”"),
        Value::Date(days) => moment(i64::from(*days) * 86_400).chars().take(10).collect(),
        Value::Timestamp(micros) => precise(*micros),
        Value::Instant(micros) => format!("{} UTC", precise(*micros)),
        Value::Bytes(_) | Value::Time(_) | Value::Uuid(_) => value.kind().to_owned(),
    }
}
