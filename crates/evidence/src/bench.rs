//! Where a file's content is looked at: what is in it, what somebody vouched for, what was found.

use std::collections::BTreeSet;

use ecluse_core::digest;
use ecluse_core::document::{self, Kind, Seen};
use ecluse_core::finding::Finding;
use ecluse_core::on_paper::{self, Found};
use ecluse_core::signatures::SignatureFile;
use jiff::Timestamp;

use crate::Files;
use crate::file::is_last;
use crate::verdict::{Line, Settled, State, Verdict, Words};

/// How a record of a page signed by hand is named.
const RECORD: &str = ".paper.toml";

/// A paper and the signatures beside it, as bytes; nothing is checked yet.
pub(crate) struct Paper<'f> {
    name: String,
    pub(crate) bytes: &'f [u8],
    pub(crate) signatures: Vec<SignatureFile>,
    /// Every path that belongs to it, its own first.
    pub(crate) paths: Vec<String>,
}

/// What the signatories of a paper had seen of the log.
#[derive(Clone, Debug)]
pub(crate) struct SeenBy {
    /// The paper's path.
    pub(crate) name: String,
    pub(crate) seen: Seen,
    /// Whether somebody of the controller's signed it: the processor keeps the log, and witnesses nothing.
    pub(crate) is_foreign: bool,
    /// When the paper says that it was issued.
    pub(crate) issued: Timestamp,
}

/// The work on one file.
pub(crate) struct Bench<'f> {
    files: &'f Files,
    vouched: BTreeSet<String>,
    lines: Vec<Line>,
    /// What signatories had seen of the log.
    seen: Vec<SeenBy>,
    /// Whether the files are about to be closed: asked before anybody signs.
    pub(crate) closing: bool,
    /// When the file was closed: the last moment at which anything in it can have been signed.
    pub(crate) closed: Timestamp,
}

impl<'f> Bench<'f> {
    pub(crate) fn new(files: &'f Files) -> Self {
        Self {
            files,
            vouched: BTreeSet::new(),
            lines: Vec::new(),
            seen: Vec::new(),
            closing: false,
            closed: closed(files),
        }
    }

