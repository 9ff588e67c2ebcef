//! Coded errors. A code is a page in `docs/errors/`; a message names the place, never the value.
//!
//! Rules:
//! 1. `detail` names files, tables, columns, codes, row tokens. It never holds a
//!    value read from a database, a row key, a secret, or the text of a driver's error.
//! 2. `help` is what to do now, as an imperative sentence or a command to type.
//! 3. A code is declared once, as a `static`, in the module that raises it, and has
//!    a page `docs/errors/<id>.md`; `cargo xtask check` holds the two together.
//! 4. Codes appear in reports for ten years: never renamed, never given another meaning.

use std::fmt;

/// What the process's exit code says of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 1: a check refused, or something differs.
    Refused,
    /// 2: the command was used wrongly.
    Usage,
    /// 3: something outside failed (a server, a disk); trying again may help.
    Outside,
}

impl Exit {
    /// The process exit code: 1, 2 or 3 (0 is kept for "all holds").
    #[must_use]
    pub const fn status(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Outside => 3,
        }
    }
}

/// An error code, declared as a `static` beside the check that raises it.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `ECL-AREA-NNN`, for instance `ECL-INS-014`.
    pub id: &'static str,
    /// The message's first words, lower case, no final stop.
    pub title: &'static str,
    /// What the process's exit code says.
    pub exit: Exit,
}

impl Code {
    /// A refusal: exit code 1.
    #[must_use]
    pub const fn refused(id: &'static str, title: &'static str) -> Self {
        Self { id, title, exit: Exit::Refused }
    }

    /// Wrong use: exit code 2.
    #[must_use]
    pub const fn usage(id: &'static str, title: &'static str) -> Self {
        Self { id, title, exit: Exit::Usage }
    }

    /// Something outside failed: exit code 3.
    #[must_use]
    pub const fn outside(id: &'static str, title: &'static str) -> Self {
        Self { id, title, exit: Exit::Outside }
    }

    /// Begins a fault with this code; `detail` names the place, never a value.
    pub fn fault(&'static self, detail: impl Into<String>) -> Fault {
        Fault(Box::new(Inner { code: self, detail: detail.into(), help: String::new() }))
    }
}

/// A coded error: what happened, where, what to do now.
///
/// `Display` prints `error[ECL-INS-014]: title: detail` and the help on a line of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault(Box<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    code: &'static Code,
    detail: String,
    help: String,
}

impl Fault {
    /// Adds what to do now: a sentence in the imperative, or the command to type.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = help.into();
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &'static Code {
        self.0.code
    }

    /// Where it happened: names only.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What to do now; may be empty.
    #[must_use]
    pub fn advice(&self) -> &str {
        &self.0.help
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.0.code.id, self.0.code.title)?;
        if !self.0.detail.is_empty() {
            write!(f, ": {}", self.0.detail)?;
        }
        if !self.0.help.is_empty() {
            write!(f, "\n  help: {}", self.0.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// A result whose error is a coded [`Fault`].
pub type Result<T, E = Fault> = std::result::Result<T, E>;
