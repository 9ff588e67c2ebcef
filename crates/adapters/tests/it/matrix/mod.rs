//! Every cell of `docs/types.md` over real databases.
//!
//! A column of each type of a source, with the values that hurt, is read by the real source, goes
//! through the real write step into the real destination, and what stands there is compared with what
//! the source's own engine prints. The page was written first; where the two differ, one of them is wrong.

mod mariadb;
mod page;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;

use ecluse_batch::{Batch, Writer};
use ecluse_core::catalog::{Catalog, Table};
use ecluse_core::plan::assertion::{plan, table};
use ecluse_core::plan::{Expression, Plan};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::{Destination, Refusal, Scope, Source};

use crate::common::{every, fields, line, read_all, rows};
use page::{Cell, Line};

/// The values of one line of the page.
pub(crate) struct Values {
    /// The line's type.
    line: &'static str,
    /// How a column of it is declared, where the line's own words do not do.
    declared: &'static str,
    /// A literal, and the destinations that refuse its row: `sqlite=ECL-BAT-101`, `all=ECL-SRC-510`.
    values: &'static [(&'static str, &'static str)],
}

pub(crate) const fn values(
    line: &'static str,
    declared: &'static str,
    values: &'static [(&'static str, &'static str)],
) -> Values {
    Values { line, declared, values }
}

/// What became of a row: the text that the engine prints, `NULL`, or the code that refused it.
type Rows = BTreeMap<usize, String>;

/// A destination and its own words for what it holds.
pub(crate) struct Arrival<'a> {
    pub(crate) destination: Box<dyn Destination>,
    /// Per table, per id: what the engine prints of `v`.
    pub(crate) prints: Print<'a>,
}

/// Of these tables, what stands in each.
type Print<'a> = Box<dyn Fn(&[&str]) -> Vec<Rows> + 'a>;

/// The lines of the page, each with its values; a line without values, and values without a line, fail.
pub(crate) fn paired(engine: Engine, all: &'static [Values]) -> Vec<(Line, &'static Values)> {
    let lines = page::lines(engine);
    for values in all {
        assert!(lines.iter().any(|l| l.source_type == values.line), "no line for {}", values.line);
    }
    lines
        .into_iter()
        .map(|line| {
            let found = all.iter().find(|v| v.line == line.source_type);
            let found = found.unwrap_or_else(|| panic!("no values for {}", line.source_type));
            (line, found)
        })
        .collect()
}

/// The script that makes a table `tN` for each line, with its values and a NULL at the end.
pub(crate) fn script(lines: &[(Line, &Values)], key: &str) -> String {
    let mut out = String::new();
    for (number, (_, values)) in lines.iter().enumerate() {
        out += &format!("create table t{number} (id {key} not null primary key, v {});\n", values.declared);
        for (row, (literal, _)) in values.values.iter().chain([&("null", "")]).enumerate() {
            out += &format!("insert into t{number} values ({}, {literal});\n", row + 1);
        }
    }
    out
}

