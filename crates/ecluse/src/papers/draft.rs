//! Writes the short papers that need no editor: headers, sessions, statuses.

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_core::status::State;
use jiff::{SignedDuration, Timestamp};

use crate::chance;

/// What a new document's header needs beyond its kind.
#[derive(Clone, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) kind: Kind,
    pub(crate) version: u64,
    /// The digest of the version before.
    pub(crate) supersedes: Option<&'a str>,
    /// The contract's digest; absent in a contract.
    pub(crate) contract: Option<&'a str>,
    pub(crate) now: Timestamp,
    pub(crate) lasts: SignedDuration,
    pub(crate) trial: bool,
}

impl Head<'_> {
    /// The `[document]` section, with a random id.
    ///
    /// # Errors
    ///
    /// The random generator's.
    pub(crate) fn write(&self) -> Result<String> {
        let id = HEXLOWER.encode(&chance::bytes::<16>()?);
        let now = whole(self.now);
        let until = whole(now.saturating_add(self.lasts).unwrap_or(now));
        let mut out = String::from("[document]\n");
        let _ = writeln!(out, "format     = {}", quote(self.kind.format()));
        let _ = writeln!(out, "id         = {}", quote(&id));
        let _ = writeln!(out, "version    = {}", self.version);
        if let Some(digest) = self.supersedes {
            let _ = writeln!(out, "supersedes = {}", quote(digest));
        }
        if let Some(digest) = self.contract {
            let _ = writeln!(out, "contract   = {}", quote(digest));
        }
        let _ = writeln!(out, "issued     = {now}\nnot_before = {now}\nnot_after  = {until}");
        if self.trial {
            out.push_str("trial      = true    # TRIAL: every role is played by one person\n");
        }
        Ok(out)
    }
}

/// A session statement.
///
/// # Errors
///
/// The random generator's.
pub(crate) fn session(head: &Head<'_>, operator: &str, email: &str, recipient: &str) -> Result<String> {
    Ok(format!(
        "# Under this session its operator, and nobody else, runs écluse. Signed with the operator's own key.\n\n\
         {}\n[session]\noperator  = {}\nemail     = {}\n\
         # the run's state (tally key, key ranges) is sealed to this age recipient\nrecipient = {}\n",
        head.write()?,
        quote(operator),
        quote(email),
        quote(recipient),
    ))
}

/// A status of an instruction.
///
/// # Errors
///
/// The random generator's.
pub(crate) fn status(head: &Head<'_>, instruction: &str, state: State, reason: Option<&str>) -> Result<String> {
    let reason = reason.map_or(String::new(), |r| format!("reason      = {}\n", quote(r)));
    Ok(format!(
        "# The controller's word on whether the instruction stands. A run asks for it at its start and at every chunk.\n\n\
         {}\n[status]\ninstruction = {}\nstate       = {}\n{reason}",
        head.write()?,
        quote(instruction),
        quote(state.name()),
    ))
}

/// A survey mandate.
///
/// # Errors
///
/// The random generator's.
pub(crate) fn mandate(head: &Head<'_>, purpose: &str, engine: &str, database: &str) -> Result<String> {
    Ok(format!(
        "# Leave to look at a database's catalogue: names, types, keys. No value of any row is read.\n\n\
         {}\n[survey]\npurpose  = {}\nsampling = false\n\n[source]\nengine   = {}\ndatabase = {}\n",
        head.write()?,
        quote(purpose),
        quote(engine),
        quote(database),
    ))
}

/// A TOML string.
pub(crate) fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Fractions of a second say nothing in a paper.
fn whole(t: Timestamp) -> Timestamp {
    Timestamp::from_second(t.as_second()).unwrap_or(t)
}
