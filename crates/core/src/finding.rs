//! What a check of a document found: a code, the place in its text, the law, what to write instead.
//!
//! A check gives all findings at once, in the order of the document, so that one
//! reading mends them all; `core::diagnostics` draws them as a compiler would.

use std::ops::Range;

use crate::fault::{Code, Fault};

/// One thing wrong with a document. The rules of [`crate::fault`] hold for its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The code; its title are the message's first words.
    pub code: &'static Code,
    /// Bytes of the document's text that it points at; `None` where something is absent as a whole.
    pub span: Option<Range<usize>>,
    /// What is wrong here: names of the document, never a value from a database.
    pub message: String,
    /// The law or standard that asks for it, by article, where it matters.
    pub law: Option<&'static str>,
    /// What to write instead, or the command to type.
    pub help: Option<String>,
    /// The document's file, where more than one is checked together; `None` is the one being checked.
    pub file: Option<String>,
    /// Other places that explain it, in this document or in another.
    pub also: Vec<Place>,
}

/// Another place that explains a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name, as it was given to the check.
    pub file: String,
    /// Bytes of that file's text.
    pub span: Range<usize>,
    /// What stands there, in a few words.
    pub label: String,
}

impl Finding {
    /// A finding without a place.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code,
            span: None,
            message: message.into(),
            law: None,
            help: None,
            file: None,
            also: Vec::new(),
        }
    }

    /// Points at bytes of the document's text.
    #[must_use]
    pub fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    /// Names the law or standard, by article.
    #[must_use]
    pub const fn law(mut self, law: &'static str) -> Self {
        self.law = Some(law);
        self
    }

    /// Says what to write instead, or which command to type.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names the file, where several are checked together.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Shows another place.
    #[must_use]
    pub fn also(mut self, file: impl Into<String>, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also.push(Place { file: file.into(), span, label: label.into() });
        self
    }

    /// The finding as a fault, for a caller that stops at the first one.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let fault = self.code.fault(self.message.clone());
        match &self.help {
            Some(help) => fault.help(help.clone()),
            None => fault,
        }
    }
}

/// The first finding as a fault that says how many more there are; `Ok` where there is none.
///
/// # Errors
/// The first finding.
pub fn refuse(findings: &[Finding]) -> Result<(), Fault> {
    let Some(first) = findings.first() else { return Ok(()) };
    let more = findings.len() - 1;
    let detail = match more {
        0 => first.message.clone(),
        1 => format!("{} (and 1 more finding)", first.message),
        n => format!("{} (and {n} more findings)", first.message),
    };
    let fault = first.code.fault(detail);
    Err(match &first.help {
        Some(help) => fault.help(help.clone()),
        None => fault,
    })
}
