//! A migration ready to run, made as people would make it: papers signed, the source surveyed
//! by the program, the order filled in by it and signed, the views made by the administrator.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::Timestamp;

use crate::papers::{Papers, RECIPIENT, signatures_of};
use crate::server::{MariadbDatabase, PostgresDatabase};

/// One of the two databases, as papers and connections name it.
#[derive(Clone, Debug)]
pub struct End {
    engine: &'static str,
    database: String,
    identity: String,
    url: String,
}

impl End {
    /// Stands for the identity that the program itself finds when it surveys the source.
    pub const SURVEYED: &'static str = "{surveyed}";

    /// A PostgreSQL database through its socket, as this role.
    #[must_use]
    pub fn postgres(database: &PostgresDatabase, role: &str) -> Self {
        let server = database.server();
        let identity = database.sql(
            "select (select system_identifier from pg_control_system()) || ':' || oid \
             from pg_database where datname = current_database()",
        );
        Self {
            engine: "postgresql",
            database: database.name().to_owned(),
            identity,
            url: format!(
                "postgresql://{role}@{}:{}/{}",
                server.socket_folder().display().to_string().replace('/', "%2F"),
                server.port(),
                database.name()
            ),
        }
    }

    /// A MariaDB database over the loopback, as `ecluse`.
    #[must_use]
    pub fn mariadb(database: &MariadbDatabase) -> Self {
        let identity = database.sql("select concat(@@server_uid, '/', database())");
        Self {
            engine: "mariadb",
            database: database.name().to_owned(),
            identity,
            url: format!("{}?password-file={}", database.url(), database.server().password_file().display()),
        }
    }

    /// A dump of a database, at this place; `schema` is a dump of its schema alone.
    #[must_use]
    pub fn dump(engine: &'static str, database: &str, place: &str, schema: &Path) -> Self {
        Self {
            engine,
            database: database.to_owned(),
            identity: format!("dump/{database}"),
            url: format!("dump+{engine}:{place}?database={database}&schema={}", schema.display()),
        }
    }

    /// A folder of CSV files under this name, and its description.
    #[must_use]
    pub fn csv(name: &str, folder: &Path, schema: &Path) -> Self {
        Self {
            engine: "csv",
            database: name.to_owned(),
            identity: format!("csv/{name}"),
            url: format!("csv:{}?database={name}&schema={}", folder.display(), schema.display()),
        }
    }

    /// A SQLite file; its identity is the adapter's to say.
    #[must_use]
    pub fn sqlite(path: &Path, identity: String) -> Self {
        Self {
            engine: "sqlite",
            database: "main".to_owned(),
            identity,
            url: format!("sqlite:{}", path.display()),
        }
    }

    /// The same PostgreSQL database through this port of the loopback, a proxy's, as `postgres`.
    #[must_use]
    pub fn postgres_through(database: &PostgresDatabase, port: u16) -> Self {
        let file = database.server().password_file();
        Self {
            url: format!(
                "postgresql://postgres@127.0.0.1:{port}/{}?password-file={}",
                database.name(),
                file.display()
            ),
            ..Self::postgres(database, "postgres")
        }
    }

    /// The same MariaDB database through this port of the loopback, a proxy's.
    #[must_use]
    pub fn mariadb_through(database: &MariadbDatabase, port: u16) -> Self {
        let file = database.server().password_file();
        Self {
            url: format!(
                "mariadb://ecluse@127.0.0.1:{port}/{}?password-file={}",
                database.name(),
                file.display()
            ),
            ..Self::mariadb(database)
        }
    }

    /// The instance's identity, as papers write it.
    #[must_use]
    pub fn identity(&self) -> String {
        self.identity.trim().to_owned()
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A paper with `{SIDE.engine}`, `{SIDE.database}` and `{SIDE.identity}` filled in, as the worked
    /// papers in `docs/` leave them open.
    #[must_use]
    pub fn named_in(&self, paper: &str, side: &str) -> String {
        paper
            .replace(&format!("{{{side}.engine}}"), self.engine)
            .replace(&format!("{{{side}.database}}"), &self.database)
            .replace(&format!("{{{side}.identity}}"), &self.identity())
    }
}

/// One table of the order; columns arrive under their own names.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// The table, at both ends.
    pub table: &'static str,
    /// The row filter.
    pub rows: &'static str,
    /// The columns, the key's included.
    pub columns: Vec<&'static str>,
    /// Those of them that need a reason (free text, third parties).
    pub reasoned: Vec<&'static str>,
}

/// A migration folder and the program that works on it.
#[derive(Debug)]
pub struct Migration {
    program: PathBuf,
    folder: PathBuf,
    papers: Papers,
}

