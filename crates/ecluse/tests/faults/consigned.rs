//! An order to a recipient, from the extraction to the erased source, killed on its way: rows are in clear in the
//! two databases alone, wherever on this machine the processes could write.
//!
//! Where the test runs as root the parties are a user that nobody else is: whatever they left in a folder that
//! everybody may write to is known by its owner, and no other place is open to them.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use ecluse_adapters::sqlite::{Source, create_from};
use ecluse_flow::ports::Source as _;
use ecluse_testkit::account::Stranger;
use ecluse_testkit::canary::{Canaries, Side};
use ecluse_testkit::kill::{CHUNK_ROWS, VARIABLE, failpoints};
use ecluse_testkit::leak::{Found, Search};
use ecluse_testkit::migration::{End, Migration};
use ecluse_testkit::papers::{IDENTITY, Papers, RECIPIENT};

use crate::laboratory::now;

/// Folders that everybody may write to.
const OPEN: [&str; 5] = ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock"];

const EXTRACT: &[&str] = &["extract", "-o", "../archive", "--key", "keys/petit"];
const OPENED: &[&str] = &["open", "../archive", "--identity", "../own.age"];
const LOAD: &[&str] = &[
    "load",
    "../archive",
    "--identity",
    "../own.age",
    "--to",
    "sqlite:../../bases/new.db",
    "--ddl",
    "--key",
    "martin",
];
const ERASE: &[&str] = &["erase", "--source"];

/// Both parties in one folder each, side by side, the databases and the archive beside them.
struct Parties {
    here: tempfile::TempDir,
    /// The program, and what is put back between two deaths: nobody searches here.
    aside: tempfile::TempDir,
    who: Option<Stranger>,
    canaries: Canaries,
}

impl Parties {
    fn new() -> Self {
        let here = tempfile::tempdir().unwrap();
        let this = Self {
            here,
            aside: tempfile::tempdir().unwrap(),
            who: Stranger::new(),
            canaries: Canaries::new(),
        };
        for folder in ["bases", "lab", "theirs", "tmp"] {
            std::fs::create_dir(this.at(folder)).unwrap();
        }
        let (inside, outside) = (this.canaries.stem(Side::Inside), this.canaries.stem(Side::Outside));
        let old = this.at("bases/old.db").canonicalize().unwrap_or_else(|_| this.at("bases/old.db"));
        create_from(
            &old,
            &format!(
                "create table patient (id integer primary key, nom varchar(60) not null, adresse varchar(60));
                 create table examen (id integer primary key, patient_id integer not null references patient (id), valeur varchar(40));
                 with recursive n(i) as (select 1 union all select i + 1 from n where i < 40)
                 insert into patient select i, '{inside}-Nom-' || i, '{outside}-Rue-' || i from n;
                 with recursive n(i) as (select 1 union all select i + 1 from n where i < 90)
                 insert into examen select i, 1 + i % 40, '{inside}-' || i from n"
            ),
        )
        .unwrap();
        let source = End::sqlite(&old, Source::open(&old).unwrap().identity().unwrap());
        let nowhere = End::sqlite(&this.at("bases/none.db"), String::new());
        let mut papers = Papers::new(now());
        papers.receive();
        papers.instruction = order(&source.identity());
        papers.mapping = MAPPING.to_owned();
        let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
        let mut made = Migration::under(program, &this.at("lab"), &source, &nowhere, papers);
        made.papers().write(&this.at("lab"));
        std::fs::write(this.at("lab/connections.toml"), format!("[source]\nurl = \"{}\"\n", source.url()))
            .unwrap();
        for name in ["contract.toml", "recipient.toml", "status.toml"] {
            this.put(&["lab/", name].concat(), "theirs/lab");
            this.put(&["lab/", name, ".sigs"].concat(), "theirs/lab");
        }
        for name in ["lab/fingerprints.txt", "lab/keys/martin", "lab/keys/martin.pub"] {
            this.put(name, "theirs/lab");
        }
        this.take("lab/keys/martin");
        std::fs::write(this.at("theirs/own.age"), format!("{IDENTITY}\n")).unwrap();
        std::fs::set_permissions(this.at("theirs/own.age"), std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::copy(program, this.program()).unwrap();
        if let Some(who) = this.who {
            who.gets(this.here.path());
            who.gets(this.aside.path());
        }
        this
    }

    fn at(&self, name: &str) -> PathBuf {
        self.here.path().join(name)
    }

    fn program(&self) -> PathBuf {
        self.aside.path().join("ecluse")
    }

    /// Copies a file or a folder into a folder, which is made; owners and modes with it.
    fn put(&self, from: &str, folder: &str) {
        std::fs::create_dir_all(self.at(folder)).unwrap();
        shell(Command::new("cp").arg("-a").arg(self.at(from)).arg(self.at(folder)));
    }

    fn take(&self, name: &str) {
        shell(Command::new("rm").arg("-rf").arg(self.at(name)));
    }

    /// A command of one party's, in its folder.
    fn command(&self, arguments: &[&str]) -> Command {
        let program = self.program().display().to_string();
        let mut command = self.who.map_or_else(|| Command::new(&program), |who| who.command(&program));
        let folder = if arguments == LOAD || arguments == OPENED { "theirs/lab" } else { "lab" };
        command.current_dir(self.at(folder)).args(arguments).env(CHUNK_ROWS, "16");
        command.env("TMPDIR", self.at("tmp")).env("HOME", self.at("theirs"));
        command
    }

    fn search(&self, sides: &[Side]) -> Search {
        Search::new(&sides.iter().map(|side| self.canaries.stem(*side)).collect::<Vec<_>>())
    }

    /// Where a value stands that only the databases may hold: on every volume, in what is sealed to the parties too;
    /// in the archive, as whoever finds it reads it.
    fn leaks(&self) -> Vec<Found> {
        let search = self.search(&[Side::Inside, Side::Outside]);
        let opening = search.opening(&[IDENTITY]);
        let mut found = Vec::new();
        for name in ["archive", "archive.part", "theirs/archive"] {
            found.extend(search.folder(&self.at(name)));
        }
        for name in ["lab", "theirs/lab", "theirs/own.age", "tmp"] {
            found.extend(opening.folder(&self.at(name)));
        }
        let ours = |entry: &std::fs::DirEntry| {
            let own =
                entry.metadata().is_ok_and(|found| self.who.is_some_and(|who| who.uid() == found.uid()));
            own && entry.path() != self.here.path() && entry.path() != self.aside.path()
        };
        for entry in OPEN.iter().flat_map(std::fs::read_dir).flatten().flatten().filter(ours) {
            found.extend(opening.folder(&entry.path()));
        }
        found
    }

    /// Runs it to its end; meanwhile what it holds open is searched again and again, unlinked files too.
    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let search = self.search(&[Side::Inside, Side::Outside]);
        let words = tempfile::NamedTempFile::new_in(self.aside.path()).unwrap();
        let (out, errors) = (words.reopen().unwrap(), words.reopen().unwrap());
        let mut child = self.command(arguments).stdout(out).stderr(errors).spawn().unwrap();
        let mut held = Vec::new();
        while child.try_wait().unwrap().is_none() {
            held.extend(search.process(child.id()));
            std::thread::sleep(Duration::from_millis(10));
        }
        let said = std::fs::read_to_string(words.path()).unwrap();
        assert!(child.wait().unwrap().success(), "{arguments:?}: {said}");
        // the two databases hold the rows by right
        held.retain(|found| !found.place.contains("/bases/"));
        assert_eq!(held, [], "{arguments:?}");
        assert_eq!(search.bytes("said", said.as_bytes()), [], "{arguments:?}");
        assert_eq!(self.leaks(), [], "{arguments:?}");
        said
    }

