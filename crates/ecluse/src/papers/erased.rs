//! What was erased and then looked for, as a certificate takes it: attested by the journal, whole, of this run.

use std::path::Path;

use ecluse_adapters::folder::{erasure, residue};
use ecluse_core::acceptance::Accepted;
use ecluse_core::copies::{Copy, Standing};
use ecluse_core::digest::of_bytes;
use ecluse_core::erasure::{ERASURE, Erasure, Held, RESIDUE, Residue, Side};
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Order;
use ecluse_flow::figures::{Figures, FileFigures, TableFigures};
use jiff::Timestamp;

use crate::copies;
use crate::folder::{self, Folder};

pub(crate) static NOT_ERASED: Code =
    Code::refused("ECL-CRT-010", "what the order has erased is not erased yet");
pub(crate) static NOT_LOOKED: Code =
    Code::refused("ECL-CRT-011", "nobody has looked for what should be gone");
static SURVIVOR: Code = Code::refused("ECL-CRT-012", "something was found that should be gone");

static COPY: Code = Code::refused("ECL-CRT-013", "a copy stands past its day");
static STANDS: Code = Code::refused("ECL-CRT-018", "a copy with patients' data stands");

/// No copy stands past its day, in our reach or out of it, and none with patients' data but the run's own sealed state,
/// which closing takes away, and what is held: the holds, which a certificate tells.
///
/// # Errors
///
/// [`COPY`]; [`STANDS`]; where the ledger of copies cannot be read.
pub(crate) fn copies(folder: &Folder, now: Timestamp) -> Result<Vec<Held>> {
    let ledger = copies::look(folder)?;
    let is_late = |copy: &&Copy| matches!(copy.standing(now), Standing::Due | Standing::Outstanding);
    if let Some(copy) = ledger.copies.iter().find(is_late) {
        return Err(COPY
            .fault(copy.told())
            .help("ecluse erase; of one that somebody took: ecluse copies state ID"));
    }
    if let Some(copy) = ledger.copies.iter().find(|copy| copy.keeps_a_certificate_back(now)) {
        let short = copy.short();
        return Err(STANDS.fault(copy.told()).help(format!(
            "once nothing needs it any more: ecluse erase --copy {short}, then ecluse erase --look; where it has to stay, somebody says why: ecluse hold {short}"
        )));
    }
    Ok(ledger.holds(now))
}

/// An erasure that came to its end, and the look after it that found nothing.
#[derive(Debug)]
pub(crate) struct Gone {
    pub(crate) erasure: Erasure,
    pub(crate) residue: Residue,
    /// The digests of the two files.
    pub(crate) digests: [String; 2],
}

/// What is gone of this run, under this order and after this acceptance.
///
/// # Errors
///
/// [`NOT_ERASED`], also where the order has the source erased and a table of it was not, or not after this
/// acceptance; [`NOT_LOOKED`], also where more was erased since; [`SURVIVOR`]; a file that the journal does not
/// vouch for.
pub(crate) fn of(run: &Path, figures: &Figures, order: &Order, accepted: &Accepted) -> Result<Gone> {
    let erase = |why: &str| NOT_ERASED.fault(why).help("ecluse erase");
    let at_source = |why: String| NOT_ERASED.fault(why).help("ecluse erase --source; ecluse erase --look");
    let look = |why: &str| NOT_LOOKED.fault(why).help("ecluse erase --look");
    let ours = |run: &str, instruction: &str| run == figures.run && instruction == figures.instruction;
    let erasure = erasure(run)?.filter(|erasure| !erasure.ended.is_empty());
    let none = "no erasure has come to its end";
    let erasure = erasure.ok_or_else(|| match order.erasure.source {
        Some(_) => at_source(none.to_owned()),
        None => erase(none),
    })?;
    if !ours(&erasure.run, &erasure.instruction) {
        return Err(erase("what was erased is another run's"));
    }
    let source = erasure.done.iter().any(|one| one.side == Side::Source);
    if source && erasure.acceptance != accepted.digest() {
        return Err(erase("the source was erased after another acceptance than this one"));
    }
    if order.erasure.source.is_some() {
        let mut tables = figures.tables.iter().map(|table| table.source.as_str());
        if let Some(table) = tables.find(|table| !erasure.covers_source(table)) {
            return Err(at_source(format!("the order has the source erased, and {table} is not")));
        }
        let column = |table: &TableFigures, file: &FileFigures| format!("{}.{}", table.source, file.column);
        let mut columns =
            figures.tables.iter().flat_map(|table| table.files.iter().map(move |file| column(table, file)));
        if let Some(column) = columns.find(|column| !erasure.covers_files(column)) {
            return Err(at_source(format!("the order has the source erased, and not the files of {column}")));
        }
    }
    let residue = residue(run)?.filter(|residue| !residue.ended.is_empty());
    let residue = residue.ok_or_else(|| look("not since the last erasure"))?;
    let digest = |name: &str| Ok(of_bytes(&folder::read(&run.join(name), "ecluse erase")?));
    let digests = [digest(ERASURE)?, digest(RESIDUE)?];
    if !ours(&residue.run, &residue.instruction) || residue.erasure != digests[0] {
        return Err(look("not since the last erasure"));
    }
    if residue.looked.is_empty() {
        return Err(look("no place was looked at"));
    }
    // where nothing went at all there need be nothing to look for; the certificate says both
    if residue.sought == 0 && !erasure.done.is_empty() {
        return Err(NOT_LOOKED.fault("there was nothing to look for").help(
            "the destination gave no value about persons, and no copy is gone whose marker could be sought: look while the destination holds what moved, or erase what is due: ecluse erase; then: ecluse erase --look",
        ));
    }
    if residue.closed > 0 {
        return Err(NOT_LOOKED
            .fault(format!("{} of écluse's own places could not be read", residue.closed))
            .help("residue.json says which and why; give this account the right to read them, then: ecluse erase --look"));
    }
    match residue.survivors.first() {
        None => Ok(Gone { erasure, residue, digests }),
        Some(one) => Err(SURVIVOR.fault(format!("{}: {}, of {}", one.place, one.what, one.of)).help(
            "look at it, have it erased (ecluse erase), and look once more; nothing is certified before",
        )),
    }
}