    /// Everything in it.
    pub(crate) const fn files(&self) -> &'f Files {
        self.files
    }

    /// Whether a certificate is there, which says that this is all; whether it holds is another question.
    pub(crate) fn is_closed(&self) -> bool {
        self.closing || self.files.contains_key(ecluse_core::certificate::FILE)
    }

    /// Notes the checkpoint that a paper's signatories had seen.
    pub(crate) fn note_seen(&mut self, seen: Option<SeenBy>) {
        self.seen.extend(seen);
    }

    /// The checkpoints that were seen, in the chain's order.
    pub(crate) fn seen(&self) -> Vec<SeenBy> {
        self.seen.clone()
    }

    /// The bytes under a path.
    pub(crate) fn bytes(&self, path: &str) -> Option<&'f [u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// The digest of what stands under a path.
    pub(crate) fn digest(&self, path: &str) -> Option<String> {
        self.bytes(path).map(digest::of_bytes)
    }

    /// Paths that begin so, in their order.
    pub(crate) fn below(&self, prefix: &str) -> impl Iterator<Item = &'f String> + use<'f> {
        let prefix = prefix.to_owned();
        self.files.keys().filter(move |path| path.starts_with(&prefix))
    }

    /// A paper with what lies in its `.sigs` folder.
    pub(crate) fn paper(&self, name: &str) -> Option<Paper<'f>> {
        let bytes = self.bytes(name)?;
        let folder = format!("{name}.sigs/");
        let mut paper =
            Paper { name: name.to_owned(), bytes, signatures: Vec::new(), paths: vec![name.to_owned()] };
        for path in self.below(&folder) {
            let Some(file) = path.strip_prefix(&folder).filter(|rest| !rest.contains('/')) else { continue };
            let Some(content) = self.bytes(path) else { continue };
            if file.ends_with(RECORD) {
                self.by_hand(&mut paper, path, file, content);
            } else if file.ends_with(".sig") {
                let armoured = content.to_vec();
                paper.signatures.push(SignatureFile { name: file.to_owned(), armoured, paper: None });
                paper.paths.push(path.clone());
            }
        }
        Some(paper)
    }

    /// The record of a page signed by hand, its checker's signature, and the scan.
    fn by_hand(&self, paper: &mut Paper<'f>, path: &str, file: &str, record: &[u8]) {
        let checker = format!("{path}.sigs/checker.sig");
        let read = document::text(record).and_then(on_paper::parse).ok();
        let scan = read.map(|read| format!("{}.sigs/{}", paper.name, read.scan));
        let found = Found { record: record.to_vec(), scan: scan.as_ref().and_then(|scan| self.digest(scan)) };
        let armoured = self.bytes(&checker).unwrap_or_default().to_vec();
        paper.signatures.push(SignatureFile { name: file.to_owned(), armoured, paper: Some(found) });
        paper.paths.extend([Some(path.to_owned()), Some(checker), scan].into_iter().flatten());
    }

    /// Somebody whose word holds has vouched for these bytes.
    pub(crate) fn vouch(&mut self, path: &str) {
        self.vouched.insert(path.to_owned());
    }

    /// Every path for which nobody has.
    pub(crate) fn unvouched(&self) -> Vec<String> {
        self.files.keys().filter(|path| !self.vouched.contains(*path)).cloned().collect()
    }

    pub(crate) fn holds(&mut self, of: &str, words: Words) {
        self.say(of, State::Holds, words, None);
    }

    pub(crate) fn lost(&mut self, of: &str, words: Words) {
        self.say(of, State::Lost, words, None);
    }

    pub(crate) fn absent(&mut self, of: &str, words: Words) {
        self.say(of, State::Absent, words, None);
    }

    /// It is there, and no signature covers it: where a certificate claims to close the file, it fails.
    pub(crate) fn uncovered(&mut self, of: &str, words: Words) {
        let state = if self.is_closed() { State::Fails } else { State::Uncovered };
        self.say(of, state, words, None);
    }

    pub(crate) fn fails(&mut self, of: &str, words: Words, finding: impl Into<Option<String>>) {
        self.say(of, State::Fails, words, finding.into());
    }

    /// A check that holds or does not; the finding is the second's.
    pub(crate) fn check(&mut self, of: &str, holds: bool, words: Words, finding: impl FnOnce() -> String) {
        if holds { self.holds(of, words) } else { self.fails(of, words, finding()) }
    }

    fn say(&mut self, of: &str, state: State, words: Words, finding: Option<String>) {
        self.lines.push(Line { of: of.to_owned(), state, words, finding });
    }

    pub(crate) fn verdict(self, settled: Settled) -> Verdict {
        Verdict::new(self.lines, settled)
    }
}

/// The first of several findings, in a line.
pub(crate) fn told(findings: &[Finding]) -> Option<String> {
    let first = findings.first()?;
    let more = match findings.len() {
        1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    Some(format!("{}: {}: {}{more}", first.code.id, first.code.title, first.message))
}

/// When the file was closed: the moment of its certificate; of a file that has none, the last of which any paper
/// in it says that it was issued, or that a page signed by hand was checked.
fn closed(files: &Files) -> Timestamp {
    let last = |chosen: &dyn Fn(&str) -> bool| {
        let texts = files.iter().filter(|(path, _)| path.ends_with(".toml") && chosen(path));
        texts.filter_map(|(_, bytes)| document::text(bytes).ok()).flat_map(moments).max()
    };
    last(&is_last).or_else(|| last(&|_| true)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The moments at which a paper says that it was issued, or a record that its page was checked.
fn moments(text: &str) -> Vec<Timestamp> {
    let issued = Kind::ALL.into_iter().filter_map(|kind| document::header(text, kind).ok());
    let checked = on_paper::parse(text).ok().map(|record| record.checked);
    issued.map(|header| header.issued).chain(checked).collect()
}
