//! Who signed a document, and whether everybody has who must.
//!
//! Signatures lie in `FILE.sigs/`, one file each. The policy is "all of": every file there
//! is a valid signature by a key of the contract whose role may sign this kind of
//! document, and every person signed whom [`Kind::signers`] demands.

use ecluse_sign::{Demands, PrivateKey, Refused, Signature, Verified, canonical};
use jiff::Timestamp;

use crate::digest;
use crate::document::{self, Demand, Kind};
use crate::fault::{Code, Fault};
use crate::finding::Finding;
use crate::keys::Key;
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
    /// The key's fingerprint.
    pub fingerprint: String,
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
    verified: Verified<Vec<u8>>,
    signers: Vec<Signer>,
}

impl Signed {
    /// The signed bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Vec<u8> {
        self.verified.content()
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
    let mut verified = None;
    for file in files {
        match one(kind, bytes, file, keys, demands, now) {
            Ok(signed) => {
                verified = Some(signed.verified);
                signers.extend(signed.signers);
            }
            Err(more) => findings.extend(more),
        }
    }
    findings.extend(absent(kind, version, keys, &signers));
    match verified {
        Some(verified) if findings.is_empty() => Ok(Signed { verified, signers }),
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
    if entitled.is_empty() {
        let message =
            format!("{}: {} ({}) may not sign a {}", file.name, owner.person, owner.role.name(), kind.name());
        return Err(vec![Finding::new(&ROLE, message).help(format!(
            "a {} is signed by: {}",
            kind.name(),
            roles(kind)
        ))]);
    }
    let counting: Vec<Signer> = entitled
        .iter()
        .filter(|key| key.counts(now))
        .map(|key| Signer {
            role: key.role,
            person: key.person.clone(),
            email: key.email.clone(),
            fingerprint: claimed.fingerprint(),
        })
        .collect();
    if counting.is_empty() {
        let message = format!(
            "{}: the key of {} counts from {} to {}",
            file.name, owner.person, owner.enrolment.on, owner.until
        );
        return Err(vec![
            Finding::new(&STALE, message).help("enrol a new key by an amendment of the contract"),
        ]);
    }
    Ok(Signed { verified, signers: counting })
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
                Demand::One => format!("a {} has not signed this {}", role.name(), kind.name()),
                _ => format!("{} ({}) has not signed this {}", key.person, role.name(), kind.name()),
            };
            findings.push(Finding::new(&ABSENT, who).help(how(kind)));
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
fn how(kind: Kind) -> String {
    let command = match kind {
        Kind::Contract => "contract",
        Kind::Survey => "mandate",
        Kind::Codes => "codes",
        Kind::Instruction => "instruction",
        Kind::Session => return "ecluse session new --key FILE".to_owned(),
        Kind::Status => return "ecluse instruction status --key FILE".to_owned(),
    };
    format!(
        "ecluse {command} sign --key KEY (in a trial without --key); or ssh-keygen -Y sign -n {} -f KEY FILE, \
         then ecluse {command} sign --adopt FILE.sig",
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
