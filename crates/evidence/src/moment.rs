//! As of when a paper is judged: never as of today.
//!
//! A signature tells no time, and today its key may have ended. What can be told is whether there was a
//! moment, from the day on which the paper says it was issued to the one on which the file was closed, at which
//! everything about it was in order: its own dates, the keys that signed it, the commitments of their owners.
//! Each of these begins on some day and ends on a later one, so that the moments at which one begins are all
//! that have to be tried. The first that serves is told.

use ecluse_core::contract::Terms;
use ecluse_core::document;
use ecluse_core::fault::Code;
use ecluse_core::finding::Finding;
use ecluse_core::on_paper;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::bench::Paper;

static LATER: Code = Code::refused("ECL-EVI-005", "a paper is dated after the one that closes the evidence");

/// The first moment between `from` and `until` at which `judge` holds, and what it gave; `begins` are the
/// moments at which something that it asks for begins.
///
/// # Errors
/// [`LATER`] where there is no such span; else what keeps it from holding, at the moment at which least does.
pub(crate) fn first<T>(
    from: Timestamp,
    until: Timestamp,
    begins: impl IntoIterator<Item = Timestamp>,
    judge: impl Fn(Timestamp) -> Result<T, Vec<Finding>>,
) -> Result<(Timestamp, T), Vec<Finding>> {
    let mut moments: Vec<Timestamp> =
        begins.into_iter().chain([from]).filter(|at| (from..=until).contains(at)).collect();
    moments.sort_unstable();
    moments.dedup();
    let mut least: Option<Vec<Finding>> = None;
    for at in moments {
        match judge(at) {
            Ok(held) => return Ok((at, held)),
            Err(findings) if least.as_ref().is_none_or(|least| findings.len() < least.len()) => {
                least = Some(findings);
            }
            Err(_) => {}
        }
    }
    Err(least
        .unwrap_or_else(|| vec![Finding::new(&LATER, format!("{from}, and the file was closed on {until}"))]))
}

/// When something begins to count in a contract: keys, commitments, authorisations.
pub(crate) fn of_terms(terms: &Terms) -> Vec<Timestamp> {
    let keys = terms.keys.iter().flat_map(|key| [Some(key.enrolment.on), key.confidentiality]).flatten();
    keys.chain(terms.sub_processors.iter().map(|party| party.authorised)).filter_map(morning).collect()
}

/// When the pages of a paper that were signed by hand were checked.
pub(crate) fn of_paper(paper: &Paper<'_>) -> Vec<Timestamp> {
    let records = paper.signatures.iter().filter_map(|file| file.paper.as_ref());
    let read = records.filter_map(|found| document::text(&found.record).and_then(on_paper::parse).ok());
    read.map(|record| record.checked).collect()
}

fn morning(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}
