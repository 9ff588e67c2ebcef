//! Who signed a document, and whether everybody has who must.
//!
//! Signatures lie in `FILE.sigs/`, one file each. The policy is "all of": every file there
//! is a valid signature by a key of the contract whose role may sign this kind of
//! document, and every person signed whom [`Kind::signers`] demands.

use ecluse_sign::{Demands, PrivateKey, Refused, Signature, Verified, canonical};
use jiff::Timestamp;

use crate::count::a;
use crate::digest;
use crate::document::{self, Demand, Kind};
use crate::fault::{Code, Fault};
use crate::finding::Finding;
use crate::keys::Key;
use crate::language::Language;
use crate::on_paper::{self, Found};
use crate::person::Role;

/// Somebody who must sign has not.
pub static ABSENT: Code = Code::refused("ECL-SGN-020", "a signature is missing");
/// The document's bytes are not the ones that were signed.
pub static FALSE: Code = Code::refused("ECL-SGN-021", "the signature does not fit the document");
/// No key of the contract made it.
pub static STRANGER: Code = Code::refused("ECL-SGN-022", "signed with a key that is not in the contract");
/// The role may not sign this.
pub static ROLE: Code =
    Code::refused("ECL-SGN-023", "signed by somebody who may not sign this kind of document");
/// Made for another kind of document.
pub static NAMESPACE: Code = Code::refused("ECL-SGN-024", "the signature is for another kind of document");
/// Not in the one exact form.
pub static FORM: Code = Code::refused("ECL-SGN-025", "the signature file is not in its one exact form");
/// A kind of key, hash or field outside the profile.
pub static PROFILE: Code = Code::refused("ECL-SGN-026", "the signature is outside the accepted profile");
/// A hardware key was not touched, or did not verify its user.
pub static TOUCH: Code = Code::refused("ECL-SGN-027", "the hardware key did not ask its user");
/// A key before its enrolment or past its last day.
pub static STALE: Code = Code::refused("ECL-SGN-028", "the key does not count any more, or not yet");
/// A private key file that cannot sign here.
pub static KEY_FILE: Code = Code::refused("ECL-SGN-030", "this key file cannot sign here");

/// One file of `FILE.sigs/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureFile {
    /// The file's name, for messages.
    pub name: String,
    /// Its content.
    pub armoured: Vec<u8>,
    /// The record of a paper signature, where it is one: `armoured` is then the checker's signature
    /// over it.
    pub paper: Option<Found>,
}

/// One verified signature's author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The role in which it counts.
    pub role: Role,
    /// The person.
    pub person: String,
    /// The person's address.
    pub email: String,
    /// The key's fingerprint; of a signature on paper, that of its checker's key.
    pub fingerprint: String,
    /// How.
    pub way: Way,
}

/// How somebody signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// With the own key.
    Key,
    /// By hand; this person checked it.
    Paper {
        /// The checker's name.
        checker: String,
    },
    /// Not at all: the checker gave the word for whoever signs on paper. Of a status only.
    Word {
        /// The checker's name.
        checker: String,
    },
}

impl Signer {
    /// The person, and, where it was not the person's own key, how: *signed on paper, checked by X*.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        let Self { person, way, .. } = self;
        match way {
            Way::Key => person.clone(),
            Way::Paper { checker } => language.of(
                format!("{person} (signed on paper, checked by {checker})"),
                format!("{person} (signé sur papier, vérifié par {checker})"),
            ),
            Way::Word { checker } => language.of(
                format!("{person} (who signs on paper; word given by {checker})"),
                format!("{person} (qui signe sur papier ; déclaré par {checker})"),
            ),
        }
    }
}

/// A document that everybody signed who must. Only [`check`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::signatures::Signed;
/// fn forge(real: Signed) -> Signed {
///     Signed { ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Signed {
    answered: Answered,
    signers: Vec<Signer>,
}

