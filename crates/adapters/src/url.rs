//! Where a database is: `sqlite:PATH`, `postgresql://…`, `mariadb://…`.
//!
//! | URL | means |
//! |---|---|
//! | `sqlite:PATH` | a file |
//! | `postgresql://USER@HOST:PORT/DATABASE` | TCP; TLS beyond loopback |
//! | `postgresql://USER@/DATABASE?socket=DIR` | the Unix socket in a directory (`port` names the file) |
//! | `mariadb://USER@HOST:PORT/DATABASE` | TCP; TLS beyond loopback |
//! | `mariadb://USER@/DATABASE?socket=FILE` | a Unix socket |
//! | `csv:…` | a folder of CSV files: [`crate::csv::url`] |
//! | `dump+…` | a dump: [`crate::dump::url`] |
//!
//! Options, after `?`, joined by `&`; any other is refused:
//!
//! | option | engine | means |
//! |---|---|---|
//! | `socket=PATH` | both | PostgreSQL: the socket's directory; MariaDB: the socket |
//! | `port=N` | PostgreSQL | beside `socket`: the number in the socket's name, 5432 where absent |
//! | `password-file=PATH` | both | a file that only its owner can read, the password on its first line |
//! | `credential=PATH` | both | a systemd credential, `/run/credentials/UNIT/NAME` |
//! | `pgpass=PATH` | PostgreSQL | a `.pgpass` file |
//! | `my-cnf=PATH` | MariaDB | an option file with `[client]` and `password` |
//! | `ca=PATH` | both | PEM certificates to trust instead of the machine's |
//! | `spki=sha256:HEX` | both | the server's pinned public key, for servers without a certificate anyone signed |
//!
//! A URL never holds a password: it would stand in the process list, the shell's history
//! and every log. One that does is refused, and the message does not repeat it.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use ecluse_core::fault::{Code, Result};
use ecluse_core::types::Engine;
use percent_encoding::percent_decode_str;

use crate::csv::Folder;
use crate::dump::Dump;

/// The text is not a URL of an engine we know.
pub static NOT_A_URL: Code = Code::usage("ECL-URL-001", "this is not the URL of a database écluse knows");
/// A password stands in the URL.
pub static PASSWORD: Code = Code::usage("ECL-URL-002", "a URL must not hold a password");
/// An option we do not know, or twice, or of another engine.
pub static OPTION: Code = Code::usage("ECL-URL-003", "the URL has an option that écluse does not take");
/// The URL lacks its user, host or database.
pub static INCOMPLETE: Code = Code::usage("ECL-URL-004", "the URL is incomplete");

/// A database's place. Holds no secret; `Display` shows engine, host and database only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Url {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A server.
    Server(Server),
    /// A dump; see [`crate::dump::url`].
    Dump(Dump),
    /// A folder of CSV files; see [`crate::csv::url`].
    Csv(Folder),
}

/// A database on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// PostgreSQL or MariaDB.
    pub engine: Engine,
    /// The machine or the socket.
    pub host: Host,
    /// The TCP port (PostgreSQL: also the number in the socket's name).
    pub port: u16,
    /// The account.
    pub user: String,
    /// The database.
    pub database: String,
    /// Where the password is; `None` where the server asks for none (peer authentication).
    pub password: Option<PasswordAt>,
    /// How the server proves itself.
    pub trust: Trust,
    /// How long a connection may take to stand, all of it: TCP, TLS, login. No URL says it.
    pub patience: Duration,
}

/// How long a connection may take unless somebody has less time.
const PATIENCE: Duration = Duration::from_secs(20);

/// The machine or the socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name or an address.
    Name(String),
    /// PostgreSQL: the directory of the socket; MariaDB: the socket.
    Socket(PathBuf),
}

/// Where a password is kept; see [`crate::secret`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordAt {
    /// The first line of a file only its owner can read.
    File(PathBuf),
    /// A systemd credential.
    Credential(PathBuf),
    /// A `.pgpass` file.
    Pgpass(PathBuf),
    /// A MariaDB option file.
    MyCnf(PathBuf),
}

