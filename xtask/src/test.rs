//! `cargo xtask test`: private servers, every test, nothing left behind.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};

use ecluse_testkit::server::{Purpose, REQUIRED_VARIABLE};
use ecluse_testkit::tools::VARIABLE as TOOLS_VARIABLE;

use crate::{Outcome, args, cargo, fetched, packages, servers, verifier, walls};

/// Features that tests need and a release must not have.
pub(crate) const FEATURES: &str = "ecluse/failpoints,ecluse-core/assertions";

/// Runs the tests against private servers and writes which ones passed to `target/`.
pub(crate) fn run(mut arguments: Vec<String>) -> Outcome {
    let harness = match arguments.iter().position(|a| a == "--") {
        Some(at) => arguments.split_off(at),
        None => Vec::new(),
    };
    let only = args::values(&mut arguments, "--only")?;
    let tools = packages::ready(args::flag(&mut arguments, "--unpacked"))?;
    let whole = only.is_empty() && arguments.is_empty() && harness.is_empty();

    if whole {
        walls::run(&[])?;
    }
    let servers = servers::start(&tools, Purpose::Tests);
    let (reader, writer) = std::io::pipe().map_err(|e| e.to_string())?;
    let mut command = cargo();
    command.arg("test").arg("--no-fail-fast");
    if only.is_empty() {
        command.args(["--workspace", "--features", FEATURES]);
    } else {
        for name in &only {
            command.args(["--package", name]);
        }
        if only.iter().any(|name| name == "ecluse") {
            command.args(["--features", "ecluse/failpoints"]);
        }
    }
    command.args(&arguments).args(&harness);
    command.env(REQUIRED_VARIABLE, "1").envs(servers.environment());
    let outside = [
        ("ECLUSE_TEST_AXE", fetched::axe()),
        ("ECLUSE_TEST_CHROMIUM", packages::browser()),
        ("ECLUSE_TEST_NPM_AGE", fetched::age_of_npm()),
        ("ECLUSE_TEST_PYTHON", fetched::python()),
        ("ECLUSE_TEST_VERIFIER", verifier::made()),
    ];
    command.envs(outside.into_iter().filter_map(|(name, path)| Some((name, path?))));
    if let Some(root) = tools.root() {
        command.env(TOOLS_VARIABLE, root);
    }
    // what a test leaves in the temporary folder goes with the servers' own
    let scratch = servers.folder().join("tmp");
    std::fs::create_dir_all(&scratch).map_err(|e| e.to_string())?;
    command.env("TMPDIR", &scratch);
    // one pipe for both streams keeps cargo's "Running …" lines before their tests
    command.stdout(writer.try_clone().map_err(|e| e.to_string())?).stderr(writer);
    let mut child = command.spawn().map_err(|e| format!("cargo does not start: {e}"))?;
    drop(command);

    let mut outcomes = Outcomes::default();
    let mut out = std::io::stdout();
    let mut lines = BufReader::new(reader);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(|e| e.to_string())? > 0 {
        let _ = out.write_all(&line);
        outcomes.read(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    drop(servers);
    if whole {
        outcomes.write()?;
    }
    // cargo has said what failed; its last line stays the last
    if status.success() { Ok(()) } else { std::process::exit(status.code().unwrap_or(1)) }
}

/// How a test that does not run says so: then it has not passed, whatever the harness says.
const SKIPPED: &str = "SKIPPED (run cargo xtask test): ";

/// Which tests of which test binary ended how.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    target: String,
    by_target: BTreeMap<String, BTreeMap<String, String>>,
}

impl Outcomes {
    /// The file that `cargo xtask trace` reads.
    fn path() -> std::path::PathBuf {
        crate::target().join("ecluse-tests.json")
    }

    /// Reads one line of `cargo test`.
    pub(crate) fn read(&mut self, line: &str) {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("Running ") {
            // unittests src/lib.rs (target/debug/deps/ecluse_core-0123456789abcdef)
            let binary = rest.rsplit('/').next().unwrap_or(rest).trim_end_matches(')');
            binary.rsplit_once('-').map_or(binary, |(name, _)| name).clone_into(&mut self.target);
        } else if let Some(name) = line.strip_prefix("Doc-tests ") {
            self.target = format!("{name} doc");
        } else if let Some(rest) = line.strip_prefix(SKIPPED) {
            let name = rest.split(": ").next().unwrap_or_default();
            self.by_target
                .entry(self.target.clone())
                .or_default()
                .insert(name.to_owned(), "skipped".to_owned());
        } else if let Some((name, outcome)) = line.strip_prefix("test ").and_then(|l| l.rsplit_once(" ... "))
        {
            self.by_target
                .entry(self.target.clone())
                .or_default()
                .entry(name.trim_end_matches(" - should panic").to_owned())
                .or_insert_with(|| outcome.to_owned());
        }
    }

    /// Target → test → how it ended (`ok`, `FAILED`, `ignored…`).
    pub(crate) const fn by_target(&self) -> &BTreeMap<String, BTreeMap<String, String>> {
        &self.by_target
    }

    /// What the last whole run gave, if there was one.
    pub(crate) fn last_run() -> Outcome<Option<Self>> {
        let Ok(text) = std::fs::read_to_string(Self::path()) else { return Ok(None) };
        let by_target =
            serde_json::from_str(&text).map_err(|e| format!("{}: {e}", Self::path().display()))?;
        Ok(Some(Self { target: String::new(), by_target }))
    }

    fn write(&self) -> Outcome {
        let text = serde_json::to_string_pretty(self.by_target()).map_err(|e| e.to_string())?;
        std::fs::write(Self::path(), text).map_err(|e| format!("{}: {e}", Self::path().display()))
    }
}

#[cfg(test)]
mod tests {
    use super::Outcomes;

    #[test]
    fn lines_of_cargo_test_are_read() {
        let mut outcomes = Outcomes::default();
        for line in [
            "     Running unittests src/lib.rs (target/debug/deps/ecluse_core-0123456789abcdef)",
            "test filter::tests::and_or ... ok",
            "test filter::tests::panics - should panic ... ok",
            "     Running tests/walls.rs (/elsewhere/debug/deps/walls-0123456789abcdef)",
            "SKIPPED (run cargo xtask test): outside: ECLUSE_TEST_DATA is not set",
            "test outside ... ok",
            "test broken ... FAILED",
            "test slow ... ignored, takes an hour",
            "test result: FAILED. 0 passed; 1 failed",
        ] {
            outcomes.read(line);
        }
        let all = outcomes.by_target();
        assert_eq!(all["ecluse_core"]["filter::tests::and_or"], "ok");
        assert_eq!(all["ecluse_core"]["filter::tests::panics"], "ok");
        assert_eq!(all["walls"]["broken"], "FAILED");
        assert_eq!(all["walls"]["slow"], "ignored, takes an hour");
        assert_eq!(all["walls"]["outside"], "skipped");
        assert_eq!(all["walls"].len(), 3);
    }
}
