//! The visible change list: exactly the fields that changed.

use ecluse_core::diff::{Change, changes};
use ecluse_core::document::{self, Header, Kind};
use ecluse_core::instruction::{self, Order};

use crate::laboratory;

fn paper(was: &str, is: &str) -> (Header, Order) {
    let text = laboratory::instruction("version", "version", &laboratory::mapping());
    assert!(text.contains(was), "{was}");
    let text = text.replacen(was, is, 1);
    (document::header(&text, Kind::Instruction).unwrap(), instruction::parse(&text).unwrap())
}

fn listed(was: &str, is: &str) -> Vec<String> {
    let (old, new) = (paper("", ""), paper(was, is));
    changes((&old.0, &old.1), (&new.0, &new.1)).iter().map(Change::to_string).collect()
}

#[test]
fn another_way_and_another_recipient_are_listed() {
    let text = laboratory::instruction("version", "version", &laboratory::mapping());
    let (before, rest) = text.split_once("[destination]").unwrap();
    let (direct, after) = rest.split_once("\n[").unwrap();
    let read = |to: &str| {
        let text = format!("{before}{to}\n[{after}");
        (document::header(&text, Kind::Instruction).unwrap(), instruction::parse(&text).unwrap())
    };
    let digest = |n: u8| format!("sha256:{}", n.to_string().repeat(64));
    let sealed = |age: char, n: u8| {
        let age = format!("age1{}", age.to_string().repeat(58));
        format!("[[recipient]]\nage = \"{age}\"\nstatement = \"{}\"\n", digest(n))
    };
    let list = |was: &str, is: &str| -> Vec<String> {
        let (was, is) = (read(was), read(is));
        changes((&was.0, &was.1), (&is.0, &is.1)).iter().map(Change::to_string).collect()
    };
    let direct = format!("[destination]{direct}");
    let (q, two) = ("q".repeat(58), digest(2));
    let way = list(&direct, &sealed('q', 2));
    assert_eq!(way.len(), 1, "{way:?}");
    assert!(way[0].starts_with("~ goes to: the database "), "{way:?}");
    assert!(way[0].ends_with(&format!("→ an archive sealed to age1{q}, statement {two}")), "{way:?}");
    assert_eq!(
        list(&sealed('q', 2), &sealed('p', 3)),
        [
            format!("~ recipient age: age1{q} → age1{}", "p".repeat(58)),
            format!("~ recipient statement: {two} → {}", digest(3)),
        ]
    );
}

