//! Which filters hold no row of another laboratory of the same base.

use jiff::Timestamp;

use super::{check, parse};
use crate::catalog::{Catalog, Column, Table};
use crate::dictionary;
use crate::reader::Spanned;
use crate::types::{Engine, Type};

const HEAD: &str = include_str!("../../tests/instruct/laboratory/instruction.toml");

fn table(name: &str, columns: &[(&str, Type)]) -> Table {
    let columns = columns.iter().map(|(name, ty)| Column {
        name: (*name).to_owned(),
        sql_type: "x".to_owned(),
        ty: Some(*ty),
        max_length: None,
        int_bounds: None,
        nullable: true,
        has_default: false,
        identity: false,
        generated: String::new(),
        collation: String::new(),
        choice: false,
        labels: Vec::new(),
        comment: String::new(),
    });
    Table {
        name: name.to_owned(),
        kind: "table".to_owned(),
        oid: None,
        storage: String::new(),
        key: vec!["id".to_owned()],
        columns: columns.collect(),
        uniques: vec![],
        foreign_keys: vec![],
        triggers: vec![],
        row_security: String::new(),
        definition: String::new(),
        estimated_rows: None,
    }
}

/// A base of several laboratories: requests bear a site, results a request, tests nothing.
fn base() -> dictionary::Dictionary {
    use Type::{Int, Text};
    let catalog = Catalog {
        engine: Engine::Mariadb,
        database: "LAB".to_owned(),
        identity: "srv-1".to_owned(),
        tables: vec![
            table("dossier", &[("id", Int), ("site", Int), ("patient", Int), ("statut", Int)]),
            table("resultat", &[("id", Int), ("dossier", Int), ("code", Text), ("statut", Int)]),
            table("patient", &[("id", Int), ("nom", Text), ("statut", Int)]),
            table("examen", &[("id", Int), ("code", Text)]),
        ],
    };
    let mut read =
        dictionary::parse(&dictionary::draft(&catalog, Timestamp::UNIX_EPOCH, "sha256:00")).unwrap();
    for (table, column, to) in [("dossier", "patient", "patient"), ("resultat", "dossier", "dossier")] {
        let found = read.tables.iter_mut().find(|t| t.name.value == table).unwrap();
        found.relations.push(dictionary::Relation {
            column: Spanned::new(column.to_owned(), 0..0),
            table: to.to_owned(),
            to: "id".to_owned(),
            declared: true,
        });
    }
    let names = read.tables.iter_mut().flat_map(|t| &mut t.columns).filter(|c| c.name.value == "nom");
    names.for_each(|c| c.class = crate::class::Class::Identity);
    read
}

const ENTITY: &str = "[entity]\nfiness = \"340012345\"\ncolumns = [\"dossier.site\"]\nvalue = 3\n";

/// The codes of ours that a check of these tables finds, each with the table it points at.
fn found(entity: &str, tables: &[(&str, &str)]) -> Vec<&'static str> {
    let head = HEAD.split_once("\n[[table]]").unwrap().0;
    let mut text = format!("{head}\n{entity}");
    for (name, more) in tables {
        text += &format!("\n[[table]]\nname = \"{name}\"\ncolumns = [\"id\"]\n{more}\n");
    }
    let order = parse(&text.replace("sha256:…", &format!("sha256:{}", "0".repeat(64)))).unwrap();
    let codes = check(&order, &base()).into_iter().map(|f| f.code.id);
    codes.filter(|code| code.starts_with("ECL-PLN-") || code.starts_with("ECL-FLT-")).collect()
}

/// What a filter of requests, and one of results and patients chosen through them, comes to.
fn unbound(dossier: &str, resultat: &str, patient: &str) -> usize {
    let rows = |filter: &str| format!("rows = '{filter}'");
    let codes = found(
        ENTITY,
        &[("dossier", &rows(dossier)), ("resultat", &rows(resultat)), ("patient", &rows(patient))],
    );
    assert!(codes.iter().all(|c| *c == "ECL-PLN-047"), "{codes:?}");
    codes.len()
}

#[test]
fn a_chain_of_relations_up_to_the_entity_binds_every_table() {
    let (results, patients) = ("dossier in chosen.dossier", "id in chosen.dossier.patient");
    assert_eq!(unbound("site == 3", results, patients), 0);
    assert_eq!(unbound("site in [3] && statut > 1", results, patients), 0);
    assert_eq!(unbound("site == 3 && statut == 1 || site == 3", results, patients), 0);
    assert_eq!(unbound("site == 3", "statut == 1 && dossier in chosen.dossier", patients), 0);
    // without an entity nobody asks
    assert_eq!(found("", &[("dossier", "rows = 'true'")]), [] as [&str; 0]);
}

