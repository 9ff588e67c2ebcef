//! Which columns are moved aside, and what is refused because it would lead to somebody else's row.

use super::tests::Case;
use super::{By, Counter, TablePlan};
use crate::catalog::ForeignKey;
use crate::class::Class;
use crate::dictionary;
use crate::reader::Spanned;

const NUMBERS: &str = "offset = 5000\nroom = 1000\n";
const FIFTY: By = By::Offset { offset: 5000, room: 1000 };

/// The laboratory of the other tests, whose destination holds others.
fn beside(room: &str) -> Case {
    let head = "format = \"ecluse-mapping/1\"\n";
    Case::new().mapping(head, &format!("{head}\n[append]\n{room}"))
}

/// The same, where a text is the patients' key.
fn keyed_by_name(room: &str) -> Case {
    let mut case = beside(room);
    case.source_table("patient").key = vec!["nom".to_owned()];
    case.source_table("patient").columns[1].nullable = false;
    case.destination_table("patient").key = vec!["family_name".to_owned()];
    case
}

fn refers(columns: &str, references: &str, referenced: &str) -> ForeignKey {
    ForeignKey {
        name: String::new(),
        columns: vec![columns.to_owned()],
        references: references.to_owned(),
        referenced: vec![referenced.to_owned()],
    }
}

/// The dictionary's relations of a table, to be spoiled.
fn relations<'c>(case: &'c mut Case, table: &str) -> &'c mut Vec<dictionary::Relation> {
    &mut case.dictionary.tables.iter_mut().find(|t| t.name.value == table).unwrap().relations
}

/// The columns of a table that are moved aside.
fn aside(table: &TablePlan) -> Vec<(&str, &By)> {
    table.shifts().iter().map(|s| (table.write()[s.column].name.as_str(), &s.by)).collect()
}

#[test]
fn keys_are_moved_aside_and_what_refers_to_them_follows() {
    let plan = beside(NUMBERS).plan();
    let [request, result, patient] = plan.tables() else { panic!() };
    assert_eq!(aside(request), [("id", &FIFTY), ("patient_id", &FIFTY)]);
    assert_eq!(aside(result), [("id", &FIFTY), ("request_id", &FIFTY)]);
    assert_eq!(aside(patient), [("id", &FIFTY)]);
    assert_eq!(patient.room_words(), "00000000000000005000 00000000000000006000 id");
    // a key that the room has no place for is refused before its row is sent
    assert_eq!(request.write().iter().filter(|c| c.int_bounds == Some((0, 999))).count(), 2);
    assert!(Case::new().plan().tables().iter().all(|t| t.shifts().is_empty() && t.room().is_empty()));
}

#[test]
fn a_number_within_a_parent_stays_what_it_is() {
    let mut case = beside(&format!("{NUMBERS}plain = [\"resultat.id\"]\n"));
    case.source_table("resultat").key = vec!["id_dossier".to_owned(), "id".to_owned()];
    case.destination_table("result").key = vec!["request_id".to_owned(), "id".to_owned()];
    let plan = case.plan();
    assert_eq!(aside(&plan.tables()[1]), [("request_id", &FIFTY)]);
    assert_eq!(plan.tables()[1].room().len(), 1);
}

#[test]
fn a_text_key_goes_behind_the_prefix_and_has_less_room_for_it() {
    let case = keyed_by_name(&format!("{NUMBERS}prefix = \"CHB-\"\nplain = [\"patient.id\"]\n"));
    let plan = case.plan();
    let patient = &plan.tables()[2];
    assert_eq!(aside(patient), [("family_name", &By::Prefix("CHB-".to_owned()))]);
    assert_eq!(patient.write()[1].max_length, Some(56));
    assert_eq!(patient.room_words(), "CHB- CHB. family_name");
    // requests refer to the patient's number, which is no key there: nobody moves it
    assert_eq!(aside(&plan.tables()[0]), [("id", &FIFTY)]);
}

#[test]
fn a_column_that_refers_to_a_table_which_does_not_move_is_refused() {
    let mut case = beside(NUMBERS);
    relations(&mut case, "resultat").push(dictionary::Relation {
        column: Spanned::new("valeur".to_owned(), 0..0),
        table: "utilisateurs".to_owned(),
        to: "username".to_owned(),
        declared: true,
    });
    assert_eq!(case.refused(), ["ECL-PLN-041"]);
    // a code table says which row of the destination is meant
    let case =
        case.mapping("value = \"valeur\"", "value = { constant = \"x\" }").instruction("  \"valeur\",\n", "");
    assert_eq!(case.refused(), [] as [&str; 0]);
}

