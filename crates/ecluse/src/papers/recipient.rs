//! The recipient of an order's archive: verified wherever the order is.

use std::path::Path;

use ecluse_core::contract::Contract;
use ecluse_core::document::Header;
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Order;
use ecluse_core::recipient::{FILE, Recipient};
use jiff::Timestamp;

use super::{Paper, refusal};
use crate::folder::Folder;

static MISTYPED: Code = Code::refused("ECL-RCP-018", "the recipient's key does not pass its own check sum");

/// The command that makes a statement.
pub(crate) const MADE_BY: &str = "ecluse recipient new";

/// The statement in force.
///
/// # Errors
///
/// Every fault of the statement; a key whose check sum is wrong.
pub(crate) fn in_force(path: &Path, contract: &Contract, now: Timestamp) -> Result<(Recipient, Paper)> {
    let paper = Paper::read(path, MADE_BY)?;
    let recipient = paper.judge(Recipient::in_force(&paper.bytes, &paper.signatures, contract, now))?;
    whole_key(&recipient, MADE_BY)?;
    Ok((recipient, paper))
}

/// That the stated key passes its own check sum.
///
/// # Errors
///
/// [`MISTYPED`].
pub(crate) fn whole_key(stated: &Recipient, made_by: &str) -> Result<()> {
    if stated.age().parse::<ecluse_seal::Recipient>().is_ok() {
        return Ok(());
    }
    Err(MISTYPED
        .fault(stated.age().to_owned())
        .help(format!("the recipient makes the statement anew ({made_by}) and signs that one")))
}

/// The statement that an order cites: in force, and the one that is cited. `None` of an order to a database.
/// `drawn` is where the order was read and its text, to show findings in.
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
    let Some(to) = order.recipient() else { return Ok(None) };
    let (recipient, paper) = in_force(&folder.path(None, FILE), contract, now)?;
    recipient.is_cited(to, header).map_err(|findings| refusal(drawn.0, drawn.1, &findings))?;
    Ok(Some((recipient, paper)))
}
