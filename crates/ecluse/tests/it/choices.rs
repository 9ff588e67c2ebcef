//! A text of which the catalogue lists the words is a choice, not free text, in every engine that can say so.

use std::path::Path;

use ecluse_testkit::migration::End;
use ecluse_testkit::server;
use rusqlite::Connection;

use crate::succeed;

/// The columns of the catalogue's one table, each with its class and reason, as the survey proposes them.
#[track_caller]
fn surveyed(here: &Path, from: &str) -> Vec<String> {
    succeed(here, &["new", "lab", "--trial", "--from", from, "--to", "sqlite:new.db"]);
    let lab = here.join("lab");
    succeed(&lab, &["survey"]);
    let text = std::fs::read_to_string(lab.join("dictionary.toml")).unwrap();
    let dictionary = ecluse_core::dictionary::parse(&text).unwrap();
    let table = dictionary.tables.iter().find(|t| t.name.value == "catalogue").unwrap();
    let told = table.columns.iter().skip(1);
    let told: Vec<String> =
        told.map(|c| format!("{}: {}, {}", c.name.value, c.class.name(), c.reason)).collect();
    // and no reason is asked of whoever orders them
    succeed(&lab, &["instruction", "new", "--grant-proposed", "--table", "catalogue"]);
    let draft = std::fs::read_to_string(lab.join("instruction.toml")).unwrap();
    for line in &told {
        let name = line.split(':').next().unwrap();
        let granted = draft.lines().any(|line| line.trim().starts_with(&format!("\"{name}\"")));
        assert_eq!(granted, line.contains("technical"), "{name}: {draft}");
    }
    told
}

const CHOICE: &str = "technical, one of a few words that the catalogue lists";
const FREE: &str = "free text, a text without a narrow limit";

// proves: INS-03
// fails with the guard off: each of them is called free text, and wants a reason of its own
#[test]
fn a_check_over_a_list_is_a_choice_in_sqlite() {
    let here = tempfile::tempdir().unwrap();
    Connection::open(here.path().join("old.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE catalogue (id INTEGER PRIMARY KEY,
                Etat TEXT NOT NULL DEFAULT 'a' CHECK (etat IN ('a', 'it''s')), genre TEXT, forme TEXT, sorte TEXT,
                long TEXT CHECK (length(long) < 9),
                CONSTRAINT genres CHECK (genre IS NULL OR genre IN ('x', 'y')),
                CHECK (forme NOT IN ('z')))",
        )
        .unwrap();
    assert_eq!(
        surveyed(here.path(), "sqlite:old.db"),
        [
            format!("Etat: {CHOICE}"),
            format!("genre: {CHOICE}"),
            format!("forme: {FREE}"),
            format!("sorte: {FREE}"),
            format!("long: {FREE}"),
        ]
    );
}

const MADE: &str = "
CREATE TYPE etats AS ENUM ('draft', 'it''s done');
CREATE DOMAIN etats_ici AS etats;
CREATE TABLE catalogue (id int PRIMARY KEY, etat etats NOT NULL, ici etats_ici, plusieurs etats[],
    genre text CHECK (genre IN ('x', 'y')), court varchar(300),
    forme text CHECK (forme <> 'z'), depuis text, sorte text,
    CONSTRAINT courts CHECK (court IS NULL OR court IN ('m', 'n')));
ALTER TABLE catalogue ADD CONSTRAINT depuis CHECK (depuis IN ('p', 'q')) NOT VALID;
";

/// `array` is what stands of an array of the enumeration.
fn made(array: &str) -> Vec<String> {
    let of = |name: &str, class: &str| format!("{name}: {class}");
    let choices = ["etat", "ici"].map(|name| of(name, CHOICE));
    let more = ["genre", "court"].map(|name| of(name, CHOICE));
    // rows of before may hold anything where the check was never made of them
    let free = ["forme", "depuis", "sorte"].map(|name| of(name, FREE));
    choices.into_iter().chain([of("plusieurs", array)]).chain(more).chain(free).collect()
}

// proves: INS-03
#[test]
fn an_enumeration_and_a_check_over_a_list_are_choices_in_postgresql() {
    let Some(postgres) = server::postgres() else { return };
    let from = postgres.database("choices");
    from.sql(MADE);
    let here = tempfile::tempdir().unwrap();
    assert_eq!(surveyed(here.path(), End::postgres(&from, "postgres").url()), made(FREE));
}

