//! Rows of PostgreSQL in the forms that pg_dump has for them, and in those that it has not.

use ecluse_core::filter::Filter;
use ecluse_core::plan::{ReadColumn, assertion};
use ecluse_core::types::Type;
use ecluse_flow::ports::Source as _;

use super::*;

const HEAD: &str = "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\
    CREATE TYPE public.\"Mo;od\" AS ENUM (\n    'a',\n    'b'\n);\n\
    CREATE DOMAIN public.code AS character(8) NOT NULL DEFAULT 'x'::bpchar\n    CONSTRAINT c CHECK ((VALUE <> ''::bpchar));\n\
    CREATE DOMAIN public.\"code of code\" AS public.code;\n\
    CREATE TABLE public.\"T (1\" (\n    id bigint NOT NULL,\n    \"x (y\" text,\n    m public.\"Mo;od\",\n    \
    c public.\"code of code\",\n    ok boolean,\n    g bigint GENERATED ALWAYS AS ((id * 2)) STORED\n);\n";
const SECTION: &str = "--\n-- Data for Name: T (1; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n";
const END: &str = "--\n-- PostgreSQL database dump complete\n--\n";

fn column(name: &str, ty: Type, sql_type: &str) -> ReadColumn {
    ReadColumn { name: name.to_owned(), ty, sql_type: sql_type.to_owned(), moved: true }
}

fn plan(table: &str, read: Vec<ReadColumn>) -> Plan {
    assertion::plan(vec![assertion::table(assertion::TableFields {
        number: 0,
        source: table.to_owned(),
        view: None,
        destination: "t".to_owned(),
        read,
        key: vec![0],
        filter: Filter::Every,
        write: Vec::new(),
        write_key: vec![0],
        relations: Vec::new(),
    })])
}

fn source(schema: &str) -> Source {
    let dump = Dump {
        engine: Engine::Postgresql,
        origin: Origin::Input,
        database: "lab".to_owned(),
        schema: PathBuf::new(),
        memory: 1 << 20,
        staging: None,
    };
    let whole = format!("{schema}{END}");
    Source::over(dump, Box::new(std::io::Cursor::new(whole.into_bytes())), [0; 32]).unwrap()
}

/// Rows of the planned table out of this text; the texts of its columns, by row.
fn rows(plan: &Plan, dump: &str) -> Result<Vec<Vec<String>>> {
    let mut source = source("");
    source.gather(plan, Box::new(std::io::Cursor::new(dump.as_bytes().to_vec())), false)?;
    let table = plan.tables().first().unwrap();
    let types: Vec<Type> = table.read().iter().map(|c| c.ty).collect();
    let mut found = Vec::new();
    source.read(table, plan, &KeyRange::default(), &mut |batch| {
        assert_eq!(batch.unreadable(), [], "every value is read");
        for row in 0..batch.rows() {
            let told = |column| match ecluse_batch::cell(&batch, &types, column, row).unwrap() {
                ecluse_core::value::Value::Text(text) => text,
                ecluse_core::value::Value::Int(n) => n.to_string(),
                ecluse_core::value::Value::Bool(b) => b.to_string(),
                _ => "NULL".to_owned(),
            };
            found.push((0..types.len()).map(told).collect());
        }
        Ok(())
    })?;
    Ok(found)
}

fn whole_table() -> Plan {
    plan(
        "T (1",
        vec![
            column("id", Type::Int, "bigint"),
            column("x (y", Type::Text, "text"),
            column("m", Type::Text, "public.\"Mo;od\""),
            column("c", Type::Text, "public.\"code of code\""),
            column("ok", Type::Bool, "boolean"),
        ],
    )
}

#[test]
fn an_enumeration_and_a_domain_are_columns_of_what_they_are_written_as() {
    let catalog = source(HEAD).catalog(Scope::Everything).unwrap();
    let table = catalog.table("T (1").unwrap();
    let told: Vec<(Option<Type>, &str)> = table.columns.iter().map(|c| (c.ty, c.sql_type.as_str())).collect();
    assert_eq!(told[2], (Some(Type::Text), "public.\"Mo;od\""));
    assert_eq!(told[3], (Some(Type::Text), "public.\"code of code\""));
    assert_eq!(table.columns[3].max_length, Some(8));
}

