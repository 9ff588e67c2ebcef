//! The survey mandate.

use ecluse_core::document::{self, Kind};
use ecluse_core::finding::Finding;
use ecluse_core::mandate::{self, Mandate};
use ecluse_core::template;
use ecluse_core::types::Engine;
use ecluse_testkit::papers::{Paper, Papers};
use jiff::SignedDuration;

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

/// The template lacks what only people know, and nothing else is wrong with it.
#[test]
fn the_template_is_refused_for_its_placeholders_alone() {
    let head = template::Head {
        id: *b"sixteen!_letters",
        version: 1,
        supersedes: None,
        contract: None,
        issued: now(),
        not_before: now(),
        not_after: now() + SignedDuration::from_hours(24),
        seen: None,
        trial: false,
    };
    let text = template::mandate_to_fill(&head);
    assert_eq!(crate::support::ids(&document::header(&text, Kind::Survey).unwrap_err()), ["SGN-014"]);
    let digest = format!("sha256:{}", "0".repeat(64));
    assert!(document::header(&text.replace(template::NO_DIGEST, &digest), Kind::Survey).is_ok());
    assert_eq!(crate::support::ids(&mandate::read(&text).unwrap_err()), ["MDT-003"]);
    let filled = text.replace("purpose  = \"…\"", "purpose  = \"to prepare the order\"");
    assert_eq!(mandate::read(&filled).unwrap().purpose, "to prepare the order");
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