// proves: REC-02
#[test]
fn what_the_destination_knows_for_a_reference_must_follow_its_row() {
    // nobody told of the relation, and the destination's foreign key would take a neighbour's request
    let mut case = beside(NUMBERS);
    relations(&mut case, "resultat").clear();
    assert_eq!(case.refused(), ["ECL-PLN-046"], "nothing tells of it but its name");
    let mut case = case.mapping("room = 1000\n", "room = 1000\nplain = [\"resultat.id_dossier\"]\n");
    assert_eq!(case.refused(), [] as [&str; 0]);
    case.destination_table("result").foreign_keys.push(refers("request_id", "request", "id"));
    assert_eq!(case.refused(), ["ECL-PLN-042"]);

    let mut case = beside(NUMBERS);
    case.destination_table("result").foreign_keys.push(refers("request_id", "request", "id"));
    assert_eq!(case.refused(), [] as [&str; 0]);
    case.destination_table("result").foreign_keys.push(refers("origin", "laboratory", "code"));
    assert_eq!(case.refused(), [] as [&str; 0], "a constant names its row on purpose");
    case.destination_table("result").foreign_keys.push(refers("value", "analysis", "code"));
    assert_eq!(case.refused(), ["ECL-PLN-042"]);
}

#[test]
fn a_column_that_is_called_like_a_reference_is_asked_about() {
    let mut case = beside(NUMBERS);
    relations(&mut case, "dossier").clear();
    assert_eq!(case.refused(), ["ECL-PLN-046"], "a database without foreign keys");
    let told = |plain: &str| format!("{NUMBERS}plain = [\"{plain}\"]\n");
    let mut case = beside(&told("dossier.id_patient"));
    relations(&mut case, "dossier").clear();
    assert_eq!(aside(&case.plan().tables()[0]), [("id", &FIFTY)]);
    assert_eq!(beside(&told("dossier.nobody")).refused(), ["ECL-PLN-046"], "a slip there hides nothing");
}

// proves: INS-10, REC-05
// fails with the guard off: `-5.4` arrives for `5.4`, and nobody but the signatory signed
#[test]
fn a_result_is_no_reference_whoever_says_so() {
    let prefix = format!("{NUMBERS}prefix = \"-\"\n");
    let relation = dictionary::Relation {
        column: Spanned::new("valeur".to_owned(), 0..0),
        table: "patient".to_owned(),
        to: "nom".to_owned(),
        declared: false,
    };
    let mut case = keyed_by_name(&format!("{prefix}plain = [\"patient.id\"]\n"));
    assert_eq!(case.refused(), [] as [&str; 0]);
    relations(&mut case, "resultat").push(relation.clone());
    assert_eq!(case.refused(), ["ECL-PLN-050"], "the engineer says so");
    // the dictionary calls it what it likes, relation and column; the database is asked
    relations(&mut case, "resultat").clear();
    relations(&mut case, "resultat").push(dictionary::Relation { declared: true, ..relation });
    let table = case.dictionary.tables.iter_mut().find(|t| t.name.value == "resultat").unwrap();
    table.columns.iter_mut().find(|c| c.name.value == "valeur").unwrap().class = Class::Technical;
    assert!(case.refused().contains(&"ECL-PLN-050"));
    case.source_table("resultat").foreign_keys.push(refers("valeur", "patient", "nom"));
    assert!(!case.refused().contains(&"ECL-PLN-050"));
}

#[test]
fn a_reference_that_is_not_moved_plainly_is_refused() {
    let case =
        beside(NUMBERS).mapping("request_id = \"id_dossier\"", "request_id = { cast = \"id_dossier\" }");
    assert_eq!(case.refused(), ["ECL-PLN-043"]);
}

#[test]
fn a_table_whose_rows_could_not_be_told_is_refused() {
    let mut case = beside(NUMBERS);
    case.source_table("patient").key = vec!["nom".to_owned()];
    case.destination_table("patient").key = vec!["family_name".to_owned()];
    assert_eq!(case.refused(), ["ECL-PLN-040"], "a text, and no prefix");
    let case = beside("prefix = \"CHB-\"\n");
    assert!(case.refused().iter().all(|code| *code == "ECL-PLN-040"), "numbers, and no offset");
    let mut case = beside(NUMBERS);
    case.source_table("patient").key = vec!["ddn".to_owned()];
    case.destination_table("patient").key = vec!["birth_date".to_owned()];
    assert_eq!(case.refused(), ["ECL-PLN-040"], "a day");
    let mut case = beside(NUMBERS);
    case.source_table("resultat").key.clear();
    assert_eq!(case.refused(), ["ECL-PLN-040"], "no key");
}

#[test]
fn a_room_that_the_destination_cannot_hold_is_refused() {
    let mut case = beside(NUMBERS);
    case.source_table("patient").columns[0].int_bounds = Some((0, 100));
    case.destination_table("patient").columns[0].int_bounds = Some((0, 5998));
    assert_eq!(case.refused(), ["ECL-PLN-044"]);
    case.destination_table("patient").columns[0].int_bounds = Some((0, 5999));
    assert_eq!(case.refused(), [] as [&str; 0]);
}

#[test]
fn counters_that_would_run_into_the_room_are_told() {
    let mut case = beside(NUMBERS);
    let told = |case: &Case| {
        let notes = case.compile().unwrap().notes;
        notes.into_iter().find(|n| n.code.id == "ECL-PLN-045").and_then(|n| n.help)
    };
    assert_eq!(told(&case), None);
    case.destination_table("patient").columns[0].identity = true;
    assert!(told(&case).unwrap().contains("before one reaches 5000, set it to 6000"));
    let counters = case.compile().unwrap().counters;
    let column = case.destination_table("patient").columns[0].name.clone();
    assert_eq!(counters, [Counter { table: "patient".to_owned(), column, next: 6000 }]);
}
