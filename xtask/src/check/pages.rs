//! Pages name only paths that exist; nothing names what is no part of the product, or a person.

use std::path::Path;

use super::persons;
use crate::{Outcome, root};

/// Pages whose paths are checked.
const PAGES: &[&str] = &["ARCHITECTURE.md", "README.md", "CONTRIBUTING.md", "docs/adding-an-end.md"];

/// Words of a workplace, not of the product; in two halves, so that this file names none.
const FOREIGN: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/fa", "rm/"),
    ("/tmp/", "wt"),
    ("sub", "agent"),
    ("work", "tree add"),
    ("Clau", "de"),
    ("Anthro", "pic"),
];

pub(super) fn findings() -> Outcome<Vec<String>> {
    let root = root();
    let mut findings = Vec::new();
    for page in PAGES {
        let Ok(text) = std::fs::read_to_string(root.join(page)) else {
            findings.push(format!("{page} is missing"));
            continue;
        };
        for path in paths(&text) {
            if !root.join(path).exists() {
                findings.push(format!("{page} names {path}, which does not exist"));
            }
        }
    }
    let output = std::process::Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(&root)
        .output()
        .map_err(|e| format!("git: {e}"))?;
    for name in
        String::from_utf8_lossy(&output.stdout).split('\0').filter(|n| !n.is_empty() && *n != "Cargo.lock")
    {
        let Ok(text) = std::fs::read_to_string(Path::new(&root).join(name)) else { continue };
        findings.extend(foreign(name, &text));
        findings.extend(persons::findings(name, &text));
    }
    Ok(findings)
}

/// Words between backquotes that are paths of this repository.
fn paths(text: &str) -> Vec<&str> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| !word.contains([' ', '*', '<', '…', '{', '\n']))
        .filter(|word| {
            ["crates/", "xtask/", "docs/", ".ci/"].iter().any(|top| word.starts_with(top))
                || (!word.contains('/') && word.ends_with(".md"))
        })
        .collect()
}

fn foreign(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if FOREIGN.iter().any(|(one, two)| line.contains(&format!("{one}{two}"))) {
            found.push(format!("{name}:{}: a word that is no part of the product", number + 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_backquotes() {
        let text =
            "see `crates/core/src/plan.rs`, `docs/formats.md`, `cargo test`, `crates/*/src`, `GLOSSARY.md`";
        assert_eq!(paths(text), ["crates/core/src/plan.rs", "docs/formats.md", "GLOSSARY.md"]);
    }

    #[test]
    fn a_foreign_word_is_found() {
        let line = format!("see {}rk/shared", "/wo");
        assert_eq!(foreign("x.md", &line).len(), 1);
        assert_eq!(foreign("x.md", "the work of a laboratory").len(), 0);
    }
}
