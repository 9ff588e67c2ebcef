//! What is returned to the controller: the statement of its key, what was sealed to it, its receipt.

use std::path::Path;

use ecluse_core::contract::Contract;
use ecluse_core::count::plural;
use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::document::{Header, Kind};
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::{self, Order, returning};
use ecluse_core::manifest::Manifest;
use ecluse_core::receipt::{OTHER, RETURN_FILE, Receipt};
use ecluse_core::recipient::{self, Recipient};
use ecluse_core::signatures::ABSENT;
use jiff::Timestamp;

use super::chain::Chain;
use super::ending::Stood;
use super::sealed::{self, Kept};
use super::{Paper, lasting, quietly, refusal, standing};
use crate::folder::Folder;
use crate::papers::recipient::whole_key;

pub(crate) static NOT_RETURNED: Code =
    Code::refused("ECL-RET-010", "a class that is to be returned to the laboratory was not");
static NOT_SEALED_HERE: Code =
    Code::refused("ECL-RET-011", "the receipt of a return is of no archive that was made here");

static OTHER_MANIFEST: Code = Code::refused(
    "ECL-RET-016",
    "the laboratory's receipt is of another archive than the manifest here lists",
);

/// What helps where the run folder of the return holds nothing.
const RESTORE: &str =
    "restore the folder return from a copy: its receipt belongs where ecluse return made the archive";

/// The run folder of a return.
pub(crate) const RUN: &str = "return";
/// The manifest of the last archive, as it lies beside the papers.
pub(crate) const MANIFEST: &str = "return-manifest.toml";
/// The command that makes the statement.
pub(crate) const STATED_BY: &str = "ecluse recipient new --return";
/// The command that seals it.
pub(crate) const SEALED_BY: &str = "ecluse return -o ARCHIVE --key FILE";
/// The command that makes the receipt.
pub(crate) const RECEIVED_BY: &str = "ecluse open ARCHIVE --identity FILE --receipt";

/// The controller's statement in force.
///
/// # Errors
///
/// Every fault of the statement; a key whose check sum is wrong.
pub(crate) fn in_force(path: &Path, contract: &Contract, now: Timestamp) -> Result<(Recipient, Paper)> {
    let paper = Paper::read(path, STATED_BY)?;
    let stated = paper.judge(Recipient::of_controller(&paper.bytes, &paper.signatures, contract, now))?;
    whole_key(&stated, STATED_BY)?;
    Ok((stated, paper))
}

/// The statement that an order cites under `[return]`: in force, and the one that is cited. `None` of an order that
/// cites none. `drawn` is where the order was read and its text, to show findings in.
///
/// # Errors
///
/// As [`in_force`]; every point in which order and statement disagree.
pub(crate) fn cited(
    folder: &Folder,
    drawn: (&Path, &str),
    (order, header): (&Order, &Header),
    contract: &Contract,
    now: Timestamp,
) -> Result<Option<(Recipient, Paper)>> {
    let Some(back) = &order.back else { return Ok(None) };
    let (stated, paper) = in_force(&folder.path(None, recipient::RETURN_FILE), contract, now)?;
    stated.is_cited(&back.to, header).map_err(|findings| refusal(drawn.0, drawn.1, &findings))?;
    Ok(Some((stated, paper)))
}

/// As [`cited`], of an order that may not be signed yet.
///
/// # Errors
///
/// As [`cited`]; the contract's.
pub(crate) fn named(
    folder: &Folder,
    drawn: (&Path, &str),
    stated: (&Order, &Header),
    now: Timestamp,
) -> Result<Option<Recipient>> {
    if stated.0.back.is_none() {
        return Ok(None);
    }
    let (contract, _) = standing::contract(folder, None, now)?;
    Ok(cited(folder, drawn, stated, &contract, now)?.map(|(recipient, _)| recipient))
}

/// The controller's receipt of a return that was made in this folder, and what was kept of its archive.
#[derive(Debug)]
pub(crate) struct Returned {
    pub(crate) receipt: Receipt,
    pub(crate) kept: Kept,
}

/// The receipt in the folder: signed by whoever stated the key, of an archive that was sealed here under this order,
/// opening the commitment to every table of it, telling of no difference, and citing the manifest beside the papers.
///
/// # Errors
///
/// Every fault of receipt, statement and manifest; `ECL-RCT-010` to `ECL-RCT-014`; [`NOT_SEALED_HERE`],
/// [`OTHER_MANIFEST`].
pub(crate) fn verified(folder: &Folder, file: Option<&Path>, now: Timestamp) -> Result<Returned> {
    let run = folder.path(None, RUN);
    let (contract, _) = standing::contract(folder, None, now)?;
    let paper = Paper::read(&folder.path(file, RETURN_FILE), RECEIVED_BY)?;
    let receipt = lasting::read(&paper, Kind::ReturnReceipt, now, |at| {
        Receipt::of_return(&paper.bytes, &paper.signatures, &contract, at)
    })?;
    let statement = Paper::read(&folder.path(None, recipient::RETURN_FILE), STATED_BY)?;
    let stated_by = lasting::read(&statement, Kind::ReturnRecipient, now, |at| {
        Recipient::of_controller(&statement.bytes, &statement.signatures, &contract, at)
    })?;
    receipt.is_from(&stated_by)?;
    let stated = receipt.stated();
    let kept = sealed::kept(&run, &stated.archive).map_err(|fault| fault.help(RESTORE))?;
    let kept = kept.ok_or_else(|| NOT_SEALED_HERE.fault(run.display().to_string()).help(RESTORE))?;
    stated.is_of(&kept.archive, &kept.manifest, &kept.instruction, &kept.recipient)?;
    if stated.run != kept.run {
        return Err(OTHER.fault(format!("it names run {}", stated.run)).help(RECEIVED_BY));
    }
    stated.opens(&kept.tables())?;
    stated.is_whole()?;
    listed(folder, &contract, &stated.manifest, now)?;
    Ok(Returned { receipt, kept })
}

