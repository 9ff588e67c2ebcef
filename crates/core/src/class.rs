//! Classes of data: what a column is about, before the law and the instruction.

use std::fmt;

/// What a column holds. Every column of a dictionary has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Who the patient is: names, birth date, sex, internal patient number.
    Identity,
    /// How the patient is reached: address, telephone, e-mail.
    Contact,
    /// A national identifier: NIR, INS, passport (GDPR Art. 87; French Data Protection Act Art. 30).
    NationalIdentifier,
    /// Somebody else: spouse, parent, prescriber, contact person.
    ThirdParty,
    /// People who work at the laboratory.
    Staff,
    /// A result or an act of the laboratory (GDPR Art. 9: data concerning health).
    Result,
    /// A result with a stigma of its own: HIV, genetics, blood group, toxicology, pregnancy.
    SensitiveResult,
    /// Text that anybody may have written anything into.
    FreeText,
    /// A file, an image, a document.
    Attachment,
    /// A password, hash, token, key or secret.
    Credential,
    /// Prices, invoices, insurance.
    Billing,
    /// Quality management: controls, calibration, non-conformities.
    Quality,
    /// Who did what and when, in the software.
    Audit,
    /// Keys, codes, settings, reference data: nothing about a person by itself.
    Technical,
}

impl Class {
    /// All of them, in the order in which documents list them.
    pub const ALL: [Self; 14] = [
        Self::Identity,
        Self::Contact,
        Self::NationalIdentifier,
        Self::ThirdParty,
        Self::Staff,
        Self::Result,
        Self::SensitiveResult,
        Self::FreeText,
        Self::Attachment,
        Self::Credential,
        Self::Billing,
        Self::Quality,
        Self::Audit,
        Self::Technical,
    ];

    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Contact => "contact",
            Self::NationalIdentifier => "national identifier",
            Self::ThirdParty => "third party",
            Self::Staff => "staff",
            Self::Result => "result",
            Self::SensitiveResult => "sensitive result",
            Self::FreeText => "free text",
            Self::Attachment => "attachment",
            Self::Credential => "credential",
            Self::Billing => "billing",
            Self::Quality => "quality",
            Self::Audit => "audit",
            Self::Technical => "technical",
        }
    }

    /// The class of a word; `-` and `_` count as a space.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let plain = name.replace(['-', '_'], " ");
        Self::ALL.into_iter().find(|class| class.name() == plain)
    }

    /// Whether a column of this class moves only with a reason of its own (GDPR Art. 5(1)(c)).
    #[must_use]
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::FreeText | Self::ThirdParty | Self::Staff)
    }

    /// Whether a value of this class may name somebody, so that it is repeated in no report.
    #[must_use]
    pub const fn names_a_person(self) -> bool {
        match self {
            Self::Identity
            | Self::Contact
            | Self::NationalIdentifier
            | Self::ThirdParty
            | Self::Staff
            | Self::FreeText
            | Self::Credential => true,
            Self::Result
            | Self::SensitiveResult
            | Self::Attachment
            | Self::Billing
            | Self::Quality
            | Self::Audit
            | Self::Technical => false,
        }
    }

    /// Whether small counts of rows say something about a person, so that a report prints "<5".
    #[must_use]
    pub const fn sensitive(self) -> bool {
        matches!(self, Self::SensitiveResult)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
