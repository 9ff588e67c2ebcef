//! What clippy and the compiler refuse in every crate of the product: panics, `unsafe`, lossy casts,
//! output, and the clock, chance and environment outside `crates/ecluse`'s one file each.

use std::collections::BTreeMap;
use std::path::Path;

use super::manifest::{self, Crate};
use crate::{Outcome, cargo, copy, test};

/// A lint of `Cargo.toml`, and a line of code that it refuses.
const LINTS: &[(&str, &str)] = &[
    ("unsafe_code", "fn p() { unsafe {} }"),
    ("clippy::unwrap_used", "fn p(o: Option<u8>) -> u8 { o.unwrap() }"),
    ("clippy::expect_used", "fn p(o: Option<u8>) -> u8 { o.expect(\"it is\") }"),
    ("clippy::panic", "fn p() { panic!(\"so\") }"),
    ("clippy::indexing_slicing", "fn p(v: &[u8], i: usize) -> u8 { v[i] }"),
    ("clippy::unreachable", "fn p() { unreachable!() }"),
    ("clippy::todo", "fn p() { todo!() }"),
    ("clippy::unimplemented", "fn p() { unimplemented!() }"),
    ("clippy::dbg_macro", "fn p() { dbg!(1); }"),
    ("clippy::print_stdout", "fn p() { println!(\"x\"); }"),
    ("clippy::print_stderr", "fn p() { eprintln!(\"x\"); }"),
    ("clippy::allow_attributes", "#[allow(dead_code, reason = \"so\")] fn p() {}"),
    ("clippy::allow_attributes_without_reason", "#[expect(dead_code)] fn p() {}"),
    ("clippy::cast_possible_truncation", "fn p(x: u64) -> u8 { x as u8 }"),
    ("clippy::cast_sign_loss", "fn p(x: i64) -> u64 { x as u64 }"),
    ("clippy::cast_possible_wrap", "fn p(x: u64) -> i64 { x as i64 }"),
    ("clippy::string_slice", "fn p(s: &str) -> &str { &s[1..] }"),
];

/// A method of `clippy.toml`, and a call of it.
const METHODS: &[(&str, &str)] = &[
    ("std::time::SystemTime::now", "std::time::SystemTime::now()"),
    ("jiff::Timestamp::now", "jiff::Timestamp::now()"),
    ("jiff::Zoned::now", "jiff::Zoned::now()"),
    ("std::env::var", "std::env::var(\"X\")"),
    ("std::env::var_os", "std::env::var_os(\"X\")"),
    ("std::env::vars", "std::env::vars()"),
    ("std::env::vars_os", "std::env::vars_os()"),
    ("std::env::args", "std::env::args()"),
    ("std::env::args_os", "std::env::args_os()"),
    ("getrandom::fill", "getrandom::fill(&mut [0; 1])"),
];

const DISALLOWED: &str = "clippy::disallowed_methods";

/// The one crate that does not forbid `unsafe_code` but denies it: a name that a page calls is exported, which
/// counts as unsafe, and each place says why.
const EXPORTS: &str = "crates/verifier";

/// A planted line: its crate, the lint that must refuse it, what it is.
struct Plant {
    folder: String,
    lint: &'static str,
    what: &'static str,
}

/// Plants every line in every crate of the copy and lints them all at once; returns the walls that
/// stand, one line each, and what did not refuse.
pub(super) fn hold(tree: &Path) -> Outcome<(Vec<String>, Vec<String>)> {
    let mut fallen = unplanted(tree)?;
    let crates = manifest::product(tree)?;
    let mut plants: BTreeMap<(String, u64), Plant> = BTreeMap::new();
    for one in &crates {
        plant(tree, one, &mut plants)?;
    }
    let found = lint(tree)?;
    for ((file, line), plant) in &plants {
        let here = found.iter().filter(|f| f.file == *file && f.line == *line);
        if !here.clone().any(|f| f.lint == plant.lint) {
            fallen.push(format!("{}: {} did not refuse {}", plant.folder, plant.lint, plant.what));
        }
    }
    // the findings are told as warnings so that one pass sees all crates; each says the level it is set to
    for one in &crates {
        for (lint, _) in LINTS {
            let forbids = *lint == "unsafe_code" && one.folder != EXPORTS;
            let level = if forbids { "-F unsafe" } else { "-D" };
            let mut theirs = found.iter().filter(|f| f.file.starts_with(&one.folder) && f.lint == *lint);
            if !theirs.any(|f| f.notes.contains(level)) {
                fallen.push(format!("{}: {lint} is not at its level ({level})", one.folder));
            }
        }
    }
    let standing = vec![format!(
        "{} lints and {} methods refused in each of {} crates ({} lines planted)",
        LINTS.len(),
        METHODS.len(),
        crates.len(),
        plants.len()
    )];
    Ok((standing, fallen))
}

