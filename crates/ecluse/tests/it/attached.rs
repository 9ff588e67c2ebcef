//! Files that rows name: brought with their rows, read back, caught up with, taken away again.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

use ecluse_adapters::sqlite::{Destination, Source, create_from};
use ecluse_flow::ports::{Destination as _, Source as _};
use ecluse_testkit::kill::{CHUNK_ROWS, drive, failpoints};
use ecluse_testkit::migration::{End, Migration, Ordered};
use serde_json::{Value, json};

use crate::{now, program};

/// Rows 1 to 6 have a report, 7 has none, 8 was not ordered.
const SOURCE: &str = "
    create table report (id integer primary key, patient varchar(20), path varchar(60), done integer);
    insert into report values
        (1, 'p1', '/srv/old/2024/QyIone.pdf', 1), (2, 'p2', '/srv/old/2024/QyItwo.PDF', 1),
        (3, 'p3', '/srv/old/three', 1), (4, 'p4', '/srv/old/2023/same.pdf', 1),
        (5, 'p5', '/srv/old/2023/copy.pdf', 1), (6, 'p6', '/srv/old/large.bin', 1),
        (7, 'p7', null, 1), (8, 'p8', '/srv/old/other.pdf', 0);
";

const WIDE: [&str; 6] = ["migrate", "--ddl", "--without-views", "a test", "--accept-wider-role", "a test"];

struct World {
    migration: Migration,
    old: PathBuf,
    new: PathBuf,
    from: PathBuf,
    to: PathBuf,
    _folder: tempfile::TempDir,
}

