//! Forty invented laboratories of LabBook's schema, two of them with planted faults: rehearsed, moved,
//! cut over with changes made meanwhile, the two undone and moved again, all reconciled.

use std::path::Path;
use std::time::Instant;

use ecluse_testkit::leak::Search;
use ecluse_testkit::server;
use rusqlite::Connection;
use serde_json::Value;

use crate::laboratories::{Laboratory, campaign};
use crate::{board, ecluse, ends, labbook, line};

const ALL: usize = 40;
/// A patient whose sex has a code that no table has: refused with what hangs on it.
const REFUSED: usize = 7;
/// Two requests given to each other's patient, behind everybody's back.
const SWAPPED: usize = 23;

/// `ecluse campaign …` as it is typed; its words, for the page and for the search.
struct Story<'a> {
    root: &'a Path,
    said: String,
    began: Instant,
}

impl Story<'_> {
    #[track_caller]
    fn types(&mut self, arguments: &[&str], code: i32) -> String {
        let said = ends(self.root, arguments, code);
        println!("[{} ms]\n$ ecluse {}\n{said}", self.began.elapsed().as_millis(), arguments.join(" "));
        self.said += &said;
        said
    }

    /// In every laboratory that is ready, two at a time.
    #[track_caller]
    fn each(&mut self, command: &[&str], code: i32) -> String {
        let each = ["campaign", "each", ".", "--at-once", "2", "--"];
        self.types(&[&each[..], command].concat(), code)
    }

    /// The board: so many refused, reconciled and cut over.
    #[track_caller]
    fn shows(&mut self, refused: usize, reconciled: usize, cut_over: usize) -> Value {
        self.types(&["campaign"], i32::from(refused > 0));
        let board = board(self.root);
        let counts = &board["counts"];
        assert_eq!(
            (&counts["refused"], &counts["reconciled"], &counts["cut_over"]),
            (&refused.into(), &reconciled.into(), &cut_over.into()),
            "{board:#}"
        );
        self.said += &board.to_string();
        board
    }
}

// proves: EXT-08, EXT-09, REC-02
#[test]
fn forty_laboratories_are_moved_cut_over_and_reconciled_two_of_them_twice() {
    let (Some(server), Some(tables)) = (server::mariadb(), labbook::tables()) else { return };
    let here = tempfile::tempdir().unwrap();
    let root = here.path().canonicalize().unwrap();
    // two bases at a time
    let made = |numbers: std::ops::RangeInclusive<usize>| -> Vec<Laboratory> {
        numbers.map(|number| Laboratory::new(&server, &tables, &root, number)).collect()
    };
    let mut laboratories = std::thread::scope(|scope| {
        let others = scope.spawn(|| made(ALL / 2 + 1..=ALL));
        let mut some = made(1..=ALL / 2);
        some.extend(others.join().unwrap());
        some
    });
    campaign(&root, &laboratories);
    let mut story = Story { root: &root, said: String::new(), began: Instant::now() };

    papers(&mut story, &mut laboratories);
    faults_are_planted(&laboratories);
    rehearsed_and_moved(&mut story, &laboratories);
    undone_and_repeated(&mut story, &laboratories);
    cut_over(&mut story, &laboratories);
    nothing_is_mixed_and_nobody_is_on_the_board(&story, &laboratories);
}

/// Laid out, contracted, surveyed, inherited, ordered, signed: each by its own laboratory.
fn papers(story: &mut Story<'_>, laboratories: &mut [Laboratory]) {
    assert!(story.types(&["campaign", "new", "."], 0).contains("40 folders laid out"));
    laboratories.iter().for_each(Laboratory::contracted);
    story.each(&["survey"], 0);
    let inherited = story.types(&["campaign", "inherit", "."], 0);
    assert_eq!(inherited.matches("mapping.toml   copied").count(), ALL, "{inherited}");
    assert_eq!(inherited.matches("dictionary.toml   laid over the survey").count(), ALL, "{inherited}");
    laboratories.iter_mut().for_each(Laboratory::ordered);
    story.each(&["instruction", "check", "--fill"], 0);
    // nobody signs forty orders with one line
    let each = ["campaign", "each", ".", "--", "instruction", "sign"];
    assert!(story.types(&each, 2).contains("ECL-CAM-031"));
    // two administrators at a time
    let (some, others) = laboratories.split_at_mut(ALL / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| some.iter_mut().for_each(Laboratory::signed));
        others.iter_mut().for_each(Laboratory::signed);
    });
    let board = story.shows(0, 0, 0);
    assert_eq!(line(&board, "lab01")["step"], "run");
    assert_eq!(board["counts"]["departing"], 0);
}

