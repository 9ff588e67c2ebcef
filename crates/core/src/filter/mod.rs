//! The row filter: a typed subset of CEL.
//!
//! One filter, three readers: the database (compiled to its dialect), the process
//! (each row checked again), and the laboratory (a sentence). They must agree, so the
//! logic is two-valued and everything is explicit:
//!
//! - a comparison with a column that is NULL is **false** (and its negation true);
//!   NULL is asked for with `column == null` or `column != null`;
//! - text compares by bytes, whatever the column's collation says;
//! - nothing is cast: a literal has the column's type or the filter is refused.

mod literal;
mod names;
mod parse;
mod phrases;
mod place;
mod sentence;
mod walk;

pub use names::{Names, Other};
pub use parse::{
    INCOMPARABLE, MAX_BYTES, MISTYPED, NO_VALUE, OUTSIDE, SIDES, SYNTAX, TOO_LARGE, UNKNOWN, parse,
};
pub use sentence::{Words, sentence};
pub use walk::{chooses, looks_at};

/// A typed filter. Columns are indices into the table's read columns
/// ([`crate::plan::TablePlan::read`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// `true`: every row.
    Every,
    /// `column op literal`; the literal is never [`Value::Null`] and has the column's type.
    Compare {
        /// Index into the read columns.
        column: usize,
        /// The comparison.
        op: Comparison,
        /// The literal.
        value: Value,
    },
    /// `column in [literals]`; at least one literal, none NULL.
    OneOf {
        /// Index into the read columns.
        column: usize,
        /// The literals.
        values: Vec<Value>,
    },
    /// `column == null`.
    IsNull {
        /// Index into the read columns.
        column: usize,
    },
    /// `column.startsWith("prefix")`, by bytes; false on NULL.
    StartsWith {
        /// Index into the read columns.
        column: usize,
        /// The prefix; never empty.
        prefix: String,
    },
    /// `column in chosen.TABLE` or `column in chosen.TABLE.COLUMN`: the value stands in that
    /// column (by default the key) of a row chosen of another instructed table. False on NULL.
    Chosen {
        /// Index into this table's read columns.
        column: usize,
        /// The other table's number ([`crate::plan::TablePlan::number`]).
        table: usize,
        /// Index into the other table's read columns.
        other: usize,
    },
    /// All of them (at least two).
    And(Vec<Filter>),
    /// At least one of them (at least two).
    Or(Vec<Filter>),
    /// Not this one.
    Not(Box<Filter>),
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Eq,
    /// `!=` (false on NULL)
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

use crate::value::Value;
