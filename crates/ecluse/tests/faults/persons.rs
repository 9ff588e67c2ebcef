//! Persons on a sealed list: neither their rows nor any row that hangs on them leaves the source, and
//! who they are stands nowhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ecluse_flow::figures::Figures;
use ecluse_testkit::canary::{Canaries, Side};
use ecluse_testkit::leak::Search;
use ecluse_testkit::migration::{Migration, Ordered};
use tempfile::TempDir;

use crate::base::Base;
use crate::laboratory::now;

const PATIENTS: u32 = 600;

const TABLES: &str = "
create table patient (id varchar(40) not null primary key, family_name varchar(60) not null,
  mother varchar(40) null references patient (id));
create table request (id bigint not null primary key, patient_id varchar(40) not null references patient (id),
  number varchar(60) not null);
create table result (id bigint not null primary key, request_id bigint not null references request (id),
  patient_id varchar(40) null references patient (id), value_text varchar(60) not null);";

fn tables(base: &Base) -> String {
    match base {
        Base::Sqlite(_) => TABLES.replace("bigint not null", "integer not null"),
        Base::Postgres(_) | Base::Mariadb(_) => TABLES.to_owned(),
    }
}

/// A laboratory of which some persons stay: every text of theirs is a canary, their keys too.
pub(crate) struct Opposition {
    from: Base,
    to: Base,
    folder: TempDir,
    stem: String,
}

impl Opposition {
    fn between(from: Base, to: Base) -> Self {
        let stem = Canaries::new().stem(Side::Outside).to_owned();
        let this = Self { from, to, folder: tempfile::tempdir().unwrap(), stem };
        this.from.sql(&format!("{}{}", tables(&this.from), this.rows()));
        this.to.sql(&tables(&this.to));
        this
    }

    /// Those of the list, and one whose row names one of them.
    fn stays(patient: u32) -> bool {
        patient.is_multiple_of(97) || patient == 100
    }

    fn key(&self, patient: u32) -> String {
        let mark = if Self::stays(patient) { self.stem.as_str() } else { "" };
        format!("P{patient:05}{mark}")
    }

    fn text(&self, stays: bool, what: &str, number: u32) -> String {
        let mark = if stays { self.stem.as_str() } else { "" };
        format!("{mark}{what}{number}")
    }

    fn rows(&self) -> String {
        let patients: Vec<String> = (1..=PATIENTS)
            .map(|i| {
                let mother = if i == 100 { format!("'{}'", self.key(97)) } else { "null".to_owned() };
                format!("('{}', '{}', {mother})", self.key(i), self.text(Self::stays(i), "Nom", i))
            })
            .collect();
        let of = |request: u32| request % PATIENTS + 1;
        let requests: Vec<String> = (1..=2 * PATIENTS)
            .map(|r| {
                let text = self.text(Self::stays(of(r)), "D", r);
                format!("({r}, '{}', '{text}')", self.key(of(r)))
            })
            .collect();
        let results: Vec<String> = (1..=4 * PATIENTS)
            .map(|k| {
                let request = k % (2 * PATIENTS) + 1;
                // one row hangs on two persons
                let second = if k == 5 { format!("'{}'", self.key(194)) } else { "null".to_owned() };
                let text = self.text(Self::stays(of(request)) || k == 5, "R", k);
                format!("({k}, {request}, {second}, '{text}')")
            })
            .collect();
        format!(
            "insert into patient values {};insert into request values {};insert into result values {};",
            patients.join(", "),
            requests.join(", "),
            results.join(", ")
        )
    }

    /// The list as the laboratory writes it: one person twice, and one whom nobody knows.
    fn list(&self) -> String {
        let listed = (1..=PATIENTS).filter(|i| i.is_multiple_of(97));
        let lines: Vec<String> = listed.map(|i| self.key(i)).collect();
        format!("{}\n\n{}  \r\nP99999{}\n", lines.join("\n"), self.key(97), self.stem)
    }

