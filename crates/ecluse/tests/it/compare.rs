//! Drawn dossiers, old beside new, on the laboratory's screen: a person at a terminal, and what is left after.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_testkit::kill::VARIABLE;
use ecluse_testkit::leak::Search;
use ecluse_testkit::server;
use ecluse_testkit::terminal::Terminal;
use rusqlite::Connection;
use serde_json::Value;

use crate::{ecluse, program, succeed};

/// In every value that a person is shown, and nowhere else.
const CANARY: &str = "Qanari-Serinus";

const DOSSIER: &str = "\n[dossier]\ntable = \"request\"\n[dossier.kinds]\n\
    microbiology = { table = \"result\", where = 'test == \"ECBU\"' }\n";

/// Four requests of three patients, one of them microbiology.
fn laboratory() -> String {
    format!(
        "CREATE TABLE patient (id INTEGER PRIMARY KEY, nom VARCHAR(60) NOT NULL, ddn DATE);
         CREATE TABLE request (id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient(id),
                               date_dem DATE);
         CREATE TABLE result (id INTEGER PRIMARY KEY, request_id INTEGER NOT NULL REFERENCES request(id),
                              test VARCHAR(20), valeur VARCHAR(80));
         INSERT INTO patient VALUES (1, '{CANARY}-Un', '1950-02-03'), (2, '{CANARY}-Deux', '1961-07-14'),
                                    (3, '{CANARY}-Trois', NULL);
         INSERT INTO request VALUES (10, 1, '2024-01-05'), (20, 2, '2024-01-06'), (30, 3, '2024-01-07'),
                                    (40, 1, '2024-02-01');
         INSERT INTO result VALUES (101, 10, 'GLU', '{CANARY}-5.1'), (102, 10, 'K', '{CANARY}-4.4'),
                                   (201, 20, 'GLU', '{CANARY}-9.8'), (301, 30, 'ECBU', '{CANARY}-E. coli'),
                                   (401, 40, 'GLU', '{CANARY}-5.3')"
    )
}

/// A trial that moved and reconciled them.
fn moved(here: &Path) -> PathBuf {
    Connection::open(here.join("old.db")).unwrap().execute_batch(&laboratory()).unwrap();
    trial(here, "sqlite:old.db", "sqlite:new.db")
}

fn trial(here: &Path, from: &str, to: &str) -> PathBuf {
    rehearsed(here, from, to, &[])
}

fn rehearsed(here: &Path, from: &str, to: &str, sample: &[&str]) -> PathBuf {
    succeed(here, &["new", "lab", "--trial", "--from", from, "--to", to]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    labelled(&lab.join("dictionary.toml"));
    let tables = ["--table", "patient", "--table", "request", "--table", "result", "--grant-proposed"];
    succeed(&lab, &[&["instruction", "new"][..], &tables].concat());
    let order = lab.join("instruction.toml");
    fs::write(&order, fs::read_to_string(&order).unwrap() + DOSSIER).unwrap();
    let migrate = [&["migrate", "--ddl"][..], sample].concat();
    for step in [&["instruction", "sign"][..], &migrate, &["reconcile"]] {
        succeed(&lab, step);
    }
    lab
}

/// The request's table and its date get the labels that LabBook's dictionary gives, in English.
fn labelled(dictionary: &Path) {
    let text = fs::read_to_string(dictionary).unwrap();
    let mut inside = String::new();
    let said = |line: &str| {
        let label = match line.trim_start() {
            "label = \"\"" if inside == "name  = \"request\"" => "Requests",
            column if column.starts_with("{ name = \"date_dem\"") => "Received",
            _ => "",
        };
        line.trim().clone_into(&mut inside);
        line.replace("label = \"\"", &format!("label = \"{label}\"")) + "\n"
    };
    fs::write(dictionary, text.lines().map(said).collect::<String>()).unwrap();
}

fn change(here: &Path, sql: &str) {
    Connection::open(here.join("new.db")).unwrap().execute_batch(sql).unwrap();
}

fn compare(lab: &Path, more: &[&str]) -> Terminal {
    let arguments = [&["compare", "--as", "Bérénice Essai-Biologie"][..], more].concat();
    Terminal::start(program(), lab, &arguments, (100, 40))
}

#[track_caller]
fn refused(lab: &Path, arguments: &[&str], code: &str) {
    let output = ecluse(lab, arguments);
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(code), "{arguments:?}: {said}");
}

