//! Writers: a laboratory into a database, through the engine's own client or SQLite itself.

use std::fmt::Write as _;
use std::io::Write;

use super::{Cell, Dialect, Laboratory, Table};
use crate::server::{MariadbDatabase, PostgresDatabase};

/// Runs a script on a SQLite file.
///
/// # Panics
///
/// When SQLite refuses it.
pub fn alter_sqlite(path: &std::path::Path, script: &str) {
    rusqlite::Connection::open(path).expect("a SQLite file").execute_batch(script).expect("the script");
}

impl Laboratory {
    /// Makes and fills `tables` in a PostgreSQL database: COPY into bare tables, then keys,
    /// foreign keys and indexes, then `analyze`.
    ///
    /// # Panics
    ///
    /// When the client fails.
    pub fn write_postgres(&self, database: &PostgresDatabase, tables: &[Table]) {
        for table in tables {
            database.sql(&table.create(Dialect::Postgresql, false));
            let mut client = database.server().psql(database.name(), "postgres");
            client.args(["-c", &format!("copy {} from stdin", table.name())]);
            feed(client, |out| self.write_copy(*table, out));
        }
        for table in tables {
            database.sql(&format!("alter table {} add primary key (id);", table.name()));
        }
        database.sql(&constraints(tables, Dialect::Postgresql));
        database.sql("analyze;");
    }

    /// Makes and fills `tables` in a MariaDB database.
    ///
    /// # Panics
    ///
    /// When the client fails.
    pub fn write_mariadb(&self, database: &MariadbDatabase, tables: &[Table]) {
        for table in tables {
            database.sql(&table.create(Dialect::Mariadb, true));
            feed(database.server().client(database.name()), |out| self.write_inserts(*table, out));
        }
        database.sql(&constraints(tables, Dialect::Mariadb));
    }

    /// Makes and fills `tables` in a new SQLite file. Dates and times are ISO 8601 text,
    /// decimals are text with all their digits.
    ///
    /// # Panics
    ///
    /// When SQLite fails.
    pub fn write_sqlite(&self, path: &std::path::Path, tables: &[Table]) {
        let mut connection = rusqlite::Connection::open(path).expect("a SQLite file");
        let transaction = connection.transaction().expect("a transaction");
        for table in tables {
            transaction.execute_batch(&table.create(Dialect::Sqlite, true)).expect("a table");
            let places = vec!["?"; table.columns().len()].join(",");
            let mut insert = transaction
                .prepare(&format!("insert into {} values ({places})", table.name()))
                .expect("an insert");
            for row in self.rows(*table) {
                insert.execute(rusqlite::params_from_iter(row.iter().map(sqlite_value))).expect("a row");
            }
        }
        transaction.execute_batch(&constraints(tables, Dialect::Sqlite)).expect("indexes");
        transaction.commit().expect("a commit");
    }

