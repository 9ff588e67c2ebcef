//! `cargo xtask mutate`: a guard's test fails when the guard is off.
//!
//! In a copy of the tree, the guards of `docs/guards.toml` are switched off one by one, those of one
//! crate after each other, and the one test of each is built and run; first all tests with
//! every guard on. Crates from outside are not built again: the workspace is built whole, with the
//! features of `cargo xtask test`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecluse_testkit::server::{Purpose, REQUIRED_VARIABLE, Servers};

use crate::guards::{self, Guard};
use crate::{Outcome, args, copy, packages, root, say, servers, test};

/// Seconds after which a build and its test have hung.
const PATIENCE: &str = "900";

/// Crates whose tests talk to servers.
const WITH_SERVERS: &[&str] = &["ecluse-adapters", "ecluse"];

/// Switches guards off: those whose name contains an argument, those of the packages named, and
/// with `--some N` of the rest N, chosen by the commit; all without arguments.
pub(crate) fn run(mut arguments: Vec<String>) -> Outcome {
    let packages = args::values(&mut arguments, "--package")?;
    let some = args::values(&mut arguments, "--some")?.first().map_or(Ok(0), |n| n.parse::<usize>());
    let some = some.map_err(|_| "--some wants a number")?;
    let mut chosen = choose(guards::all()?, &packages, &arguments, some, &commit()?);
    if chosen.is_empty() {
        return Err("no guard has that name".to_owned());
    }
    // one crate's guards after each other: what lies below it is built once
    chosen.sort_by(|a, b| (&a.file, &a.package, &a.target).cmp(&(&b.file, &b.package, &b.target)));
    let servers = if chosen.iter().any(|g| WITH_SERVERS.contains(&g.package.as_str())) {
        Some(servers::start(&packages::ready(false)?, Purpose::Tests))
    } else {
        None
    };
    let bench = Bench { tree: copy::tree("guards")?, servers: servers.as_ref() };
    // an earlier run built each of these files without its guard, the last of them last: where a clock went
    // back, or a target folder was copied about, cargo would take that for what stands there now
    for file in chosen.iter().map(|guard| &guard.file).collect::<BTreeSet<_>>() {
        copy::renew(&bench.tree.join(file))?;
    }
    let mut asleep = bench.all_on(&chosen)?;
    for guard in chosen.iter().filter(|g| !asleep.contains(&g.name)).collect::<Vec<_>>() {
        match bench.off(guard) {
            Ok(()) => say(&format!("held      {} ({})", guard.name, guard.proves.join(", "))),
            Err(why) => {
                say(&format!("NOT HELD  {}: {why}", guard.name));
                asleep.insert(guard.name.clone());
            }
        }
    }
    say(&format!(
        "{} of {} guards are held by a test that fails without them",
        chosen.len() - asleep.len(),
        chosen.len()
    ));
    let names: Vec<String> = asleep.into_iter().collect();
    if names.is_empty() { Ok(()) } else { Err(format!("not held: {}", names.join(", "))) }
}

fn choose(all: Vec<Guard>, packages: &[String], words: &[String], some: usize, commit: &str) -> Vec<Guard> {
    if packages.is_empty() && words.is_empty() && some == 0 {
        return all;
    }
    let (mut chosen, mut rest): (Vec<Guard>, Vec<Guard>) = all
        .into_iter()
        .partition(|g| packages.contains(&g.package) || words.iter().any(|w| g.name.contains(w.as_str())));
    // each commit draws others, and the same commit the same
    rest.sort_by_key(|guard| blend(commit, &guard.name));
    chosen.extend(rest.into_iter().take(some));
    chosen
}

/// FNV-1a: spreads names, no more.
fn blend(commit: &str, name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    commit.bytes().chain(name.bytes()).fold(0xcbf2_9ce4_8422_2325, step)
}

fn commit() -> Outcome<String> {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(root()).output();
    Ok(String::from_utf8_lossy(&output.map_err(|e| format!("git: {e}"))?.stdout).trim().to_owned())
}

struct Bench<'a> {
    tree: PathBuf,
    servers: Option<&'a Servers>,
}