/// That the manifest beside the papers is the one of the archive that was received, and that its sender signed it: the
/// certificate closes an evidence over these two files, and no other.
fn listed(folder: &Folder, contract: &Contract, cited: &str, now: Timestamp) -> Result<()> {
    let put_back = format!(
        "put back {MANIFEST} and {MANIFEST}.sigs: they are manifest.toml and manifest.toml.sigs of the archive that was received, which the laboratory has"
    );
    let paper = Paper::read(&folder.path(None, MANIFEST), &put_back)?;
    if paper.digest() != cited {
        return Err(OTHER_MANIFEST.fault(MANIFEST).help(format!(
            "{put_back}; or the laboratory opens the archive of the manifest that lies here, and signs a receipt of it: {RECEIVED_BY}"
        )));
    }
    lasting::read(&paper, Kind::Manifest, now, |at| {
        Manifest::in_force(&paper.bytes, &paper.signatures, contract, at)
    })
    .map(drop)
    .map_err(|fault| fault.help(put_back))
}

/// What was returned, where the order has something returned; `None` where it has not.
///
/// # Errors
///
/// [`NOT_RETURNED`], with what is missing and the next command; what does not hold of the receipt.
pub(crate) fn settled(folder: &Folder, chain: &Chain, now: Timestamp) -> Result<Option<Returned>> {
    let (order, digest) = (chain.instruction.order(), chain.instruction.digest());
    of(folder, (order, &chain.dictionary, digest), now)
}

/// How the return stands, by the papers as they lie there; `None` where nothing is to be returned, or no order tells.
pub(crate) fn stands(folder: &Folder, now: Timestamp) -> Option<Stood<Returned>> {
    match quietly(|| as_written(folder, now)) {
        Ok(None) => None,
        Ok(Some(returned)) => Some(Stood::Done(Box::new(returned))),
        Err(fault) if *fault.code() == ABSENT => Some(Stood::Unsigned),
        Err(fault) => Some(Stood::Refused(Box::new(fault))),
    }
}

/// The same in a line, for a screen.
pub(crate) fn line(folder: &Folder, now: Timestamp) -> Option<String> {
    Some(match stands(folder, now)? {
        Stood::Done(returned) => {
            let rows = returned.receipt.stated().tables.iter().map(|table| table.rows).sum();
            format!("returned to the laboratory: {}, its receipt holds", plural(rows, "row", "rows"))
        }
        Stood::Refused(fault) => {
            format!("to be returned to the laboratory: {}   {}", fault.detail(), fault.advice())
        }
        Stood::Not | Stood::Unsigned => {
            "returned to the laboratory, whose receipt is not signed:  ecluse receipt sign --return"
                .to_owned()
        }
    })
}

/// As [`settled`], of an order as it lies there, signed or not.
fn as_written(folder: &Folder, now: Timestamp) -> Result<Option<Returned>> {
    let read = |name: &str| Paper::read(&folder.path(None, name), "");
    let (Ok(order), Ok(surveyed)) = (read(instruction::FILE), read("dictionary.toml")) else {
        return Ok(None);
    };
    let parsed = (instruction::parse(order.text()), dictionary::parse(surveyed.text()));
    let (Ok(parsed), Ok(dictionary)) = parsed else { return Ok(None) };
    of(folder, (&parsed, &dictionary, &order.digest()), now)
}

fn of(
    folder: &Folder,
    (order, dictionary, digest): (&Order, &Dictionary, &str),
    now: Timestamp,
) -> Result<Option<Returned>> {
    let classes = returning(order, dictionary);
    if classes.is_empty() {
        return Ok(None);
    }
    let open = |why: &str, help: &str| {
        let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
        NOT_RETURNED.fault(format!("{}: {why}", names.join(", "))).help(help.to_owned())
    };
    let run = folder.path(None, RUN);
    if order.back.is_none() {
        let help = "a new version of the order cites the laboratory's key under [return]: ecluse recipient new --return";
        return Err(open("the order names no key of the laboratory's", help));
    }
    if !sealed::is_any(&run) {
        return Err(open("nothing was sealed", SEALED_BY));
    }
    if !folder.has(RETURN_FILE) {
        return Err(open("the laboratory's receipt is not here", RECEIVED_BY));
    }
    let returned = verified(folder, None, now)?;
    if returned.kept.instruction != digest {
        return Err(open("what was returned was sealed under another order", SEALED_BY));
    }
    Ok(Some(returned))
}
