//! Each dialect against the in-process evaluation, over hostile rows and under hostile collations.
//!
//! Some hundreds of filters are made from a fixed seed. For each, the rows that the database
//! chooses (through the source, values bound; and through a view, values as literals) must be
//! those that `ecluse_batch::evaluate` chooses among all rows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::common::read_all;
use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use ecluse_adapters::sql;
use ecluse_adapters::url::{Server, Url};
use ecluse_batch::{Batch, ChosenSets, evaluate};
use ecluse_core::filter::{Comparison, Filter, Words, sentence};
use ecluse_core::plan::assertion::{TableFields, plan, table};
use ecluse_core::plan::{Plan, ReadColumn};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::Value;
use ecluse_flow::ports::Source;
use ecluse_testkit::server::PostgresDatabase;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// Rows of `item`; a prime, so that the columns' cycles do not fall in step.
const ITEMS: i64 = 331;
const PARENTS: i64 = 23;
const FILTERS: usize = 400;
/// Every so many filters one is asked through a view too.
const VIEWS: usize = 4;

/// Texts that a collation, an escape or a wildcard makes equal to another.
const TEXTS: &[&str] = &[
    "F",
    "f",
    "F ",
    " F",
    "",
    " ",
    "é",
    "e",
    "E",
    "É",
    "e\u{301}",
    "ß",
    "ss",
    "SS",
    "ı",
    "I",
    "i",
    "İ",
    "a'b",
    "a''b",
    "a\"b",
    "a\\b",
    "a\\'b",
    "a\\\\",
    "%",
    "_",
    "50%_",
    "50x_",
    "x\ty",
    "x\ny",
    "x\r\n",
    "\u{1}",
    "\u{7f}",
    "--",
    ";",
    "$1",
    "?",
    ":p",
    "{x}",
    "`",
    "0",
    "00",
    "1",
    "1.0",
    "NULL",
    "null",
    "true",
    "𝄞",
    "\u{ffff}",
    "日本",
    "B-1",
    "B-",
    "b-1",
    "B_1",
    "ﬁ",
    "fi",
    "æ",
    "ae",
    "\u{a0}",
    "\u{200b}",
    "F\u{200b}",
    "Z",
    "z",
    "a",
    "A",
    "aa",
    "Aa",
];
const INTS: &[i64] =
    &[0, 1, -1, 2, 4, 5, 8, 127, 128, i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1, 1 << 53, (1 << 53) + 1];
/// Thousandths.
const DECIMALS: &[i128] = &[0, 1, -1, 1000, 1500, -1500, 999_999_999, -999_999_999, 100, 10, 2500];
const DAYS: &[i32] = &[0, -1, 1, 17_897, 17_896, 18_262, -25_567, 10_956, 20_000];
const MICROS: &[i64] = &[
    0,
    1,
    1_000_000,
    500_000,
    1_546_300_800_000_000,
    1_546_300_800_000_001,
    1_546_300_799_999_999,
    1_900_000_000_000_000,
];

pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) ty: Type,
    /// The type as the engine writes it.
    sql: &'static str,
    /// What its catalogue says of it.
    pub(crate) declared: &'static str,
}

const fn column(name: &'static str, ty: Type, sql: &'static str, declared: &'static str) -> Column {
    Column { name, ty, sql, declared }
}

const DECIMAL: Type = Type::Decimal { precision: 12, scale: 3 };

fn value(ty: Type, pick: usize) -> Value {
    match ty {
        Type::Bool => Value::Bool(pick.is_multiple_of(2)),
        Type::Int => Value::Int(INTS[pick % INTS.len()]),
        Type::Decimal { .. } => Value::Decimal { unscaled: DECIMALS[pick % DECIMALS.len()], scale: 3 },
        Type::Text => Value::Text(TEXTS[pick % TEXTS.len()].to_owned()),
        Type::Date => Value::Date(DAYS[pick % DAYS.len()]),
        Type::Timestamp => Value::Timestamp(MICROS[pick % MICROS.len()]),
        Type::Instant => Value::Instant(MICROS[pick % MICROS.len()]),
        other => panic!("{other}"),
    }
}

