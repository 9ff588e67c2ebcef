//! Persons who exist at the destination already: told to the laboratory, merged by nobody, and looked for
//! only where the order says so.

use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_core::ins;
use ecluse_core::value::Value;
use ecluse_flow::figures::{Figures, KnownFigures};
use ecluse_seal::{AgreeBy, Identity};
use ecluse_testkit::kill::{VARIABLE, failpoints};
use ecluse_testkit::leak::Search;
use ecluse_testkit::migration::{Migration, Ordered};
use ecluse_testkit::papers::{IDENTITY, Paper};
use serde_json::json;

use crate::base::Base;
use crate::laboratory::now;
use crate::pair::{Answer, migrate, plainly, reconciled};

const TABLES: &str = "
create table patient (id integer not null primary key, site varchar(9) not null, ins varchar(21), ins_oid varchar(30),
  nom varchar(40), prenom varchar(40), ne_le date, sexe varchar(1));
create table demande (id integer not null primary key, patient_id integer not null references patient (id));
";

const COLUMNS: [&str; 8] = ["id", "site", "ins", "ins_oid", "nom", "prenom", "ne_le", "sexe"];

/// In every name and in every neighbour's key.
const NAMED: &str = "Zxqanari";
const KEYED: &str = "18812340";
const TEST: &str = "1.2.250.1.213.1.4.10";
const DEMONSTRATION: &str = "1.2.250.1.213.1.4.11";

const ROOM: &str = "[append]\noffset = 5000000\nroom = 1000000\n";

/// A number with its key, and blanks between.
fn number(head: &str) -> String {
    format!("{head}{:02}", ins::key(head).unwrap())
}

/// One row; a name is written behind the canary.
fn row(id: &str, site: &str, ins: &str, oid: &str, name: &str, who: [&str; 3]) -> String {
    let text = |value: &str| if value.is_empty() { "null".to_owned() } else { format!("'{value}'") };
    let [first, born, sex] = who;
    let name = if name.is_empty() { String::new() } else { format!("{NAMED}{name}") };
    let cells: Vec<String> = [site, ins, oid, &name, first, born, sex].into_iter().map(text).collect();
    format!("({id}, {})", cells.join(", "))
}

/// Those who arrive, of site A.
fn arriving() -> String {
    let (one, two, three) = (number("2790351215189"), number("1840175056001"), number("1900213055008"));
    [
        row("1", "A", "", "", "-Lefèvre", ["Hélène", "1979-03-01", "F"]),
        row("2", "A", "", "", "Martin", ["Jean", "1980-01-02", "M"]),
        row("3", "A", &one, TEST, "Dupont", ["Une", "1979-03-03", "F"]),
        row("4", "A", "", "", "Ailleurs", ["Léa", "1981-04-05", "F"]),
        row("5", "A", &two, TEST, " d’Arc", ["Jeanne-Marie", "1984-01-30", "F"]),
        row("6", "A", "", "", "Personne", ["Paul", "1970-06-06", "M"]),
        row("7", "A", &three, TEST, "Autre", ["Luc", "1990-02-13", "M"]),
        // what is absent agrees with nothing that is absent
        row("8", "A", "", "", "", ["", "", ""]),
    ]
    .join(", ")
}

/// Those who stand there: of site A, of site B, and of a site that is called `a`.
fn standing() -> String {
    let (one, two, three) = (number("2790351215189"), number("1840175056001"), number("1900213055008"));
    let key = |n: u32| format!("{KEYED}{n:02}");
    [
        row(&key(1), "A", "", "", " LEFEVRE", ["HELENE", "1979-03-01", "F"]),
        // the twin of 2: another first name
        row(&key(2), "A", "", "", "MARTIN", ["JACQUES", "1980-01-02", "M"]),
        // 3 under another spelling, the number without its key and with blanks
        row(&key(3), "A", &one.split_at(13).0.replacen('2', "2 ", 1), TEST, "DUPOND", ["UNE", "", "F"]),
        // 4, of other entities
        row(&key(4), "B", "", "", "AILLEURS", ["LEA", "1981-04-05", "F"]),
        row(&key(5), "a", "", "", "AILLEURS", ["LEA", "1981-04-05", "F"]),
        row(&key(6), "A", &two, TEST, " D ARC", ["JEANNE MARIE", "1984-01-30", "f"]),
        // 6 of another sex, and on another day
        row(&key(7), "A", "", "", "PERSONNE", ["PAUL", "1970-06-06", "F"]),
        row(&key(8), "A", "", "", "PERSONNE", ["PAUL", "1970-06-07", "M"]),
        // 7's number, given by another authority
        row(&key(9), "A", &three, DEMONSTRATION, "QUELQUUN", ["LUC", "1990-02-13", "M"]),
        row(&key(10), "A", "", "", "", ["", "", ""]),
    ]
    .join(", ")
}

