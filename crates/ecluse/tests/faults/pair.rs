//! Two tables that move whole, between any two engines.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecluse_testkit::migration::{End, Migration, Ordered};
use ecluse_testkit::papers::Paper;
use tempfile::TempDir;

use crate::base::Base;
use crate::laboratory::now;

/// Patients and their results, and a destination that waits for them.
pub(crate) struct Pair {
    pub(crate) from: Base,
    pub(crate) to: Base,
    pub(crate) folder: TempDir,
}

/// What the program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) errors: String,
}

impl Answer {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), errors: text(&output.stderr) }
    }

    /// Everything it said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.out, self.errors)
    }

    /// The code on the last line.
    pub(crate) fn last(&self) -> &str {
        let line = self.errors.lines().last().unwrap_or_default();
        line.split(':').next().unwrap_or_default()
    }

    /// Ended with this exit code, and a last line that begins with this code.
    #[track_caller]
    pub(crate) fn is(&self, exit: i32, code: &str) {
        assert_eq!((self.code, self.last()), (Some(exit), code), "{self:?}");
    }

    #[track_caller]
    pub(crate) fn holds(&self) {
        assert_eq!(self.code, Some(0), "{self:?}");
    }
}

const TABLES: &str = "
    create table patient (id bigint not null primary key, nom varchar(40) not null);
    create table resultat (id bigint not null primary key, patient_id bigint not null, valeur varchar(40));
";

/// SQLite's whole numbers are an `integer` there, for its rowid's sake.
fn tables(base: &Base) -> String {
    match base {
        Base::Sqlite(_) => TABLES.replace("bigint", "integer"),
        Base::Postgres(_) | Base::Mariadb(_) => TABLES.to_owned(),
    }
}

impl Pair {
    /// So many patients, and ten results each.
    pub(crate) fn new(from: Base, to: Base, patients: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        from.sql(&tables(&from));
        let rows = |many: u64| match from {
            Base::Postgres(_) => format!("(select i from generate_series(1, {many}) i) n"),
            Base::Mariadb(_) => format!("(select seq as i from seq_1_to_{many}) n"),
            Base::Sqlite(_) => format!(
                "(with recursive n(i) as (select 1 union all select i + 1 from n where i < {many}) select i from n) n"
            ),
        };
        let text = |word: &str| match from {
            Base::Mariadb(_) => format!("concat('{word}', i)"),
            Base::Postgres(_) | Base::Sqlite(_) => format!("'{word}' || i"),
        };
        from.sql(&format!(
            "insert into patient select i, {} from {}; insert into resultat select i, 1 + (i - 1) / 10, {} from {}",
            text("Nom-invente-"),
            rows(patients),
            text("Valeur-"),
            rows(patients * 10),
        ).replace("(i - 1) / 10", if matches!(from, Base::Mariadb(_)) { "(i - 1) div 10" } else { "(i - 1) / 10" }));
        to.sql(&tables(&to));
        Self { from, to, folder }
    }

    /// The papers, over these two ends.
    pub(crate) fn migration(&self, from: &End, to: &End) -> Migration {
        let folder = self.folder.path().join("lab");
        std::fs::create_dir(&folder).unwrap();
        Migration::new(Path::new(env!("CARGO_BIN_EXE_ecluse")), &folder, now(), from, to, &order())
    }

    /// The papers, over the two databases themselves.
    pub(crate) fn direct(&self) -> Migration {
        self.migration(&self.from.as_source(), &self.to.as_destination())
    }

    /// The same, a PostgreSQL source read through the administrator's views.
    pub(crate) fn granted(&self) -> Migration {
        let made = self.direct();
        if let Base::Postgres(source) = &self.from {
            made.grant_reader(source);
        }
        made
    }

    /// A run folder of that name.
    pub(crate) fn run(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The destination as it was before any run.
    pub(crate) fn empty(&self) {
        match &self.to {
            Base::Sqlite(_) => {
                let ours =
                    ["run", "chunk", "ddl"].map(|t| format!("drop table if exists ecluse_ledger_{t};"));
                self.to.sql(&ours.concat());
            }
            Base::Mariadb(_) => {
                self.to.sql("drop table if exists ecluse_ledger_run, ecluse_ledger_chunk");
            }
            Base::Postgres(_) => {
                self.to.sql("drop schema if exists ecluse_ledger cascade");
            }
        }
        self.to.sql("delete from resultat; delete from patient");
    }

    /// Has the order signed anew, with room for one refused row.
    pub(crate) fn tolerate_one(made: &mut Migration) {
        made.papers().edit(Paper::Instruction, "tolerance = 0", "tolerance = 1");
        let folder = made.folder().to_owned();
        made.papers().write(&folder);
    }

    /// What the figures of a run say of refused rows: code and place, count.
    pub(crate) fn refused(&self, run: &str) -> Vec<(String, u64)> {
        let text = std::fs::read(self.run(run).join("figures.json")).unwrap();
        let figures: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let tables = figures["tables"].as_array().unwrap();
        let of = |table: &serde_json::Value| table["refused"].as_object().cloned().unwrap_or_default();
        tables.iter().flat_map(of).map(|(code, rows)| (code, rows.as_u64().unwrap())).collect()
    }

    /// Every row is there once, with its value.
    #[track_caller]
    pub(crate) fn arrived(&self) {
        let question = "select count(*), count(distinct id), sum(id), sum(length(nom)) from patient;
             select count(*), count(distinct id), sum(id), sum(patient_id), sum(length(valeur)) from resultat";
        assert_eq!(self.to.sql(question), self.from.sql(question));
    }
}

fn order() -> Vec<Ordered> {
    vec![
        Ordered { table: "patient", rows: "true", columns: vec!["id", "nom"], reasoned: vec![] },
        Ordered {
            table: "resultat",
            rows: "patient_id in chosen.patient",
            columns: vec!["id", "patient_id", "valeur"],
            reasoned: vec![],
        },
    ]
}

/// `ecluse migrate` into that run folder.
pub(crate) fn migrate(made: &Migration, run: &Path, more: &[&str]) -> Command {
    let run = run.display().to_string();
    let mut command = made.command(&["migrate", "--run", &run, "--without-views", "a test"]);
    command.args(["--accept-wider-role", "a test"]).args(more);
    command
}

/// The same, to its end.
pub(crate) fn migrated(made: &Migration, run: &Path, more: &[&str]) -> Answer {
    Answer::of(&migrate(made, run, more).output().unwrap())
}

/// The same without any override, where the source is read as it should be.
pub(crate) fn plainly(made: &Migration, run: &Path, more: &[&str]) -> Answer {
    let mut command = made.command(&["migrate", "--run"]);
    Answer::of(&command.arg(run).args(more).output().unwrap())
}

/// [`migrated`] again until it holds, as long as a retry may help; 20 s at most.
#[track_caller]
pub(crate) fn goes_on(made: &Migration, run: &Path) {
    let start = std::time::Instant::now();
    loop {
        let answer = migrated(made, run, &[]);
        if answer.code == Some(0) {
            return;
        }
        assert_eq!(answer.code, Some(3), "{answer:?}");
        assert!(start.elapsed().as_secs() < 20, "{answer:?}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// `ecluse reconcile` of that run.
pub(crate) fn reconciled(made: &Migration, run: &Path) -> Answer {
    Answer::of(&made.run(&["reconcile", &run.display().to_string()]))
}