fn json(lab: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(lab, &[arguments, &["--json"]].concat())).unwrap()
}

/// Answers every dossier that is asked for; `differs` says which digit a screen gets. Gives the screens.
pub(crate) fn answer(
    mut person: Terminal,
    number: usize,
    differs: impl Fn(&str) -> Option<char>,
) -> Vec<String> {
    let mut screens = Vec::new();
    for place in 1..=number {
        person.shows(&format!("dossier {place} / {number}"));
        person.shows("q stop");
        // blanks are the layout's
        let screen = person.screen().split_whitespace().collect::<Vec<_>>().join(" ");
        match differs(&screen) {
            None => person.press("t"),
            Some(digit) => {
                person.press("x");
                person.shows("What differs?");
                person.press(&digit.to_string());
            }
        }
        screens.push(screen);
    }
    person.shows("b back to the first that is open");
    person.press("q");
    let (status, drawn, left) = person.ended();
    assert!(status.success(), "{left}");
    assert_ne!(Search::new(&[CANARY]).bytes("terminal", &drawn), [], "values were on the screen");
    assert!(!left.contains(CANARY), "nothing is left on it: {left}");
    screens
}

// proves: REC-05, AUD-04
// fails with the guards off: a tick of the processor's counts, a cross leaves the report green, values stay behind
#[test]
fn two_results_swapped_are_seen_crossed_by_a_named_person_and_stand_in_the_report_without_a_value() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    assert_eq!(step(&lab)["state"], "later", "offered; nothing waits for it yet");
    // into a pipe, and by the processor's operator: nobody is shown anything
    refused(&lab, &["compare", "--as", "Bérénice Essai-Biologie"], "ECL-CMP-020");
    let operator = ["compare", "--as", "Dorothée Essai-Reprise"];
    let (status, drawn, _) = Terminal::start(program(), &lab, &operator, (100, 40)).ended();
    assert_eq!(status.code(), Some(1));
    assert!(String::from_utf8_lossy(&drawn).contains("ECL-CMP-023"));

    // the glucose of two patients, exchanged in the new system
    change(here.path(), "UPDATE result SET request_id = 30 - request_id WHERE id IN (101, 201)");
    refused(&lab, &["reconcile"], "ECL-REC-00");
    let swapped = |screen: &str| screen.contains("NOT in this old dossier").then_some('4');
    let screens = answer(compare(&lab, &["--dossiers", "4"]), 4, swapped);
    // noted before anybody saw a value
    let events = fs::read_to_string(lab.join("run/events.jsonl")).unwrap();
    assert!(events.contains("\"act\":\"compare\""), "{events}");
    let of = |name: &str| screens.iter().filter(|s| s.contains(name)).cloned().collect::<Vec<_>>();
    let two = of("Qanari-Serinus-Deux").join("\n");
    // 201 names another request; 101 is there, and was not
    for seen in [
        "≠ request_id",
        "Qanari-Serinus-9.8 │ Qanari-Serinus-9.8",
        "│ Qanari-Serinus-5.1",
        "NOT in this old dossier",
    ] {
        assert!(two.contains(seen), "{seen}: {two}");
    }
    let three = of("Qanari-Serinus-Trois").join("\n");
    assert!(
        three.contains("microbiology") && three.contains("Qanari-Serinus-E. coli │ Qanari-Serinus-E. coli")
    );
    assert!(three.contains("No difference found") && !three.contains('≠'), "{three}");

    // counts, and nothing of a value, in every file and word
    let counts = &json(&lab, &["compare"])["comparison"];
    assert_eq!(
        (&counts["drawn"], &counts["same"], &counts["differs"]["misplaced"]),
        (&4.into(), &2.into(), &2.into())
    );
    assert_eq!(counts["kinds"]["microbiology"], 1);
    assert_eq!(counts["signed"], false);
    assert_eq!(Search::new(&[CANARY]).folder(&lab), []);

    // nobody signs for her: not the processor, not another person of the laboratory
    for role in ["processor-signatory", "operator", "controller-signatory"] {
        let key = format!("keys/{role}");
        refused(&lab, &["compare", "sign", "--key", &key], "ECL-CLI-016");
        let sign = ["-q", "-Y", "sign", "-n", "ecluse-comparison-v1", "-f", &key, "comparison.toml"];
        assert!(Command::new("ssh-keygen").args(sign).current_dir(&lab).status().unwrap().success());
        fs::create_dir_all(lab.join("comparison.toml.sigs")).unwrap();
        fs::rename(lab.join("comparison.toml.sig"), lab.join("comparison.toml.sigs/x.sig")).unwrap();
        let code = if role == "controller-signatory" { "ECL-CMP-005" } else { "ECL-SGN-023" };
        refused(&lab, &["compare", "verify"], code);
        refused(&lab, &["status"], code);
        fs::remove_dir_all(lab.join("comparison.toml.sigs")).unwrap();
    }
    succeed(&lab, &["compare", "sign", "--key", "keys/controller-biologist"]);
    succeed(&lab, &["compare", "verify"]);
    let told = "4 of 4 drawn dossiers compared by Bérénice Essai-Biologie, signed: 2 the same; crossed: it belongs \
                to another patient or dossier (2)";
    assert!(succeed(&lab, &["status"]).contains(told));
    succeed(&lab, &["report", "--lang", "fr", "-o", "crossed.html"]);
    let page = fs::read_to_string(lab.join("crossed.html")).unwrap();
    assert!(page.contains("4 dossiers tirés sur 4 comparés par Bérénice Essai-Biologie"), "{page}");

    // put right at the source's word: only the two dossiers that changed are asked for again
    succeed(&lab, &["migrate", "--repair"]);
    succeed(&lab, &["reconcile"]);
    assert_eq!(json(&lab, &["compare"])["comparison"]["stale"], true);
    let waits = step(&lab);
    assert!(waits["words"].as_str().unwrap().ends_with("(2); the run has gone on since"), "{waits}");
    assert_eq!((&waits["state"], &waits["waits_for"]), (&"missing".into(), &"the laboratory".into()));
    refused(&lab, &["compare", "verify"], "ECL-CMP-026");
    let mut again = compare(&lab, &[]);
    for _changed in 0..2 {
        again.shows("q stop");
        assert!(again.screen().contains("No difference found") && !again.screen().contains("you said"));
        assert!(!again.screen().contains("Trois"), "what stands as it stood is not asked again");
        again.press("t");
        again.shows("/ 4");
    }
    again.shows("4 of 4 dossiers answered");
    again.press("q");
    assert!(again.ended().0.success());
    succeed(&lab, &["compare", "sign"]);
    assert!(lab.join("comparison.v1.toml.sigs").is_dir(), "what was signed before stays");
    assert_eq!(step(&lab)["state"], "done");
    succeed(&lab, &["report", "--lang", "en"]);
    let page = fs::read_to_string(lab.join("run/report.html")).unwrap();
    assert!(
        page.contains("4 of 4 drawn dossiers compared by Bérénice Essai-Biologie, signed: each the same")
    );
    assert!(page.contains("compared dossiers"));
    assert_eq!(Search::new(&[CANARY]).folder(&lab), []);
}

