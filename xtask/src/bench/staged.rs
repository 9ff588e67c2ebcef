//! `cargo xtask bench --staged`: what a staging costs. The same dump of a server is moved into PostgreSQL with
//! all its ordered rows in memory, and with 64 MiB allowed and the rest sealed in a staging folder; a process each.

use std::path::Path;

use ecluse_testkit::laboratory::Laboratory;
use ecluse_testkit::migration::{End, Migration};
use ecluse_testkit::server::{Postgres, PostgresDatabase};

use super::measure::Spread;
use super::{TABLES, program, size};
use crate::Outcome;

/// What the URL allows, and what it is called.
const WAYS: [(&str, &str); 2] = [("4G", "in memory"), ("64M", "staged, 64 MiB allowed")];

/// Seconds and greatest memory of both ways, and of each pair the staged one's by the other's.
pub(super) fn measure(postgres: &Postgres, program: &Path, rows: u64, pairs: usize) -> Outcome<String> {
    let io = |error: std::io::Error| error.to_string();
    let (source, new) = (postgres.database("staged"), postgres.database("new"));
    Laboratory::new(1, size(rows)).write_postgres(&source, &TABLES);
    source.sql("alter table patient drop column portal_password");
    let folder = tempfile::tempdir().map_err(io)?;
    let at = |name: &str| folder.path().join(name);
    for (name, more) in [("schema.sql", &["--schema-only"][..]), ("whole.sql", &[])] {
        let file = std::fs::File::create(at(name)).map_err(io)?;
        let dumped = postgres.dump(source.name(), more).stdout(file).status().map_err(io)?;
        if !dumped.success() {
            return Err("pg_dump failed".to_owned());
        }
    }
    let bytes = at("whole.sql").metadata().map_err(io)?.len();
    let mut ways = Vec::new();
    for (memory, words) in WAYS {
        ways.push((
            made(program, folder.path(), source.name(), &new, memory)?,
            words,
            Vec::new(),
            Vec::new(),
        ));
    }
    for number in 0..pairs {
        for (made, _, seconds, peaks) in &mut ways {
            program::empty(&new);
            let one = program::migrated(made, number)?;
            seconds.push(one.seconds);
            peaks.push(one.peak_mb);
        }
    }
    let mut text = format!(
        "a dump of {:.0} MB, {rows} results, {} rows in three tables, into PostgreSQL; medians of {pairs} interleaved pairs (least to most)",
        bytes as f64 / 1e6,
        rows / 10 * 14,
    );
    for (_, words, seconds, peaks) in &ways {
        text.push_str(&format!("\n{words:24} {} s   {} MB", Spread::of(seconds), Spread::of(peaks)));
    }
    if let [(.., one, _), (.., two, _)] = ways.as_slice() {
        let ratios: Vec<f64> = two.iter().zip(one).map(|(staged, held)| staged / held).collect();
        text.push_str(&format!("\nratio of time            {}", Spread::of(&ratios)));
    }
    Ok(text)
}

/// A migration of all three tables from the dump, in a folder of its own.
fn made(
    program: &Path,
    home: &Path,
    database: &str,
    new: &PostgresDatabase,
    memory: &str,
) -> Outcome<Migration> {
    let folder = home.join(memory);
    std::fs::create_dir(&folder).map_err(|e| e.to_string())?;
    program::empty(new);
    let place = home.join("whole.sql").display().to_string();
    let from = End::dump("postgresql", database, &place, &home.join("schema.sql"));
    let order: Vec<_> = TABLES.iter().map(|table| program::ordered(*table)).collect();
    let to = End::postgres(new, "postgres");
    let mut made = Migration::new(program, &folder, jiff::Timestamp::now(), &from, &to, &order);
    let known = "cannot_deny = true";
    let papers = made.papers();
    papers.edits.clear();
    let staging = folder.join("staging");
    let said = format!("{known}\nin_clear = true\nstaging = \"{}\"", staging.display());
    papers.instruction = papers.instruction.replace(known, &said);
    papers.write(&folder);
    let connections = folder.join("connections.toml");
    let text = std::fs::read_to_string(&connections).map_err(|e| e.to_string())?;
    let text = text.replacen("?database", &format!("?memory={memory}&database"), 1);
    std::fs::write(&connections, text).map_err(|e| e.to_string())?;
    Ok(made)
}
