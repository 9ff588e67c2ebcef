//! The types of a dump's columns, by the rules of the live engine's own adapter.

use ecluse_core::types::{Engine, Type};
use tokio_postgres::types::Type as Pg;

use crate::{mariadb, postgres};

/// What a statement says of a column's type.
pub(super) struct Told {
    /// The engine's words, in one spelling.
    pub(super) words: String,
    pub(super) ty: Option<Type>,
    pub(super) max_length: Option<u32>,
    pub(super) int_bounds: Option<(i64, i64)>,
    /// Whether a collation means anything.
    pub(super) is_text: bool,
}

impl Told {
    /// `words` as the parser prints them; `charset` of a MariaDB column.
    pub(super) fn of(engine: Engine, words: &str, charset: &str) -> Self {
        let lower = words.to_lowercase();
        let told = match engine {
            Engine::Mariadb => mariadb_type(&lower, charset),
            _ => postgres_type(&lower),
        };
        // words in quotes (an enum's labels, a type's own name) keep their spelling
        let words = if told.ty.is_some() { lower } else { words.to_owned() };
        Self { words, ..told }
    }
}

/// The part before the bracket and the numbers inside it: `numeric(10,2)`.
fn split(words: &str) -> (String, Vec<u32>) {
    let Some((name, rest)) = words.split_once('(') else { return (words.to_owned(), Vec::new()) };
    let (inside, after) = rest.split_once(')').unwrap_or((rest, ""));
    let numbers = inside.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    (format!("{}{after}", name.trim()), numbers)
}

fn postgres_type(words: &str) -> Told {
    let (name, numbers) = split(words);
    let length = numbers.first().copied();
    let pg = match name.as_str() {
        "boolean" | "bool" => Some(Pg::BOOL),
        "smallint" => Some(Pg::INT2),
        "integer" | "int" => Some(Pg::INT4),
        "bigint" => Some(Pg::INT8),
        "numeric" | "decimal" => Some(Pg::NUMERIC),
        "real" => Some(Pg::FLOAT4),
        "double precision" => Some(Pg::FLOAT8),
        "text" => Some(Pg::TEXT),
        "name" => Some(Pg::NAME),
        "character varying" | "varchar" => Some(Pg::VARCHAR),
        "character" | "char" | "bpchar" => Some(Pg::BPCHAR),
        "bytea" => Some(Pg::BYTEA),
        "date" => Some(Pg::DATE),
        "timestamp without time zone" | "timestamp" => Some(Pg::TIMESTAMP),
        "timestamp with time zone" | "timestamptz" => Some(Pg::TIMESTAMPTZ),
        "time without time zone" | "time" => Some(Pg::TIME),
        "uuid" => Some(Pg::UUID),
        "json" => Some(Pg::JSON),
        "jsonb" => Some(Pg::JSONB),
        _ => None,
    };
    let wire = pg.as_ref().and_then(postgres::types::wire_of_builtin);
    // `atttypmod` as the server keeps it, for the one rule that reads it
    let modifier = match (&pg, numbers.as_slice()) {
        (Some(Pg::NUMERIC), [precision]) => packed(*precision, 0),
        (Some(Pg::NUMERIC), [precision, scale]) => packed(*precision, *scale),
        _ => -1,
    };
    let is_text = matches!(pg, Some(Pg::TEXT | Pg::VARCHAR | Pg::BPCHAR | Pg::NAME));
    Told {
        words: String::new(),
        // of a number without a declared scale a dump's text is not looked at yet
        ty: wire
            .map(|w| postgres::types::carried(w, modifier))
            .filter(|ty| *ty != Type::Text || pg != Some(Pg::NUMERIC)),
        max_length: length.filter(|_| matches!(pg, Some(Pg::VARCHAR | Pg::BPCHAR))),
        int_bounds: wire.and_then(postgres::types::bounds),
        is_text,
    }
}

fn packed(precision: u32, scale: u32) -> i32 {
    let modifier = (precision << 16).checked_add(scale & 0x7ff).and_then(|m| m.checked_add(4));
    modifier.and_then(|m| i32::try_from(m).ok()).unwrap_or(-1)
}

fn mariadb_type(words: &str, charset: &str) -> Told {
    let (name, numbers) = split(words);
    let data_type = match name.split(' ').next().unwrap_or_default() {
        "integer" => "int",
        "numeric" | "dec" | "fixed" => "decimal",
        "real" => "double",
        "boolean" | "bool" => "tinyint",
        other => other,
    };
    let number = |at: usize| numbers.get(at).copied();
    let told = mariadb::types::Told {
        data_type,
        column_type: words,
        charset,
        precision: number(0).map(u64::from),
        scale: number(1).or(number(0).map(|_| 0)).map(u64::from),
    };
    // what the live adapter carries as a print, or as bits, stands in a dump in forms not read yet
    let ty = mariadb::types::understood(&told).filter(|ty| mariadb::types::writable(data_type, *ty));
    let counted = matches!(data_type, "char" | "varchar" | "binary" | "varbinary");
    Told {
        words: String::new(),
        max_length: number(0).filter(|_| counted),
        int_bounds: mariadb::types::int_bounds(&told).filter(|_| ty == Some(Type::Int)),
        is_text: ty == Some(Type::Text),
        ty,
    }
}
