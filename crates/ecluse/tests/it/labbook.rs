//! LabBook, a real laboratory system, MariaDB to PostgreSQL under a signed order: the papers of
//! `docs/labbook`, the administrator's views, two deaths on the way, reconciled, reported.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use ecluse_core::dictionary;
use ecluse_core::types::Engine;
use ecluse_testkit::kill::VARIABLE;
use ecluse_testkit::migration::End;
use ecluse_testkit::papers::{Paper, Papers};
use ecluse_testkit::server::{self, Mariadb, PostgresDatabase};
use jiff::Timestamp;

use crate::{ecluse, program, succeed};

const PAPERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/labbook");
const PASSWORD: &str = "an invented password";

/// The outside data, or `None` after saying so.
#[expect(clippy::disallowed_methods, reason = "tests find the outside data through this variable")]
fn data() -> Option<std::path::PathBuf> {
    let found =
        std::env::var_os("ECLUSE_TEST_DATA").map(|d| Path::new(&d).join("labbook")).filter(|d| d.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED: ECLUSE_TEST_DATA does not name a folder with labbook/");
    }
    found
}

fn load(maria: &Mariadb, data: &Path) {
    for (prelude, file) in [("set foreign_key_checks=0;", "sigl-schema.sql.gz"), ("", "sigl-filled.sql.gz")] {
        let script = format!("(echo '{prelude}'; zcat {})", data.join(file).display());
        let mut sql = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
        let status = maria.client("mysql").stdin(sql.stdout.take().unwrap()).status().unwrap();
        assert!(status.success() && sql.wait().unwrap().success(), "{file}");
    }
}

fn doc(name: &str) -> String {
    std::fs::read_to_string(Path::new(PAPERS).join(name)).unwrap()
}

/// The migration folder, signed and in force.
fn folder(at: &Path, maria: &Mariadb, destination: &PostgresDatabase) {
    let to = End::postgres(destination, "postgres");
    let mut papers = Papers::new(Timestamp::now());
    papers.mandate = (Engine::Mariadb, "SIGL".to_owned());
    papers.codes = vec![("sex.toml".to_owned(), doc("codes/sex.toml"))];
    papers.mapping = doc("mapping.toml");
    papers.instruction = doc("instruction.toml")
        .replace("{source.identity}", maria.sql("mysql", "select @@server_uid").trim())
        .replace("{destination.identity}", &to.identity())
        .replace("{destination.database}", destination.name())
        .replace("{source.schema}", &format!("sha256:{}", "0".repeat(64)));
    papers.write(at);
    let socket = maria.socket().display().to_string();
    let connections = format!(
        "[source]\nurl = \"mariadb://root@/SIGL?socket={socket}\"\n\n[destination]\nurl = \"{}\"\n",
        to.url()
    );
    std::fs::write(at.join("connections.toml"), connections).unwrap();
    std::fs::remove_file(at.join("dictionary.toml")).unwrap();
    succeed(at, &["survey"]);
    papers.dictionary = std::fs::read_to_string(at.join("dictionary.toml")).unwrap();
    let surveyed = dictionary::parse(&papers.dictionary).unwrap();
    let tables: Vec<String> = papers
        .instruction
        .lines()
        .filter_map(|l| l.strip_prefix("name  = \"")?.strip_suffix('"').map(str::to_owned))
        .collect();
    papers.instruction =
        papers.instruction.replace(&format!("sha256:{}", "0".repeat(64)), &surveyed.schema(&tables));
    papers.write(at);
    assert!(papers.text(Paper::Instruction).contains("sigl_09_data"));
    std::fs::copy(at.join("keys/petit.age"), at.join("keys/operator.age")).unwrap();
}

// proves: CTR-10, INS-01, INS-02, INS-04, EXT-04, REC-01, REC-03
#[test]
fn labbook_moves_under_a_signed_order_killed_twice_reconciled_and_reported() {
    let (Some(data), Some(maria), Some(postgres)) = (data(), server::mariadb(), server::postgres()) else {
        return;
    };
    load(&maria, &data);
    let destination = postgres.database("labbook");
    destination.sql(&doc("destination.sql"));
    let here = tempfile::tempdir().unwrap();
    let at = here.path();
    folder(at, &maria, &destination);

    // the administrator reads the script, runs it, and sets the account's password
    maria.sql("mysql", &succeed(at, &["grants", "--role", "tilleuls_ro"]));
    maria
        .sql("mysql", &format!("ALTER USER tilleuls_ro@localhost IDENTIFIED BY '{PASSWORD}' ACCOUNT UNLOCK"));
    let secret = at.join("secret");
    std::fs::write(&secret, PASSWORD).unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let from = format!(
        "mariadb://tilleuls_ro@/SIGL?socket={}&password-file={}",
        maria.socket().display(),
        secret.display()
    );

    // dies before the second commit, then after the fourth; the third start goes on
    for death in ["postgres.chunk.commit.before:2", "postgres.chunk.commit.after:4"] {
        let killed = Command::new(program())
            .current_dir(at)
            .args(["migrate", "--from", &from])
            .env(VARIABLE, death)
            .output()
            .unwrap();
        assert_eq!(killed.status.signal(), Some(9), "{death}: {}", String::from_utf8_lossy(&killed.stderr));
    }
    succeed(at, &["migrate", "--from", &from]);
    let found = succeed(at, &["reconcile", "--from", &from]);
    assert!(found.contains("every one is as the order"), "{found}");
    succeed(at, &["report"]);

    let chosen = "from sigl_02_data where rec_date_receipt >= '2015-01-01' and statut = 256";
    let pairs = [
        ("request", format!("select count(*) {chosen}")),
        (
            "patient",
            format!("select count(*) from sigl_03_data where id_data in (select id_patient {chosen})"),
        ),
        ("specimen", format!("select count(*) from sigl_01_data where id_dos in (select id_data {chosen})")),
        (
            "result",
            format!(
                "select count(*) from sigl_09_data where id_analyse in (select id_data from sigl_04_data \
                 where id_dos in (select id_data {chosen}))"
            ),
        ),
    ];
    for (table, sql) in pairs {
        let moved = destination.sql(&format!("select count(*) from {table}"));
        assert_eq!(moved.trim(), maria.sql("SIGL", &sql).trim(), "{table}");
        assert_ne!(moved.trim(), "0", "{table}");
    }

    // a swap of two patients' requests is found and named, and ends non-zero
    destination.sql(
        "with two as (select min(id) a, max(id) b from request) update request set patient_id = \
         (select patient_id from request r where r.id = case when request.id = two.a then two.b else two.a end) \
         from two where request.id in (two.a, two.b)",
    );
    let output = ecluse(at, &["reconcile", "--from", &from]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ECL-REC-003"), "{output:?}");
    succeed(at, &["migrate", "--repair", "--from", &from]);
    succeed(at, &["reconcile", "--from", &from]);
}
