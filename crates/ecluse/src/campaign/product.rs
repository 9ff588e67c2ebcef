//! A product's papers beside a laboratory's own: which files, what was inherited, what departs since.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ecluse_core::campaign::{self, Laboratory, Product};
use ecluse_core::diff::Change;
use ecluse_core::digest::of_bytes;
use ecluse_core::fault::{Code, Result};
use ecluse_core::{dictionary, product as known};
use serde::{Deserialize, Serialize};

use super::Whole;
use crate::folder::{self, Folder};
use crate::papers::Paper;
use crate::products;

static MALFORMED: Code = Code::refused("ECL-CAM-013", "the record of what was inherited cannot be read");
static NOT_TOML: Code = Code::refused("ECL-CAM-014", "a paper cannot be compared with its product's");

/// What a laboratory's folder remembers of its product.
pub(super) const RECORD: &str = "inherited.json";
const RECORD_FORMAT: &str = "ecluse-inherited/1";
pub(super) const DICTIONARY: &str = "dictionary.toml";

/// The record: each file that was inherited, by the digest of the product's at that moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) format: String,
    pub(super) product: String,
    pub(super) files: BTreeMap<String, Inherited>,
}

/// One file's moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inherited {
    /// The product's file, as it was.
    pub(super) digest: String,
    /// The day.
    pub(super) on: String,
}

impl Record {
    /// The record of a folder, or an empty one of this product.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`].
    pub(super) fn read(folder: &Folder, product: &Product) -> Result<Self> {
        let path = folder.path(None, RECORD);
        if !path.exists() {
            return Ok(Self {
                format: RECORD_FORMAT.to_owned(),
                product: product.name.value.clone(),
                files: BTreeMap::new(),
            });
        }
        serde_json::from_slice(&folder::read(&path, "")?)
            .ok()
            .filter(|record: &Self| record.format == RECORD_FORMAT)
            .ok_or_else(|| {
                MALFORMED
                    .fault(path.display().to_string())
                    .help("restore it from a copy of the folder, or move it away: nothing else depends on it")
            })
    }

    pub(super) fn write(&self, folder: &Folder) -> Result<()> {
        folder::replace(&folder.path(None, RECORD), &serde_json::to_vec_pretty(self).unwrap_or_default())
    }
}

/// One file beside its product's.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct File {
    pub(crate) file: String,
    /// `absent`, `same`, `own`, `product` (it went on since) or `both`.
    pub(crate) state: How,
    /// The day on which it was inherited.
    pub(crate) inherited: Option<String>,
    #[serde(serialize_with = "told")]
    pub(crate) changes: Vec<Change>,
}

/// How a laboratory's file stands to its product's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum How {
    /// The laboratory has none.
    Absent,
    /// They say the same.
    Same,
    /// The laboratory's differs, the product's is as it was inherited (or nobody knows).
    Own,
    /// The product's changed since.
    Product,
}

impl File {
    /// In how many places the laboratory's departs.
    pub(crate) const fn own(&self) -> usize {
        self.changes.len()
    }
}

/// Every file of the product beside the laboratory's; `None` where the laboratory begins from no product.
///
/// # Errors
///
/// Papers that cannot be read.
pub(crate) fn departures(whole: &Whole, laboratory: &Laboratory) -> Result<Option<Vec<File>>> {
    let Some(product) = whole.campaign.product(laboratory) else { return Ok(None) };
    let folder = whole.folder(laboratory)?;
    let record = Record::read(&folder, product)?;
    let mut files = Vec::new();
    for (name, path) in papers(whole, product)? {
        // a link would bring in what lies outside the product's folder
        if !std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
            continue;
        }
        let theirs = folder::read(&path, "")?;
        let own = folder.path(None, &name);
        let (changes, there) =
            if own.exists() { (compared(&theirs, &own)?, true) } else { (Vec::new(), false) };
        files.push(file(name, there, changes, &of_bytes(&theirs), &record));
    }
    if let Some((known, digest)) = dictionary(whole, product)? {
        let own = folder.path(None, DICTIONARY);
        let surveyed = own.exists();
        let changes = if surveyed {
            let paper = Paper::read(&own, "")?;
            campaign::dictionary(&known, &paper.judge(dictionary::parse(paper.text()))?)
        } else {
            Vec::new()
        };
        files.push(file(DICTIONARY.to_owned(), surveyed, changes, &digest, &record));
    }
    Ok(Some(files))
}

fn file(name: String, there: bool, changes: Vec<Change>, digest: &str, record: &Record) -> File {
    let inherited = record.files.get(&name);
    let state = match inherited {
        _ if !there => How::Absent,
        Some(then) if then.digest != digest => How::Product,
        _ if changes.is_empty() => How::Same,
        _ => How::Own,
    };
    File { file: name, state, inherited: inherited.map(|then| then.on.clone()), changes }
}

fn compared(theirs: &[u8], own: &Path) -> Result<Vec<Change>> {
    let ours = folder::read(own, "")?;
    if ours == theirs {
        return Ok(Vec::new());
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    text(theirs)
        .zip(text(&ours))
        .and_then(|(theirs, ours)| campaign::document(&theirs, &ours))
        .ok_or_else(|| NOT_TOML.fault(own.display().to_string()).help("ecluse mapping check"))
}

/// The product's mapping and code tables: name in a migration folder, and path.
pub(super) fn papers(whole: &Whole, product: &Product) -> Result<Vec<(String, PathBuf)>> {
    let root = whole.root.join(&product.folder.value);
    let mapping = root.join("mapping.toml");
    let mut papers = Vec::new();
    if mapping.exists() {
        papers.push(("mapping.toml".to_owned(), mapping));
    }
    for path in folder::list(&root.join("codes"))? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".toml") && path.is_file() {
            papers.push((format!("codes/{name}"), path));
        }
    }
    Ok(papers)
}

/// How `ecluse dictionary use` calls the product's dictionary.
pub(super) fn dictionary_name(whole: &Whole, product: &Product) -> Option<String> {
    let name = &product.dictionary.as_ref()?.value;
    Some(if name.ends_with(".toml") {
        whole.root.join(&product.folder.value).join(name).display().to_string()
    } else {
        name.clone()
    })
}

/// The product's dictionary and the digest of its text; `None` where the campaign names none.
pub(super) fn dictionary(whole: &Whole, product: &Product) -> Result<Option<(known::Product, String)>> {
    let Some(name) = dictionary_name(whole, product) else { return Ok(None) };
    let known = products::read(&name)?;
    let digest = match products::text(&name) {
        Ok(text) => of_bytes(text.as_bytes()),
        Err(_) => of_bytes(&folder::read(Path::new(&name), "ecluse dictionary list")?),
    };
    Ok(Some((known, digest)))
}

fn told<S: serde::Serializer>(changes: &[Change], to: S) -> std::result::Result<S::Ok, S::Error> {
    to.collect_seq(changes.iter().map(|c| serde_json::json!({ "field": c.field, "was": c.was, "is": c.is })))
}