/// The value of a row: NULL now and then, else of its column's cycle.
fn cell(engine: Engine, ty: Type, row: i64, place: usize) -> Value {
    let pick = usize::try_from(row).unwrap() * (place + 3) + place;
    if place > 0 && (pick / 7).is_multiple_of(6) {
        return Value::Null;
    }
    match (engine, value(ty, pick)) {
        // no TIMESTAMP of MariaDB is at or before 1970-01-01 00:00:00
        (Engine::Mariadb, Value::Instant(t)) => Value::Instant(t.max(1_000_000)),
        (_, value) => value,
    }
}

/// Both tables' columns: `item` refers to `parent` by number and by text.
pub(crate) fn tables(columns: &[Column]) -> (Vec<&Column>, Vec<&Column>) {
    let item = columns.iter().collect();
    let parent = columns.iter().filter(|c| matches!(c.name, "id" | "n" | "t")).collect();
    (item, parent)
}

pub(crate) fn script(engine: Engine, columns: &[Column], prefix: &str) -> String {
    let (item, parent) = tables(columns);
    let mut out = prefix.to_owned();
    for (name, columns, rows) in [("item", item, ITEMS), ("parent", parent, PARENTS)] {
        let declared: Vec<String> = columns
            .iter()
            .map(|c| {
                let key = if c.name == "id" { " primary key" } else { " null" };
                format!("{} {}{key}", sql::identifier(engine, c.name), c.sql)
            })
            .collect();
        writeln!(out, "create table {name} ({});", declared.join(", ")).unwrap();
        for row in 0..rows {
            let cells: Vec<String> = columns
                .iter()
                .enumerate()
                .map(|(place, c)| match (c.name, cell(engine, c.ty, row, place)) {
                    ("id", _) => row.to_string(),
                    // what a row refers to mostly exists
                    ("p", Value::Int(i)) => (i.rem_euclid(PARENTS + 3)).to_string(),
                    (_, Value::Instant(t)) if engine == Engine::Mariadb => {
                        sql::literal(engine, &Value::Timestamp(t)).unwrap()
                    }
                    (_, value) => sql::literal(engine, &value).unwrap(),
                })
                .collect();
            writeln!(out, "insert into {name} values ({});", cells.join(", ")).unwrap();
        }
    }
    out
}

fn planned(columns: &[Column], filter: Filter, parent_filter: Filter, view: Option<String>) -> Plan {
    let (item, parent) = tables(columns);
    let fields = |number, source: &str, columns: &[&Column], filter, view| {
        let read = columns
            .iter()
            .map(|c| ReadColumn { name: c.name.into(), ty: c.ty, sql_type: c.declared.into(), moved: true })
            .collect();
        table(TableFields {
            number,
            source: source.into(),
            view,
            destination: source.into(),
            read,
            key: vec![0],
            filter,
            write: Vec::new(),
            write_key: Vec::new(),
            relations: Vec::new(),
        })
    };
    plan(vec![fields(0, "parent", &parent, parent_filter, None), fields(1, "item", &item, filter, view)])
}

