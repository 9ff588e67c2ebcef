//! The contract between controller and processor: parties, the eight clauses, keys.
//!
//! GDPR Art. 28(3): no processing without a contract that names subject-matter, duration,
//! nature, purpose, data, persons, and holds the clauses (a) to (h). [`check`] lists all that
//! is missing; only [`Contract::in_force`] makes a contract that other steps accept.

mod amendment;
mod check;
mod clauses;
mod read;

use std::ops::Range;

use ecluse_sign::Demands;
use jiff::Timestamp;
use jiff::civil::Date;

pub use amendment::{BEFORE, Earlier};
pub use check::{
    BOTH_SIDES, ENROLMENT, ENTITY, HDS, HDS_EXPIRED, HDS_SOON, KEY, KEY_SOON, NO_COMMITMENT, NOT_EEA, ROLES,
    SUB_PROCESSOR,
};
pub use clauses::{CLAUSES, Letter, TWICE};
pub use read::{
    CONTROLLER, DATA, DURATION, MISSING_KEY, NATURE, PERSONS, POLICY, PROCESSOR, PURPOSE, SAFEGUARDS, SITES,
    SUBJECT, SYNTAX, UNKNOWN_KEY, WRONG_VALUE,
};

use crate::digest;
use crate::document::{self, Header, Kind};
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::keys::{self, Key};
use crate::person::Role;
use crate::signatures::{self, SignatureFile, Signed, Signer};

/// The controller's keys were not compared with fingerprints from elsewhere.
pub static NOT_ESTABLISHED: Code = Code::refused("ECL-CTR-060", "the controller is not established");
/// The paper contract's text is another file.
pub static OTHER_TEXT: Code =
    Code::refused("ECL-CTR-062", "the contract's text is not the file that was signed for");

/// What a contract says; nobody has checked who signed it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The paper contract's own reference.
    pub reference: String,
    /// The file that holds the contract's text, into which the clauses point.
    pub text: String,
    /// The digest of that file.
    pub text_digest: String,
    /// Health data are hosted: each site needs an HDS certificate (CSP Art. L.1111-8).
    pub hds_required: bool,
    /// What is processed and why (GDPR Art. 28(3)).
    pub processing: Processing,
    /// The laboratory.
    pub controller: Party,
    /// The publisher.
    pub processor: Party,
    /// The eight clauses, (a) to (h).
    pub clauses: Vec<Clause>,
    /// What the parties agreed on the worth of these signatures as evidence, where they did.
    pub evidence: Option<Clause>,
    /// Who else touches the data (GDPR Art. 28(2), (4)).
    pub sub_processors: Vec<SubProcessor>,
    /// Where data rest.
    pub sites: Vec<Site>,
    /// The register of keys.
    pub keys: Vec<Key>,
    /// What signatures under this contract must satisfy.
    pub demands: Demands,
}

impl Terms {
    /// Whether nobody in it exists: every address ends in `.example`, which belongs to nobody (RFC 2606).
    #[must_use]
    pub fn is_invented(&self) -> bool {
        !self.keys.is_empty() && self.keys.iter().all(|key| key.email.ends_with(".example"))
    }

    /// Compares the file that holds the contract's text with the digest that both sides signed.
    ///
    /// # Errors
    /// [`OTHER_TEXT`].
    pub fn text_is(&self, file: &[u8]) -> Result<()> {
        let found = digest::of_bytes(file);
        if found == self.text_digest {
            return Ok(());
        }
        let detail = format!("{} is {found}, and {} was signed", self.text, self.text_digest);
        Err(OTHER_TEXT.fault(detail).help("put the file of the signed contract there, or amend the contract"))
    }
}

/// What is processed and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processing {
    /// Subject-matter.
    pub subject_matter: String,
    /// Duration, in words; the header has the dates.
    pub duration: String,
    /// Nature.
    pub nature: String,
    /// Purpose.
    pub purpose: String,
    /// Kinds of personal data.
    pub data: Vec<String>,
    /// Categories of data subjects.
    pub persons: Vec<String>,
    /// Safeguards for sensitive data (GDPR Art. 9).
    pub safeguards: Vec<String>,
}

/// One of the two parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Legal name.
    pub name: String,
    /// Postal address.
    pub address: String,
    /// SIREN, FINESS or another register's number.
    pub registration: String,
    /// Who represents it.
    pub representative: String,
    /// Its data protection officer's address, where it has one.
    pub dpo: Option<String>,
}

