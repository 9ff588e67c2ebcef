//! The filter as a sentence: what the laboratory signs, in words a person can read.

use jiff::civil::DateTime;

use super::phrases::{Around, Phrases};
use super::{Comparison, Filter};
use crate::language::Language;
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

/// The filter in words: "status is one of 4, 8, and date is from 2019-01-01 on".
///
/// Complete and unambiguous: parts of an `or` inside an `and` stand in brackets, and a
/// negation says what becomes of an empty column. Of an [unsaid](Words::unsaid) column it tells
/// what is asked, and not the literals: "name is one of 3 values written in the order".
#[must_use]
pub fn sentence(filter: &Filter, words: &Words<'_>, language: Language) -> String {
    Telling { words, phrases: Phrases::of(language) }.say(filter, false)
}

/// One filter being told, in one language.
#[derive(Clone, Copy)]
struct Telling<'a> {
    words: &'a Words<'a>,
    phrases: &'static Phrases,
}

impl Telling<'_> {
    fn say(self, filter: &Filter, inside: bool) -> String {
        let p = self.phrases;
        match filter {
            Filter::Every => p.every.to_owned(),
            Filter::Compare { column, op, value } => self.about(*column, &self.compared(*column, *op, value)),
            Filter::OneOf { column, values } => self.about(*column, &self.one_of(*column, values)),
            Filter::IsNull { column } => self.about(*column, p.empty),
            Filter::StartsWith { column, prefix } => {
                let prefix =
                    if self.unsaid(*column) { p.a_text.to_owned() } else { around(p.quoted, prefix) };
                self.about(*column, &format!("{}{prefix}", p.begins))
            }
            Filter::Chosen { column, table, other } => {
                self.about(*column, &around(p.stands, &(self.words.other)(*table, *other)))
            }
            Filter::And(parts) => self.joined(parts, p.and, inside),
            Filter::Or(parts) => self.joined(parts, p.or, inside),
            Filter::Not(inner) => self.negated(inner, inside),
        }
    }

    fn negated(self, filter: &Filter, inside: bool) -> String {
        let p = self.phrases;
        match filter {
            Filter::IsNull { column } => self.about(*column, p.not_empty),
            Filter::Every => p.none.to_owned(),
            Filter::Not(twice) => self.say(twice, inside),
            // two-valued: the negation of a comparison holds for empty columns too
            Filter::Compare { .. }
            | Filter::OneOf { .. }
            | Filter::StartsWith { .. }
            | Filter::Chosen { .. } => {
                format!("{}{}", around(p.not, &self.say(filter, false)), p.or_it_is_empty)
            }
            Filter::And(_) | Filter::Or(_) => around(p.not, &self.say(filter, false)),
        }
    }

    fn joined(self, parts: &[Filter], with: &str, inside: bool) -> String {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Filter::Not(inner) if !matches!(**inner, Filter::IsNull { .. }) => {
                    format!("({})", self.say(part, true))
                }
                part => self.say(part, true),
            })
            .collect();
        let text = parts.join(with);
        if inside { format!("({text})") } else { text }
    }

    fn compared(self, column: usize, op: Comparison, value: &Value) -> String {
        let p = self.phrases;
        if self.unsaid(column) {
            return around(self.comparison(op, value), p.a_value);
        }
        if let Value::Bool(b) = value {
            let yes = *b == matches!(op, Comparison::Eq);
            return around(p.is, if yes { p.yes } else { p.no });
        }
        around(self.comparison(op, value), &self.spoken(value))
    }

    fn one_of(self, column: usize, values: &[Value]) -> String {
        let p = self.phrases;
        match values {
            [_] if self.unsaid(column) => around(p.is, p.a_value),
            values if self.unsaid(column) => around(p.values, &values.len().to_string()),
            [value] => around(p.is, &self.spoken(value)),
            values => {
                let values: Vec<String> = values.iter().map(|value| self.spoken(value)).collect();
                format!("{}{}", p.one_of, values.join(", "))
            }
        }
    }

    fn about(self, column: usize, what: &str) -> String {
        format!("{} {what}", (self.words.column)(column))
    }

    fn unsaid(self, column: usize) -> bool {
        (self.words.unsaid)(column)
    }

    fn comparison(self, op: Comparison, value: &Value) -> Around {
        let p = self.phrases;
        let dated = matches!(value, Value::Date(_) | Value::Timestamp(_) | Value::Instant(_));
        let order = if dated { &p.of_dates } else { &p.of_numbers };
        match op {
            Comparison::Eq => p.is,
            Comparison::Ne => p.is_not,
            Comparison::Lt => order.less,
            Comparison::Le => order.at_most,
            Comparison::Gt => order.more,
            Comparison::Ge => order.at_least,
        }
    }

    /// A literal of the signed document, in words. Never used for values of a database.
    fn spoken(self, value: &Value) -> String {
        let p = self.phrases;
        let moment = |micros: i64, timed| {
            DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
                .checked_add(jiff::SignedDuration::from_micros(micros))
                .map(|at| p.moment(at, timed))
                .unwrap_or_default()
        };
        match value {
            Value::Null => p.empty.to_owned(),
            Value::Bool(b) => if *b { p.yes } else { p.no }.to_owned(),
            Value::Int(i) => i.to_string(),
            Value::Decimal { unscaled, scale } => {
                let width = usize::from(*scale) + 1;
                let digits = format!("{:0>width$}", unscaled.unsigned_abs());
                let sign = if *unscaled < 0 { "-" } else { "" };
                match digits.split_at_checked(digits.len() - usize::from(*scale)) {
                    Some((whole, fraction)) if *scale > 0 => format!("{sign}{whole}{}{fraction}", p.mark()),
                    _ => format!("{sign}{digits}"),
                }
            }
            Value::Text(text) => around(p.quoted, text),
            Value::Date(days) => moment(i64::from(*days).saturating_mul(86_400_000_000), false),
            Value::Timestamp(micros) => moment(*micros, true),
            Value::Instant(micros) => format!("{} UTC", moment(*micros, true)),
            Value::Bytes(_) | Value::Time(_) | Value::Uuid(_) => value.kind().to_owned(),
        }
    }
}

fn around((before, after): Around, what: &str) -> String {
    format!("{before}{what}{after}")
}