    fn order() -> Vec<Ordered> {
        let reasoned = vec!["mother", "value_text"];
        let every = |table, columns| Ordered { table, rows: "true", columns, reasoned: reasoned.clone() };
        vec![
            every("patient", vec!["id", "family_name", "mother"]),
            every("request", vec!["id", "patient_id", "number"]),
            every("result", vec!["id", "request_id", "patient_id", "value_text"]),
        ]
    }

    fn migration(
        &self,
        from: &ecluse_testkit::migration::End,
        to: &ecluse_testkit::migration::End,
    ) -> Migration {
        let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
        let mut made = Migration::new(program, &self.papers(), now(), from, to, &Self::order());
        let list = self.folder.path().join("opposition.txt");
        std::fs::write(&list, self.list()).unwrap();
        let said =
            made.succeed(&["instruction", "exclude", &list.display().to_string(), "--erase", "--json"]);
        assert!(!list.exists());
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!((&said["persons"], &said["table"]), (&7.into(), &"patient".into()), "{said}");
        cite(&mut made, said["digest"].as_str().unwrap());
        made
    }

    fn papers(&self) -> PathBuf {
        self.folder.path().join("papers")
    }

    fn search(&self) -> Search {
        Search::new(&[self.stem.as_str()])
    }

    fn told(&self, made: &Migration, arguments: &[&str]) -> String {
        let output = made.run(arguments);
        let said = [output.stdout.clone(), output.stderr.clone()].concat();
        assert_eq!(self.search().bytes("said", &said), [], "{arguments:?}");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
        String::from_utf8(output.stdout).unwrap()
    }

    fn figures(&self) -> Figures {
        serde_json::from_slice(&std::fs::read(self.papers().join("run/figures.json")).unwrap()).unwrap()
    }

    /// Every row of nobody who stays, by the engines' own clients.
    fn arrived(&self) {
        let question = |which: &str| {
            format!(
                "select id, family_name, mother from patient where family_name{which};\
                 select id, patient_id, number from request where number{which};\
                 select id, request_id, patient_id, value_text from result where value_text{which};"
            )
        };
        let lines = |text: String| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
        let expected = lines(self.from.sql(&question(&format!(" not like '{}%'", self.stem))));
        assert!(expected.len() > 4_000);
        assert_eq!(expected, lines(self.to.sql(&question(" is not null"))));
    }
}

/// Cites a list in the order, and has it signed anew.
pub(crate) fn cite(made: &mut Migration, digest: &str) {
    let folder = made.folder().to_owned();
    let papers = made.papers();
    let line = format!("tolerance = 0\npersons_excluded = \"{digest}\"\n");
    papers.instruction = papers.instruction.replacen("tolerance = 0\n", &line, 1);
    papers.write(&folder);
}

const MIGRATE: [&str; 5] = ["migrate", "--without-views", "a test", "--accept-wider-role", "a test"];
const AGAIN: [&str; 6] =
    ["reconcile", "--full", "--without-views", "a test", "--accept-wider-role", "a test"];

