//! `ecluse mapping new|check`: where each granted column goes.

use std::path::{Component, Path};

use ecluse_core::digest::of_bytes;
use ecluse_core::fault::Result;
use ecluse_core::{instruction, mapping};
use serde_json::json;

use super::Here;
use crate::cli::{FileArg, Mapping, MappingNewArgs};
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
pub(super) fn new(here: &Here, args: &MappingNewArgs) -> Result<()> {
    let order_path = here.folder.path(None, super::instruction::FILE);
    let paper = Paper::read(&order_path, "ecluse instruction new")?;
    let order = paper.judge(instruction::parse(&super::instruction::with_digests(paper.text())))?;
    let path = here.folder.path(args.file.as_deref(), FILE);
    let (text, codes) = match &args.worked {
        Some(worked) => take_over(here, worked)?,
        None => (mapping::draft(&order), Vec::new()),
    };
    folder::create(&path, text.as_bytes())?;
    if paper.signatures.is_empty() {
        super::instruction::fill(here, &order_path)?;
    }
    match &args.worked {
        Some(worked) => output::line(format!("{}: as {} has it.", path.display(), worked.display())),
        None => output::line(format!("{}: drafted, every column under its own name.", path.display())),
    }
    for code in &codes {
        output::line(format!("{code}: a biologist of this laboratory signs it: ecluse codes sign {code}"));
    }
    output::document(&json!({ "made": path, "codes": codes }));
    Ok(())
}

/// The text of a mapping that was worked out elsewhere, and the code tables that lie beside it, by their
/// names: each is copied where there is none of that name yet, without a signature, and `"{codes/…}"` stands
/// for its digest.
fn take_over(here: &Here, worked: &Path) -> Result<(String, Vec<String>)> {
    let theirs = Paper::read(worked, "name the mapping that was worked out for this product")?;
    let mut text = theirs.text().to_owned();
    let mut codes = Vec::new();
    for piece in theirs.text().split("\"{").skip(1) {
        let Some((name, _)) = piece.split_once("}\"") else { continue };
        let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let from = worked.with_file_name(name);
        if !inside || !from.is_file() || codes.iter().any(|known| known == name) {
            continue;
        }
        let own = here.folder.path(None, name);
        if !own.exists() {
            folder::create(&own, &folder::read(&from, "")?)?;
        }
        let digest = of_bytes(&folder::read(&own, "")?);
        text = text.replace(&format!("\"{{{name}}}\""), &format!("\"{digest}\""));
        codes.push(name.to_owned());
    }
    Ok((text, codes))
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