#[test]
fn a_dump_of_postgresql_says_the_same_of_them() {
    let Some(postgres) = server::postgres() else { return };
    let from = postgres.database("choices_dumped");
    from.sql(MADE);
    let here = tempfile::tempdir().unwrap();
    let dumped = |name: &str, more: &[&str]| {
        let output = from.server().dump(from.name(), more).output().unwrap();
        assert!(output.status.success());
        std::fs::write(here.path().join(name), output.stdout).unwrap();
        here.path().join(name).display().to_string()
    };
    let (whole, schema) = (dumped("old.sql", &[]), dumped("schema.sql", &["--schema-only"]));
    let at = format!("dump+postgresql:{whole}?database={}&schema={schema}", from.name());
    assert_eq!(surveyed(here.path(), &at), made("free text, a type that is not known may hold anything"));
}

/// A trial into a PostgreSQL table whose `etat` is an enumeration, mapped so, its papers signed.
fn into(here: &Path, to: &str, etat: &str) -> std::path::PathBuf {
    let _gone = std::fs::remove_dir_all(here.join("into"));
    succeed(here, &["new", "into", "--trial", "--from", "sqlite:old.db", "--to", to]);
    let lab = here.join("into");
    succeed(&lab, &["survey"]);
    succeed(&lab, &["instruction", "new", "--grant-proposed", "--table", "catalogue"]);
    let path = lab.join("mapping.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("etat = \"etat\""), "{text}");
    std::fs::write(path, text.replacen("etat = \"etat\"", etat, 1)).unwrap();
    lab
}

// proves: REC-03
// fails with the guard off: the server refuses the word, and writes it into its log
#[test]
fn a_label_arrives_in_an_enumeration_and_another_word_refuses_its_row_before_it_is_sent() {
    let Some(postgres) = server::postgres() else { return };
    let new = postgres.database("choices_into");
    new.sql(
        "CREATE TYPE etats AS ENUM ('draft', 'it''s done', 'été');
         CREATE TABLE catalogue (id bigint, etat etats, PRIMARY KEY (id, etat), ici etats NOT NULL DEFAULT 'draft')",
    );
    let here = tempfile::tempdir().unwrap();
    let old = Connection::open(here.path().join("old.db")).unwrap();
    old.execute_batch(
        "CREATE TABLE catalogue (id INTEGER, etat VARCHAR(20) NOT NULL, PRIMARY KEY (id, etat)) WITHOUT ROWID;
         INSERT INTO catalogue VALUES (1, 'draft'), (1, 'it''s done'), (2, 'été'), (3, 'Draft'), (4, 'CANARI')",
    )
    .unwrap();
    let url = End::postgres(&new, "postgres").url().to_owned();
    // what the papers alone say of a word that is none
    let lab = into(here.path(), &url, "etat = \"etat\"\nici = { constant = \"Draft\" }");
    let said = crate::reference::refused(&lab, &["instruction", "check", "--fill"], "ECL-PLN-017");
    assert!(said.contains("ici is `public.etats`"), "{said}");

    let lab = into(here.path(), &url, "etat = \"etat\"\nici = { constant = \"été\" }");
    succeed(&lab, &["instruction", "check", "--fill"]);
    succeed(&lab, &["mapping", "sign"]);
    succeed(&lab, &["instruction", "sign"]);
    let plan = crate::ecluse(&lab, &["plan"]);
    let plan = String::from_utf8(plan.stdout).unwrap();
    assert!(plan.contains("ECL-BAT-113") && plan.contains("2 rows would be refused"), "{plan}");
    let moved = crate::ecluse(&lab, &["migrate"]);
    assert!(!moved.status.success(), "{moved:?}");
    let stands = "SELECT string_agg(id || etat::text || ici, ',' ORDER BY id, etat::text) FROM catalogue";
    assert_eq!(new.sql(stands).trim(), "1draftété,1it's doneété,2étéété");
    // the words that are no label go at the source
    old.execute_batch("DELETE FROM catalogue WHERE id > 2").unwrap();
    succeed(&lab, &["migrate"]);
    succeed(&lab, &["reconcile"]);
    assert_eq!(new.sql(stands).trim(), "1draftété,1it's doneété,2étéété");
    assert!(new.statements().iter().all(|s| !format!("{s:?}").contains("CANARI")));
    succeed(&lab, &["undo"]);
    assert_eq!(new.sql(stands).trim(), "");
}
