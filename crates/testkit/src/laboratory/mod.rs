//! An invented laboratory of any size, from a seed: no person in it exists.
//!
//! French names, test INS numbers (OID 1.2.250.1.213.1.4.10) with valid keys, requests,
//! specimens, results as numbers and as text, comments, validators, spouses (third parties),
//! staff accounts with password hashes, PDF blobs. The same seed and size give the same
//! bytes on every machine; rows are made one by one, so five million cost no memory.
//!
//! ```no_run
//! use ecluse_testkit::laboratory::{Laboratory, Size, Table};
//! let lab = Laboratory::new(7, Size::of_patients(1_000));
//! lab.write_sqlite("labo.sqlite".as_ref(), &Table::ALL);
//! ```

mod names;
mod rows;
mod tables;
mod write;

use std::fmt;
use std::rc::Rc;

pub use names::{TEST_INS_OID, nir_key};
pub use tables::{Column, Dialect, Kind, Table};
pub use write::alter_sqlite;

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Patients.
    pub patients: u64,
    /// Requests.
    pub requests: u64,
    /// Results.
    pub results: u64,
}

impl Size {
    /// Three requests and ten results a patient, as in the reference data
    /// (500,000 patients, 1,500,000 requests, 5,000,000 results).
    #[must_use]
    pub const fn of_patients(patients: u64) -> Self {
        Self { patients, requests: patients * 3, results: patients * 10 }
    }
}

/// One cell of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// NULL.
    Null,
    /// A whole number.
    Int(i64),
    /// `unscaled × 10^-scale`.
    Decimal {
        /// The digits as a whole number.
        unscaled: i128,
        /// Digits after the point.
        scale: u8,
    },
    /// Text.
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Local microseconds since 1970-01-01 00:00.
    Timestamp(i64),
    /// UTC microseconds since 1970-01-01 00:00.
    Instant(i64),
    /// True or false.
    Bool(bool),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A change to rows as they are made: table, row number, cells in the table's order.
type Touch = Rc<dyn Fn(Table, u64, &mut [Cell])>;

/// An invented laboratory.
#[derive(Clone)]
pub struct Laboratory {
    seed: u64,
    size: Size,
    touch: Option<Touch>,
}

impl fmt::Debug for Laboratory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Laboratory")
            .field("seed", &self.seed)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Laboratory {
    /// Tests in the catalogue.
    const ANALYSES: u64 = 13;
    /// Staff accounts.
    const STAFF: u64 = 12;

    /// The laboratory of that seed and size.
    #[must_use]
    pub fn new(seed: u64, size: Size) -> Self {
        Self { seed, size, touch: None }
    }

    /// The same laboratory with every row passed through `touch` as it is made: canaries
    /// ([`crate::canary::Canaries::plant`]), a row that breaks a constraint, a text that lies.
    #[must_use]
    pub fn touched(mut self, touch: impl Fn(Table, u64, &mut [Cell]) + 'static) -> Self {
        self.touch = Some(Rc::new(touch));
        self
    }

    /// Its size.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// How many rows a table has.
    #[must_use]
    pub const fn count(&self, table: Table) -> u64 {
        match table {
            Table::Patient => self.size.patients,
            Table::Spouse => self.size.patients / 4,
            Table::Staff => Self::STAFF,
            Table::Analysis => Self::ANALYSES,
            Table::Request | Table::Specimen | Table::Invoice => self.size.requests,
            Table::Result => self.size.results,
            Table::Document => self.size.requests / 50,
        }
    }

    /// The row of that number (1 is the first), one cell per column of the table.
    #[must_use]
    pub fn row(&self, table: Table, id: u64) -> Vec<Cell> {
        let mut cells = rows::row(self, table, id);
        if let Some(touch) = &self.touch {
            touch(table, id, &mut cells);
        }
        cells
    }

    /// Every row of a table, by number.
    pub fn rows(&self, table: Table) -> impl Iterator<Item = Vec<Cell>> {
        (1..=self.count(table)).map(move |id| self.row(table, id))
    }
}

/// Year, month and day of a number of days since 1970-01-01, proleptic Gregorian
/// (Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab() -> Laboratory {
        Laboratory::new(42, Size::of_patients(200))
    }

    #[test]
    fn rows_fit_their_table_and_the_seed_decides_them() {
        for table in Table::ALL {
            assert!(lab().count(table) > 0);
            for (row, again) in lab().rows(table).zip(lab().rows(table)) {
                assert_eq!(row, again);
                assert_eq!(row.len(), table.columns().len());
                for (cell, column) in row.iter().zip(table.columns()) {
                    let fits = match (cell, column.kind) {
                        (Cell::Null, _) => column.nullable,
                        (Cell::Text(text), Kind::Text(most)) => text.chars().count() <= usize::from(most),
                        (Cell::Int(_), Kind::Int)
                        | (Cell::Decimal { .. }, Kind::Decimal)
                        | (Cell::Text(_), Kind::LongText)
                        | (Cell::Date(_), Kind::Date)
                        | (Cell::Timestamp(_), Kind::Timestamp)
                        | (Cell::Instant(_), Kind::Instant)
                        | (Cell::Bool(_), Kind::Bool)
                        | (Cell::Bytes(_), Kind::Bytes) => true,
                        _ => false,
                    };
                    assert!(fits, "{}.{}", table.name(), column.name);
                }
            }
        }
        let other = Laboratory::new(43, Size::of_patients(200));
        assert_ne!(lab().row(Table::Patient, 1), other.row(Table::Patient, 1));
    }

    #[test]
    fn every_ins_has_a_valid_key() {
        let mut seen = 0;
        for row in lab().rows(Table::Patient) {
            if let Cell::Text(ins) = &row[1] {
                let (nir, key) = ins.split_at(13);
                assert_eq!(nir_key(nir).unwrap(), key.parse::<u8>().unwrap());
                assert_eq!(row[2], Cell::Text(TEST_INS_OID.to_owned()));
                seen += 1;
            }
        }
        assert!(seen > 150);
    }

    #[test]
    fn relations_hold() {
        let lab = lab();
        for table in Table::ALL {
            for (name, parent) in table.relations() {
                let index = table.columns().iter().position(|c| c.name == *name).unwrap();
                for row in lab.rows(table) {
                    let Cell::Int(id) = row[index] else { panic!("a relation is a number") };
                    assert!((1..=lab.count(*parent)).contains(&u64::try_from(id).unwrap()));
                }
            }
        }
        // a result's patient is its request's
        for result in lab.rows(Table::Result) {
            let Cell::Int(request) = result[1] else { panic!() };
            assert_eq!(result[2], lab.row(Table::Request, u64::try_from(request).unwrap())[1]);
        }
    }

    #[test]
    fn days_are_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(16_801), (2016, 1, 1));
        assert_eq!(civil(-719_468), (0, 3, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
    }
}
