//! LabBook loaded, the papers signed, the administrator's script run: ready to migrate.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ecluse_adapters::url::Url;
use ecluse_adapters::{dump, mariadb, postgres};
use ecluse_core::dictionary;
use ecluse_flow::ports::{Destination as _, Scope, Source};
use ecluse_testkit::papers::{Paper, Papers, worked};
use ecluse_testkit::server::{self, Mariadb, MariadbDatabase, PostgresDatabase};
use jiff::Timestamp;
use tempfile::TempDir;

pub(crate) const INSTRUCTION: &str = include_str!("../../../../docs/labbook/instruction.toml");
const MAPPING: &str = include_str!("../../../../docs/labbook/mapping.toml");
const SEX: &str = include_str!("../../../../docs/labbook/codes/sex.toml");
const DESTINATION: &str = include_str!("../../../../docs/labbook/destination.sql");

/// The account that the administrator makes.
const PASSWORD: &str = "only-for-this-test-7c1";

pub(crate) struct Migration {
    pub source: MariadbDatabase,
    pub destination: PostgresDatabase,
    account: String,
    folder: TempDir,
}

/// What the binary answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub code: Option<i32>,
    pub text: String,
}

impl Migration {
    /// `None` (said loudly) where a server or LabBook's data are absent.
    pub(crate) fn new() -> Option<Self> {
        Self::under(DESTINATION, |papers, folder| papers.write(folder))
    }

    /// The same over a destination of these tables, under papers that `write` changes and writes into the folder.
    pub(crate) fn under(tables: &str, write: impl FnOnce(&mut Papers, &Path)) -> Option<Self> {
        let source = labbook(&server::mariadb()?)?;
        let destination = server::postgres()?.database("kalys");
        destination.sql(tables);
        let folder = tempfile::tempdir().unwrap();
        let account = format!("lab{}", source.name().chars().rev().take(12).collect::<String>());
        let migration = Self { source, destination, account, folder };
        std::fs::create_dir(migration.home()).unwrap();
        write(&mut migration.papers(), &migration.home());
        let ends = format!(
            "[source]\nurl = \"{}\"\n\n[destination]\nurl = \"{}\"\n",
            migration.from(),
            migration.to()
        );
        std::fs::write(migration.path("connections.toml"), ends).unwrap();
        migration.grant();
        Some(migration)
    }

    fn papers(&self) -> Papers {
        self.papers_of(&mut mariadb::Source::connect(&server_of(&self.administrator())).unwrap())
    }

    /// From now on the source is a dump: papers over its schema, connections that read a pipe.
    pub(crate) fn becomes_a_dump(&self) {
        let schema = self.path("schema.sql");
        let made = self.source.server().dump(self.source.name(), &["--no-data"]).output().unwrap();
        assert!(made.status.success());
        std::fs::write(&schema, made.stdout).unwrap();
        let url = format!("dump+mariadb:-?database={}&schema={}", self.source.name(), schema.display());
        let Url::Dump(dump) = Url::parse(&url).unwrap() else { panic!("no dump") };
        let mut papers = self.papers_of(&mut dump::Source::new(dump, [7; 32]).unwrap());
        papers.instruction =
            papers.instruction.replacen("\n[destination]", "cannot_deny = true\n\n[destination]", 1);
        papers.write(&self.home());
        let ends = format!("[source]\nurl = \"{url}\"\n\n[destination]\nurl = \"{}\"\n", self.to());
        std::fs::write(self.path("connections.toml"), ends).unwrap();
    }

    /// A command of the operator's, with a dump on its standard input.
    pub(crate) fn piped(&self, arguments: &[&str]) -> Answer {
        let mut dump =
            self.source.server().dump(self.source.name(), &[]).stdout(Stdio::piped()).spawn().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_ecluse"))
            .arg("-C")
            .arg(self.home())
            .args(arguments)
            .arg("--identity")
            .arg(self.path("keys/petit.age"))
            .stdin(dump.stdout.take().unwrap())
            .output()
            .unwrap();
        dump.wait().unwrap();
        let mut text = String::from_utf8(output.stdout).unwrap();
        text.push_str(std::str::from_utf8(&output.stderr).unwrap());
        Answer { code: output.status.code(), text }
    }

    fn papers_of(&self, from: &mut dyn Source) -> Papers {
        let mut papers = Papers::new(now());
        let catalog = from.catalog(Scope::Everything).unwrap();
        papers.dictionary = dictionary::draft(&catalog, now(), &papers.digest(Paper::Mandate));
        let mut to = postgres::Destination::connect(&server_of(&self.to())).unwrap();
        papers.codes = vec![("sex.toml".to_owned(), SEX.to_owned())];
        papers.mapping = MAPPING.to_owned();
        let tables: Vec<String> = INSTRUCTION
            .lines()
            .filter_map(|l| l.strip_prefix("name  = \"")?.strip_suffix('"'))
            .map(str::to_owned)
            .collect();
        assert_eq!(tables.len(), 11);
        papers.instruction = worked(INSTRUCTION, now())
            .replace("\"SIGL\"", &format!("\"{}\"", self.source.name()))
            .replace("{source.identity}", &from.identity().unwrap())
            .replace("{source.schema}", &dictionary::parse(&papers.dictionary).unwrap().schema(&tables))
            .replace("{destination.database}", self.destination.name())
            .replace("{destination.identity}", &to.identity().unwrap());
        papers
    }