struct Case {
    from: Base,
    to: Base,
    folder: tempfile::TempDir,
    /// Everybody else's rows before anything was done.
    neighbours: String,
}

const OTHERS: &str = "select * from patient where id > 6000000 order by id";
const OURS: &str = "select * from patient where id between 5000000 and 5999999 order by id";

impl Case {
    fn new(from: Base, to: Base) -> Self {
        let tables = |base: &Base| match base {
            Base::Mariadb(_) => TABLES.replace("integer", "bigint"),
            Base::Postgres(_) | Base::Sqlite(_) => TABLES.to_owned(),
        };
        let demands = "insert into demande values (1, 1), (2, 2), (3, 3)";
        from.sql(&format!("{}insert into patient values {}; {demands}", tables(&from), arriving()));
        to.sql(&format!("{}insert into patient values {}", tables(&to), standing()));
        let neighbours = to.sql(OTHERS);
        assert_eq!(neighbours.lines().count(), 10);
        Self { from, to, folder: tempfile::tempdir().unwrap(), neighbours }
    }

    fn sqlite(home: &Path) -> Self {
        Self::new(Base::sqlite(home, "old.db"), Base::sqlite(home, "new.db"))
    }

    /// The papers; `word` is what the order says of persons who stand there.
    fn migration(&self, word: &str) -> Migration {
        let folder = self.folder.path().join("lab");
        std::fs::create_dir(&folder).unwrap();
        let every = |table, columns| Ordered { table, rows: "true", columns, reasoned: vec![] };
        let order = [every("patient", COLUMNS.to_vec()), every("demande", vec!["id", "patient_id"])];
        let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
        let (from, to) = (self.from.as_source(), self.to.as_destination());
        let mut made = Migration::appended(program, &folder, now(), &from, &to, &order, ROOM);
        let word = format!("{word}\n[erasure]\n");
        made.papers().edit(Paper::Instruction, "[erasure]\n", &word);
        made.papers().write(&folder);
        if let Base::Postgres(source) = &self.from {
            made.grant_reader(source);
        }
        made
    }

    fn run(&self) -> PathBuf {
        self.folder.path().join("lab/run")
    }

    fn figures(&self) -> Figures {
        serde_json::from_slice(&std::fs::read(self.run().join("figures.json")).unwrap()).unwrap()
    }

    /// The sealed list: which row of ours (1 to 8), which of the others (1 to 10), by what.
    fn pairs(&self) -> Option<Vec<(i64, i64, AgreeBy)>> {
        let sealed = std::fs::read(self.run().join("state.age")).unwrap();
        let state = ecluse_seal::open(&sealed, &Identity::parse(IDENTITY).unwrap()).unwrap();
        let id = |key: &ecluse_core::value::Key| match key.0.as_slice() {
            [Value::Int(id)] => *id,
            _ => panic!("a key of one number"),
        };
        let pairs = state.known?.pairs;
        assert!(pairs.iter().all(|pair| id(&pair.arrived) == id(&pair.here) + 5_000_000));
        Some(pairs.iter().map(|pair| (id(&pair.here), id(&pair.stood) - 1_881_234_000, pair.by)).collect())
    }

    /// Both records of everybody stand side by side, each as it was.
    #[track_caller]
    fn nobody_is_merged(&self) {
        assert_eq!(self.to.sql(OTHERS), self.neighbours);
        let moved = self.to.sql(OURS);
        let asked = self.from.sql("select * from patient order by id");
        let asked: Vec<String> = asked.lines().map(moved_aside).collect();
        assert_eq!(moved.lines().collect::<Vec<_>>(), asked);
    }

    /// Nothing that was said or left beside the databases holds a name, a number or a key.
    #[track_caller]
    fn nothing_leaks(&self, said: &str) {
        let numbers = ["279035121518", "184017505600", "190021305500"];
        let search = Search::new(&[&[NAMED, KEYED], numbers.as_slice()].concat());
        assert_eq!(search.bytes("said", said.as_bytes()), []);
        assert_eq!(search.folder(&self.run()), []);
    }
}

