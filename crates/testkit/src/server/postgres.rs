//! The private PostgreSQL: start, access, a database per test, the statement log.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{Purpose, Servers, client, free_port, read_access, unique_name, wait_until, write_access};
use crate::tools::Tools;

/// A running private PostgreSQL. Its superuser is `postgres`: without a password on the
/// unix socket, with the one in [`Postgres::password_file`] on the loopback.
#[derive(Clone, Debug)]
pub struct Postgres {
    folder: PathBuf,
    tools: Tools,
    port: u16,
}

impl Postgres {
    pub(super) fn at(folder: &Path) -> Self {
        let access = read_access(folder);
        let root = access.get("root").filter(|root| !root.is_empty());
        Self {
            folder: folder.to_owned(),
            tools: root.map_or_else(Tools::installed, |root| Tools::unpacked(Path::new(root))),
            port: access.get("port").and_then(|p| p.parse().ok()).expect("a port in the access file"),
        }
    }

    /// The port, on 127.0.0.1 and in the socket's name.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The folder that holds the unix socket.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// A file (mode 0600) with the superuser's password.
    #[must_use]
    pub fn password_file(&self) -> PathBuf {
        self.folder.join("password")
    }

    /// The superuser's password.
    #[must_use]
    pub fn password(&self) -> String {
        std::fs::read_to_string(self.password_file()).expect("the password file").trim().to_owned()
    }

    /// The certificate of the authority that signed the server's own (`localhost`, 127.0.0.1);
    /// absent where `openssl` is.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("tls/ca.pem")
    }

    /// The data folder, for searches in the write-ahead log and the server's own log.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A database of the test's own, dropped at the end.
    #[must_use]
    pub fn database(&self, hint: &str) -> PostgresDatabase {
        self.database_in(hint, "encoding 'UTF8' locale 'C.UTF-8'")
    }

    /// The same in another encoding, as `create database` takes it.
    #[must_use]
    pub fn database_in(&self, hint: &str, encoding: &str) -> PostgresDatabase {
        let name = unique_name(hint);
        self.sql("postgres", &format!("create database {name} template template0 {encoding}"));
        PostgresDatabase { server: self.clone(), name, dropped: true, password: OnceLock::new() }
    }

    /// Runs SQL with the engine's own client as superuser: rows as lines, columns split by
    /// `|`, NULL as nothing. An error of the engine is a panic with its text.
    pub fn sql(&self, database: &str, script: &str) -> String {
        self.try_sql(database, script).unwrap_or_else(|error| panic!("psql: {error}\n{script}"))
    }

    /// The same, the engine's error given back.
    ///
    /// # Errors
    ///
    /// What `psql` wrote to its standard error.
    pub fn try_sql(&self, database: &str, script: &str) -> Result<String, String> {
        client(self.psql(database, "postgres"), script.as_bytes())
    }

    /// The same as another role (through the socket, so without its password).
    ///
    /// # Errors
    ///
    /// What `psql` wrote to its standard error.
    pub fn sql_as(&self, role: &str, database: &str, script: &str) -> Result<String, String> {
        client(self.psql(database, role), script.as_bytes())
    }

    /// `psql`, ready for a script on its standard input: stops at the first error, reads no
    /// start-up file, prints bare rows.
    #[must_use]
    pub fn psql(&self, database: &str, role: &str) -> Command {
        let mut command = self.tools.command("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h"]).arg(&self.folder).args([
            "-p",
            &self.port.to_string(),
            "-U",
            role,
            "-d",
            database,
        ]);
        command
    }

    /// `pg_dump` of a database to its standard output, as the superuser.
    #[must_use]
    pub fn dump(&self, database: &str, more: &[&str]) -> Command {
        let mut command = self.tools.command("pg_dump");
        command.arg("-h").arg(&self.folder).args(["-p", &self.port.to_string(), "-U", "postgres"]);
        command.args(more).arg(database);
        command
    }

    /// Every statement the server logged for this database, oldest first.
    #[must_use]
    pub fn statements(&self, database: &str) -> Vec<LoggedStatement> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.join("log"))
            .expect("the log folder")
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .collect();
        files.sort();
        files
            .iter()
            .flat_map(|path| {
                let bytes = std::fs::read(path).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                text.lines().filter_map(|line| logged(line, database)).collect::<Vec<_>>()
            })
            .collect()
    }
}

/// One line of the statement log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedStatement {
    /// The role that sent it.
    pub role: String,
    /// What it named itself (`application_name`).
    pub application: String,
    /// The statement's text (errors: the message).
    pub text: String,
    /// The values of bound parameters as the server logged them; may be empty.
    pub detail: String,
}

fn logged(line: &str, database: &str) -> Option<LoggedStatement> {
    let entry: serde_json::Value = serde_json::from_str(line).ok()?;
    let field = |name: &str| entry.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    if field("dbname") != database {
        return None;
    }
    let message = field("message");
    let text = message
        .strip_prefix("statement: ")
        .or_else(|| message.strip_prefix("execute ").and_then(|rest| Some(rest.split_once(": ")?.1)))
        .unwrap_or(&message)
        .to_owned();
    Some(LoggedStatement {
        role: field("user"),
        application: field("application_name"),
        text,
        detail: field("detail"),
    })
}

