//! Papers of the end of the chain, which count after their period: what they were needed for may take longer.

use ecluse_core::document::{self, Kind};
use ecluse_core::fault::Result;
use ecluse_core::finding::Finding;
use jiff::{SignedDuration, Timestamp};

use super::Paper;

/// What a paper says as of now; where its period is over, or a key of its signatories has ended, as of its last day
/// or of the day it was written.
///
/// # Errors
///
/// What is wrong with it now.
pub(crate) fn read<T>(
    paper: &Paper,
    kind: Kind,
    now: Timestamp,
    read: impl Fn(Timestamp) -> std::result::Result<T, Vec<Finding>>,
) -> Result<T> {
    let header = paper.judge(document::header(paper.text(), kind))?;
    let last = header.not_after.checked_sub(SignedDuration::from_secs(1)).unwrap_or(header.issued);
    let earlier = || [last, header.issued].into_iter().filter(|at| *at < now).find_map(|at| read(at).ok());
    paper.judge(read(now).or_else(|findings| earlier().ok_or(findings)))
}