/// How the server proves itself beyond loopback and sockets; see [`crate::tls`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// A certificate that the machine's own roots verify, for the host's name.
    #[default]
    Native,
    /// A certificate that this PEM file's roots verify, for the host's name.
    Roots(PathBuf),
    /// SHA-256 of the server's SubjectPublicKeyInfo.
    Pinned([u8; 32]),
}

impl Url {
    /// The same place, and the folder in which the instruction lets rows stand sealed; other ends than
    /// dumps and CSV folders stage nothing.
    #[must_use]
    pub fn staging(mut self, folder: Option<PathBuf>) -> Self {
        match &mut self {
            Self::Dump(dump) => dump.staging = folder,
            Self::Csv(csv) => csv.staging = folder,
            Self::Sqlite(_) | Self::Server(_) => {}
        }
        self
    }

    /// The same place, and how long a connection to a server may take to stand.
    #[must_use]
    pub const fn patience(mut self, patience: Duration) -> Self {
        if let Self::Server(server) = &mut self {
            server.patience = patience;
        }
        self
    }

    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`NOT_A_URL`], [`PASSWORD`], [`OPTION`], [`INCOMPLETE`]; none repeats the URL.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            return sqlite(path);
        }
        if let Some(rest) = text.strip_prefix(crate::csv::url::SCHEME) {
            return crate::csv::url::parse(rest).map(Self::Csv);
        }
        if let Some(rest) = text.strip_prefix(crate::dump::url::SCHEME) {
            return crate::dump::url::parse(rest).map(Self::Dump);
        }
        let url = url::Url::parse(&hosted(text)).map_err(|_may_quote| not_a_url())?;
        let engine = match url.scheme() {
            "postgresql" | "postgres" => Engine::Postgresql,
            "mariadb" | "mysql" => Engine::Mariadb,
            _ => return Err(not_a_url()),
        };
        if url.password().is_some() || url.query_pairs().any(|(name, _)| is_password(&name)) {
            return Err(PASSWORD.fault(engine.name()).help(
                "take it out, change it (it stands in your shell's history), and name a file: ?password-file=PATH",
            ));
        }
        server(engine, &url).map(Self::Server)
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Server(server) => server.engine,
            Self::Dump(dump) => dump.engine,
            Self::Csv(_) => Engine::Csv,
        }
    }

    /// Whether something beside écluse could refuse what was not instructed: a server's rights.
    #[must_use]
    pub const fn can_deny(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Server(server) => server.fmt(f),
            Self::Csv(folder) => write!(f, "the CSV folder {}", folder.database),
            Self::Dump(dump) => write!(f, "a dump of {}:///{}", dump.engine, dump.database),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (engine, database) = (self.engine, &self.database);
        match &self.host {
            Host::Name(host) => write!(f, "{engine}://{host}:{}/{database}", self.port),
            Host::Socket(path) => write!(f, "{engine}:///{database}?socket={}", path.display()),
        }
    }
}

/// Stands for the absent host in `USER@/DATABASE`, which the URL standard does not allow and
/// every PostgreSQL client does; `.invalid` names no machine (RFC 2606).
const NO_HOST: &str = "socket.invalid";

fn hosted(text: &str) -> Cow<'_, str> {
    let cut = text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('/')?)));
    match cut {
        Some((scheme, (authority, rest))) if authority.ends_with('@') => {
            Cow::Owned(format!("{scheme}://{authority}{NO_HOST}/{rest}"))
        }
        _ => Cow::Borrowed(text),
    }
}

fn sqlite(path: &str) -> Result<Url> {
    // `sqlite://x` would be a host to other tools: one way to write a path, no guessing
    if path.is_empty() || path.starts_with("//") {
        return Err(INCOMPLETE.fault("sqlite").help("write sqlite:PATH, for instance sqlite:laboratory.db"));
    }
    if path.contains('?') {
        return Err(OPTION.fault("sqlite").help("sqlite:PATH takes no options"));
    }
    Ok(Url::Sqlite(PathBuf::from(path)))
}