#[test]
fn each_form_of_pg_dump_gives_the_same_rows() {
    let copy = "COPY public.\"T (1\" (id, \"x (y\", m, c, ok) FROM stdin;\n2\tl'un\\\\;(\ta\tAB      \tt\n1\t\\N\tb\tC\tf\n\\.\n";
    let one = "INSERT INTO public.\"T (1\" VALUES (2, 'l''un\\;(', 'a', 'AB      ', true, DEFAULT);\n\
        INSERT INTO public.\"T (1\" VALUES (1, NULL, 'b', 'C', false, DEFAULT);\n";
    let named = "INSERT INTO public.\"T (1\" (id, \"x (y\", m, c, ok) VALUES (2, 'l''un\\;(', 'a', 'AB      ', true);\n\
        INSERT INTO public.\"T (1\" (ok, id, c, m, \"x (y\") OVERRIDING SYSTEM VALUE VALUES (false, 1, 'C', 'b', NULL);\n";
    let several = "INSERT INTO public.\"T (1\" VALUES\n\t(2, 'l''un\\;(', 'a', 'AB      ', true, DEFAULT),\n\t\
        (1, NULL, 'b', 'C', false, DEFAULT);\n";
    let wanted = [["1", "NULL", "b", "C", "false"], ["2", "l'un\\;(", "a", "AB", "true"]];
    for body in [copy, one, named, several] {
        let dump = format!("{HEAD}{SECTION}{body}{END}");
        assert_eq!(rows(&whole_table(), &dump).unwrap(), wanted, "{body}");
    }
    // an empty table has its comment, and no INSERT
    assert!(rows(&whole_table(), &format!("{HEAD}{SECTION}{END}")).unwrap().is_empty());
}

#[test]
fn an_insert_that_pg_dump_does_not_write_is_refused() {
    let insert = "INSERT INTO public.\"T (1\" VALUES (1, 'a', 'a', 'C', true, DEFAULT);\n";
    let copy = "COPY public.\"T (1\" (id, \"x (y\", m, c, ok) FROM stdin;\n\\.\n";
    let of = |values: &str| format!("{SECTION}INSERT INTO public.\"T (1\" VALUES ({values});\n");
    let section = |more: &str| format!("{SECTION}{more}");
    for (what, body, code) in [
        ("not announced", insert.to_owned(), "ECL-SRC-603"),
        ("no comment and no rows", String::new(), "ECL-SRC-607"),
        ("announced twice", format!("{SECTION}{insert}{SECTION}"), "ECL-SRC-617"),
        ("behind COPY", format!("{SECTION}{copy}{insert}"), "ECL-SRC-603"),
        ("before COPY", format!("{SECTION}{insert}{copy}"), "ECL-SRC-603"),
        (
            "announced, and COPY of others only",
            section("COPY public.u (a) FROM stdin;\n\\.\n"),
            "ECL-SRC-607",
        ),
        ("of another table", section("INSERT INTO public.u VALUES (1);\n"), "ECL-SRC-603"),
        ("without a schema", section("INSERT INTO \"T (1\" VALUES (1);\n"), "ECL-SRC-603"),
        ("of a question", section("INSERT INTO public.\"T (1\" SELECT 1;\n"), "ECL-SRC-603"),
        ("of a question in brackets", section("INSERT INTO public.\"T (1\" (SELECT 1);\n"), "ECL-SRC-603"),
        ("with a conflict", section(&insert.replace(");", ") ON CONFLICT DO NOTHING;")), "ECL-SRC-603"),
        ("giving back", section(&insert.replace(");", ") RETURNING id;")), "ECL-SRC-603"),
        ("a function", of("1, pg_sleep(9), 'a', 'C', true, DEFAULT"), "ECL-SRC-606"),
        ("an escape string", of("1, E'a', 'a', 'C', true, DEFAULT"), "ECL-SRC-606"),
        ("dollars", of("1, $$a$$, 'a', 'C', true, DEFAULT"), "ECL-SRC-606"),
        ("a cast", of("1, 'a'::text, 'a', 'C', true, DEFAULT"), "ECL-SRC-606"),
        ("a default that was ordered", of("1, DEFAULT, 'a', 'C', true, DEFAULT"), "ECL-SRC-606"),
        ("a value more", of("1, 'a', 'a', 'C', true, DEFAULT, 7"), "ECL-SRC-606"),
        ("a value less", of("1, 'a', 'a', 'C', true"), "ECL-SRC-606"),
        ("a comment inside", of("1, /* */ 'a', 'a', 'C', true, DEFAULT"), "ECL-SRC-606"),
        ("cut off", section("INSERT INTO public.\"T (1\" VALUES (1, 'a"), "ECL-SRC-602"),
    ] {
        let refused = rows(&whole_table(), &format!("{HEAD}{body}{END}")).unwrap_err();
        assert_eq!(refused.code().id, code, "{what}");
    }
    // a generated column is in no dump
    let generated = plan("T (1", vec![column("id", Type::Int, "bigint"), column("g", Type::Int, "bigint")]);
    let refused = rows(&generated, &format!("{HEAD}{SECTION}{insert}{END}")).unwrap_err();
    assert_eq!(refused.code().id, "ECL-SRC-608");
    // in a schema's file it is a row
    assert_eq!(schema_with(&section(insert)), "ECL-SRC-605");
}

