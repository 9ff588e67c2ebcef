//! MariaDB, a real server: every type as the engine itself writes it, the wall of views and
//! rights, and LabBook read whole.

use std::io::Write as _;

use crate::common::{Wanted, every, fields, planned, read_all, rows};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use ecluse_adapters::mariadb::{Source, grants};
use ecluse_adapters::url::Url;
use ecluse_batch::Batch;
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::plan::Plan;
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_flow::ports::{Scope, Source as _};
use ecluse_testkit::server::{Mariadb, MariadbDatabase, mariadb};

pub(crate) fn connect(database: &MariadbDatabase) -> Source {
    connect_as(database, "ecluse", &database.server().password_file())
}

fn connect_as(database: &MariadbDatabase, account: &str, password: &std::path::Path) -> Source {
    let url = format!("{}?password-file={}", database.url_as(account), password.display());
    let Url::Server(server) = Url::parse(&url).unwrap() else { panic!("not a server") };
    Source::connect(&server).unwrap()
}

/// A plan of these tables as the administrator sees them.
fn plan_of(database: &MariadbDatabase, wanted: &[Wanted<'_>]) -> Plan {
    planned(&connect(database).catalog(Scope::Everything).unwrap(), wanted)
}

const EVERY_TYPE: &str = "
create table v (
    id int not null primary key, t1 tinyint(1), ui int(10) unsigned, big bigint, ubig bigint unsigned, d decimal(10,2),
    f float, r double, c char(5), t varchar(40) character set utf8mb4, l varchar(40) character set latin1, tx longtext,
    bn binary(3), x longblob, day date, at datetime(6), since timestamp(6) null, hour time(6), u uuid
) engine=innodb default charset=utf8mb3 collate=utf8mb3_unicode_ci;";

const EVERY_VALUE: &str = "
insert into v values
    (1, 1, 4294967295, 9223372036854775807, 9223372036854775807, 12.34, 0.1, 0.1, 'a ', 'élève 🩸 ', 'œuf €', repeat('é', 70000),
     'a', x'00ff', '2024-02-29', '1969-12-31 23:59:59.25', '1970-01-01 00:00:01.5', '23:59:59.000001',
     '00112233-4455-6677-8899-aabbccddeeff'),
    (2, -128, 0, -9223372036854775808, 0, -99999999.99, -3.4e38, -1.5e300, '', '', '', '', '', '', '0001-01-01',
     '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', '00:00:00', null),
    (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);";

/// One value as MariaDB's own HEX of its text would show it.
fn written(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    let any = column.as_any();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02X}")).collect::<String>();
    let moment = |micros: i64| {
        let (days, of_day) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
        format!("{} {}", day(days), clock(of_day))
    };
    if let Some(a) = any.downcast_ref::<Int64Array>() {
        a.value(row).to_string()
    } else if let Some(a) = any.downcast_ref::<Decimal128Array>() {
        a.value_as_string(row)
    } else if let Some(a) = any.downcast_ref::<Float64Array>() {
        format!("{:016X}", a.value(row).to_bits())
    } else if let Some(a) = any.downcast_ref::<StringArray>() {
        hex(a.value(row).as_bytes())
    } else if let Some(a) = any.downcast_ref::<BinaryArray>() {
        hex(a.value(row))
    } else if let Some(a) = any.downcast_ref::<Date32Array>() {
        day(i64::from(a.value(row)))
    } else if let Some(a) = any.downcast_ref::<TimestampMicrosecondArray>() {
        moment(a.value(row))
    } else if let Some(a) = any.downcast_ref::<Time64MicrosecondArray>() {
        clock(a.value(row))
    } else {
        hex(any.downcast_ref::<FixedSizeBinaryArray>().unwrap().value(row))
    }
}

/// An independent calendar: days counted one by one.
fn day(days: i64) -> String {
    let (mut year, mut left) = (1970, days);
    let length = |y: i64| if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) { 366 } else { 365 };
    while left < 0 {
        year -= 1;
        left += length(year);
    }
    while left >= length(year) {
        left -= length(year);
        year += 1;
    }
    let months = [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= months[month] {
        left -= months[month];
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}", month + 1, left + 1)
}

fn clock(micros: i64) -> String {
    let s = micros / 1_000_000;
    format!("{:02}:{:02}:{:02}.{:06}", s / 3600, s / 60 % 60, s % 60, micros % 1_000_000)
}