impl Migration {
    /// Makes the folder: contract, mandate, session, dictionary, order, mapping and status, all
    /// signed and in force now.
    ///
    /// # Panics
    ///
    /// When the program refuses a step; its words are shown.
    #[must_use]
    pub fn new(
        program: &Path,
        folder: &Path,
        now: Timestamp,
        source: &End,
        destination: &End,
        order: &[Ordered],
    ) -> Self {
        Self::mapped(program, folder, now, source, destination, order, |column| format!("\"{column}\""))
    }

    /// The same into a destination that holds other laboratories: `append` is the mapping's
    /// `[append]`, as it is written there.
    ///
    /// # Panics
    ///
    /// As [`Self::new`].
    #[must_use]
    pub fn appended(
        program: &Path,
        folder: &Path,
        now: Timestamp,
        source: &End,
        destination: &End,
        order: &[Ordered],
        append: &str,
    ) -> Self {
        let mut papers = Papers::new(now);
        papers.instruction = instruction(source, destination, order, now);
        papers.mapping = format!("{}\n{append}", mapping(order, |column| format!("\"{column}\"")));
        Self::under(program, folder, source, destination, papers)
    }

    /// The same; `make` says what a destination column is made of, in the mapping's words.
    ///
    /// # Panics
    ///
    /// As [`Self::new`].
    #[must_use]
    pub fn mapped(
        program: &Path,
        folder: &Path,
        now: Timestamp,
        source: &End,
        destination: &End,
        order: &[Ordered],
        make: impl Fn(&str) -> String,
    ) -> Self {
        let mut papers = Papers::new(now);
        papers.instruction = instruction(source, destination, order, now);
        papers.mapping = mapping(order, make);
        Self::under(program, folder, source, destination, papers)
    }

    /// The same with rows sealed to the recipient of [`Papers::receive`], in the place of a destination.
    ///
    /// # Panics
    ///
    /// As [`Self::new`].
    #[must_use]
    pub fn to_recipient(
        program: &Path,
        folder: &Path,
        now: Timestamp,
        source: &End,
        order: &[Ordered],
    ) -> Self {
        let mut papers = Papers::new(now);
        papers.receive();
        let direct = instruction(source, source, order, now);
        let (before, rest) = direct.split_once("[destination]").expect("a destination");
        let (_, after) = rest.split_once("[erasure]").expect("the erasure");
        papers.instruction = format!(
            "{before}[[recipient]]\nage = \"{RECIPIENT}\"\nstatement = \"{{recipient}}\"\n\n[erasure]{after}"
        );
        papers.mapping = mapping(order, |column| format!("\"{column}\""));
        Self::under(program, folder, source, source, papers)
    }

    /// The same under these papers: the program surveys, fills in the order's digests, and it is signed.
    ///
    /// # Panics
    ///
    /// When the program refuses a step; its words are shown.
    #[must_use]
    pub fn under(program: &Path, folder: &Path, source: &End, destination: &End, mut papers: Papers) -> Self {
        papers.mandate = (
            ecluse_core::types::Engine::from_name(source.engine).expect("an engine"),
            source.database.clone(),
        );
        papers.write(folder);
        let connections =
            format!("[source]\nurl = \"{}\"\n\n[destination]\nurl = \"{}\"\n", source.url, destination.url);
        std::fs::write(folder.join("connections.toml"), connections).expect("connections.toml");
        let mut this = Self { program: program.to_owned(), folder: folder.to_owned(), papers };
        // the program surveys and fills in; what it wrote is then signed as any paper
        std::fs::remove_file(folder.join("dictionary.toml")).expect("the empty dictionary");
        std::fs::remove_dir_all(signatures_of(&folder.join("instruction.toml"))).expect("signatures");
        this.succeed(&["survey"]);
        this.identify();
        // filled first; where the papers could not be planned, a test hears it from the command it gives
        let _told = this.run(&["instruction", "check", "--fill"]);
        let filled = this.read("instruction.toml");
        let body = filled.split_once("\n[instruction]").expect("the order's body").1;
        this.papers.instruction = format!("[instruction]{body}");
        this.papers.dictionary = this.read("dictionary.toml");
        this.papers.write(folder);
        // where the program looks for the operator's identity by itself
        std::fs::copy(folder.join("keys/petit.age"), folder.join("keys/operator.age")).expect("the identity");
        this
    }

