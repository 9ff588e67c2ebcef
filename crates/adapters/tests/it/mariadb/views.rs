//! The administrator's views are the printed script's: what the server shows of each, compared.

use ecluse_adapters::sql;
use ecluse_core::filter::Filter;
use ecluse_core::plan::assertion::{TableFields, plan, table};
use ecluse_core::plan::{Plan, ReadColumn};
use ecluse_core::types::Engine;
use ecluse_flow::ports::Source as _;
use ecluse_testkit::server::mariadb;

use super::wall::Wall;
use crate::dialects::{MARIADB, filters, script, tables};

/// `parent` behind the view `lot`, `item` behind the view `piece`, both in `database`.
fn viewed(database: &str, filter: Filter, parents: Filter) -> Plan {
    let (item, parent) = tables(MARIADB);
    let fields = |number, source: &str, view: &str, columns: &[&crate::dialects::Column], filter| {
        let read = columns
            .iter()
            .map(|c| ReadColumn { name: c.name.into(), ty: c.ty, sql_type: c.declared.into(), moved: true })
            .collect();
        table(TableFields {
            number,
            source: source.into(),
            view: Some(format!("{database}.{view}")),
            destination: source.into(),
            read,
            key: vec![0],
            filter,
            write: Vec::new(),
            write_key: Vec::new(),
            relations: Vec::new(),
        })
    };
    plan(vec![fields(0, "parent", "lot", &parent, parents), fields(1, "item", "piece", &item, filter)])
}

#[test]
fn every_shape_of_filter_is_shown_as_it_is_expected() {
    let Some(server) = mariadb() else { return };
    let database = server.database("shown");
    database.sql(&script(Engine::Mariadb, MARIADB, "set names utf8mb4;\n"));
    let mut wrong = Vec::new();
    for (filter, parents) in filters(MARIADB) {
        let plan = viewed(database.name(), filter, parents);
        let body = |number: usize| {
            sql::view_body(Engine::Mariadb, &plan.tables()[number], &plan, Some(database.name())).unwrap()
        };
        let shown = database.sql(&format!(
            "set names utf8mb4;\ncreate or replace view lot as {};\ncreate or replace view piece as {};\n\
             select hex(view_definition) from information_schema.views \
             where table_schema = database() order by table_name",
            body(0),
            body(1)
        ));
        for (number, line) in shown.lines().enumerate() {
            let text = data_encoding::HEXUPPER.decode(line.as_bytes()).unwrap();
            let text = String::from_utf8(text).unwrap();
            let expected = sql::shown(&plan.tables()[number], &plan, database.name()).unwrap();
            if text != expected {
                wrong.push(format!("\n{text}\n{expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ: {}", wrong.len(), wrong.concat());
}

/// Fails with the guard off: but for the wider one, each of these opens, gives rows that pass
/// the filter in process, and loses or exchanges values in silence.
#[test]
fn a_wider_narrower_or_swapped_view_or_another_table_is_refused_before_a_row() {
    let Some(server) = mariadb() else { return };
    let wall = Wall::build(&server);
    let database = wall.database.name();
    let space = format!("ecluse_{database}");
    wall.database.sql("create table pat2 like pat");
    let young = "`born` is not null and `born` >= DATE'1980-01-01'";
    let mut source = wall.source();
    for (what, body) in [
        ("wider", format!("select id, name, born, secret from {database}.pat where {young}")),
        ("every row", format!("select id, name, born from {database}.pat")),
        ("narrower", format!("select id, name, born from {database}.pat where {young} and id <> 3")),
        ("limited", format!("select id, name, born from {database}.pat where {young} limit 1")),
        ("swapped", format!("select id, secret as name, born from {database}.pat where {young}")),
        ("another table", format!("select id, name, born from {database}.pat2 where {young}")),
    ] {
        server.sql("", &format!("create or replace view {space}.pat as {body}"));
        let fault = source.open(&wall.plan, false).unwrap_err();
        assert_eq!(
            (fault.code().id, fault.detail()),
            ("ECL-SRC-209", format!("{space}.pat").as_str()),
            "{what}"
        );
        source.close().unwrap();
    }
    // in the script's own words it is known again, whoever made it
    server.sql(
        "",
        &format!(
            "create or replace view {space}.pat as select id, name, born from {database}.pat where {young}"
        ),
    );
    source.open(&wall.plan, false).unwrap();
    source.close().unwrap();
    // without the right to see it; as a table; gone
    let account = &wall.account;
    server.sql("", &format!("revoke show view on {space}.pat from `{account}`@`127.0.0.1`"));
    assert_eq!(wall.source().open(&wall.plan, false).unwrap_err().code().id, "ECL-SRC-215");
    server.sql(
        "",
        &format!(
            "drop view {space}.pat; create table {space}.pat as select id, name, born from {database}.pat"
        ),
    );
    assert_eq!(wall.source().open(&wall.plan, false).unwrap_err().code().id, "ECL-SRC-209");
    server.sql("", &format!("drop table {space}.pat"));
    assert_eq!(wall.source().open(&wall.plan, false).unwrap_err().code().id, "ECL-SRC-206");
    // nothing asked the views for rows: `LIMIT 0` only holds their structure
    let asks = |text: &str| text.starts_with("SELECT `") && text.contains(&format!("`{space}`.`pat`"));
    assert!(wall.database.statements().iter().all(|s| !asks(&s.text)));
}

/// Held since before its text was compared, until the transaction ends.
#[test]
fn a_view_cannot_be_replaced_while_it_is_read() {
    let Some(server) = mariadb() else { return };
    let wall = Wall::build(&server);
    let database = wall.database.name();
    let replace = format!(
        "set lock_wait_timeout = 1; create or replace view ecluse_{database}.pat as select id, name, born from {database}.pat"
    );
    let mut source = wall.source();
    source.open(&wall.plan, false).unwrap();
    let refused = server.try_sql("", &replace).unwrap_err();
    assert!(refused.contains("Lock wait timeout"), "{refused}");
    source.close().unwrap();
    server.sql("", &replace);
    assert_eq!(source.open(&wall.plan, false).unwrap_err().code().id, "ECL-SRC-209");
}
