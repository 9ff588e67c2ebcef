//! A page signed by hand as files: the record of whoever checked it, that person's signature over
//! it, and the scan, all in `FILE.sigs/`.

use std::path::{Path, PathBuf};

use ecluse_core::digest;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use ecluse_core::keys::Key;
use ecluse_core::on_paper::{self, Found, Record};
use ecluse_core::signatures::{self, SignatureFile};
use ecluse_sign::Demands;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Paper, hand, signatures_of};
use crate::folder;

static WHO: Code = Code::usage("ECL-SGN-048", "it is not said whose signature the page bears");

/// How a record's name ends.
pub(super) const RECORD: &str = ".paper.toml";

/// What the checker says at the command line.
#[derive(Debug)]
pub(crate) struct Said<'a> {
    pub(crate) scan: &'a Path,
    pub(crate) key: &'a Path,
    /// The address of whoever signed by hand; by default the only person who may.
    pub(crate) of: Option<&'a str>,
    pub(crate) signed: Date,
    pub(crate) read: &'a str,
    pub(crate) how: &'a str,
}

/// Makes the record of a page signed by hand, signs it as its checker, and puts it with the scan beside the
/// document, once all of it holds; returns the record's path.
///
/// # Errors
///
/// [`WHO`]; whatever would be found wrong with a record that lay there already.
pub(crate) fn check(
    kind: Kind,
    document: &Paper,
    listed: (&[Key], Demands),
    said: &Said<'_>,
    now: Timestamp,
) -> Result<PathBuf> {
    let mut people: Vec<&Key> = listed.0.iter().filter(|key| key.on_paper.is_some()).collect();
    people.retain(|key| said.of.is_none_or(|of| key.email == of.to_lowercase()));
    people.dedup_by(|a, b| a.email == b.email);
    let [signatory] = people.as_slice() else {
        return Err(WHO
            .fault(format!("{} persons of the contract could have signed it on paper", people.len()))
            .help("name the one by the address that contract.toml lists with signs_on_paper: --of ADDRESS"));
    };
    let scan = folder::read(said.scan, "scan the signed page, and give its file: --on-paper FILE")?;
    let name = hand::slug(&signatory.email);
    let kept =
        said.scan.extension().map_or_else(|| "scan".to_owned(), |e| format!("scan.{}", e.to_string_lossy()));
    let record = Record {
        document: document.digest(),
        person: signatory.person.clone(),
        email: signatory.email.clone(),
        signed: said.signed,
        read: said.read.to_owned(),
        scan: format!("{name}.{kept}"),
        scan_digest: digest::of_bytes(&scan),
        checked: now,
        how: said.how.to_owned(),
    };
    let text = record.text();
    let (armoured, _) = hand::armour(Kind::Paper, said.key, text.as_bytes())?;
    let found = Found { record: text.clone().into_bytes(), scan: Some(record.scan_digest.clone()) };
    let file = SignatureFile {
        name: format!("{name}{RECORD}"),
        armoured: armoured.clone().into_bytes(),
        paper: Some(found),
    };
    // as version 1: who else has to sign is not asked here
    let checked =
        signatures::check(kind, 1, &document.bytes, std::slice::from_ref(&file), listed.0, listed.1, now);
    let faults: Vec<_> =
        checked.err().into_iter().flatten().filter(|f| f.code.id != signatures::ABSENT.id).collect();
    if !faults.is_empty() {
        document.judge(Err(faults))?;
    }
    let beside = signatures_of(&document.path);
    let path = beside.join(&file.name);
    folder::replace(&beside.join(&record.scan), &scan)?;
    folder::replace(&path, text.as_bytes())?;
    // last: a record that nobody signed is refused, and the same command goes on from there
    folder::replace(&signatures_of(&path).join("checker.sig"), armoured.as_bytes())?;
    Ok(path)
}

/// A record that lies in a `.sigs` folder, with its checker's signature and the scan's digest.
pub(super) fn found(path: &Path, name: String) -> Result<SignatureFile> {
    let record = folder::read(path, "")?;
    let signature = signatures_of(path).join("checker.sig");
    let armoured = if signature.is_file() { folder::read(&signature, "")? } else { Vec::new() };
    let read = std::str::from_utf8(&record).ok().and_then(|text| on_paper::parse(text).ok());
    let scan = match read.map(|record| path.with_file_name(record.scan)).filter(|scan| scan.is_file()) {
        Some(scan) => Some(digest::of_bytes(&folder::read(&scan, "")?)),
        None => None,
    };
    Ok(SignatureFile { name, armoured, paper: Some(Found { record, scan }) })
}
