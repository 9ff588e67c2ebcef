//! Files that rows name, between servers: brought, refused with their row, found, caught up with, taken away.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ecluse_testkit::kill::CHUNK_ROWS;
use ecluse_testkit::migration::{Migration, Ordered};
use ecluse_testkit::papers::Paper;

use crate::base::Base;
use crate::laboratory::now;
use crate::pair::{Answer, migrate, reconciled};

const SOURCE: &str = "
create table patient (id integer not null primary key, nom varchar(40) not null);
create table compte_rendu (id integer not null primary key, patient_id integer not null,
  fichier varchar(36) not null unique);
insert into patient values (1, 'Nom-1'), (2, 'Nom-2');
insert into compte_rendu values (1, 1, 'aa'), (2, 1, 'bb'), (3, 2, 'cc'), (4, 2, 'dd'), (5, 2, 'ee');
";

/// The destination refuses the third report by a rule of its own, after its file was brought.
const DESTINATION: &str = "
create table patient (id integer not null primary key, nom varchar(40) not null);
create table compte_rendu (id integer not null primary key check (id <> 3), patient_id integer not null,
  fichier varchar(120) not null unique);
";

struct World {
    made: Migration,
    old: PathBuf,
    new: PathBuf,
    run: PathBuf,
}

fn world(from: &Base, to: &Base, home: &Path) -> World {
    from.sql(SOURCE);
    to.sql(DESTINATION);
    let home = home.canonicalize().unwrap();
    let (old, new, lab) = (home.join("old"), home.join("new"), home.join("lab"));
    [&old, &new, &lab].into_iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
    for (name, bytes) in [("aa", "one"), ("bb", "the same"), ("cc", "three"), ("dd", "the same")] {
        std::fs::write(old.join(format!("{name}.pdf")), bytes).unwrap();
    }
    let whole = |table, columns, reasoned| Ordered { table, rows: "true", columns, reasoned };
    let order = [
        whole("patient", vec!["id", "nom"], vec![]),
        whole("compte_rendu", vec!["id", "patient_id", "fichier"], vec!["patient_id"]),
    ];
    let program = Path::new(env!("CARGO_BIN_EXE_ecluse"));
    let mut made = Migration::new(program, &lab, now(), &from.as_source(), &to.as_destination(), &order);
    let papers = made.papers();
    papers.edit(Paper::Instruction, "tolerance = 0", "tolerance = 1");
    papers.edit(Paper::Instruction, "\n[erasure]", &format!("files = \"{}\"\n\n[erasure]", new.display()));
    papers.instruction += &format!(
        "\n[[table.files]]\ncolumn = \"fichier\"\nfolder = \"{}\"\nsuffix = \".pdf\"\n",
        old.display()
    );
    papers.write(&lab);
    World { made, old, new, run: home.join("run") }
}

impl World {
    fn migrated(&self, more: &[&str]) -> Answer {
        Answer::of(&migrate(&self.made, &self.run, more).env(CHUNK_ROWS, "2").output().unwrap())
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        for run in std::fs::read_dir(&self.new).unwrap().flatten() {
            for first in std::fs::read_dir(run.path()).unwrap().flatten() {
                found.extend(std::fs::read_dir(first.path()).unwrap().flatten().map(|file| file.path()));
            }
        }
        found
    }

    fn report(&self, to: &Base, id: u8) -> PathBuf {
        self.new.join(to.sql(&format!("select fichier from compte_rendu where id = {id}")).trim())
    }
}

fn files_go_the_way_of_their_rows(from: &Base, to: &Base) {
    let home = tempfile::tempdir().unwrap();
    let world = world(from, to, home.path());
    let moved = world.migrated(&[]);
    moved.holds();
    // the fifth is missing; the third was brought, its row refused, and it is not there any more
    assert!(
        moved.out.contains("compte_rendu.fichier: 5 files named, 3 moved, 1 missing, 1 refused"),
        "{moved:?}"
    );
    assert_eq!(to.sql("select id from compte_rendu order by id").lines().count(), 4);
    assert_eq!(world.files().len(), 3);
    assert_eq!(std::fs::read(world.report(to, 2)).unwrap(), b"the same");
    assert_ne!(world.report(to, 2), world.report(to, 4));
    reconciled(&world.made, &world.run).holds();

    let one = world.report(to, 1);
    std::fs::write(&one, "eno").unwrap();
    let found = reconciled(&world.made, &world.run);
    found.is(1, "ECL-FIL-041");
    world.migrated(&["--repair"]).holds();
    reconciled(&world.made, &world.run).holds();

    // the row stays as it is, and its file is another
    std::fs::write(world.old.join("aa.pdf"), "one, corrected").unwrap();
    from.sql("delete from compte_rendu where id = 4");
    let caught = world.migrated(&[]);
    caught.holds();
    assert!(caught.out.contains("0 added, 1 changed, 1 deleted"), "{caught:?}");
    assert_eq!(std::fs::read(world.report(to, 1)).unwrap(), b"one, corrected");
    assert!(!one.exists());
    assert_eq!(world.files().len(), 2);
    reconciled(&world.made, &world.run).holds();

    let run = world.run.display().to_string();
    let mut undo = world.made.command(&["undo", &run, "--without-views", "a test"]);
    Answer::of(&undo.args(["--accept-wider-role", "a test"]).output().unwrap()).holds();
    assert_eq!(std::fs::read_dir(&world.new).unwrap().count(), 0);
}

#[test]
fn files_go_the_way_of_their_rows_from_postgresql_to_mariadb() {
    let (Some(from), Some(to)) = (Base::postgres("files"), Base::mariadb("files")) else { return };
    files_go_the_way_of_their_rows(&from, &to);
}

#[test]
fn files_go_the_way_of_their_rows_from_mariadb_to_postgresql() {
    let (Some(from), Some(to)) = (Base::mariadb("files"), Base::postgres("files")) else { return };
    files_go_the_way_of_their_rows(&from, &to);
}
