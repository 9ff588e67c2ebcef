//! The write step: read columns in, the destination's columns out, rows that do not fit refused.
//!
//! Everything that can refuse a row is looked at here, before the row is sent: the
//! destination's own errors would put values into its log.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray};
use ecluse_core::fault::{Code, Result};
use ecluse_core::ins::Flaw;
use ecluse_core::instruction::Invalid;
use ecluse_core::plan::{Expression, TablePlan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::Value;

use crate::batch::{Batch, MALFORMED};
use crate::column::Column;
use crate::{build, cast, check, identifier, local, misread};

/// A plan whose write step this version cannot carry out; the compiler asks [`Type::casts_to`] first.
pub static NO_CAST: Code = Code::refused("ECL-BAT-005", "no exact conversion between two types");

/// Makes written batches out of read ones, for one table of the plan.
pub struct Writer {
    read: Vec<Type>,
    columns: Vec<Target>,
    types: Vec<Type>,
}

/// One destination column.
pub(crate) struct Target {
    pub(crate) ty: Type,
    pub(crate) nullable: bool,
    pub(crate) max_length: Option<usize>,
    pub(crate) int_bounds: Option<(i64, i64)>,
    /// What an enumeration takes; empty where it is none.
    pub(crate) labels: BTreeSet<String>,
    /// What the destination has no number for.
    pub(crate) floats: Floats,
    from: Expression,
}

/// Which floats a destination holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Floats {
    /// Every one.
    All,
    /// SQLite has no NaN and no negative zero: it would change them.
    Plain,
    /// Nor has MariaDB, and no infinities.
    Finite,
}

/// A written batch and what became of the read rows.
#[derive(Debug)]
pub struct Written {
    /// One column per written column of the plan, refused rows left out.
    pub batch: Batch,
    /// The refused rows in rising order, each once, with the first reason found.
    pub refused: Vec<Refused>,
    /// National identifiers of written rows that do not hold: withheld, or kept as local ones.
    pub flawed: Vec<Refused>,
}

impl Written {
    /// The read batch's row of a written row.
    #[must_use]
    pub fn origin(&self, written: usize) -> usize {
        let mut row = written;
        for refused in &self.refused {
            if refused.row > row {
                break;
            }
            row += 1;
        }
        row
    }
}

/// A row that cannot be written as the plan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Index in the read batch.
    pub row: usize,
    /// Index into [`TablePlan::write`]; `None` where the source could not give the value.
    pub column: Option<usize>,
    /// Why.
    pub reason: Reason,
}

/// Why a row is refused before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The source could not give a value as its column's type ([`Batch::unreadable`]).
    Unreadable(&'static Code),
    /// The value has no exact counterpart in the destination's type.
    Cast,
    /// The code table has no line for the value.
    Unmapped,
    /// A local time that its zone has twice; the mapping does not say which is meant.
    Doubled,
    /// A local time that its zone does not have.
    Missing,
    /// The bytes behind a text are not the UTF-8 that the mapping says.
    NotUtf8,
    /// A text that the destination's enumeration has not.
    Unlisted,
    /// More characters (text) or bytes than the destination's column holds.
    TooLong,
    /// A number or date outside what the destination's column holds.
    OutOfRange,
    /// NULL in a column that must not be NULL.
    Null,
    /// A text with the character U+0000, which the destinations cannot hold.
    Nul,
    /// A national identifier that does not hold.
    Identifier(Flaw),
}

static CAST: Code =
    Code::refused("ECL-BAT-101", "a value has no exact counterpart in the destination's type");
static UNMAPPED: Code = Code::refused("ECL-BAT-102", "a code is not in its code table");
static DOUBLED: Code = Code::refused("ECL-BAT-110", "a local time that its zone had twice");
static MISSING: Code = Code::refused("ECL-BAT-111", "a local time that its zone never had");
static NOT_UTF8: Code = Code::refused("ECL-BAT-112", "a text whose bytes are said to be UTF-8 and are not");
static UNLISTED: Code =
    Code::refused("ECL-BAT-113", "a text is none of the words that the destination's column takes");
static TOO_LONG: Code = Code::refused("ECL-BAT-103", "a value is longer than the destination's column");
static OUT_OF_RANGE: Code =
    Code::refused("ECL-BAT-104", "a number or date is outside the destination column's range");
static NULL: Code = Code::refused("ECL-BAT-105", "NULL in a column that must not be NULL");
static NUL: Code = Code::refused("ECL-BAT-106", "a text holds the character U+0000");
static SHAPE: Code = Code::refused("ECL-BAT-131", "a national identifier is not a number with its key");
static KEY: Code = Code::refused("ECL-BAT-132", "a national identifier has another number's key");
static AUTHORITY: Code = Code::refused("ECL-BAT-133", "a national identifier has no known authority");
static NUMBERS: Code =
    Code::refused("ECL-BAT-134", "a national identifier is of the other kind, real or test");