fn none_of_them_moves(lab: &Opposition, made: &Migration) {
    let excluded = |figures: &Figures| -> Vec<[u64; 3]> {
        figures.tables.iter().map(|t| [t.asked, t.moved, t.excluded]).collect()
    };
    let before = made.run(&[&["plan"], &MIGRATE[1..]].concat());
    let said = String::from_utf8_lossy(&before.stdout).into_owned();
    assert!(said.contains("7 persons on the sealed list"), "{said}");
    let said = lab.told(made, &MIGRATE);
    assert!(said.contains("1 of the list is not among the ordered rows"), "{said}");
    lab.arrived();
    let figures = lab.figures();
    assert_eq!(excluded(&figures), [[600, 593, 7], [1_200, 1_186, 14], [2_400, 2_371, 29]]);
    assert_eq!((figures.tables[0].listed, figures.not_met()), (6, Some(1)));
    lab.told(made, &AGAIN);
    let found = std::fs::read_to_string(lab.papers().join("run/reconciliation.json")).unwrap();
    assert!(
        found.contains("\"list\":[]") || found.contains("\"list\": []"),
        "none of them is missed: {found}"
    );

    // whoever is added there later and is on the list, or hangs on one who is, stays as well
    lab.from.sql(&format!(
        "insert into patient values ('P99999{0}', '{0}Tard', null), ('P88888', 'Nouveau', null);\
         insert into request values (90000, 'P99999{0}', '{0}D'), (90001, '{1}', '{0}D'), (90002, 'P88888', 'D');\
         insert into result values (90000, 90001, null, '{0}R'), (90001, 90002, null, 'R');",
        lab.stem,
        lab.key(97)
    ));
    lab.told(made, &MIGRATE);
    lab.arrived();
    let figures = lab.figures();
    assert_eq!(excluded(&figures), [[602, 594, 8], [1_203, 1_187, 16], [2_402, 2_372, 30]]);
    assert_eq!(figures.not_met(), Some(0));

    // what is missing at the destination is told from what never went there
    lab.to.sql("delete from result where id = 11;");
    let found = made.run(&[&["reconcile"], &AGAIN[2..]].concat());
    assert_eq!(found.status.code(), Some(1), "{}", String::from_utf8_lossy(&found.stderr));
    let found = std::fs::read(lab.papers().join("run/reconciliation.json")).unwrap();
    let found: serde_json::Value = serde_json::from_slice(&found).unwrap();
    let list = found["list"].as_array().unwrap();
    assert_eq!(list.len(), 1, "{found}");
    assert_eq!((&list[0]["code"], &list[0]["table"]), (&"ECL-REC-001".into(), &"result".into()));
    lab.told(made, &[&["migrate", "--repair"], &MIGRATE[1..]].concat());
    lab.told(made, &AGAIN);
    lab.told(made, &["report"]);
    lab.told(made, &["status"]);
    lab.arrived();
    assert_eq!(lab.search().folder(lab.folder.path()), []);
    // the search can find
    assert_ne!(lab.search().bytes("source", lab.from.sql("select * from patient;").as_bytes()), []);
}

// proves: INS-12
#[test]
fn excluded_persons_stay_in_postgresql() {
    let (Some(from), Some(to)) = (Base::postgres("stay"), Base::postgres("stay")) else { return };
    let lab = Opposition::between(from, to);
    let (from_proxy, from) = lab.from.through_a_proxy();
    let (to_proxy, to) = lab.to.through_a_proxy();
    none_of_them_moves(&lab, &lab.migration(&from, &to));
    for traffic in from_proxy.traffic() {
        assert_eq!(lab.search().bytes("asked of the source", &traffic.sent), []);
    }
    for traffic in to_proxy.traffic() {
        assert_eq!(lab.search().bytes("sent to the destination", &traffic.sent), []);
    }
    for statement in lab.from.statements_of_the_program().iter().chain(&lab.to.statements_of_the_program()) {
        assert!(!statement.contains(&lab.stem), "{statement}");
    }
}

// proves: INS-12
#[test]
fn excluded_persons_stay_in_mariadb() {
    let Some(from) = Base::mariadb("stay") else { return };
    let home = tempfile::tempdir().unwrap();
    let lab = Opposition::between(from, Base::sqlite(home.path(), "new.db"));
    let (proxy, from) = lab.from.through_a_proxy();
    none_of_them_moves(&lab, &lab.migration(&from, &lab.to.as_destination()));
    for traffic in proxy.traffic() {
        assert_eq!(lab.search().bytes("asked of the source", &traffic.sent), []);
    }
    let Base::Sqlite(file) = &lab.to else { return };
    assert_eq!(lab.search().bytes("destination", &std::fs::read(file).unwrap()), []);
}
