//! Canaries: values that exist nowhere else, planted where an instruction does not reach
//! (they must be found nowhere) and where it does (found in the two databases only).
//!
//! Texts carry a stem of ten characters; decimals, dates and times that are too narrow for
//! it carry a number or a day of their own. What is narrower still (a sex, a flag, a key)
//! carries none, and [`Canaries::carries`] says so.

use std::collections::BTreeMap;

use crate::laboratory::{Cell, Column, Kind, Laboratory, Table};
use crate::server::{MariadbDatabase, PostgresDatabase};

/// Where a canary lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// In what the instruction grants.
    Inside,
    /// In what it does not.
    Outside,
}

/// One column of a database that is already filled, and what is put into it.
struct Set {
    name: String,
    column: String,
    value: String,
    length: u64,
}

/// The canaries of one test.
#[derive(Clone, Debug)]
pub struct Canaries {
    inside: String,
    outside: String,
}

impl Default for Canaries {
    fn default() -> Self {
        Self::new()
    }
}

impl Canaries {
    /// Fresh random stems.
    #[must_use]
    pub fn new() -> Self {
        let random = crate::random_hex(8).to_uppercase();
        let (one, two) = random.split_at(7);
        // letters outside the hexadecimal alphabet keep a stem from matching a digest
        Self {
            inside: format!("QyI{one}"),
            outside: format!("ZxO{}", &two.repeat(2).get(..7).expect("seven")),
        }
    }

    /// The stem of ten ASCII characters that every text canary of that side begins with.
    #[must_use]
    pub fn stem(&self, side: Side) -> &str {
        match side {
            Side::Inside => &self.inside,
            Side::Outside => &self.outside,
        }
    }

    /// Everything a search must look for: the stem, the number, the day.
    #[must_use]
    pub fn needles(&self, side: Side) -> Vec<String> {
        vec![self.stem(side).to_owned(), number(side).to_string(), day(side).to_owned()]
    }

    /// Whether a column of that kind can carry a canary.
    #[must_use]
    pub fn carries(kind: Kind) -> bool {
        match kind {
            Kind::Text(length) => length >= 10,
            Kind::LongText | Kind::Bytes | Kind::Decimal | Kind::Date | Kind::Timestamp | Kind::Instant => {
                true
            }
            Kind::Int | Kind::Bool => false,
        }
    }

    /// Plants in an invented laboratory: every cell for which `side` answers is replaced,
    /// if its column can carry a canary. NULLs too, so that no column stays without.
    #[must_use]
    pub fn plant(
        &self,
        lab: Laboratory,
        side: impl Fn(Table, u64, &str, &[Cell]) -> Option<Side> + 'static,
    ) -> Laboratory {
        let canaries = self.clone();
        lab.touched(move |table, id, cells| {
            let before = cells.to_vec();
            for (cell, column) in cells.iter_mut().zip(table.columns()) {
                if let Some(side) = side(table, id, column.name, &before) {
                    canaries.replace(side, table, id, column, cell);
                }
            }
        })
    }

    fn replace(&self, side: Side, table: Table, id: u64, column: &Column, cell: &mut Cell) {
        let text = format!("{}{id}.{}.{}", self.stem(side), column.name, table.name());
        match column.kind {
            Kind::Text(length) if length >= 10 => {
                *cell = Cell::Text(text.chars().take(length.into()).collect());
            }
            Kind::LongText => *cell = Cell::Text(text),
            Kind::Bytes => *cell = Cell::Bytes(format!("%PDF-1.4 {text}").into_bytes()),
            Kind::Decimal => *cell = Cell::Decimal { unscaled: i128::from(number(side)) * 1_000, scale: 3 },
            Kind::Date => *cell = Cell::Date(day_number(side)),
            Kind::Timestamp => *cell = Cell::Timestamp(i64::from(day_number(side)) * 86_400_000_000),
            Kind::Instant => *cell = Cell::Instant(i64::from(day_number(side)) * 86_400_000_000),
            Kind::Text(_) | Kind::Int | Kind::Bool => {}
        }
    }

    /// Plants in a MariaDB database that is already filled, whatever its schema.
    ///
    /// `outside(table, column)` says which columns get the outside canary in every row;
    /// `rows` gives, per table, the SQL condition of rows outside: in these every column does.
    /// What could not be planted is given back by name, with the reason.
    pub fn plant_mariadb(
        &self,
        database: &MariadbDatabase,
        outside: impl Fn(&str, &str) -> bool,
        rows: &[(&str, &str)],
    ) -> Vec<String> {
        let listing = database.sql(
            "select c.table_name, c.column_name, c.data_type, ifnull(c.character_maximum_length, 0) \
             from information_schema.columns c join information_schema.tables t using (table_schema, table_name) \
             where c.table_schema = database() and t.table_type = 'BASE TABLE' \
             order by c.table_name, c.ordinal_position",
        );
        self.plant_listed(&listing.replace('\t', "|"), '`', &outside, rows, &|script| {
            database
                .try_sql(&format!("set foreign_key_checks = 0; set sql_mode = 'STRICT_ALL_TABLES'; {script}"))
        })
    }

    /// The same for PostgreSQL; a table outside the schema `public` is named `schema.table`.
    pub fn plant_postgres(
        &self,
        database: &PostgresDatabase,
        outside: impl Fn(&str, &str) -> bool,
        rows: &[(&str, &str)],
    ) -> Vec<String> {
        let listing = database.sql(
            "select case when c.table_schema = 'public' then c.table_name \
                    else c.table_schema || '.' || c.table_name end, \
                    c.column_name, c.data_type, coalesce(c.character_maximum_length, 0) \
             from information_schema.columns c join information_schema.tables t using (table_schema, table_name) \
             where c.table_schema not in ('pg_catalog', 'information_schema') and t.table_type = 'BASE TABLE' \
             order by c.table_schema, c.table_name, c.ordinal_position",
        );
        self.plant_listed(&listing, '"', &outside, rows, &|script| {
            database.try_sql(&format!("set session_replication_role = replica; {script}"))
        })
    }