    /// Somebody answers for every place beyond reach.
    fn answered_for(&self) {
        let said = self.done(&["erase", "--source", "--dry-run"]);
        let lines = said.lines().filter(|line| line.starts_with("what = "));
        let lines =
            lines.map(|line| format!("[[place]]\n{line}\nowner = \"Jean Roux\"\nuntil = \"2099-01-31\"\n"));
        std::fs::write(self.at("lab/places.toml"), lines.collect::<String>()).unwrap();
        self.who.iter().for_each(|who| who.gets(&self.at("lab/places.toml")));
    }

    /// A row that was changed, added or taken away since the extraction: nothing goes.
    #[track_caller]
    fn other_rows_hold_the_erasure_up(&self) {
        let sql =
            |script: &str| rusqlite::Connection::open(self.at("bases/old.db")).unwrap().execute_batch(script);
        let row = format!("insert into examen values (7, 8, '{}-7')", self.canaries.stem(Side::Inside));
        for (there, back) in [
            (
                "update examen set valeur = valeur || '.' where id = 90",
                "update examen set valeur = rtrim(valeur, '.') where id = 90",
            ),
            ("insert into examen values (91, 1, 'x')", "delete from examen where id = 91"),
            ("delete from examen where id = 7", row.as_str()),
        ] {
            sql(there).unwrap();
            let held = self.command(ERASE).output().unwrap();
            assert!(
                !held.status.success() && said(&held).contains("ECL-ERA-010"),
                "{there}: {}",
                said(&held)
            );
            sql(back).unwrap();
        }
    }