fn faults_are_planted(laboratories: &[Laboratory]) {
    laboratories[REFUSED - 1].source.sql("update sigl_03_data set sexe = 4 where id_data = 2");
}

fn rehearsed_and_moved(story: &mut Story<'_>, laboratories: &[Laboratory]) {
    let plan = story.each(&["plan"], 1);
    assert!(plan.contains("✗ lab07   Not ready: 14 rows would be refused, 0 tolerated."), "{plan}");
    // no row moves before its own laboratory has seen that in its journal
    let unseen = ends(story.root, &["-C", "lab01", "migrate", "--ddl"], 1);
    assert!(unseen.contains("ECL-LOG-044"), "{unseen}");
    laboratories.iter().for_each(Laboratory::witnessed);
    // two dossiers of each, read back; where the plan says that rows are refused, there is nothing to rehearse
    let names: Vec<String> = (1..=ALL).filter(|number| *number != REFUSED).map(Laboratory::name).collect();
    let mut some = vec!["campaign", "each", ".", "--at-once", "2"];
    names.iter().for_each(|name| some.extend(["--only", name]));
    some.push("--");
    story.types(&[&some[..], &["migrate", "--ddl", "--sample", "2"]].concat(), 0);
    story.types(&[&some[..], &["reconcile"]].concat(), 0);
    for laboratory in laboratories.iter().filter(|laboratory| laboratory.number != REFUSED) {
        let base = Connection::open(laboratory.file()).unwrap();
        let requests =
            base.query_row("SELECT count(*) FROM request", [], |row| row.get::<_, i64>(0)).unwrap();
        assert!((2..=4).contains(&requests), "{requests} requests");
    }
    let moved = story.each(&["migrate", "--ddl"], 1);
    assert!(moved.contains("✗ lab07   ECL-RUN-012") && moved.contains("39 of 40"), "{moved}");
    swap(&laboratories[SWAPPED - 1]);
    story.each(&["reconcile"], 1);
    let board = story.shows(2, ALL - 2, 0);
    let first: Vec<&str> = (0..2).map(|at| board["laboratories"][at]["folder"].as_str().unwrap()).collect();
    assert!(
        first.contains(&"lab07") && first.contains(&"lab23"),
        "who needs somebody stands first: {first:?}"
    );
    assert_eq!(line(&board, "lab07")["code"], "ECL-REC-014");
    assert_eq!(line(&board, "lab23")["code"], "ECL-REC-003");
    assert_eq!(line(&board, "lab23")["last"]["differences"], 2);
    assert_eq!(line(&board, "lab01")["step"], "freeze", "what is read back waits for the day");
}

/// The same twice gives the requests back to their own patients.
fn swap(laboratory: &Laboratory) {
    let base = Connection::open(laboratory.file()).unwrap();
    base.execute_batch(
        "CREATE TEMP TABLE two AS SELECT id, patient_id FROM request WHERE id IN (1, 2);
         UPDATE request SET patient_id = (SELECT patient_id FROM two WHERE two.id = 3 - request.id)
             WHERE id IN (1, 2)",
    )
    .unwrap();
}

