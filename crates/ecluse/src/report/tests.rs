//! The page as a whole.

use askama::Template as _;
use ecluse_core::language::Language;

use super::counts::{Columns, Counted, Rows};
use super::drawing::{Band, draw};
use super::figure::{Figure, together};
use super::page::{Block, Cell, Check, Grid, Kind, Page, Part, Section, heads};
use super::parts::minimised::bars;

fn sample() -> Page {
    let lang = Language::English;
    let counted = |label: &str, source: &str, all: u64, moved: u64, rejected: u64, sensitive| {
        let held = all - moved - rejected;
        let [available, moved, refused, withheld] =
            together([Some(all), Some(moved), Some(rejected), Some(held)], sensitive);
        let none = Figure::Exact(0);
        let rows =
            Rows { available, moved, refused, withheld, left_out: none, excluded: none, ..Rows::default() };
        let columns = Columns { available: 42, moved: 7, looked_at: 1 };
        Counted {
            label: label.into(),
            source: source.into(),
            destination: label.to_lowercase(),
            sensitive,
            rows,
            columns,
        }
    };
    let tables = [
        counted("Patients", "sigl_03_data", 615, 612, 3, false),
        counted("Requests", "sigl_02_data", 6_075, 4_118, 0, false),
        counted("Results", "sigl_09_data", 40_597, 27_402, 0, true),
    ];
    let band = |table: &Counted| Band {
        label: table.label.clone(),
        moved: table.rows.moved,
        refused: table.rows.refused,
        stays: table.rows.withheld,
        fate: "kept by the laboratory until 2029".into(),
    };
    let bands: Vec<Band> = tables.iter().map(band).collect();
    let line = |table: &Counted| {
        let numbers = [table.rows.available, table.rows.moved, table.rows.refused];
        let name = Cell { name: table.source.clone(), ..Cell::words(&table.label) };
        std::iter::once(name).chain(numbers.map(|figure| Cell::figure(figure, lang))).collect()
    };
    let chain = vec![
        vec![
            Cell::words("contract"),
            Cell::words("Dr A. Morel; L. Petit"),
            Cell::of(Kind::Day, "2026-11-02"),
            Cell::of(Kind::Code, "aa01ff20"),
            Cell::of(Kind::Holds, "holds"),
        ],
        vec![
            Cell::words("acceptance"),
            Cell::default(),
            Cell::default(),
            Cell::default(),
            Cell::of(Kind::Lacks, "not signed yet"),
        ],
    ];
    Page {
        title: "Laboratoire des Tilleuls: LabBook (MariaDB) → Kalys (PostgreSQL)".into(),
        order: "3f9c02aa, version 2".into(),
        sentence:
            "612 patients and 27,402 results moved from LabBook to Kalys on 22 November 2026, as ordered by \
                   Dr A. Morel; every row was found again, unchanged. 1,202 columns stayed."
                .into(),
        drawing: draw("LabBook (MariaDB)", "Kalys (PostgreSQL)", &bands, lang),
        caption: "A band per table, as wide as its rows.".into(),
        boxes: vec![
            Section { title: "What left", lines: vec!["3 tables, 38 columns".into()] },
            Section { title: "What stayed", lines: vec!["1,202 columns: 1,171 with a fate".into()] },
            Section { title: "Who received", lines: vec!["Kalys SAS, for continuity of care".into()] },
            Section { title: "When it is destroyed", lines: vec!["at the source on 2027-01-31".into()] },
        ],
        parts: vec![
            Part::new("Table by table").with(Block::Bars(bars(&tables, lang))).with(Block::Table(Grid {
                heads: heads(&["Table", "#available", "#moved", "#refused"]),
                rows: tables.iter().map(line).collect(),
            })),
            Part::new("The chain").with(Block::Table(Grid {
                heads: heads(&["Paper", "Signed by", "When", "Fingerprint", "State"]),
                rows: chain,
            })),
            Part::new("Reconciliation")
                .with(Block::List(vec!["a result changed patient: 7Q4M-KD2E".to_owned().into()])),
            Part::new("For checking").with(Block::Checks(vec![Check {
                what: "The order's signature".into(),
                how: "ssh-keygen -Y verify -f allowed …".into(),
            }])),
        ],
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
fn the_page_says_what_is_missing_and_that_it_is_a_trials() {
    let html = sample().render().unwrap();
    for wanted in ["✗</span> not signed yet", "✓ holds", "7Q4M-KD2E"] {
        assert!(html.contains(wanted), "{wanted}");
    }
    assert!(!html.contains("TRIAL"));
    let trial = |lang| Page { trial: true, lang, ..sample() }.render().unwrap();
    assert!(trial(Language::English).contains("TRIAL."));
    assert!(
        trial(Language::French).contains("ESSAI.") && trial(Language::French).contains("<html lang=\"fr\">")
    );
}

#[test]
fn on_a_telephone_each_number_stands_under_its_own_word() {
    let html = sample().render().unwrap();
    assert!(html.contains("content: attr(data-is)"));
    assert_eq!(html.matches("<td class=\"n\"").count(), 9);
    assert_eq!(html.matches("<td class=\"n\" data-is=\"").count(), 9, "the column's head is not shown there");
}

#[test]
fn what_was_recorded_in_english_is_marked_so_on_a_french_page() {
    let said = super::recorded::recorded("can do something new", Language::French);
    let part = Part::new("Les barrières").with(Block::List(vec![said]));
    let html = Page { lang: Language::French, parts: vec![part], ..sample() }.render().unwrap();
    assert!(html.contains("<li lang=\"en\">can do something new</li>"));
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
