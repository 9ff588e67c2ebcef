//! Reading the journal is an act too: noted under the session of whoever reads.

use ecluse_adapters::folder::RunFolder;
use ecluse_core::fault::Result;
use ecluse_flow::event::{Act, Leaf, Outcome};
use ecluse_flow::ports::Record as _;

use crate::commands::Here;
use crate::papers::{chain, quietly, standing};
use crate::{output, ready};

/// Where acts are noted that belong to no run: a folder like a run's, with events alone.
pub(crate) const ACTS: &str = "acts";

/// Notes an act on the journal of this origin, durably; the next command takes the line in.
///
/// Who has no session in this folder (an auditor with a copy, the controller) leaves no line: nobody is named
/// who did not sign for it. It is said.
pub(crate) fn noted(here: &Here, origin: &str) {
    match session(here) {
        Some(session) => {
            if let Err(fault) = note(here, &session, Act::JournalRead, origin) {
                output::warning(format!(
                    "this reading is not noted: {}: {}",
                    fault.code().title,
                    fault.detail()
                ));
            }
        }
        None => output::remark("This reading is not noted: there is no session in force here."),
    }
}

/// The id of the session in force, if there is one.
pub(crate) fn session(here: &Here) -> Option<String> {
    quietly(|| {
        let (contract, _) = standing::contract(&here.folder, None, here.now).ok()?;
        let (session, _) = chain::session(&here.folder, None, &contract, here.now).ok()?;
        Some(session.header().id.clone())
    })
}

/// Writes one line into the folder of acts; durable when it returns.
///
/// # Errors
///
/// The folder's.
pub(crate) fn note(here: &Here, session: &str, act: Act, object: &str) -> Result<()> {
    let mut record = RunFolder::open(&here.folder.path(None, ACTS), &here.journal())?;
    record.append(Leaf::new(&ready::world(), session, act, object, &Outcome::Begun)?)
}