/// Taken back, mended where the fault was, moved again: the second run of two.
fn undone_and_repeated(story: &mut Story<'_>, laboratories: &[Laboratory]) {
    let (refused, swapped) = (&laboratories[REFUSED - 1], &laboratories[SWAPPED - 1]);
    // a chunk that was changed since is not taken away before somebody has put it back
    let kept = story.types(&["-C", "lab23", "undo"], 1);
    assert!(kept.contains("ECL-UND-01") && kept.contains("kept"), "{kept}");
    swap(swapped);
    story.types(&["-C", "lab23", "undo"], 0);
    story.types(&["-C", "lab07", "undo"], 0);
    refused.source.sql("update sigl_03_data set sexe = 2 where id_data = 2");
    let board = board(story.root);
    let last = line(&board, "lab07")["last"].clone();
    assert!(last["undone"] == last["moved"] && last["undone"].as_u64() > Some(0), "{last}");
    for laboratory in [refused, swapped] {
        std::fs::rename(laboratory.folder.join("run"), laboratory.folder.join("run.undone")).unwrap();
    }
    let both = ["campaign", "each", ".", "--only", "lab07", "--only", "lab23", "--"];
    story.types(&[&both[..], &["migrate", "--ddl"]].concat(), 0);
    story.types(&[&both[..], &["reconcile"]].concat(), 0);
    story.shows(0, ALL, 0);
    // the order gave two runs: there is no third
    let third = ecluse(story.root, &["-C", "lab07", "migrate", "--ddl", "--run", "lab07/third"]);
    assert!(String::from_utf8(third.stderr).unwrap().contains("ECL-RUN-031"));
}

/// The old software goes on meanwhile; on the day it is stopped, laboratory by laboratory.
fn cut_over(story: &mut Story<'_>, laboratories: &[Laboratory]) {
    for laboratory in laboratories {
        laboratory.source.sql(&format!(
            "{}update sigl_09_data set valeur = '6.1' where id_data = 1; delete from sigl_10_data where id_data = 4;",
            labbook::asked(5, 1)
        ));
    }
    // nobody states of forty laboratories at once that they are stopped without naming them
    assert!(story.each(&["freeze"], 2).contains("ECL-CAM-031"));
    let names: Vec<String> = (1..=ALL).map(Laboratory::name).collect();
    let mut freeze = vec!["campaign", "each", ".", "--at-once", "2"];
    names.iter().for_each(|name| freeze.extend(["--only", name]));
    freeze.extend(["--", "freeze"]);
    story.types(&freeze, 0);
    let caught = story.each(&["migrate", "--catch-up"], 0);
    assert!(caught.contains("lab40"), "{caught}");
    let board = story.shows(0, 0, ALL);
    assert_eq!(line(&board, "lab01")["step"], "reconciliation", "what was read back is older than the run");
    story.each(&["reconcile"], 0);
    story.each(&["report"], 0);
    let board = story.shows(0, ALL, ALL);
    assert_eq!(board["counts"]["done"], ALL);
    for laboratory in laboratories {
        let base = Connection::open(laboratory.file()).unwrap();
        let count = |sql: &str| base.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM request"), 5);
        assert_eq!(count("SELECT count(*) FROM validation"), 4, "one came, one went");
        assert_eq!(count("SELECT count(*) FROM result WHERE value = '6.1'"), 1);
    }
    story.types(&["campaign", "-o", "board.html"], 0);
}

/// Each destination holds its own laboratory's patients alone; no board or answer holds one at all.
fn nothing_is_mixed_and_nobody_is_on_the_board(story: &Story<'_>, laboratories: &[Laboratory]) {
    let page = std::fs::read_to_string(story.root.join("board.html")).unwrap();
    assert!(page.contains("40 sur 40 concordent, 40 basculés."), "{page}");
    let mut never: Vec<String> = (1..=ALL).flat_map(labbook::canaries).collect();
    never.extend((1..=ALL).map(labbook::family));
    never.extend(["Vauquelin".to_owned(), "1980-01-01".to_owned()]);
    let nobody = Search::new(&never);
    assert_eq!(nobody.bytes("said", story.said.as_bytes()), []);
    assert_eq!(nobody.bytes("page", page.as_bytes()), []);
    for laboratory in laboratories {
        let (number, family) = (laboratory.number, labbook::family(laboratory.number));
        let base = Connection::open(laboratory.file()).unwrap();
        let mut names = base.prepare("SELECT DISTINCT family_name FROM patient").unwrap();
        let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(names, std::slice::from_ref(&family), "{number}");
        let file = std::fs::read(laboratory.file()).unwrap();
        let stays = labbook::canaries(number);
        assert_eq!(Search::new(&stays).bytes("destination", &file), [], "{number}");
        let own = Search::new(&[family]);
        assert_ne!(own.bytes("destination", &file), [], "the search finds what is there");
        assert_eq!(own.folder(&laboratory.folder.join("run")), [], "{number}");
    }
}
