//! Values that only a check makes, and values that no text takes: each has an example beside it that
//! does not compile, with the compiler's own code, and that `cargo test` tries.

use std::path::Path;

use crate::Outcome;

/// The file, the type's declaration, and the compiler's refusal.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("crates/sign/src/verify.rs", "pub struct Verified<", PRIVATE),
    ("crates/core/src/signatures.rs", "pub struct Signed ", PRIVATE),
    ("crates/core/src/contract/mod.rs", "pub struct Contract ", PRIVATE),
    ("crates/core/src/paper.rs", "pub struct Paper<", PRIVATE),
    ("crates/core/src/mandate.rs", "pub type Mandate ", PRIVATE),
    ("crates/core/src/recipient.rs", "pub type Recipient ", PRIVATE),
    ("crates/core/src/manifest.rs", "pub type Manifest ", PRIVATE),
    ("crates/core/src/receipt.rs", "pub type Receipt ", PRIVATE),
    ("crates/core/src/reference.rs", "pub type Accepted ", PRIVATE),
    ("crates/core/src/differences.rs", "pub type Accepted ", PRIVATE),
    ("crates/core/src/comparison/mod.rs", "pub type Compared ", PRIVATE),
    ("crates/core/src/acceptance/mod.rs", "pub type Accepted ", PRIVATE),
    ("crates/core/src/certificate/mod.rs", "pub type Certified ", PRIVATE),
    ("crates/core/src/destruction.rs", "pub type Destroyed ", PRIVATE),
    ("crates/core/src/objection.rs", "pub type Answer ", PRIVATE),
    ("crates/core/src/judged.rs", "pub struct Judged<", PRIVATE),
    ("crates/core/src/closing.rs", "pub struct Closable ", PRIVATE),
    ("crates/core/src/plan/consigned.rs", "pub struct Consigned ", PRIVATE),
    ("crates/core/src/instruction/mod.rs", "pub struct Instruction ", PRIVATE),
    ("crates/core/src/status.rs", "pub struct Standing ", PRIVATE),
    ("crates/core/src/session.rs", "pub struct Session ", PRIVATE),
    ("crates/core/src/plan/mod.rs", "pub struct Plan ", PRIVATE),
    ("crates/core/src/plan/mod.rs", "pub struct TablePlan ", PRIVATE),
    ("crates/core/src/plan/compile.rs", "pub fn compile(", "```compile_fail,E0308"),
    ("crates/core/src/personal.rs", "pub struct Personal<", NO_DISPLAY),
    ("crates/core/src/personal.rs", "pub struct Secret<", NO_DISPLAY),
    ("crates/core/src/value.rs", "pub enum Value ", NO_DISPLAY),
    ("crates/core/src/value.rs", "pub struct Key(", NO_DISPLAY),
];

/// A private field cannot be named: no other code makes the value.
const PRIVATE: &str = "```compile_fail,E0451";
/// There is no `Display`.
const NO_DISPLAY: &str = "```compile_fail,E0277";

/// Looks for each example in the words above its declaration.
pub(super) fn hold(tree: &Path) -> Outcome<(Vec<String>, Vec<String>)> {
    let (mut standing, mut fallen) = (0, Vec::new());
    for (path, declaration, refusal) in EXAMPLES {
        let text = std::fs::read_to_string(tree.join(path)).map_err(|e| format!("{path}: {e}"))?;
        let words = above(&text, declaration);
        // a checked type that could be read from a file would be a second way to one
        let read_from_file =
            words.iter().any(|line| line.starts_with("#[derive") && line.contains("Deserialize"));
        if words.iter().any(|line| line.contains(refusal)) && !read_from_file {
            standing += 1;
        } else {
            fallen.push(format!("{path}: {declaration}… has no example with {refusal}"));
        }
    }
    Ok((vec![format!("{standing} examples that do not compile (cargo test tries them)")], fallen))
}

/// The comments and attributes directly above a declaration.
fn above<'a>(text: &'a str, declaration: &str) -> Vec<&'a str> {
    let lines: Vec<&str> = text.lines().collect();
    let Some(at) = lines.iter().position(|line| line.starts_with(declaration)) else { return Vec::new() };
    let before = lines.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|l| l.starts_with("///") || l.starts_with("#[")).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_directly_above_counts() {
        let text = "/// ```compile_fail,E0451\n\nstruct A;\n/// words\n#[derive(Clone)]\npub struct B {\n";
        assert_eq!(above(text, "pub struct B "), ["#[derive(Clone)]", "/// words"]);
        assert!(above(text, "pub struct C ").is_empty());
    }
}
