//! The survey mandate.

use ecluse_core::finding::Finding;
use ecluse_core::mandate::Mandate;
use ecluse_core::types::Engine;
use ecluse_testkit::papers::{Paper, Papers};

use crate::support::{codes, contract, now, papers};

fn mandate(papers: &Papers) -> Result<Mandate, Vec<Finding>> {
    let contract = contract(papers).unwrap();
    let text = papers.text(Paper::Mandate);
    Mandate::in_force(text.as_bytes(), &papers.signatures(Paper::Mandate), &contract, now())
}

#[test]
fn a_signed_mandate_opens_its_database_and_no_other() {
    let mut papers = papers();
    papers.mandate = (Engine::Mariadb, "SIGL".to_owned());
    let mandate = mandate(&papers).unwrap();
    assert_eq!(mandate.covers(Engine::Mariadb, "SIGL", "any"), Ok(()));
    for (engine, database) in
        [(Engine::Postgresql, "SIGL"), (Engine::Mariadb, "sigl"), (Engine::Mariadb, "PAIE")]
    {
        let fault = mandate.covers(engine, database, "any").unwrap_err();
        assert_eq!(fault.code().id, "ECL-MDT-010");
    }
}

#[test]
fn an_identity_that_is_written_is_compared() {
    let mut papers = papers();
    papers.edit(Paper::Mandate, "# identity = \"…\"", "identity = \"7001\" #");
    let mandate = mandate(&papers).unwrap();
    assert_eq!(mandate.covers(Engine::Sqlite, "main", "7001"), Ok(()));
    assert_eq!(mandate.covers(Engine::Sqlite, "main", "7002").unwrap_err().code().id, "ECL-MDT-010");
}

#[test]
fn mistakes_are_named() {
    for (from, to, expected) in [
        ("sampling = false", "sampling = true", "MDT-011"),
        ("engine   = 'sqlite'", "engine   = 'oracle'", "MDT-004"),
        ("purpose ", "purpse ", "MDT-003"),
        ("Connaître la structure de la base à reprendre", "…", "MDT-003"),
    ] {
        let mut papers = papers();
        let quoted = from.replace('\'', "\"");
        papers.edit(Paper::Mandate, &quoted, &to.replace('\'', "\""));
        assert!(codes(mandate(&papers)).contains(&expected), "{to}");
    }
}