/// Filters over `item`, from a fixed seed: the same on every machine.
pub(crate) fn filters(columns: &[Column]) -> Vec<(Filter, Filter)> {
    let place = |name: &str| columns.iter().position(|c| c.name == name).unwrap();
    let types: Vec<Type> = columns.iter().map(|c| c.ty).collect();
    let literal = {
        let types = types.clone();
        move |column: usize, pick: usize| match value(types[column], pick) {
            // another scale than the column's: compared by number
            Value::Decimal { unscaled, scale } if pick.is_multiple_of(3) && unscaled % 100 == 0 => {
                Value::Decimal { unscaled: unscaled / 100, scale: scale - 2 }
            }
            Value::Decimal { unscaled, .. } if pick % 3 == 1 => {
                Value::Decimal { unscaled: unscaled * 10, scale: 4 }
            }
            value => value,
        }
    };
    let width = columns.len();
    let compare = {
        let (types, literal) = (types.clone(), literal.clone());
        (0..width, 0usize..9973, 0usize..6).prop_map(move |(column, pick, op)| {
            use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
            let ops: &[Comparison] =
                if types[column] == Type::Bool { &[Eq, Ne] } else { &[Eq, Ne, Lt, Le, Gt, Ge] };
            Filter::Compare { column, op: ops[op % ops.len()], value: literal(column, pick) }
        })
    };
    let one_of =
        (0..width, proptest::collection::vec(0usize..9973, 1..5)).prop_map(move |(column, picks)| {
            Filter::OneOf { column, values: picks.into_iter().map(|p| literal(column, p)).collect() }
        });
    let null = (0..width).prop_map(|column| Filter::IsNull { column });
    let texts: Vec<usize> = (0..width).filter(|i| types[*i] == Type::Text).collect();
    let prefix = (proptest::sample::select(texts), 0usize..9973, 1usize..3)
        .prop_map(|(column, pick, take)| {
            let text = TEXTS[pick % TEXTS.len()];
            Filter::StartsWith { column, prefix: text.chars().take(take).collect() }
        })
        .prop_filter(
            "a prefix is never empty",
            |f| !matches!(f, Filter::StartsWith { prefix, .. } if prefix.is_empty()),
        );
    let (p, t) = (place("p"), place("t"));
    let chosen = proptest::sample::select(vec![
        Filter::Chosen { column: p, table: 0, other: 0 },
        Filter::Chosen { column: p, table: 0, other: 1 },
        Filter::Chosen { column: t, table: 0, other: 2 },
    ]);
    let leaf =
        prop_oneof![5 => compare, 2 => one_of, 1 => null, 2 => prefix, 2 => chosen, 1 => Just(Filter::Every)];
    let tree = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|f| Filter::Not(Box::new(f))),
        ]
    });
    let parents = prop_oneof![
        Just(Filter::Every),
        (0usize..9973).prop_map(|pick| Filter::Compare {
            column: 2,
            op: Comparison::Ge,
            value: value(Type::Text, pick)
        }),
        (0i64..PARENTS).prop_map(|i| Filter::Not(Box::new(Filter::Compare {
            column: 0,
            op: Comparison::Lt,
            value: Value::Int(i)
        }))),
    ];
    let both = (tree, parents);
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[42; 32]),
    );
    (0..FILTERS).map(|_| both.new_tree(&mut runner).unwrap().current()).collect()
}

/// The rows that a filter chooses, in process; and how many rows that could be wrong about.
struct Oracle {
    columns: Vec<Type>,
    item: Vec<Batch>,
    parents: Vec<Batch>,
    parent_columns: Vec<Type>,
}

impl Oracle {
    fn new(columns: &[Column], source: &mut dyn Source) -> Self {
        let all = planned(columns, Filter::Every, Filter::Every, None);
        let (item, parent) = tables(columns);
        let types = |columns: &[&Column]| columns.iter().map(|c| c.ty).collect();
        Self {
            columns: types(&item),
            parent_columns: types(&parent),
            parents: read_all(source, &all, 0),
            item: read_all(source, &all, 1),
        }
    }

    fn chooses(&self, filter: &Filter, parent_filter: &Filter) -> BTreeSet<i64> {
        let mut chosen = ChosenSets::new([3; 32]);
        for (column, ty) in self.parent_columns.iter().enumerate() {
            chosen.want(0, column, *ty);
        }
        for batch in &self.parents {
            let kept = evaluate(parent_filter, batch, &self.parent_columns, &chosen).unwrap();
            chosen.collect(0, batch, &self.parent_columns, Some(&kept)).unwrap();
        }
        let mut ids = BTreeSet::new();
        for batch in &self.item {
            assert!(batch.unreadable().is_empty(), "the test's own rows are all readable");
            let mask = evaluate(filter, batch, &self.columns, &chosen).unwrap();
            ids.extend(
                self::ids(batch).into_iter().zip(mask.iter()).filter(|(_, kept)| *kept).map(|(id, _)| id),
            );
        }
        ids
    }
}

