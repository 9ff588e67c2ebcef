//! A dump may be anything: it is read to its end or refused by code, in bounded memory, and rows that
//! were gathered can be read back in the order of their key.

use ecluse_adapters::dump::{Dump, Origin, Source};
use ecluse_core::filter::Filter;
use ecluse_core::plan::{Plan, ReadColumn, assertion};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::KeyRange;
use ecluse_flow::ports::Source as _;

const POSTGRES: &[u8] =
    b"SET client_encoding = 'UTF8';\nCREATE TABLE public.t (\n id bigint NOT NULL,\n x text\n);\n\
    -- PostgreSQL database dump complete\n";
const MARIADB: &[u8] =
    b"/*!40101 SET NAMES utf8mb4 */;\nCREATE TABLE `t` (\n `id` bigint(20) NOT NULL,\n `x` text\n\
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n-- Dump completed\n";

/// A dump behind one byte: even is PostgreSQL's, odd MariaDB's.
///
/// # Panics
///
/// Where fewer or more rows are read back than were gathered.
pub fn run(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let mariadb = first % 2 == 1;
    let engine = if mariadb { Engine::Mariadb } else { Engine::Postgresql };
    let schema = if mariadb { MARIADB } else { POSTGRES };
    let dump = Dump {
        engine,
        origin: Origin::Input,
        database: "lab".to_owned(),
        schema: "schema.sql".into(),
        staging: None,
        memory: 1 << 16,
    };
    // as a schema
    let _ = Source::over(dump.clone(), Box::new(std::io::Cursor::new(bytes.to_vec())), [0; 32]);
    // as a dump of one table, with and without its schema before it
    for before in [&b""[..], schema.strip_suffix(b"-- PostgreSQL database dump complete\n").unwrap_or(schema)]
    {
        let mut source = Source::over(dump.clone(), Box::new(schema), [0; 32]).expect("a schema");
        let whole = [before, bytes].concat();
        let plan = plan();
        if source.gather(&plan, Box::new(std::io::Cursor::new(whole)), true).is_ok() {
            let table = plan.tables().first().expect("a table");
            let asked = source.count(table).expect("counted").asked;
            let mut rows = 0;
            source
                .read(table, &plan, &KeyRange::default(), &mut |batch| {
                    rows += u64::try_from(batch.rows()).expect("few");
                    Ok(())
                })
                .expect("read");
            assert_eq!(rows, asked);
        }
    }
}

fn plan() -> Plan {
    let column = |name: &str, ty: Type, sql_type: &str| ReadColumn {
        name: name.to_owned(),
        ty,
        sql_type: sql_type.to_owned(),
        moved: true,
    };
    assertion::plan(vec![assertion::table(assertion::TableFields {
        number: 0,
        source: "t".to_owned(),
        view: None,
        destination: "t".to_owned(),
        read: vec![column("id", Type::Int, "bigint"), column("x", Type::Text, "text")],
        key: vec![0],
        filter: Filter::Every,
        write: Vec::new(),
        write_key: vec![0],
        relations: Vec::new(),
    })])
}
