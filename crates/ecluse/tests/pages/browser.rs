//! The pages in a browser: printed, on a telephone, and for people who cannot see them.
//!
//! One start of Chromium looks at every page twice, 360 and 1,100 pixels wide, each in a frame of one document;
//! axe-core runs inside. `ECLUSE_PAGES=DIR` keeps the pages there, to be looked at.

use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_testkit::outside_tool;

use crate::papers::{labbook, succeed, written};

/// Every page, by name.
fn pages(folder: &Path) -> Vec<(String, String)> {
    let labbook = written(&labbook());
    let mut pages = Vec::new();
    for command in ["order", "patients"] {
        for lang in ["fr", "en"] {
            let name = format!("{command}.{lang}.html");
            succeed(labbook.path(), &[command, "--lang", lang, "-o", &name]);
            pages.push((labbook.path().join(&name), name));
        }
    }
    succeed(folder, &["demo", "lab", "--leave-open", "--patients", "60"]);
    let of_the_demonstration =
        [(&["report"][..], "report"), (&["reference", "print"], "reference"), (&["procedure"], "procedure")];
    for (command, page) in of_the_demonstration {
        for lang in ["fr", "en"] {
            let name = format!("{page}.{lang}.html");
            succeed(&folder.join("lab"), &[command, &["--lang", lang, "-o", &name]].concat());
            pages.push((folder.join("lab").join(&name), name));
        }
    }
    succeed(folder, &["demo", "both", "--patients", "60"]);
    for lang in ["fr", "en"] {
        let name = format!("report-sealed.{lang}.html");
        let to = folder.join(&name);
        succeed(&folder.join("both/sealed"), &["report", "--lang", lang]);
        std::fs::copy(folder.join("both/sealed/run/report.html"), &to).unwrap();
        pages.push((to, name));
    }
    pages.extend(boards(folder));
    let read = |(path, name): (PathBuf, String)| (name, std::fs::read_to_string(path).unwrap());
    let pages: Vec<(String, String)> = pages.into_iter().map(read).collect();
    for (name, html) in &pages {
        let keep = outside_folder().unwrap_or_else(|| folder.to_owned());
        std::fs::write(keep.join(name), html).unwrap();
        std::fs::write(folder.join(name), html).unwrap();
    }
    pages
}

/// A campaign of forty: the demonstration, and laboratories whose folders are not laid out or not there.
fn boards(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut list = "[campaign]\nformat = \"ecluse-campaign/1\"\nname = \"Reprises 2026\"\n".to_owned();
    for number in 0..40 {
        let name = if number == 0 { "lab".to_owned() } else { format!("lab{number:02}") };
        list += &format!(
            "[[laboratory]]\nname = \"Laboratoire de biologie inventé {number:02}\"\nfolder = \"{name}\"\nfiness = \"99000{number:04}\"\n"
        );
        if number % 4 == 1 {
            succeed(folder, &["new", &name]);
        }
    }
    std::fs::write(folder.join("campaign.toml"), list).unwrap();
    let board = |lang: &str| {
        let name = format!("campaign.{lang}.html");
        let output = crate::papers::ecluse(folder, &["campaign", "--lang", lang, "-o", &name]);
        assert_eq!(output.status.code(), Some(1), "folders are missing: {output:?}");
        (folder.join(&name), name)
    };
    vec![board("fr"), board("en")]
}

#[expect(clippy::disallowed_methods, reason = "a folder for the eye, given by hand")]
fn outside_folder() -> Option<PathBuf> {
    std::env::var_os("ECLUSE_PAGES").map(PathBuf::from)
}

/// Starts the browser on one document; what it printed.
fn chromium(program: &Path, folder: &Path, arguments: &[&str], document: &Path) -> String {
    let profile = folder.join("profile");
    let output = Command::new("timeout")
        .arg("120")
        .arg(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .arg(format!("file://{}", document.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A copy of a page that looks at itself and tells its frame's parent.
fn looking(name: &str, html: &str, axe: &str) -> String {
    let policy = html.find("<meta http-equiv=\"Content-Security-Policy\"").unwrap();
    let (before, rest) = html.split_at(policy);
    let (_, after) = rest.split_once('>').unwrap();
    let script = format!(
        "<script>{axe}</script><script>axe.run().then(found => parent.postMessage({{
            page: '{name}', width: innerWidth,
            wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            violations: found.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html).join(' ')),
        }}, '*'));</script></body>"
    );
    format!("{before}{after}").replace("</body>", &script)
}