/// Moves every table and compares; `told` is what the source's engine prints.
pub(crate) fn compare(
    source: &mut dyn Source,
    lines: &[(Line, &Values)],
    told: &[Rows],
    arrivals: Vec<Arrival<'_>>,
) {
    let catalog = source.catalog(Scope::Everything).unwrap();
    let mut wrong = Vec::new();
    let mut carried = Vec::new();
    for (number, (line, _)) in lines.iter().enumerate() {
        let name = format!("t{number}");
        let ty = catalog.table(&name).unwrap().column("v").unwrap().ty;
        let way = ty.map_or_else(|| "–".to_owned(), |ty| ty.to_string());
        if way != line.way {
            wrong.push(format!("{}: {way} on the way, the page says {}", line.source_type, line.way));
        }
        for engine in [Engine::Postgresql, Engine::Mariadb, Engine::Sqlite] {
            let refused = matches!(line.to(engine), Cell::Refused(code) if code == "ECL-PLN-006");
            assert_eq!(refused, line.way == "–", "{} to {engine}", line.source_type);
        }
        carried.extend(ty.map(|ty| (number, name, ty)));
    }
    for arrival in arrivals {
        wrong.extend(moved(source, &catalog, lines, &carried, told, arrival));
    }
    assert!(wrong.is_empty(), "{} cells differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What differs from the page at one destination.
fn moved(
    source: &mut dyn Source,
    catalog: &Catalog,
    lines: &[(Line, &Values)],
    carried: &[(usize, String, Type)],
    told: &[Rows],
    mut arrival: Arrival<'_>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let to = arrival.destination.engine();
    for (_, name, _) in carried {
        let ddl = arrival.destination.ddl(catalog.table(name).unwrap());
        arrival.destination.create(name, &ddl).unwrap();
    }
    let there = arrival.destination.catalog(Scope::Everything).unwrap();
    for (number, name, ty) in carried {
        let (line, column) = (&lines[*number].0, there.table(name).unwrap().column("v").unwrap());
        // a width that MariaDB shows, and that means nothing
        let shown = column.sql_type.to_lowercase();
        let plain =
            ["smallint", "int", "bigint"].into_iter().find(|word| shown.starts_with(&format!("{word}(")));
        let made = plain.map_or(shown.clone(), str::to_owned);
        if line.to(to).made().map(str::to_lowercase) != Some(made.clone()) {
            wrong.push(format!("{} to {to}: {made}, the page says {:?}", line.source_type, line.to(to)));
        }
        let fits = ty.fits_in(column.ty.unwrap());
        assert!(ty.casts_to(column.ty.unwrap()), "{} to {to}: {ty} as {:?}", line.source_type, column.ty);
        if !fits && matches!(line.to(to), Cell::Exact(_)) {
            wrong.push(format!("{} to {to}: takes a cast, the page says exact", line.source_type));
        }
    }
    let plan = between(catalog, &there, carried);
    source.open(&plan, false).unwrap();
    arrival.destination.open(&plan, "run").unwrap();
    let mut refused: Vec<BTreeMap<usize, String>> = Vec::new();
    for (number, _) in plan.tables().iter().enumerate() {
        refused.push(load(source, arrival.destination.as_mut(), &plan, number));
    }
    arrival.destination.finish(&plan).unwrap();
    source.close().unwrap();
    drop(arrival.destination);
    let names: Vec<&str> = carried.iter().map(|(_, name, _)| name.as_str()).collect();
    let printed = (arrival.prints)(&names);
    for (place, (number, _, ty)) in carried.iter().enumerate() {
        let (line, values) = &lines[*number];
        for (row, (literal, refusals)) in values.values.iter().chain([&("null", "")]).enumerate() {
            let id = row + 1;
            let code = |who: &str| refusals.split(' ').find_map(|r| r.strip_prefix(&format!("{who}=")));
            let expected = code("all")
                .or_else(|| code(to.name()))
                .map_or_else(|| norm(*ty, &told[*number][&id]), str::to_owned);
            let found = match (refused[place].get(&id), printed[place].get(&id)) {
                (Some(code), None) => code.clone(),
                (None, Some(text)) => norm(*ty, text),
                (code, text) => format!("refused {code:?}, stored {text:?}"),
            };
            if found != expected {
                wrong.push(format!("{} to {to}, {literal}: {found}, expected {expected}", line.source_type));
            }
        }
    }
    wrong
}

/// A plan that reads the source's columns and writes the destination's, cast where the page says widened.
fn between(source: &Catalog, there: &Catalog, carried: &[(usize, String, Type)]) -> Plan {
    let tables = carried.iter().enumerate().map(|(number, (_, name, _))| {
        let of = |catalog: &Catalog| -> Table { catalog.table(name).unwrap().clone() };
        let (from, to) = (of(source), of(there));
        let mut read = fields(number, &from, &every(name, &[]));
        read.write = fields(number, &to, &every(name, &[])).write;
        for (i, (write, read)) in read.write.iter_mut().zip(&read.read).enumerate() {
            if write.ty != read.ty {
                write.from = Expression::Cast(i);
            }
        }
        table(read)
    });
    plan(tables.collect())
}

/// Reads, writes and loads a table; the refused rows by id, each with its code.
fn load(
    source: &mut dyn Source,
    destination: &mut dyn Destination,
    plan: &Plan,
    number: usize,
) -> BTreeMap<usize, String> {
    let planned = &plan.tables()[number];
    let writer = Writer::new(planned, destination.engine()).unwrap();
    let mut refused = BTreeMap::new();
    let (mut before, mut written): (usize, Vec<Batch>) = (0, Vec::new());
    let mut ids = Vec::new();
    for batch in read_all(source, plan, number) {
        let out = writer.write(&batch).unwrap();
        refused.extend(out.refused.iter().map(|r| (before + r.row + 1, r.reason.code().id.to_owned())));
        ids.extend((0..out.batch.rows()).map(|row| before + out.origin(row) + 1));
        before += batch.rows();
        written.push(out.batch);
    }
    let all = rows(&written);
    let there = destination
        .replace(planned, 0, &KeyRange::default(), false, &written, &mut |r| {
            Ok(line(number, 0, all, r.len()))
        })
        .unwrap();
    for row in there {
        assert_eq!(row.reason, Refusal::Value, "{}", planned.destination());
        refused.insert(ids[row.row], "ECL-RUN-106".to_owned());
    }
    refused
}

/// A value's text in one spelling: engines write one number, moment or byte string differently.
fn norm(ty: Type, text: &str) -> String {
    if text == "NULL" {
        return text.to_owned();
    }
    match ty {
        Type::Bool => if matches!(text, "t" | "true" | "1") { "true" } else { "false" }.to_owned(),
        Type::Decimal { scale, .. } => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let fraction = fraction.trim_end_matches('0');
            format!("{whole}.{fraction:0<width$}", width = usize::from(scale))
        }
        Type::Float | Type::Single => {
            text.parse::<f64>().map_or_else(|_| text.to_owned(), |f| format!("{:x}", f.to_bits()))
        }
        Type::Timestamp | Type::Instant | Type::Time => {
            let local = text.strip_suffix(" BC").unwrap_or(text);
            let clock = local.strip_suffix("+00:00").or(local.strip_suffix("+00")).unwrap_or(local);
            let short =
                if clock.contains('.') { clock.trim_end_matches('0').trim_end_matches('.') } else { clock };
            format!("{short}{}", if text.ends_with(" BC") { " BC" } else { "" })
        }
        Type::Int | Type::Text | Type::Bytes | Type::Date | Type::Uuid | Type::Json => text.to_owned(),
    }
}

/// `table id HEX` lines, or `table id NULL`, as every engine's script prints them.
pub(crate) fn told(output: &str, names: &[&str]) -> Vec<Rows> {
    let mut all: Vec<Rows> = names.iter().map(|_| Rows::new()).collect();
    for line in output.lines().filter(|l| !l.is_empty()) {
        let mut parts = line.split(' ');
        let (name, id, hex) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap_or(""));
        let text = match hex {
            "NULL" => "NULL".to_owned(),
            hex => {
                let bytes = data_encoding::HEXUPPER_PERMISSIVE.decode(hex.as_bytes()).unwrap();
                String::from_utf8(bytes).unwrap()
            }
        };
        let place = names.iter().position(|n| *n == name).unwrap();
        all[place].insert(id.parse().unwrap(), text);
    }
    all
}