// proves: INS-05
#[test]
fn each_change_is_listed_alone() {
    let cases = [
        (
            "not_after = 2027-01-31T00:00:00Z",
            "not_after = 2027-02-28T00:00:00Z",
            "~ not_after: 2027-01-31T00:00:00Z → 2027-02-28T00:00:00Z",
        ),
        (
            "contract = \"sha256:11",
            "contract = \"sha256:21",
            "~ contract: sha256:1111111111111111111111111111111111111111111111111111111111111111 → sha256:2111111111111111111111111111111111111111111111111111111111111111",
        ),
        ("kind = \"targeted\"", "kind = \"bulk\"", "~ kind: targeted → bulk"),
        ("max_runs = 1", "max_runs = 2", "~ max_runs: 1 → 2"),
        ("max_runs = 1", "max_runs = 1\ntolerance = 5", "~ tolerance: 0 → 5"),
        ("status_max_age = \"24h\"", "status_max_age = \"2d\"", "~ status_max_age: 86400 s → 172800 s"),
        (
            "purpose = \"Move to the new laboratory software\"",
            "purpose = \"Other\"",
            "~ purpose: Move to the new laboratory software → Other",
        ),
        ("database = \"LAB\"", "database = \"LAB2\"", "~ source database: LAB → LAB2"),
        ("identity = \"srv-1\"", "identity = \"srv-2\"", "~ source identity: srv-1 → srv-2"),
        ("identity = \"7301/16384\"", "identity = \"1/2\"", "~ destination identity: 7301/16384 → 1/2"),
        (
            "identity = \"7301/16384\"",
            "identity = \"7301/16384\"\nknown = { table = \"person\", shared = \"agreed\", number = \"ins\", authority = \"oid\" }",
            "+ persons known already, at the destination: person by ins, oid (shared: agreed)",
        ),
        ("copies = 2027-01-31", "copies = 2027-02-01", "~ erasure of copies: 2027-01-31 → 2027-02-01"),
        (
            "copies = 2027-01-31",
            "copies = 2027-01-31\nsource = 2027-03-01",
            "+ erasure at the source: 2027-03-01",
        ),
        (
            "contact = { fate = \"keep\", until = 2036-12-31 }",
            "contact = \"return\"",
            "~ fate of contact: keep until 2036-12-31 → return",
        ),
        (
            "billing = { fate = \"keep\", until = 2036-12-31 }\n",
            "",
            "- fate of billing: keep until 2036-12-31",
        ),
        (
            "by = 2027-01-31",
            "by = 2027-03-31",
            "~ fate of credential: destroy by 2027-01-31 (it opens the old system, and nothing else) → destroy by 2027-03-31 (it opens the old system, and nothing else)",
        ),
        (
            "[[table]]\nname = \"resultat\"",
            "[pending]\nrule = \"wait\"\n[[table]]\nname = \"resultat\"",
            "+ pending requests: wait",
        ),
        (
            "[[table]]\nname = \"resultat\"",
            "[dossier]\ntable = \"dossier\"\n[[table]]\nname = \"resultat\"",
            "+ what a dossier is: dossier",
        ),
        ("\"nom\", \"ddn\"", "\"nom\", \"prenom\", \"ddn\"", "+ table patient, column prenom"),
        ("\"nom\", \"ddn\"", "\"nom\"", "- table patient, column ddn"),
        (
            "the law wants it",
            "the patient wants it",
            "~ table resultat, column commentaire: reason \"the law wants it in the report\" → reason \"the patient wants it in the report\"",
        ),
        (
            "date(\"2019-01-01\")",
            "date(\"2009-01-01\")",
            "~ table dossier, rows: date_recu >= date(\"2019-01-01\") → date_recu >= date(\"2009-01-01\")",
        ),
        ("label = \"Results\"", "label = \"Résultats\"", "~ table resultat, label: Results → Résultats"),
        ("name = \"patient\"\n", "name = \"patient\"\nkey = [\"id\"]\n", "~ table patient, key:  → id"),
        (
            "columns = [\"id\", \"id_patient\"",
            "relations = [{ column = \"id_patient\", table = \"patient\", to = \"id\" }]\ncolumns = [\"id\", \"id_patient\"",
            "+ table dossier, relation id_patient to patient.id",
        ),
    ];
    assert_eq!(listed("", ""), Vec::<String>::new(), "nothing changed, nothing listed");
    for (was, is, line) in cases {
        assert_eq!(listed(was, is), [line], "{was} → {is}");
    }
}

// proves: INS-05
#[test]
fn a_table_that_comes_or_goes_is_listed_with_all_it_grants() {
    let patient = "[[table]]\nname = \"patient\"\nrows = 'id in chosen.dossier.id_patient'\ncolumns = [\"id\", \"nom\", \"ddn\", \"sexe\"]\n";
    assert_eq!(
        listed(patient, ""),
        ["- table patient: id, nom, ddn, sexe where id in chosen.dossier.id_patient"]
    );
    let more = format!("{patient}\n[[table]]\nname = \"utilisateurs\"\nrows = 'true'\ncolumns = [\"id\"]\n");
    assert_eq!(listed(patient, &more), ["+ table utilisateurs: id where true"]);
}

#[test]
fn two_changes_are_two_lines() {
    let (old, new) = (
        paper("", ""),
        paper(
            "max_runs = 1\nsuite = \"ecluse-1\"\nstatus_max_age = \"24h\"",
            "max_runs = 3\nsuite = \"ecluse-1\"\nstatus_max_age = \"1h\"",
        ),
    );
    assert_eq!(changes((&old.0, &old.1), (&new.0, &new.1)).len(), 2);
}

// proves: INS-05
#[test]
fn the_kinds_of_dossier_are_listed_one_by_one() {
    let with = |kinds: &str| {
        format!("[dossier]\ntable = \"dossier\"\n[dossier.kinds]\n{kinds}[[table]]\nname = \"resultat\"")
    };
    let here = "[[table]]\nname = \"resultat\"";
    let (was, is) = (
        with("recent = 'date_recu >= date(\"2025-01-01\")'\nold = 'id < 9'\n"),
        with(
            "recent = 'date_recu >= date(\"2026-01-01\")'\nspoken = { table = \"resultat\", where = 'commentaire != null' }\n",
        ),
    );
    let (old, new) = (paper(here, &was), paper(here, &is));
    let listed: Vec<String> =
        changes((&old.0, &old.1), (&new.0, &new.1)).iter().map(Change::to_string).collect();
    assert_eq!(
        listed,
        [
            "~ kind of dossier recent: dossier where date_recu >= date(\"2025-01-01\") → dossier where date_recu >= date(\"2026-01-01\")",
            "- kind of dossier old: dossier where id < 9",
            "+ kind of dossier spoken: resultat where commentaire != null",
        ]
    );
}