fn step(lab: &Path) -> Value {
    let next = json(lab, &["next"]);
    next["steps"].as_array().unwrap().iter().find(|s| s["step"] == "comparison").unwrap().clone()
}

/// Stopped by a key, by Ctrl-C, by a signal: the screen is blank, the answers are kept, the next call goes on.
#[test]
fn whoever_stops_goes_on_where_they_stopped_and_the_screen_is_cleared() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    for (stop, place) in [("q", 1), ("\u{3}", 2), ("SIGTERM", 3)] {
        let mut person = compare(&lab, &["--dossiers", "4", "--lang", "fr"]);
        person.shows(&format!("dossier {place} / 4"));
        person.shows("q arrêter");
        // what the product's dictionary says in French, in the place of its English labels
        let screen = person.screen();
        assert!(screen.contains("Demandes   request → request"), "{screen}");
        assert!(screen.contains("Reçu le — date_dem"), "{screen}");
        person.press("t");
        person.shows(&format!("dossier {} / 4", place + 1));
        person.shows(CANARY);
        match stop {
            "SIGTERM" => {
                let id = person.id().to_string();
                let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
                let program = children.split_whitespace().next().unwrap_or(&id).to_owned();
                assert!(Command::new("kill").arg(program).status().unwrap().success());
            }
            key => person.press(key),
        }
        let (status, _, left) = person.ended();
        assert!(status.success(), "{stop:?}: {left}");
        assert!(!left.contains(CANARY) && left.contains("not signed"), "{stop:?}: {left}");
        assert_eq!(json(&lab, &["compare"])["comparison"]["same"], place);
    }
    // another person does not go on with hers
    let other = ["compare", "--as", "alix.essai"];
    let (status, drawn, _) = Terminal::start(program(), &lab, &other, (100, 40)).ended();
    assert_eq!(status.code(), Some(1));
    assert!(String::from_utf8_lossy(&drawn).contains("ECL-CMP-028"));
    // four dossiers, three answers: not what was asked for, and no cross
    succeed(&lab, &["compare", "sign"]);
    assert_eq!(step(&lab)["state"], "missing");
    refused(&lab, &["compare", "sign", "--key", "keys/operator"], "ECL-CLI-016");
}

