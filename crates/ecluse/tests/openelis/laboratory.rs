//! OpenELIS loaded and filled with an invented laboratory, its papers signed, its views made.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ecluse_testkit::migration::{End, Migration};
use ecluse_testkit::papers::{Papers, worked};
use ecluse_testkit::server::{Postgres, PostgresDatabase};
use jiff::Timestamp;

pub(crate) const INSTRUCTION: &str = include_str!("../../../../docs/openelis/instruction.toml");
const MAPPING: &str = include_str!("../../../../docs/openelis/mapping.toml");
const GENDER: &str = include_str!("../../../../docs/openelis/codes/gender.toml");
const LABORATORY: &str = include_str!("laboratory.sql");

/// The program under test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_ecluse"))
}

/// OpenELIS's published schema with the invented laboratory in it; `None` (said loudly) where it is absent.
pub(crate) fn openelis(server: &Postgres) -> Option<PostgresDatabase> {
    let folder = ecluse_testkit::outside_data("openelis")?;
    let database = server.database("openelis");
    let zcat = Command::new("zcat").arg(folder.join("openelis-global-3.5.sql.gz")).output().unwrap();
    assert!(zcat.status.success());
    database.sql(&String::from_utf8(zcat.stdout).unwrap());
    database.sql(LABORATORY);
    Some(database)
}

/// A folder with the worked papers, signed for these two ends.
pub(crate) fn migration(folder: &Path, source: &End, destination: &End) -> Migration {
    let mut papers = Papers::new(now());
    let none = format!("sha256:{}", "0".repeat(64));
    let order = destination.named_in(&source.named_in(&worked(INSTRUCTION, now()), "source"), "destination");
    // the schema's digest is the program's to fill in
    papers.instruction = order.replace("{source.schema}", &none);
    papers.mapping = MAPPING.to_owned();
    papers.codes = vec![("gender.toml".to_owned(), GENDER.to_owned())];
    Migration::under(program(), folder, source, destination, papers)
}

/// `ecluse migrate`, killed as by a power cut once its events have grown by so many lines.
pub(crate) fn killed_after(migration: &Migration, lines: usize) {
    let events = || {
        let text = std::fs::read_to_string(migration.folder().join("run/events.jsonl")).unwrap_or_default();
        text.lines().count()
    };
    let before = events();
    let mut child =
        migration.command(&["migrate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while events() < before + lines {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
}

/// The file of the SQLite destination.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join("kalys.db")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary reads the machine's clock, so its papers must be of today"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