    fn plant_listed(
        &self,
        listing: &str,
        quote: char,
        outside: &dyn Fn(&str, &str) -> bool,
        rows: &[(&str, &str)],
        run: &dyn Fn(&str) -> Result<String, String>,
    ) -> Vec<String> {
        let mut missed = Vec::new();
        // what is set in the same rows of a table, in one statement
        let mut together: BTreeMap<(&str, &str), Vec<Set>> = BTreeMap::new();
        for line in listing.lines() {
            let fields: Vec<&str> = line.split('|').collect();
            let [table, column, kind, length] = fields[..] else { continue };
            let condition = rows.iter().find(|(name, _)| *name == table).map(|(_, condition)| *condition);
            let place = match (outside(table, column), condition) {
                (true, _) => "true",
                (false, Some(condition)) => condition,
                (false, None) => continue,
            };
            let name = format!("{table}.{column}");
            let length = length.parse().unwrap_or(0);
            let Some(value) = self.sql_value(kind, length, &name) else {
                missed.push(format!("{name}: {kind}({length}) is too narrow"));
                continue;
            };
            let column = format!("{quote}{column}{quote}");
            together.entry((table, place)).or_default().push(Set { name, column, value, length });
        }
        for ((table, place), sets) in together {
            let update = |assignments: &[String]| {
                let all = assignments.join(", ");
                let relation = table.replace('.', &format!("{quote}.{quote}"));
                run(&format!("update {quote}{relation}{quote} set {all} where {place};"))
            };
            let assignments: Vec<String> =
                sets.iter().map(|set| format!("{} = {}", set.column, set.value)).collect();
            if update(&assignments).is_ok() {
                continue;
            }
            for (set, assignment) in sets.iter().zip(assignments) {
                // a unique column takes one value once
                let each = format!("{} = {}", set.column, self.unique_value(set.length, quote));
                if let Err(error) = update(&[assignment]).or_else(|_same_twice| update(&[each])) {
                    missed.push(format!("{}: {}", set.name, error.lines().next().unwrap_or_default()));
                }
            }
        }
        missed
    }

    /// A text that is another one in every row.
    fn unique_value(&self, length: u64, quote: char) -> String {
        let chance = if quote == '`' { "rand()" } else { "random()::text" };
        format!("left(concat('{}', md5({chance})), {})", self.stem(Side::Outside), length.clamp(11, 40))
    }

    fn sql_value(&self, kind: &str, length: u64, name: &str) -> Option<String> {
        let side = Side::Outside;
        match kind {
            "varchar" | "char" | "character varying" | "character" if length >= 10 => {
                let text: String = format!("{}{name}", self.stem(side))
                    .chars()
                    .take(usize::try_from(length).ok()?)
                    .collect();
                Some(format!("'{text}'"))
            }
            "text" | "tinytext" | "mediumtext" | "longtext" => Some(format!("'{}{name}'", self.stem(side))),
            "blob" | "mediumblob" | "longblob" | "tinyblob" => Some(format!("'{}{name}'", self.stem(side))),
            "bytea" => Some(format!("'{}{name}'::bytea", self.stem(side))),
            "date" => Some(format!("'{}'", day(side))),
            "datetime" | "timestamp without time zone" | "timestamp with time zone" => {
                Some(format!("'{} 00:00:00'", day(side)))
            }
            _ => None,
        }
    }
}

/// Nine digits before the point: a number that no laboratory measures.
const fn number(side: Side) -> i64 {
    match side {
        Side::Inside => 192_837_465,
        Side::Outside => 918_273_645,
    }
}

/// A day that no laboratory will see.
const fn day(side: Side) -> &'static str {
    match side {
        Side::Inside => "2784-09-21",
        Side::Outside => "2873-04-19",
    }
}

/// The same day as days since 1970-01-01.
const fn day_number(side: Side) -> i32 {
    match side {
        Side::Inside => 297_571,
        Side::Outside => 329_923,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laboratory::Size;

    #[test]
    fn every_cell_that_can_carries_a_canary() {
        let canaries = Canaries::new();
        assert_eq!(canaries.stem(Side::Inside).len(), 10);
        assert_eq!(canaries.stem(Side::Outside).len(), 10);
        let lab = Laboratory::new(1, Size::of_patients(40));
        let lab = canaries.plant(lab, |table, _, column, _| {
            Some(if table == Table::Patient && column == "given_name" { Side::Inside } else { Side::Outside })
        });
        for table in [Table::Patient, Table::Result, Table::Document] {
            let mut out = Vec::new();
            lab.write_copy(table, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            for line in text.lines() {
                for (cell, column) in line.split('\t').zip(table.columns()) {
                    let inside = table == Table::Patient && column.name == "given_name";
                    let side = if inside { Side::Inside } else { Side::Outside };
                    let hex = data_encoding::HEXLOWER.encode(canaries.stem(side).as_bytes());
                    let carried =
                        canaries.needles(side).iter().chain([&hex]).any(|needle| cell.contains(needle));
                    assert_eq!(
                        carried,
                        Canaries::carries(column.kind),
                        "{}.{}: {cell}",
                        table.name(),
                        column.name
                    );
                }
            }
        }
    }
}
