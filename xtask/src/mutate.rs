//! `cargo xtask mutate`: a guard's test fails when the guard is off.
//!
//! `docs/guards.toml` lists guards: a text to find once in a source file, what to put in its
//! place (the guard off), and the test that must then fail. It happens in a copy of the
//! tree; crates from outside are not built again.

use std::path::Path;

use ecluse_testkit::server::{Purpose, REQUIRED_VARIABLE, Servers};
use serde::Deserialize;

use crate::{Outcome, cargo, packages, root, say, servers};

#[derive(Debug, Deserialize)]
struct Guards {
    guard: Vec<Guard>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Guard {
    /// What it guards, in words.
    name: String,
    /// The requirements that its test proves.
    proves: Vec<String>,
    /// The source file, from the root.
    file: String,
    /// Text that stands in the file once.
    find: String,
    /// The guard off.
    replace: String,
    /// The package whose test must fail.
    package: String,
    /// `lib`, `bin`, or the name of a file of `tests/`.
    target: String,
    /// The test's whole name.
    test: String,
}

/// Switches each guard off in turn (those whose name contains an argument; all without).
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let path = root().join("docs/guards.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let guards: Guards = toml::from_str(&text).map_err(|e| e.to_string())?;
    let wanted =
        |guard: &&Guard| arguments.is_empty() || arguments.iter().any(|a| guard.name.contains(a.as_str()));
    let servers = servers::start(&packages::ready(false)?, Purpose::Tests);
    let copy = tempfile::Builder::new().prefix("ecluse-guards-").tempdir().map_err(|e| e.to_string())?;
    copy_tree(copy.path())?;
    let mut asleep = Vec::new();
    let mut count = 0_u32;
    for guard in guards.guard.iter().filter(wanted) {
        count += 1;
        match guard.check(copy.path(), &servers) {
            Ok(()) => say(&format!("held      {} ({})", guard.name, guard.proves.join(", "))),
            Err(why) => {
                say(&format!("NOT HELD  {}: {why}", guard.name));
                asleep.push(guard.name.as_str());
            }
        }
    }
    if count == 0 {
        return Err("no guard has that name".to_owned());
    }
    say(&format!(
        "{} of {count} guards are held by a test that fails without them",
        count as usize - asleep.len()
    ));
    if asleep.is_empty() { Ok(()) } else { Err(format!("not held: {}", asleep.join(", "))) }
}

impl Guard {
    fn check(&self, tree: &Path, servers: &Servers) -> Outcome {
        let file = tree.join(&self.file);
        let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", self.file))?;
        let off = switched_off(&text, &self.find, &self.replace)?;
        if self.test_fails(tree, servers)? {
            return Err(format!("{} fails with the guard on", self.test));
        }
        std::fs::write(&file, off).map_err(|e| e.to_string())?;
        let fails = self.test_fails(tree, servers);
        std::fs::write(&file, text).map_err(|e| e.to_string())?;
        if fails? { Ok(()) } else { Err(format!("{} passes with the guard off", self.test)) }
    }

    /// Runs the one test; an error when it could not be built or did not run.
    fn test_fails(&self, tree: &Path, servers: &Servers) -> Outcome<bool> {
        let mut command = cargo();
        command.current_dir(tree).args(["test", "--offline", "--package", &self.package]);
        match self.target.as_str() {
            "lib" => command.arg("--lib"),
            "bin" => command.args(["--bin", &self.package]),
            other => command.args(["--test", other]),
        };
        // as `cargo xtask test` builds it; some of its tests are not there without
        if self.package == "ecluse" {
            command.args(["--features", "ecluse/failpoints"]);
        }
        command.args(["--", "--exact", &self.test]);
        command
            .env("CARGO_TARGET_DIR", crate::target())
            .env(REQUIRED_VARIABLE, "1")
            .envs(servers.environment());
        let output = command.output().map_err(|e| e.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.contains("test result: ok. 1 passed") {
            return Ok(false);
        }
        if said.contains("test result: FAILED. 0 passed; 1 failed") {
            return Ok(true);
        }
        Err(format!("{} did not run: {}", self.test, String::from_utf8_lossy(&output.stderr)))
    }
}

fn switched_off(text: &str, find: &str, replace: &str) -> Outcome<String> {
    match text.matches(find).count() {
        1 => Ok(text.replacen(find, replace, 1)),
        0 => Err("the guard's text is not in its file: it moved".to_owned()),
        many => Err(format!("the guard's text stands {many} times in its file")),
    }
}

/// Copies what git knows, as it stands in the working tree.
fn copy_tree(to: &Path) -> Outcome {
    let output = std::process::Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .map_err(|e| format!("git: {e}"))?;
    for name in String::from_utf8_lossy(&output.stdout).split('\0').filter(|n| !n.is_empty()) {
        let (from, to) = (root().join(name), to.join(name));
        if !from.exists() {
            continue;
        }
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
        }
        std::fs::copy(&from, &to).map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_switched_off_at_one_place_only() {
        assert_eq!(switched_off("if too_old() {", "too_old()", "false").unwrap(), "if false {");
        assert!(switched_off("x", "y", "z").unwrap_err().contains("moved"));
        assert!(switched_off("x x", "x", "z").is_err());
    }

    /// Every listed guard still stands where the list says, so that the slow run has no surprise.
    #[test]
    fn the_list_matches_the_sources() {
        let text = std::fs::read_to_string(root().join("docs/guards.toml")).unwrap();
        let guards: Guards = toml::from_str(&text).unwrap();
        for guard in guards.guard {
            let source = std::fs::read_to_string(root().join(&guard.file)).unwrap();
            switched_off(&source, &guard.find, &guard.replace)
                .unwrap_or_else(|e| panic!("{}: {e}", guard.name));
        }
    }
}
