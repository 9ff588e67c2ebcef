//! Private servers for the tests: one PostgreSQL and one MariaDB, in a temporary folder,
//! on free ports of the loopback and on unix sockets.
//!
//! `cargo xtask test` starts them and names their folders in `ECLUSE_TEST_PG` and
//! `ECLUSE_TEST_MARIADB`; a test asks [`postgres`] or [`mariadb`] for them, and makes a
//! database of its own. They end with the process that started them, however it ends:
//! a guardian shell holds the other end of a pipe, and stops and erases all when it closes.

mod mariadb;
mod postgres;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

pub use mariadb::{Mariadb, MariadbDatabase};
pub use postgres::{LoggedStatement, Postgres, PostgresDatabase};

use crate::tools::Tools;

/// Names the folder of a running private PostgreSQL.
pub const POSTGRES_VARIABLE: &str = "ECLUSE_TEST_PG";
/// Names the folder of a running private MariaDB.
pub const MARIADB_VARIABLE: &str = "ECLUSE_TEST_MARIADB";
/// Set by `cargo xtask test`: a missing server then fails the test instead of skipping it.
pub const REQUIRED_VARIABLE: &str = "ECLUSE_TEST_REQUIRED";

/// The private PostgreSQL, or `None` after saying loudly that the test is skipped.
#[must_use]
pub fn postgres() -> Option<Postgres> {
    found(POSTGRES_VARIABLE).map(|folder| Postgres::at(&folder))
}

/// The private MariaDB, or `None` after saying loudly that the test is skipped.
#[must_use]
pub fn mariadb() -> Option<Mariadb> {
    found(MARIADB_VARIABLE).map(|folder| Mariadb::at(&folder))
}

fn found(variable: &str) -> Option<PathBuf> {
    if let Some(folder) = crate::environment(variable) {
        return Some(PathBuf::from(folder));
    }
    crate::skipped(&format!("{variable} is not set"));
    None
}

/// What the servers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Tests: every statement logged, nothing made durable.
    Tests,
    /// Tests of what a binary log keeps: MariaDB writes one, row by row.
    Logged,
    /// Benchmarks: PostgreSQL's own durability, more memory, no statement log.
    Benchmarks,
}

/// Running private servers; dropped, they stop and their folder is erased.
#[derive(Debug)]
pub struct Servers {
    folder: PathBuf,
    purpose: Purpose,
    tools: Tools,
    servants: Vec<String>,
    children: Vec<Child>,
    guardian: Child,
    orders: Option<ChildStdin>,
    postgres: Option<PathBuf>,
    mariadb: Option<PathBuf>,
}

impl Servers {
    /// Makes the temporary folder and the guardian; no server yet.
    ///
    /// # Panics
    ///
    /// As everything here: a server that cannot start is a failed test run.
    #[must_use]
    pub fn new(tools: &Tools, purpose: Purpose) -> Self {
        let folder = tempfile::Builder::new().prefix("ecluse-").tempdir().expect("a temporary folder").keep();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("folder mode");
        let mut guardian = Command::new("/bin/sh")
            .args(["-c", GUARDIAN, "guardian"])
            .arg(&folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the guardian shell");
        let orders = guardian.stdin.take();
        let servants = unprivileged();
        Self {
            folder,
            purpose,
            tools: tools.clone(),
            servants,
            children: Vec::new(),
            guardian,
            orders,
            postgres: None,
            mariadb: None,
        }
    }

    /// Starts PostgreSQL and waits until it answers.
    pub fn start_postgres(&mut self) -> Postgres {
        let folder = self.subfolder("pg");
        postgres::start(self, &folder);
        self.postgres = Some(folder.clone());
        Postgres::at(&folder)
    }

    /// Starts MariaDB and waits until it answers.
    pub fn start_mariadb(&mut self) -> Mariadb {
        let folder = self.subfolder("my");
        mariadb::start(self, &folder);
        self.mariadb = Some(folder.clone());
        Mariadb::at(&folder)
    }

    /// The environment that tells tests where the servers are.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let mut variables = Vec::new();
        variables.extend(self.postgres.clone().map(|folder| (POSTGRES_VARIABLE, folder)));
        variables.extend(self.mariadb.clone().map(|folder| (MARIADB_VARIABLE, folder)));
        variables
    }

