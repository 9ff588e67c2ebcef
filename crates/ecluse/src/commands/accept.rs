//! `ecluse accept propose|sign|verify|show`: the migration, accepted by the laboratory as it stands.

use askama::Template as _;
use ecluse_adapters::folder::RunFolder;
use ecluse_core::acceptance::{FILE, draft as written, parse};
use ecluse_core::contract;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use serde_json::json;

use super::{Here, sign};
use crate::cli::{Accept, AcceptArgs, RunArgs, ShowArgs, SignArgs};
use crate::pages::acceptance::page;
use crate::pages::reference::grouped;
use crate::pages::words::spaced;
use crate::papers::acceptance::{MADE_BY, found, verified};
use crate::papers::{Paper, draft, standing};
use crate::{folder, output};

static PAGE: Code = Code::refused("ECL-ACC-012", "the page of the acceptance could not be made");

pub(super) fn run(here: &Here, command: &Accept) -> Result<()> {
    match command {
        Accept::Propose(args) => propose(here, args),
        Accept::Sign(args) => accept(here, args),
        Accept::Verify(args) => verify(here, args),
        Accept::Show(args) => show(here, args),
    }
}

/// Writes what there is to accept, to be signed.
fn propose(here: &Here, args: &AcceptArgs) -> Result<()> {
    let run = here.folder.path(args.run.dir.as_deref(), "run");
    let stated = found(&here.folder, &run, args.lang.into(), here.now)?;
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let head = draft::witnessing(here, &contract, draft::YEAR)?;
    let path = here.folder.path(None, FILE);
    folder::create_durably(&path, written(&head, &stated).as_bytes(), 0o666)?;
    output::line(path.display().to_string());
    stated.words().iter().for_each(|sentence| output::line(format!("  {sentence}")));
    output::line("The controller's signatories read it, and accept, or not:  ecluse accept sign --key FILE");
    output::document(&json!({ "made": path, "says": stated.words() }));
    Ok(())
}

/// Nothing is signed that would not count: the run is held meanwhile, so that nothing changes what was checked.
fn accept(here: &Here, args: &SignArgs) -> Result<()> {
    let run = here.folder.path(None, "run");
    let _held = RunFolder::held(&run)?;
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let stated = paper.judge(parse(paper.text()))?;
    stated.is(&found(&here.folder, &run, stated.language, here.now)?)?;
    sign::read(here, Kind::Acceptance, &paper, args)
}

fn verify(here: &Here, args: &RunArgs) -> Result<()> {
    let accepted = verified(&here.folder, &here.folder.path(args.dir.as_deref(), "run"), here.now)?;
    accepted.stated().words().iter().for_each(output::line);
    let path = here.folder.path(None, FILE);
    sign::told(&path, accepted.signers(), accepted.header(), &accepted.digest());
    Ok(())
}

fn show(here: &Here, args: &ShowArgs) -> Result<()> {
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let stated = paper.judge(parse(paper.text()))?;
    stated.words().iter().for_each(output::line);
    output::line(format!("fingerprint {}", grouped(&paper.digest())));
    if let Some(path) = &args.output {
        let contract = Paper::read(&here.folder.path(None, "contract.toml"), "ecluse contract new")?;
        let (header, terms) = contract.judge(contract::open(&contract.bytes))?;
        let page = page(&terms, header.trial, &stated, &paper.digest());
        let html = page.render().map_err(|_| PAGE.fault(""))?;
        folder::replace(path, spaced(&html, stated.language).as_bytes())?;
        output::line(path.display().to_string());
    }
    output::document(&json!({ "file": paper.path, "digest": paper.digest(), "says": stated.words() }));
    Ok(())
}