fn moved_aside(line: &str) -> String {
    let (id, rest) = line.split_once('|').unwrap();
    format!("{}|{rest}", id.parse::<i64>().unwrap() + 5_000_000)
}

/// What the order says, of the rows of one entity or of all.
fn word(whose: &str) -> String {
    format!(
        "\n[destination.known]\ntable = \"patient\"\n{whose}\nnumber = \"ins\"\nauthority = \"ins_oid\"\n\
         family = \"nom\"\ngiven = \"prenom\"\nborn = \"ne_le\"\nsex = \"sexe\"\n"
    )
}

const ENTITY: &str = "entity = \"site\"\nvalue = \"A\"";
const SHARED: &str = "shared = \"one table of persons for the group, agreed on 2026-03-02\"";

/// By the entity's rows: one by traits in other capitals and accents, one by number under another
/// name, one by both; no twin, no neighbour of another entity.
const FOUND: [(i64, i64, AgreeBy); 3] =
    [(1, 1, AgreeBy::Traits), (3, 3, AgreeBy::Number), (5, 6, AgreeBy::Both)];

/// Run, listed, shown, caught up, taken away.
fn listed(case: &mut Case) {
    let made = case.migration(&word(ENTITY));
    let run = case.run();
    let moved = plainly(&made, &run, &[]);
    moved.holds();
    assert!(
        moved.out.contains("3 persons who arrived may exist in patient already; nothing was merged"),
        "{moved:?}"
    );
    for (who, many) in [("arrived", 1), ("stood there", 1)] {
        assert!(moved.out.contains(&format!("{many} person who {who} could not be compared")), "{moved:?}");
    }
    case.nobody_is_merged();
    assert_eq!(case.pairs().unwrap(), FOUND);
    let counted = KnownFigures {
        table: "patient".to_owned(),
        persons: 3,
        by_number: 1,
        by_traits: 1,
        by_both: 1,
        unlisted: 0,
        // the eighth, and the tenth of those who stand there
        uncompared: 1,
        uncompared_there: 1,
    };
    assert_eq!(case.figures().known, Some(counted.clone()));

    // told by token and by what they agree, to whoever asks; the board waits for the laboratory's eyes
    let told = made.succeed(&["known", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let by: Vec<&str> = told["pairs"].as_array().unwrap().iter().map(|p| p["by"].as_str().unwrap()).collect();
    assert_eq!((by, &told["figures"]["persons"]), (vec!["traits", "number", "both"], &json!(3)), "{told}");
    reconciled(&made, &run).holds();
    let board = |command: &str| made.succeed(&[command]);
    let waits = "<5 persons may exist at the destination already";
    for command in ["next", "procedure"] {
        assert!(board(command).contains(waits), "{command}: {}", board(command));
    }
    assert!(board("status").contains("the list waits for the laboratory"));
    let mut said = format!("{}{told}", moved.said());
    for command in ["next", "status", "procedure", "known", "report"] {
        said.push_str(&board(command));
    }
    case.nothing_leaks(&said);
    let report = std::fs::read_to_string(case.run().join("report.html")).unwrap();
    let part = report.split("Personnes peut-être déjà connues").nth(1).unwrap().split("<h2>").next().unwrap();
    assert!(part.contains("5 personnes") && part.contains("Rien n’a été fusionné"), "{part}");
    assert!(part.contains("comparées à personne") && part.contains("5 des personnes"), "{part}");
    assert!(!part.contains("1 des"), "{part}");
    // three of them, in all: a count this small is told to the laboratory alone
    assert!(!part.contains("3 personnes") && !part.contains(">3<") && !part.contains(">1<"), "{part}");

    // keys: on a terminal only, journaled before
    Answer::of(&made.run(&["known", "--reveal"])).is(1, "ECL-LOC-010");
    let folder = made.folder().display().to_string();
    let command = format!("'{}' -C '{folder}' known --reveal", env!("CARGO_BIN_EXE_ecluse"));
    let shown = Command::new("script").args(["-qec", &command, "/dev/null"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    for key in ["arrived   id = 5000001", "stood     id = 1881234001", "stood     id = 1881234006"] {
        assert!(shown.contains(key), "{shown}");
    }
    assert!(!shown.contains(NAMED), "keys, and nothing of the rows: {shown}");
    assert!(board("next").contains("the list was looked at"));
    assert!(!board("status").contains("the list waits"));

    // the others live on: a catch-up compares anew, and the list is to be looked at again
    case.to.sql(
        "update patient set prenom = 'HELOISE' where id = 1881234001; update patient set sexe = 'M' where id = 1881234007",
    );
    case.neighbours = case.to.sql(OTHERS);
    plainly(&made, &run, &[]).holds();
    assert_eq!(case.pairs().unwrap(), [FOUND[1], FOUND[2], (6, 7, AgreeBy::Traits)]);
    reconciled(&made, &run).holds();
    assert!(board("next").contains(waits));
    case.nobody_is_merged();

    // and an undo takes the list away, too
    Answer::of(&made.run(&["undo"])).holds();
    assert_eq!(case.pairs(), None);
    Answer::of(&made.run(&["known"])).is(1, "ECL-RUN-065");
    assert!(!board("next").contains("may exist"));
    assert_eq!((case.to.sql(OTHERS), case.to.sql(OURS)), (case.neighbours.clone(), String::new()));
}

// proves: REC-02
#[test]
fn who_is_there_already_is_listed_and_not_merged_in_postgresql() {
    let (Some(from), Some(to)) = (Base::postgres("known"), Base::postgres("known")) else { return };
    let mut case = Case::new(from, to);
    listed(&mut case);
    // of others' rows, only this was ever asked for: the named columns, of the named entity
    let beside: Vec<String> = reads(&case.to).into_iter().filter(|sql| !is_ours(sql)).collect();
    assert!(!beside.is_empty());
    let columns = "\"id\", \"ins\", \"ins_oid\", \"nom\", \"prenom\", \"ne_le\", \"sexe\"";
    for sql in &beside {
        assert!(sql.contains(columns) && sql.contains("\"site\"") && sql.contains("'A'"), "{sql}");
    }
    assert_eq!(beside.len(), 2, "once a run: {beside:?}");
}

// proves: REC-02
#[test]
fn who_is_there_already_is_listed_and_not_merged_in_mariadb() {
    let home = tempfile::tempdir().unwrap();
    let Some(to) = Base::mariadb("known") else { return };
    listed(&mut Case::new(Base::sqlite(home.path(), "old.db"), to));
}

// proves: REC-02
#[test]
fn who_is_there_already_is_listed_and_not_merged_in_sqlite() {
    let home = tempfile::tempdir().unwrap();
    listed(&mut Case::sqlite(home.path()));
}

/// Ten more than the list holds, of the person who arrives first.
#[test]
fn beyond_a_hundred_thousand_they_are_counted() {
    let home = tempfile::tempdir().unwrap();
    let case = Case::sqlite(home.path());
    case.to.sql(&format!(
        "delete from patient; insert into patient with recursive n(i) as (select 1 union all select i + 1 from n where i < 100010)
         select 10000000 + i, 'A', null, null, '{NAMED} LEFEVRE', 'HÉLÈNE', '1979-03-01', 'F' from n"
    ));
    let made = case.migration(&word(ENTITY));
    let run = case.run();
    plainly(&made, &run, &[]).holds();
    let known = case.figures().known.unwrap();
    assert_eq!((known.persons, known.by_traits, known.unlisted), (1, 100_000, 10));
    assert_eq!(case.pairs().unwrap().len(), 100_000);
    let told = made.succeed(&["status"]);
    assert!(told.contains("10 more are counted only"), "{told}");
}

/// Reads of the patients' table at the destination, as the server logged them; whether it holds any row
/// at all is no reading of one.
fn reads(base: &Base) -> Vec<String> {
    let statements = base.statements_of_the_program();
    let reads = statements.into_iter().filter(|sql| {
        let sql = sql.to_lowercase();
        let any = "select not exists (select 1 from \"public\".\"patient\")";
        sql.contains("select") && sql.contains("\"patient\"") && sql != any
    });
    reads.collect()
}

/// Whether a read keeps to this laboratory's room.
fn is_ours(sql: &str) -> bool {
    let sql = sql.to_lowercase();
    sql.contains("5000000") && sql.contains("6000000") && !sql.contains("not (")
}

#[test]
fn without_the_orders_word_no_row_of_anybody_else_is_read() {
    let (Some(from), Some(to)) = (Base::postgres("unasked"), Base::postgres("unasked")) else { return };
    let case = Case::new(from, to);
    let made = case.migration("");
    let moved = plainly(&made, &case.run(), &[]);
    moved.holds();
    assert_eq!((case.figures().known, case.pairs()), (None, None));
    assert!(!moved.said().contains("may exist") && !made.succeed(&["next"]).contains("may exist"));
    Answer::of(&made.run(&["known"])).is(1, "ECL-RUN-065");
    let reads = reads(&case.to);
    assert!(!reads.is_empty());
    for sql in &reads {
        assert!(is_ours(sql), "{sql}");
    }
}

#[test]
fn where_the_table_is_shared_every_row_of_it_is_compared() {
    let home = tempfile::tempdir().unwrap();
    let case = Case::sqlite(home.path());
    let made = case.migration(&word(SHARED));
    plainly(&made, &case.run(), &[]).holds();
    let all = [FOUND[0], FOUND[1], (4, 4, AgreeBy::Traits), (4, 5, AgreeBy::Traits), FOUND[2]];
    assert_eq!(case.pairs().unwrap(), all);
    let known = case.figures().known.unwrap();
    assert_eq!((known.persons, known.by_traits), (4, 3));
    let page = made.folder().join("order.html");
    for (command, lang, says) in [
        ("order", "en", "the table is shared: one table of persons for the group"),
        ("order", "fr", "car la table est partagée"),
        ("patients", "en", "No computer merges two records."),
        ("patients", "fr", "Aucun ordinateur ne fusionne deux dossiers."),
    ] {
        made.succeed(&[command, "--lang", lang, "-o", &page.display().to_string()]);
        let page = std::fs::read_to_string(&page).unwrap();
        assert!(page.contains(says), "{command} {lang}: {page}");
    }
    let planned = made.run(&["plan", "--without-views", "a test", "--accept-wider-role", "a test"]);
    assert!(Answer::of(&planned).said().contains("who is there already is listed at the end"), "{planned:?}");
}

#[test]
fn killed_around_the_list_the_same_command_makes_it_anew() {
    let names: Vec<String> = failpoints().into_iter().filter(|name| name.starts_with("known.")).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    for name in names {
        let home = tempfile::tempdir().unwrap();
        let case = Case::sqlite(home.path());
        let made = case.migration(&word(ENTITY));
        let died = migrate(&made, &case.run(), &[]).env(VARIABLE, format!("{name}:1")).output().unwrap();
        assert!(!died.status.success(), "{name}");
        case.nothing_leaks(&Answer::of(&died).said());
        assert!(!made.succeed(&["next"]).contains("may exist"), "{name}: the run is not through");
        let again = migrate(&made, &case.run(), &[]).output().unwrap();
        Answer::of(&again).holds();
        assert_eq!(case.pairs().unwrap(), FOUND, "{name}");
        case.nobody_is_merged();
    }
}

#[test]
fn a_comparison_that_could_find_nobody_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let case = Case::sqlite(home.path());
    let mut made = case.migration(&word(ENTITY));
    let whole = word(ENTITY);
    let folder = made.folder().to_owned();
    for (was, is, code) in [
        ("table = \"patient\"", "table = \"personne\"", "ECL-PLN-092"),
        ("entity = \"site\"", "entity = \"region\"", "ECL-PLN-092"),
        ("family = \"nom\"", "family = \"nom_usuel\"", "ECL-PLN-092"),
        ("born = \"ne_le\"", "born = \"id\"", "ECL-PLN-092"),
        ("authority = \"ins_oid\"\n", "", "ECL-INS-003"),
        ("entity = \"site\"\n", "", "ECL-INS-003"),
        ("value = \"A\"", "shared = \"everybody's\"", "ECL-INS-004"),
        ("entity = \"site\"", "shared = \"everybody's\"", "ECL-INS-004"),
        ("sex = \"sexe\"", "sex = \"sexe\"\nplace = \"lieu\"", "ECL-INS-002"),
    ] {
        let now = whole.replacen(was, is, 1);
        assert_ne!(now, whole, "{was}");
        made.papers().edit(Paper::Instruction, &whole, &now);
        made.papers().write(&folder);
        let refused = plainly(&made, &case.run(), &[]);
        assert!(refused.code == Some(1) && refused.errors.contains(code), "{is}: {refused:?}");
        made.papers().edit(Paper::Instruction, &now, &whole);
    }
    assert_eq!(case.to.sql(OURS), "");
}
