//! The wall that the script builds: what its account reads, sees and can do.

use std::io::Write as _;

use crate::common::{Wanted, read_all, rows};
use arrow_array::StringArray;
use ecluse_adapters::mariadb::{Source, grants};
use ecluse_batch::Batch;
use ecluse_core::filter::{Comparison, Filter};
use ecluse_core::plan::Plan;
use ecluse_core::value::Value;
use ecluse_flow::ports::{Scope, Source as _};
use ecluse_testkit::server::{Mariadb, MariadbDatabase, mariadb};

use super::{connect, connect_as, plan_of};

const CANARIES: &str = "
create table pat (id int primary key, name varchar(20), born date, secret varchar(20)) collate utf8mb4_unicode_ci;
create table res (id int primary key, pat int, v varchar(20));
create table staff (id int primary key, hash varchar(20));
insert into pat values (1, 'Morel', '1980-01-01', 'CANARY-COLUMN'), (2, 'CANARY-ROW', '1930-01-01', 'CANARY-COLUMN'), (3, 'Durand', '1990-05-05', 'CANARY-COLUMN');
insert into res values (10, 1, 'neg'), (11, 2, 'CANARY-CHILD'), (12, 3, 'pos');
insert into staff values (1, 'CANARY-TABLE');
create view theirs as select hash from staff;
create procedure tell() sql security definer select hash from staff;";

/// The wall built by the script that `ecluse grants` prints: the plan, and a connection of its account.
pub(super) struct Wall {
    pub(super) plan: Plan,
    pub(super) database: MariadbDatabase,
    pub(super) account: String,
    password: tempfile::NamedTempFile,
    remove: String,
}

impl Wall {
    pub(super) fn build(server: &Mariadb) -> Self {
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

    pub(super) fn source(&self) -> Source {
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
        "show create view theirs".to_owned(),
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
        (format!("show view on {database}.staff to {account}"), "has SHOW VIEW on"),
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