fn ids(batch: &Batch) -> Vec<i64> {
    batch.columns()[0].as_primitive::<Int64Type>().values().to_vec()
}

fn read(source: &mut dyn Source, plan: &Plan) -> BTreeSet<i64> {
    read_all(source, plan, 1).iter().flat_map(ids).collect()
}

/// What was stored is what was meant: the literals of a script come back unchanged.
fn stored_as_meant(engine: Engine, columns: &[Column], oracle: &Oracle) {
    for batch in &oracle.item {
        for (place, column) in columns.iter().enumerate().filter(|(_, c)| c.ty == Type::Text && c.name == "t")
        {
            let texts = batch.columns()[place].as_string::<i32>();
            for (id, text) in ids(batch).into_iter().zip(texts) {
                match cell(engine, column.ty, id, place) {
                    Value::Text(meant) => assert_eq!(text, Some(meant.as_str())),
                    _ => assert_eq!(text, None),
                }
            }
        }
    }
}

/// Bound parameters: the database and the process choose the same rows.
fn agree(engine: Engine, columns: &[Column], source: &mut dyn Source) -> BTreeMap<usize, BTreeSet<i64>> {
    let oracle = Oracle::new(columns, source);
    stored_as_meant(engine, columns, &oracle);
    assert_eq!(oracle.chooses(&Filter::Every, &Filter::Every).len(), usize::try_from(ITEMS).unwrap());
    let mut right = BTreeMap::new();
    let (mut some, mut wrong) = (0, Vec::new());
    for (number, (filter, parent_filter)) in filters(columns).into_iter().enumerate() {
        let expected = oracle.chooses(&filter, &parent_filter);
        let asked = planned(columns, filter.clone(), parent_filter, None);
        let got = read(source, &asked);
        if got != expected {
            let odd: Vec<i64> = got.symmetric_difference(&expected).take(4).copied().collect();
            wrong.push(format!(
                "{}\n  {}\n  rows {odd:?}",
                said(columns, &filter),
                source.statement(&asked.tables()[1], &asked)
            ));
        }
        some += usize::from(!expected.is_empty() && expected.len() < usize::try_from(ITEMS).unwrap());
        right.insert(number, expected);
    }
    assert!(
        wrong.is_empty(),
        "{} of {FILTERS} filters differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
    assert!(some > FILTERS / 2, "most filters choose some rows and not all: {some}");
    right
}

fn said(columns: &[Column], filter: &Filter) -> String {
    let words = Words {
        column: &|i| columns[i].name.to_owned(),
        other: &|table, column| format!("{table}.{column}"),
        unsaid: &|_| false,
    };
    sentence(filter, &words, ecluse_core::language::Language::English)
}

/// Literals in views: each view is made, as the administrator would, then asked for its rows.
fn views(
    engine: Engine,
    columns: &[Column],
    database: Option<&str>,
    right: &BTreeMap<usize, BTreeSet<i64>>,
    run: &mut dyn FnMut(&str) -> String,
) {
    let mut script = String::new();
    let mut said = BTreeMap::new();
    for (number, (filter, parents)) in
        filters(columns).into_iter().enumerate().filter(|(i, _)| i.is_multiple_of(VIEWS))
    {
        let plan = planned(columns, filter.clone(), parents, None);
        let body = sql::view_body(engine, &plan.tables()[1], &plan, database).unwrap();
        said.insert(number, format!("{}\n  {body}", self::said(columns, &filter)));
        writeln!(
            script,
            "create view v{number} as {body};\nselect 'v{number}', id from v{number};\ndrop view v{number};"
        )
        .unwrap();
    }
    let mut got: BTreeMap<usize, BTreeSet<i64>> = said.keys().map(|n| (*n, BTreeSet::new())).collect();
    for line in run(&script).lines() {
        let Some((view, id)) = line.split_once(['\t', '|']) else { continue };
        let Some(number) = view.strip_prefix('v').and_then(|n| n.parse().ok()) else { continue };
        got.get_mut(&number).unwrap().insert(id.parse().unwrap());
    }
    for (number, got) in got {
        assert_eq!(got, right[&number], "view {number}: {}", said[&number]);
    }
}

const SQLITE: &[Column] = &[
    column("id", Type::Int, "integer", "integer"),
    column("n", Type::Int, "bigint", "bigint"),
    column("t", Type::Text, "text collate nocase", "text"),
    column("u", Type::Text, "varchar(20) collate rtrim", "varchar(20)"),
    column("d", DECIMAL, "decimal(12,3)", "decimal(12,3)"),
    column("day", Type::Date, "date", "date"),
    column("moment", Type::Timestamp, "datetime", "datetime"),
    column("at", Type::Instant, "timestamptz", "timestamptz"),
    column("b", Type::Bool, "boolean", "boolean"),
    column("p", Type::Int, "int", "int"),
];

// proves: INS-02
#[test]
fn sqlite_chooses_what_the_process_chooses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(&format!("begin;{}commit;", script(Engine::Sqlite, SQLITE, ""))).unwrap();
    let mut source = ecluse_adapters::sqlite::Source::open(&path).unwrap();
    source.open(&planned(SQLITE, Filter::Every, Filter::Every, None), false).unwrap();
    let right = agree(Engine::Sqlite, SQLITE, &mut source);
    source.close().unwrap();
    views(Engine::Sqlite, SQLITE, None, &right, &mut |script| {
        let mut out = String::new();
        for statement in script.split_inclusive(";\n") {
            match statement.strip_prefix("select ") {
                Some(_) => {
                    let mut select = connection.prepare(statement).unwrap();
                    let rows =
                        select.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?))).unwrap();
                    rows.for_each(|r| {
                        writeln!(out, "{}|{}", r.as_ref().unwrap().0, r.as_ref().unwrap().1).unwrap();
                    });
                }
                None => connection.execute_batch(statement).unwrap(),
            }
        }
        out
    });
}

