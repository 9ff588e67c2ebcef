//! A signature made by hand, on the printed page: what the person who checked it puts their name to.
//!
//! It counts only where the contract foresaw it for this person, and only by the key of the one person
//! of the controller's side whom the contract names for it. The processor holds the folder, drafts
//! the order and could make a scan of anything; it has no such key.

use ecluse_sign::{Demands, Signature, Verified};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use toml::de::DeValue;

use crate::count::a;
use crate::digest;
use crate::document::{self, Kind};
use crate::fault::Code;
use crate::finding::Finding;
use crate::keys::{Key, day};
use crate::person::{Role, same_person_key};
use crate::reader::{Codes, Fields, Reader, quote};
use crate::signatures::{SignatureFile, Signer, Way};

/// The contract's paper route leads to nobody who could check.
pub static ROUTE: Code =
    Code::refused("ECL-SGN-040", "the contract's paper route names nobody who may check it");
/// The record has not the form of one.
pub static FORM: Code = Code::refused("ECL-SGN-041", "the record of a paper signature has the wrong form");
/// Not foreseen for this person.
pub static NOT_FORESEEN: Code =
    Code::refused("ECL-SGN-042", "the contract does not let this person sign on paper");
/// Another document.
pub static OTHER_DOCUMENT: Code = Code::refused("ECL-SGN-043", "the paper signature is of another document");
/// No scan, or another one.
pub static SCAN: Code = Code::refused("ECL-SGN-044", "the scan is missing or not the one that was checked");
/// Not signed by the named checker.
pub static CHECKER: Code =
    Code::refused("ECL-SGN-045", "the paper signature was not checked by the person whom the contract names");
/// What was read on the page is not this document's.
pub static READ: Code =
    Code::refused("ECL-SGN-046", "the characters read on the signed page are not this document's");
/// Days that cannot be.
pub static DAYS: Code = Code::refused("ECL-SGN-047", "the days of a paper signature contradict each other");

static CODES: Codes = Codes { syntax: &FORM, unknown: &FORM, missing: &FORM, wrong: &FORM };

/// The record's layout.
pub const FORMAT: &str = "ecluse-paper/1";

/// How many characters of the digest are compared with the page. The 8 that are read aloud would not do:
/// whoever drafts the order makes two of them that agree in 8 characters within minutes, has one
/// signed and puts the other in its place. Two that agree in 32 (128 bits) take 2^64 tries.
pub const READ_AT_LEAST: usize = 32;

/// Roles that may check: somebody of the laboratory with a key.
const CHECKERS: [Role; 2] = [Role::ControllerSignatory, Role::ControllerBiologist];

/// What the checker states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The digest of the document that was signed by hand.
    pub document: String,
    /// Who signed by hand.
    pub person: String,
    /// That person's address in the contract.
    pub email: String,
    /// The day written beside the signature.
    pub signed: Date,
    /// The characters of the digest that were read on the signed page.
    pub read: String,
    /// The scan's file name, beside the record.
    pub scan: String,
    /// The scan's digest.
    pub scan_digest: String,
    /// When it was checked.
    pub checked: Timestamp,
    /// How the hand was recognised, in words.
    pub how: String,
}

/// A record as it was found; nothing is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The record's bytes, which the checker signed.
    pub record: Vec<u8>,
    /// The digest of the scan that lies beside it; `None` where none does.
    pub scan: Option<String>,
}

impl Record {
    /// The record as the checker signs it.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "# A page signed by hand, and who checked it. Signed by the checker whom the contract names.\n\n\
             [paper]\nformat      = {}\ndocument    = {}\nperson      = {}\nemail       = {}\nsigned      = {}\n\
             read        = {}   # on the signed page\nscan        = {}\nscan_digest = {}\nchecked     = {}\nhow         = {}\n",
            quote(FORMAT),
            quote(&self.document),
            quote(&self.person),
            quote(&self.email),
            self.signed,
            quote(&self.read),
            quote(&self.scan),
            quote(&self.scan_digest),
            Timestamp::from_second(self.checked.as_second()).unwrap_or(self.checked),
            quote(&self.how),
        )
    }
}