    /// The temporary folder that holds everything.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn subfolder(&self, name: &str) -> PathBuf {
        let folder = self.folder.join(name);
        std::fs::create_dir(&folder).expect("a server's folder");
        self.give(&folder);
        folder
    }

    /// Hands a file or folder to the unprivileged account that runs the servers.
    fn give(&self, path: &Path) {
        if !self.servants.is_empty() {
            let (uid, gid) = servant_ids();
            chown(path, Some(uid), Some(gid)).expect("chown");
        }
    }

    /// Runs a program as the servers' account and waits; its output is shown if it fails. `folder` is that account's:
    /// the temporary folder of whoever tests need not be.
    fn run(&self, folder: &Path, program: &str, arguments: &[&str]) {
        let output = self
            .tools
            .command_as(&self.servants, program)
            .args(arguments)
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .env("TMPDIR", folder)
            .output()
            .unwrap_or_else(|e| panic!("{program} does not start: {e}"));
        assert!(
            output.status.success(),
            "{program} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Starts a server as its account, in a process group of its own (Ctrl-C must reach
    /// the guardian's order first), and tells the guardian its pid and how it is stopped.
    fn serve(&mut self, mut command: Command, signal: &str, output: &Path) {
        let log = std::fs::File::create(output).expect("a server's output file");
        let again = log.try_clone().expect("a second handle");
        let child = command
            .current_dir(&self.folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(again)
            .spawn()
            .expect("a server starts");
        if let Some(orders) = self.orders.as_mut() {
            writeln!(orders, "{signal} {}", child.id()).expect("the guardian listens");
        }
        self.children.push(child);
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // closing the pipe is the order to stop; reaping here lets the guardian see them gone
        drop(self.orders.take());
        for child in &mut self.children {
            let _ = child.wait();
        }
        let _ = self.guardian.wait();
    }
}

/// Reads `SIGNAL PID` lines until the pipe closes, then stops those processes (30 s, then
/// `kill -9`) and erases the folder given as its argument.
const GUARDIAN: &str = r#"
orders=
while read -r signal pid; do orders="$orders $signal:$pid"; done
for order in $orders; do kill -s "${order%%:*}" "${order##*:}"; done
tries=0
for order in $orders; do
    while kill -0 "${order##*:}" && [ $tries -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -s KILL "${order##*:}"
done
rm -rf -- "$1"
"#;

/// `setpriv …` when this process is root (PostgreSQL refuses to run as root), else nothing.
fn unprivileged() -> Vec<String> {
    if !rustix::process::geteuid().is_root() {
        return Vec::new();
    }
    let (uid, gid) = servant_ids();
    vec![
        "setpriv".to_owned(),
        format!("--reuid={uid}"),
        format!("--regid={gid}"),
        "--clear-groups".to_owned(),
        "--".to_owned(),
    ]
}

/// The account `postgres` where the package made it, else `nobody`.
fn servant_ids() -> (u32, u32) {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| {
            let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        })
        .unwrap_or((65_534, 65_534))
}

/// A port of the loopback that was free a moment ago.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}

/// Asks until the answer is yes; 60 s at most.
fn wait_until(what: &str, output: &Path, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{what} does not answer: {}",
            std::fs::read_to_string(output).unwrap_or_default()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Writes what a test needs to know of a server: `key=value` lines in its folder.
fn write_access(folder: &Path, entries: &[(&str, String)]) {
    let text: String = entries.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
    std::fs::write(folder.join("access"), text).expect("the access file");
}

fn read_access(folder: &Path) -> BTreeMap<String, String> {
    let path = folder.join("access");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| {
        panic!("{} cannot be read ({e}); run the tests with `cargo xtask test`", path.display())
    });
    text.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// A name for a test's own database: `t_<hint>_<process>_<number>`.
fn unique_name(hint: &str) -> String {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("t_{hint}_{}_{number}", std::process::id())
}

/// Runs a client with `script` on its standard input; its output, without the last line end.
fn client(mut command: Command, script: &[u8]) -> Result<String, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("the client does not start: {e}"))?;
    let mut input = child.stdin.take().ok_or("no input")?;
    let script = script.to_vec();
    // the client may answer before it has read everything: write from another thread
    let writer = std::thread::spawn(move || drop(input.write_all(&script)));
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    let _ = writer.join();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}
