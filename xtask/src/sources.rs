//! The workspace's Rust sources, for the tools that read them.

use std::path::{Path, PathBuf};

use crate::{Outcome, root};

/// A Rust file of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The crate's folder name: `core` of `crates/core/…`, `xtask` of `xtask/…`.
    pub(crate) fn folder(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next().unwrap_or_default(),
            first => first.unwrap_or_default(),
        }
    }

    /// Whether it is compiled into the product: below `src` of a crate that is, and no file of tests.
    pub(crate) fn is_production(&self) -> bool {
        self.path.starts_with("crates/")
            && self.folder() != "testkit"
            && self.path.contains("/src/")
            && !self.is_tests()
    }

    fn is_tests(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs"))
    }

    /// The lines of production code with their numbers: what follows `#[cfg(test)] mod …` is
    /// left out (tests stand last in a file, by custom here), comments too.
    pub(crate) fn code(&self) -> Vec<(usize, &str)> {
        let mut lines = Vec::new();
        let mut all = self.text.lines().enumerate().peekable();
        while let Some((number, line)) = all.next() {
            let trimmed = line.trim_start();
            if trimmed.starts_with("#[cfg(test)]")
                && all
                    .peek()
                    .is_some_and(|(_, next)| next.trim_start().starts_with("mod ") && next.ends_with('{'))
            {
                break;
            }
            if !trimmed.starts_with("//") {
                lines.push((number + 1, line));
            }
        }
        lines
    }
}

/// Every Rust file below `crates` and `xtask`.
pub(crate) fn all() -> Outcome<Vec<Source>> {
    let mut found = Vec::new();
    for top in ["crates", "xtask"] {
        walk(&root().join(top), &mut found)?;
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<Source>) -> Outcome {
    for entry in std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != "target" {
                walk(&path, found)?;
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            found.push(Source { path: relative(&path), text });
        }
    }
    Ok(())
}

/// A path from the root, with `/`.
pub(crate) fn relative(path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root()).unwrap_or(path).to_owned();
    path.to_string_lossy().into_owned()
}

/// The double-quoted strings of a line, escapes left as they are.
pub(crate) fn strings(line: &str) -> Vec<&str> {
    line.split('"').skip(1).step_by(2).collect()
}