/// Reads a record.
///
/// # Errors
/// [`FORM`], everything that is wrong with it.
pub fn parse(text: &str) -> Result<Record, Vec<Finding>> {
    let mut r = Reader::new(text, &CODES);
    let record = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        let record = root.table(&mut r, "paper").and_then(|t| read(&mut r, t));
        root.end(&mut r);
        record
    });
    r.finish(record)
}

fn read(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Record> {
    let format = t.text(r, "format")?;
    if format.value != FORMAT {
        r.find(Finding::new(&FORM, format!("`{}` is not `{FORMAT}`", format.value)).at(format.span));
        return None;
    }
    let document = t.text(r, "document");
    let person = t.text(r, "person");
    let email = t.text(r, "email");
    let signed = t.maybe_date(r, "signed");
    let read = t.text(r, "read");
    let scan = t.text(r, "scan");
    // it lies beside the record: a path elsewhere would have any file read
    if let Some(wrong) = scan.as_ref().filter(|scan| scan.value.contains('/') || scan.value.starts_with('.'))
    {
        let finding = Finding::new(&FORM, "`scan` wants a file's name, without a folder");
        r.find(finding.at(wrong.span.clone()));
    }
    let scan_digest = t.text(r, "scan_digest");
    let checked = t.get("checked").and_then(|value| match value.get_ref() {
        DeValue::Datetime(moment) => moment.to_string().parse::<Timestamp>().ok(),
        _ => None,
    });
    let how = t.text(r, "how");
    if signed.is_none() || checked.is_none() {
        let finding = Finding::new(&FORM, "`signed` wants a day, `checked` a moment with its offset");
        r.find(finding.at(t.span.clone()));
    }
    t.end(r);
    Some(Record {
        document: document?.value,
        person: person?.value,
        email: email?.value.to_lowercase(),
        signed: signed?.value,
        read: read?.value,
        scan: scan?.value,
        scan_digest: scan_digest?.value,
        checked: checked?,
        how: how?.value,
    })
}

/// A paper signature that holds.
pub(crate) struct Checked {
    /// What the checker signed; it cites the document by digest.
    pub(crate) record: Verified<Vec<u8>>,
    pub(crate) signer: Signer,
}

/// Checks a record against the document's bytes and the contract's keys, as of `now`. `file.armoured`
/// is the checker's signature over the record.
///
/// # Errors
/// The first thing that does not hold.
pub(crate) fn check(
    kind: Kind,
    bytes: &[u8],
    file: &SignatureFile,
    found: &Found,
    keys: &[Key],
    demands: Demands,
    now: Timestamp,
) -> Result<Checked, Vec<Finding>> {
    let wrong = |code: &'static Code, why: &str| vec![Finding::new(code, format!("{}: {why}", file.name))];
    let told = |findings: Vec<Finding>| -> Vec<Finding> {
        let named = |f: Finding| Finding::new(f.code, format!("{}: {}", file.name, f.message));
        findings.into_iter().map(named).collect()
    };
    let record = document::text(&found.record).and_then(parse).map_err(told)?;
    let signatory = keys.iter().find(|key| signs_on_paper(kind, key) && key.email == record.email);
    let Some((signatory, route)) = signatory.and_then(|key| Some((key, key.on_paper.as_ref()?))) else {
        let finding = wrong(&NOT_FORESEEN, &format!("{} for {}", record.person, a(kind.name())));
        return Err(finding);
    };
    if same_person_key(&signatory.person) != same_person_key(&record.person) {
        return Err(wrong(&NOT_FORESEEN, &format!("the contract lists {} there", signatory.person)));
    }
    if !signatory.counts(now) {
        let why =
            format!("{} signs from {} to {}", signatory.person, signatory.enrolment.on, signatory.until);
        return Err(wrong(&NOT_FORESEEN, &why));
    }
    let (checker, verified) =
        checked_by(file, found, keys, &route.checker, demands, now).map_err(|why| wrong(&CHECKER, &why))?;
    let document = digest::of_bytes(bytes);
    if record.document != document {
        return Err(wrong(
            &OTHER_DOCUMENT,
            &format!("it is of {}, this {} is {document}", record.document, kind.name()),
        ));
    }
    if !is_read(&record.read, &document) {
        return Err(wrong(&READ, "32 characters of the digest at least, as they stand on the page"));
    }
    if found.scan.as_ref() != Some(&record.scan_digest) {
        return Err(wrong(&SCAN, &record.scan));
    }
    let clocks = SignedDuration::from_mins(5);
    if record.checked > now.saturating_add(clocks).unwrap_or(now) || record.signed > day(record.checked) {
        return Err(wrong(&DAYS, &format!("signed on {}, checked on {}", record.signed, record.checked)));
    }
    let signer = Signer {
        role: signatory.role,
        person: signatory.person.clone(),
        email: signatory.email.clone(),
        fingerprint: checker.fingerprint(),
        way: Way::Paper { checker: checker.person.clone() },
    };
    Ok(Checked { record: verified, signer })
}

/// The checker's signature over the record: by a key of the one person whom the contract names.
fn checked_by<'k>(
    file: &SignatureFile,
    found: &Found,
    keys: &'k [Key],
    checker: &str,
    demands: Demands,
    now: Timestamp,
) -> Result<(&'k Key, Verified<Vec<u8>>), String> {
    if file.armoured.is_empty() {
        return Err("nobody has signed the record".to_owned());
    }
    let signature = Signature::from_armour(&file.armoured).map_err(|refused| refused.to_string())?;
    let claimed = signature.claimed_key().clone();
    let own = |key: &&Key| key.email == checker && may_check(key) && key.public.as_ref() == Some(&claimed);
    let key =
        keys.iter().find(own).ok_or_else(|| format!("{} is no key of {checker}", claimed.fingerprint()))?;
    if !key.counts(now) {
        return Err(format!("the key of {} does not count today", key.person));
    }
    let verified = signature
        .verify(found.record.clone(), Kind::Paper.namespace(), &claimed, demands)
        .map_err(|refused| refused.to_string())?;
    Ok((key, verified))
}

