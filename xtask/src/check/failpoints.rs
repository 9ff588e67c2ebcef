//! A failpoint on both sides of every commit, fsync, rename and event.
//!
//! What is none of these although it looks like one (the end of a read-only snapshot, the
//! name of a command) says so in a comment on the line above: `// no failpoint: reason`.

use std::collections::BTreeMap;

use crate::sources::{Source, strings};

/// How many lines of code away the failpoints may stand.
const NEAR: usize = 12;

pub(super) fn findings(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources.iter().filter(|s| s.is_production() && !s.path.ends_with("/failpoint.rs")) {
        findings.extend(bare(source));
        for (number, line) in source.code() {
            if let Some(name) = hit(line) {
                names.entry(name.to_owned()).or_default().push(format!("{}:{number}", source.path));
            }
        }
    }
    for (name, places) in &names {
        if places.len() > 1 {
            findings.push(format!("the failpoint {name} is not one place: {}", places.join(", ")));
        }
        let other = match (name.strip_suffix(".before"), name.strip_suffix(".after")) {
            (Some(stem), _) => format!("{stem}.after"),
            (_, Some(stem)) => format!("{stem}.before"),
            _ => {
                findings.push(format!("the failpoint {name} ends neither in .before nor in .after"));
                continue;
            }
        };
        if !names.contains_key(&other) {
            findings.push(format!("the failpoint {name} has no {other}"));
        }
    }
    findings
}

/// The failpoint's name, if the line passes one.
fn hit(line: &str) -> Option<&str> {
    line.contains("hit(")
        .then(|| strings(line.split("hit(").nth(1).unwrap_or_default()).first().copied())
        .flatten()
}

/// What the line does that a power cut could halve.
fn act(line: &str) -> Option<&'static str> {
    let code = line.to_ascii_lowercase();
    let calls = [
        (".commit()", "commit"),
        ("\"commit\"", "commit"),
        ("\"commit;", "commit"),
        ("\"commit prepared", "commit"),
        ("; commit\"", "commit"),
        (".sync_all()", "fsync"),
        (".sync_data()", "fsync"),
        ("fsync(", "fsync"),
        ("fs::rename(", "rename"),
        ("renameat", "rename"),
        (".persist(", "rename"),
    ];
    calls.iter().find(|(call, _)| code.contains(call)).map(|(_, act)| *act)
}

fn bare(source: &Source) -> Vec<String> {
    let lines = source.code();
    let all: Vec<&str> = source.text.lines().collect();
    let mut findings = Vec::new();
    for (at, (number, line)) in lines.iter().enumerate() {
        let Some(act) = act(line) else { continue };
        let above = number.checked_sub(2).and_then(|n| all.get(n)).copied().unwrap_or_default().trim();
        if above.starts_with("// no failpoint: ") {
            continue;
        }
        let near = |range: &[(usize, &str)], end: &str| {
            range.iter().any(|(_, l)| hit(l).is_some_and(|n| n.ends_with(end)))
        };
        let before = lines.get(at.saturating_sub(NEAR)..at).unwrap_or_default();
        let after = lines.get(at + 1..(at + 1 + NEAR).min(lines.len())).unwrap_or_default();
        for (there, side) in [(near(before, ".before"), "before"), (near(after, ".after"), "after")] {
            if !there {
                findings.push(format!("{}:{number}: a {act} without a failpoint {side} it", source.path));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { path: "crates/adapters/src/x.rs".to_owned(), text: text.to_owned() }
    }

    const WHOLE: &str = "hit(\"x.commit.before\");\ntransaction.commit()?;\nhit(\"x.commit.after\");\n";

    #[test]
    fn a_bare_act_is_found_on_either_side() {
        assert_eq!(findings(&[source(WHOLE)]), Vec::<String>::new());
        for act in [".commit()", ".sync_all()", "fs::rename(a, b)", "execute(\"COMMIT\")"] {
            let found = findings(&[source(&format!("x{act};\n"))]);
            assert_eq!(found.len(), 2, "{act}: {found:?}");
        }
        let found = findings(&[source(&WHOLE.replace("hit(\"x.commit.after\");", ""))]);
        assert_eq!(found.len(), 2, "the bare side and the single name: {found:?}");
    }

    /// Of the product's own sources: whichever failpoint is taken out, its absence is found.
    #[test]
    fn every_failpoint_of_the_product_is_missed() {
        let sources = crate::sources::all().unwrap();
        assert_eq!(findings(&sources), Vec::<String>::new());
        let mut tried = 0;
        for at in 0..sources.len() {
            if !sources[at].is_production() || sources[at].path.ends_with("/failpoint.rs") {
                continue;
            }
            for (number, line) in sources[at].code() {
                let Some(name) = hit(line) else { continue };
                let without: Vec<&str> = sources[at]
                    .text
                    .lines()
                    .enumerate()
                    .filter(|(n, _)| n + 1 != number)
                    .map(|(_, l)| l)
                    .collect();
                let mut changed = sources.clone();
                changed[at].text = without.join("\n");
                assert!(!findings(&changed).is_empty(), "{name} could be taken out of {}", sources[at].path);
                tried += 1;
            }
        }
        assert!(tried >= 20, "only {tried} failpoints");
    }

    #[test]
    fn an_excuse_needs_its_words() {
        assert_eq!(findings(&[source("// no failpoint: ends a read-only snapshot\nx.commit();\n")]).len(), 0);
        assert_eq!(findings(&[source("// no failpoint:\nx.commit();\n")]).len(), 2);
    }

    #[test]
    fn names_are_unique_and_come_in_pairs() {
        assert_eq!(findings(&[source(WHOLE), source(WHOLE)]).len(), 2);
        assert_eq!(findings(&[source("hit(\"x.event.before\");")]).len(), 1);
        assert_eq!(findings(&[source("hit(\"x.event\");")]).len(), 1);
    }
}
