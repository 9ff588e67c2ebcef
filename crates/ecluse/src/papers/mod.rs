//! Papers as files: a document, its signatures beside it, and what is wrong with it shown
//! as a compiler shows it. What a paper *says* is `core`'s to read and to check.

pub(crate) mod chain;
pub(crate) mod draft;
pub(crate) mod hand;
pub(crate) mod standing;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use ecluse_core::digest;
use ecluse_core::fault::Result;
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
        let mut signatures = Vec::new();
        for file in folder::list(&signatures_of(path))? {
            if file.extension().is_some_and(|e| e == "sig") {
                let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                signatures.push(SignatureFile { name, armoured: folder::read(&file, "")? });
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

/// Where a document's signatures lie.
pub(crate) fn signatures_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".sigs");
    path.with_file_name(name)
}

/// Shows findings, and gives the fault that ends the command.
pub(crate) fn refusal(path: &Path, text: &str, findings: &[Finding]) -> ecluse_core::fault::Fault {
    show(path, text, findings);
    match finding::refuse(findings) {
        Err(fault) => fault,
        Ok(()) => finding::refuse(&[Finding::new(&UNSAID, path.display().to_string())]).err().unwrap_or_else(|| UNSAID.fault("")),
    }
}

static UNSAID: ecluse_core::fault::Code =
    ecluse_core::fault::Code::refused("ECL-CLI-012", "a paper was refused without a finding");

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
    if QUIET.get() {
        return;
    }
    if output::is_json() {
        let list: Vec<_> = findings
            .iter()
            .map(|f| {
                serde_json::json!({
                    "code": f.code.id, "title": f.code.title, "message": f.message,
                    "file": f.file.clone().unwrap_or_else(|| path.display().to_string()),
                    "line": f.span.as_ref().map(|s| line_of(text, s.start)),
                    "law": f.law, "help": f.help,
                })
            })
            .collect();
        output::document(&serde_json::json!({ "findings": list }));
        return;
    }
    for f in findings {
        let place = f.span.as_ref().map_or(String::new(), |s| format!(":{}", line_of(text, s.start)));
        output::remark(format!("error[{}]: {}", f.code.id, f.code.title));
        output::remark(format!("  --> {}{place}", path.display()));
        output::remark(format!("   = {}", f.message));
        if let Some(law) = f.law {
            output::remark(format!("   = law:  {law}"));
        }
        if let Some(help) = &f.help {
            output::remark(format!("   = help: {help}"));
        }
        output::remark("");
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|b| *b == b'\n').count()
}
