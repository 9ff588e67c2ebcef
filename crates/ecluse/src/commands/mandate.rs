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

pub(crate) const FILE: &str = "mandate.toml";
pub(super) const MADE_BY: &str = "ecluse mandate new";

/// A mandate is for one look, not for a year of looking.
pub(super) const LASTS: SignedDuration = SignedDuration::from_hours(24 * 31);

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
    let open = String::from_utf8_lossy(&folder::read(&path, "")?).contains("purpose  = \"…\"");
    let next = if open {
        "say why, then: ecluse mandate sign --key FILE"
    } else {
        "filled in. Next: ecluse mandate sign --key FILE"
    };
    output::line(format!("{}: {next}", path.display()));
    output::document(&json!({ "made": path }));
    Ok(())
}

fn write(here: &Here, file: Option<&Path>, from: Option<&str>) -> Result<PathBuf> {
    let path = here.folder.path(file, FILE);
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let trial = contract.header().trial;
    let url = connect::parse(&connections::url(&here.folder, End::Source, from)?)?;
    let head = draft::head(Some(contract.digest().to_owned()), here.now, LASTS, trial)?;
    let written = purpose_of_template(&path)?;
    let purpose = match &written {
        Some(purpose) => purpose,
        None if trial => "TRIAL: to see what the database holds",
        None => "…",
    };
    let text = template::mandate(&head, purpose, url.engine(), &connect::database(&url), None);
    if written.is_some() {
        folder::replace(&path, text.as_bytes())?;
    } else {
        folder::create(&path, text.as_bytes())?;
    }
    Ok(path)
}

/// What somebody wrote as the purpose into the template of `ecluse new`, which nobody can have signed:
/// it names no contract. `None` where the file is no such template.
fn purpose_of_template(path: &Path) -> Result<Option<String>> {
    if !is_template(path) {
        return Ok(None);
    }
    let paper = Paper::read(path, MADE_BY)?;
    let text: Option<toml::Table> = paper.text().parse().ok();
    let purpose = text.and_then(|t| Some(t.get("survey")?.get("purpose")?.as_str()?.to_owned()));
    Ok(Some(purpose.unwrap_or_else(|| "…".to_owned())))
}

/// Whether the file is the template that `ecluse new` laid out.
pub(crate) fn is_template(path: &Path) -> bool {
    Paper::read(path, "").is_ok_and(|paper| {
        let cites = format!("contract   = \"{}\"", template::NO_DIGEST);
        paper.signatures.is_empty() && paper.text().lines().any(|line| line.starts_with(&cites))
    })
}

fn verify(here: &Here, args: &FileArg) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), MADE_BY)?;
    let mandate = paper.judge(InForce::in_force(&paper.bytes, &paper.signatures, &contract, here.now))?;
    sign::told(&paper.path, &[], mandate.header(), &mandate.digest());
    Ok(())
}
