//! The page as a whole.

use askama::Template as _;

use super::drawing::{Band, Widths, draw};
use super::figure::{Figure, alone, together};
use super::page::{Check, Difference, Link, Page, Refused, Section, TableLine};

fn sample() -> Page {
    let line = |label: &str, source: &str, available, asked, moved, refused, sensitive| {
        let [available, asked, moved, refused] =
            together([Some(available), Some(asked), Some(moved), Some(refused)], sensitive);
        TableLine {
            label: label.into(),
            source: source.into(),
            destination: label.to_lowercase(),
            available,
            asked,
            moved,
            refused,
            left_out: Figure::Exact(0),
            columns: 7,
        }
    };
    let band = |label: &str, moved: u64, refused: u64, stays: u64| Band {
        label: label.into(),
        widths: Widths { moved, refused, stays },
        moved: Figure::Exact(moved),
        refused: alone(refused, false),
        stays: Figure::Exact(stays),
        fate: "kept by the laboratory until 2029".into(),
    };
    Page {
        trial: false,
        title: "Laboratoire des Tilleuls: LabBook (MariaDB) → Kalys (PostgreSQL)".into(),
        order: "3f9c02aa, version 2".into(),
        sentence:
            "612 patients and 27,402 results moved from LabBook to Kalys on 22 November 2026, as ordered by \
                   Dr A. Morel; every row was found again, unchanged. 1,202 columns stayed."
                .into(),
        drawing: draw(
            "LabBook (MariaDB)",
            "Kalys (PostgreSQL)",
            &[
                band("Patients", 612, 3, 0),
                band("Requests", 4_118, 0, 1_957),
                band("Results", 27_402, 0, 13_195),
            ],
        ),
        caption: "A band per table, as wide as its rows.".into(),
        boxes: vec![
            Section { title: "What left", lines: vec!["3 tables, 38 columns".into()] },
            Section { title: "What stayed", lines: vec!["1,202 columns: 1,171 with a fate".into()] },
            Section { title: "Who received", lines: vec!["Kalys SAS, for continuity of care".into()] },
            Section { title: "When it is destroyed", lines: vec!["at the source on 2027-01-31".into()] },
        ],
        tables: vec![
            line("Patients", "sigl_03_data", 615, 615, 612, 3, false),
            line("Requests", "sigl_02_data", 6_075, 4_118, 4_118, 0, false),
            line("Results", "sigl_09_data", 40_597, 27_402, 27_402, 0, true),
        ],
        filters: vec!["Requests: rows whose date is on or after 1 January 2019.".into()],
        chain: vec![
            Link {
                artefact: "contract".into(),
                signer: "Dr A. Morel; L. Petit".into(),
                when: "2026-11-02".into(),
                fingerprint: "aa01ff20".into(),
                missing: String::new(),
                later: false,
            },
            Link { artefact: "acceptance".into(), missing: "not signed yet".into(), ..Link::default() },
        ],
        reconciliation: "Everything agrees but two rows.".into(),
        differences: vec![Difference {
            words: "a result changed patient".into(),
            table: "results".into(),
            column: "patient_id".into(),
            chunk: "17".into(),
            row: "7Q4M-KD2E".into(),
        }],
        refusals: vec![Refused {
            code: "ECL-COD-003".into(),
            words: "the number fails its key".into(),
            table: "Patients".into(),
            rows: alone(3, false),
        }],
        barriers: vec!["Source: one view per table, role tilleuls_ro.".into()],
        limits: vec!["What the database servers log themselves.".into()],
        overrides: vec![],
        checks: vec![Check {
            what: "The order's signature".into(),
            how: "ssh-keygen -Y verify -f allowed …".into(),
        }],
        footer: "écluse 0.1.0".into(),
        ..Page::default()
    }
}

#[test]
fn the_page_fetches_nothing_and_runs_nothing() {
    let html = sample().render().unwrap();
    for forbidden in ["<script", "http://", "https://", "url(", "@import", " onload", "src="] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert!(html.contains("default-src 'none'"));
}

#[test]
fn the_page_says_what_is_missing_and_what_differs() {
    let html = sample().render().unwrap();
    for wanted in ["not signed yet", "7Q4M-KD2E", "a result changed patient", "ECL-COD-003", "None."] {
        assert!(html.contains(wanted), "{wanted}");
    }
    assert!(!html.contains("TRIAL"));
    let trial = Page { trial: true, ..sample() }.render().unwrap();
    assert!(trial.contains("TRIAL."));
}

#[test]
fn on_a_telephone_each_number_stands_under_its_own_word() {
    let html = sample().render().unwrap();
    assert!(html.contains("content: attr(data-is)"));
    assert!(html.matches("<td class=\"n\"").count() > 10);
    assert_eq!(
        html.matches("<td class=\"n\"").count(),
        html.matches("<td class=\"n\" data-is=\"").count(),
        "the column's head is not shown there"
    );
}

#[test]
fn what_is_not_due_is_no_failure_and_a_name_is_not_said_twice() {
    let mut page = sample();
    page.chain =
        vec![Link { artefact: "erasure".into(), missing: "later".into(), later: true, ..Link::default() }];
    for table in &mut page.tables {
        table.destination.clone_from(&table.source);
    }
    let html = page.render().unwrap();
    assert!(html.contains("– later") && !html.contains("✗"));
    assert!(html.contains("sigl_03_data") && !html.contains("sigl_03_data → "));
}

#[test]
fn text_is_escaped() {
    let page = Page { title: "<b>&".into(), ..sample() };
    assert!(page.render().unwrap().contains("&#60;b&#62;&#38;"));
}

/// Writes the sample where `ECLUSE_PAGE` says, to be looked at in a browser.
#[test]
#[ignore = "for the eye"]
fn write_sample() {
    #[expect(clippy::disallowed_methods, reason = "a hand-run helper")]
    let path = std::env::var("ECLUSE_PAGE").unwrap();
    std::fs::write(path, sample().render().unwrap()).unwrap();
}
