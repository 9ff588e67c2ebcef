//! The private MariaDB: start, access, a database per test, the general log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{
    LoggedStatement, Purpose, Servers, client, free_port, read_access, unique_name, wait_until, write_access,
};
use crate::tools::Tools;

/// A running private MariaDB. `root` on the unix socket needs no password; `ecluse` on the
/// loopback may do everything too, with the password in [`Mariadb::password_file`].
#[derive(Clone, Debug)]
pub struct Mariadb {
    folder: PathBuf,
    tools: Tools,
    port: u16,
}

impl Mariadb {
    pub(super) fn at(folder: &Path) -> Self {
        let access = read_access(folder);
        let root = access.get("root").filter(|root| !root.is_empty());
        Self {
            folder: folder.to_owned(),
            tools: root.map_or_else(Tools::installed, |root| Tools::unpacked(Path::new(root))),
            port: access.get("port").and_then(|p| p.parse().ok()).expect("a port in the access file"),
        }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// A file (mode 0600) with the password of `ecluse`.
    #[must_use]
    pub fn password_file(&self) -> PathBuf {
        self.folder.join("password")
    }

    /// The password of `ecluse`.
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

    /// The data folder, for searches in redo and binary logs.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A database of the test's own, dropped at the end.
    #[must_use]
    pub fn database(&self, hint: &str) -> MariadbDatabase {
        let name = unique_name(hint);
        self.sql("", &format!("create database {name} character set utf8mb4"));
        MariadbDatabase { server: self.clone(), name }
    }

    /// Runs SQL with the engine's own client as `root`: rows as lines, columns split by tabs,
    /// NULL as `NULL`. An error of the engine is a panic with its text.
    pub fn sql(&self, database: &str, script: &str) -> String {
        self.try_sql(database, script).unwrap_or_else(|error| panic!("mariadb: {error}\n{script}"))
    }

    /// The same, the engine's error given back.
    ///
    /// # Errors
    ///
    /// What the client wrote to its standard error.
    pub fn try_sql(&self, database: &str, script: &str) -> Result<String, String> {
        client(self.client(database), script.as_bytes())
    }

    /// The same as another account, over the loopback with its password (empty for none).
    ///
    /// # Errors
    ///
    /// What the client wrote to its standard error.
    pub fn sql_as(
        &self,
        account: &str,
        password: &str,
        database: &str,
        script: &str,
    ) -> Result<String, String> {
        let mut command = self.tools.command("mariadb");
        command
            .args(["--no-defaults", "--batch", "--skip-column-names", "--host=127.0.0.1", "--protocol=tcp"])
            .args([format!("--port={}", self.port), format!("--user={account}")])
            .arg(format!("--password={password}"))
            .arg(database);
        client(command, script.as_bytes())
    }

    /// The engine's client as `root`, ready for a script on its standard input.
    #[must_use]
    pub fn client(&self, database: &str) -> Command {
        let mut command = self.tools.command("mariadb");
        command
            .args(["--no-defaults", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"])
            .arg(format!("--socket={}", self.socket().display()))
            .args(["--user=root", "--max-allowed-packet=1G"]);
        if !database.is_empty() {
            command.arg(database);
        }
        command
    }

    /// `mariadb-dump` of a database to its standard output, as `root`.
    #[must_use]
    pub fn dump(&self, database: &str, more: &[&str]) -> Command {
        let mut command = self.tools.command("mariadb-dump");
        command.arg("--no-defaults").arg(format!("--socket={}", self.socket().display()));
        command.args(["--user=root", "--single-transaction"]).args(more).arg(database);
        command
    }

    /// Every statement in the general log that was sent while this database was the session's
    /// own, or that names it; oldest first.
    #[must_use]
    pub fn statements(&self, database: &str) -> Vec<LoggedStatement> {
        let bytes = std::fs::read(self.folder.join("general.log")).unwrap_or_default();
        logged(&String::from_utf8_lossy(&bytes), database)
    }
}

/// Reads a general log: `[time]\t<id> <command>\t<argument>`, arguments may span lines.
fn logged(text: &str, database: &str) -> Vec<LoggedStatement> {
    let mut sessions: BTreeMap<u64, (String, String)> = BTreeMap::new();
    let mut entries: Vec<(u64, String, String)> = Vec::new();
    for line in text.lines() {
        match entry(line) {
            Some(found) => entries.push(found),
            None => {
                if let Some((_, _, argument)) = entries.last_mut() {
                    argument.push('\n');
                    argument.push_str(line);
                }
            }
        }
    }
    let mut found = Vec::new();
    for (id, command, argument) in entries {
        match command.as_str() {
            // root@localhost on t_x_1_0 using Socket
            "Connect" => {
                let role = argument.split('@').next().unwrap_or_default().to_owned();
                let own = argument.split(" on ").nth(1).and_then(|rest| rest.split(" using").next());
                sessions.insert(id, (role, own.unwrap_or_default().trim().to_owned()));
            }
            "Init DB" => {
                sessions.entry(id).or_default().1 = argument;
            }
            "Query" | "Prepare" | "Execute" => {
                let (role, own) = sessions.get(&id).cloned().unwrap_or_default();
                if own == database || argument.contains(database) {
                    found.push(LoggedStatement {
                        role,
                        application: String::new(),
                        text: argument,
                        detail: command,
                    });
                }
            }
            _ => {}
        }
    }
    found
}

fn entry(line: &str) -> Option<(u64, String, String)> {
    let (_time, rest) = line.split_once('\t')?;
    let (head, argument) = rest.trim_start_matches('\t').split_once('\t').unwrap_or((rest, ""));
    let (id, command) = head.trim().split_once(' ')?;
    let known = [
        "Connect",
        "Init DB",
        "Query",
        "Prepare",
        "Execute",
        "Quit",
        "Close stmt",
        "Field List",
        "Reset stmt",
    ];
    known.contains(&command.trim()).then_some(())?;
    Some((id.parse().ok()?, command.trim().to_owned(), argument.to_owned()))
}

/// One test's database; dropped with this value.
#[derive(Debug)]
pub struct MariadbDatabase {
    server: Mariadb,
    name: String,
}

impl MariadbDatabase {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server it is on.
    #[must_use]
    pub const fn server(&self) -> &Mariadb {
        &self.server
    }

    /// `mariadb://ecluse@127.0.0.1:PORT/NAME`; the password is in [`Mariadb::password_file`].
    #[must_use]
    pub fn url(&self) -> String {
        self.url_as("ecluse")
    }

    /// The same for another account.
    #[must_use]
    pub fn url_as(&self, account: &str) -> String {
        format!("mariadb://{account}@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// See [`Mariadb::sql`].
    pub fn sql(&self, script: &str) -> String {
        self.server.sql(&self.name, script)
    }

    /// See [`Mariadb::try_sql`].
    ///
    /// # Errors
    ///
    /// What the client wrote to its standard error.
    pub fn try_sql(&self, script: &str) -> Result<String, String> {
        self.server.try_sql(&self.name, script)
    }

    /// See [`Mariadb::statements`].
    #[must_use]
    pub fn statements(&self) -> Vec<LoggedStatement> {
        self.server.statements(&self.name)
    }
}

impl Drop for MariadbDatabase {
    fn drop(&mut self) {
        // best effort: the whole server is erased at the end of the run
        let _ = self.server.try_sql("", &format!("drop database if exists {}", self.name));
    }
}

/// Makes the data folder and starts the server.
pub(super) fn start(servers: &mut Servers, folder: &Path) {
    let data = folder.join("data").display().to_string();
    let mut install = vec![
        "--no-defaults".to_owned(),
        format!("--datadir={data}"),
        "--auth-root-authentication-method=normal".to_owned(),
        "--skip-test-db".to_owned(),
        "--skip-name-resolve".to_owned(),
    ];
    let mut place = Vec::new();
    if let Some(root) = servers.tools.root().filter(|root| root.join("usr/share/mysql").is_dir()) {
        install.push(format!("--basedir={}", root.join("usr").display()));
        place.push(format!("--basedir={}", root.join("usr").display()));
        place.push(format!("--plugin-dir={}", root.join("usr/lib/mysql/plugin").display()));
    }
    let arguments: Vec<&str> = install.iter().map(String::as_str).collect();
    servers.run(folder, "mariadb-install-db", &arguments);
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
    let password = crate::random_hex(16);
    std::fs::write(folder.join("password"), &password).expect("the password file");
    crate::only_owner(&folder.join("password"));
    let output = folder.join("output");
    let mut command = servers.tools.command_as(&servers.servants, "mariadbd");
    command.arg("--no-defaults").args(place).args(options(servers.purpose, folder, port, tls));
    servers.serve(command, "TERM", &output);
    let server = Mariadb::at(folder);
    wait_until("MariaDB", &output, || server.try_sql("", "select 1").is_ok());
    server.sql(
        "",
        &format!(
            "create user ecluse@'127.0.0.1' identified by '{password}';\n\
             grant all privileges on *.* to ecluse@'127.0.0.1' with grant option;"
        ),
    );
}

fn options(purpose: Purpose, folder: &Path, port: u16, tls: bool) -> Vec<String> {
    let folder = folder.display();
    let mut options = vec![
        format!("--datadir={folder}/data"),
        format!("--tmpdir={folder}"),
        format!("--socket={folder}/socket"),
        format!("--pid-file={folder}/pid"),
        format!("--port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--skip-name-resolve".to_owned(),
        "--character-set-server=utf8mb4".to_owned(),
        "--innodb-buffer-pool-size=256M".to_owned(),
        "--innodb-fast-shutdown=2".to_owned(),
        "--max-allowed-packet=64M".to_owned(),
        "--default-time-zone=+00:00".to_owned(),
    ];
    if purpose == Purpose::Tests {
        options.push("--innodb-flush-log-at-trx-commit=0".to_owned());
        options.push("--innodb-flush-method=nosync".to_owned());
        options.push("--general-log=1".to_owned());
        options.push(format!("--general-log-file={folder}/general.log"));
    }
    if purpose == Purpose::Logged {
        options.push(format!("--log-bin={folder}/data/binary"));
        options.push("--binlog-format=ROW".to_owned());
        options.push("--server-id=1".to_owned());
    }
    if tls {
        options.push(format!("--ssl-ca={folder}/tls/ca.pem"));
        options.push(format!("--ssl-cert={folder}/tls/server.pem"));
        options.push(format!("--ssl-key={folder}/tls/server.key"));
    }
    options
}