#[test]
fn every_type_arrives_as_the_engine_itself_writes_it() {
    let Some(server) = mariadb() else { return };
    let database = server.database("types");
    database.sql(&format!("set sql_mode=''; {EVERY_TYPE} {EVERY_VALUE}"));
    let plan = plan_of(&database, &[every("v", &[])]);
    assert_eq!(plan.tables()[0].read().len(), 19, "every column is understood");
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    let batches = read_all(&mut source, &plan, 0);
    assert!(batches.iter().all(|b| b.unreadable().is_empty()));
    // the engine's own text: text in hexadecimal of UTF-8, floats by their value as double
    let wanted: Vec<String> = plan.tables()[0]
        .read()
        .iter()
        .map(|c| {
            let name = &c.name;
            match c.ty {
                Type::Text => format!("hex(convert({name} using utf8mb4))"),
                Type::Bytes => format!("hex({name})"),
                Type::Timestamp | Type::Instant => format!("date_format({name}, '%Y-%m-%d %H:%i:%s.%f')"),
                Type::Time => format!("time_format({name}, '%H:%i:%s.%f')"),
                Type::Uuid => format!("upper(replace({name}, '-', ''))"),
                _ => name.clone(),
            }
        })
        .collect();
    let told =
        database.sql(&format!("set time_zone='+00:00'; select {} from v order by id", wanted.join(", ")));
    let mut lines = told.lines();
    for batch in &batches {
        for row in 0..batch.rows() {
            let line: Vec<&str> = lines.next().unwrap().split('\t').collect();
            for (place, column) in batch.columns().iter().enumerate() {
                let name = &plan.tables()[0].read()[place].name;
                let told = match (name.as_str(), line[place]) {
                    (_, "NULL") => "NULL".to_owned(),
                    // the engine's text of a FLOAT is rounded to six digits: compared as the float it is
                    ("f", text) => format!("{:016X}", f64::from(text.parse::<f32>().unwrap()).to_bits()),
                    ("r", text) => format!("{:016X}", text.parse::<f64>().unwrap().to_bits()),
                    (_, text) => text.to_owned(),
                };
                assert_eq!(written(column, row), told, "{name}, row {row}");
            }
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn every_byte_of_latin1_is_read_as_the_server_converts_it() {
    let Some(server) = mariadb() else { return };
    let database = server.database("latin1");
    database.sql(
        "create table t (id int primary key, l varchar(4) character set latin1 collate latin1_nopad_bin)",
    );
    let values: Vec<String> = (0..256).map(|i| format!("({i}, _latin1 x'{i:02x}')")).collect();
    database.sql(&format!("insert into t values {}", values.join(",")));
    let plan = plan_of(&database, &[every("t", &[])]);
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    let batches = read_all(&mut source, &plan, 0);
    let told = database.sql("select hex(l), hex(convert(l using utf8mb4)) from t order by id");
    for (i, line) in told.lines().enumerate() {
        let (stored, converted) = line.split_once('\t').unwrap();
        assert_eq!(stored, format!("{i:02X}"), "the byte itself is stored");
        assert_eq!(written(&batches[0].columns()[1], i), converted, "byte {i}");
    }
    assert_eq!(rows(&batches), 256);
}

#[test]
fn values_that_do_not_exist_refuse_their_row_by_code_and_no_other() {
    let Some(server) = mariadb() else { return };
    let database = server.database("zero");
    database.sql(
        "set sql_mode='ALLOW_INVALID_DATES';
         create table z (id int primary key, day date, at datetime, since timestamp null, hour time, ub bigint unsigned, name varchar(9));
         insert into z (id, day, name) values (1, '2024-01-01', 'a'), (2, '0000-00-00', 'b'), (3, '2024-00-10', 'c'),
            (4, '2024-02-30', 'd'), (5, '0000-05-01', 'e');
         insert into z (id, at) values (6, '0000-00-00 00:00:00'), (7, '2024-01-01 00:00:00');
         insert into z (id, since) values (8, '0000-00-00 00:00:00');
         insert into z (id, hour) values (9, '-01:00:00'), (10, '24:00:00'), (11, '838:59:59'), (12, '23:59:59');
         insert into z (id, ub) values (13, 9223372036854775808), (14, 9223372036854775807);",
    );
    let plan = plan_of(&database, &[every("z", &[])]);
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    let batches = read_all(&mut source, &plan, 0);
    assert_eq!(rows(&batches), 14);
    let found: Vec<(usize, &str)> = batches[0].unreadable().iter().map(|u| (u.row + 1, u.code.id)).collect();
    let time = "ECL-SRC-004";
    assert_eq!(
        found,
        [
            (2, time),
            (3, time),
            (4, time),
            (5, time),
            (6, time),
            (8, time),
            (9, time),
            (10, time),
            (11, time),
            (13, "ECL-SRC-005")
        ]
    );
    assert_eq!(written(&batches[0].columns()[6], 1), "62", "the rest of the row is there, its key too");
}

#[test]
fn text_that_lies_about_its_encoding_refuses_its_row() {
    let Some(server) = mariadb() else { return };
    let database = server.database("lies");
    // the server checks text on its way in; an engine's file moved under another definition does not
    database.sql("create table t (id int primary key, x varbinary(60)) engine=myisam; insert into t values (1, 'fine'), (2, x'e9740a'), (3, x'c3a9')");
    database.sql("create table shape (id int primary key, x varchar(20) character set utf8mb3) engine=myisam; flush tables");
    let folder = server.data_folder().join(database.name());
    for end in ["MYD", "MYI"] {
        std::fs::copy(folder.join(format!("t.{end}")), folder.join(format!("shape.{end}"))).unwrap();
    }
    database.sql("flush tables");
    let plan = plan_of(&database, &[every("shape", &[])]);
    let mut source = connect(&database);
    let fault = source.open(&plan, false).unwrap_err();
    assert_eq!(
        (fault.code().id, fault.detail()),
        ("ECL-SRC-208", "shape, MyISAM"),
        "no transactions, not frozen"
    );
    let opened = source.open(&plan, true).unwrap();
    assert!(opened.limits.iter().any(|l| l.contains("MyISAM")), "{opened:?}");
    let batches = read_all(&mut source, &plan, 0);
    let found: Vec<_> = batches[0].unreadable().iter().map(|u| (u.row, u.code.id)).collect();
    assert_eq!((rows(&batches), found), (3, vec![(1, "ECL-SRC-003")]));
}

#[test]
fn rows_come_in_the_order_of_bytes_and_ranges_partition_them() {
    let Some(server) = mariadb() else { return };
    let database = server.database("order");
    database.sql(
        "create table t (a varchar(20) character set utf8mb3 collate utf8mb3_unicode_ci, d decimal(8,2), b bigint, u uuid, primary key (a, d, b, u));
         insert into t values ('b',1,1,uuid()), ('B ',2,-1,uuid()), ('a',3,1,uuid()), ('é',4,1,uuid()), ('Z',5,1,uuid()), ('a',-3.5,9,uuid()),
            ('a',3,2,'ff000000-0000-0000-0000-000000000001'), ('a',3,2,'0f000000-0000-0000-0000-0000000000ff'), ('',0,0,uuid()), ('ﬀ',0,0,uuid()), ('zz',1,1,uuid());",
    );
    let plan = plan_of(&database, &[every("t", &[])]);
    let mut source = connect(&database);
    let opened = source.open(&plan, false).unwrap();
    assert!(opened.limits.iter().any(|l| l.contains("sorted by the server")));
    let keys = |source: &mut Source, range: KeyRange| -> Vec<Key> {
        let mut found = Vec::new();
        source
            .read(&plan.tables()[0], &plan, &range, &mut |batch: Batch| {
                let c = batch.columns();
                let a: &StringArray = c[0].as_any().downcast_ref().unwrap();
                let d: &Decimal128Array = c[1].as_any().downcast_ref().unwrap();
                let b: &Int64Array = c[2].as_any().downcast_ref().unwrap();
                let u: &FixedSizeBinaryArray = c[3].as_any().downcast_ref().unwrap();
                found.extend((0..batch.rows()).map(|i| {
                    Key(vec![
                        Value::Text(a.value(i).to_owned()),
                        Value::Decimal { unscaled: d.value(i), scale: 2 },
                        Value::Int(b.value(i)),
                        Value::Uuid(u.value(i).try_into().unwrap()),
                    ])
                }));
                Ok(())
            })
            .unwrap();
        found
    };
    let all = keys(&mut source, KeyRange::default());
    assert_eq!(all.len(), 11);
    assert!(all.is_sorted());
    for (i, cut) in all.iter().enumerate() {
        let below = keys(&mut source, KeyRange { after: None, upto: Some(cut.clone()) });
        let above = keys(&mut source, KeyRange { after: Some(cut.clone()), upto: None });
        assert!(below == all[..=i] && above == all[i + 1..], "cut {i}");
        let one = KeyRange { after: i.checked_sub(1).map(|p| all[p].clone()), upto: Some(cut.clone()) };
        assert!(keys(&mut source, one) == all[i..=i]);
    }
}

#[test]
fn a_snapshot_does_not_move_and_its_tables_cannot_be_changed_under_it() {
    let Some(server) = mariadb() else { return };
    let database = server.database("snapshot");
    database.sql("create table t (id int primary key, a varchar(9)); insert into t values (1, 'x')");
    let plan = plan_of(&database, &[every("t", &[])]);
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    database.sql("insert into t values (2, 'y')");
    let count = source.count(&plan.tables()[0]).unwrap();
    assert_eq!((count.available, count.asked), (Some(1), 1));
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 1);
    let alter = "set lock_wait_timeout=1; alter table t add column b int";
    let refused = database.try_sql(alter).unwrap_err();
    assert!(refused.contains("1205"), "{refused}");
    source.close().unwrap();
    database.sql(alter);
    // and a read-only transaction is one
    source.open(&plan, false).unwrap();
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 2);
}

#[test]
fn a_read_that_is_stopped_leaves_a_connection_that_works() {
    let Some(server) = mariadb() else { return };
    let database = server.database("stopped");
    database.sql("create table t (id int primary key, a varchar(60)); insert into t select seq, repeat('x', 60) from seq_1_to_300000");
    let plan = plan_of(&database, &[every("t", &[])]);
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    let stop = || ecluse_batch::Batch::new(&[Type::Int], vec![], 1).unwrap_err();
    let fault =
        source.read(&plan.tables()[0], &plan, &KeyRange::default(), &mut |_| Err(stop())).unwrap_err();
    assert_eq!(fault, stop());
    assert_eq!(source.count(&plan.tables()[0]).unwrap().asked, 300_000, "in the same snapshot");
    assert_eq!(rows(&read_all(&mut source, &plan, 0)), 300_000);
}

// -- the wall of views -------------------------------------------------------------------

const CANARIES: &str = "
create table pat (id int primary key, name varchar(20), born date, secret varchar(20)) collate utf8mb4_unicode_ci;
create table res (id int primary key, pat int, v varchar(20));
create table staff (id int primary key, hash varchar(20));
insert into pat values (1, 'Morel', '1980-01-01', 'CANARY-COLUMN'), (2, 'CANARY-ROW', '1930-01-01', 'CANARY-COLUMN'), (3, 'Durand', '1990-05-05', 'CANARY-COLUMN');
insert into res values (10, 1, 'neg'), (11, 2, 'CANARY-CHILD'), (12, 3, 'pos');
insert into staff values (1, 'CANARY-TABLE');
create procedure tell() sql security definer select hash from staff;";

/// The wall built by the script that `ecluse grants` prints: the plan, and a connection of its account.
struct Wall {
    plan: Plan,
    database: MariadbDatabase,
    account: String,
    password: tempfile::NamedTempFile,
    remove: String,
}

impl Wall {
    fn build(server: &Mariadb) -> Self {
        let database = server.database("wall");
        database.sql(CANARIES);
        let unique = database.name().to_owned();
        let space = format!("ecluse_{unique}");
        let young = Filter::Compare { column: 2, op: Comparison::Ge, value: Value::Date(3_652) };
        let theirs = Filter::Chosen { column: 1, table: 0, other: 0 };
        let plan = plan_of(
            &database,
            &[
                Wanted {
                    table: "pat",
                    columns: &["id", "name", "born"],
                    filter: young,
                    view: Some(format!("{space}.pat")),
                },
                Wanted { table: "res", columns: &[], filter: theirs, view: Some(format!("{space}.res")) },
            ],
        );
        let account = format!("e_{unique}");
        let account: String = account.chars().take(60).collect();
        let grants = grants(&plan, &account, "127.0.0.1", database.name()).unwrap();
        server.sql("", &grants.give);
        server.sql(
            "",
            &format!("alter user `{account}`@`127.0.0.1` identified by 'wall-{unique}' account unlock"),
        );
        let mut password = tempfile::NamedTempFile::new().unwrap();
        write!(password, "wall-{unique}").unwrap();
        Self { plan, database, account, password, remove: grants.take }
    }

    fn source(&self) -> Source {
        connect_as(&self.database, &self.account, self.password.path())
    }

    fn run(&self, sql: &str) -> Result<String, String> {
        let password = format!("wall-{}", self.database.name());
        self.database.server().sql_as(&self.account, &password, self.database.name(), sql)
    }
}

impl Drop for Wall {
    fn drop(&mut self) {
        self.database.server().sql("", &self.remove);
    }
}

fn texts(batches: &[Batch]) -> String {
    let mut all = String::new();
    for batch in batches {
        for column in batch.columns() {
            for row in 0..batch.rows() {
                if let Some(text) = column.as_any().downcast_ref::<StringArray>() {
                    all.push_str(text.value(row));
                }
            }
        }
    }
    all
}

// With the wall off (the administrator's own account, below) every canary comes out.
#[test]
fn the_account_of_the_script_reads_the_views_and_nothing_else() {
    let Some(server) = mariadb() else { return };
    let wall = Wall::build(&server);
    let mut source = wall.source();
    assert_eq!(source.excess(&wall.plan).unwrap(), []);
    let opened = source.open(&wall.plan, false).unwrap();
    assert!(opened.barrier.starts_with("one view per instructed table"), "{}", opened.barrier);
    let mut all = Vec::new();
    for number in [0, 1] {
        let count = source.count(&wall.plan.tables()[number]).unwrap();
        assert_eq!((count.available, count.asked), (None, 2));
        all.extend(read_all(&mut source, &wall.plan, number));
    }
    assert_eq!(rows(&all), 4);
    assert!(!texts(&all).contains("CANARY"));
    // whatever else it asks for, the server refuses
    let space = format!("ecluse_{}", wall.database.name());
    for sql in [
        "select * from pat".to_owned(),
        "select secret from pat".to_owned(),
        "select id from res".to_owned(),
        "select * from staff".to_owned(),
        "call tell()".to_owned(),
        format!("select secret from {space}.pat"),
        format!("update {space}.pat set name = 'x'"),
        format!("delete from {space}.pat"),
        format!("create table {space}.t (a int)"),
        format!("show create view {space}.pat"),
        "load data infile '/etc/passwd' into table staff".to_owned(),
    ] {
        let answer = wall.run(&sql);
        assert!(answer.is_err(), "{sql}: {answer:?}");
    }
    for sql in [format!("select * from {space}.pat"), format!("select * from {space}.res")] {
        assert!(!wall.run(&sql).unwrap().contains("CANARY"), "{sql}");
    }
    let tables = wall
        .run("select table_name from information_schema.tables where table_schema = database() order by 1")
        .unwrap();
    assert_eq!(tables.lines().collect::<Vec<_>>(), ["pat", "res"]);
    // the wall off
    let open = wall.database.sql("select * from pat; select * from res; select * from staff; call tell()");
    assert_eq!(open.matches("CANARY").count(), 7);
}

// proves: EXT-04
// A right that the probe does not name would leave its list empty: each is granted, named, taken away.
#[test]
fn an_account_that_can_do_more_is_found_out_right_by_right() {
    let Some(server) = mariadb() else { return };
    let wall = Wall::build(&server);
    let (database, account) = (wall.database.name(), format!("`{}`@`127.0.0.1`", wall.account));
    let space = format!("ecluse_{database}");
    let role = format!("r_{database}");
    for (grant, named) in [
        (format!("select on {database}.staff to {account}"), "can read"),
        (format!("select (secret) on {database}.pat to {account}"), "can read"),
        (format!("references on {database}.staff to {account}"), "can see the structure of"),
        (format!("insert on {database}.staff to {account}"), "can insert into"),
        (format!("update on {space}.pat to {account}"), "can update"),
        (format!("delete on {space}.pat to {account}"), "has DELETE on"),
        (format!("trigger on {database}.pat to {account}"), "has TRIGGER on"),
        (format!("show view on {space}.pat to {account}"), "has SHOW VIEW on"),
        (format!("select on {database}.* to {account}"), "on the whole database"),
        (format!("lock tables on {database}.* to {account}"), "on the whole database"),
        (format!("file on *.* to {account}"), "has FILE on the whole server"),
        (format!("super on *.* to {account}"), "has SUPER on the whole server"),
        (format!("process on *.* to {account}"), "has PROCESS on the whole server"),
        (format!("replication slave on *.* to {account}"), "has REPLICATION SLAVE on the whole server"),
        (format!("execute on procedure {database}.tell to {account}"), "can call"),
        (format!("select on {space}.pat to {account} with grant option"), "pass its rights"),
    ] {
        server.sql("", &format!("grant {grant}"));
        let found = wall.source().excess(&wall.plan).unwrap();
        assert!(found.iter().any(|e| e.what.contains(named)), "{grant}: {found:?}");
        // the remedies are what the administrator types, and they are enough
        for excess in found.iter().filter(|e| !e.remedy.is_empty()) {
            server.sql("", &excess.remedy);
        }
        if !wall.source().excess(&wall.plan).unwrap().is_empty() {
            panic!("{grant}: {:?}", wall.source().excess(&wall.plan).unwrap());
        }
    }
    // a role that could be taken, although it is not now
    server.sql(
        "",
        &format!(
            "create role `{role}`; grant select on {database}.staff to `{role}`; grant `{role}` to {account}"
        ),
    );
    let found = wall.source().excess(&wall.plan).unwrap();
    assert!(found.iter().any(|e| e.what.contains("can take the role")), "{found:?}");
    server.sql("", &format!("drop role `{role}`"));
    // what everybody may do
    server.sql("", &format!("grant select on {database}.staff to public"));
    let found = wall.source().excess(&wall.plan).unwrap();
    server.sql("", &format!("revoke select on {database}.staff from public"));
    assert!(found.iter().any(|e| e.what.contains("PUBLIC")), "{found:?}");
    assert_eq!(wall.source().excess(&wall.plan).unwrap(), []);
    // and the administrator's own account is refused for many reasons
    assert!(connect(&wall.database).excess(&wall.plan).unwrap().len() > 20);
}

#[test]
fn a_view_that_shows_more_than_the_plan_is_refused_before_a_row() {
    let Some(server) = mariadb() else { return };
    let wall = Wall::build(&server);
    let (space, database) = (format!("ecluse_{}", wall.database.name()), wall.database.name());
    server.sql(
        "",
        &format!("create or replace view {space}.pat as select id, name, born, secret from {database}.pat"),
    );
    let mut source = wall.source();
    assert_eq!(source.open(&wall.plan, false).unwrap_err().code().id, "ECL-SRC-209");
    assert!(source.excess(&wall.plan).unwrap().iter().any(|e| e.what.contains("can read")));
    // a view that is gone
    server.sql("", &format!("drop view {space}.pat"));
    assert_eq!(source.open(&wall.plan, false).unwrap_err().code().id, "ECL-SRC-209");
}

#[test]
fn what_a_least_account_sees_of_the_schema_is_what_the_administrator_signs() {
    let Some(server) = mariadb() else { return };
    let wall = Wall::build(&server);
    wall.database.sql("create trigger tr before insert on pat for each row set new.name = 'x'; alter table pat add column g int as (id + 1) stored, add unique key (name), add check (id > 0)");
    let names = ["pat".to_owned(), "res".to_owned()];
    let by_admin = connect(&wall.database).catalog(Scope::Tables(&names)).unwrap();
    let by_account = wall.source().catalog(Scope::Tables(&names)).unwrap();
    let digest = |c: &ecluse_core::catalog::Catalog| ecluse_core::digest::of_schema(c, &names);
    assert_eq!(digest(&by_admin), digest(&by_account));
    assert_eq!(by_admin.identity, by_account.identity);
    assert_eq!(by_account.table("pat").unwrap().columns.len(), 5);
    assert_eq!(by_admin.table("pat").unwrap().uniques, by_account.table("pat").unwrap().uniques);
    assert_eq!(by_account.table("staff"), None);
    // and every covered change changes it
    for change in [
        "alter table pat modify name varchar(21)",
        "alter table pat modify name varchar(21) collate utf8mb4_bin",
        "alter table pat drop column g",
        "alter table res engine=myisam",
    ] {
        let before = digest(&wall.source().catalog(Scope::Tables(&names)).unwrap());
        wall.database.sql(change);
        assert_ne!(digest(&wall.source().catalog(Scope::Tables(&names)).unwrap()), before, "{change}");
    }
}

#[test]
fn errors_name_the_place_and_never_a_value_or_the_servers_text() {
    let Some(server) = mariadb() else { return };
    let wall = Wall::build(&server);
    let mut wrong = tempfile::NamedTempFile::new().unwrap();
    write!(wrong, "CANARY-PASSWORD").unwrap();
    let url = format!("{}?password-file={}", wall.database.url_as(&wall.account), wrong.path().display());
    let Url::Server(address) = Url::parse(&url).unwrap() else { panic!() };
    let fault = Source::connect(&address).err().unwrap();
    assert_eq!(fault.code().id, "ECL-SRC-202");
    assert!(
        !format!("{fault:?}").contains(&wall.account) && !format!("{fault:?}").contains("CANARY"),
        "{fault}"
    );
    // a table the account may not read, named by a plan without a view
    let mut staff = fields(
        0,
        connect(&wall.database).catalog(Scope::Everything).unwrap().table("staff").unwrap(),
        &every("staff", &[]),
    );
    staff.view = None;
    let plan = ecluse_core::plan::assertion::plan(vec![ecluse_core::plan::assertion::table(staff)]);
    let fault = wall.source().open(&plan, false).unwrap_err();
    assert_eq!(fault.code().id, "ECL-SRC-205");
    assert!(fault.detail().starts_with("staff (errno 1142"), "{fault}");
    let nobody = Url::parse("mariadb://a@127.0.0.1:1/x").unwrap();
    let Url::Server(nobody) = nobody else { panic!() };
    assert_eq!(Source::connect(&nobody).err().unwrap().code().id, "ECL-SRC-201");
}

#[test]
fn the_servers_own_log_names_the_views_and_the_planned_columns_only() {
    let Some(server) = mariadb() else { return };
    let wall = Wall::build(&server);
    let mut source = wall.source();
    source.open(&wall.plan, false).unwrap();
    for number in [0, 1] {
        source.count(&wall.plan.tables()[number]).unwrap();
        read_all(&mut source, &wall.plan, number);
    }
    let space = format!("ecluse_{}", wall.database.name());
    let ours: Vec<String> = wall
        .database
        .statements()
        .into_iter()
        .map(|s| s.text)
        .filter(|text| text.contains(&format!("FROM `{space}`")) && !text.contains("CREATE"))
        .collect();
    assert!(ours.iter().any(|s| s.contains("SELECT `id`, `name`, `born` FROM")), "{ours:?}");
    for text in ours {
        assert!(!text.contains("secret") && !text.contains("staff"), "{text}");
        assert!(!text.contains("SELECT *"), "{text}");
    }
}

// Guard off: the account demands TLS, so without it there is no connection at all (second part).
#[test]
fn tls_is_spoken_where_a_certificate_is_named_and_the_wrong_one_is_refused() {
    let Some(server) = mariadb() else { return };
    if !server.authority().exists() {
        return;
    }
    let database = server.database("tls");
    let account = format!("tls_{}", database.name());
    server.sql("", &format!("create user `{account}`@`127.0.0.1` identified by 'only-over-tls' require ssl; grant all on {}.* to `{account}`@`127.0.0.1`", database.name()));
    let mut password = tempfile::NamedTempFile::new().unwrap();
    write!(password, "only-over-tls").unwrap();
    let reach = |option: &str| {
        let url =
            format!("{}?password-file={}{option}", database.url_as(&account), password.path().display());
        let Url::Server(address) = Url::parse(&url).unwrap() else { panic!("not a server") };
        Source::connect(&address)
    };
    let right = format!("&ca={}", server.authority().display());
    let mut source = reach(&right).unwrap();
    assert!(source.identity().unwrap().ends_with(database.name()));
    assert_eq!(reach("").err().unwrap().code().id, "ECL-SRC-202", "in clear the server refuses it");
    // an authority that did not sign the server's certificate
    let other = tempfile::tempdir().unwrap();
    assert!(ecluse_testkit::certificates::make(
        &ecluse_testkit::tools::Tools::installed(),
        &other.path().join("tls")
    ));
    let wrong = format!("&ca={}", other.path().join("tls/ca.pem").display());
    assert_eq!(reach(&wrong).err().unwrap().code().id, "ECL-SRC-201");
    let pin = format!("&spki=sha256:{}", "00".repeat(32));
    assert_eq!(reach(&pin).err().unwrap().code().id, "ECL-SRC-212");
    server.sql("", &format!("drop user `{account}`@`127.0.0.1`"));
}

// -- LabBook ------------------------------------------------------------------------------

fn labbook(server: &Mariadb) -> Option<MariadbDatabase> {
    let folder = ecluse_testkit::outside_data("labbook")?;
    let database = server.database("labbook");
    for file in ["sigl-schema.sql.gz", "sigl-filled.sql.gz"] {
        let zcat = std::process::Command::new("zcat").arg(folder.join(file)).output().unwrap();
        assert!(zcat.status.success());
        let script = String::from_utf8_lossy(&zcat.stdout);
        // the dump names its database; this test has one of its own
        let script: String = script
            .lines()
            .filter(|l| !l.starts_with("CREATE DATABASE") && !l.starts_with("USE "))
            .map(|l| format!("{}\n", l.replace(" USE SIGL;", "")))
            .collect();
        database.sql(&format!("set foreign_key_checks=0;\n{script}"));
    }
    Some(database)
}

#[test]
fn labbook_is_read_whole_with_counts_equal_to_the_servers() {
    let Some(server) = mariadb() else { return };
    let Some(database) = labbook(&server) else { return };
    let mut source = connect(&database);
    let catalog = source.catalog(Scope::Everything).unwrap();
    assert_eq!(catalog.tables.len(), 107);
    let refused: Vec<String> = catalog
        .tables
        .iter()
        .flat_map(|t| {
            t.columns
                .iter()
                .filter(|c| c.ty.is_none())
                .map(|c| format!("{}.{} {}", t.name, c.name, c.sql_type))
        })
        .collect();
    assert_eq!(refused, Vec::<String>::new(), "every type LabBook has is understood");
    let wanted: Vec<Wanted<'_>> = catalog.tables.iter().map(|t| every(&t.name, &[])).collect();
    let plan = planned(&catalog, &wanted);
    source.open(&plan, false).unwrap();
    let (mut total, mut zero_dates) = (0, 0);
    for (number, table) in plan.tables().iter().enumerate() {
        let name = table.source();
        let batches = read_all(&mut source, &plan, number);
        // every column, by a sum the server makes itself; a zero date counts as unreadable
        let mut sums = vec!["count(*)".to_owned()];
        let mut ours = vec![rows(&batches).to_string()];
        for (place, column) in table.read().iter().enumerate() {
            let arrays = || batches.iter().map(|b| &b.columns()[place]);
            let c = format!("`{}`", column.name);
            let (sum, own) = match column.ty {
                Type::Int => {
                    let values = arrays()
                        .flat_map(|a| a.as_any().downcast_ref::<Int64Array>().unwrap().iter().flatten());
                    (format!("coalesce(sum({c}), 0)"), values.map(i128::from).sum::<i128>().to_string())
                }
                Type::Text => {
                    let values = arrays()
                        .flat_map(|a| a.as_any().downcast_ref::<StringArray>().unwrap().iter().flatten());
                    let bytes: usize = values.map(str::len).sum();
                    (format!("coalesce(sum(length(convert({c} using utf8mb4))), 0)"), bytes.to_string())
                }
                Type::Date | Type::Timestamp => {
                    let present: usize = arrays().map(|a| a.len() - a.null_count()).sum();
                    (format!("coalesce(sum({c} > '0001-01-01'), 0)"), present.to_string())
                }
                _ => (
                    format!("count({c})"),
                    arrays().map(|a| a.len() - a.null_count()).sum::<usize>().to_string(),
                ),
            };
            sums.push(sum);
            ours.push(own);
        }
        let told = database.sql(&format!("select {} from `{name}`", sums.join(", ")));
        assert_eq!(ours, told.trim().split('\t').collect::<Vec<_>>(), "{name}");
        total += rows(&batches);
        for unreadable in batches.iter().flat_map(|b| b.unreadable()) {
            assert_eq!(unreadable.code.id, "ECL-SRC-004", "{name}");
            zero_dates += 1;
        }
    }
    // LabBook's own accounts table holds them: three columns of ten accounts
    assert_eq!(zero_dates, 30);
    assert!(total > 100_000, "{total} rows");
}

// -- memory -------------------------------------------------------------------------------

/// The process's peak of resident memory so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Run alone, by the test below, in a process of its own: the peak is the process's.
#[test]
#[ignore = "run in a process of its own by memory_does_not_grow_with_the_table"]
fn memory_of_one_read() {
    let Some(server) = mariadb() else { return };
    let database = server.database("memory");
    let count = 400_000_u64;
    database.sql(&format!("create table t (id int primary key, a varchar(200)); insert into t select seq, repeat('x', 200) from seq_1_to_{count}"));
    let plan = plan_of(&database, &[every("t", &[])]);
    let mut source = connect(&database);
    source.open(&plan, false).unwrap();
    let before = peak();
    let mut read = 0;
    source
        .read(&plan.tables()[0], &plan, &KeyRange::default(), &mut |batch| {
            read += u64::try_from(batch.rows()).unwrap();
            Ok(())
        })
        .unwrap();
    assert_eq!(read, count);
    // 200 bytes a row: the table alone is 80 MB, the client must not hold it
    let grown = peak() - before;
    assert!(grown < 24 * 1024, "{grown} KiB more for {} MB of rows", count * 200 / 1_000_000);
}

// Held whole (the guard off), 400,000 rows of 200 bytes grow the process by more than 80 MB.
#[test]
fn memory_does_not_grow_with_the_table() {
    if mariadb().is_none() {
        return;
    }
    let alone = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "mariadb::memory_of_one_read", "--test-threads=1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&alone.stdout);
    assert!(alone.status.success() && said.contains("1 passed"), "{said}");
}
