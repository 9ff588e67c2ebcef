//! `ecluse contract new|check|sign|verify`.

use std::path::Path;

use ecluse_core::contract::{self, Terms};
use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_core::template;
use serde_json::json;

use super::{Here, sign};
use crate::cli::{Contract, FileArg};
use crate::folder::{self, Folder};
use crate::output;
use crate::papers::{Paper, draft, refusal, show, standing};

/// The file's name in the migration folder.
const FILE: &str = "contract.toml";
const MADE_BY: &str = "ecluse contract new";

pub(super) fn run(here: &Here, command: &Contract) -> Result<()> {
    match command {
        Contract::New(args) => new(here, args),
        Contract::Check(args) => check(here, args),
        Contract::Sign(args) => sign::run(here, Kind::Contract, FILE, args),
        Contract::Verify(args) => verify(here, args),
    }
}

fn new(here: &Here, args: &FileArg) -> Result<()> {
    if args.file.is_none() {
        // a contract makes a folder of whatever it lies in, and of everything below
        Folder::find(Some(here.folder.root()).filter(|root| *root != Path::new(".")))?;
    }
    let path = here.folder.path(args.file.as_deref(), FILE);
    let head = draft::head(None, here.now, draft::YEAR, false)?;
    folder::create(&path, template::contract(&head).as_bytes())?;
    output::line(format!("{}: fill in every …, then: ecluse contract check", path.display()));
    output::document(&json!({ "made": path }));
    Ok(())
}

fn check(here: &Here, args: &FileArg) -> Result<()> {
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let findings = contract::check(paper.text(), here.now);
    if !findings.is_empty() {
        return Err(refusal(&paper.path, paper.text(), &findings));
    }
    let (_, terms) = paper.judge(contract::open(&paper.bytes))?;
    compared(&paper, &terms)?;
    output::line(format!("{} is complete. Sign it: ecluse contract sign --key FILE", paper.path.display()));
    output::document(&json!({ "complete": true, "digest": paper.digest() }));
    Ok(())
}

fn verify(here: &Here, args: &FileArg) -> Result<()> {
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let contract = standing::read(&paper, here.now)?;
    compared(&paper, contract.terms())?;
    show(&paper.path, paper.text(), &contract.warnings(here.now));
    sign::told(&paper.path, contract.signers(), contract.header(), contract.digest());
    let fingerprints = standing::FINGERPRINTS;
    match standing::contract(&here.folder, args.file.as_deref(), here.now) {
        Ok(_) => output::line(format!("  {fingerprints} confirms the laboratory's keys")),
        Err(fault) => output::line(format!(
            "  nothing from outside confirms the laboratory's keys yet ({}): {fingerprints}",
            fault.code().id
        )),
    }
    Ok(())
}

/// Says where the contract's text is not there to be compared with its digest.
fn compared(paper: &Paper, terms: &Terms) -> Result<()> {
    if !standing::text(&paper.path, terms)? {
        output::remark(format!(
            "not compared: the contract's text, {}, does not lie beside {}",
            terms.text,
            paper.path.display()
        ));
    }
    Ok(())
}