impl Bench<'_> {
    /// Runs every chosen test with the guards on; the names of the guards whose test fails so.
    fn all_on(&self, chosen: &[Guard]) -> Outcome<BTreeSet<String>> {
        let mut failing = BTreeSet::new();
        let targets: BTreeSet<(&str, &str)> =
            chosen.iter().map(|g| (g.package.as_str(), g.target.as_str())).collect();
        for (package, target) in targets {
            let group: Vec<&Guard> =
                chosen.iter().filter(|g| g.package == package && g.target == target).collect();
            let tests: BTreeSet<&str> = group.iter().map(|g| g.test.as_str()).collect();
            let said = self.test(package, target, &tests)?;
            for guard in group {
                if !said.contains(&format!("test {} ... ok", guard.test)) {
                    let (name, test, why) = (&guard.name, &guard.test, reasons(&said));
                    say(&format!("NOT HELD  {name}: {test} does not pass with the guard on: {why}"));
                    failing.insert(guard.name.clone());
                }
            }
        }
        Ok(failing)
    }

    fn off(&self, guard: &Guard) -> Outcome {
        let file = self.tree.join(&guard.file);
        let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", guard.file))?;
        copy::write(&file, guard.off(&text)?.as_bytes())?;
        let said = self.test(&guard.package, &guard.target, &BTreeSet::from([guard.test.as_str()]));
        copy::write(&file, text.as_bytes())?;
        let said = said?;
        if said.contains(&format!("test {} ... ok", guard.test)) {
            return Err(format!("{} passes with the guard off", guard.test));
        }
        if said.contains(&format!("test {} ... FAILED", guard.test)) {
            return Ok(());
        }
        Err(format!("{} did not run: {}", guard.test, reasons(&said)))
    }

    /// What `cargo test` says of these tests of one binary.
    fn test(&self, package: &str, target: &str, tests: &BTreeSet<&str>) -> Outcome<String> {
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", PATIENCE]).arg(crate::cargo_path());
        command
            .args(["test", "--offline", "--no-fail-fast", "--workspace", "--features", test::FEATURES])
            .current_dir(&self.tree);
        match target {
            "lib" => command.arg("--lib"),
            "bin" => command.args(["--bin", package]),
            other => command.args(["--test", other]),
        };
        command.args(["--", "--exact"]).args(tests);
        command.env("CARGO_TARGET_DIR", crate::target()).env(REQUIRED_VARIABLE, "1");
        if let Some(servers) = self.servers {
            command.envs(servers.environment()).env("TMPDIR", scratch(servers.folder())?);
        }
        let output = command.output().map_err(|e| e.to_string())?;
        Ok([output.stdout, output.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat())
    }
}

/// What `cargo test` says of a failure: errors of the compiler, tests that failed, where they panicked.
fn reasons(said: &str) -> String {
    let tells = |l: &&str| l.starts_with("error") || l.ends_with("... FAILED") || l.contains(" panicked at ");
    let told = said.lines().filter(tells).collect::<Vec<_>>().join("; ");
    if told.is_empty() { "cargo was ended, or says nothing of it".to_owned() } else { told }
}

fn scratch(folder: &Path) -> Outcome<PathBuf> {
    let scratch = folder.join("tmp");
    std::fs::create_dir_all(&scratch).map_err(|e| e.to_string())?;
    Ok(scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_test_does_not_pass_is_told() {
        let said = "test a::b ... ok\ntest a::c ... FAILED\nthread 'a::c' panicked at a.rs:7:5:\nleft: 1\nerror: 1 target failed";
        assert_eq!(
            reasons(said),
            "test a::c ... FAILED; thread 'a::c' panicked at a.rs:7:5:; error: 1 target failed"
        );
        assert!(reasons("   Compiling x").contains("ended"));
    }

    #[test]
    fn the_rest_is_drawn_by_the_commit() {
        let all = guards::all().unwrap();
        let names = |some: usize, commit: &str| -> Vec<String> {
            let chosen = choose(all.clone(), &["ecluse-sign".to_owned()], &[], some, commit);
            chosen.into_iter().map(|g| g.name).collect()
        };
        let sign = all.iter().filter(|g| g.package == "ecluse-sign").count();
        assert_eq!(names(0, "a").len(), sign);
        assert_eq!(names(3, "a").len(), sign + 3);
        assert_eq!(names(3, "a"), names(3, "a"));
        assert!((0..9).any(|n| names(3, &n.to_string()) != names(3, "a")), "always the same");
        assert_eq!(choose(all.clone(), &[], &[], 0, "a").len(), all.len());
    }
}
