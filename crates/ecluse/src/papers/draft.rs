//! What a new paper's header needs from outside: the clock and chance.

use ecluse_core::contract::Contract;
use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_core::template::Head;
use jiff::{SignedDuration, Timestamp};

use super::Paper;
use crate::commands::Here;
use crate::{chance, journal};

/// A year, as papers count it.
pub(crate) const YEAR: SignedDuration = SignedDuration::from_hours(24 * 365);

/// The header of a first version that holds from now on.
///
/// # Errors
///
/// The random generator's.
pub(crate) fn head(
    contract: Option<String>,
    now: Timestamp,
    lasts: SignedDuration,
    trial: bool,
) -> Result<Head> {
    Ok(Head {
        id: chance::bytes()?,
        version: 1,
        supersedes: None,
        contract,
        issued: now,
        not_before: now,
        not_after: now.saturating_add(lasts).unwrap_or(now),
        seen: None,
        trial,
    })
}

/// As [`head`], of a paper that the controller signs in the folder of this contract: with the journal's checkpoint, so
/// that whoever signs is a witness of the journal as it stood.
///
/// # Errors
///
/// As [`head`]; those of the journal.
pub(crate) fn witnessing(here: &Here, contract: &Contract, lasts: SignedDuration) -> Result<Head> {
    let cited = Some(contract.digest().to_owned());
    let head = head(cited, here.now, lasts, contract.header().trial)?;
    Ok(Head { seen: journal::seen::now(&here.folder)?, ..head })
}

/// As [`head`], of the version after `before`.
///
/// # Errors
///
/// As [`head`]; the older paper's own faults.
pub(crate) fn next(kind: Kind, before: &Paper, mut head: Head) -> Result<Head> {
    let old = before.judge(ecluse_core::document::header(before.text(), kind))?;
    head.version = old.version + 1;
    head.supersedes = Some(before.digest());
    Ok(head)
}
