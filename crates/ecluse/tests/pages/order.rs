//! `ecluse order`: what the page says, and of what.

use std::path::Path;

use ecluse_core::language::Language;
use ecluse_testkit::papers::Paper;
use jiff::ToSpan;

use crate::papers::{ecluse, labbook, now, succeed, written};

fn page(folder: &Path, arguments: &[&str]) -> String {
    let mut all = vec!["order"];
    all.extend(arguments);
    succeed(folder, &all);
    std::fs::read_to_string(folder.join("order.html")).unwrap()
}

// proves: INS-13
#[test]
fn the_page_says_what_leaves_what_stays_who_receives_and_when_it_is_destroyed() {
    let papers = labbook();
    let folder = written(&papers);
    let french = page(folder.path(), &[]);
    // a worked order's days are counted from the one on which it is drafted
    let day =
        |length: jiff::Span| now().to_zoned(jiff::tz::TimeZone::UTC).date().checked_add(length).unwrap();
    let (kept, erased) = (day(10.years().months(7)), day(7.months()));
    let told = |day| Language::French.day(day);
    for wanted in [
        "Ordre de migration",
        "Laboratoire Fontaine-Aubry donne l’ordre à Logilab Éditions de copier de la base SIGL (MariaDB) vers la base kalys (PostgreSQL)",
        "Date de réception — rec_date_receipt est au plus tôt le 1er janvier 2015 à 00:00:00",
        "id_dos figure parmi les lignes retenues de Demandes (id_data)",
        "motif pour commentaire",
        "<strong>Demandes</strong>",
        &format!("conservé dans l’ancien système jusqu’au {}", told(kept)),
        "coordonnées",
        &format!(
            "Toute copie de données de patients faite par écluse\u{a0}: au plus tard le {}",
            told(erased)
        ),
        &format!("preuves)\u{a0}: au plus tard le {}", told(erased.saturating_add(365.days()))),
        "signé avec la clé SHA256:",
        &papers.digest(Paper::Instruction),
    ] {
        assert!(french.contains(wanted), "{wanted} is not in {french}");
    }
    for unwanted in ["PROJET", "ESSAI", "SANS EFFET", "<script", "http://", "https://", "url("] {
        assert!(!french.contains(unwanted), "{unwanted}");
    }
    let english = page(folder.path(), &["--lang", "en"]);
    for wanted in [
        "Order of migration",
        "is from 2015-01-01 00:00:00 on",
        "contact",
        "<strong>Requests</strong>",
        &format!("kept in the old system until {kept}"),
    ] {
        assert!(english.contains(wanted), "{wanted} is not in {english}");
    }
}

// fails with the guard off: an order that nobody signed looks like one
#[test]
fn an_order_that_nobody_answers_for_is_stamped() {
    let mut papers = labbook();
    let folder = written(&papers);
    let stamps = |arguments: &[&str]| {
        let page = page(folder.path(), arguments);
        ["PROJET", "SANS EFFET", "DRAFT"]
            .into_iter()
            .find(|stamp| page.contains(&format!("<strong>{stamp}</strong>")))
    };
    assert_eq!(stamps(&[]), None);
    // one changed byte
    papers.alter(folder.path(), Paper::Instruction);
    assert_eq!(stamps(&[]), Some("PROJET"));
    papers.write(folder.path());
    papers.unsign(folder.path(), Paper::Instruction);
    assert_eq!(stamps(&[]), Some("PROJET"));
    assert_eq!(stamps(&["--lang", "en"]), Some("DRAFT"));
    // signed, by a controller that nothing from outside confirms
    papers.write(folder.path());
    std::fs::write(folder.path().join("fingerprints.txt"), "").unwrap();
    assert_eq!(stamps(&[]), Some("PROJET"));
    // signed, and taken back
    papers.write(folder.path());
    let at = papers.now;
    papers.give_status(folder.path(), ecluse_core::status::State::Revoked, at);
    assert_eq!(stamps(&[]), Some("SANS EFFET"));
}

#[test]
fn an_order_out_of_its_period_is_told_and_still_bears_its_signature() {
    let mut papers = labbook();
    papers.expire(Paper::Instruction);
    let folder = written(&papers);
    let page = page(folder.path(), &[]);
    assert!(page.contains("SANS EFFET") && page.contains("l’ordre a expiré"), "{page}");
    assert!(page.contains("signé avec la clé"), "{page}");
}

#[test]
fn a_draft_with_mistakes_or_without_digests_is_not_printed() {
    let papers = labbook();
    let folder = written(&papers);
    let path = folder.path().join("instruction.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    for (from, to, code) in [
        ("\"ddn\",", "\"dnd\",", "ECL-INS-009"),
        ("status_max_age = \"24h\"", "status_max_age = \"24h\"\nmapping2 = \"sha256:…\"", "ECL-ORD-001"),
    ] {
        assert!(text.contains(from));
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let output = ecluse(folder.path(), &["order"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(code) && !folder.path().join("order.html").exists(), "{code}: {said}");
    }
}