fn server(engine: Engine, url: &url::Url) -> Result<Server> {
    let mut options = Options::read(engine, url)?;
    let user = decoded(url.username())?;
    let database = decoded(url.path().trim_start_matches('/'))?;
    let name = decoded(url.host_str().filter(|h| *h != NO_HOST).unwrap_or_default())?;
    // an IPv6 address comes in brackets
    let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
    let host = match (options.socket.take(), name.is_empty()) {
        (Some(path), true) => Host::Socket(path),
        (None, false) if name.starts_with('/') => Host::Socket(PathBuf::from(name)),
        (None, false) => Host::Name(name),
        (Some(_), false) => {
            return Err(OPTION.fault("socket beside a host").help("name a host or a socket, not both"));
        }
        (None, true) => {
            return Err(incomplete(engine, "the host"));
        }
    };
    if matches!(host, Host::Socket(_)) && options.trust != Trust::Native {
        return Err(OPTION.fault("ca or spki beside a socket").help("a socket has no TLS: leave them out"));
    }
    if user.is_empty() {
        return Err(incomplete(engine, "the user"));
    }
    if database.is_empty() || database.contains('/') {
        return Err(incomplete(engine, "the database"));
    }
    if url.fragment().is_some() {
        return Err(OPTION.fault("text after #"));
    }
    let port = url.port().or(options.port).unwrap_or(if engine == Engine::Postgresql { 5432 } else { 3306 });
    let Options { password, trust, .. } = options;
    Ok(Server { engine, host, port, user, database, password, trust, patience: PATIENCE })
}

#[derive(Default)]
struct Options {
    socket: Option<PathBuf>,
    port: Option<u16>,
    password: Option<PasswordAt>,
    trust: Trust,
}

impl Options {
    fn read(engine: Engine, url: &url::Url) -> Result<Self> {
        let mut found = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in url.query_pairs() {
            let path = || PathBuf::from(value.as_ref());
            match (name.as_ref(), engine) {
                ("socket", _) => found.socket = Some(path()),
                ("port", Engine::Postgresql) if url.port().is_none() => {
                    found.port = Some(value.parse().map_err(|_quotes| OPTION.fault("port"))?);
                }
                ("password-file", _) => found.set_password(PasswordAt::File(path()))?,
                ("credential", _) => found.set_password(PasswordAt::Credential(path()))?,
                ("pgpass", Engine::Postgresql) => found.set_password(PasswordAt::Pgpass(path()))?,
                ("my-cnf", Engine::Mariadb) => found.set_password(PasswordAt::MyCnf(path()))?,
                ("ca", _) => found.set_trust(Trust::Roots(path()))?,
                ("spki", _) => found.set_trust(Trust::Pinned(pin(&value)?))?,
                _ => {
                    return Err(OPTION.fault(engine.name()).help(
                        "known options: socket, port, password-file, credential, pgpass, my-cnf, ca, spki",
                    ));
                }
            }
            if value.is_empty() || seen.iter().any(|s| *s == name) {
                return Err(OPTION.fault(format!("{name} is empty or stands twice")));
            }
            seen.push(name.into_owned());
        }
        Ok(found)
    }

    fn set_password(&mut self, at: PasswordAt) -> Result<()> {
        match self.password.replace(at) {
            None => Ok(()),
            Some(_) => Err(OPTION.fault("two places for the password").help("name one")),
        }
    }

    fn set_trust(&mut self, trust: Trust) -> Result<()> {
        match std::mem::replace(&mut self.trust, trust) {
            Trust::Native => Ok(()),
            _ => Err(OPTION.fault("ca beside spki").help("name one")),
        }
    }
}

fn is_password(option: &str) -> bool {
    let option = option.to_ascii_lowercase();
    // `password-file` names a place; all the other spellings carry the thing itself
    option != "password-file" && (option.starts_with("pass") || option == "pwd" || option == "sslpassword")
}

/// A pin as URLs and instructions write it.
pub(crate) fn pin(value: &str) -> Result<[u8; 32]> {
    let bad = || OPTION.fault("spki").help("write spki=sha256: and 64 hexadecimal digits");
    let hex = value.strip_prefix("sha256:").ok_or_else(bad)?;
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).map_err(|_quotes| bad())?;
    bytes.try_into().map_err(|_| bad())
}

fn decoded(text: &str) -> Result<String> {
    percent_decode_str(text).decode_utf8().map(|t| t.into_owned()).map_err(|_| not_a_url())
}