#[test]
fn a_filter_that_may_choose_a_neighbours_row_is_refused() {
    let (results, patients) = ("dossier in chosen.dossier", "id in chosen.dossier.patient");
    for dossier in [
        "true",
        "site == 4",
        "site != 4",
        "site >= 3",
        "site in [3, 4]",
        "statut == 3",
        "site == 3 || statut == 1",
        "!(site == 3)",
        "site != null",
    ] {
        assert_eq!(unbound(dossier, results, patients), 3, "{dossier}: and all that hang on it");
    }
    assert_eq!(unbound("site == 3", "true", patients), 1);
    assert_eq!(unbound("site == 3", "dossier in chosen.dossier || statut == 1", patients), 1);
    // equal numbers are no relation
    assert_eq!(unbound("site == 3", "statut in chosen.dossier.statut", patients), 1);
    assert_eq!(unbound("site == 3", results, "statut in chosen.dossier.statut"), 1);
    // a patient of two laboratories leads to the other's requests
    let codes = found(
        &ENTITY.replace("dossier.site", "resultat.statut"),
        &[
            ("resultat", "rows = 'statut == 3'"),
            ("dossier", "rows = 'id in chosen.resultat.dossier'"),
            ("patient", "rows = 'id in chosen.dossier.patient'"),
        ],
    );
    assert_eq!(codes, [] as [&str; 0], "what is used, and what that uses");
    let codes = found(
        &ENTITY.replace("dossier.site", "patient.statut"),
        &[
            ("patient", "rows = 'id in chosen.resultat.id'\nrelations = []"),
            ("resultat", "rows = 'dossier in chosen.dossier'"),
            ("dossier", "rows = 'patient in chosen.patient'"),
        ],
    );
    assert_eq!(codes, ["ECL-PLN-047"; 3], "a circle");
    let visits = "relations = [{ column = \"dossier\", table = \"patient\", to = \"id\" }]";
    let codes = found(
        ENTITY,
        &[
            ("dossier", "rows = 'site == 3'"),
            ("patient", "rows = 'id in chosen.dossier.patient'"),
            ("resultat", &format!("rows = 'dossier in chosen.patient'\n{visits}")),
        ],
    );
    assert_eq!(codes, ["ECL-PLN-047"], "what hangs on a patient of several may be another's");
    // through a table that is not bound itself
    assert_eq!(unbound("site == 3", results, "true"), 1);
}

#[test]
fn reference_data_is_shared_for_a_reason_and_holds_nobody() {
    let bound = ("dossier", "rows = 'site == 3'");
    let shared = |reason: &str| format!("rows = 'true'\nshared = \"{reason}\"");
    assert_eq!(found(ENTITY, &[bound, ("examen", "rows = 'true'")]), ["ECL-PLN-047"]);
    assert_eq!(found(ENTITY, &[bound, ("examen", &shared("tests, the same for all"))]), [] as [&str; 0]);
    let patient = "rows = 'true'\nshared = \"all\"\n".to_owned();
    let names = patient.replace("rows", "relations = []\nrows");
    assert_eq!(found(ENTITY, &[bound, ("patient", &names)]), [] as [&str; 0], "a number alone");
    let head =
        HEAD.split_once("\n[[table]]").unwrap().0.replace("sha256:…", &format!("sha256:{}", "0".repeat(64)));
    let table =
        "[[table]]\nname = \"patient\"\ncolumns = [\"id\", \"nom\"]\nrows = 'true'\nshared = \"all\"\n";
    let order =
        parse(&format!("{head}\n{}\n{table}", ENTITY.replace("dossier.site", "patient.statut"))).unwrap();
    assert!(check(&order, &base()).iter().any(|f| f.code.id == "ECL-PLN-048"));
    assert!(parse(&format!("{head}\n{ENTITY}\n{}", table.replace("\"all\"", "\"…\""))).is_err());
}

#[test]
fn a_slip_in_the_entity_is_told() {
    let slip = ENTITY.replace("dossier.site", "dossier.sites");
    assert_eq!(found(&slip, &[("dossier", "rows = 'site == 3'")]), ["ECL-PLN-049", "ECL-PLN-047"]);
    let head = HEAD.replace("sha256:…", &format!("sha256:{}", "0".repeat(64)));
    for wrong in ["34001234", "34001234X", "340 012 345"] {
        let entity = ENTITY.replace("340012345", wrong);
        assert!(parse(&head.replace("[source]", &format!("{entity}\n[source]"))).is_err(), "{wrong}");
    }
    assert!(
        parse(&head.replace("[source]", &format!("{}\n[source]", ENTITY.replace("340012345", "2A0012345"))))
            .is_ok()
    );
}
