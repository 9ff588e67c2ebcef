//! `cargo xtask trace`: which requirements are proven by a test that passed.
//!
//! A test names what it proves in a line `// proves: EXT-03` directly above its
//! attributes. `docs/requirements.json` is the list; what passed is in the file that
//! `cargo xtask test` wrote. A test that did not run, or was skipped, proves nothing; nor does one that
//! could not fail: each requirement has a guard in `docs/guards.toml` whose test names it, and which
//! `cargo xtask mutate` switches off. Examples in comments are not read: they can claim nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::guards::{self, Guard};
use crate::sources::{self, Source};
use crate::test::Outcomes;
use crate::{Outcome, args, root, say};

/// Prints the coverage; fails on an unknown requirement or a claim above no test.
pub(crate) fn run(mut arguments: Vec<String>) -> Outcome {
    let json = args::flag(&mut arguments, "--json");
    args::finished(&arguments)?;
    let all = requirements()?;
    let mut claims = Vec::new();
    for source in sources::all()? {
        claims.extend(claims_of(&source)?);
    }
    let unknown: Vec<String> = claims
        .iter()
        .flat_map(|c| {
            c.ids.iter().filter(|id| !all.contains(*id)).map(move |id| format!("{}: {id}", c.place()))
        })
        .collect();
    if !unknown.is_empty() {
        return Err(format!("tests name requirements that do not exist:\n  {}", unknown.join("\n  ")));
    }
    let Some(outcomes) = Outcomes::last_run()? else {
        return Err(
            "not run: `cargo xtask test` writes which tests passed, and only these prove anything".to_owned()
        );
    };
    let mut covered: BTreeMap<&str, Vec<&Claim>> = BTreeMap::new();
    let mut idle = Vec::new();
    for claim in &claims {
        if claim.passed(&outcomes) {
            claim.ids.iter().for_each(|id| covered.entry(id).or_default().push(claim));
        } else {
            idle.push(claim.place());
        }
    }
    let guards = guards::all()?;
    let strays = strays(&guards, &claims);
    if !strays.is_empty() {
        return Err(format!("guards claim more than their tests:\n  {}", strays.join("\n  ")));
    }
    let unguarded: Vec<&str> = covered
        .keys()
        .copied()
        .filter(|id| !guards.iter().any(|g| g.proves.iter().any(|i| i == id)))
        .collect();
    covered.retain(|id, _| !unguarded.contains(id));
    let missing: Vec<&String> = all.iter().filter(|id| !covered.contains_key(id.as_str())).collect();
    if json {
        let report = serde_json::json!({
            "requirements": { "covered": covered.len(), "total": all.len(), "missing": missing }
        });
        say(&report.to_string());
        return Ok(());
    }
    for (id, tests) in &covered {
        let places: Vec<String> = tests.iter().map(|claim| claim.place()).collect();
        say(&format!("{id}  {}", places.join(", ")));
    }
    for place in &idle {
        say(&format!("did not pass in the last run: {place}"));
    }
    for id in &unguarded {
        say(&format!(
            "{id}  is proven by a test and held by no guard of docs/guards.toml: it does not count"
        ));
    }
    say(&format!("missing  {}", missing.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" ")));
    say(&format!("requirements proven by a test that passed: {} of {}", covered.len(), all.len()));
    Ok(())
}

/// Guards that say they prove what their test does not say.
fn strays(guards: &[Guard], claims: &[Claim]) -> Vec<String> {
    let mut strays = Vec::new();
    for guard in guards {
        for id in &guard.proves {
            if !claims.iter().any(|claim| claim.ids.contains(id) && claim.is_of(guard)) {
                strays.push(format!("{}: {} has no line `// proves: {id}`", guard.name, guard.test));
            }
        }
    }
    strays
}

fn requirements() -> Outcome<BTreeSet<String>> {
    let path = root().join("docs/requirements.json");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let list: Vec<serde_json::Value> = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    Ok(list.iter().filter_map(|r| r.get("id")?.as_str().map(str::to_owned)).collect())
}

/// A test and what it says it proves.
#[derive(Debug, PartialEq, Eq)]
struct Claim {
    ids: Vec<String>,
    /// The test binary, as cargo names it: `ecluse_core`, `ecluse`, or a file of `tests/`.
    target: String,
    /// The module that the file is, for unit tests; empty for the crate's root.
    module: String,
    test: String,
    path: String,
}

impl Claim {
    fn place(&self) -> String {
        format!("{} {}", self.path, self.test)
    }

    /// Whether the claim stands above the guard's test.
    fn is_of(&self, guard: &Guard) -> bool {
        self.target == guard.binary() && self.is_named(&guard.test)
    }

    fn is_named(&self, name: &str) -> bool {
        name.rsplit("::").next() == Some(&self.test)
            && (self.module.is_empty() || name.starts_with(&format!("{}::", self.module)))
    }

