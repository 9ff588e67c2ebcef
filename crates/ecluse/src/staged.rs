//! The staging folder that the instruction names, looked at before a command does anything with the run.

use std::path::Path;

use ecluse_adapters::folder::RunFolder;
use ecluse_adapters::staging::Folder;
use ecluse_core::count::{count, plural};
use ecluse_core::fault::Result;
use ecluse_flow::staged::sweep;

use crate::output;
use crate::ready::{self, Ready};

impl Ready {
    /// Destroys what a process of this run that died left in its staging folder, and says so; nothing where
    /// the instruction names none.
    ///
    /// # Errors
    ///
    /// `ECL-SRC-624` where something else stands there, `ECL-SRC-627` where it is another folder than the one
    /// in which rows were staged, `ECL-SRC-625`, `ECL-SRC-626`; the run folder's.
    pub(crate) fn swept(&self, record: &mut RunFolder) -> Result<()> {
        let Some(named) = &self.chain.instruction.order().source.staging else { return Ok(()) };
        let folder = Folder::open(Path::new(&named.value))?;
        let swept = self.with_orders(|orders| sweep(orders, &folder, record, ready::world()))?;
        if swept.parts > 0 {
            output::remark(format!(
                "destroyed {} ({} bytes) that a process which died had left in the staging folder; nobody could open them",
                plural(swept.parts, "sealed part", "sealed parts"),
                count(swept.bytes)
            ));
        }
        Ok(())
    }

    /// As [`Ready::swept`], for a command that reads no source and stages nothing: a folder that is not to be
    /// had, or that others use, is told and holds nothing up.
    pub(crate) fn swept_if_can_be(&self, record: &mut RunFolder) {
        if let Err(fault) = self.swept(record) {
            output::warning(format!(
                "the staging folder was not looked at ({}); the next run looks again: ecluse explain {}",
                fault.code().title,
                fault.code().id
            ));
        }
    }
}
