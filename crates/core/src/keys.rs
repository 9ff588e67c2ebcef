//! The contract's keys: whose, in which role, until when, and how each was checked.

use std::fmt::Write as _;
use std::ops::Range;

use ecluse_sign::PublicKey;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::document::Kind;
use crate::person::Role;
use crate::signatures;

/// One line of the contract's register: a person, a role, a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The role.
    pub role: Role,
    /// The person's first and last name.
    pub person: String,
    /// The person's own address.
    pub email: String,
    /// The public key; `None` for the administrator, who signs nothing, and for whoever signs on paper.
    pub public: Option<PublicKey>,
    /// The person signs by hand: the address of the person who checks it. Then there is no `public`.
    pub on_paper: Option<OnPaper>,
    /// Where the fingerprint stands in the paper contract, or that this person signs on paper; always
    /// there on the controller's side.
    pub paper: Option<String>,
    /// The last day on which the key counts (UTC).
    pub until: Date,
    /// How the key was checked.
    pub enrolment: Enrolment,
    /// Recipients only, and always: the legal entity for which the person receives.
    pub entity: Option<String>,
    /// When the person committed to confidentiality (GDPR Art. 28(3)(b)); always there for operators and
    /// recipients.
    pub confidentiality: Option<Date>,
    /// When the person was last trained, where it is kept.
    pub training: Option<Date>,
    /// The line's place in the contract.
    pub span: Range<usize>,
}

/// How a person without a key signs ([`crate::on_paper`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnPaper {
    /// The address of the one person who checks these signatures; lower case.
    pub checker: String,
}

/// How it was made sure that a key is its person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// In words: read back by telephone on the published number, compared face to face.
    pub how: String,
    /// Who checked; never the key's own holder.
    pub by: String,
    /// When.
    pub on: Date,
}

impl Key {
    /// Whether the key counts at this moment: from its enrolment to its last day, both included.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> bool {
        let today = day(now);
        self.enrolment.on <= today && today <= self.until
    }

    /// `SHA256:…` as `ssh-keygen -l` prints it; empty where there is no key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.public.as_ref().map(PublicKey::fingerprint).unwrap_or_default()
    }
}

/// OpenSSH's `allowed_signers` lines of these keys (ssh-keygen(1), "ALLOWED SIGNERS").
pub(crate) fn allowed_signers(keys: &[Key]) -> String {
    let mut text = String::new();
    for key in keys {
        let Some(line) = key.public.as_ref().and_then(|public| public.to_openssh().ok()) else { continue };
        let namespaces: Vec<&str> = Kind::ALL
            .into_iter()
            .filter(|kind| signatures::may_sign(*kind, key, keys))
            .map(Kind::namespace)
            .collect();
        if namespaces.is_empty() {
            continue;
        }
        // `until` is the last day; `valid-before` is the first moment after it
        let after = key.until.tomorrow().unwrap_or(key.until);
        // writing to a String cannot fail
        let _ = writeln!(
            text,
            "{} namespaces=\"{}\",valid-after=\"{}Z\",valid-before=\"{}Z\" {line}",
            key.email,
            namespaces.join(","),
            key.enrolment.on.strftime("%Y%m%d"),
            after.strftime("%Y%m%d"),
        );
    }
    text
}

/// The day of a moment, in UTC.
#[must_use]
pub fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}
