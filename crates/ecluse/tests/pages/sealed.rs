//! An order to a recipient: drawn, checked, and carried out by no command that writes a database.

use std::path::Path;

use ecluse_core::language::Language;
use ecluse_testkit::papers::{Papers, RECIPIENT};
use jiff::{SignedDuration, tz::TimeZone};

use crate::papers::{ecluse, labbook, succeed, written};

/// LabBook's order, sealed to a recipient whose key holds for that many days.
fn sealed(days: i64) -> Papers {
    let mut papers = labbook();
    papers.receive();
    papers.receiver.as_mut().unwrap().1 = days;
    let (before, rest) = papers.instruction.split_once("[destination]").unwrap();
    let (_, after) = rest.split_once("[erasure]").unwrap();
    papers.instruction = format!(
        "{before}[[recipient]]\nage = \"{RECIPIENT}\"\nstatement = \"{{recipient}}\"\n\n[erasure]{after}"
    );
    papers
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], code: &str) {
    let output = ecluse(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains(code), "{arguments:?} is not {code}: {said}");
}

#[test]
fn the_page_says_to_whom_it_is_sealed_who_can_open_it_and_until_when() {
    let papers = sealed(92);
    let folder = written(&papers);
    let key = papers.receiver.as_ref().unwrap().0.key().public().unwrap().fingerprint();
    let until = (papers.now + SignedDuration::from_hours(24 * 92)).to_zoned(TimeZone::UTC).date();
    succeed(folder.path(), &["order"]);
    let french = std::fs::read_to_string(folder.path().join("order.html")).unwrap();
    succeed(folder.path(), &["order", "--lang", "en"]);
    let english = std::fs::read_to_string(folder.path().join("order.html")).unwrap();
    let day = |language: Language| language.day(until);
    for (page, wanted) in [
        (&french, "une archive que Logilab Éditions seul peut ouvrir".to_owned()),
        (&french, format!("avec la clé {RECIPIENT}, jusqu’au {}", day(Language::French))),
        (&french, key.clone()),
        (&english, "to an archive that Logilab Éditions alone can open".to_owned()),
        (&english, "Sealed to Logilab Éditions; can be opened by Julie Martin".to_owned()),
        (&english, format!("with the key {RECIPIENT}, until {}", day(Language::English))),
        (&english, key),
    ] {
        assert!(page.contains(&wanted), "{wanted} is not in {page}");
    }
    for (page, draft) in [(&french, "PROJET"), (&english, "DRAFT")] {
        assert!(!page.contains(draft) && !page.contains("kalys"), "{page}");
    }
}

// The papers hold before anything is read; what writes a database refuses, and so does an extraction that cannot
// reach its source.
#[test]
fn the_papers_hold_and_no_database_is_written_under_them() {
    let folder = written(&sealed(92));
    let here = folder.path();
    let checked = succeed(here, &["instruction", "check"]);
    assert!(checked.contains("ecluse extract makes it"), "{checked}");
    succeed(here, &["instruction", "verify"]);
    succeed(here, &["patients"]);
    std::fs::write(
        here.join("connections.toml"),
        "[source]\nurl = \"mariadb://nobody@127.0.0.1:1/SIGL\"\n[destination]\nurl = \"sqlite:new.db\"\n",
    )
    .unwrap();
    for command in [&["migrate"][..], &["migrate", "--ddl"], &["plan", "--ddl"], &["reference", "print"]] {
        refused(here, command, "ECL-INS-026");
    }
    for command in ["reconcile", "undo", "report"] {
        refused(here, &[command], "ECL-CLI-025");
    }
    let extract = ["extract", "-o", "archive", "--key", "keys/serrano"];
    assert!(!ecluse(here, &extract).status.success());
    // the status that was met is remembered; there is no run, no page, and nothing at a destination
    for made in ["run", "new.db", "reference.html", "report.html", "archive", "archive.part"] {
        assert!(!here.join(made).exists(), "{made}");
    }
    let next = String::from_utf8_lossy(&ecluse(here, &["next"]).stdout).into_owned();
    assert!(next.contains("ecluse extract"), "{next}");
}

// proves: INS-10
#[test]
fn an_order_whose_recipient_does_not_hold_is_drawn_planned_and_signed_by_nobody() {
    let everywhere = |folder: &Path, code: &str| {
        let sign = ["instruction", "sign", "--key", "keys/fontaine"];
        for command in
            [&["order"][..], &["plan"], &["instruction", "check"], &["instruction", "verify"], &sign]
        {
            refused(folder, command, code);
        }
    };
    let folder = written(&sealed(0));
    everywhere(folder.path(), "ECL-SGN-007");
    let folder = written(&sealed(20));
    everywhere(folder.path(), "ECL-RCP-014");

    let papers = sealed(92);
    let folder = written(&papers);
    let statement = folder.path().join("recipient.toml");
    let signature = folder.path().join("recipient.toml.sigs/martin.sig");
    let text = std::fs::read_to_string(&statement).unwrap();
    std::fs::write(&statement, format!("{text}#\n")).unwrap();
    everywhere(folder.path(), "ECL-SGN-021");
    // the recipient states something else: another key, and validly
    let other = text.replace(RECIPIENT, "age13aqzx3vd4nakuwmjguylnrzamfhqxxupl0hkvk9p4scha9et2c0q8nsdnj");
    let sign = |text: &str, key: ecluse_sign::PrivateKey| {
        std::fs::write(&statement, text).unwrap();
        std::fs::write(&signature, key.sign("ecluse-recipient-v1", text.as_bytes()).unwrap()).unwrap();
    };
    let receiver = || papers.receiver.as_ref().unwrap().0.key();
    sign(&other, receiver());
    everywhere(folder.path(), "ECL-RCP-012");
    // a key of the right form whose check sum is wrong
    sign(&text.replace(RECIPIENT, &RECIPIENT.replace("pnq", "qnp")), receiver());
    everywhere(folder.path(), "ECL-RCP-018");
    sign(&text, papers.processor.key());
    everywhere(folder.path(), "ECL-SGN-023");
    sign(&text, receiver());
    succeed(folder.path(), &["order"]);
    std::fs::remove_file(&statement).unwrap();
    everywhere(folder.path(), "ECL-CLI-003");
}