fn schema_with(body: &str) -> &'static str {
    let dump = source("").dump;
    let text = format!("{HEAD}{body}{END}");
    let refused = Source::over(dump, Box::new(std::io::Cursor::new(text.into_bytes())), [0; 32]);
    refused.err().unwrap().code().id
}

const ROOT: &str = "SET client_encoding = 'UTF8';\n\
    CREATE TABLE public.e (\n    id bigint NOT NULL,\n    w text\n)\nPARTITION BY RANGE (id);\n\
    CREATE TABLE public.e1 (\n    w text,\n    id bigint NOT NULL\n);\n\
    CREATE TABLE public.e2 (\n    id bigint NOT NULL,\n    w text\n)\nPARTITION BY RANGE (id);\n\
    CREATE TABLE lab.e3 (\n    id bigint NOT NULL,\n    w text\n);\n";
const ATTACHED: &str = "ALTER TABLE ONLY public.e ATTACH PARTITION public.e1 FOR VALUES FROM ('0') TO ('10');\n\
    ALTER TABLE ONLY public.e ATTACH PARTITION public.e2 FOR VALUES FROM ('10') TO ('20');\n\
    ALTER TABLE ONLY public.e2 ATTACH PARTITION lab.e3 DEFAULT;\n";

fn data(schema: &str, table: &str, body: &str) -> String {
    format!("-- Data for Name: {table}; Type: TABLE DATA; Schema: {schema}; Owner: -\n--\n\n{body}")
}