/// One clause: where it stands and its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The letter of GDPR Art. 28(3), or `evidence`.
    pub letter: &'static str,
    /// Article and page of the contract's text.
    pub place: String,
    /// The contract's own words.
    pub words: String,
}

/// A sub-processor the controller authorised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubProcessor {
    /// Legal name.
    pub name: String,
    /// What it does, delimited.
    pub tasks: String,
    /// When the controller authorised it.
    pub authorised: Date,
    /// Where the clause stands that lays the same duties on it.
    pub flow_down: String,
    /// The last day of the authorisation.
    pub until: Date,
    /// The entry's place in the contract.
    pub span: Range<usize>,
}

/// A place where data rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// What the parties call it.
    pub name: String,
    /// Town and what rests there.
    pub location: String,
    /// ISO 3166-1 country code.
    pub country: String,
    /// Under which certificate, or that none is needed.
    pub held: Held,
    /// The site's place in the contract.
    pub span: Range<usize>,
}

/// Why a site may hold health data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// The controller's own premises: nobody hosts on its behalf.
    ControllerPremises,
    /// A certified host of health data (CSP Art. L.1111-8, R.1111-9).
    Hds {
        /// Who holds the certificate.
        holder: String,
        /// The certificate's number.
        certificate: String,
        /// Covered activities, 1 to 6.
        activities: Vec<u64>,
        /// The certificate's last day.
        expires: Date,
    },
    /// Neither; refused where health data are hosted.
    Nothing,
}

/// A contract in force: complete, signed by both sides, within its dates.
///
/// There is no other way to one than [`Contract::in_force`]:
///
/// ```compile_fail,E0451
/// # use ecluse_core::contract::Contract;
/// fn forge(real: Contract) -> Contract {
///     Contract { digest: String::new(), ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Contract {
    header: Header,
    terms: Terms,
    signed: Signed,
    digest: String,
}

impl Contract {
    /// Checks everything and opens a contract's first version.
    ///
    /// # Errors
    /// Every fault at once: each missing field and letter by its own code, keys, sites,
    /// dates, signatures. A later version needs [`Contract::in_force_after`].
    pub fn in_force(bytes: &[u8], files: &[SignatureFile], now: Timestamp) -> Result<Self, Vec<Finding>> {
        Self::in_force_after(bytes, files, &[], now)
    }

    /// As [`Contract::in_force`]; `earlier` are the versions before, in any order: every signatory of the
    /// version before has signed this one, with a key that the version before lists.
    ///
    /// # Errors
    /// As [`Contract::in_force`], and [`BEFORE`].
    pub fn in_force_after(
        bytes: &[u8],
        files: &[SignatureFile],
        earlier: &[Earlier],
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let (header, terms) = open(bytes)?;
        let mut findings = check::standing(&header, &terms, now);
        let signed = amendment::check(&header, bytes, files, &terms.keys, earlier).and_then(|files| {
            signatures::check(Kind::Contract, header.version, bytes, &files, &terms.keys, terms.demands, now)
        });
        match signed {
            Ok(signed) if findings.is_empty() => {
                Ok(Self { header, terms, signed, digest: digest::of_bytes(bytes) })
            }
            Ok(_) => Err(findings),
            Err(more) => {
                findings.extend(more);
                Err(findings)
            }
        }
    }

    /// What the contract says.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Its header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The digest other documents cite.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Who signed it.
    #[must_use]
    pub fn signers(&self) -> &[Signer] {
        self.signed.signers()
    }

    /// The keys of a role.
    pub fn keys(&self, role: Role) -> impl Iterator<Item = &Key> {
        self.terms.keys.iter().filter(move |key| key.role == role)
    }

    /// The register of keys in the form of `ssh-keygen -Y verify -f`: an auditor checks every
    /// signature with OpenSSH alone. Each line names the namespaces of its role, since a
    /// line without them would accept every one, and the days on which the key counts.
    #[must_use]
    pub fn allowed_signers(&self) -> String {
        keys::allowed_signers(&self.terms.keys)
    }

    /// What is still in order and soon will not be: certificates within 90 days of their
    /// last day, keys within 30.
    #[must_use]
    pub fn warnings(&self, now: Timestamp) -> Vec<Finding> {
        check::warnings(&self.terms, now)
    }

