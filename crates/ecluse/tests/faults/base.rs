//! A database of any of the three engines, as a test fills and asks it.

use std::path::{Path, PathBuf};

use ecluse_adapters::sqlite;
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_testkit::laboratory::Dialect;
use ecluse_testkit::migration::End;
use ecluse_testkit::proxy::Proxy;
use ecluse_testkit::server::{self, LoggedStatement, MariadbDatabase, PostgresDatabase};

/// A test's own database.
pub(crate) enum Base {
    Postgres(PostgresDatabase),
    Mariadb(MariadbDatabase),
    Sqlite(PathBuf),
}

impl Base {
    /// An empty database on the private PostgreSQL; `None` (said loudly) where there is none.
    pub(crate) fn postgres(hint: &str) -> Option<Self> {
        server::postgres().map(|server| Self::Postgres(server.database(hint)))
    }

    /// The same on the private MariaDB.
    pub(crate) fn mariadb(hint: &str) -> Option<Self> {
        server::mariadb().map(|server| Self::Mariadb(server.database(hint)))
    }

    /// An empty SQLite file of that name.
    pub(crate) fn sqlite(folder: &Path, name: &str) -> Self {
        let path = folder.canonicalize().unwrap().join(name);
        sqlite::create_from(&path, "").unwrap();
        Self::Sqlite(path)
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgresql,
            Self::Mariadb(_) => Dialect::Mariadb,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Runs a script; rows as lines, columns split by `|`, NULL as nothing.
    #[track_caller]
    pub(crate) fn sql(&self, script: &str) -> String {
        match self {
            Self::Postgres(database) => database.sql(script),
            Self::Mariadb(database) => database.sql(script).replace('\t', "|").replace("NULL", ""),
            Self::Sqlite(path) => asked(path, script),
        }
    }

    /// As papers and connections name it when rows leave it.
    pub(crate) fn as_source(&self) -> End {
        match self {
            Self::Sqlite(path) => End::sqlite(path, sqlite::Source::open(path).unwrap().identity().unwrap()),
            server => server.end(),
        }
    }

    /// As papers and connections name it when rows come to it.
    pub(crate) fn as_destination(&self) -> End {
        match self {
            Self::Sqlite(path) => {
                End::sqlite(path, sqlite::Destination::open(path).unwrap().identity().unwrap())
            }
            server => server.end(),
        }
    }

    fn end(&self) -> End {
        match self {
            Self::Postgres(database) => End::postgres(database, "postgres"),
            Self::Mariadb(database) => End::mariadb(database),
            Self::Sqlite(_) => panic!("a file has two identities"),
        }
    }

    /// Its address, where nothing answers.
    pub(crate) fn silent(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.with_extension("gone").display()),
            Self::Postgres(database) => End::postgres_through(database, 1).url().to_owned(),
            Self::Mariadb(database) => End::mariadb_through(database, 1).url().to_owned(),
        }
    }

    /// What a server's log holds of the program's own statements.
    pub(crate) fn statements_of_the_program(&self) -> Vec<String> {
        let logged = match self {
            Self::Postgres(database) => database.statements(),
            Self::Mariadb(database) => database.statements(),
            Self::Sqlite(_) => panic!("a file has no log"),
        };
        // the tests' own client: by its name, or by its account
        let own = |s: &LoggedStatement| s.application == "psql" || s.role == "root";
        logged.into_iter().filter(|s| !own(s)).map(|s| s.text).collect()
    }

    /// A server's database through a recording proxy on the loopback.
    pub(crate) fn through_a_proxy(&self) -> (Proxy, End) {
        match self {
            Self::Postgres(database) => {
                let proxy = Proxy::to(database.server().port());
                let end = End::postgres_through(database, proxy.port());
                (proxy, end)
            }
            Self::Mariadb(database) => {
                let proxy = Proxy::to(database.server().port());
                let end = End::mariadb_through(database, proxy.port());
                (proxy, end)
            }
            Self::Sqlite(_) => panic!("a file has no traffic"),
        }
    }
}

/// Runs the statements of a script one by one; the rows of all, as lines.
fn asked(path: &Path, script: &str) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    let statements: Vec<&str> = script.split(';').map(str::trim).filter(|s| !s.is_empty()).collect();
    let mut lines = String::new();
    for sql in statements {
        let mut statement = connection.prepare(sql).unwrap_or_else(|e| panic!("{e}\n{sql}"));
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap_or_else(|e| panic!("{e}\n{sql}")) {
            let cells: Vec<String> = (0..columns).map(|i| cell(row.get_ref(i).unwrap())).collect();
            lines.push_str(&cells.join("|"));
            lines.push('\n');
        }
    }
    lines.trim_end_matches('\n').to_owned()
}

fn cell(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(x) => x.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}
