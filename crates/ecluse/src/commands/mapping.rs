//! `ecluse mapping new|check`: where each granted column goes.

use ecluse_core::fault::Result;
use ecluse_core::{instruction, mapping};
use serde_json::json;

use super::Here;
use crate::cli::{FileArg, Mapping};
use crate::papers::{Paper, refusal};
use crate::{folder, output};

const FILE: &str = "mapping.toml";

pub(super) fn run(here: &Here, command: &Mapping) -> Result<()> {
    match command {
        Mapping::New(args) => new(here, args),
        Mapping::Check(args) => check(here, args),
    }
}

/// Drafts the mapping from the order: same names, same types.
pub(super) fn new(here: &Here, args: &FileArg) -> Result<()> {
    let order_path = here.folder.path(None, super::instruction::FILE);
    let paper = Paper::read(&order_path, "ecluse instruction new")?;
    let order = paper.judge(instruction::parse(&super::instruction::with_digests(paper.text())))?;
    let path = here.folder.path(args.file.as_deref(), FILE);
    folder::create(&path, mapping::draft(&order).as_bytes())?;
    if paper.signatures.is_empty() {
        super::instruction::fill(here, &order_path)?;
    }
    output::line(format!("{}: drafted, every column under its own name.", path.display()));
    output::document(&json!({ "made": path }));
    Ok(())
}

fn check(here: &Here, args: &FileArg) -> Result<()> {
    let mapped = Paper::read(&here.folder.path(args.file.as_deref(), FILE), "ecluse mapping new")?;
    let mapping = mapped.judge(mapping::parse(mapped.text()))?;
    let paper = Paper::read(&here.folder.path(None, super::instruction::FILE), "ecluse instruction new")?;
    let order = paper.judge(instruction::parse(paper.text()))?;
    let findings = mapping::against(&mapping, &order);
    if !findings.is_empty() {
        return Err(refusal(&mapped.path, mapped.text(), &findings));
    }
    output::line(format!("{}: uses what is granted, all of it.", mapped.path.display()));
    output::document(&json!({ "holds": true, "digest": mapping.digest }));
    Ok(())
}
