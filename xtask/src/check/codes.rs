//! Every error code is declared once, and has its page; every page has its code, and cites none that nothing declares.

use std::collections::BTreeMap;

use crate::sources::{Source, strings};
use crate::{Outcome, root};

pub(super) fn findings(sources: &[Source]) -> Outcome<Vec<String>> {
    let mut pages = Vec::new();
    let folder = root().join("docs/errors");
    for entry in std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "README.md" {
            pages.push((name, std::fs::read_to_string(entry.path()).map_err(|e| e.to_string())?));
        }
    }
    pages.sort();
    let declared = declared(sources);
    let mut findings = compare(&declared, &pages);
    let output = std::process::Command::new("git")
        .args(["ls-files", "-z", "*.md"])
        .current_dir(root())
        .output()
        .map_err(|e| format!("git: {e}"))?;
    for name in String::from_utf8_lossy(&output.stdout).split('\0').filter(|name| !name.is_empty()) {
        let Ok(text) = std::fs::read_to_string(root().join(name)) else { continue };
        findings.extend(unknown(name, &text, &declared));
    }
    Ok(findings)
}

/// Codes that a page cites and no source declares.
fn unknown(name: &str, text: &str, declared: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let words = line.split(|c: char| c != '-' && !c.is_ascii_alphanumeric());
        let lost = words.filter(|word| is_code(word) && declared.iter().all(|(id, _)| id != word));
        found.extend(lost.map(|id| format!("{name}:{} cites {id}, which no source declares", number + 1)));
    }
    found
}

/// Code → where it is declared, for every `Code::refused("ECL-…", …)` and its like.
fn declared(sources: &[Source]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|s| s.is_production()) {
        let mut constructor = false;
        for (number, line) in source.code() {
            constructor |=
                ["Code::refused(", "Code::usage(", "Code::outside("].iter().any(|c| line.contains(c));
            if constructor && let Some(id) = strings(line).into_iter().find(|s| is_code(s)) {
                found.push((id.to_owned(), format!("{}:{number}", source.path)));
                constructor = false;
            }
        }
    }
    found
}

/// `ECL-AREA-NNN`.
fn is_code(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], ["ECL", area, number]
        if area.len() == 3 && area.bytes().all(|b| b.is_ascii_uppercase())
            && number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()))
}

fn compare(declared: &[(String, String)], pages: &[(String, String)]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, place) in declared {
        places.entry(id).or_default().push(place);
    }
    for (id, places) in &places {
        if places.len() > 1 {
            findings.push(format!("{id} is declared more than once: {}", places.join(", ")));
        }
        match pages.iter().find(|(name, _)| name.strip_suffix(".md") == Some(id)) {
            None => findings.push(format!("{id} ({}) has no page docs/errors/{id}.md", places.join(", "))),
            Some((_, text)) if text.lines().filter(|l| !l.trim().is_empty()).count() < 3 => {
                findings.push(format!("docs/errors/{id}.md does not say what happened, why and what to do"));
            }
            Some(_) => {}
        }
    }
    for (name, _) in pages {
        if name.strip_suffix(".md").is_none_or(|id| !places.contains_key(id)) {
            findings.push(format!("docs/errors/{name} is the page of no code"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(id: &str, text: &str) -> (String, String) {
        (id.to_owned(), text.to_owned())
    }

    #[test]
    fn declarations_are_read_over_lines_and_not_from_tests() {
        let text = "static A: Code = Code::refused(\n    \"ECL-INS-014\",\n    \"words\",\n);\n\
                    // Code::refused(\"ECL-INS-015\", \"\")\n\
                    #[cfg(test)]\nmod tests {\n static B: Code = Code::usage(\"ECL-CLI-001\", \"x\");\n";
        let source = Source { path: "crates/core/src/instruction.rs".to_owned(), text: text.to_owned() };
        assert_eq!(declared(&[source]), [pair("ECL-INS-014", "crates/core/src/instruction.rs:2")]);
    }

    #[test]
    fn a_page_cites_no_code_that_nothing_declares() {
        let declared = [pair("ECL-INS-001", "a:1")];
        let text =
            "refused (`ECL-INS-001`)\nand ECL-INS-002 results.unit; `ECL-INS`, `ECL-INS-0`, ECL-INS-0011";
        assert_eq!(unknown("x.md", text, &declared), ["x.md:2 cites ECL-INS-002, which no source declares"]);
    }

    #[test]
    fn a_missing_page_a_lost_page_and_a_double_are_found() {
        let page = "# x\n\nwhat\nwhy\ndo\n";
        let good = [pair("ECL-INS-001", "a:1")];
        assert!(compare(&good, &[pair("ECL-INS-001.md", page)]).is_empty());
        assert_eq!(compare(&good, &[]).len(), 1);
        assert_eq!(compare(&good, &[pair("ECL-INS-001.md", "# x\n")]).len(), 1);
        assert_eq!(compare(&[], &[pair("ECL-INS-001.md", page)]).len(), 1);
        let double = [good[0].clone(), pair("ECL-INS-001", "b:1")];
        assert_eq!(compare(&double, &[pair("ECL-INS-001.md", page)]).len(), 1);
    }
}
