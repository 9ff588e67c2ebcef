//! Objections to an order, and whether the controller has answered each.

use ecluse_core::digest::of_bytes;
use ecluse_core::fault::{Code, Result};
use ecluse_core::objection::{self, Answer, Objection};
use jiff::Timestamp;

use super::{Paper, quietly, standing};
use crate::folder::{self, Folder};

static OPEN: Code = Code::refused("ECL-PRO-002", "an objection to the order has not been answered");

/// An objection, its number in the record, and its answer.
#[derive(Debug)]
pub(crate) struct Stated {
    /// From 1.
    pub(crate) number: usize,
    pub(crate) said: Objection,
    /// By which the answer cites it.
    pub(crate) digest: String,
    /// The controller's; `None` while it is open.
    pub(crate) answer: Option<Answer>,
}

/// The file of the answer to an objection.
pub(crate) fn answer_file(number: usize) -> String {
    format!("answers/{number}.toml")
}

/// Every objection that was made in this folder.
///
/// # Errors
///
/// A record that was changed; an answer that does not hold.
pub(crate) fn all(folder: &Folder, now: Timestamp) -> Result<Vec<Stated>> {
    if !folder.has(objection::FILE) {
        return Ok(Vec::new());
    }
    let record = folder::read(&folder.path(None, objection::FILE), "")?;
    let mut list = Vec::new();
    for (index, (said, digest)) in objection::read(&record)?.into_iter().enumerate() {
        let number = index + 1;
        let path = folder.path(None, &answer_file(number));
        let answer = if path.exists() && !Paper::read(&path, "")?.signatures.is_empty() {
            let (contract, _) = standing::contract(folder, None, now)?;
            let paper = Paper::read(&path, "")?;
            let read = Answer::read(&paper.bytes, &paper.signatures, &contract, &digest, now);
            Some(paper.judge(read)?)
        } else {
            None
        };
        list.push(Stated { number, said, digest, answer });
    }
    Ok(list)
}

/// The first objection to the folder's order that nobody has answered.
///
/// # Errors
///
/// As [`all`].
pub(crate) fn open(
    folder: &Folder,
    order: Option<&std::path::Path>,
    now: Timestamp,
) -> Result<Option<Stated>> {
    let list = all(folder, now)?;
    if list.is_empty() {
        return Ok(None);
    }
    let order = of_bytes(&folder::read(&folder.path(order, "instruction.toml"), "ecluse instruction new")?);
    Ok(list.into_iter().find(|one| one.answer.is_none() && one.said.instruction == order))
}

/// Nothing is planned and nothing moves under an order to which an objection is open.
///
/// # Errors
///
/// [`OPEN`]; as [`all`].
pub(crate) fn answered(folder: &Folder, order: Option<&std::path::Path>, now: Timestamp) -> Result<()> {
    match quietly(|| open(folder, order, now))? {
        None => Ok(()),
        Some(one) => Err(OPEN
            .fault(format!("number {}, by {} on {}", one.number, one.said.by, one.said.time))
            .help(format!(
                "the controller's signatory answers: ecluse instruction answer {} 'words' --key FILE",
                one.number
            ))),
    }
}
