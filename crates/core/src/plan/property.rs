//! Random schemas and instructions: a plan asks for what was listed, and for nothing else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::catalog::{Catalog, Column, Table};
use crate::filter::looks_at;
use crate::instruction::{self, assertion};
use crate::types::Engine;
use crate::{dictionary, document, mapping};

/// Column names: ordinary, sensitive, and those that no instruction may grant.
const NAMES: [&str; 12] = [
    "nom",
    "ddn",
    "valeur",
    "commentaire",
    "adresse",
    "prix",
    "statut",
    "password",
    "mdp",
    "api_token",
    "medecin",
    "x1",
];
const TYPES: [(Type, &str, &str); 5] = [
    (Type::Int, "bigint", "3"),
    (Type::Text, "text", "\"a\""),
    (Type::Date, "date", "date(\"2019-01-01\")"),
    (Type::Decimal { precision: 10, scale: 2 }, "numeric(10,2)", "decimal(\"1.50\")"),
    (Type::Bool, "boolean", "true"),
];

#[derive(Clone, Debug)]
struct Shape {
    /// (name, type, granted).
    columns: Vec<(&'static str, usize, bool)>,
    /// The column its filter compares, if any.
    compared: Option<usize>,
    /// Whether it also follows the table before it.
    follows: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let column = (proptest::sample::select(&NAMES[..]), 0..TYPES.len(), any::<bool>());
    (proptest::collection::vec(column, 1..7), proptest::option::of(0..6_usize), any::<bool>()).prop_map(
        |(mut columns, compared, follows)| {
            columns.sort_by_key(|c| c.0);
            columns.dedup_by_key(|c| c.0);
            let compared = compared.filter(|c| *c < columns.len());
            Shape { columns, compared, follows }
        },
    )
}

fn column(name: &str, ty: usize, nullable: bool) -> Column {
    let (ty, sql_type, _) = TYPES[ty];
    Column {
        name: name.to_owned(),
        sql_type: sql_type.to_owned(),
        ty: Some(ty),
        max_length: None,
        int_bounds: None,
        nullable,
        has_default: false,
        identity: false,
        generated: String::new(),
        collation: String::new(),
        choice: false,
        labels: Vec::new(),
        comment: String::new(),
    }
}

fn catalog(shapes: &[Shape]) -> Catalog {
    let tables = shapes.iter().enumerate().map(|(i, shape)| {
        let mut columns = vec![column("id", 0, false)];
        columns.extend(shape.columns.iter().map(|(name, ty, _)| column(name, *ty, true)));
        Table {
            name: format!("t{i}"),
            kind: "table".to_owned(),
            oid: Some(1),
            storage: "owner".to_owned(),
            columns,
            key: vec!["id".to_owned()],
            uniques: vec![],
            foreign_keys: vec![],
            triggers: vec![],
            row_security: String::new(),
            definition: String::new(),
            estimated_rows: None,
        }
    });
    Catalog {
        engine: Engine::Postgresql,
        database: "d".to_owned(),
        identity: "i".to_owned(),
        tables: tables.collect(),
    }
}

/// The instruction's tables as text, and per table what it lists.
fn order(shapes: &[Shape]) -> (String, Vec<BTreeSet<String>>) {
    let head = include_str!("../../tests/instruct/laboratory/instruction.toml");
    let head = head.split("[[table]]").next().unwrap();
    let mut text = head
        .replace("engine = \"mariadb\"", "engine = \"postgresql\"")
        .replace("\"LAB\"", "\"d\"")
        .replace("\"kalys\"", "\"d\"")
        .replace("\"srv-1\"", "\"i\"")
        .replace("\"7301/16384\"", "\"i\"");
    let mut listed = Vec::new();
    for (i, shape) in shapes.iter().enumerate() {
        let mut conditions = Vec::new();
        if let Some((name, ty, _)) = shape.compared.and_then(|c| shape.columns.get(c)) {
            conditions.push(format!("{name} == {}", TYPES[*ty].2));
        }
        if shape.follows && i > 0 {
            conditions.push(format!("id in chosen.t{}", i - 1));
        }
        let rows = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" && ") };
        let mut columns = vec!["{ name = \"id\", reason = \"key\" }".to_owned()];
        let mut names: BTreeSet<String> = [String::from("id")].into();
        for (name, _, _) in shape.columns.iter().filter(|c| c.2) {
            columns.push(format!("{{ name = \"{name}\", reason = \"needed\" }}"));
            names.insert((*name).to_owned());
        }
        text += &format!("[[table]]\nname = \"t{i}\"\nrows = '{rows}'\ncolumns = [{}]\n", columns.join(", "));
        listed.push(names);
    }
    (text, listed)
}

