//! `ecluse mandate new|sign|verify`: leave to look at a database.

use std::path::{Path, PathBuf};

use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_core::mandate::Mandate as InForce;
use ecluse_core::template;
use jiff::SignedDuration;
use serde_json::json;

use super::{Here, sign};
use crate::cli::{FileArg, Mandate, SignArgs};
use crate::connections::{self, End};
use crate::papers::{Paper, draft, standing};
use crate::{connect, folder, output};

pub(super) const FILE: &str = "mandate.toml";
pub(super) const MADE_BY: &str = "ecluse mandate new";

/// A mandate is for one look, not for a year of looking.
const LASTS: SignedDuration = SignedDuration::from_hours(24 * 31);

pub(super) fn run(here: &Here, command: &Mandate) -> Result<()> {
    match command {
        Mandate::New(args) => new(here, args),
        Mandate::Sign(args) => sign::run(here, Kind::Survey, FILE, args),
        Mandate::Verify(args) => verify(here, args),
    }
}

/// In a trial the mandate is written and signed in one go; one that a killed process left
/// unsigned is signed as it stands.
pub(super) fn for_trial(here: &Here, from: Option<&str>) -> Result<()> {
    let path = here.folder.path(None, FILE);
    if path.exists() {
        if !Paper::read(&path, MADE_BY)?.signatures.is_empty() {
            return Ok(());
        }
    } else {
        write(here, None, from)?;
    }
    let args = SignArgs::default();
    sign::document_with(here, Kind::Survey, &path, &args)?;
    output::line(format!("{}: written and signed", path.display()));
    Ok(())
}

fn new(here: &Here, args: &FileArg) -> Result<()> {
    let path = write(here, args.file.as_deref(), None)?;
    output::line(format!("{}: say why, then: ecluse mandate sign", path.display()));
    output::document(&json!({ "made": path }));
    Ok(())
}

fn write(here: &Here, file: Option<&Path>, from: Option<&str>) -> Result<PathBuf> {
    let path = here.folder.path(file, FILE);
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let trial = contract.header().trial;
    let url = connect::parse(&connections::url(&here.folder, End::Source, from)?)?;
    let head = draft::head(Some(contract.digest().to_owned()), here.now, LASTS, trial)?;
    let purpose = if trial { "TRIAL: to see what the database holds" } else { "…" };
    let text = template::mandate(&head, purpose, url.engine(), &connect::database(&url), None);
    folder::create(&path, text.as_bytes())?;
    Ok(path)
}

fn verify(here: &Here, args: &FileArg) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let mandate = paper.judge(InForce::in_force(&paper.bytes, &paper.signatures, &contract, here.now))?;
    sign::told(&paper.path, &[], mandate.header(), &mandate.digest());
    Ok(())
}
