//! A catalogue out of a `mariadb-dump` schema, as far as the tests need one.

use std::process::Command;

use ecluse_core::catalog::{Catalog, Column, Table};
use ecluse_core::types::{Engine, Type};

/// LabBook's catalogue, or `None` after saying loudly that the test is skipped.
pub(crate) fn labbook() -> Option<Catalog> {
    let file = ecluse_testkit::outside_data("labbook/sigl-schema.sql.gz")?;
    let out = Command::new("zcat").arg(file).output().unwrap();
    assert!(out.status.success());
    Some(catalog(&String::from_utf8_lossy(&out.stdout)))
}

fn catalog(sql: &str) -> Catalog {
    let mut tables: Vec<Table> = Vec::new();
    for line in sql.lines() {
        if let Some(name) = line.strip_prefix("CREATE TABLE ") {
            let name = name.trim_start_matches("IF NOT EXISTS ").split('`').nth(1).unwrap();
            tables.push(table(name));
        } else if let (Some(rest), Some(open)) = (line.strip_prefix("  `"), tables.last_mut()) {
            let (name, rest) = rest.split_once("` ").unwrap();
            open.columns.push(column(name, rest));
        } else if let (Some(rest), Some(open)) = (line.strip_prefix("  PRIMARY KEY ("), tables.last_mut()) {
            let inside = rest.split(')').next().unwrap();
            open.key = inside.split(',').map(|k| k.trim_matches('`').to_owned()).collect();
        }
    }
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    Catalog { engine: Engine::Mariadb, database: "SIGL".to_owned(), identity: "x".to_owned(), tables }
}

pub(crate) fn table(name: &str) -> Table {
    Table {
        name: name.to_owned(),
        kind: "table".to_owned(),
        oid: None,
        storage: "InnoDB".to_owned(),
        columns: vec![],
        key: vec![],
        uniques: vec![],
        foreign_keys: vec![],
        triggers: vec![],
        row_security: String::new(),
        definition: String::new(),
        estimated_rows: None,
    }
}

/// `int(10) unsigned NOT NULL AUTO_INCREMENT,` and the like.
pub(crate) fn column(name: &str, rest: &str) -> Column {
    let words: Vec<&str> = rest.split(' ').collect();
    let mut sql_type = words[0].trim_end_matches(',').to_owned();
    if words.get(1).is_some_and(|w| w.starts_with("unsigned")) {
        sql_type += " unsigned";
    }
    let base: String = sql_type.chars().take_while(char::is_ascii_alphanumeric).collect();
    let inside = sql_type.split(['(', ')']).nth(1).unwrap_or_default();
    let number = |n: usize| inside.split(',').nth(n).and_then(|d| d.parse::<u32>().ok()).unwrap_or(0);
    let ty = match base.as_str() {
        "int" | "tinyint" | "smallint" | "bigint" | "mediumint" => Some(Type::Int),
        "varchar" | "char" | "text" | "mediumtext" | "longtext" => Some(Type::Text),
        "decimal" => Some(Type::Decimal {
            precision: u8::try_from(number(0)).unwrap(),
            scale: u8::try_from(number(1)).unwrap(),
        }),
        "float" => Some(Type::Single),
        "double" => Some(Type::Float),
        "date" => Some(Type::Date),
        "datetime" => Some(Type::Timestamp),
        "timestamp" => Some(Type::Instant),
        "time" => Some(Type::Time),
        "blob" | "longblob" | "mediumblob" => Some(Type::Bytes),
        _ => None,
    };
    let bounds = match (base.as_str(), sql_type.ends_with("unsigned")) {
        ("int", true) => Some((0, 4_294_967_295)),
        ("int", false) => Some((-2_147_483_648, 2_147_483_647)),
        ("tinyint", false) => Some((-128, 127)),
        _ => None,
    };
    Column {
        name: name.to_owned(),
        ty,
        max_length: matches!(base.as_str(), "varchar" | "char").then(|| number(0)),
        int_bounds: bounds,
        nullable: !rest.contains("NOT NULL"),
        has_default: rest.contains("DEFAULT "),
        identity: rest.contains("AUTO_INCREMENT"),
        generated: String::new(),
        collation: String::new(),
        choice: matches!(base.as_str(), "enum" | "set"),
        labels: Vec::new(),
        comment: String::new(),
        sql_type,
    }
}