/// What somebody put a signature under.
#[derive(Clone, Debug)]
enum Answered {
    /// The document itself.
    Document(Verified<Vec<u8>>),
    /// The record of a paper signature, which cites these bytes by digest.
    Record { bytes: Vec<u8>, _record: Verified<Vec<u8>> },
}

impl Signed {
    /// The signed bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Vec<u8> {
        match &self.answered {
            Answered::Document(verified) => verified.content(),
            Answered::Record { bytes, .. } => bytes,
        }
    }

    /// The signed bytes as text.
    ///
    /// # Errors
    /// [`document::SYNTAX`], for bytes that are not UTF-8.
    pub fn text(&self) -> Result<String, Vec<Finding>> {
        document::text(self.bytes()).map(str::to_owned)
    }

    /// The signed bytes' digest, as other documents cite it.
    #[must_use]
    pub fn digest(&self) -> String {
        digest::of_bytes(self.bytes())
    }

    /// Who signed, at least one.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }
}

/// Checks a document's signatures against the contract's keys, as of `now`.
///
/// `version` is the document's (1 for a code table): from 2 on a change is countersigned.
///
/// # Errors
/// One finding per bad signature file and per absent signature.
pub fn check(
    kind: Kind,
    version: u64,
    bytes: &[u8],
    files: &[SignatureFile],
    keys: &[Key],
    demands: Demands,
    now: Timestamp,
) -> Result<Signed, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut signers: Vec<Signer> = Vec::new();
    let mut answered = None;
    for file in files {
        match one(kind, bytes, file, keys, demands, now) {
            Ok(signed) => {
                answered = Some(signed.answered);
                signers.extend(signed.signers);
            }
            Err(more) => findings.extend(more),
        }
    }
    findings.extend(absent(kind, version, keys, &signers));
    match answered {
        Some(answered) if findings.is_empty() => Ok(Signed { answered, signers }),
        _ => Err(findings),
    }
}

/// Signs a document with the content of an OpenSSH private key file without passphrase:
/// (the signature file's content, the key's fingerprint).
///
/// # Errors
/// [`KEY_FILE`], with the `ssh-keygen` command that signs instead.
pub fn sign(kind: Kind, bytes: &[u8], key_file: &[u8]) -> Result<(String, String), Fault> {
    let signed = PrivateKey::from_openssh(key_file)
        .and_then(|key| Ok((key.sign(kind.namespace(), bytes)?, key.public()?.fingerprint())));
    signed.map_err(|refused| {
        KEY_FILE.fault(refused.to_string()).help(format!(
            "ssh-keygen -Y sign -n {} -f KEY FILE, then: ecluse … sign --adopt FILE.sig",
            kind.namespace()
        ))
    })
}

/// Rewrites a signature file made elsewhere to its one exact form. Nothing is verified;
/// put beside the document it is checked like every other.
///
/// # Errors
/// [`FORM`], for what is no signature; [`PROFILE`], for a browser's.
pub fn adopt(armoured: &[u8]) -> Result<String, Fault> {
    canonical(armoured).map_err(|refused| {
        let code = if refused == Refused::Webauthn { &PROFILE } else { &FORM };
        code.fault(refused.to_string()).help("give the .sig file that ssh-keygen -Y sign wrote")
    })
}

