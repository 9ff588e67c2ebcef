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
    let lines: Vec<String> = words_unmasked(html)
        .lines()
        .map(|line| masked(&line.split(' ').collect::<Vec<_>>()).join(" "))
        .collect();
    lines.join("\n") + "\n"
}

/// The same with the days, keys and digests of this making.
fn words_unmasked(html: &str) -> String {
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
    let text = plain(&text);
    let lines =
        text.lines().map(|line| line.split([' ', '\n']).filter(|w| !w.is_empty()).collect::<Vec<_>>());
    let lines = lines.filter(|line| !line.is_empty()).map(|line| line.join(" "));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Without HTML's escapes.
fn plain(text: &str) -> String {
    let escaped = [
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&amp;", "&"),
        ("&#38;", "&"),
    ];
    escaped.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
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
    the_days_of_copies_are_those_of_the_ledger(&lab);
}

// What is typed, in its order, and the word that each line of the story begins with; ids and fingerprints differ from
// one making to the next, and figures with the number of patients.
fn the_readmes_picture_is_of_this_demonstration(said: &str) {
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pictures/demo.svg");
    if to_be_written() {
        let here = tempfile::tempdir().unwrap();
        let said = succeed(here.path(), &["demo"]);
        std::fs::write(&picture, drawn(&said)).unwrap();
    }
    let story = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let lines = lines
            .map(|line| if line.first() == Some(&"$") { line } else { line.into_iter().take(1).collect() });
        lines.filter(|line| !line.is_empty()).map(|line| masked(&line).join(" ")).collect()
    };
    let drawn = std::fs::read_to_string(&picture).unwrap();
    let texts = drawn.lines().filter_map(|line| line.strip_suffix("</text>")?.split_once('>'));
    let shown: Vec<String> = texts.map(|(_, text)| plain(text)).collect();
    let (shown, now) = (story(&shown[1..].join("\n")), story(said));
    for (shown, now) in shown.iter().zip(&now) {
        assert_eq!(shown, now, "the picture is not of what the demonstration prints");
    }
    assert_eq!(shown.len(), now.len());
}

/// What a terminal shows of it.
fn drawn(said: &str) -> String {
    let command = "$ cargo run --release -- demo";
    let took = |line: &str| match line.split_once("   (") {
        Some((before, _)) if line.starts_with("The report") => format!("{before}   (N s)"),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = std::iter::once(command).chain(said.lines()).map(took).collect();
    let widest = lines.iter().map(|line| line.chars().count()).max().unwrap();
    let (width, height) = (40 + widest * 723 / 100, 25 + lines.len() * 17);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"What ecluse demo prints\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#1c1f24\"/>\n\
         <g font-family=\"ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"12\" fill=\"#e6e6e6\" style=\"white-space: pre\">\n"
    );
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let typed = if line.trim_start().starts_with('$') { " fill=\"#9ecbff\"" } else { "" };
        let text = line.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&#39;");
        svg +=
            &format!("<text xml:space=\"preserve\" x=\"20\" y=\"{}\"{typed}>{text}</text>\n", 28 + at * 17);
    }
    svg + "</g></svg>\n"
}

// The page tells two days: the one of patients' data, and the one of what tells of the migration. Each copy that stands
// has one of these two, and its own.
fn the_days_of_copies_are_those_of_the_ledger(lab: &Path) {
    let page = words_unmasked(&std::fs::read_to_string(lab.join("run/report.html")).unwrap());
    let told = |begins: &str| -> String {
        let line = page.lines().find(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("{page}"));
        line.rsplit_once("by ").unwrap().1.to_owned()
    };
    let (data, record) = (told("Every copy of patients' data"), told("What tells of the migration"));
    assert_ne!(data, record);
    let ledger: serde_json::Value =
        serde_json::from_slice(&std::fs::read(lab.join("copies.json")).unwrap()).unwrap();
    let copies = ledger["copies"].as_array().unwrap();
    let mut seen = [0, 0];
    for copy in copies {
        let of_patients =
            ["state", "excluded", "staging", "archive"].contains(&copy["store"].as_str().unwrap());
        let day = if of_patients { &data } else { &record };
        assert_eq!(copy["erase_by"].as_str().unwrap(), day, "{copy}");
        seen[usize::from(of_patients)] += 1;
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{copies:?}");
}

// The page that an auditor finds in the evidence of the sealed way: what was received, by whom, and no word of a
// destination that nobody here could read.
// fails with the guard off: a sealed migration's report asks for a reconciliation that no such order can have
#[test]
fn the_report_of_the_sealed_way_is_word_by_word_what_it_was() {
    let here = tempfile::tempdir().unwrap();
    let said = succeed(here.path(), &["demo", "lab", "--patients", "400"]);
    the_readmes_picture_is_of_this_demonstration(&said);
    let lab = here.path().join("lab");
    let packed = here.path().join("packed.html");
    let tar =
        Command::new("tar").args(["-xOf", "evidence-sealed.tar", "report.html"]).current_dir(&lab).output();
    std::fs::write(&packed, tar.unwrap().stdout).unwrap();
    holds(&packed, "report-sealed.packed.txt");
    for lang in ["fr", "en"] {
        succeed(&lab.join("sealed"), &["report", "--lang", lang]);
        holds(&lab.join("sealed/run/report.html"), &format!("report-sealed.{lang}.txt"));
    }
    let status = succeed(&lab.join("sealed"), &["status"]);
    assert!(status.contains("rows received, as Nadia Roche") && !status.contains("read back"), "{status}");
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