    /// Runs the administrator's script, as the administrator would.
    fn grant(&self) {
        let script = self.ecluse(&[
            "grants",
            "--role",
            &self.account,
            "--host",
            "127.0.0.1",
            "--from",
            &self.administrator(),
        ]);
        assert_eq!(script.code, Some(0), "{}", script.text);
        self.source.server().sql("", &script.text);
        let password =
            format!("ALTER USER '{}'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}' ACCOUNT UNLOCK", self.account);
        self.source.server().sql("", &password);
    }

    /// The migration folder; what lies beside it is the test's own.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("lab")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    /// A command of the binary in the migration's folder.
    pub(crate) fn ecluse(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecluse"));
        let output = command.arg("-C").arg(self.home()).args(arguments).output().unwrap();
        let mut text = String::from_utf8(output.stdout).unwrap();
        text.push_str(std::str::from_utf8(&output.stderr).unwrap());
        Answer { code: output.status.code(), text }
    }

    /// `ecluse migrate`, killed as by a power cut once its events have grown by so many lines;
    /// false where it ended before.
    pub(crate) fn killed_after(&self, lines: usize) -> bool {
        let events = || {
            let text = std::fs::read_to_string(self.path("run/events.jsonl")).unwrap_or_default();
            text.lines().count()
        };
        let before = events();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ecluse"))
            .arg("-C")
            .arg(self.home())
            .arg("migrate")
            .arg("--identity")
            .arg(self.path("keys/petit.age"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while events() < before + lines {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        child.kill().unwrap();
        !child.wait().unwrap().success()
    }

    /// A command that needs the operator's identity.
    pub(crate) fn operator(&self, arguments: &[&str]) -> Answer {
        let identity = self.path("keys/petit.age").display().to_string();
        let mut all = arguments.to_vec();
        all.extend(["--identity", &identity]);
        self.ecluse(&all)
    }

    /// The laboratory, with the journal of a dry run before it, states once more that its order stands.
    #[track_caller]
    pub(crate) fn witnessed(&self) {
        let key = self.path("keys/fontaine").display().to_string();
        let said = self.ecluse(&["instruction", "status", "--key", &key]);
        assert_eq!(said.code, Some(0), "{}", said.text);
    }

    /// The least-privilege account's URL.
    pub(crate) fn from(&self) -> String {
        secret(&self.path("lab.password"), PASSWORD);
        format!("{}?password-file={}", self.source.url_as(&self.account), self.path("lab.password").display())
    }

    pub(crate) fn administrator(&self) -> String {
        secret(&self.path("admin.password"), &self.source.server().password());
        format!("{}?password-file={}", self.source.url(), self.path("admin.password").display())
    }

    pub(crate) fn to(&self) -> String {
        secret(&self.path("kalys.password"), &self.destination.server().password());
        format!("{}?password-file={}", self.destination.url(), self.path("kalys.password").display())
    }
}

impl Drop for Migration {
    fn drop(&mut self) {
        let removal = self.ecluse(&[
            "grants",
            "--remove",
            "--role",
            &self.account,
            "--host",
            "127.0.0.1",
            "--from",
            &self.administrator(),
        ]);
        let _ = self.source.server().try_sql("", &removal.text);
    }
}

fn server_of(url: &str) -> ecluse_adapters::url::Server {
    match Url::parse(url).unwrap() {
        Url::Server(server) => server,
        _ => panic!("no server"),
    }
}

fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn labbook(server: &Mariadb) -> Option<MariadbDatabase> {
    let folder = ecluse_testkit::outside_data("labbook")?;
    let database = server.database("labbook");
    for file in ["sigl-schema.sql.gz", "sigl-filled.sql.gz"] {
        let zcat = Command::new("zcat").arg(folder.join(file)).output().unwrap();
        assert!(zcat.status.success());
        // the dump names its database; this test has one of its own
        let script: String = String::from_utf8_lossy(&zcat.stdout)
            .lines()
            .filter(|l| !l.starts_with("CREATE DATABASE") && !l.starts_with("USE "))
            .map(|l| format!("{}\n", l.replace(" USE SIGL;", "")))
            .collect();
        database.sql(&format!("set foreign_key_checks=0;\n{script}"));
    }
    // every validation was filled in by account 100, which the dump does not hold
    database.sql(
        "set sql_mode = ''; insert into sigl_user_data (id_data, id_owner, firstname, lastname, username, password, email, status)
         values (100, 1, 'Élise', 'Vauquelin', 'evauquelin', 'never-moves-4f1c', 'e.vauquelin@labo.example', 'A')",
    );
    Some(database)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary reads the machine's clock, so its papers must be of today"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
