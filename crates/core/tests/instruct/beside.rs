//! Rows beside the order that name ordered rows: what an order may say becomes of them.

use ecluse_core::dictionary::Relation;
use ecluse_core::diff::{Change, changes};
use ecluse_core::document::{self, Kind};
use ecluse_core::instruction::{self, Order, referring};

use crate::laboratory;

const LINES: [&str; 6] = [
    "table = \"utilisateurs\"",
    "column = \"id\"",
    "of = \"patient\"",
    "to = \"id\"",
    "fate = \"keep\"",
    "until = 2036-12-31",
];
const DESTROY: &str = "fate = \"destroy\"\nreason = \"it is about who left\"\nby = 2027-01-31";

/// The laboratory's order with these rows beside it; the source erased, or not.
fn text(beside: &str, erased: bool) -> String {
    let text = laboratory::instruction("version", "version", &laboratory::mapping());
    let text = match erased {
        true => text.replacen("[erasure]\n", "[erasure]\nsource = 2027-01-31\n", 1),
        false => text,
    };
    format!("{text}\n[[beside]]\n{beside}\n")
}

fn codes(beside: &str, erased: bool) -> Vec<&'static str> {
    match instruction::parse(&text(beside, erased)) {
        Ok(order) => {
            instruction::check(&order, &laboratory::dictionary()).iter().map(|f| f.code.id).collect()
        }
        Err(findings) => findings.iter().map(|f| f.code.id).collect(),
    }
}

fn with(was: &str, is: &str) -> String {
    LINES.join("\n").replace(was, is)
}

#[test]
fn rows_beside_the_order_are_named_by_what_is_there_and_kept_or_destroyed() {
    let kept = "fate = \"keep\"\nuntil = 2036-12-31";
    assert_eq!(codes(&LINES.join("\n"), false), [""; 0]);
    assert_eq!(codes(&with(kept, DESTROY), true), [""; 0]);
    for (was, is) in [
        ("\"utilisateurs\"", "\"nowhere\""),
        ("column = \"id\"", "column = \"nowhere\""),
        ("\"patient\"", "\"utilisateurs\""),
        // not granted; of another type
        ("to = \"id\"", "to = \"prenom\""),
        ("column = \"id\"", "column = \"lastname\""),
    ] {
        let found = codes(&with(was, is), false);
        assert!(found.iter().all(|code| *code == "ECL-INS-030") && !found.is_empty(), "{is}: {found:?}");
    }
    // destroyed where nothing is erased; rows of an ordered table that did not move
    assert_eq!(codes(&with(kept, DESTROY), false), ["ECL-INS-031"]);
    let own =
        with("table = \"utilisateurs\"\ncolumn = \"id\"", "table = \"dossier\"\ncolumn = \"id_patient\"");
    assert_eq!(codes(&own, true), [""; 0]);
    assert_eq!(codes(&own.replace(kept, DESTROY), true), ["ECL-INS-031"]);
    for (was, is) in [
        (kept, "fate = \"return\""),
        (kept, "fate = \"keep\""),
        (kept, "fate = \"destroy\"\nby = 2027-01-31"),
        ("to = \"id\"", "to = \"id\"\nrows = 'true'"),
    ] {
        let found = codes(&with(was, is), true);
        assert!(
            found.iter().all(|code| code.starts_with("ECL-INS-00")) && !found.is_empty(),
            "{is}: {found:?}"
        );
    }
    for line in LINES {
        assert!(!codes(&with(line, ""), true).is_empty(), "without {line}");
    }
}

#[test]
fn a_day_that_is_past_is_refused_and_each_change_is_listed() {
    let order = |text: &str| -> Order { instruction::parse(text).unwrap() };
    let (before, after) = (text(&LINES.join("\n"), true), text(&with("2036-12-31", "2026-01-01"), true));
    let header = |text: &str| document::header(text, Kind::Instruction).unwrap();
    let found = instruction::fates(&order(&after), &header(&after), &laboratory::dictionary());
    assert_eq!(found.iter().map(|f| f.code.id).collect::<Vec<_>>(), ["ECL-PLN-081"]);
    let (was, is) = ((header(&before), order(&before)), (header(&after), order(&after)));
    let listed: Vec<String> =
        changes((&was.0, &was.1), (&is.0, &is.1)).iter().map(Change::to_string).collect();
    assert_eq!(
        listed,
        [
            "~ fate of rows of utilisateurs.id that name patient.id: keep until 2036-12-31 → keep until 2026-01-01"
        ]
    );
}

#[test]
fn what_refers_is_what_the_order_or_the_dictionary_says() {
    let order = instruction::parse(&text(&LINES.join("\n"), false)).unwrap();
    let told: Vec<String> = referring(&order, &laboratory::dictionary())
        .into_iter()
        .map(|one| format!("{}.{} {}.{}", one.table, one.column, one.of, one.to))
        .collect();
    assert!(told.contains(&"utilisateurs.id patient.id".to_owned()), "{told:?}");
    assert!(told.windows(2).all(|two| two[0] < two[1]), "{told:?}");
}

#[test]
fn what_names_rows_that_the_order_destroys_beside_itself_refers_too() {
    let mut dictionary = laboratory::dictionary();
    let patient = dictionary.tables.iter_mut().find(|table| table.name.value == "patient").unwrap();
    let column = patient.columns.iter().find(|column| column.name.value == "sexe").unwrap().name.clone();
    let (table, to) = ("utilisateurs".to_owned(), "id".to_owned());
    patient.relations.push(Relation { column, table, to, declared: false });
    let kept = "fate = \"keep\"\nuntil = 2036-12-31";
    let named = |fate: &str| {
        let order = instruction::parse(&text(&with(kept, fate), true)).unwrap();
        referring(&order, &dictionary).iter().any(|one| one.table == "patient" && one.of == "utilisateurs")
    };
    assert!(named(DESTROY));
    // rows that are kept lose nobody who names them
    assert!(!named(kept));
}
