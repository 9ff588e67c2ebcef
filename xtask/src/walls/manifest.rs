//! What the manifests say: crates, their imports, lints, disallowed methods, bans.

use std::path::Path;

use toml::{Table, Value};

use crate::Outcome;

/// A crate of the product.
pub(super) struct Crate {
    /// Its package's name.
    pub(super) name: String,
    /// Its folder, from the root: `crates/core`.
    pub(super) folder: String,
    /// Its first file, from the root.
    pub(super) root: String,
    /// The crates it may name in code.
    pub(super) imports: Vec<String>,
}

/// Every crate below `crates/` but the testkit.
pub(super) fn product(tree: &Path) -> Outcome<Vec<Crate>> {
    let folder = tree.join("crates");
    let mut crates = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "testkit" || !entry.path().join("Cargo.toml").is_file() {
            continue;
        }
        let manifest = read(&entry.path().join("Cargo.toml"))?;
        let library = entry.path().join("src/lib.rs").is_file();
        let table = |key: &str| manifest.get(key).and_then(Value::as_table).cloned().unwrap_or_default();
        crates.push(Crate {
            name: table("package").get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            root: format!("crates/{name}/src/{}", if library { "lib.rs" } else { "main.rs" }),
            folder: format!("crates/{name}"),
            imports: table("dependencies").keys().map(|k| k.replace('-', "_")).collect(),
        });
    }
    crates.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(crates)
}

/// The lints of the workspace that are denied or forbidden, clippy's with `clippy::`.
pub(super) fn denied_lints(tree: &Path) -> Outcome<Vec<String>> {
    let manifest = read(&tree.join("Cargo.toml"))?;
    let tools = manifest.get("workspace").and_then(|w| w.get("lints")).and_then(Value::as_table);
    let mut lints = Vec::new();
    for (tool, of_tool) in tools.into_iter().flatten() {
        for (lint, level) in of_tool.as_table().into_iter().flatten() {
            let level = level.as_str().or_else(|| level.get("level").and_then(Value::as_str));
            if matches!(level, Some("deny" | "forbid")) {
                lints.push(if tool == "rust" { lint.clone() } else { format!("{tool}::{lint}") });
            }
        }
    }
    Ok(lints)
}

/// The methods that `clippy.toml` refuses.
pub(super) fn disallowed(tree: &Path) -> Outcome<Vec<String>> {
    let config = read(&tree.join("clippy.toml"))?;
    let list = config.get("disallowed-methods").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(list.iter().filter_map(|m| m.get("path")?.as_str().map(str::to_owned)).collect())
}

/// A crate from outside that `deny.toml` bans, and who may import it all the same.
pub(super) struct Ban {
    pub(super) name: String,
    pub(super) wrappers: Vec<String>,
}

/// Every ban.
pub(super) fn bans(tree: &Path) -> Outcome<Vec<Ban>> {
    let config = read(&tree.join("deny.toml"))?;
    let list = config.get("bans").and_then(|b| b.get("deny")).and_then(Value::as_array).cloned();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Ok(list
        .unwrap_or_default()
        .iter()
        .filter_map(|ban| {
            let wrappers = ban.get("wrappers").and_then(Value::as_array);
            Some(Ban {
                name: text(ban.get("crate")?)?,
                wrappers: wrappers.into_iter().flatten().filter_map(text).collect(),
            })
        })
        .collect())
}

/// The names of `[workspace.dependencies]`.
pub(super) fn known(tree: &Path) -> Outcome<Vec<String>> {
    let manifest = read(&tree.join("Cargo.toml"))?;
    let table = manifest.get("workspace").and_then(|w| w.get("dependencies")).and_then(Value::as_table);
    Ok(table.into_iter().flat_map(|t| t.keys().cloned()).collect())
}

fn read(path: &Path) -> Outcome<Table> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    text.parse().map_err(|e| format!("{}: {e}", path.display()))
}