/// Whether what was read on the page is enough of this digest; spaces do not count.
#[must_use]
pub fn is_read(read: &str, document: &str) -> bool {
    let read: String = read.chars().filter(|c| !c.is_whitespace()).collect();
    let read = read.trim_start_matches("sha256:").to_lowercase();
    read.len() >= READ_AT_LEAST && document.trim_start_matches("sha256:").starts_with(&read)
}

fn signs_on_paper(kind: Kind, key: &Key) -> bool {
    key.on_paper.is_some() && kind.signers().iter().any(|(role, _)| *role == key.role)
}

/// Whether this entry of the contract may check a paper signature: a key of the controller's.
pub(crate) fn may_check(key: &Key) -> bool {
    key.public.is_some() && CHECKERS.contains(&key.role)
}

/// Everybody whose paper signatures this person checks.
pub(crate) fn checked_people<'k>(keys: &'k [Key], checker: &'k str) -> impl Iterator<Item = &'k Key> {
    keys.iter().filter(move |key| key.on_paper.as_ref().is_some_and(|route| route.checker == checker))
}

/// Whether a record speaks of somebody who signs on paper in this register.
pub(crate) fn is_of(found: &Found, keys: &[Key]) -> bool {
    let record = document::text(&found.record).and_then(parse);
    record.is_ok_and(|r| keys.iter().any(|key| key.on_paper.is_some() && key.email == r.email))
}

/// What is wrong with the contract's paper routes.
pub(crate) fn routes(keys: &[Key]) -> Vec<Finding> {
    let wrong = |key: &Key| {
        let route = key.on_paper.as_ref()?;
        let checker = keys.iter().find(|other| other.email == route.checker && may_check(other));
        let message = match checker {
            _ if key.role != Role::ControllerSignatory => {
                format!(
                    "{} ({}) signs with a key: only a controller-signatory may sign on paper",
                    key.person,
                    key.role.name()
                )
            }
            None => format!("{} has no key of the controller's in this contract", route.checker),
            Some(checker) if same_person_key(&checker.person) == same_person_key(&key.person) => {
                format!("{} would check the own signature", key.person)
            }
            Some(_) => return None,
        };
        Some(Finding::new(&ROUTE, message).at(key.span.clone()).help(
            "name in checked_by the address of another person of the laboratory who has a [[key]] here",
        ))
    };
    keys.iter().filter_map(wrong).collect()
}
