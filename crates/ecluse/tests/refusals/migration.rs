//! A migration to SQLite of three patients and their results, ready to run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use ecluse_adapters::url::Url;
use ecluse_adapters::{mariadb, postgres, sqlite};
use ecluse_core::catalog::Catalog;
use ecluse_core::{dictionary, instruction, mapping};
use ecluse_flow::ports::{Destination as _, Scope, Source as _};
use ecluse_testkit::papers::{Paper, Papers};
use ecluse_testkit::server::{self, MariadbDatabase, PostgresDatabase};
use jiff::Timestamp;
use tempfile::TempDir;

/// A folder, its papers (already written, in force), its databases.
pub(crate) struct Migration<D = PostgresDatabase> {
    pub papers: Papers,
    pub source: D,
    /// Added to the source's URL.
    pub options: String,
    /// Added to the command.
    pub arguments: Vec<&'static str>,
    /// What stands in the source's password file; the account's own where absent.
    pub password: Option<&'static str>,
    /// The environment, beside the test's own.
    pub environment: Vec<(&'static str, String)>,
    folder: TempDir,
}

/// A database on a server that logs every statement.
pub(crate) trait Legacy {
    fn engine(&self) -> &'static str;
    fn name(&self) -> &str;
    fn run(&self, script: &str);
    /// The administrator's URL, without the place of a password.
    fn url(&self) -> String;
    fn password(&self) -> String;
    /// The catalogue and the identity.
    fn survey(&self, url: &str) -> (Catalog, String);
    /// Every statement the server logged since the database was made.
    fn logged(&self) -> Vec<String>;
}

fn at(url: &str) -> ecluse_adapters::url::Server {
    match Url::parse(url).unwrap() {
        Url::Server(server) => server,
        _ => panic!("no server"),
    }
}

impl Legacy for PostgresDatabase {
    fn engine(&self) -> &'static str {
        "postgresql"
    }

    fn name(&self) -> &str {
        self.name()
    }

    fn run(&self, script: &str) {
        self.sql(script);
    }

    fn url(&self) -> String {
        self.url()
    }

    fn password(&self) -> String {
        self.server().password()
    }

    fn survey(&self, url: &str) -> (Catalog, String) {
        let mut source = postgres::Source::connect(&at(url)).unwrap();
        (source.catalog(Scope::Everything).unwrap(), source.identity().unwrap())
    }

    fn logged(&self) -> Vec<String> {
        self.statements().into_iter().map(|s| s.text).collect()
    }
}

impl Legacy for MariadbDatabase {
    fn engine(&self) -> &'static str {
        "mariadb"
    }

    fn name(&self) -> &str {
        self.name()
    }

    fn run(&self, script: &str) {
        self.sql(script);
    }

    fn url(&self) -> String {
        self.url()
    }

    fn password(&self) -> String {
        self.server().password()
    }

    fn survey(&self, url: &str) -> (Catalog, String) {
        let mut source = mariadb::Source::connect(&at(url)).unwrap();
        (source.catalog(Scope::Everything).unwrap(), source.identity().unwrap())
    }

    fn logged(&self) -> Vec<String> {
        self.statements().into_iter().map(|s| s.text).collect()
    }
}

/// What the binary answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub code: Option<i32>,
    pub text: String,
}

impl Answer {
    pub(crate) fn of(output: Output) -> Self {
        let mut text = String::from_utf8(output.stdout).unwrap();
        text.push_str(std::str::from_utf8(&output.stderr).unwrap());
        Self { code: output.status.code(), text }
    }
}

const SCHEMA: &str = "
    create table patient (id int primary key, nom text not null, naissance date);
    create table resultat (id int primary key, patient_id int not null references patient (id), valeur text);
    insert into patient values (1, 'Fontenelle', '1950-01-01'), (2, 'Sauvageot', '1961-05-12'), (3, 'Petitjean', null);
    insert into resultat values (10, 1, '5.1'), (11, 2, '6'), (12, 3, null), (13, 1, '4.9');
";

const DESTINATION: &str = "
    create table patient (id integer primary key, nom text not null, naissance date);
    create table resultat (id integer primary key, patient_id integer not null, valeur text);
";

const TABLES: &str = "
[erasure]
copies = 2999-12-31

[stays]
result    = \"return\"
technical = \"return\"