/// A signed record that is asked again goes aside with its signature; whoever dies there calls again.
#[test]
fn killed_while_a_signed_record_is_set_aside_the_next_call_goes_on() {
    for place in ["before", "after"] {
        let here = tempfile::tempdir().unwrap();
        let lab = moved(here.path());
        change(here.path(), "UPDATE result SET valeur = 'autre' WHERE id = 201");
        refused(&lab, &["reconcile"], "ECL-REC-00");
        answer(compare(&lab, &["--dossiers", "4"]), 4, |_| None);
        succeed(&lab, &["compare", "sign", "--key", "keys/controller-biologist"]);
        succeed(&lab, &["migrate", "--repair"]);
        succeed(&lab, &["reconcile"]);
        let killed = format!("{VARIABLE}=compare.aside.rename.{place}:1");
        let typed = [&killed, program().to_str().unwrap(), "compare", "--as", "Bérénice Essai-Biologie"];
        // what is stale is taken out, and so the record set aside, before the screen opens
        let person = Terminal::start(Path::new("/usr/bin/env"), &lab, &typed, (100, 40));
        assert!(!person.ended().0.success(), "{place}");
        let mut again = compare(&lab, &[]);
        again.shows("q stop");
        again.press("t");
        again.shows("4 of 4 dossiers answered");
        again.press("q");
        assert!(again.ended().0.success(), "{place}");
        succeed(&lab, &["compare", "sign"]);
        succeed(&lab, &["compare", "verify"]);
        let version = |number: u32| {
            let text = fs::read_to_string(lab.join("comparison.toml")).unwrap();
            assert!(text.lines().any(|line| line.replace(' ', "") == format!("version={number}")), "{text}");
            assert!(text.contains("supersedes"), "{place}: {text}");
        };
        version(2);
        // its signature holds; the run alone is another one by now
        refused(&lab, &["compare", "verify", "comparison.v1.toml"], "ECL-CMP-026");
        // and what changes after that is set aside as well
        change(here.path(), "UPDATE result SET valeur = 'autre' WHERE id = 301");
        refused(&lab, &["reconcile"], "ECL-REC-00");
        succeed(&lab, &["migrate", "--repair"]);
        succeed(&lab, &["reconcile"]);
        let mut further = compare(&lab, &[]);
        further.shows("4 of 4 dossiers answered");
        further.press("q");
        assert!(further.ended().0.success(), "{place}");
        version(3);
        succeed(&lab, &["compare", "sign"]);
        succeed(&lab, &["compare", "verify"]);
        for earlier in ["comparison.v1.toml", "comparison.v2.toml"] {
            refused(&lab, &["compare", "verify", earlier], "ECL-CMP-026");
        }
    }
}