    /// Writes a table's rows in PostgreSQL's COPY text format.
    ///
    /// # Errors
    ///
    /// The writer's own.
    pub fn write_copy(&self, table: Table, out: &mut dyn Write) -> std::io::Result<()> {
        let mut line = String::new();
        for row in self.rows(table) {
            line.clear();
            for (index, cell) in row.iter().enumerate() {
                if index > 0 {
                    line.push('\t');
                }
                copy_cell(cell, &mut line);
            }
            line.push('\n');
            out.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    /// Writes a table's rows as `insert` statements of 500 rows each, for MariaDB.
    ///
    /// # Errors
    ///
    /// The writer's own.
    pub fn write_inserts(&self, table: Table, out: &mut dyn Write) -> std::io::Result<()> {
        out.write_all(b"set autocommit = 0, foreign_key_checks = 0, unique_checks = 0;\n")?;
        let mut statement = String::new();
        for (number, row) in self.rows(table).enumerate() {
            if number % 500 == 0 {
                if number > 0 {
                    statement.push_str(";\n");
                    out.write_all(statement.as_bytes())?;
                    statement.clear();
                }
                let _ = write!(statement, "insert into {} values\n(", table.name());
            } else {
                statement.push_str(",\n(");
            }
            for (index, cell) in row.iter().enumerate() {
                if index > 0 {
                    statement.push(',');
                }
                literal(cell, &mut statement);
            }
            statement.push(')');
        }
        if !statement.is_empty() {
            statement.push_str(";\n");
        }
        out.write_all(statement.as_bytes())?;
        out.write_all(b"commit;\n")
    }
}

fn constraints(tables: &[Table], dialect: Dialect) -> String {
    let mut script = String::new();
    for table in tables {
        for (statement, (_, parent)) in table.constraints(dialect).iter().zip(
            table
                .relations()
                .iter()
                .flat_map(|r| if dialect == Dialect::Sqlite { vec![r] } else { vec![r, r] }),
        ) {
            if tables.contains(parent) {
                script.push_str(statement);
                script.push('\n');
            }
        }
    }
    script
}

/// Runs a client and writes to its standard input.
fn feed(mut command: std::process::Command, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) {
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the engine's client");
    let input = child.stdin.take().expect("its input");
    let mut out = std::io::BufWriter::with_capacity(1 << 20, input);
    write(&mut out).and_then(|()| out.flush()).expect("the client reads");
    drop(out);
    let status = child.wait().expect("the client ends");
    assert!(status.success(), "the engine's client failed");
}

/// One cell as text: ISO 8601 dates and times, `t`/`f`, hexadecimal bytes.
fn plain(cell: &Cell, out: &mut String) {
    let _ = match cell {
        Cell::Null => Ok(()),
        Cell::Int(value) => write!(out, "{value}"),
        Cell::Decimal { unscaled, scale } => {
            let sign = if *unscaled < 0 { "-" } else { "" };
            let ten = 10_u128.pow(u32::from(*scale));
            let value = unscaled.unsigned_abs();
            write!(out, "{sign}{}.{:0width$}", value / ten, value % ten, width = usize::from(*scale))
        }
        Cell::Text(value) => {
            out.push_str(value);
            Ok(())
        }
        Cell::Date(days) => {
            let (year, month, day) = super::civil(i64::from(*days));
            write!(out, "{year:04}-{month:02}-{day:02}")
        }
        Cell::Timestamp(micros) | Cell::Instant(micros) => {
            let (days, rest) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
            let (year, month, day) = super::civil(days);
            let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
            let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
            write!(out, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{fraction:06}")
        }
        Cell::Bool(value) => {
            out.push(if *value { 't' } else { 'f' });
            Ok(())
        }
        Cell::Bytes(bytes) => {
            data_encoding::HEXLOWER.encode_append(bytes, out);
            Ok(())
        }
    };
}

fn copy_cell(cell: &Cell, out: &mut String) {
    match cell {
        Cell::Null => out.push_str("\\N"),
        Cell::Text(value) => {
            for character in value.chars() {
                match character {
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    '\r' => out.push_str("\\r"),
                    '\t' => out.push_str("\\t"),
                    other => out.push(other),
                }
            }
        }
        Cell::Bytes(_) => {
            out.push_str("\\\\x");
            plain(cell, out);
        }
        Cell::Instant(_) => {
            plain(cell, out);
            out.push_str("+00");
        }
        other => plain(other, out),
    }
}

fn literal(cell: &Cell, out: &mut String) {
    match cell {
        Cell::Null => out.push_str("null"),
        Cell::Int(_) | Cell::Decimal { .. } => plain(cell, out),
        Cell::Bool(value) => out.push(if *value { '1' } else { '0' }),
        Cell::Bytes(_) => {
            out.push_str("x'");
            plain(cell, out);
            out.push('\'');
        }
        Cell::Text(value) => {
            out.push('\'');
            for character in value.chars() {
                match character {
                    '\'' => out.push_str("\\'"),
                    '\\' => out.push_str("\\\\"),
                    // the client would make one line end of a pair
                    '\r' => out.push_str("\\r"),
                    '\n' => out.push_str("\\n"),
                    other => out.push(other),
                }
            }
            out.push('\'');
        }
        Cell::Date(_) | Cell::Timestamp(_) | Cell::Instant(_) => {
            out.push('\'');
            plain(cell, out);
            out.push('\'');
        }
    }
}

fn sqlite_value(cell: &Cell) -> rusqlite::types::Value {
    use rusqlite::types::Value;
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(value) => Value::Integer(*value),
        Cell::Bool(value) => Value::Integer(i64::from(*value)),
        Cell::Bytes(bytes) => Value::Blob(bytes.clone()),
        other => {
            let mut text = String::new();
            plain(other, &mut text);
            Value::Text(text)
        }
    }
}
