//! The walls: which crate may import which, as `ARCHITECTURE.md` draws the floors.
//!
//! cargo-deny's wrappers hold the same for crates from outside (`deny.toml`).

use std::path::Path;

use crate::{Outcome, cargo, root};

/// A crate, and what it may import of ours.
pub(crate) const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("ecluse-sign", &[]),
    ("ecluse-journal", &[]),
    ("ecluse-core", &["ecluse-sign"]),
    ("ecluse-evidence", &["ecluse-core", "ecluse-journal"]),
    ("ecluse-batch", &["ecluse-core"]),
    ("ecluse-seal", &["ecluse-batch", "ecluse-core", "ecluse-sign"]),
    ("ecluse-flow", &["ecluse-batch", "ecluse-core", "ecluse-seal", "ecluse-sign"]),
    (
        "ecluse-adapters",
        &["ecluse-batch", "ecluse-core", "ecluse-flow", "ecluse-journal", "ecluse-seal", "ecluse-sign"],
    ),
    (
        "ecluse",
        &[
            "ecluse-adapters",
            "ecluse-batch",
            "ecluse-core",
            "ecluse-evidence",
            "ecluse-flow",
            "ecluse-journal",
            "ecluse-seal",
            "ecluse-sign",
        ],
    ),
    // the evidence's check for a browser: WebAssembly, no part of the binary
    ("ecluse-verifier", &["ecluse-evidence"]),
    // beside the house: makes signed papers, never part of the product
    ("ecluse-testkit", &["ecluse-core", "ecluse-sign"]),
    ("xtask", &["ecluse-testkit"]),
];

/// Features that only tests may ask for.
const TESTS_ONLY: &[&str] = &["assertions", "failpoints"];

/// An import: who, whom, with which features; `dev` for tests alone.
#[derive(Clone, Debug)]
struct Edge {
    from: String,
    to: String,
    features: Vec<String>,
    dev: bool,
}

pub(super) fn findings() -> Outcome<Vec<String>> {
    findings_in(&root())
}

/// As [`findings`], of a copy.
pub(crate) fn findings_in(tree: &Path) -> Outcome<Vec<String>> {
    let output = cargo()
        .current_dir(tree)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
    Ok(broken(&edges(&metadata)))
}

fn edges(metadata: &serde_json::Value) -> Vec<Edge> {
    let list = |value: &serde_json::Value, key: &str| {
        value.get(key).and_then(|v| v.as_array()).cloned().unwrap_or_default()
    };
    let text = |value: &serde_json::Value, key: &str| {
        value.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned()
    };
    let mut edges = Vec::new();
    for package in list(metadata, "packages") {
        for dependency in list(&package, "dependencies") {
            let to = text(&dependency, "name");
            if to.starts_with("ecluse") || to == "xtask" {
                edges.push(Edge {
                    from: text(&package, "name"),
                    to,
                    features: list(&dependency, "features")
                        .iter()
                        .filter_map(|f| f.as_str().map(str::to_owned))
                        .collect(),
                    dev: text(&dependency, "kind") == "dev",
                });
            }
        }
    }
    edges
}

fn broken(edges: &[Edge]) -> Vec<String> {
    let mut findings = Vec::new();
    for Edge { from, to, features, dev } in edges {
        // a test may look at anything below the binary, and at the testkit
        if *dev {
            continue;
        }
        match MAY_IMPORT.iter().find(|(name, _)| name == from) {
            None => findings.push(format!("{from} has no place in the walls: name what it may import")),
            Some((_, allowed)) if !allowed.contains(&to.as_str()) => {
                findings.push(format!("{from} may not import {to}"));
            }
            Some(_) => {}
        }
        for feature in features.iter().filter(|f| TESTS_ONLY.contains(&f.as_str())) {
            findings.push(format!("{from} asks {to} for `{feature}`, which is for tests alone"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), features: Vec::new(), dev: false }
    }

    #[test]
    fn the_walls_stand() {
        assert_eq!(findings().unwrap(), Vec::<String>::new());
    }

    /// Every edge that the table does not name is refused: no wall is only painted on.
    #[test]
    fn every_wall_fails_when_broken() {
        for (from, allowed) in MAY_IMPORT {
            for (to, _) in MAY_IMPORT {
                assert_eq!(broken(&[edge(from, to)]).is_empty(), allowed.contains(to), "{from} → {to}");
            }
        }
        assert_eq!(broken(&[edge("ecluse-new", "ecluse-core")]).len(), 1);
    }

    #[test]
    fn what_is_for_tests_stays_there() {
        let mut leak = edge("ecluse-flow", "ecluse-core");
        leak.features = vec!["assertions".to_owned()];
        assert_eq!(broken(&[leak.clone()]).len(), 1);
        leak.dev = true;
        assert_eq!(broken(&[leak]).len(), 0);
        assert_eq!(broken(&[edge("ecluse-adapters", "ecluse-testkit")]).len(), 1);
    }
}
