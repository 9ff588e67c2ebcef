//! What stays behind: every class has a fate, said by the controller, or nothing is planned.

use std::collections::BTreeSet;

use ecluse_core::class::Class;
use ecluse_core::document::{self, Kind};
use ecluse_core::erasure::{Erased, Erasure, Side};
use ecluse_core::finding::Finding;
use ecluse_core::instruction::{self, Fate, KnownOfFate, Order, carried, staying};

use crate::laboratory;

const STAFF: &str = "staff = { fate = \"keep\", until = 2027-12-31 }\n";
const RESULT: &str = "result = { fate = \"keep\", until = 2036-12-31 }\n";

fn order(was: &str, is: &str) -> (String, Order) {
    let text = laboratory::instruction(was, is, &laboratory::mapping());
    let order = instruction::parse(&text).unwrap_or_else(|f| panic!("{f:#?}"));
    (text, order)
}

fn fates(was: &str, is: &str) -> Vec<Finding> {
    let (text, order) = order(was, is);
    let header = document::header(&text, Kind::Instruction).unwrap();
    instruction::fates(&order, &header, &laboratory::dictionary())
}

fn codes(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|f| f.code.id).collect()
}

#[test]
fn each_class_of_which_something_stays_needs_a_fate() {
    assert_eq!(fates("version", "version"), []);
    let laboratory = laboratory::INSTRUCTION;
    let lines: Vec<&str> = laboratory
        .lines()
        .skip_while(|l| *l != "[stays]")
        .skip(1)
        .take_while(|l| !l.trim().is_empty())
        .collect();
    assert_eq!(lines.len(), Class::ALL.len());
    let held: BTreeSet<Class> =
        laboratory::dictionary().tables.iter().flat_map(|t| &t.columns).map(|c| c.class).collect();
    for line in &lines {
        let found = fates(&format!("{line}\n"), "");
        let class = Class::from_name(line.split(" = ").next().unwrap().trim_matches('"')).unwrap();
        if held.contains(&class) {
            assert_eq!(codes(&found), ["ECL-PLN-009"], "{line}");
            assert!(found[0].message.starts_with(class.name()), "{line}: {}", found[0].message);
        } else {
            assert_eq!(found, [], "nothing of it is there: {line}");
        }
    }
    let found = fates(&format!("[stays]\n{}\n", lines.join("\n")), "");
    assert_eq!(codes(&found), ["ECL-PLN-009"], "one finding names them all");
    assert!(found[0].message.contains("staff (2 columns of 1 table)"), "{}", found[0].message);
}

/// A granted column stays, too, in every row that is not chosen.
#[test]
fn a_row_that_is_not_chosen_stays_behind() {
    let every = "rows = 'id_dossier in chosen.dossier'";
    assert_eq!(codes(&fates(RESULT, "")), ["ECL-PLN-009"], "valeur moves for chosen requests only");
    let (text, _) = order(every, "rows = 'true'");
    let order = instruction::parse(&text.replacen(RESULT, "", 1)).unwrap();
    let dictionary = laboratory::dictionary();
    let valeur = |order: &Order| {
        staying(order, &dictionary).into_iter().find(|s| s.column == "valeur").map(|s| s.whole)
    };
    assert_eq!(valeur(&order), None, "the column moves for every row");
    let excluding = text.replacen(
        "max_runs = 1\n",
        "max_runs = 1\npersons_excluded = \"sha256:1111111111111111111111111111111111111111111111111111111111111111\"\n",
        1,
    );
    assert_eq!(
        valeur(&instruction::parse(&excluding).unwrap()),
        Some(false),
        "an excluded person's rows stay"
    );
}

#[test]
fn a_table_nobody_named_stays_with_its_class_and_fate() {
    let (_, order) = order("version", "version");
    let stays = staying(&order, &laboratory::dictionary());
    let stay = |t: &str, c: &str| {
        let s = stays.iter().find(|s| s.table == t && s.column == c).unwrap();
        (s.class, s.whole, s.fate)
    };
    let until = |year| Some(Fate::Keep { until: jiff::civil::date(year, 12, 31) });
    assert_eq!(stay("utilisateurs", "lastname"), (Class::Staff, true, until(2027)));
    assert_eq!(stay("patient", "adresse"), (Class::Contact, true, until(2036)));
    assert_eq!(stay("patient", "nom"), (Class::Identity, false, until(2036)));
    assert_eq!(stay("dossier", "medecin"), (Class::ThirdParty, true, Some(Fate::Return)));
}

#[test]
fn a_fate_says_all_that_it_needs_and_nothing_else() {
    for (fate, fine) in [
        ("\"return\"", true),
        ("{ fate = \"return\" }", true),
        ("{ fate = \"return\", reason = \"the laboratory asked for it\" }", true),
        ("{ fate = \"keep\", until = 2036-12-31 }", true),
        ("{ fate = \"destroy\", reason = \"sampled twice\", by = 2027-01-31 }", true),
        ("\"keep\"", false),
        ("\"destroy\"", false),
        ("\"archive\"", false),
        ("{ fate = \"keep\" }", false),
        ("{ fate = \"keep\", until = \"…\" }", false),
        ("{ fate = \"keep\", by = 2036-12-31 }", false),
        ("{ fate = \"return\", until = 2036-12-31 }", false),
        ("{ fate = \"destroy\", by = 2027-01-31 }", false),
        ("{ fate = \"destroy\", reason = \"…\", by = 2027-01-31 }", false),
        ("{ fate = \"destroy\", reason = \"\", by = 2027-01-31 }", false),
        ("{ fate = \"destroy\", reason = \"sampled twice\" }", false),
        ("{ fate = \"destroy\", reason = \"sampled twice\", by = 2027-02-30 }", false),
        ("{ }", false),
        ("1", false),
    ] {
        let text = laboratory::INSTRUCTION
            .replace("sha256:…", &format!("sha256:{}", "0".repeat(64)))
            .replacen(STAFF, &format!("staff = {fate}\n"), 1);
        let read = instruction::parse(&text);
        assert_eq!(read.is_ok(), fine, "{fate}: {read:#?}");
        if let Err(found) = read {
            assert!(found.iter().all(|f| f.span.is_some()), "{fate}: {found:#?}");
        }
    }
}

