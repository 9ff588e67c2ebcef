//! Who may import whom: our own crates (`cargo xtask check`), and those from outside (cargo-deny).

use std::path::{Path, PathBuf};
use std::process::Command;

use super::manifest::{self, Ban};
use crate::check::walls;
use crate::{Outcome, copy, packages};

/// A crate from outside, and which of ours may import it: `deny.toml` says the same, or a wall was moved.
const BANS: &[(&str, &[&str])] = &[
    ("age", &["ecluse-seal", "ecluse-testkit"]),
    ("ssh-key", &["ecluse-sign"]),
    ("ed25519-dalek", &["ecluse-sign", "ecluse-journal"]),
    ("arrow-array", &["ecluse-batch", "ecluse-adapters"]),
    ("arrow-select", &["ecluse-batch"]),
    ("arrow-ipc", &["ecluse-batch"]),
    ("parquet", &["ecluse-batch", "ecluse-testkit"]),
    ("tokio-postgres", &["ecluse-adapters"]),
    ("mysql_async", &["ecluse-adapters"]),
    ("rusqlite", &["ecluse-adapters", "ecluse-testkit", "ecluse"]),
    ("cel", &["ecluse-core"]),
    ("serde_json_canonicalizer", &["ecluse-core", "ecluse-flow", "ecluse-evidence"]),
    ("tar", &["ecluse-evidence"]),
    ("openssl", &[]),
    ("native-tls", &[]),
    ("sqlx", &[]),
];

/// Plants every import of ours that the table of walls does not name.
pub(super) fn ours(tree: &Path) -> Outcome<(Vec<String>, Vec<String>)> {
    let folder = |name: &str| match name.strip_prefix("ecluse-") {
        Some(short) => tree.join("crates").join(short),
        None if name == "ecluse" => tree.join("crates/ecluse"),
        None => tree.join(name),
    };
    let mut planted = Vec::new();
    for (from, allowed) in walls::MAY_IMPORT {
        for (to, _) in walls::MAY_IMPORT.iter().filter(|(to, _)| to != from && !allowed.contains(to)) {
            add(&folder(from), &format!("{to} = {{ path = {:?} }}", folder(to).display().to_string()))?;
            planted.push((*from, *to));
        }
    }
    let found = walls::findings_in(tree)?;
    let mut fallen = Vec::new();
    for (from, to) in &planted {
        if !found.contains(&format!("{from} may not import {to}")) {
            fallen.push(format!("cargo xtask check let {from} import {to}"));
        }
    }
    Ok((vec![format!("{} imports between our crates", planted.len())], fallen))
}