/// A laboratory with six reports, one file that is nobody's and one of a row that is not ordered; `files` is
/// said of the column beside its name and folder.
fn world(files: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().canonicalize().unwrap();
    let (from, to) = (here.join("old.db"), here.join("new.db"));
    let (old, new) = (here.join("old"), here.join("new"));
    create_from(&from, SOURCE).unwrap();
    create_from(&to, "create table other (id integer primary key);").unwrap();
    for (name, bytes) in [
        ("2024/QyIone.pdf", &b"%PDF QyIfirst"[..]),
        ("2024/QyItwo.PDF", b"%PDF QyIsecond"),
        ("three", b""),
        ("2023/same.pdf", b"%PDF the same bytes"),
        ("2023/copy.pdf", b"%PDF the same bytes"),
        ("large.bin", &vec![7; 3 << 20]),
        ("other.pdf", b"ZxOother"),
        ("2020/ZxOnobody.pdf", b"ZxOnobody"),
    ] {
        let path = old.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::create_dir(&new).unwrap();
    let source = End::sqlite(&from, Source::open(&from).unwrap().identity().unwrap());
    let destination = End::sqlite(&to, Destination::open(&to).unwrap().identity().unwrap());
    let order = [Ordered {
        table: "report",
        rows: "done == 1",
        columns: vec!["id", "patient", "path"],
        reasoned: Vec::new(),
    }];
    let papers = here.join("papers");
    let mut migration = Migration::new(program(), &papers, now(), &source, &destination, &order);
    let text = migration.papers();
    text.instruction = text.instruction.replace("\n[erasure]", "files = \"/srv/new\"\n\n[erasure]");
    text.instruction += &format!(
        "\n[[table.files]]\ncolumn = \"path\"\nfolder = \"/srv/old\"\nprefix = \"/srv/old/\"\n{files}\n"
    );
    text.write(&papers);
    let connections = std::fs::read_to_string(papers.join("connections.toml")).unwrap();
    let folders = format!(
        "{connections}\n[folders]\n\"/srv/old\" = \"{}\"\n\"/srv/new\" = \"../new\"\n",
        old.display()
    );
    std::fs::write(papers.join("connections.toml"), folders).unwrap();
    World { migration, old, new, from, to, _folder: folder }
}

impl World {
    /// Every file below the destination's folder.
    fn files(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        below(&self.new, &mut found);
        found
    }

    /// What each row's file holds at the destination; the value itself where there is no such file.
    fn reports(&self) -> Vec<(i64, Vec<u8>)> {
        let connection = rusqlite::Connection::open(&self.to).unwrap();
        let mut statement = connection.prepare("select id, path from report order by id").unwrap();
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?));
        let rows = statement.query_map([], row).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        let holds = |path: Option<String>| {
            let path = path.unwrap_or_else(|| "null".to_owned());
            std::fs::read(self.new.join(&path)).unwrap_or_else(|_| path.into_bytes())
        };
        rows.into_iter().map(|(id, path)| (id, holds(path))).collect()
    }

    fn named(&self, id: i64) -> PathBuf {
        let connection = rusqlite::Connection::open(&self.to).unwrap();
        let path: String =
            connection.query_row("select path from report where id = ?", [id], |row| row.get(0)).unwrap();
        self.new.join(path)
    }

    fn at_source(&self, sql: &str) {
        rusqlite::Connection::open(&self.from).unwrap().execute_batch(sql).unwrap();
    }

    fn figures(&self) -> Value {
        let text = std::fs::read_to_string(self.migration.folder().join("run/figures.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// What it refused with, on both streams.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.migration.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        said(&output)
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn below(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            below(&entry.path(), found);
        } else {
            found.insert(entry.path());
        }
    }
}

fn counts(named: u64, moved: u64, missing: u64, refused: u64) -> [Value; 4] {
    [named, moved, missing, refused].map(Value::from)
}

fn counted(figures: &Value) -> [Value; 4] {
    let file = &figures["tables"][0]["files"][0];
    ["named", "moved", "missing", "refused"].map(|name| file[name].clone())
}

// proves: EXT-10
#[test]
fn files_arrive_with_their_rows_missing_and_orphans_are_counted_and_nothing_else_is_read() {
    let world = world("");
    std::fs::remove_file(world.old.join("three")).unwrap();
    world.migration.succeed(&["order", "--lang", "en"]);
    let page = std::fs::read_to_string(world.migration.folder().join("order.html")).unwrap();
    for told in [
        "the files that path names, in the folder /srv/old, leave too; a row whose file is missing leaves without it",
        "Files go into its folder /srv/new.",
    ] {
        assert!(page.contains(told), "{told}\n{page}");
    }
    let planned =
        world.migration.succeed(&["plan", "--without-views", "a test", "--accept-wider-role", "a test"]);
    assert!(planned.contains("report.path: 6 files named, 5 would move, 1 missing, 0 refused"), "{planned}");
    assert_eq!(world.files().len(), 0);
    let moved = world.migration.succeed(&WIDE);
    assert!(moved.contains("report.path: 6 files named, 5 moved, 1 missing, 0 refused"), "{moved}");
    assert!(moved.contains("/srv/old: 7 files, 2 that no ordered row names"), "{moved}");
    let reports = world.reports();
    assert_eq!(reports.len(), 7);
    assert_eq!(reports[0].1, b"%PDF QyIfirst");
    assert_eq!(reports[1].1, b"%PDF QyIsecond");
    assert!(String::from_utf8_lossy(&reports[2].1).contains("/missing-"), "{:?}", reports[2]);
    assert_eq!(reports[5].1.len(), 3 << 20);
    assert_eq!(reports[6].1, b"null");
    // two rows whose files hold the same have one each: the end of one row leaves the other its own
    assert_eq!(reports[3].1, reports[4].1);
    assert_ne!(world.named(4), world.named(5));
    assert_eq!(world.files().len(), 5);
    let figures = world.figures();
    assert_eq!(counted(&figures), counts(6, 5, 1, 0));
    assert_eq!(figures["folders"], json!([{ "folder": "/srv/old", "files": 7, "orphans": 2 }]));
    let read = world.migration.succeed(&["reconcile"]);
    assert!(read.contains("5 files read back that rows name"), "{read}");
    world.migration.succeed(&["report"]);
    let report = std::fs::read_to_string(world.migration.folder().join("run/report.html")).unwrap();
    assert!(report.contains("<h2>Fichiers</h2>") && report.contains("fichiers 7"), "{report}");
    // neither a file's name nor what it holds is told or written down
    let mut left = BTreeSet::new();
    below(&world.migration.folder().join("run"), &mut left);
    let written: Vec<u8> = left.iter().flat_map(|path| std::fs::read(path).unwrap()).collect();
    for needle in ["QyI", "ZxO", "same.pdf"] {
        let lies = written.windows(needle.len()).any(|window| window == needle.as_bytes());
        assert!(!lies && ![&planned, &moved, &read].iter().any(|text| text.contains(needle)), "{needle}");
    }
    for file in world.files() {
        let name = file.display().to_string();
        assert!(!name.contains("QyI") && !name.contains("same"), "{name}");
        assert!(!String::from_utf8_lossy(&std::fs::read(&file).unwrap()).contains("ZxO"), "{name}");
    }
}

/// Their files would tell how many they are.
// proves: INS-12
#[test]
fn files_of_persons_who_stay_are_no_orphans() {
    let mut world = world("");
    let folder = world.migration.folder().to_owned();
    let list = folder.with_file_name("list.txt");
    std::fs::write(&list, "1\n6\n").unwrap();
    let list = list.display().to_string();
    let sealed = world.migration.succeed(&["instruction", "exclude", &list, "--table", "report", "--json"]);
    let sealed: Value = serde_json::from_str(&sealed).unwrap();
    let line = format!("tolerance = 0\npersons_excluded = {}\n", sealed["digest"]);
    let papers = world.migration.papers();
    papers.instruction = papers.instruction.replacen("tolerance = 0\n", &line, 1);
    papers.write(&folder);
    let planned =
        world.migration.succeed(&["plan", "--without-views", "a test", "--accept-wider-role", "a test"]);
    let moved = world.migration.succeed(&WIDE);
    for said in [planned, moved] {
        assert!(said.contains("/srv/old: 8 files, 2 that no ordered row names"), "{said}");
    }
    assert_eq!(counted(&world.figures()), counts(4, 4, 0, 0));
    // five rows moved and two stay: nothing that leaves the laboratory says so, in whatever sum
    world.migration.succeed(&["reconcile"]);
    world.migration.succeed(&["report"]);
    let page = std::fs::read_to_string(world.migration.folder().join("run/report.html")).unwrap();
    let about = "≈\u{a0}10";
    for told in [format!("fichiers {about}"), format!("a relu {about}")] {
        assert!(page.contains(&told), "{told}: {page}");
    }
    assert!(!page.contains("retenue 2") && page.contains("5\u{a0}: ils restent"), "{page}");
    let next = world.migration.succeed(&["next"]);
    assert!(next.contains(about) && !next.contains("5 rows"), "{next}");
}

// proves: EXT-10
#[test]
fn links_traversal_and_a_file_that_must_be_there_refuse_their_row() {
    let world = world("missing = \"refuse\"");
    std::fs::write(world.old.parent().unwrap().join("outside.pdf"), b"ZxOoutside").unwrap();
    std::fs::remove_file(world.old.join("2024/QyIone.pdf")).unwrap();
    symlink(world.old.join("../outside.pdf"), world.old.join("2024/QyIone.pdf")).unwrap();
    std::fs::remove_file(world.old.join("three")).unwrap();
    std::fs::hard_link(world.old.join("../outside.pdf"), world.old.join("hard.pdf")).unwrap();
    world.at_source(
        "update report set path = '/srv/old/../outside.pdf' where id = 2;
         update report set path = '/srv/old/hard.pdf' where id = 4;
         update report set path = '/etc/passwd' where id = 5;",
    );
    let said = world.refused(&WIDE);
    assert!(said.contains("ECL-RUN-012"), "{said}");
    let figures = world.figures();
    assert_eq!(counted(&figures), counts(6, 1, 0, 5));
    let refused = json!({
        "ECL-FIL-010 report.path": 2, "ECL-FIL-011 report.path": 1, "ECL-FIL-012 report.path": 2,
    });
    assert_eq!(figures["tables"][0]["refused"], refused);
    assert_eq!(world.reports().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [6, 7]);
    assert_eq!(world.files().len(), 1);
    assert!(!said.contains("outside") && !said.contains("passwd"), "{said}");
}

// proves: EXT-10
#[test]
fn files_that_are_gone_exchanged_or_nobodys_are_found_by_row_and_put_back() {
    let world = world("");
    world.migration.succeed(&WIDE);
    world.migration.succeed(&["reconcile"]);
    let (one, two, four) = (world.named(1), world.named(2), world.named(4));
    // two patients' reports exchanged, one gone, one that nobody brought
    let kept = std::fs::read(&one).unwrap();
    std::fs::copy(&two, &one).unwrap();
    std::fs::write(&two, &kept).unwrap();
    std::fs::remove_file(&four).unwrap();
    std::fs::write(four.with_file_name("stray"), b"x").unwrap();
    let found = world.refused(&["reconcile"]);
    assert!(found.contains("2 with another file than was moved"), "{found}");
    assert!(found.contains("1 without their file") && found.contains("1 files that no row names"), "{found}");
    assert!(!found.contains("QyI") && !found.contains(one.file_name().unwrap().to_str().unwrap()), "{found}");
    let listed = std::fs::read_to_string(world.migration.folder().join("run/reconciliation.json")).unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let codes: Vec<&str> =
        listed["list"].as_array().unwrap().iter().map(|d| d["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["ECL-FIL-041", "ECL-FIL-041", "ECL-FIL-040", "ECL-FIL-042"]);
    assert!(listed["list"][0]["row"].is_string() && listed["list"][3]["row"].is_null());
    let mut repair = WIDE.to_vec();
    repair.push("--repair");
    world.migration.succeed(&repair);
    world.migration.succeed(&["reconcile"]);
    assert_eq!(std::fs::read(&one).unwrap(), kept);
    assert_eq!(world.files().len(), 6);
}

#[test]
fn a_file_that_changed_is_caught_up_with_though_its_row_did_not() {
    let world = world("");
    world.migration.succeed(&WIDE);
    let before = world.named(1);
    std::fs::write(world.old.join("2024/QyIone.pdf"), b"%PDF corrected").unwrap();
    world.at_source(
        "delete from report where id = 2; insert into report values (9, 'p9', '/srv/old/nine', 1);",
    );
    std::fs::write(world.old.join("nine"), b"nine").unwrap();
    let said = world.migration.succeed(&WIDE);
    assert!(said.contains("1 added, 1 changed, 1 deleted"), "{said}");
    assert_eq!(world.reports()[0].1, b"%PDF corrected");
    assert!(!before.exists());
    assert_eq!(world.files().len(), 6);
    world.migration.succeed(&["reconcile"]);
    let again = world.migration.succeed(&WIDE);
    assert!(again.contains("0 added, 0 changed, 0 deleted; 0 of"), "{again}");
}

// proves: EXT-10
#[test]
fn an_undo_takes_the_files_of_its_rows_away() {
    let world = world("");
    world.migration.succeed(&WIDE);
    std::fs::write(world.new.join("somebody's own"), b"x").unwrap();
    let said = world.migration.succeed(&["undo"]);
    assert!(said.contains("6 files taken away"), "{said}");
    assert_eq!(world.files(), BTreeSet::from([world.new.join("somebody's own")]));
}

#[test]
fn a_file_that_is_written_to_while_it_is_read_moves_once_it_rests() {
    let world = world("");
    let path = world.old.join("large.bin");
    std::fs::write(&path, vec![1; 100 << 20]).unwrap();
    let ended = std::sync::atomic::AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            let mut byte = 0u8;
            while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                byte = byte.wrapping_add(1);
                std::os::unix::fs::FileExt::write_all_at(&file, &[byte], 50 << 20).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        let said = world.refused(&WIDE);
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
        said
    });
    assert!(said.contains("ECL-RUN-012"), "{said}");
    assert_eq!(world.figures()["tables"][0]["refused"], json!({ "ECL-FIL-013 report.path": 1 }));
    assert_eq!(world.files().len(), 5);
    // a file is never held whole
    let held = crate::large::peak(world.migration.command(&WIDE));
    assert!(held < 64 << 20, "{} MB", held >> 20);
    assert_eq!(world.reports()[5].1, std::fs::read(&path).unwrap());
    world.migration.succeed(&["reconcile"]);
}

#[test]
fn killed_while_files_are_brought_it_goes_on_and_leaves_nothing_beside() {
    let attached: Vec<String> = failpoints()
        .into_iter()
        .filter(|name| name.starts_with("attached.") && !name.starts_with("attached.erase."))
        .collect();
    assert!(attached.len() >= 10, "{attached:?}");
    let migrate = |world: &World| {
        let mut command = world.migration.command(&WIDE);
        command.env(CHUNK_ROWS, "3");
        command
    };
    let driven = |names: &[String], passing: u64| {
        drive(
            names.iter().map(String::as_str),
            &[passing],
            |death| {
                let world = world("");
                if death.failpoint.contains(".remove.") {
                    // a catch-up that has a file to take away
                    assert!(migrate(&world).status().unwrap().success());
                    world.at_source("delete from report where id <= 5");
                }
                world
            },
            &migrate,
            |_, _, _| (),
            |world, death, _| {
                let rows = if death.failpoint.contains(".remove.") { [1, 2] } else { [6, 7] };
                assert_eq!(world.files().len(), rows[0], "{death:?}");
                assert_eq!(world.reports().len(), rows[1], "{death:?}");
                world.migration.succeed(&["reconcile"]);
            },
        )
    };
    assert_eq!(driven(&attached, 1).never(), BTreeSet::new());
    // between two files of one chunk
    let renames: Vec<String> = attached.iter().filter(|name| name.contains(".rename.")).cloned().collect();
    assert_eq!(driven(&renames, 2).never(), BTreeSet::new());
}