[[table]]
name = \"patient\"
columns = [\"id\", \"nom\", \"naissance\"]
rows = 'true'

[[table]]
name = \"resultat\"
columns = [\"id\", \"patient_id\", \"valeur\"]
rows = 'patient_id in chosen.patient'
";

impl Migration {
    /// Papers in force now, over PostgreSQL; `None` (said loudly) where there is none.
    pub(crate) fn new(hint: &str) -> Option<Self> {
        Some(Self::over(server::postgres()?.database(hint), ""))
    }
}

impl Migration<MariadbDatabase> {
    /// The same over MariaDB.
    pub(crate) fn mariadb(hint: &str) -> Option<Self> {
        Self::mariadb_with(hint, "")
    }

    /// The same, the tables changed before they are surveyed.
    pub(crate) fn mariadb_with(hint: &str, change: &str) -> Option<Self> {
        Some(Self::over(server::mariadb()?.database(hint), change))
    }
}

impl<D: Legacy> Migration<D> {
    fn over(source: D, change: &str) -> Self {
        source.run(&format!("{SCHEMA}{change}"));
        let folder = tempfile::tempdir().unwrap();
        let mut papers = Papers::new(now());
        let (catalog, identity) = source.survey(&url(&source, folder.path(), &source.password()));
        papers.dictionary = dictionary::draft(&catalog, now(), &papers.digest(Paper::Mandate));
        let surveyed = dictionary::parse(&papers.dictionary).unwrap();
        let schema = surveyed.schema(&["patient".to_owned(), "resultat".to_owned()]);
        let new = folder.path().join("new.db");
        sqlite::create_from(&new, DESTINATION).unwrap();
        let to = sqlite::Destination::open(&new).unwrap().identity().unwrap();
        papers.instruction = format!(
            "[instruction]\nkind = \"targeted\"\npurpose = \"Reprise\"\ndictionary = \"{{dictionary}}\"\n\
             mapping = \"{{mapping}}\"\nmax_runs = 1\nsuite = \"ecluse-1\"\nstatus_max_age = \"24h\"\n\
             [source]\nengine = \"{}\"\ndatabase = \"{}\"\nidentity = \"{}\"\nschema = \"{schema}\"\n\
             [destination]\nengine = \"sqlite\"\ndatabase = \"main\"\nidentity = \"{to}\"\n{TABLES}",
            source.engine(),
            source.name(),
            identity,
        );
        papers.mapping = mapping::draft(&instruction::parse(&papers.text(Paper::Instruction)).unwrap());
        let (options, arguments, environment) = (String::new(), Vec::new(), Vec::new());
        let migration = Self { papers, source, options, arguments, password: None, environment, folder };
        migration.write();
        migration
    }

    /// Writes the papers anew, after they were changed.
    pub(crate) fn write(&self) {
        for paper in Paper::ALL {
            let _ = std::fs::remove_dir_all(self.path(&format!("{}.sigs", paper.file())));
        }
        self.papers.write(self.folder.path());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `ecluse migrate`, as the operator types it.
    pub(crate) fn migrate(&self) -> Answer {
        self.migrate_into("run")
    }

    /// The same into another run folder.
    pub(crate) fn migrate_into(&self, run: &str) -> Answer {
        Answer::of(self.command(run).output().unwrap())
    }

    /// `ecluse migrate`, running.
    pub(crate) fn start(&self) -> Child {
        self.command("run").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn command(&self, run: &str) -> Command {
        let password = self.password.map_or_else(|| self.source.password(), str::to_owned);
        let from = format!("{}{}", url(&self.source, self.folder.path(), &password), self.options);
        let to = format!("sqlite:{}", self.path("new.db").display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecluse"));
        command
            .arg("-C")
            .arg(self.folder.path())
            .args(["migrate", "--from", &from, "--to", &to, "--run"])
            .arg(self.path(run))
            .arg("--identity")
            .arg(self.path("keys/petit.age"))
            .args(["--without-views", "a test", "--accept-wider-role", "a test"])
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Rows of a table at the destination.
    pub(crate) fn moved(&self, table: &str) -> u64 {
        let to = rusqlite::Connection::open(self.path("new.db")).unwrap();
        to.query_row(&format!("select count(*) from {table}"), [], |row| row.get::<_, i64>(0))
            .unwrap()
            .unsigned_abs()
    }

    /// Statements that asked for rows of a patient's table, whoever sent them, since the fixture.
    pub(crate) fn reads(&self) -> Vec<String> {
        let asks = |text: &str| {
            let text = text.to_lowercase().replace(['"', '`'], "");
            [
                "from public.patient",
                "from public.resultat",
                "from patient",
                "from resultat",
                "copy patient",
                "copy public.",
            ]
            .iter()
            .any(|read| text.contains(read))
        };
        self.source.logged().into_iter().filter(|text| asks(text)).collect()
    }

    /// Refused by this code, with exit 1 and not one row asked for.
    #[track_caller]
    pub(crate) fn is_refused(&self, what: &str, code: &str) {
        let answer = self.migrate();
        assert_eq!(answer.code, Some(1), "{what}: {}", answer.text);
        assert!(answer.text.contains(&format!("ECL-{code}")), "{what}: {}", answer.text);
        assert_eq!(self.reads(), Vec::<String>::new(), "{what}");
    }
}

/// The administrator's URL; the password in a file of our own, which the binary insists on.
fn url(database: &impl Legacy, folder: &Path, password: &str) -> String {
    let file = folder.join("password");
    std::fs::write(&file, password).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    format!("{}?password-file={}", database.url(), file.display())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary reads the machine's clock, so its papers must be of today"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