/// Lints that are denied and methods that are disallowed, and for which nothing is planted here.
fn unplanted(tree: &Path) -> Outcome<Vec<String>> {
    let mut missing = Vec::new();
    for lint in manifest::denied_lints(tree)? {
        if !LINTS.iter().any(|(name, _)| *name == lint) {
            missing.push(format!("Cargo.toml denies {lint}, and nothing is planted that it refuses"));
        }
    }
    for method in manifest::disallowed(tree)? {
        if !METHODS.iter().any(|(path, _)| *path == method) {
            missing.push(format!("clippy.toml refuses {method}, and nothing is planted that calls it"));
        }
    }
    for (method, _) in METHODS {
        if !manifest::disallowed(tree)?.iter().any(|m| m == method) {
            missing.push(format!("clippy.toml does not refuse {method}"));
        }
    }
    Ok(missing)
}

fn plant(tree: &Path, one: &Crate, plants: &mut BTreeMap<(String, u64), Plant>) -> Outcome {
    let path = format!("{}/src/planted.rs", one.folder);
    let mut text = String::from("//! Planted: each line is refused.\n");
    let mut line = 1;
    let mut add = |code: String, lint: &'static str, what: &'static str| {
        line += 1;
        text.push_str(&code.replace("fn p(", &format!("fn p{line}(")));
        text.push('\n');
        plants.insert((path.clone(), line), Plant { folder: one.folder.clone(), lint, what });
    };
    for (lint, code) in LINTS {
        add((*code).to_owned(), lint, code);
    }
    for (method, call) in METHODS {
        let from = method.split("::").next().unwrap_or_default();
        if from == "std" || one.imports.iter().any(|i| i == from) {
            add(format!("fn p() {{ let _ = {call}; }}"), DISALLOWED, method);
        }
    }
    copy::write(&tree.join(&path), text.as_bytes())?;
    let root = tree.join(&one.root);
    let mut whole = std::fs::read_to_string(&root).map_err(|e| format!("{}: {e}", root.display()))?;
    whole.push_str("\nmod planted;\n");
    copy::write(&root, whole.as_bytes())
}

/// A finding of clippy.
struct Finding {
    file: String,
    line: u64,
    lint: String,
    notes: String,
}

fn lint(tree: &Path) -> Outcome<Vec<Finding>> {
    let mut command = cargo();
    command.current_dir(tree).args(["clippy", "--workspace", "--offline", "--features", test::FEATURES]);
    command.args(["--message-format", "json", "--", "--cap-lints", "warn"]);
    let output = command.env("CARGO_TARGET_DIR", crate::target()).output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!("clippy: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let Some(message) = message.get("message") else { continue };
        let (Some(lint), Some(spans)) =
            (message.pointer("/code/code").and_then(|c| c.as_str()), message["spans"].as_array())
        else {
            continue;
        };
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let notes: Vec<String> = message["children"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|child| text(&child["message"]))
            .collect();
        for span in spans.iter().filter(|s| s["is_primary"] == true) {
            found.push(Finding {
                file: text(&span["file_name"]),
                line: span["line_start"].as_u64().unwrap_or_default(),
                lint: lint.to_owned(),
                notes: notes.join("\n"),
            });
        }
    }
    Ok(found)
}
