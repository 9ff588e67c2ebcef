//! `ecluse mapping new|check|print|sign`: where each granted column goes, and what a biologist signs of it.

use std::path::Path;

use ecluse_core::digest::of_bytes;
use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_core::language::Language;
use ecluse_core::{codes, dictionary, instruction, mapping};
use serde_json::json;

use super::{Here, sign};
use crate::cli::{FileArg, Mapping, MappingNewArgs};
use crate::pages::made;
use crate::papers::{Paper, refusal};
use crate::{folder, output};

const FILE: &str = "mapping.toml";

pub(super) fn run(here: &Here, command: &Mapping) -> Result<()> {
    match command {
        Mapping::New(args) => new(here, args),
        Mapping::Check(args) => check(here, args),
        Mapping::Print(args) => print(here, args),
        Mapping::Sign(args) => sign::run(here, Kind::Mapping, FILE, args),
    }
}

/// Drafts the mapping from the order: same names, same types.
pub(super) fn new(here: &Here, args: &MappingNewArgs) -> Result<()> {
    let order_path = here.folder.path(None, super::instruction::FILE);
    let paper = Paper::read(&order_path, "ecluse instruction new")?;
    let order = paper.judge(instruction::parse(&super::instruction::with_digests(paper.text())))?;
    let path = here.folder.path(args.file.as_deref(), FILE);
    let (text, tables) = match &args.worked {
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
    for code in &tables {
        output::line(format!("{code}: a biologist of this laboratory signs it: ecluse codes sign {code}"));
    }
    output::document(&json!({ "made": path, "codes": tables }));
    Ok(())
}

/// The text of a mapping that was worked out elsewhere, and the code tables that lie beside it, by their
/// names: each is copied where there is none of that name yet, without a signature, and `"{codes/NAME.toml}"`
/// stands for its digest.
///
/// Whoever wrote that mapping is not of this laboratory: of its folder nothing is taken but files of that
/// name, through no link, that read as code tables.
fn take_over(here: &Here, worked: &Path) -> Result<(String, Vec<String>)> {
    let theirs = Paper::read(worked, "name the mapping that was worked out for this product")?;
    let mut text = theirs.text().to_owned();
    let mut names = Vec::new();
    for piece in theirs.text().split("\"{").skip(1) {
        let Some((name, _)) = piece.split_once("}\"") else { continue };
        let from = worked.with_file_name(name);
        let plain = std::fs::symlink_metadata(&from).is_ok_and(|found| found.is_file());
        if !is_code_table(name) || !plain || names.iter().any(|known| known == name) {
            continue;
        }
        let own = here.folder.path(None, name);
        if !own.exists() {
            let table = Paper::read(&from, "")?;
            table.judge(codes::parse(table.text()))?;
            folder::create(&own, &table.bytes)?;
        }
        let digest = of_bytes(&folder::read(&own, "")?);
        text = text.replace(&format!("\"{{{name}}}\""), &format!("\"{digest}\""));
        names.push(name.to_owned());
    }
    Ok((text, names))
}

/// Whether a name is `codes/NAME.toml`, and nothing that leads elsewhere.
fn is_code_table(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.strip_prefix("codes/")
        .and_then(|name| name.strip_suffix(".toml"))
        .is_some_and(|name| !name.is_empty() && !name.starts_with('.') && name.chars().all(plain))
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

fn print(here: &Here, args: &FileArg) -> Result<()> {
    let paper = Paper::read(&here.folder.path(args.file.as_deref(), FILE), "ecluse mapping new")?;
    let mapping = paper.judge(mapping::parse(paper.text()))?;
    let surveyed = Paper::read(&here.folder.path(None, super::survey::FILE), "ecluse survey")?;
    let dictionary = surveyed.judge(dictionary::parse(surveyed.text()))?;
    let own = mapping::own(&mapping, &dictionary);
    output::line(format!("{}   fingerprint {}", paper.path.display(), sign::short(&mapping.digest)));
    for one in &own {
        output::line(format!("  {}", made::told(one, Language::English)));
    }
    output::line(match own.iter().any(|own| own.judged) {
        true => "A biologist of the laboratory accepts it by signing:  ecluse mapping sign --key FILE",
        false => "It gives no value of its own that a biologist would have to sign; code tables are apart.",
    });
    output::line("With the rows of each value, as a page to read and sign:  ecluse reference print");
    let values: Vec<_> = own
        .iter()
        .map(|one| json!({ "column": one.place(), "does": made::told(one, Language::English), "signed_by_biologist": one.judged }))
        .collect();
    output::document(&json!({ "digest": mapping.digest, "values": values }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_code_table;

    #[test]
    fn only_a_code_table_is_taken_from_a_products_folder() {
        assert!(is_code_table("codes/sex.toml") && is_code_table("codes/unité_2.v1.toml"));
        for name in [
            "keys/operator.age",
            "codes/../keys/operator.toml",
            "codes/.toml",
            "codes/.hidden.toml",
            "codes/a/b.toml",
            "codes/sex.toml.sigs/x.sig",
            "/codes/sex.toml",
            "run/state.age",
        ] {
            assert!(!is_code_table(name), "{name}");
        }
    }
}
