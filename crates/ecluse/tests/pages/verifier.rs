//! `verifier.html` in a browser without a network: it says what the program says, and everybody can read it.
//!
//! The page is what `cargo xtask verifier` made, opened as a file in a frame, its own policy in force; a second
//! frame has a copy without the policy, in which axe-core looks. Its check is asynchronous in a way that virtual
//! time does not wait for: the harness tells what it found in the browser's log, and is ended then.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use data_encoding::BASE64;
use ecluse_testkit::outside_tool;
use serde_json::{Value, json};

use crate::papers::{ecluse, succeed};

/// How long a browser on a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// One file given to the page.
struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    trust: String,
}

/// Starts the browser on a document in a network of its own, in which there is none; what its document told.
fn told(program: &Path, folder: &Path, document: &Path) -> Vec<Value> {
    let mut browser = Command::new("unshare")
        .args(["--net", "--map-root-user"])
        .arg(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        // the harness looks into the page, whose own policy stands
        .args(["--allow-file-access-from-files", "--disable-web-security", "--enable-logging=stderr"])
        .arg("--remote-debugging-port=0")
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", document.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(browser.stderr.take().unwrap()).lines();
    let (sender, receiver) = mpsc::channel();
    let reading = std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let (mut found, mut part, mut log) = (Vec::new(), String::new(), String::new());
    while let Ok(line) = receiver.recv_timeout(PATIENCE) {
        log += &format!("{line}\n");
        let Some((_, rest)) = line.split_once("\"FOUND ") else { continue };
        match rest.split_once('"').map_or(rest, |(said, _)| said) {
            "end" => break,
            "whole" => {
                let json = BASE64.decode(std::mem::take(&mut part).as_bytes()).unwrap();
                found.push(serde_json::from_slice(&json).unwrap());
            }
            more => part += more,
        }
    }
    browser.kill().unwrap();
    browser.wait().unwrap();
    reading.join().unwrap();
    assert!(!found.is_empty(), "{log}");
    found
}

/// A document that gives each file to the page in a frame of each width, and tells what the page then says.
fn harness(cases: &[Case]) -> String {
    let given: Vec<_> = cases
        .iter()
        .map(|case| json!({ "name": case.name, "bytes": BASE64.encode(&case.bytes), "trust": case.trust }))
        .collect();
    format!(
        "<!doctype html><meta charset=utf-8>
         <iframe src=verifier.html style=\"width:360px;height:900px\"></iframe>
         <iframe src=looking.html style=\"width:360px;height:900px\"></iframe>
         <iframe src=looking.html style=\"width:1100px;height:900px\"></iframe>
         <script>
         const cases = {};
         function tell(found) {{
           const text = new TextEncoder().encode(JSON.stringify(found));
           const packed = btoa(Array.from(text, b => String.fromCharCode(b)).join(''));
           for (let at = 0; at < packed.length; at += 1000) console.log('FOUND ' + packed.slice(at, at + 1000));
           console.log('FOUND whole');
         }}
         async function look(frame, given) {{
           const view = frame.contentWindow, page = frame.contentDocument, by = id => page.getElementById(id);
           by('trust').value = given.trust;
           const list = new view.DataTransfer();
           const bytes = Uint8Array.from(atob(given.bytes), c => c.charCodeAt(0));
           list.items.add(new view.File([bytes], given.name));
           by('file').files = list.files;
           by('file').dispatchEvent(new view.Event('change'));
           while (by('name').textContent !== given.name) await new Promise(r => setTimeout(r, 50));
           const said = {{}};
           for (const lang of ['fr', 'en']) {{
             by(lang).click();
             said[lang] = {{
               html: page.documentElement.lang, outcome: by('outcome').textContent,
               lines: [...by('lines').querySelectorAll('li')].map(li =>
                 [li.className, li.children[0].textContent, li.children[1].textContent, li.children[2]?.textContent ?? null]),
             }};
           }}
           const root = page.documentElement, axe = view.axe ? await view.axe.run() : {{ violations: [] }};
           tell({{
             name: given.name, said, kind: by('outcome').className, looked: !!view.axe,
             wider: root.scrollWidth - root.clientWidth,
             violations: axe.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html).join(' ')),
           }});
         }}
         addEventListener('load', async () => {{
           try {{
             for (const frame of document.querySelectorAll('iframe')) for (const given of cases) await look(frame, given);
           }} catch (fault) {{ console.log('harness: ' + fault); }}
           console.log('FOUND end');
         }});
         </script>",
        json!(given)
    )
}

/// The page without its policy, with the program that looks at it.
fn looking(html: &str, axe: &str) -> String {
    let (before, rest) = html.split_once("<meta http-equiv=\"Content-Security-Policy\"").unwrap();
    let (_, after) = rest.split_once('>').unwrap();
    let (body, end) = after.rsplit_once("</body>").unwrap();
    format!("{before}{body}<script>{axe}</script></body>{end}")
}