fn one(
    kind: Kind,
    bytes: &[u8],
    file: &SignatureFile,
    keys: &[Key],
    demands: Demands,
    now: Timestamp,
) -> Result<Signed, Vec<Finding>> {
    if let Some(found) = &file.paper {
        let on_paper::Checked { record, signer } =
            on_paper::check(kind, bytes, file, found, keys, demands, now)?;
        let answered = Answered::Record { bytes: bytes.to_vec(), _record: record };
        return Ok(Signed { answered, signers: vec![signer] });
    }
    let signature = Signature::from_armour(&file.armoured).map_err(|r| vec![refused(kind, &file.name, r)])?;
    let claimed = signature.claimed_key();
    let owners: Vec<&Key> = keys.iter().filter(|key| key.public.as_ref() == Some(claimed)).collect();
    let Some(owner) = owners.first() else {
        let message = format!("{}: {} is no key of the contract", file.name, claimed.fingerprint());
        return Err(vec![Finding::new(&STRANGER, message).help(
            "only keys enrolled in the contract count; a new key is an amendment, signed by both sides",
        )]);
    };
    let verified = signature
        .verify(bytes.to_vec(), kind.namespace(), claimed, demands)
        .map_err(|r| vec![refused(kind, &file.name, r)])?;
    let entitled: Vec<&&Key> =
        owners.iter().filter(|key| kind.signers().iter().any(|(role, _)| *role == key.role)).collect();
    let words = word_for(kind, owner, keys, now);
    if entitled.is_empty() && words.is_empty() {
        let message =
            format!("{}: {} ({}) may not sign a {}", file.name, owner.person, owner.role.name(), kind.name());
        return Err(vec![Finding::new(&ROLE, message).help(format!(
            "a {} is signed by: {}",
            kind.name(),
            roles(kind)
        ))]);
    }
    let mut counting: Vec<Signer> = entitled
        .iter()
        .filter(|key| key.counts(now))
        .map(|key| Signer {
            role: key.role,
            person: key.person.clone(),
            email: key.email.clone(),
            fingerprint: claimed.fingerprint(),
            way: Way::Key,
        })
        .collect();
    counting.extend(words);
    if counting.is_empty() {
        let message = format!(
            "{}: the key of {} counts from {} to {}",
            file.name, owner.person, owner.enrolment.on, owner.until
        );
        return Err(vec![
            Finding::new(&STALE, message).help("enrol a new key by an amendment of the contract"),
        ]);
    }
    Ok(Signed { answered: Answered::Document(verified), signers: counting })
}

/// Whether a signature by this key counts under this kind of document: by its role, or, under a status, because its
/// owner gives the word for whoever signs on paper.
#[must_use]
pub fn may_sign(kind: Kind, key: &Key, keys: &[Key]) -> bool {
    let by_role = kind.signers().iter().any(|(role, _)| *role == key.role);
    by_role || gives_word(kind, key, keys)
}

fn gives_word(kind: Kind, key: &Key, keys: &[Key]) -> bool {
    let checks = || on_paper::checked_people(keys, &key.email).next().is_some();
    kind == Kind::Status && on_paper::may_check(key) && checks()
}

/// For whom this key's owner gives the word on an order: whoever signs on paper cannot be asked for
/// a page a day, and a suspension cannot wait for one.
fn word_for(kind: Kind, owner: &Key, keys: &[Key], now: Timestamp) -> Vec<Signer> {
    if !gives_word(kind, owner, keys) || !owner.counts(now) {
        return Vec::new();
    }
    on_paper::checked_people(keys, &owner.email)
        .filter(|key| key.counts(now))
        .map(|key| Signer {
            role: key.role,
            person: key.person.clone(),
            email: key.email.clone(),
            fingerprint: owner.fingerprint(),
            way: Way::Word { checker: owner.person.clone() },
        })
        .collect()
}

fn roles(kind: Kind) -> String {
    kind.signers().iter().map(|(role, _)| role.name()).collect::<Vec<_>>().join(", ")
}

