//! `docs/guards.toml`: guards, each with the test that fails when it is off.

use serde::Deserialize;

use crate::{Outcome, root};

/// A guard, and how it is switched off.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guard {
    /// What it guards, in words.
    pub(crate) name: String,
    /// The requirements that its test proves; the test says the same in its `// proves:` line.
    pub(crate) proves: Vec<String>,
    /// The source file, from the root.
    pub(crate) file: String,
    /// Text that stands in the file once.
    pub(crate) find: String,
    /// The guard off.
    pub(crate) replace: String,
    /// The package whose test must fail.
    pub(crate) package: String,
    /// `lib`, `bin`, or the name of a test binary, which no other crate bears.
    pub(crate) target: String,
    /// The test's whole name.
    pub(crate) test: String,
}

/// Every guard, in the file's order.
pub(crate) fn all() -> Outcome<Vec<Guard>> {
    #[derive(Deserialize)]
    struct File {
        guard: Vec<Guard>,
    }
    let path = root().join("docs/guards.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let file: File = toml::from_str(&text).map_err(|e| format!("docs/guards.toml: {e}"))?;
    Ok(file.guard)
}

impl Guard {
    /// The test binary, as `cargo test` names it.
    pub(crate) fn binary(&self) -> String {
        match self.target.as_str() {
            "lib" | "bin" => self.package.replace('-', "_"),
            other => other.to_owned(),
        }
    }

    /// The source without the guard.
    pub(crate) fn off(&self, text: &str) -> Outcome<String> {
        match text.matches(&self.find).count() {
            1 => Ok(text.replacen(&self.find, &self.replace, 1)),
            0 => Err("the guard's text is not in its file: it moved".to_owned()),
            many => Err(format!("the guard's text stands {many} times in its file")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(find: &str, replace: &str) -> Guard {
        let text = String::new;
        Guard {
            find: find.to_owned(),
            replace: replace.to_owned(),
            name: text(),
            proves: Vec::new(),
            file: text(),
            package: text(),
            target: text(),
            test: text(),
        }
    }

    #[test]
    fn a_guard_is_switched_off_at_one_place_only() {
        assert_eq!(guard("too_old()", "false").off("if too_old() {").unwrap(), "if false {");
        assert!(guard("y", "z").off("x").unwrap_err().contains("moved"));
        assert!(guard("x", "y").off("x x").is_err());
    }

    /// Every listed guard still stands where the list says, so that the slow run has no surprise.
    #[test]
    fn the_list_matches_the_sources() {
        let moved: Vec<String> = all()
            .unwrap()
            .iter()
            .filter_map(|guard| {
                let source = std::fs::read_to_string(root().join(&guard.file)).unwrap();
                guard.off(&source).err().map(|e| format!("{}: {e}", guard.name))
            })
            .collect();
        assert!(moved.is_empty(), "{}", moved.join("\n"));
    }
}
