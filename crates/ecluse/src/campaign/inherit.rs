//! `ecluse campaign inherit`: what a product knows, copied into a laboratory's folder, once.
//!
//! From then on it is the laboratory's own: its biologist signs the code table there, its order cites the
//! mapping there. Signatures are never copied, a paper that is there is never written over, and a folder
//! without a file that was inherited before has lost it on purpose.

use std::path::Path;

use ecluse_core::campaign::Laboratory;
use ecluse_core::digest::of_bytes;
use ecluse_core::fault::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Whole;
use super::product::{self, DICTIONARY, File, How, Inherited, Record};
use crate::cli::{OfLaboratories, UseArgs};
use crate::commands::{Here, dictionary};
use crate::folder::{self, Folder};
use crate::output;
use crate::procedure::dates::day;

/// Copies, and tells file by file what became of it.
///
/// # Errors
///
/// The first folder's or paper's; what was copied before stays.
pub(crate) fn run(args: &OfLaboratories, now: Timestamp) -> Result<()> {
    let whole = Whole::read(&args.folder)?;
    let mut documents = Vec::new();
    for laboratory in whole.chosen(&args.only)? {
        let told = one(&whole, laboratory, now)?;
        output::line(format!("{}   {}", laboratory.name.value, laboratory.folder.value));
        for (file, what) in &told {
            output::line(format!("  {file}   {what}"));
        }
        if told.is_empty() {
            output::line("  begins from no product");
        }
        let files: Vec<Value> =
            told.iter().map(|(file, what)| json!({ "file": file, "what": what })).collect();
        documents.push(
            json!({ "laboratory": laboratory.name.value, "folder": laboratory.folder.value, "files": files }),
        );
    }
    output::document(&json!({ "laboratories": documents }));
    Ok(())
}

fn one(whole: &Whole, laboratory: &Laboratory, now: Timestamp) -> Result<Vec<(String, String)>> {
    let Some(product) = whole.campaign.product(laboratory) else { return Ok(Vec::new()) };
    let folder = whole.folder(laboratory)?;
    let mut record = Record::read(&folder, product)?;
    let mut told = Vec::new();
    for (name, path) in product::papers(whole, product)? {
        let own = folder.path(None, &name);
        if !std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            // a link would bring in what lies outside the product's folder
            told.push((name, "no plain file: left out".to_owned()));
            continue;
        }
        if !own.exists() && !record.files.contains_key(&name) {
            let bytes = folder::read(&path, "")?;
            folder::create(&own, &bytes)?;
            let moment = Inherited { digest: of_bytes(&bytes), on: day(now) };
            record.files.insert(name.clone(), moment);
            record.write(&folder)?;
            told.push((name, "copied".to_owned()));
        }
    }
    if let Some((_, digest)) = product::dictionary(whole, product)?
        && folder.has(DICTIONARY)
        && !record.files.contains_key(DICTIONARY)
    {
        // laid over the survey once: a class that somebody corrects afterwards stays corrected
        if let Some(what) = laid_over(whole, laboratory, &folder, now)? {
            record.files.insert(DICTIONARY.to_owned(), Inherited { digest, on: day(now) });
            record.write(&folder)?;
            told.push((DICTIONARY.to_owned(), what));
        }
    }
    for file in product::departures(whole, laboratory)?.unwrap_or_default() {
        if told.iter().all(|(name, _)| *name != file.file) {
            let words = kept(&file);
            told.push((file.file, words));
        }
    }
    Ok(told)
}

/// The product's classes over the laboratory's survey; `None` where they say the same already.
fn laid_over(
    whole: &Whole,
    laboratory: &Laboratory,
    folder: &Folder,
    now: Timestamp,
) -> Result<Option<String>> {
    let departs = product::departures(whole, laboratory)?.unwrap_or_default();
    if departs.iter().any(|file| file.file == DICTIONARY && file.own() == 0) {
        return Ok(Some("as the product has it".to_owned()));
    }
    let Some(product) = whole.campaign.product(laboratory) else { return Ok(None) };
    let Some(name) = product::dictionary_name(whole, product) else { return Ok(None) };
    let name = std::path::absolute(Path::new(&name))
        .ok()
        .filter(|path| path.exists())
        .map_or(name, |path| path.display().to_string());
    let args = UseArgs { name, agreeing: false, dictionary: None };
    output::muted(|| dictionary::apply(&Here { folder: folder.clone(), now }, &args))?;
    Ok(Some("laid over the survey".to_owned()))
}

/// What stands there and is left as it is.
pub(super) fn kept(file: &File) -> String {
    let places = match file.own() {
        1 => "1 place".to_owned(),
        n => format!("{n} places"),
    };
    match (file.state, file.file.as_str()) {
        (How::Absent, DICTIONARY) => "not surveyed yet".to_owned(),
        (How::Absent, _) => "not there".to_owned(),
        (How::Same, _) => "as the product has it".to_owned(),
        (How::Own, _) => format!("of its own in {places}"),
        (How::Product, _) => format!("the product's changed since; they differ in {places}"),
    }
}
