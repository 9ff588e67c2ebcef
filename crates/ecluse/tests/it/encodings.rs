//! UTF-8 that a program kept in `latin1` columns: counted before anything moves, and moved as the UTF-8
//! that it is where the mapping says so, from the live database and from its dump. And zero dates of a
//! folder of CSV files.

use std::fs;
use std::path::Path;

use ecluse_testkit::migration::End;
use ecluse_testkit::server;
use rusqlite::Connection;

use crate::{ecluse, succeed};

/// Names kept so in every row, towns in one of two: `Besançon` was written as latin1.
const TABLE: &str = "
    create table pat (id int primary key, code_nom varchar(20), code_ville varchar(20)) character set latin1;
    insert into pat values (1, _latin1 x'48c3a96cc3a86e65', _latin1 x'4f726cc3a9616e73'), (2, _latin1 x'5a6fc3ab', null),
        (3, 'Paul', _latin1 x'426573616ee76f6e');";
const SAID: &str = "code_nom = { column = \"code_nom\", bytes = \"utf-8\" }";

fn edit(path: &Path, was: &str, is: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(was), "{was} in\n{text}");
    fs::write(path, text.replacen(was, is, 1)).unwrap();
}

/// A trial over these ends, its mapping changed, ready to be planned.
fn trial(here: &Path, name: &str, from: &str, table: &str, changes: &[(&str, &str)]) -> std::path::PathBuf {
    let to = format!("sqlite:{name}.db");
    succeed(here, &["new", name, "--trial", "--from", from, "--to", &to]);
    let lab = here.join(name);
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--grant-proposed", "--table", table]);
    // a trial takes what is to be known of a source that cannot deny
    let order = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    assert_eq!(
        order.contains("\ncannot_deny = true") && order.contains("\nin_clear = true"),
        !from.starts_with("mariadb:")
    );
    for (was, is) in changes {
        edit(&lab.join("mapping.toml"), was, is);
    }
    succeed(&lab, &["instruction", "sign"]);
    lab
}

fn rows(database: &Path, sql: &str) -> Vec<String> {
    let database = Connection::open(database).unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

// proves: EXT-02, REC-03
#[test]
fn utf_8_kept_as_latin1_is_counted_and_arrives_as_the_mapping_says() {
    let Some(server) = server::mariadb() else { return };
    let from = server.database("moji");
    from.sql(TABLE);
    let here = tempfile::tempdir().unwrap();
    let live = End::mariadb(&from);
    let file = |name: &str, more: &[&str]| {
        let made = server.dump(from.name(), more).output().unwrap();
        assert!(made.status.success());
        let path = here.path().join(name);
        fs::write(&path, made.stdout).unwrap();
        path.display().to_string()
    };
    let (schema, rest) = (file("schema.sql", &["--no-data"]), file("rest.sql", &[]));
    let as_latin1 = file("latin1.sql", &["--default-character-set=latin1"]);
    let dump = |path: &str| format!("dump+mariadb:{path}?database={}&schema={schema}", from.name());
    let ends = [("live", live.url().to_owned()), ("utf8", dump(&rest)), ("latin1", dump(&as_latin1))];
    for (name, url) in &ends {
        let plain = trial(here.path(), &format!("{name}0"), url, "pat", &[]);
        let said = succeed(&plain, &["plan"]);
        let (names, towns) = ("pat.code_nom: 2 of 2 values", "pat.code_ville: 1 of 2 values");
        assert!(said.contains(names) && said.contains(towns) && said.contains(SAID), "{name}: {said}");
        assert!(said.contains("Look first at the texts of 2 columns"), "{name}: {said}");

        let change = ("code_nom = \"code_nom\"", SAID);
        let lab = trial(here.path(), name, url, "pat", &[change]);
        let said = succeed(&lab, &["plan"]);
        assert!(!said.contains(names) && said.contains(towns), "{name}: {said}");
        succeed(&lab, &["migrate", "--ddl"]);
        succeed(&lab, &["reconcile"]);
        let pat = "SELECT code_nom || '|' || ifnull(code_ville, '') FROM pat ORDER BY id";
        let there = rows(&here.path().join(format!("{name}.db")), pat);
        assert_eq!(there, ["Hélène|OrlÃ©ans", "Zoë|", "Paul|Besançon"], "{name}");
    }
    // what was encoded wrongly twice is counted again after the one reading
    from.sql("insert into pat values (4, _latin1 x'48c383c2a96cc3a86e65', null), (5, _latin1 x'52656ec383c2a9', null)");
    let lab = trial(here.path(), "twice", live.url(), "pat", &[("code_nom = \"code_nom\"", SAID)]);
    let said = succeed(&lab, &["plan"]);
    assert!(said.contains("pat.code_nom: 1 of 4 values beyond ASCII are encoded wrongly twice"), "{said}");
    assert!(said.contains("nothing reads a text twice"), "{said}");
    from.sql("delete from pat where id > 3");
    // what was written as latin1 is no UTF-8, and nothing is guessed
    let town = ("code_ville = \"code_ville\"", "code_ville = { column = \"code_ville\", bytes = \"utf-8\" }");
    let lab = trial(here.path(), "both", live.url(), "pat", &[town]);
    let said = String::from_utf8(ecluse(&lab, &["plan"]).stdout).unwrap();
    assert!(said.contains("refused      1 ECL-BAT-112"), "{said}");
    assert!(said.contains("Not ready: 1 row would be refused"), "{said}");
}

#[test]
fn a_zero_date_of_a_csv_folder_is_null_where_the_mapping_says_so() {
    let here = tempfile::tempdir().unwrap();
    let files = here.path().join("csv");
    fs::create_dir(&files).unwrap();
    fs::write(
        files.join("lot.csv"),
        "id;code_du;code_vu\n1;0000-00-00;0000-00-00 00:00:00\n2;2024-02-29;2024-02-29 08:30:00\n",
    )
    .unwrap();
    let schema = here.path().join("csv.toml");
    let description = "format = \"ecluse-csv/1\"\ndelimiter = \";\"\nencoding = \"utf-8\"\nnull = \"\\\\N\"\ndecimal = \".\"\n[[table]]\nname = \"lot\"\nkey = [\"id\"]\ncolumns = [\n\
        { name = \"id\", type = \"int\" },\n{ name = \"code_du\", type = \"date\" },\n{ name = \"code_vu\", type = \"timestamp\" },\n]\n";
    fs::write(&schema, description).unwrap();
    let from = End::csv("labo", &files, &schema);
    let lab = trial(here.path(), "plain", from.url(), "lot", &[]);
    let said = String::from_utf8(ecluse(&lab, &["plan"]).stdout).unwrap();
    assert!(said.contains("refused      1 ECL-SRC-008"), "{said}");
    let [day, moment] = ["code_du", "code_vu"].map(|name| {
        (format!("{name} = \"{name}\""), format!("{name} = {{ column = \"{name}\", zero_date = \"null\" }}"))
    });
    let changes = [(day.0.as_str(), day.1.as_str()), (moment.0.as_str(), moment.1.as_str())];
    let lab = trial(here.path(), "said", from.url(), "lot", &changes);
    succeed(&lab, &["migrate", "--ddl"]);
    succeed(&lab, &["reconcile"]);
    let lots = rows(
        &here.path().join("said.db"),
        "SELECT ifnull(code_du, 'NULL') || '|' || ifnull(code_vu, 'NULL') FROM lot ORDER BY id",
    );
    assert_eq!(lots, ["NULL|NULL", "2024-02-29|2024-02-29 08:30:00"]);
}