// fails with the guard off: a table wider than a telephone, grey on grey, a cell without its head
#[test]
fn no_page_is_wider_than_a_telephone_or_keeps_anybody_from_reading_it() {
    let Some(program) = outside_tool("ECLUSE_TEST_CHROMIUM") else { return };
    let Some(axe) = outside_tool("ECLUSE_TEST_AXE") else { return };
    let axe = std::fs::read_to_string(axe).unwrap();
    let here = tempfile::tempdir().unwrap();
    let pages = pages(here.path());
    let mut frames = String::new();
    for (name, html) in &pages {
        let copy = format!("looking-{name}");
        std::fs::write(here.path().join(&copy), looking(name, html, &axe)).unwrap();
        for width in [360, 1_100] {
            frames +=
                &format!("<iframe src=\"{copy}\" style=\"width:{width}px;height:900px;border:0\"></iframe>");
        }
    }
    let harness = here.path().join("harness.html");
    let listen = "<pre id=\"out\"></pre><script>addEventListener('message', e => \
                  out.textContent += 'FOUND ' + JSON.stringify(e.data) + '\\n');</script>";
    std::fs::write(&harness, format!("<!doctype html><meta charset=utf-8>{listen}{frames}")).unwrap();
    let dom = chromium(&program, here.path(), &["--virtual-time-budget=60000", "--dump-dom"], &harness);
    let found: Vec<serde_json::Value> = dom
        .lines()
        .filter_map(|line| line.split_once("FOUND {").map(|(_, rest)| format!("{{{rest}")))
        .map(|line| line.split("</pre>").next().unwrap_or_default().to_owned())
        .map(|json| json.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
        .map(|json| serde_json::from_str(&json).unwrap())
        .collect();
    assert_eq!(found.len(), 2 * pages.len(), "every page in both widths: {dom}");
    for one in &found {
        assert_eq!(one["wider"], 0, "{one:#}");
        assert_eq!(one["violations"], serde_json::json!([]), "{one:#}");
    }
}

// proves: INS-13
#[test]
fn an_order_of_labbooks_size_prints_on_one_page_and_the_patients_sheet_on_half_of_one() {
    let Some(program) = outside_tool("ECLUSE_TEST_CHROMIUM") else { return };
    let here = tempfile::tempdir().unwrap();
    let pages = pages(here.path());
    for (name, wanted) in [("order.fr.html", 1), ("order.en.html", 1), ("patients.fr.html", 1)] {
        let pdf = here.path().join(format!("{name}.pdf"));
        let print = format!("--print-to-pdf={}", pdf.display());
        chromium(&program, here.path(), &["--no-pdf-header-footer", &print], &here.path().join(name));
        assert_eq!(sheets(&pdf), wanted, "{name}");
    }
    // half of one: twice the sheet still is one page
    let (_, sheet) = pages.iter().find(|(name, _)| name == "patients.fr.html").unwrap();
    let (_, body) = sheet.split_once("<body>").unwrap();
    let (body, _) = body.split_once("</body>").unwrap();
    let twice = here.path().join("twice.html");
    std::fs::write(&twice, sheet.replace("</body>", &format!("{body}</body>"))).unwrap();
    let pdf = here.path().join("twice.pdf");
    let print = format!("--print-to-pdf={}", pdf.display());
    chromium(&program, here.path(), &["--no-pdf-header-footer", &print], &twice);
    assert_eq!(sheets(&pdf), 1, "the sheet is longer than half a page");
}

/// Pages of a PDF that Chromium wrote: its page objects are not compressed.
fn sheets(pdf: &Path) -> usize {
    let bytes = std::fs::read(pdf).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    text.matches("/Type /Page\n").count()
}