/// Plants, for every ban of `deny.toml`, an import in a crate that may not have it, and a crate under a
/// licence that is not on the list.
pub(super) fn outside(tree: &Path) -> Outcome<(Vec<String>, Vec<String>)> {
    let Some(deny) = cargo_deny()? else {
        return Ok((
            vec!["NOT TRIED: cargo-deny is not installed (.ci/run installs it)".to_owned()],
            Vec::new(),
        ));
    };
    let (bans, crates, known) = (manifest::bans(tree)?, manifest::product(tree)?, manifest::known(tree)?);
    for ban in &bans {
        let victim = crates.iter().rev().find(|c| !ban.wrappers.contains(&c.name));
        let victim = victim.ok_or_else(|| format!("every crate may import {}", ban.name))?;
        let line = if known.contains(&ban.name) {
            format!("{}.workspace = true", ban.name)
        } else {
            stranger(tree, &ban.name, "MIT")?
        };
        add(&tree.join(&victim.folder), &line)?;
    }
    let copyleft = stranger(tree, "planted-licence", "GPL-3.0-only")?;
    add(&tree.join("crates/core"), &copyleft)?;

    let output = Command::new(deny)
        .args(["--offline", "--format", "json", "check", "bans", "licenses"])
        .current_dir(tree)
        .output()
        .map_err(|e| format!("cargo-deny: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let refused: Vec<(String, String)> = said.lines().flat_map(refusals).collect();
    if refused.is_empty() {
        return Err(format!("cargo-deny refused nothing: {said}"));
    }
    let mut fallen = moved(&bans);
    for ban in &bans {
        if !refused.contains(&("banned".to_owned(), ban.name.clone())) {
            fallen.push(format!("cargo-deny let {} in", ban.name));
        }
    }
    if !refused.contains(&("rejected".to_owned(), "GPL-3.0-only".to_owned())) {
        fallen.push("cargo-deny let a licence in that is not on the list".to_owned());
    }
    Ok((vec![format!("{} crates from outside, and a licence", bans.len())], fallen))
}

/// Bans that say something else than [`BANS`].
fn moved(bans: &[Ban]) -> Vec<String> {
    let ours =
        |ban: &Ban| ban.wrappers.iter().filter(|w| w.starts_with("ecluse")).cloned().collect::<Vec<_>>();
    let mut moved = Vec::new();
    for (name, may) in BANS {
        if !bans.iter().any(|ban| ban.name == *name && ours(ban) == *may) {
            moved.push(format!("deny.toml does not say of {name} that {may:?} alone may import it"));
        }
    }
    let unknown = bans.iter().filter(|ban| !BANS.iter().any(|(name, _)| *name == ban.name));
    moved.extend(unknown.map(|ban| format!("deny.toml bans {}, which this list does not name", ban.name)));
    moved
}

/// The codes and labels of a line of cargo-deny's that is an error.
fn refusals(line: &str) -> Vec<(String, String)> {
    let Ok(said) = serde_json::from_str::<serde_json::Value>(line) else { return Vec::new() };
    let Some(fields) = said.get("fields").filter(|fields| fields["severity"] == "error") else {
        return Vec::new();
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let labels = fields["labels"].as_array().into_iter().flatten();
    labels.map(|label| (text(&fields["code"]), text(&label["span"]))).collect()
}

/// A crate of that name and licence in the copy, and the line that imports it.
fn stranger(tree: &Path, name: &str, licence: &str) -> Outcome<String> {
    let folder = tree.join("planted").join(name);
    let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nlicense = \"{licence}\"\n");
    copy::write(&folder.join("Cargo.toml"), manifest.as_bytes())?;
    copy::write(&folder.join("src/lib.rs"), b"")?;
    Ok(format!("{name} = {{ path = {:?} }}", folder.display().to_string()))
}

/// Adds a line to a manifest's dependencies.
fn add(folder: &Path, line: &str) -> Outcome {
    const HEAD: &str = "\n[dependencies]\n";
    let path = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let text = if text.contains(HEAD) { text } else { format!("{text}{HEAD}") };
    copy::write(&path, text.replacen(HEAD, &format!("{HEAD}{line}\n"), 1).as_bytes())
}

/// cargo-deny: in the path, or where `.ci/run` puts it.
fn cargo_deny() -> Outcome<Option<PathBuf>> {
    let kept = packages::cache()?.join("bin/cargo-deny");
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|folder| folder.join("cargo-deny")).find(|file| file.is_file())
    });
    Ok(found.or_else(|| kept.is_file().then_some(kept)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_that_was_moved_is_found() {
        let ban = |(name, may): &(&str, &[&str])| Ban {
            name: (*name).to_owned(),
            wrappers: may.iter().map(|w| (*w).to_owned()).collect(),
        };
        let mut bans: Vec<Ban> = BANS.iter().map(ban).collect();
        assert!(moved(&bans).is_empty());
        bans[0].wrappers.push("ecluse-flow".to_owned());
        assert_eq!(moved(&bans).len(), 1);
        bans[0].name = "other".to_owned();
        assert_eq!(moved(&bans).len(), 2);
    }

    #[test]
    fn only_errors_are_refusals() {
        let line = |severity: &str| {
            format!(r#"{{"fields":{{"severity":"{severity}","code":"banned","labels":[{{"span":"age"}}]}}}}"#)
        };
        assert_eq!(refusals(&line("error")), [("banned".to_owned(), "age".to_owned())]);
        assert!(refusals(&line("warning")).is_empty());
    }
}