fn not_a_url() -> ecluse_core::fault::Fault {
    NOT_A_URL
        .fault("")
        .help("write sqlite:PATH, postgresql://USER@HOST/DATABASE or mariadb://USER@HOST/DATABASE")
}

fn incomplete(engine: Engine, what: &str) -> ecluse_core::fault::Fault {
    INCOMPLETE
        .fault(format!("{what} is missing"))
        .help(format!("write {engine}://USER@HOST/DATABASE, or {engine}://USER@/DATABASE?socket=PATH"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_of(text: &str) -> Server {
        match Url::parse(text).unwrap() {
            Url::Server(server) => server,
            _ => panic!("no server"),
        }
    }

    #[test]
    fn the_three_engines_are_read() {
        assert_eq!(Url::parse("sqlite:a/b.db").unwrap(), Url::Sqlite("a/b.db".into()));
        let s = server_of("postgresql://anne@db.example:6000/lab?ca=/etc/ca.pem&password-file=pw");
        assert_eq!((s.host, s.port), (Host::Name("db.example".into()), 6000));
        assert_eq!(s.trust, Trust::Roots("/etc/ca.pem".into()));
        assert_eq!(s.password, Some(PasswordAt::File("pw".into())));
        let s = server_of("mariadb://anne@/SIGL?socket=/run/m.sock");
        assert_eq!((s.host, s.port, s.database.as_str()), (Host::Socket("/run/m.sock".into()), 3306, "SIGL"));
        let s = server_of("postgresql://anne@/lab?socket=/run/pg&port=6000");
        assert_eq!((s.host, s.port, s.user.as_str()), (Host::Socket("/run/pg".into()), 6000, "anne"));
        let s = server_of("postgresql://anne@[::1]/lab");
        assert_eq!(s.host, Host::Name("::1".into()));
        let s = server_of("postgresql://anne@%2Frun%2Fpg:5433/lab");
        assert_eq!((s.host, s.port), (Host::Socket("/run/pg".into()), 5433));
    }

    // fails with the guard off: without the check of `url.password()` these parse and connect
    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for text in [
            "postgresql://anne:Tr0ub4dor@db/lab",
            "mariadb://anne:@db/lab?x=Tr0ub4dor",
            "postgresql://anne@db/lab?password=Tr0ub4dor",
            "postgresql://anne@db/lab?sslpassword=Tr0ub4dor",
            "mariadb://anne@db/lab?PASSWD=Tr0ub4dor",
            "postgresql://anne@db/lab?unknown=Tr0ub4dor",
            "postgresql://anne@db:Tr0ub4dor/lab",
            "ftp://anne:Tr0ub4dor@db/lab",
            "postgresql://anne@db/lab?spki=Tr0ub4dor",
        ] {
            let fault = Url::parse(text).unwrap_err();
            assert!(!format!("{fault} {fault:?}").contains("Tr0ub4dor"), "{fault}");
        }
        assert_eq!(Url::parse("postgresql://a:b@h/d").unwrap_err().code(), &PASSWORD);
    }

    #[test]
    fn what_is_missing_or_unknown_is_refused() {
        for (text, code) in [
            ("postgresql://db/lab", &INCOMPLETE),
            ("postgresql://anne@db/", &INCOMPLETE),
            ("postgresql://anne@/lab", &INCOMPLETE),
            ("mariadb://anne@db/lab?pgpass=x", &OPTION),
            ("postgresql://anne@db/lab?sslmode=disable", &OPTION),
            ("postgresql://anne@db/lab?ca=x&ca=y", &OPTION),
            ("postgresql://anne@db/lab?ca=x&spki=sha256:00", &OPTION),
            ("postgresql://anne@/lab?socket=/run/pg&ca=x", &OPTION),
            ("sqlite:", &INCOMPLETE),
            ("sqlite://host/x", &INCOMPLETE),
            ("laboratory.db", &NOT_A_URL),
        ] {
            assert_eq!(Url::parse(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn display_shows_no_account_and_no_path_of_a_secret() {
        let url = Url::parse("postgresql://anne@db/lab?password-file=/etc/pw").unwrap();
        assert_eq!(url.to_string(), "postgresql://db:5432/lab");
    }
}