fn compiled(shapes: &[Shape], text: &str) -> Result<Compiled, Refusal> {
    let source = catalog(shapes);
    let surveyed = dictionary::draft(&source, Timestamp::UNIX_EPOCH, "sha256:00");
    let dictionary = dictionary::parse(&surveyed).unwrap();
    let blank = format!("\"sha256:{}\"", "0".repeat(64));
    let order = instruction::parse(&text.replace("\"sha256:…\"", &blank)).unwrap();
    let mapping = mapping::parse(&mapping::draft(&order)).unwrap();
    let text = instruction::fill(text, &dictionary, Some(&mapping)).unwrap();
    let header = document::header(&text, document::Kind::Instruction).unwrap();
    let order = instruction::parse(&text).unwrap();
    let instruction = assertion::in_force(order, header, &crate::digest::of_bytes(text.as_bytes()));
    compile(&Inputs {
        instruction: &instruction,
        dictionary: &dictionary,
        mapping: &mapping,
        codes: &BTreeMap::new(),
        source: &source,
        destination: &source,
        views: true,
    })
}

fn uses(from: &Expression) -> Vec<usize> {
    match from {
        Expression::Column(i)
        | Expression::Cast(i)
        | Expression::Utf8(i)
        | Expression::Code { column: i, .. }
        | Expression::Moment { column: i, .. } => vec![*i],
        Expression::Constant(_) => vec![],
        Expression::Identifier(of) => of.uses(),
        Expression::Concat(pieces) => pieces
            .iter()
            .filter_map(|p| match p {
                Piece::Column(i) => Some(*i),
                Piece::Literal(_) => None,
            })
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    // proves: INS-02, INS-04
    #[test]
    fn what_is_not_listed_is_not_asked_for(shapes in proptest::collection::vec(shape(), 1..5)) {
        let (text, listed) = order(&shapes);
        let secret = |name: &str| ["password", "mdp", "api_token"].contains(&name);
        let wants_secret = listed.iter().flatten().any(|n| secret(n))
            || shapes.iter().any(|s| s.compared.and_then(|c| s.columns.get(c)).is_some_and(|c| secret(c.0)));
        let compiled = match compiled(&shapes, &text) {
            Err(refusal) => {
                prop_assert!(wants_secret, "refused without a secret: {:#?}", refusal.findings);
                prop_assert!(refusal.findings.iter().all(|f| ["ECL-INS-013", "ECL-INS-020"].contains(&f.code.id)));
                return Ok(());
            }
            Ok(compiled) => compiled,
        };
        prop_assert!(!wants_secret, "a credential was planned");
        prop_assert_eq!(compiled.plan.tables().len(), shapes.len());
        for table in compiled.plan.tables() {
            let number: usize = table.source().trim_start_matches('t').parse().unwrap();
            let listed = &listed[number];
            let mut compared = BTreeSet::new();
            looks_at(table.filter(), &mut |c| { compared.insert(c); });
            for (i, read) in table.read().iter().enumerate() {
                // moved exactly where listed; anything else is read because the signed filter names it
                prop_assert_eq!(read.moved, listed.contains(&read.name), "{}", read.name);
                prop_assert!(read.moved || compared.contains(&i), "{} is read for nothing", read.name);
            }
            for write in table.write() {
                for used in uses(&write.from) {
                    prop_assert!(table.read()[used].moved, "{} arrives and was not listed", write.name);
                }
            }
            let read: BTreeSet<&str> = table.read().iter().map(|c| c.name.as_str()).collect();
            prop_assert!(listed.iter().all(|name| read.contains(name.as_str())), "something listed is missing");
        }
        for stay in &compiled.stays {
            let number: usize = stay.table.trim_start_matches('t').parse().unwrap();
            prop_assert!(!listed[number].contains(&stay.column), "{} both moves and stays", stay.column);
        }
    }
}