#[test]
fn a_day_before_the_order_holds_decides_nothing() {
    let at_once = STAFF.replace("2027-12-31", "2026-11-20");
    assert_eq!(fates(STAFF, &at_once), []);
    let found = fates(STAFF, &STAFF.replace("2027-12-31", "2026-11-19"));
    assert_eq!(codes(&found), ["ECL-PLN-081"]);
    assert!(found[0].span.is_some());
}

/// What is ordered and left to people is said, and never looks done; `attachment` is not at the source.
#[test]
fn what_this_version_leaves_to_people_is_said() {
    let dictionary = laboratory::dictionary();
    let notes = instruction::not_carried_out(&order("version", "version").1, &dictionary);
    assert_eq!(codes(&notes), ["ECL-RET-001", "ECL-PLN-080"]);
    assert_eq!(notes[0].message, "to return: third party, free text");
    assert_eq!(notes[1].message, "to destroy: credential");
}

/// What closing may say of a fate: what a record of ours says, and no more.
#[test]
fn of_a_fate_no_more_is_known_than_a_record_says() {
    let dictionary = laboratory::dictionary();
    let destroyed = "result = { fate = \"destroy\", reason = \"sampled twice\", by = 2027-01-31 }\n";
    let gone = |tables: &[&str]| {
        let one = |table: &&str| Erased {
            side: Side::Source,
            place: "mariadb lab/LAB".to_owned(),
            what: (*table).to_owned(),
            method: "deleted, then counted: none left".to_owned(),
            rows: Some(1),
            files: None,
            at: "2027-01-15T08:00:00Z".to_owned(),
        };
        Erasure { done: tables.iter().map(one).collect(), ..Erasure::default() }
    };
    let (text, _) = order(RESULT, destroyed);
    let source = text.replacen("copies = 2027-01-31", "copies = 2027-01-31\nsource = 2027-01-20", 1);
    let every = source.replacen("rows = 'id_dossier in chosen.dossier'", "rows = 'true'", 1);
    assert!(source != text && every != source);
    let read = |text: &str| instruction::parse(text).unwrap_or_else(|found| panic!("{found:#?}"));
    let known = |text: &str, erasure: Option<&Erasure>, class: Class| {
        let all = carried(&read(text), &dictionary, erasure, jiff::civil::date(2027, 2, 1));
        all.into_iter().find(|one| one.class == class).map(|one| one.known).unwrap()
    };
    let result = |text: &str, erasure: Option<&Erasure>| known(text, erasure, Class::Result);
    // nobody of ours erases anything there
    assert_eq!(result(&text, Some(&gone(&["resultat"]))), KnownOfFate::PersonsToDestroy);
    let untold = |tables: &[&str]| KnownOfFate::NotErased(tables.iter().map(|t| (*t).to_owned()).collect());
    // a request's date tells of its results
    assert_eq!(result(&source, None), untold(&["dossier", "resultat"]));
    assert_eq!(result(&source, Some(&gone(&["patient"]))), untold(&["dossier", "resultat"]));
    assert_eq!(result(&source, Some(&gone(&["resultat"]))), untold(&["dossier"]));
    // rows that were not chosen hold results too
    let both = gone(&["dossier", "resultat"]);
    assert_eq!(result(&source, Some(&both)), KnownOfFate::PersonsToDestroy);
    assert_eq!(
        result(&every, Some(&both)),
        KnownOfFate::PersonsToDestroy,
        "requests were chosen by their dates"
    );
    // every row goes, with the column that nobody granted
    let contact = "contact = { fate = \"keep\", until = 2036-12-31 }\n";
    let gone_with = contact.replacen(
        "\"keep\", until = 2036-12-31",
        "\"destroy\", reason = \"moved\", by = 2027-01-31",
        1,
    );
    let all = source.replacen(contact, &gone_with, 1);
    let all = all.replacen("rows = 'id in chosen.dossier.id_patient'", "rows = 'true'", 1);
    assert_eq!(known(&all, None, Class::Contact), untold(&["patient"]));
    assert_eq!(known(&all, Some(&gone(&["patient"])), Class::Contact), KnownOfFate::Erased);
    let staff = every.replacen(STAFF, "staff = { fate = \"keep\", until = 2027-01-31 }\n", 1);
    assert_eq!(known(&staff, None, Class::Staff), KnownOfFate::Outlived);
    assert_eq!(known(&every, None, Class::Staff), KnownOfFate::Kept);
    assert_eq!(known(&every, None, Class::ThirdParty), KnownOfFate::Returned);
}
