//! The pages word by word: what stands in `golden/` is what a person reads, and nothing else.
//!
//! Days, times, digests and counts of the journal differ from one making to the next and are masked.
//! `ECLUSE_GOLDEN=write` writes the files anew; whoever does reads what changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_testkit::papers::Paper;

use crate::papers::{labbook, succeed, written};

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages/golden").join(name)
}

#[expect(clippy::disallowed_methods, reason = "a wish of whoever runs the test by hand")]
fn to_be_written() -> bool {
    std::env::var_os("ECLUSE_GOLDEN").is_some_and(|wish| wish == "write")
}

/// Compares the words of a page with what they were.
fn holds(page: &Path, name: &str) {
    let words = words(&std::fs::read_to_string(page).unwrap());
    if to_be_written() {
        std::fs::write(golden(name), &words).unwrap();
    }
    let before = std::fs::read_to_string(golden(name)).unwrap();
    for (at, (now, before)) in words.lines().zip(before.lines()).enumerate() {
        assert_eq!(now, before, "{name}, line {}", at + 1);
    }
    assert_eq!(words.lines().count(), before.lines().count(), "{name}");
}

/// What is read of a page: its words without its style, a line for each element that holds some.
fn words(html: &str) -> String {
    let (_, body) = html.split_once("<body>").unwrap();
    let mut text = String::new();
    for piece in body.split('<') {
        let (tag, words) = piece.split_once('>').unwrap_or(("", piece));
        let inline =
            ["span", "/span", "strong", "/strong", "b", "/b"].contains(&tag.split(' ').next().unwrap());
        if !inline {
            text.push('\n');
        }
        text += words;
    }
    let text =
        [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&lt;", "<"), ("&#62;", ">"), ("&#38;", "&")]
            .iter()
            .fold(text, |text, (from, to)| text.replace(from, to));
    let lines =
        text.lines().map(|line| line.split([' ', '\n']).filter(|w| !w.is_empty()).collect::<Vec<_>>());
    let lines = lines.filter(|line| !line.is_empty()).map(|line| masked(&line).join(" "));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// The words without what differs from one making to the next.
fn masked(line: &[&str]) -> Vec<String> {
    let bare = |word: &str| word.trim_end_matches([',', '.', ';', ':', ')', '…']).to_owned();
    let hexadecimal = |word: &str| word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(word) = line.get(at) {
        let plain = bare(word);
        let tail = word.get(plain.len()..).unwrap_or_default();
        let next = line.get(at + 1).copied().unwrap_or_default();
        let iso = plain.len() == 10 && plain.bytes().filter(|b| *b == b'-').count() == 2;
        let slashed = plain.len() == 10 && plain.bytes().filter(|b| *b == b'/').count() == 2;
        let time = plain.len() == 5 && plain.as_bytes().get(2) == Some(&b':');
        if MONTHS.contains(&next) {
            let year = line.get(at + 2).copied().unwrap_or_default();
            out.push(format!("DAY{}", year.get(4..).unwrap_or_default()));
            at += 3;
            continue;
        }
        out.push(match plain.as_str() {
            _ if iso || slashed => format!("DAY{tail}"),
            _ if time => format!("TIME{tail}"),
            _ if plain.contains("SHA256:") => format!("KEY{tail}"),
            _ if plain.starts_with("sha256:") => format!("DIGEST{tail}"),
            _ if plain.len() == 8 && hexadecimal(&plain) => format!("DIGEST{tail}"),
            _ if plain.len() == 4
                && hexadecimal(&plain)
                && line.len() > 2
                && line.iter().all(|w| hexadecimal(w)) =>
            {
                "GROUP".to_owned()
            }
            env!("CARGO_PKG_VERSION") => format!("VERSION{tail}"),
            _ if next.starts_with("events") || next.starts_with("événements") => "N".to_owned(),
            _ if bare(next) == "s" && plain.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',') => {
                "N".to_owned()
            }
            _ => (*word).to_owned(),
        });
        at += 1;
    }
    out
}

// proves: INS-13
#[test]
fn order_and_patients_sheet_are_word_by_word_what_they_were() {
    let papers = labbook();
    let folder = written(&papers);
    for command in ["order", "patients"] {
        for lang in ["fr", "en"] {
            let page = folder.path().join("page.html");
            succeed(folder.path(), &[command, "--lang", lang, "-o", "page.html"]);
            holds(&page, &format!("{command}.{lang}.txt"));
        }
    }
}

#[test]
fn the_demonstrations_report_is_word_by_word_what_it_was() {
    let here = tempfile::tempdir().unwrap();
    succeed(here.path(), &["demo", "lab", "--leave-open", "--patients", "60"]);
    let lab = here.path().join("lab");
    for lang in ["fr", "en"] {
        succeed(&lab, &["report", "--lang", lang]);
        holds(&lab.join("run/report.html"), &format!("report.{lang}.txt"));
    }
}

// proves: INS-13
// fails with the guard off: a page that is made from other bytes than those that were signed
#[test]
fn the_orders_page_is_made_from_the_very_bytes_that_are_signed() {
    let papers = labbook();
    let folder = written(&papers);
    let order = folder.path().join("instruction.toml");
    let page = |name: &str| {
        succeed(folder.path(), &["order", "-o", name]);
        std::fs::read_to_string(folder.path().join(name)).unwrap()
    };
    let signed = page("order.html");
    // sshd's own tool says which bytes are signed; their digest stands on the page
    let allowed = folder.path().join("allowed");
    let key = papers.signatory.public();
    std::fs::write(
        &allowed,
        format!("{} namespaces=\"ecluse-instruction-v1\" {key}\n", papers.signatory.email),
    )
    .unwrap();
    let verified = || {
        let verify = Command::new("ssh-keygen")
            .args(["-Y", "verify", "-n", "ecluse-instruction-v1", "-I", papers.signatory.email, "-f"])
            .arg(&allowed)
            .arg("-s")
            .arg(folder.path().join("instruction.toml.sigs/fontaine.sig"))
            .stdin(std::fs::File::open(&order).unwrap())
            .output()
            .unwrap();
        verify.status.success()
    };
    assert!(verified());
    let digest = ecluse_core::digest::of_bytes(&std::fs::read(&order).unwrap());
    assert_eq!(digest, papers.digest(Paper::Instruction));
    assert!(signed.contains(&digest) && !signed.contains("PROJET"));
    // a word changed in the bytes is changed on the page, whose digest is another: and it says so
    let text = std::fs::read_to_string(&order).unwrap();
    let purpose = "so that earlier results stay at hand";
    assert!(text.contains(purpose) && signed.contains(purpose));
    std::fs::write(&order, text.replace(purpose, "and sell them to a broker")).unwrap();
    assert!(!verified());
    let forged = page("forged.html");
    assert!(forged.contains("and sell them to a broker") && !forged.contains(purpose));
    assert!(!forged.contains(&digest) && forged.contains("<strong>PROJET</strong>"));
}
