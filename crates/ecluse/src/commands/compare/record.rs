//! The record while a person answers: written after every answer, so that nothing is asked twice.

use std::fs;
use std::path::{Path, PathBuf};

use ecluse_core::comparison::{Comparison, Dossier, FILE, Verdict, draft as written, parse};
use ecluse_core::contract::Contract;
use ecluse_core::count::number;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Code, Result};
use ecluse_core::keys::Key;
use ecluse_core::template::Head;
use ecluse_flow::compare::{self, Drawn};
use ecluse_flow::failpoint;
use ecluse_flow::figures::Figures;

use crate::clock;
use crate::commands::Here;
use crate::folder::{self, Folder};
use crate::papers::{Paper, draft, signatures_of};

static SOMEBODY_ELSE: Code = Code::refused("ECL-CMP-028", "somebody else began to compare");

/// The record, and how it would be signed.
pub(super) struct Record {
    folder: Folder,
    head: Head,
    comparison: Comparison,
    /// The record as it lies in the folder, where one does.
    kept: Option<Comparison>,
    /// The version that was signed, which is set aside before it is changed.
    signed: Option<u64>,
}

impl Record {
    /// What this person answered of this run so far; nothing where there is no record.
    ///
    /// # Errors
    ///
    /// A record that is none, another run's, or somebody else's.
    pub(super) fn open(
        here: &Here,
        contract: &Contract,
        known: &Figures,
        figures: &str,
        person: &Key,
    ) -> Result<Self> {
        let folder = here.folder.clone();
        let mut head = draft::witnessing(here, contract, draft::YEAR)?;
        let mut comparison = Comparison {
            run: known.run.clone(),
            instruction: known.instruction.clone(),
            figures: figures.to_owned(),
            table: String::new(),
            by: person.person.clone(),
            email: person.email.clone(),
            sample: known.sample.is_some(),
            drawn: 0,
            dossiers: Vec::new(),
        };
        let (mut kept, mut signed) = (None, None);
        if folder.has(FILE) {
            let paper = Paper::read(&folder.path(None, FILE), "ecluse compare")?;
            let header = paper.judge(document::header(paper.text(), Kind::Comparison))?;
            let known = paper.judge(parse(paper.text()))?;
            known.is_of(&comparison.run, &comparison.instruction)?;
            if known.email != comparison.email {
                return Err(SOMEBODY_ELSE.fault(known.by).help(
                    "who began goes on; or begin anew: mv comparison.toml comparison.old.toml && ecluse compare",
                ));
            }
            (head.version, head.supersedes) = (header.version, header.supersedes);
            if !paper.signatures.is_empty() {
                signed = Some(header.version);
            }
            // whoever died between setting it aside and writing the next has signed this version already
            if signed.is_some() || is_aside(&paper, header.version)? {
                (head.version, head.supersedes) = (header.version + 1, Some(paper.digest()));
            }
            if known.sample == comparison.sample {
                comparison.dossiers.clone_from(&known.dossiers);
            }
            kept = Some(known);
        }
        Ok(Self { folder, head, comparison, kept, signed })
    }

    /// How many were drawn when somebody looked before; of a sample they say nothing about the whole.
    pub(super) fn drawn(&self) -> Option<u64> {
        self.kept.as_ref().filter(|kept| kept.sample == self.comparison.sample).map(|kept| kept.drawn)
    }

    /// Keeps the answers to what was drawn and stands as it stood; the rest is asked again.
    ///
    /// # Errors
    ///
    /// The folder's.
    pub(super) fn takes(&mut self, drawn: &Drawn, table: &str) -> Result<()> {
        table.clone_into(&mut self.comparison.table);
        self.comparison.drawn = number(drawn.dossiers.len());
        let before = std::mem::take(&mut self.comparison.dossiers);
        let as_it_was = |one: &compare::Dossier| {
            before.iter().find(|said| said.token == one.token && said.shown == one.shown).cloned()
        };
        self.comparison.dossiers = drawn.dossiers.iter().filter_map(as_it_was).collect();
        let changed = self.kept.as_ref().is_some_and(|kept| *kept != self.comparison);
        if changed { self.save() } else { Ok(()) }
    }

    /// What was said of a dossier.
    pub(super) fn said(&self, token: &str) -> Option<Verdict> {
        self.comparison.dossiers.iter().find(|one| one.token == token).map(|one| one.verdict)
    }

    /// Keeps an answer; durable when it returns. `drawn` gives the order.
    ///
    /// # Errors
    ///
    /// The folder's.
    pub(super) fn says(&mut self, drawn: &Drawn, of: &compare::Dossier, verdict: Verdict) -> Result<()> {
        let one = Dossier {
            token: of.token.clone(),
            kinds: of.kinds.clone(),
            verdict,
            shown: of.shown.clone(),
            at: clock::now(),
        };
        self.comparison.dossiers.retain(|said| said.token != one.token);
        self.comparison.dossiers.push(one);
        let place = |said: &Dossier| drawn.dossiers.iter().position(|one| one.token == said.token);
        self.comparison.dossiers.sort_by_key(place);
        self.save()
    }

    fn save(&mut self) -> Result<()> {
        let path = self.folder.path(None, FILE);
        if let Some(version) = self.signed {
            self.set_aside(version)?;
            self.signed = None;
        }
        self.head.issued = clock::now();
        folder::replace(&path, written(&self.head, &self.comparison).as_bytes())?;
        self.kept = Some(self.comparison.clone());
        Ok(())
    }

    /// A signed record stays, with its signature, under its version: first the text, then the signatures,
    /// and only then is the text in its place another one.
    fn set_aside(&self, version: u64) -> Result<()> {
        let path = self.folder.path(None, FILE);
        let text = folder::read(&path, "ecluse compare")?;
        let aside = aside(&path, version, &text)?;
        folder::replace(&aside, &text)?;
        let (from, to) = (signatures_of(&path), signatures_of(&aside));
        failpoint::hit("compare.aside.rename.before");
        let moved =
            |from: &Path, to: &Path| fs::rename(from, to).map_err(|error| folder::unwritable(to, &error));
        // the same text, signed once more after it was set aside: its signatures join the earlier ones
        for file in if to.is_dir() { folder::list(&from)? } else { Vec::new() } {
            moved(&file, &to.join(file.file_name().unwrap_or_default()))?;
        }
        if to.is_dir() {
            fs::remove_dir(&from).map_err(|error| folder::unwritable(&from, &error))?;
        } else {
            moved(&from, &to)?;
        }
        failpoint::hit("compare.aside.rename.after");
        Ok(())
    }
}

/// Where a version's text lies, or is to lie: under its version, and with a number more where another text of
/// that version lies there, for instance of a record that was begun anew. What was signed is never replaced.
fn aside(path: &Path, version: u64, text: &[u8]) -> Result<PathBuf> {
    let mut found = path.with_file_name(format!("comparison.v{version}.toml"));
    let mut further = 1_u64;
    while found.exists() && folder::read(&found, "")? != text {
        further += 1;
        found = path.with_file_name(format!("comparison.v{version}-{further}.toml"));
    }
    Ok(found)
}

/// Whether this very text was set aside with a signature.
fn is_aside(paper: &Paper, version: u64) -> Result<bool> {
    let aside = aside(&paper.path, version, &paper.bytes)?;
    Ok(aside.exists() && !Paper::read(&aside, "")?.signatures.is_empty())
}
