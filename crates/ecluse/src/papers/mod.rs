//! Papers as files: a document, its signatures beside it, and what is wrong with it shown
//! as a compiler shows it. What a paper *says* is `core`'s to read and to check.

pub(crate) mod acceptance;
pub(crate) mod accepted;
pub(crate) mod beside;
pub(crate) mod by_hand;
pub(crate) mod certificate;
pub(crate) mod chain;
pub(crate) mod compared;
pub(crate) mod destruction;
pub(crate) mod draft;
pub(crate) mod ending;
pub(crate) mod erased;
pub(crate) mod examined;
pub(crate) mod excluded;
pub(crate) mod hand;
pub(crate) mod handed;
pub(crate) mod lasting;
pub(crate) mod objections;
pub(crate) mod receipt;
pub(crate) mod recipient;
pub(crate) mod reference;
pub(crate) mod returned;
pub(crate) mod sealed;
pub(crate) mod standing;
pub(crate) mod stopped;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use ecluse_core::diagnostics::{self, Source};
use ecluse_core::digest;
use ecluse_core::fault::{Code, Result};
use ecluse_core::finding::{self, Finding};
use ecluse_core::signatures::SignatureFile;

use crate::folder;
use crate::output;

/// A document and the signatures in `FILE.sigs/`, as bytes; nothing is checked yet.
#[derive(Clone, Debug)]
pub(crate) struct Paper {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) signatures: Vec<SignatureFile>,
}

impl Paper {
    /// Reads a document once, and its signatures; `help` is the command that makes it.
    ///
    /// # Errors
    ///
    /// Absent or unreadable files.
    pub(crate) fn read(path: &Path, help: &str) -> Result<Self> {
        let bytes = folder::read(path, help)?;
        // findings draw the line they are about
        if is_secret(&bytes) {
            return Err(SECRET.fault(path.display().to_string()).help("name the paper, not a key's file"));
        }
        let mut signatures = Vec::new();
        for file in folder::list(&signatures_of(path))? {
            let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            if name.ends_with(".sig") {
                signatures.push(SignatureFile { name, armoured: folder::read(&file, "")?, paper: None });
            } else if name.ends_with(by_hand::RECORD) {
                signatures.push(by_hand::found(&file, name)?);
            }
        }
        Ok(Self { path: path.to_owned(), bytes, signatures })
    }

    /// The digest other papers cite.
    pub(crate) fn digest(&self) -> String {
        digest::of_bytes(&self.bytes)
    }

    /// The document's text; empty where it is not UTF-8 (its reader says so).
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    /// Passes what was read, or shows every finding and stops with the first one's code.
    ///
    /// # Errors
    ///
    /// The first finding.
    pub(crate) fn judge<T>(&self, read: std::result::Result<T, Vec<Finding>>) -> Result<T> {
        read.map_err(|findings| refusal(&self.path, self.text(), &findings))
    }
}

/// A key's file under a paper's name.
static SECRET: Code = Code::usage("ECL-CLI-045", "this is a private key, and no paper");

/// Whether these are a private key's bytes: age's, or OpenSSH's and its like.
fn is_secret(bytes: &[u8]) -> bool {
    let holds = |mark: &[u8]| bytes.windows(mark.len()).any(|part| part.eq_ignore_ascii_case(mark));
    // a key's file is small, and a dictionary may be large
    bytes.len() <= 1 << 16 && (holds(b"AGE-SECRET-KEY-") || holds(b"PRIVATE KEY-----"))
}

/// Where a document's signatures lie.
pub(crate) fn signatures_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".sigs");
    path.with_file_name(name)
}

/// Shows findings, and gives the fault that ends the command.
pub(crate) fn refusal(path: &Path, text: &str, findings: &[Finding]) -> ecluse_core::fault::Fault {
    match findings {
        // the last line says what to do: a drawing that ended with the same words would say it twice
        [one] if one.span.is_none() && !output::is_json() => {
            show(path, text, &[Finding { help: None, ..one.clone() }]);
        }
        _ => show(path, text, findings),
    }
    if let Some(first) = findings.first().filter(|_| !QUIET.get()) {
        output::drawn(first.code.id);
    }
    match finding::refuse(findings) {
        Err(fault) => fault,
        Ok(()) => finding::refuse(&[Finding::new(&UNSAID, path.display().to_string())])
            .err()
            .unwrap_or_else(|| UNSAID.fault("")),
    }
}

static UNSAID: Code = Code::refused("ECL-CLI-012", "a paper was refused without a finding");

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Looks at papers without showing findings: for whoever only wants to know where things stand.
pub(crate) fn quietly<T>(look: impl FnOnce() -> T) -> T {
    QUIET.set(true);
    let found = look();
    QUIET.set(false);
    found
}

/// Shows findings on standard error, each with its place.
pub(crate) fn show(path: &Path, text: &str, findings: &[Finding]) {
    if QUIET.get() || findings.is_empty() {
        return;
    }
    if output::is_json() {
        let list: Vec<_> = findings
            .iter()
            .map(|f| {
                serde_json::json!({
                    "code": f.code.id, "title": f.code.title, "message": f.message,
                    "file": f.file.clone().unwrap_or_else(|| path.display().to_string()),
                    "line": f.span.as_ref().and_then(|s| line_in(path, text, f.file.as_deref(), s.start)),
                    "law": f.law, "help": f.help,
                })
            })
            .collect();
        output::document(&serde_json::json!({ "findings": list }));
        return;
    }
    let beside: Vec<(&str, PathBuf, String)> = ["instruction.toml", "mapping.toml", "dictionary.toml"]
        .into_iter()
        .filter_map(|name| {
            let other = path.with_file_name(name);
            text_of(&other).map(|text| (name, other, text))
        })
        .collect();
    let shown = path.display().to_string();
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let mut sources = vec![Source { name, path: &shown, text }];
    let others: Vec<_> =
        beside.iter().map(|(name, path, text)| (*name, path.display().to_string(), text)).collect();
    sources.extend(others.iter().filter(|(other, ..)| *other != name).map(|(name, path, text)| Source {
        name,
        path,
        text,
    }));
    output::remark(diagnostics::render(findings, &sources, output::is_watched()).trim_end());
    output::remark("");
}

fn text_of(path: &Path) -> Option<String> {
    String::from_utf8(folder::read(path, "").ok()?).ok()
}

/// The line of a finding: in the file it names, which need not be the paper being looked at.
fn line_in(path: &Path, text: &str, file: Option<&str>, at: usize) -> Option<usize> {
    match file.filter(|name| path.file_name().and_then(|n| n.to_str()) != Some(*name)) {
        None => Some(line_of(text, at)),
        Some(name) => text_of(&path.with_file_name(name)).map(|other| line_of(&other, at)),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|b| *b == b'\n').count()
}