    fn passed(&self, outcomes: &Outcomes) -> bool {
        let Some(tests) = outcomes.by_target().get(&self.target) else { return false };
        tests.iter().any(|(name, outcome)| outcome == "ok" && self.is_named(name))
    }
}

fn claims_of(source: &Source) -> Outcome<Vec<Claim>> {
    let mut claims = Vec::new();
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    for (number, line) in lines.iter().enumerate() {
        let Some(list) = line.strip_prefix("// proves: ") else { continue };
        let ids: Vec<String> = list.split(',').map(|id| id.trim().to_owned()).collect();
        // attributes and comments may stand between; anything else means the line is lost
        let test = lines
            .iter()
            .skip(number + 1)
            .find(|l| !l.starts_with("#[") && !l.starts_with("//"))
            .and_then(|l| l.trim_start_matches("pub ").trim_start_matches("async ").strip_prefix("fn "))
            .and_then(|l| l.split(['(', '<']).next())
            .ok_or_else(|| format!("{}:{}: no test follows", source.path, number + 1))?;
        let (target, module) = binary(&source.path);
        claims.push(Claim { ids, target, module, test: test.trim().to_owned(), path: source.path.clone() });
    }
    Ok(claims)
}

/// The test binary that holds a file's tests, and the file's module in it.
fn binary(path: &str) -> (String, String) {
    let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    let (name, inside) = match parts[..] {
        ["crates", name, ref rest @ ..] => (name, rest),
        [name, ref rest @ ..] => (name, rest),
        [] => ("", &[][..]),
    };
    match inside {
        // `tests/it` bears its crate's name in the manifest, but for the program's
        ["tests", "it", ..] if name != "ecluse" => (name.to_owned(), String::new()),
        ["tests", file, ..] => ((*file).to_owned(), String::new()),
        ["src", rest @ ..] => {
            let crate_name =
                if name == "ecluse" || name == "xtask" { name.to_owned() } else { format!("ecluse_{name}") };
            let module: Vec<&str> =
                rest.iter().copied().filter(|p| !matches!(*p, "mod" | "lib" | "main")).collect();
            (crate_name, module.join("::"))
        }
        _ => (name.to_owned(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_claim_is_tied_to_its_test() {
        let text = "// proves: EXT-03, INS-02\n    #[test]\n    // a note\n    fn only_planned() {\n";
        let claims = claims_of(&source("crates/core/src/plan/compile.rs", text)).unwrap();
        assert_eq!(claims[0].ids, ["EXT-03", "INS-02"]);
        assert_eq!((claims[0].target.as_str(), claims[0].module.as_str()), ("ecluse_core", "plan::compile"));
        let mut outcomes = Outcomes::default();
        assert!(!claims[0].passed(&outcomes), "a test that did not run proves nothing");
        outcomes.read("  Running unittests src/lib.rs (target/debug/deps/ecluse_core-0a)");
        outcomes.read("test filter::only_planned ... ok");
        assert!(!claims[0].passed(&outcomes), "a namesake in another module proves nothing");
        outcomes.read("test plan::compile::tests::only_planned ... ok");
        assert!(claims[0].passed(&outcomes));
    }

    #[test]
    fn a_failed_or_skipped_test_proves_nothing() {
        let claims =
            claims_of(&source("crates/flow/tests/path.rs", "// proves: REC-01\n#[test]\nfn whole() {"))
                .unwrap();
        for line in ["test whole ... FAILED", "SKIPPED (run cargo xtask test): whole: nothing there"] {
            let mut outcomes = Outcomes::default();
            outcomes.read("  Running tests/path.rs (target/debug/deps/path-0a)");
            outcomes.read(line);
            outcomes.read("test whole ... ok");
            assert!(!claims[0].passed(&outcomes), "{line}");
        }
    }

    #[test]
    fn a_guard_claims_what_its_test_claims() {
        let guards: Vec<Guard> = guards::all().unwrap();
        let guard = guards.iter().find(|g| !g.proves.is_empty()).unwrap();
        assert_eq!(strays(std::slice::from_ref(guard), &[]).len(), guard.proves.len());
        let claim = Claim {
            ids: guard.proves.clone(),
            target: guard.binary(),
            module: String::new(),
            test: guard.test.rsplit("::").next().unwrap().to_owned(),
            path: String::new(),
        };
        assert!(strays(std::slice::from_ref(guard), &[claim]).is_empty());
    }

    /// What the list of guards says, the tests say too.
    #[test]
    fn no_guard_claims_more_than_its_test() {
        let claims: Vec<Claim> =
            sources::all().unwrap().iter().flat_map(|source| claims_of(source).unwrap()).collect();
        assert_eq!(strays(&guards::all().unwrap(), &claims), Vec::<String>::new());
    }

    #[test]
    fn a_claim_above_no_test_is_refused() {
        assert!(claims_of(&source("crates/core/src/lib.rs", "// proves: INS-01\nstruct X;\n")).is_err());
    }

    #[test]
    fn the_requirements_are_136() {
        assert_eq!(requirements().unwrap().len(), 136);
    }
}