#[test]
fn rows_of_partitions_are_those_of_the_table_that_was_ordered() {
    let e = plan("e", vec![column("id", Type::Int, "bigint"), column("w", Type::Text, "text")]);
    let wanted = [["1", "a"], ["11", "b"]];
    let own = [
        data("public", "e1", "COPY public.e1 (w, id) FROM stdin;\na\t1\n\\.\n"),
        data("lab", "e3", "COPY lab.e3 (id, w) FROM stdin;\n11\tb\n\\.\n"),
    ];
    let root = [
        data(
            "public",
            "e1",
            "-- load via partition root public.e\nCOPY public.e (id, w) FROM stdin;\n1\ta\n\\.\n",
        ),
        data("lab", "e3", "COPY public.e (id, w) FROM stdin;\n11\tb\n\\.\n"),
    ];
    let inserts = [
        data("public", "e1", "INSERT INTO public.e1 VALUES ('a', 1);\n"),
        data("lab", "e3", "INSERT INTO public.e VALUES (11, 'b');\n"),
    ];
    for body in [&own, &root, &inserts] {
        let dump = format!("{ROOT}{ATTACHED}{}{END}", body.concat());
        assert_eq!(rows(&e, &dump).unwrap(), wanted, "{body:?}");
    }
    let refused = |dump: String| rows(&e, &dump).unwrap_err().code().id;
    // a partition without its rows, one whose rows came before it was one, two that are each other's
    assert_eq!(refused(format!("{ROOT}{ATTACHED}{}{END}", own[0])), "ECL-SRC-607");
    assert_eq!(refused(format!("{ROOT}{}{ATTACHED}{END}", own.concat())), "ECL-SRC-603");
    let round = "ALTER TABLE ONLY public.e1 ATTACH PARTITION public.e DEFAULT;\n";
    assert_eq!(refused(format!("{ROOT}{ATTACHED}{round}{}{END}", own[0])), "ECL-SRC-612");
    assert_eq!(refused(format!("{ROOT}{ATTACHED}{ATTACHED}{END}")), "ECL-SRC-617");
    // rows into the root that no partition's comment announces, twice
    let twice = "COPY public.e (id, w) FROM stdin;\n\\.\n".repeat(2);
    assert_eq!(refused(format!("{ROOT}{ATTACHED}{twice}{END}")), "ECL-SRC-617");
    // a partition that lies in another system
    let foreign = ROOT.replace("CREATE TABLE lab.e3", "CREATE FOREIGN TABLE lab.e3").replace(
        "lab.e3 (\n    id bigint NOT NULL,\n    w text\n)",
        "lab.e3 (\n    id bigint NOT NULL,\n    w text\n)\nSERVER s",
    );
    assert_eq!(refused(format!("{foreign}{ATTACHED}{}{END}", own[0])), "ECL-SRC-619");
}

/// Whoever makes the dump makes the reader neither pass over rows that lie deep, nor walk in circles.
#[test]
fn thousands_of_partitions_that_are_each_others_are_refused_in_linear_time() {
    let e = plan("e", vec![column("id", Type::Int, "bigint"), column("w", Type::Text, "text")]);
    let attach = |above: &str, name: &str| {
        format!("ALTER TABLE ONLY public.{above} ATTACH PARTITION public.{name} DEFAULT;\n")
    };
    let chain = |length: usize| {
        let below = (1..length).map(|n| attach(&format!("p{n}"), &format!("p{}", n + 1)));
        std::iter::once(attach("e", "p1")).chain(below).collect::<String>()
    };
    let began = std::time::Instant::now();
    for ring in [chain(20_000), chain(20_000) + &attach("p20000", "e")] {
        let code = rows(&e, &format!("{ROOT}{ring}{END}")).unwrap_err().code().id;
        assert_eq!(code, "ECL-SRC-612");
    }
    // 400 million steps, each among 20,000 names, would take minutes
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

/// Rows of an ordered table that stand under another table's name are not passed over: the run is refused.
#[test]
fn rows_of_heirs_and_of_partitions_that_are_not_understood_are_not_passed_over() {
    let head = "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\
        CREATE TABLE public.result (\n    id bigint NOT NULL\n);\n";
    let data = |table: &str| {
        format!(
            "--\n-- Data for Name: {table}; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n\
             COPY public.{table} (id) FROM stdin;\n1\n\\.\n\n"
        )
    };
    let plan = plan("result", vec![column("id", Type::Int, "bigint")]);
    let told = |made: &str, rest: &str| rows(&plan, &format!("{head}{made}{}{rest}{END}", data("result")));
    assert_eq!(told("", "").unwrap().len(), 1);
    let heir = "CREATE TABLE public.result_old (\n)\nINHERITS (public.result);\n";
    assert_eq!(told(heir, &data("result_old")).unwrap_err().code().id, "ECL-SRC-619");
    let partition = "CREATE TABLE public.result_1 PARTITION OF public.result\nFOR VALUES FROM (1) TO (9);\n";
    assert_eq!(told(partition, "").unwrap_err().code().id, "ECL-SRC-612");
}