/// One test's database; dropped with this value.
#[derive(Debug)]
pub struct PostgresDatabase {
    server: Postgres,
    name: String,
    dropped: bool,
    password: OnceLock<tempfile::NamedTempFile>,
}

impl PostgresDatabase {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server it is on.
    #[must_use]
    pub const fn server(&self) -> &Postgres {
        &self.server
    }

    /// `postgresql://postgres@127.0.0.1:PORT/NAME`; the password is in [`Postgres::password_file`].
    #[must_use]
    pub fn url(&self) -> String {
        self.url_as("postgres")
    }

    /// The same for another role.
    #[must_use]
    pub fn url_as(&self, role: &str) -> String {
        format!("postgresql://{role}@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// A copy of the superuser's password that this process's account owns (mode 0600), as long as this
    /// value is there.
    #[must_use]
    pub fn password_copy(&self) -> &Path {
        let copy = || {
            let file = tempfile::NamedTempFile::new().expect("a temporary file");
            std::fs::write(&file, self.server.password()).expect("a password file");
            file
        };
        self.password.get_or_init(copy).path()
    }

    /// See [`Postgres::sql`].
    pub fn sql(&self, script: &str) -> String {
        self.server.sql(&self.name, script)
    }

    /// See [`Postgres::try_sql`].
    ///
    /// # Errors
    ///
    /// What `psql` wrote to its standard error.
    pub fn try_sql(&self, script: &str) -> Result<String, String> {
        self.server.try_sql(&self.name, script)
    }

    /// See [`Postgres::statements`].
    #[must_use]
    pub fn statements(&self) -> Vec<LoggedStatement> {
        self.server.statements(&self.name)
    }

    /// Leaves the database on the server when this value goes.
    pub const fn keep(&mut self) {
        self.dropped = false;
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        if self.dropped {
            // best effort: the whole server is erased at the end of the run
            let _ = self
                .server
                .try_sql("postgres", &format!("drop database if exists {} with (force)", self.name));
        }
    }
}

/// Makes the cluster in `folder` and starts it.
pub(super) fn start(servers: &mut Servers, folder: &Path) {
    let data = folder.join("data");
    let password = crate::random_hex(16);
    // one copy for the servers' account, one that its owner, the tests, can use as a password file
    let first = folder.join("first-password");
    for path in [&first, &folder.join("password")] {
        std::fs::write(path, &password).expect("a password file");
        crate::only_owner(path);
    }
    servers.give(&first);
    servers.run(
        folder,
        "initdb",
        &[
            "-D",
            &data.display().to_string(),
            "--username=postgres",
            &format!("--pwfile={}", first.display()),
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ],
    );
    let tls = crate::certificates::make(&servers.tools, &folder.join("tls"));
    if tls {
        for name in ["", "ca.pem", "server.pem", "server.key"] {
            servers.give(&folder.join("tls").join(name));
        }
    }
    let port = free_port();
    write_access(
        folder,
        &[
            ("port", port.to_string()),
            ("root", servers.tools.root().map(|r| r.display().to_string()).unwrap_or_default()),
        ],
    );
    let settings = settings(servers.purpose, folder, port, tls);
    let mut configuration = std::fs::read_to_string(data.join("postgresql.conf")).expect("its configuration");
    configuration.push_str(&settings);
    std::fs::write(data.join("postgresql.conf"), configuration).expect("its configuration");
    let output = folder.join("output");
    let mut command = servers.tools.command_as(&servers.servants, "postgres");
    command.arg("-D").arg(&data);
    servers.serve(command, "INT", &output);
    let server = Postgres::at(folder);
    wait_until("PostgreSQL", &output, || server.try_sql("postgres", "select 1").is_ok());
}

fn settings(purpose: Purpose, folder: &Path, port: u16, tls: bool) -> String {
    let folder = folder.display();
    let mut text = format!(
        "\nlisten_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\n\
         max_connections = 200\nmax_wal_size = '8GB'\nmax_prepared_transactions = 4\n\
         timezone = 'UTC'\nlog_timezone = 'UTC'\nlc_messages = 'C.UTF-8'\n"
    );
    match purpose {
        Purpose::Tests | Purpose::Logged => text.push_str(&format!(
            "shared_buffers = '256MB'\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\n\
             logging_collector = on\nlog_destination = 'jsonlog'\nlog_directory = '{folder}/log'\n\
             log_filename = 'pg-%Y%m%d%H%M%S.log'\nlog_rotation_age = 0\nlog_rotation_size = 0\n\
             log_statement = 'all'\nlog_min_messages = 'warning'\n"
        )),
        // both sides of a ratio run on the same settings; these keep checkpoints out of the middle
        Purpose::Benchmarks => text.push_str(
            "shared_buffers = '1GB'\nmaintenance_work_mem = '256MB'\ncheckpoint_timeout = '30min'\n\
             autovacuum = off\n",
        ),
    }
    if tls {
        text.push_str(&format!(
            "ssl = on\nssl_cert_file = '{folder}/tls/server.pem'\nssl_key_file = '{folder}/tls/server.key'\n"
        ));
    }
    text
}