/// Three dossiers of a rehearsal say nothing about the whole run: all that are drawn of it are asked.
#[test]
fn what_was_said_of_a_sample_is_not_said_of_the_whole() {
    let here = tempfile::tempdir().unwrap();
    Connection::open(here.path().join("old.db")).unwrap().execute_batch(&laboratory()).unwrap();
    let lab = rehearsed(here.path(), "sqlite:old.db", "sqlite:new.db", &["--sample", "2"]);
    answer(compare(&lab, &["--dossiers", "2"]), 2, |_| None);
    succeed(&lab, &["compare", "sign"]);
    assert_eq!(step(&lab)["state"], "done");
    succeed(&lab, &["migrate"]);
    succeed(&lab, &["reconcile"]);
    let mut person = compare(&lab, &[]);
    person.shows("dossier 1 / 4");
    person.shows("q stop");
    person.press("q");
    assert!(person.ended().0.success());
    let counts = &json(&lab, &["compare"])["comparison"];
    assert_eq!((&counts["drawn"], &counts["same"]), (&4.into(), &0.into()));
    answer(compare(&lab, &[]), 4, |_| None);
    succeed(&lab, &["compare", "sign"]);
    assert_eq!(step(&lab)["state"], "done");
    refused(&lab, &["compare", "verify", "comparison.v1.toml"], "ECL-CMP-026");
}

/// A value cannot draw, hide, set a title or answer for the person.
#[test]
fn a_value_with_escape_sequences_is_shown_and_not_obeyed() {
    let here = tempfile::tempdir().unwrap();
    let lab = moved(here.path());
    let hostile = "x\u{1b}]0;titre\u{7}\u{1b}[2J\u{9b}31m\u{1b}P$q\"p\u{1b}\\\u{202e}";
    Connection::open(here.path().join("new.db"))
        .unwrap()
        .execute("UPDATE result SET valeur = ?1", [hostile])
        .unwrap();
    refused(&lab, &["reconcile"], "ECL-REC-004");
    let mut person = compare(&lab, &["--dossiers", "1"]);
    person.shows("x␛]0;titre␇␛[2J‹U+009B›31m␛P$q");
    person.press("q");
    let (status, drawn, _) = person.ended();
    assert!(status.success());
    let drawn = String::from_utf8(drawn).unwrap();
    assert!(!drawn.contains(['\u{7}', '\u{9b}', '\u{202e}']));
    // every escape is one that the screen itself needs
    for sequence in drawn.split('\u{1b}').skip(1) {
        let own = ["[?1049", "[?7", "[?25", "[0m", "[1m", "[2J", "[3J", "[H"];
        let place = sequence
            .strip_prefix('[')
            .and_then(|s| s.split_once(";1H"))
            .is_some_and(|(n, _)| n.parse::<u16>().is_ok());
        assert!(place || own.iter().any(|known| sequence.starts_with(known)), "{sequence:?}");
    }
}

/// The same two servers, one way and the other: nothing differs, then one value does.
#[test]
fn dossiers_are_compared_between_mariadb_and_postgresql() {
    let (Some(postgres), Some(mariadb)) = (server::postgres(), server::mariadb()) else { return };
    let here = tempfile::tempdir().unwrap();
    let password = |name: &str, text: &str| {
        let path = here.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let (pg, my) = (postgres.database("compare"), mariadb.database("compare"));
    let (pg_new, my_new) = (postgres.database("compared"), mariadb.database("compared"));
    let pg_url = |url: String| format!("{url}?password-file={}", password("pg", &postgres.password()));
    let my_url = |url: String| format!("{url}?password-file={}", password("my", &mariadb.password()));
    pg.sql(&laboratory());
    my.sql(&laboratory());
    type Way<'a> = (String, String, &'a dyn Fn(&str));
    let ways: [Way<'_>; 2] = [
        (my_url(my.url()), pg_url(pg_new.url()), &|sql| drop(pg_new.sql(sql))),
        (pg_url(pg.url()), my_url(my_new.url()), &|sql| drop(my_new.sql(sql))),
    ];
    for (way, (from, to, change)) in ways.into_iter().enumerate() {
        let folder = here.path().join(format!("way-{way}"));
        fs::create_dir(&folder).unwrap();
        let lab = trial(&folder, &from, &to);
        let screens = answer(compare(&lab, &["--dossiers", "4"]), 4, |_| None);
        assert!(screens.iter().all(|screen| screen.contains("No difference found")), "{screens:?}");
        change("UPDATE result SET valeur = 'autre' WHERE id = 201");
        refused(&lab, &["reconcile"], "ECL-REC-004");
        let mut person = compare(&lab, &[]);
        // the one of the four that is not as it was is asked for again
        person.shows("autre");
        let screen = person.screen().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(screen.contains(&format!("≠ valeur │ {CANARY}-9.8 │ autre")), "{screen}");
        person.press("q");
        assert!(person.ended().0.success());
    }
}