    /// The papers, to spoil them.
    #[must_use]
    pub const fn papers(&mut self) -> &mut Papers {
        &mut self.papers
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program, working on this folder.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-C").arg(&self.folder).args(arguments);
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// Runs it; anything but success is a panic with its words.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "ecluse {}: {}\n{said}{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }

    /// Makes the views and the role that `ecluse grants` prints, as PostgreSQL's administrator.
    pub fn grant_postgres(&self, source: &PostgresDatabase, role: &str) {
        source.sql(&self.succeed(&["grants", "--role", role]));
    }

    /// From now on a PostgreSQL source is read as people would: through its administrator's
    /// views, by a role that can read nothing else.
    ///
    /// # Panics
    ///
    /// When the connections cannot be written.
    pub fn grant_reader(&self, source: &PostgresDatabase) {
        // roles are the whole server's: one per source
        self.grant_reader_as(source, &format!("reader_of_{}", source.name()));
    }

    /// The same by a role of this name.
    ///
    /// # Panics
    ///
    /// As [`Self::grant_reader`].
    pub fn grant_reader_as(&self, source: &PostgresDatabase, role: &str) {
        self.grant_postgres(source, role);
        let (survey, reader) = (End::postgres(source, "postgres"), End::postgres(source, role));
        let connections = self.read("connections.toml").replacen(survey.url(), reader.url(), 1);
        std::fs::write(self.folder.join("connections.toml"), connections).expect("connections.toml");
    }

    /// Puts the surveyed identity in the place that [`End::SURVEYED`] holds.
    fn identify(&self) {
        let order = self.read("instruction.toml");
        if order.contains(End::SURVEYED) {
            let dictionary = self.read("dictionary.toml");
            let line = dictionary.lines().find_map(|l| l.strip_prefix("identity")).expect("an identity");
            let identity = line.trim_start_matches([' ', '=']).trim_matches('"');
            let filled = order.replace(End::SURVEYED, identity);
            std::fs::write(self.folder.join("instruction.toml"), filled).expect("instruction.toml");
        }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).expect("a paper")
    }
}

fn instruction(source: &End, destination: &End, order: &[Ordered], now: Timestamp) -> String {
    let none = format!("sha256:{}", "0".repeat(64));
    let day = (now + jiff::SignedDuration::from_hours(24 * 60)).to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut text = format!(
        "[instruction]\nkind = \"targeted\"\npurpose = \"Continuity of the patients' records\"\n\
         dictionary = \"{none}\"\nmapping = \"{none}\"\nmax_runs = 1000\nsuite = \"ecluse-1\"\n\
         status_max_age = \"24h\"\ntolerance = 0\n\n\
         [source]\nengine = \"{}\"\ndatabase = \"{}\"\nidentity = \"{}\"\nschema = \"{none}\"\n\n\
         [destination]\nengine = \"{}\"\ndatabase = \"{}\"\nidentity = \"{}\"\n\n\
         [erasure]\ncopies = {day}\n\n[stays]\n",
        source.engine,
        source.database,
        source.identity,
        destination.engine,
        destination.database,
        destination.identity
    );
    if source.engine == "csv" {
        text = text.replacen("[destination]", "cannot_deny = true\nin_clear = true\n\n[destination]", 1);
    } else if source.identity.starts_with("dump/") {
        text = text.replacen("[destination]", "cannot_deny = true\n\n[destination]", 1);
    }
    for class in [
        "identity",
        "contact",
        "national identifier",
        "third party",
        "staff",
        "result",
        "sensitive result",
        "free text",
        "attachment",
        "credential",
        "billing",
        "quality",
        "audit",
        "technical",
    ] {
        text.push_str(&format!("\"{class}\" = {{ fate = \"keep\", until = {day} }}\n"));
    }
    text.push_str("\n[pending]\nrule = \"stay\"\n");
    for table in order {
        text.push_str(&format!(
            "\n[[table]]\nname = \"{}\"\nlabel = \"{}\"\nrows = '{}'\ncolumns = [\n",
            table.table, table.table, table.rows
        ));
        for column in &table.columns {
            if table.reasoned.contains(column) {
                text.push_str(&format!(
                    "    {{ name = \"{column}\", reason = \"the law wants it in a report\" }},\n"
                ));
            } else {
                text.push_str(&format!("    \"{column}\",\n"));
            }
        }
        text.push_str("]\n");
    }
    text
}

fn mapping(order: &[Ordered], make: impl Fn(&str) -> String) -> String {
    let mut text = "[mapping]\nformat = \"ecluse-mapping/1\"\n".to_owned();
    for table in order {
        text.push_str(&format!("\n[[table]]\nfrom = \"{0}\"\nto = \"{0}\"\n[table.columns]\n", table.table));
        for column in &table.columns {
            text.push_str(&format!("{column} = {}\n", make(column)));
        }
    }
    text
}