/// The signatures that are demanded and not there.
fn absent(kind: Kind, version: u64, keys: &[Key], signers: &[Signer]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (role, demand) in kind.signers() {
        let signed = |key: &Key| signers.iter().any(|s| s.role == *role && s.email == key.email);
        let listed: Vec<&Key> = keys.iter().filter(|key| key.role == *role).collect();
        let missing: Vec<&Key> = match demand {
            Demand::Named => continue,
            Demand::EveryOnChange if version < 2 => continue,
            Demand::Every | Demand::EveryOnChange => {
                let mut missing: Vec<&Key> = listed.iter().filter(|key| !signed(key)).copied().collect();
                missing.dedup_by(|a, b| a.email == b.email);
                missing
            }
            Demand::One if listed.iter().any(|key| signed(key)) => continue,
            Demand::One => listed.iter().take(1).copied().collect(),
        };
        for key in &missing {
            let who = match demand {
                Demand::One => format!("{} has not signed this {}", a(role.name()), kind.name()),
                _ => format!("{} ({}) has not signed this {}", key.person, role.name(), kind.name()),
            };
            findings.push(Finding::new(&ABSENT, who).help(how(kind, key)));
        }
        if listed.is_empty() {
            let message =
                format!("the contract lists no {}, who must sign this {}", role.name(), kind.name());
            findings.push(Finding::new(&ABSENT, message));
        }
    }
    findings
}

/// How this kind of paper is signed.
fn how(kind: Kind, key: &Key) -> String {
    let command = match kind {
        Kind::Contract => "contract",
        Kind::Survey => "mandate",
        Kind::Codes => "codes",
        Kind::Mapping => "mapping",
        Kind::Differences => "differences",
        Kind::Comparison => "compare",
        Kind::Acceptance => "accept",
        Kind::Certificate => "certify",
        Kind::Reference => "reference",
        Kind::Instruction => "instruction",
        Kind::Recipient => "recipient",
        Kind::Receipt => "receipt",
        Kind::ReturnRecipient => return returned("recipient", kind),
        Kind::ReturnReceipt => return returned("receipt", kind),
        Kind::Session => return "ecluse session new --key FILE".to_owned(),
        Kind::Destruction => return "ecluse copies sign ID --key FILE".to_owned(),
        Kind::Answer => return "ecluse instruction answer N 'words' --key FILE".to_owned(),
        Kind::Status => return "ecluse instruction status --key FILE".to_owned(),
        Kind::Manifest => {
            return "its sender signs it as the archive is made: ask the sender for manifest.toml.sigs, or for the archive anew"
                .to_owned();
        }
        Kind::Paper => return String::new(),
    };
    if let Some(route) = &key.on_paper {
        return format!(
            "{} signs the printed page; then {} checks it: ecluse {command} sign --on-paper SCAN --key KEY",
            key.person, route.checker
        );
    }
    format!(
        "ecluse {command} sign --key KEY (in a trial without --key); or ssh-keygen -Y sign -n {} -f KEY FILE, \
         then ecluse {command} sign --adopt FILE.sig",
        kind.namespace()
    )
}

/// The same of the papers of a return.
fn returned(command: &str, kind: Kind) -> String {
    format!(
        "ecluse {command} sign --return --key KEY (in a trial without --key); or ssh-keygen -Y sign -n {} -f KEY FILE, \
         then ecluse {command} sign --return --adopt FILE.sig",
        kind.namespace()
    )
}

/// What a refusal of the signature means for this document.
fn refused(kind: Kind, file: &str, refused: Refused) -> Finding {
    let (code, help): (&'static Code, String) = match refused {
        Refused::NotASignature | Refused::NotCanonical | Refused::HighS => (
            &FORM,
            "adopt it: `ecluse … sign --adopt FILE.sig` rewrites it to its one form, and checks it"
                .to_owned(),
        ),
        Refused::Namespace => {
            (&NAMESPACE, format!("sign again: ssh-keygen -Y sign -n {} …", kind.namespace()))
        }
        Refused::False => (
            &FALSE,
            format!(
                "the {} was changed after it was signed, or the signature is of another file",
                kind.name()
            ),
        ),
        Refused::NoUserPresence | Refused::NoUserVerification => {
            (&TOUCH, "sign again with the key's touch, and its PIN where the contract demands it".to_owned())
        }
        _ => (&PROFILE, "sign with an ed25519 key or a hardware (sk) key, by ssh-keygen -Y sign".to_owned()),
    };
    Finding::new(code, format!("{file}: {refused}")).help(help)
}