    /// Kills a step at each of these failpoints, at this passing: nothing is in clear, and the same command ends it.
    fn killed(&self, arguments: &[&str], own: &[&str], passing: impl Fn(&str) -> u64) -> usize {
        let kept = tempfile::tempdir_in(self.aside.path()).unwrap();
        let folders = ["bases", "lab", "theirs", "archive"];
        let copy = |from: &Path, to: &Path| {
            for name in folders.iter().filter(|name| from.join(name).exists()) {
                shell(Command::new("cp").arg("-a").arg(from.join(name)).arg(to));
            }
        };
        copy(self.here.path(), kept.path());
        let places = failpoints().into_iter().filter(|name| own.iter().any(|own| name.starts_with(own)));
        let mut deaths = 0;
        for place in places {
            let death = format!("{place}:{}", passing(&place));
            let died = self.command(arguments).env(VARIABLE, &death).output().unwrap();
            if !died.status.success() {
                assert!(died.status.code().is_none(), "{death}: {}", said(&died));
                assert_eq!(self.leaks(), [], "{death}");
                if !(arguments == EXTRACT && self.at("archive").exists()) {
                    self.done(arguments);
                }
                deaths += 1;
            }
            for name in [&folders[..], &["archive.part"]].concat() {
                self.take(name);
            }
            copy(kept.path(), self.here.path());
        }
        deaths
    }
}

fn shell(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

const MAPPING: &str = "[mapping]\nformat = \"ecluse-mapping/1\"\n
[[table]]\nfrom = \"patient\"\nto = \"patient\"\n[table.columns]\nid = \"id\"\nnom = \"nom\"\n
[[table]]\nfrom = \"examen\"\nto = \"examen\"\n[table.columns]\nid = \"id\"\npatient_id = \"patient_id\"\nvaleur = \"valeur\"\n";

fn order(identity: &str) -> String {
    let none = format!("sha256:{}", "0".repeat(64));
    let day = (now() + jiff::SignedDuration::from_hours(24 * 60)).to_zoned(jiff::tz::TimeZone::UTC).date();
    let classes = [
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
    ];
    let stays = classes.map(|class| {
        format!("\"{class}\" = {{ fate = \"destroy\", reason = \"the old system ends\", by = {day} }}\n")
    });
    format!(
        "[instruction]\nkind = \"targeted\"\npurpose = \"Continuity of the patients' records\"\n\
         dictionary = \"{none}\"\nmapping = \"{none}\"\nmax_runs = 1000\nsuite = \"ecluse-1\"\n\
         status_max_age = \"24h\"\ntolerance = 0\n\n\
         [source]\nengine = \"sqlite\"\ndatabase = \"main\"\nidentity = \"{identity}\"\nschema = \"{none}\"\n\n\
         [[recipient]]\nage = \"{RECIPIENT}\"\nstatement = \"{{recipient}}\"\n\n\
         [erasure]\nsource = {day}\ncopies = {day}\n\n[stays]\n{}\n[pending]\nrule = \"stay\"\n\n\
         [[table]]\nname = \"patient\"\nlabel = \"Patients\"\nrows = 'true'\ncolumns = [\"id\", \"nom\"]\n\n\
         [[table]]\nname = \"examen\"\nlabel = \"Results\"\nrows = 'true'\ncolumns = [\"id\", \"patient_id\", \"valeur\"]\n",
        stays.concat()
    )
}

// proves: SEA-01
#[test]
fn from_extraction_to_erasure_nothing_is_in_clear_on_any_volume_wherever_it_died() {
    let parties = Parties::new();
    let often = |place: &str| if place.starts_with("archive.part") { 3 } else { 1 };
    let mut deaths = parties.killed(EXTRACT, &["archive.", "folder."], often);
    parties.done(EXTRACT);
    // the searches find: what lies where everybody may write; with the identity what moves, and what stays does not
    if let Some(who) = parties.who {
        let left = tempfile::Builder::new().tempfile_in("/dev/shm").unwrap();
        std::fs::write(left.path(), parties.canaries.stem(Side::Outside)).unwrap();
        who.gets(left.path());
        assert_ne!(parties.leaks(), []);
    }
    let opened = |side| parties.search(&[side]).opening(&[IDENTITY]).folder(&parties.at("archive"));
    assert!(opened(Side::Inside).iter().any(|found| found.form == "age: Parquet: UTF-8"));
    assert_eq!(opened(Side::Outside), []);
    parties.put("archive", "theirs");
    parties.done(OPENED);
    deaths += parties.killed(LOAD, &["sqlite_", "overwrite.", "papers.create."], |_| 1);
    parties.done(LOAD);
    let base = parties.search(&[Side::Inside]).folder(&parties.at("bases/new.db"));
    assert_ne!(base, [], "the rows arrived, where they belong");
    for name in ["receipt.toml", "receipt.toml.sigs"] {
        parties.put(&["theirs/lab/", name].concat(), "lab");
    }
    parties.done(&["receipt", "verify", "--archive", "../archive"]);
    parties.done(&["accept", "propose", "--lang", "en"]);
    parties.done(&["accept", "sign", "--key", "keys/fontaine"]);
    parties.answered_for();
    parties.other_rows_hold_the_erasure_up();
    deaths += parties.killed(ERASE, &["sqlite_erase.", "erase."], |_| 1);
    parties.done(ERASE);
    assert!(deaths >= 30, "{deaths}");
    let rows = parties.search(&[Side::Inside, Side::Outside]).folder(&parties.at("bases/old.db"));
    assert_eq!(rows, [], "the source's file holds nothing of what went");
}
