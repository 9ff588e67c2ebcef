//! From a migration that was moved or sealed to its certificate: the same commands of either way.

use std::path::{Path, PathBuf};

use ecluse_adapters::folder::{erasure, figures, residue};
use ecluse_core::count::{number, plural};
use ecluse_core::fault::Result;

use super::UNLIKELY;
use super::typed::typed;
use crate::{evidence, output};

/// The end of one migration; each command is typed in the demonstration's folder.
pub(super) struct Ending {
    /// `ecluse`, or with the migration folder it is about.
    pub(super) ecluse: String,
    /// The migration folder.
    pub(super) folder: PathBuf,
    /// The option that says what opens the run's state, where it does not lie in the migration folder.
    pub(super) identity: &'static str,
}

impl Ending {
    /// Accepted by the laboratory.
    pub(super) fn accepted(&self) -> Result<()> {
        let ecluse = &self.ecluse;
        let run = self.folder.join("run");
        typed(&format!("{ecluse} accept propose --lang en"))?;
        typed(&format!("{ecluse} accept sign --key keys/controller-signatory"))?;
        let rows = figures(&run)?.map(|figures| figures.moved_rows()).unwrap_or_default();
        output::line(format!(
            "accept       Claire Fontaine accepts for the laboratory: {} as they stand; no undo from here on",
            plural(rows, "row", "rows")
        ));
        Ok(())
    }

    /// Erased, looked for, certified by the publisher; gives the evidence.
    pub(super) fn certified(&self) -> Result<PathBuf> {
        let Self { ecluse, identity, .. } = self;
        let run = self.folder.join("run");
        typed(&format!("{ecluse} erase"))?;
        typed(&format!("{ecluse} erase --look{identity}"))?;
        output::line(format!("erase        {}", erased(&run)?));
        typed(&format!("{ecluse} certify propose"))?;
        typed(&format!("{ecluse} certify sign --key keys/processor-signatory"))?;
        let evidence = self.folder.join(evidence::FILE);
        if !evidence.is_file() {
            return Err(UNLIKELY.fault(evidence::FILE));
        }
        output::line("certify      Paul Serrano certifies for the publisher what was erased and looked for");
        Ok(evidence)
    }

    /// The run's keys destroyed.
    pub(super) fn closed(&self) -> Result<()> {
        typed(&format!("{} close{}", self.ecluse, self.identity))?;
        output::line("close        the run's keys are destroyed: no tally can be recomputed any more");
        Ok(())
    }
}

/// What is gone, what was sought, and where.
fn erased(run: &Path) -> Result<String> {
    let gone = erasure(run)?.map_or(0, |erasure| number(erasure.done.len()));
    let gone =
        if gone == 0 { "nothing was due".to_owned() } else { plural(gone, "thing", "things") + " gone" };
    let look = residue(run)?.ok_or_else(|| UNLIKELY.fault("residue"))?;
    let places = plural(number(look.looked.len()), "place", "places");
    Ok(match (look.sought, look.looked.first()) {
        (1.., Some(place)) => format!("{gone}; {} sought in {places}: none found", place.sought),
        _ => format!("{gone}; no value of these tables is one person's alone: {places}, nothing to look for"),
    })
}
