//! Single precision: a table that `--ddl` makes keeps it, a cast takes the digits that the source shows,
//! and where more digits will be read the plan says so.

use std::fs;
use std::path::Path;

use ecluse_testkit::migration::End;
use ecluse_testkit::server;
use rusqlite::Connection;

use crate::succeed;

const ROWS: &str = "insert into lot values (1, 5.4, 5.4, 655.96), (2, -0.1, 1.10, null);";

fn trial(here: &Path, name: &str, from: &str, to: &str) -> std::path::PathBuf {
    succeed(here, &["new", name, "--trial", "--from", from, "--to", to]);
    let lab = here.join(name);
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--grant-proposed", "--table", "lot"]);
    lab
}

// proves: REC-03
#[test]
fn what_reads_5_4_arrives_as_5_4() {
    let (Some(server), Some(there)) = (server::mariadb(), server::postgres()) else { return };
    let (from, to) = (server.database("single"), there.database("single"));
    from.sql(&format!(
        "create table lot (id int primary key, code_a float, code_b float(5,2), code_c float); {ROWS}"
    ));
    let here = tempfile::tempdir().unwrap();
    let live = End::mariadb(&from);
    let lab = trial(here.path(), "lite", live.url(), "sqlite:new.db");
    Connection::open(here.path().join("new.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE lot (id INTEGER NOT NULL PRIMARY KEY, code_a REAL, code_b DECIMAL(10,2), code_c TEXT)",
        )
        .unwrap();
    let mapping = lab.join("mapping.toml");
    let text = fs::read_to_string(&mapping).unwrap();
    let cast = |text: String, name: &str| {
        let plain = format!("{name} = \"{name}\"");
        assert!(text.contains(&plain), "{text}");
        text.replacen(&plain, &format!("{name} = {{ cast = \"{name}\" }}"), 1)
    };
    fs::write(&mapping, cast(cast(text, "code_b"), "code_c")).unwrap();
    succeed(&lab, &["instruction", "sign"]);
    let said = succeed(&lab, &["plan"]);
    assert!(said.contains("what reads 5.4 will read 5.400000095367432: lot.code_a"), "{said}");
    assert!(!said.contains("lot.code_b") && !said.contains("lot.code_c"), "{said}");
    succeed(&lab, &["migrate"]);
    succeed(&lab, &["reconcile"]);
    let new = Connection::open(here.path().join("new.db")).unwrap();
    let mut lots = new.prepare("SELECT code_a, code_b, code_c FROM lot ORDER BY id").unwrap();
    let lots: Vec<(f64, f64, Option<String>)> =
        lots.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap().map(Result::unwrap).collect();
    assert_eq!(
        lots,
        [(f64::from(5.4_f32), 5.4, Some("655.96".to_owned())), (f64::from(-0.1_f32), 1.1, None)]
    );

    let lab = trial(here.path(), "pg", live.url(), End::postgres(&to, "postgres").url());
    succeed(&lab, &["instruction", "sign"]);
    assert!(!succeed(&lab, &["plan"]).contains("single precision"));
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["reconcile"]);
    let kept = "select concat_ws('|', pg_typeof(code_a), code_a, code_b, code_c) from lot order by id";
    assert_eq!(to.sql(kept).trim(), "real|5.4|5.4|655.96\nreal|-0.1|1.1");
}
