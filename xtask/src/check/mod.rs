//! `cargo xtask check`: what the compiler cannot hold, held.

mod codes;
mod failpoints;
mod pages;
mod persons;
pub(crate) mod walls;

use crate::sources::{self, Source};
use crate::{Outcome, args, say};

/// Lines past which a file is two things.
const LONGEST: usize = 600;

/// Runs every check, prints every finding, fails if there is one.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    args::finished(arguments)?;
    let sources = sources::all()?;
    let mut findings = walls::findings()?;
    findings.extend(codes::findings(&sources)?);
    findings.extend(failpoints::findings(&sources));
    findings.extend(pages::findings()?);
    findings.extend(too_long(&sources));
    for finding in &findings {
        say(finding);
    }
    if findings.is_empty() { Ok(()) } else { Err(format!("{} findings", findings.len())) }
}

fn too_long(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|s| s.path.contains("/src/") && s.text.lines().count() > LONGEST)
        .map(|s| format!("{}: {} lines; past {LONGEST} a file is two things", s.path, s.text.lines().count()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let of = |lines: usize| Source { path: "crates/core/src/x.rs".to_owned(), text: "\n".repeat(lines) };
        assert_eq!(too_long(&[of(600)]).len(), 0);
        assert_eq!(too_long(&[of(601)]).len(), 1);
    }
}