    /// Compares every key of the controller's signatories, and of whoever checks their paper signatures, with fingerprints that came another way: from
    /// the paper contract, by telephone. Without that, a contract proves only that
    /// somebody made two sides' keys.
    ///
    /// # Errors
    /// [`NOT_ESTABLISHED`], naming the person whose fingerprint is not among those given.
    pub fn established(&self, fingerprints: &[String]) -> Result<()> {
        for key in self.keys(Role::ControllerSignatory).flat_map(|key| self.answering(key)) {
            let fingerprint = key.fingerprint();
            if !fingerprints.contains(&fingerprint) {
                let detail = format!("nothing from outside confirms the key {fingerprint} of {}", key.person);
                let place = key.paper.clone().unwrap_or_default();
                return Err(NOT_ESTABLISHED.fault(detail).help(format!(
                    "read the fingerprint from the paper contract ({place}) and write it into fingerprints.txt: SHA256:…"
                )));
            }
        }
        Ok(())
    }

    /// The keys that stand for a signatory: the own one, or those of whoever checks what is signed on paper.
    fn answering<'k>(&'k self, signatory: &'k Key) -> Vec<&'k Key> {
        match &signatory.on_paper {
            None => vec![signatory],
            Some(route) => self.terms.keys.iter().filter(|key| key.email == route.checker).collect(),
        }
    }

    /// Opens a document made under this contract: its header, dates, contract, trial mark, signatures.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn open(
        &self,
        kind: Kind,
        bytes: &[u8],
        files: &[SignatureFile],
        now: Timestamp,
    ) -> Result<(Header, Signed), Vec<Finding>> {
        let text = document::text(bytes)?;
        let header = document::header(text, kind)?;
        let mut findings = Vec::new();
        findings.extend(header.objection(now));
        if header.contract.as_deref() != Some(self.digest.as_str()) {
            let message = format!("this {} cites another contract than {}", kind.name(), self.digest);
            let cited = header.contract.as_deref().unwrap_or_default();
            let mut finding = Finding::new(&document::OTHER_CONTRACT, message);
            if let Some(at) = text.find(cited) {
                finding = finding.at(at..at + cited.len());
            }
            findings.push(finding.help("write this contract's digest, and have the document signed again"));
        }
        if header.trial != self.header.trial {
            let (this, that) =
                if header.trial { ("a trial's", "not") } else { ("not a trial's", "a trial's") };
            let message = format!("this {} is {this}, its contract is {that}", kind.name());
            findings.push(Finding::new(&document::TRIAL, message));
        }
        match self.signatures(kind, header.version, bytes, files, now) {
            Ok(signed) if findings.is_empty() => Ok((header, signed)),
            Ok(_) => Err(findings),
            Err(more) => {
                findings.extend(more);
                Err(findings)
            }
        }
    }

    /// Checks the signatures alone: for code tables, which have no header.
    ///
    /// # Errors
    /// One finding per bad or absent signature.
    pub fn signatures(
        &self,
        kind: Kind,
        version: u64,
        bytes: &[u8],
        files: &[SignatureFile],
        now: Timestamp,
    ) -> Result<Signed, Vec<Finding>> {
        signatures::check(kind, version, bytes, files, &self.terms.keys, self.terms.demands, now)
    }
}

/// Everything wrong with a contract's text, signatures apart; empty is right.
#[must_use]
pub fn check(text: &str, now: Timestamp) -> Vec<Finding> {
    match open(text.as_bytes()) {
        Ok((header, terms)) => check::standing(&header, &terms, now),
        Err(findings) => findings,
    }
}

/// Reads a contract whatever its dates and signatures.
///
/// # Errors
/// Everything wrong with its form and content, in the order of the document.
pub fn open(bytes: &[u8]) -> Result<(Header, Terms), Vec<Finding>> {
    let text = document::text(bytes)?;
    let header = document::header(text, Kind::Contract);
    // an unknown format is said alone: the rest may mean something else there
    if let Err(findings) = &header
        && findings.iter().any(|f| f.code == &document::FORMAT)
    {
        return Err(findings.clone());
    }
    let terms = read::terms(text);
    match (header, terms) {
        (Ok(header), Ok(terms)) => Ok((header, terms)),
        (header, terms) => {
            let mut findings = header.err().unwrap_or_default();
            findings.extend(terms.err().unwrap_or_default());
            // the two readers both say that it is not TOML
            findings.dedup_by(|a, b| a.span == b.span && a.message == b.message);
            Err(findings)
        }
    }
}