/// With the guard off (`typeof` asked before the comparison) `n > 5` chooses the text: every
/// text is greater than every number.
#[test]
fn sqlite_finds_no_number_in_a_text() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let rows = "insert into item (id, n) values (1, 'abc'), (2, 6), (3, x'ff'), (4, 6.5), (5, null), (6, 5)";
    connection
        .execute_batch(&format!("{}delete from item; {rows}", script(Engine::Sqlite, SQLITE, "")))
        .unwrap();
    let more = Filter::Compare { column: 1, op: Comparison::Gt, value: Value::Int(5) };
    let ids = |filter: &Filter| -> Vec<i64> {
        let plan = planned(SQLITE, filter.clone(), Filter::Every, None);
        let condition = sql::condition(Engine::Sqlite, &plan.tables()[1], &plan, 1).unwrap().unwrap();
        assert_eq!(condition.parameters.len(), 1);
        let text = format!("select id from item where {} order by id", condition.text);
        connection.prepare(&text).unwrap().query_map([5], |r| r.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(ids(&more), [2]);
    // no number that is more than 5: the row comes, and the reader finds that its value lies
    assert_eq!(ids(&Filter::Not(Box::new(more))), [1, 3, 4, 5, 6]);
}

const POSTGRES: &[Column] = &[
    column("id", Type::Int, "bigint", "bigint"),
    column("n", Type::Int, "bigint", "bigint"),
    column("t", Type::Text, "text collate blind", "text"),
    column("u", Type::Text, "character(6)", "character(6)"),
    column("v", Type::Text, "varchar(20) collate \"und-x-icu\"", "character varying(20)"),
    column("d", DECIMAL, "numeric(12,3)", "numeric(12,3)"),
    column("day", Type::Date, "date", "date"),
    column("moment", Type::Timestamp, "timestamp", "timestamp without time zone"),
    column("at", Type::Instant, "timestamptz", "timestamp with time zone"),
    column("b", Type::Bool, "boolean", "boolean"),
    column("p", Type::Int, "integer", "integer"),
];

fn postgres_at(database: &PostgresDatabase) -> Server {
    let path = database.password_copy();
    match Url::parse(&format!("{}?password-file={}", database.url(), path.display())).unwrap() {
        Url::Server(server) => server,
        _ => panic!("no server"),
    }
}

// proves: INS-02
#[test]
fn postgresql_chooses_what_the_process_chooses() {
    let Some(server) = ecluse_testkit::server::postgres() else { return };
    let database = server.database("dialect");
    // blind to case and accents: 'F' = 'f', 'é' = 'e'
    let blind = "create collation blind (provider = icu, locale = 'und-u-ks-level1', deterministic = false);\n\
                 set standard_conforming_strings = off; set escape_string_warning = off;\n";
    database.sql(&script(Engine::Postgresql, POSTGRES, blind));
    assert_eq!(
        database.sql("select 'F' = 'f' collate blind").trim(),
        "t",
        "the collation is as hostile as meant"
    );
    let mut source = ecluse_adapters::postgres::Source::connect(&postgres_at(&database)).unwrap();
    source.open(&planned(POSTGRES, Filter::Every, Filter::Every, None), false).unwrap();
    let right = agree(Engine::Postgresql, POSTGRES, &mut source);
    source.close().unwrap();
    for setting in ["on", "off"] {
        let set = format!("set standard_conforming_strings = {setting}; set escape_string_warning = off;\n");
        views(Engine::Postgresql, POSTGRES, None, &right, &mut |script| {
            database.sql(&format!("{set}{script}"))
        });
    }
}

/// LabBook's own collation on one column; another one that only ignores trailing blanks; a
/// text that is not stored as UTF-8.
pub(crate) const MARIADB: &[Column] = &[
    column("id", Type::Int, "bigint not null", "bigint(20)"),
    column("n", Type::Int, "bigint", "bigint(20)"),
    column("t", Type::Text, "varchar(20) character set utf8mb4 collate utf8mb4_unicode_ci", "varchar(20)"),
    column("u", Type::Text, "char(6) character set utf8mb4 collate utf8mb4_bin", "char(6)"),
    column("v", Type::Text, "longtext character set utf8mb4 collate utf8mb4_general_ci", "longtext"),
    column("d", DECIMAL, "decimal(12,3)", "decimal(12,3)"),
    column("day", Type::Date, "date", "date"),
    column("moment", Type::Timestamp, "datetime(6)", "datetime(6)"),
    column("at", Type::Instant, "timestamp(6)", "timestamp(6)"),
    column("p", Type::Int, "int", "int(11)"),
];

// proves: INS-02
#[test]
fn mariadb_chooses_what_the_process_chooses() {
    let Some(server) = ecluse_testkit::server::mariadb() else { return };
    let database = server.database("dialect");
    let utc = "set time_zone = '+00:00';\nset names utf8mb4;\n";
    database.sql(&script(Engine::Mariadb, MARIADB, utc));
    let blind =
        database.sql("select 'F ' = 'f' collate utf8mb4_unicode_ci, 'é' = 'e' collate utf8mb4_unicode_ci");
    assert_eq!(blind.trim(), "1\t1", "the collation is as hostile as meant");
    let mut source = crate::mariadb::connect(&database);
    source.open(&planned(MARIADB, Filter::Every, Filter::Every, None), false).unwrap();
    let right = agree(Engine::Mariadb, MARIADB, &mut source);
    source.close().unwrap();
    // the administrator's session may be in any zone and mode, and so may the view's reader's
    for mode in ["", "NO_BACKSLASH_ESCAPES,ANSI_QUOTES"] {
        let set = format!("set sql_mode = '{mode}', time_zone = '+09:30';\nset names latin1;\n");
        views(Engine::Mariadb, MARIADB, Some(database.name()), &right, &mut |script| {
            database.sql(&format!("{set}{script}"))
        });
    }
}