// proves: AUD-08
#[test]
fn the_page_says_what_the_program_says_without_a_network() {
    let Some(page) = outside_tool("ECLUSE_TEST_VERIFIER") else { return };
    let Some(program) = outside_tool("ECLUSE_TEST_CHROMIUM") else { return };
    let Some(axe) = outside_tool("ECLUSE_TEST_AXE") else { return };
    let here = tempfile::tempdir().unwrap();
    let html = std::fs::read_to_string(&page).unwrap();
    std::fs::write(here.path().join("verifier.html"), &html).unwrap();
    let axe = std::fs::read_to_string(axe).unwrap();
    std::fs::write(here.path().join("looking.html"), looking(&html, &axe)).unwrap();
    let said = succeed(here.path(), &["demo", "lab", "--patients", "60"]);
    let trust = said.lines().find_map(|line| line.strip_prefix("controller fingerprint: ")).unwrap();
    let sound = std::fs::read(here.path().join("lab/evidence.tar")).unwrap();
    let sealed = std::fs::read(here.path().join("lab/evidence-sealed.tar")).unwrap();
    let changed = |bytes: &[u8], part: &[u8]| {
        let mut changed = bytes.to_vec();
        let at = changed.windows(part.len()).position(|there| there == part).unwrap();
        changed[at + 2] ^= 1;
        changed
    };
    let case =
        |name, bytes: &[u8], trust: &str| Case { name, bytes: bytes.to_vec(), trust: trust.to_owned() };
    let cases = [
        case("sound.tar", &sound, trust),
        case("changed.tar", &changed(&sound, b"[[table]]\n"), trust),
        case("nobody.tar", &sound, ""),
        case("sealed.tar", &sealed, trust),
        // the receipt's own line, which only the sealed way has
        case("sealed-changed.tar", &changed(&sealed, b"ecluse-receipt/1"), trust),
        case("sealed-nobody.tar", &sealed, ""),
    ];
    let outcomes = ["holds", "refused", "not-established"];
    let document = here.path().join("harness.html");
    std::fs::write(&document, harness(&cases)).unwrap();
    let found = told(&program, here.path(), &document);
    assert_eq!(found.len(), 3 * cases.len(), "each file in each frame");
    for (case, outcome) in cases.iter().zip(outcomes.into_iter().cycle()) {
        std::fs::write(here.path().join(case.name), &case.bytes).unwrap();
        let trust = if case.trust.is_empty() { vec![] } else { vec!["--trust", case.trust.as_str()] };
        let output = ecluse(here.path(), &[&["verify", case.name, "--json"][..], &trust].concat());
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["outcome"], outcome, "{told:#}");
        let is_sealed = told["lines"].as_array().unwrap().iter().any(|line| line["of"] == "receipt.toml");
        assert_eq!(is_sealed, case.name.starts_with("sealed"), "{told:#}");
        // what the sealed way's order wants of its plan is judged, here and in the page
        let told_of_the_plan = |line: &Value| {
            line["state"] == "holds" && line["en"].as_str().unwrap().contains("among them the plan (entry ")
        };
        let witnessed = told["lines"].as_array().unwrap().iter().any(told_of_the_plan);
        assert_eq!(witnessed, case.name.starts_with("sealed"), "{told:#}");
        for look in found.iter().filter(|look| look["name"] == case.name) {
            assert_eq!(look["kind"], outcome, "{look:#}");
            assert_eq!((&look["wider"], &look["violations"]), (&0.into(), &json!([])), "{look:#}");
            for lang in ["fr", "en"] {
                let spoken =
                    ecluse(here.path(), &[&["verify", case.name, "--lang", lang][..], &trust].concat());
                let spoken = String::from_utf8(spoken.stdout).unwrap();
                let said = &look["said"][lang];
                assert_eq!(said["html"], lang);
                assert!(spoken.contains(said["outcome"].as_str().unwrap()), "{spoken}");
                let lines = said["lines"].as_array().unwrap();
                assert_eq!(lines.len(), told["lines"].as_array().unwrap().len(), "{lang}");
                for (line, told) in lines.iter().zip(told["lines"].as_array().unwrap()) {
                    assert_eq!(
                        (&line[0], &line[2], &line[3]),
                        (&told["state"], &told[lang], &told["finding"])
                    );
                    let one = format!("{}: {}", line[1].as_str().unwrap(), line[2].as_str().unwrap());
                    assert!(spoken.contains(&one), "{one}\n{spoken}");
                }
            }
        }
    }
    assert_eq!(found.iter().filter(|look| look["looked"] == true).count(), 2 * cases.len());
}

/// The page can reach nothing: its policy allows its one script by digest, and no connection of any kind.
#[test]
fn the_page_may_load_nothing_and_send_nothing() {
    let Some(page) = outside_tool("ECLUSE_TEST_VERIFIER") else { return };
    let html = std::fs::read_to_string(&page).unwrap();
    let (_, rest) = html.split_once("Content-Security-Policy\" content=\"").unwrap();
    let (policy, _) = rest.split_once('"').unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("connect-src"), "{policy}");
    let (_, scripts) = policy.split_once("script-src").unwrap();
    assert!(!scripts.contains("'unsafe-inline'") && scripts.contains("'sha256-"), "{policy}");
    for leads_out in
        [" src=", " href=", "url(", "@import", "fetch(", "XMLHttpRequest", "WebSocket", "import("]
    {
        assert!(!html.contains(leads_out), "{leads_out}");
    }
}