static TRAITS: Code = Code::refused("ECL-BAT-135", "an identity lacks one of the five strict traits");

impl Reason {
    /// The code under which the row is counted.
    #[must_use]
    pub fn code(self) -> &'static Code {
        match self {
            Self::Unreadable(code) => code,
            Self::Cast => &CAST,
            Self::Unmapped => &UNMAPPED,
            Self::Doubled => &DOUBLED,
            Self::Missing => &MISSING,
            Self::NotUtf8 => &NOT_UTF8,
            Self::Unlisted => &UNLISTED,
            Self::TooLong => &TOO_LONG,
            Self::OutOfRange => &OUT_OF_RANGE,
            Self::Null => &NULL,
            Self::Nul => &NUL,
            Self::Identifier(Flaw::Shape) => &SHAPE,
            Self::Identifier(Flaw::Key) => &KEY,
            Self::Identifier(Flaw::Authority) => &AUTHORITY,
            Self::Identifier(Flaw::Numbers) => &NUMBERS,
            Self::Identifier(Flaw::Traits) => &TRAITS,
        }
    }
}

impl Writer {
    /// The write step of this table for a destination of this engine.
    ///
    /// # Errors
    ///
    /// [`NO_CAST`], [`MALFORMED`]: the plan asks for what cannot be done; no row matters.
    pub fn new(table: &TablePlan, destination: Engine) -> Result<Self> {
        let read: Vec<Type> = table.read().iter().map(|c| c.ty).collect();
        let columns = table
            .write()
            .iter()
            .map(|c| {
                let from = prepared(&c.from, c.ty, &read).map_err(|code| code.fault(c.name.clone()))?;
                Ok(Target {
                    ty: c.ty,
                    nullable: c.nullable,
                    max_length: c.max_length.and_then(|n| usize::try_from(n).ok()),
                    int_bounds: c.int_bounds.filter(|b| *b != (i64::MIN, i64::MAX)),
                    labels: c.labels.iter().cloned().collect(),
                    floats: match destination {
                        Engine::Postgresql => Floats::All,
                        Engine::Mariadb => Floats::Finite,
                        Engine::Sqlite | Engine::Csv => Floats::Plain,
                    },
                    from,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let types = columns.iter().map(|c| c.ty).collect();
        Ok(Self { read, columns, types })
    }

    /// The written columns' types: those of [`Written::batch`] and of the tally.
    #[must_use]
    pub fn types(&self) -> &[Type] {
        &self.types
    }

    /// The read columns' types.
    #[must_use]
    pub fn read_types(&self) -> &[Type] {
        &self.read
    }

    /// Writes one batch. Columns moved as they are share their memory with the read batch.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where the batch is not the plan's.
    pub fn write(&self, read: &Batch) -> Result<Written> {
        if read.columns().len() != self.read.len() {
            return Err(MALFORMED.fault("a read batch has another number of columns"));
        }
        let mut refused: Vec<Refused> = read
            .unreadable()
            .iter()
            .map(|u| Refused { row: u.row, column: None, reason: Reason::Unreadable(u.code) })
            .collect();
        let mut flawed = Vec::new();
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (index, target) in self.columns.iter().enumerate() {
            let mut refuse = |row, reason| refused.push(Refused { row, column: Some(index), reason });
            let mut tell = |row, reason| flawed.push(Refused { row, column: Some(index), reason });
            let array = self.make(target, read, &mut refuse, &mut tell)?;
            check::column(target, &array, &mut refuse)?;
            arrays.push(array);
        }
        if !refused.is_empty() {
            // stable: of one row's reasons the first found is kept
            refused.sort_by_key(|r| r.row);
            refused.dedup_by_key(|r| r.row);
            let mut out = refused.iter().map(|r| r.row).peekable();
            let keep = BooleanArray::new(
                crate::Mask::from_fn(read.rows(), |row| out.next_if_eq(&row).is_none()).buffer().clone(),
                None,
            );
            for array in &mut arrays {
                *array = arrow_select::filter::filter(array, &keep)
                    .map_err(|_text_may_quote| MALFORMED.fault("refused rows could not be taken out"))?;
            }
        }
        flawed.retain(|one| refused.binary_search_by_key(&one.row, |r| r.row).is_err());
        let batch = Batch::new(&self.types, arrays, read.rows() - refused.len())?;
        Ok(Written { batch, refused, flawed })
    }

    fn make(
        &self,
        target: &Target,
        read: &Batch,
        refuse: &mut dyn FnMut(usize, Reason),
        tell: &mut dyn FnMut(usize, Reason),
    ) -> Result<ArrayRef> {
        let column = |index: usize| match (read.columns().get(index), self.read.get(index)) {
            (Some(array), Some(ty)) => Ok((array, *ty)),
            _ => Err(MALFORMED.fault(format!("no read column {index}"))),
        };
        match &target.from {
            Expression::Column(index) | Expression::Moment { column: index, zone: None, .. } => {
                let (array, ty) = column(*index)?;
                Column::new(array, ty)?;
                Ok(Arc::clone(array))
            }
            Expression::Cast(index) => {
                let (array, ty) = column(*index)?;
                cast::cast(array, ty, target.ty, refuse)
            }
            Expression::Moment { column: index, zone: Some(zone), .. } => {
                let (array, ty) = column(*index)?;
                local::instants(array, ty, zone, refuse)
            }
            Expression::Utf8(index) => {
                let (array, ty) = column(*index)?;
                misread::utf8(array, ty, refuse)
            }
            Expression::Constant(value) => build::column(target.ty, read.rows(), |_| Some(value)),
            Expression::Concat(pieces) => build::concat(pieces, read, &self.read),
            Expression::Code { column: index, table } => {
                let (array, ty) = column(*index)?;
                build::code(array, ty, table, target.ty, refuse)
            }
            Expression::Identifier(of) => {
                let refused = of.invalid == Invalid::Refuse;
                identifier::column(of, read, &self.read, &mut |row, flaw| {
                    if refused {
                        refuse(row, Reason::Identifier(flaw));
                    } else {
                        tell(row, Reason::Identifier(flaw));
                    }
                })
            }
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({} → {} columns)", self.read.len(), self.columns.len())
    }
}

/// The expression, checked against the types, its code table sorted and typed as the read column.
fn prepared(from: &Expression, to: Type, read: &[Type]) -> Result<Expression, &'static Code> {
    let ty = |index: &usize| read.get(*index).copied().ok_or(&MALFORMED);
    match from {
        Expression::Column(index) if ty(index)? == to => Ok(from.clone()),
        Expression::Column(_) => Err(&NO_CAST),
        Expression::Cast(index) if ty(index)? == to => Ok(Expression::Column(*index)),
        Expression::Cast(index) if ty(index)?.casts_to(to) => Ok(from.clone()),
        Expression::Cast(_) => Err(&NO_CAST),
        Expression::Moment { column, zone: None, .. } if ty(column)? == to => Ok(from.clone()),
        Expression::Moment { column, zone: Some(_), .. }
            if (ty(column)?, to) == (Type::Timestamp, Type::Instant) =>
        {
            Ok(from.clone())
        }
        Expression::Moment { .. } => Err(&NO_CAST),
        Expression::Utf8(index) if (ty(index)?, to) == (Type::Text, Type::Text) => Ok(from.clone()),
        Expression::Utf8(_) => Err(&NO_CAST),
        Expression::Constant(value) if build::holds(to, value) => Ok(from.clone()),
        Expression::Constant(_) => Err(&NO_CAST),
        Expression::Concat(pieces) => {
            for piece in pieces {
                if let ecluse_core::plan::Piece::Column(index) = piece
                    && ty(index)? != Type::Text
                {
                    return Err(&NO_CAST);
                }
            }
            if to == Type::Text { Ok(from.clone()) } else { Err(&NO_CAST) }
        }
        Expression::Code { column, table } => {
            let read = ty(column)?;
            let mut lines = table
                .iter()
                .map(|(code, value)| match (read, code) {
                    // a code table is a text file: its codes are typed by the column they are looked up in
                    (Type::Int, Value::Text(t)) => {
                        cast::int(t).map(|i| (Value::Int(i), value.clone())).ok_or(&NO_CAST)
                    }
                    (_, Value::Null) => Ok((Value::Null, value.clone())),
                    _ if build::holds(read, code) => Ok((code.clone(), value.clone())),
                    _ => Err(&NO_CAST),
                })
                .collect::<Result<Vec<_>, _>>()?;
            if lines.iter().any(|(_, value)| !build::holds(to, value)) {
                return Err(&NO_CAST);
            }
            lines.sort();
            Ok(Expression::Code { column: *column, table: lines })
        }
        Expression::Identifier(of) => {
            let fits = of.uses().iter().all(|index| read.get(*index).is_some());
            if fits && to == Type::Text { Ok(from.clone()) } else { Err(&NO_CAST) }
        }
    }
}
