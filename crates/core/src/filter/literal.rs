//! Literals of a filter: of exactly the column's type, or refused.

use cel::common::ast::operators as op;
use cel::common::ast::{Expr, LiteralValue};
use jiff::civil::{Date, DateTime};

use super::parse::{INCOMPARABLE, MISTYPED, NO_VALUE, OUTSIDE};
use crate::finding::Finding;
use crate::types::Type;
use crate::value::Value;

/// Why a literal does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is a literal of another type.
    Type,
    /// There is no such date, or too many digits.
    Value,
    /// It is not a literal.
    NotALiteral,
    /// NULL has its own comparison.
    Null,
    /// No literal of the column's type exists.
    Column,
}

impl Wrong {
    /// The finding about `written`, compared with the column `name`.
    pub(super) fn finding(self, name: &str, ty: Type, written: &str) -> Finding {
        match self {
            Self::Type => Finding::new(&MISTYPED, format!("`{name}` is {ty}, `{written}` is not"))
                .help(format!("write it as {}", example(ty, written))),
            Self::Value => Finding::new(&NO_VALUE, format!("`{written}`"))
                .help(format!("write it as {}", example(ty, ""))),
            Self::NotALiteral => Finding::new(&OUTSIDE, format!("`{written}` is not a value"))
                .help(format!("write it as {}", example(ty, ""))),
            Self::Null => Finding::new(&MISTYPED, "null stands in no list").help("write == null beside it"),
            Self::Column => {
                Finding::new(&INCOMPARABLE, format!("`{name}` is {ty}, which engines compare differently"))
                    .help("only == null and != null can be asked of it")
            }
        }
    }
}

/// Whether an expression is a literal of any type.
pub(super) fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(_) | Expr::List(_) => true,
        Expr::Call(call) => {
            call.target.is_none()
                && matches!(call.func_name.as_str(), "date" | "timestamp" | "decimal" | op::NEGATE)
        }
        _ => false,
    }
}

/// The literal as a value of this type.
pub(super) fn value(expr: &Expr, ty: Type) -> Result<Value, Wrong> {
    if matches!(ty, Type::Float | Type::Single | Type::Json | Type::Bytes | Type::Time | Type::Uuid) {
        return Err(Wrong::Column);
    }
    match expr {
        Expr::Literal(LiteralValue::Null) => Err(Wrong::Null),
        Expr::Literal(LiteralValue::Boolean(b)) => fit(ty == Type::Bool, Value::Bool(*b.inner())),
        Expr::Literal(LiteralValue::Int(i)) => fit(ty == Type::Int, Value::Int(*i.inner())),
        Expr::Literal(LiteralValue::String(s)) if s.inner().contains('\0') => Err(Wrong::Value),
        Expr::Literal(LiteralValue::String(s)) => fit(ty == Type::Text, Value::Text(s.inner().to_owned())),
        Expr::Literal(_) => Err(Wrong::Type),
        Expr::Call(call) if call.target.is_none() => {
            let text = match call.args.as_slice() {
                [arg] => match &arg.expr {
                    Expr::Literal(LiteralValue::String(s)) => Some(s.inner()),
                    _ => None,
                },
                _ => None,
            };
            match (call.func_name.as_str(), text) {
                ("date", Some(text)) => typed(date(text).map(Value::Date), matches!(ty, Type::Date)),
                ("timestamp", Some(text)) => match ty {
                    Type::Instant => match text.strip_suffix('Z') {
                        Some(local) => timestamp(local).map(Value::Instant).ok_or(Wrong::Value),
                        None => Err(Wrong::Type),
                    },
                    _ => typed(timestamp(text).map(Value::Timestamp), ty == Type::Timestamp),
                },
                ("decimal", Some(text)) => typed(decimal(text), matches!(ty, Type::Decimal { .. })),
                ("date" | "timestamp" | "decimal", None) => Err(Wrong::Value),
                _ => Err(Wrong::NotALiteral),
            }
        }
        _ => Err(Wrong::NotALiteral),
    }
}

fn fit(right: bool, value: Value) -> Result<Value, Wrong> {
    if right { Ok(value) } else { Err(Wrong::Type) }
}

fn typed(value: Option<Value>, right: bool) -> Result<Value, Wrong> {
    if right { value.ok_or(Wrong::Value) } else { Err(Wrong::Type) }
}

/// How a value of this type is written; takes up what was written where that is all it takes.
fn example(ty: Type, written: &str) -> String {
    let bare = written.trim_matches(['"', '\'']);
    match ty {
        Type::Bool => "true or false".to_owned(),
        Type::Int if bare.parse::<i64>().is_ok() => bare.to_owned(),
        Type::Int => "a whole number: 42".to_owned(),
        Type::Decimal { .. } if decimal(bare).is_some() => format!("decimal(\"{bare}\")"),
        Type::Decimal { .. } => "decimal(\"1.50\")".to_owned(),
        Type::Text if !bare.is_empty() && !written.contains(['(', '"']) => format!("\"{bare}\""),
        Type::Text => "a text: \"F\"".to_owned(),
        Type::Date if date(bare).is_some() => format!("date(\"{bare}\")"),
        Type::Date => "date(\"2019-01-31\")".to_owned(),
        Type::Timestamp => "timestamp(\"2019-01-31T00:00:00\")".to_owned(),
        Type::Instant => "timestamp(\"2019-01-31T00:00:00Z\")".to_owned(),
        Type::Float | Type::Single | Type::Bytes | Type::Time | Type::Uuid | Type::Json => "null".to_owned(),
    }
}

/// `2019-01-31`, years 0001 to 9999, as days since 1970-01-01.
fn date(text: &str) -> Option<i32> {
    if !shaped(text, "dddd-dd-dd") {
        return None;
    }
    let date: Date = text.parse().ok().filter(|d: &Date| d.year() >= 1)?;
    i32::try_from(seconds(date.at(0, 0, 0, 0)).div_euclid(86_400)).ok()
}

/// `2019-01-31T12:34:56` with up to six decimals, as microseconds since 1970-01-01 00:00.
fn timestamp(text: &str) -> Option<i64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, "0"),
    };
    let digits = (1..=6).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    // a leap second is no moment that every engine has
    if !digits || !shaped(whole, "dddd-dd-ddTdd:dd:dd") || whole.ends_with(":60") {
        return None;
    }
    let moment: DateTime = whole.parse().ok().filter(|d: &DateTime| d.year() >= 1)?;
    let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
    seconds(moment).checked_mul(1_000_000)?.checked_add(micros)
}

fn seconds(moment: DateTime) -> i64 {
    moment.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs()
}

/// `d` stands for a digit, anything else for itself.
fn shaped(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(t, s)| if s == b'd' { t.is_ascii_digit() } else { t == s })
}

/// `-?[0-9]+(\.[0-9]+)?` of at most 38 digits.
fn decimal(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let point = digits.contains('.');
    if whole.is_empty()
        || (point && fraction.is_empty())
        || !all(whole)
        || !all(fraction)
        || whole.len() + fraction.len() > 38
    {
        return None;
    }
    let unscaled: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = u8::try_from(fraction.len()).ok()?;
    Some(Value::Decimal { unscaled: if text.starts_with('-') { -unscaled } else { unscaled }, scale })
}
