//! Objections: the processor tells the controller that an instruction seems to infringe the law, and
//! the controller answers (GDPR Art. 28(3), last sentence).
//!
//! Objections stand in an append-only record; each line cites the digest of the line before. An
//! answer is a paper of its own, which cites the objection's line by digest and is signed by the
//! controller's signatory: while one is missing, nothing is planned and nothing moves.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contract::Contract;
use crate::digest;
use crate::document::Kind;
use crate::fault::{Code, Result};
use crate::finding::Finding;
use crate::paper::Paper;
use crate::reader::{self, Codes, quote};
use crate::signatures::SignatureFile;
use crate::template::{self, Head};

static BENT: Code = Code::refused("ECL-PRO-001", "the record of objections is not what was written");
static SYNTAX: Code = Code::refused("ECL-PRO-004", "the answer is not TOML");
static UNKNOWN_KEY: Code = Code::refused("ECL-PRO-005", "unknown key in the answer");
static MISSING_KEY: Code = Code::refused("ECL-PRO-006", "the answer lacks a key");
static WRONG_VALUE: Code = Code::refused("ECL-PRO-007", "a value of the answer has the wrong form");
static ANOTHER: Code = Code::refused("ECL-PRO-008", "the answer is to another objection");

static CODES: Codes =
    Codes { syntax: &SYNTAX, unknown: &UNKNOWN_KEY, missing: &MISSING_KEY, wrong: &WRONG_VALUE };

/// The record in the migration folder.
pub const FILE: &str = "objections.jsonl";

/// One objection, as it stands in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objection {
    /// The digest of the line before, without its line feed; of nothing for the first.
    pub before: String,
    /// When it was made, UTC.
    pub time: String,
    /// The digest of the instruction it is about.
    pub instruction: String,
    /// Who objects, by name.
    pub by: String,
    /// What seems wrong, in the objector's words; no patient's data.
    pub text: String,
}

/// The record with one more objection: the bytes to write, and the digest by which it is cited.
///
/// # Errors
/// As [`read`].
pub fn append(
    record: &[u8],
    now: Timestamp,
    instruction: &str,
    by: &str,
    text: &str,
) -> Result<(Vec<u8>, String)> {
    let before = read(record)?.pop().map_or_else(|| digest::of_bytes(b""), |(_, digest)| digest);
    let line = Objection {
        before,
        time: now.to_string(),
        instruction: instruction.to_owned(),
        by: by.to_owned(),
        text: text.to_owned(),
    };
    let line = serde_json::to_vec(&line).map_err(|_| BENT.fault("the new line"))?;
    let cited = digest::of_bytes(&line);
    let mut whole = record.to_vec();
    whole.extend_from_slice(&line);
    whole.push(b'\n');
    Ok((whole, cited))
}

/// Every objection of a record with the digest by which it is cited, first to last.
///
/// # Errors
/// [`BENT`], naming the first line that does not follow from the one before.
pub fn read(record: &[u8]) -> Result<Vec<(Objection, String)>> {
    let mut list = Vec::new();
    let mut before = digest::of_bytes(b"");
    for (index, line) in record.split_inclusive(|b| *b == b'\n').enumerate() {
        let bent = || {
            BENT.fault(format!("line {}", index + 1))
                .help("keep the file as it is, and tell the controller; nothing moves under it")
        };
        let line = line.strip_suffix(b"\n").ok_or_else(bent)?;
        let one: Objection = serde_json::from_slice(line).map_err(|_| bent())?;
        if one.before != before {
            return Err(bent());
        }
        before = digest::of_bytes(line);
        list.push((one, before.clone()));
    }
    Ok(list)
}

/// What an answer says; nobody has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The digest of the objection that it answers.
    pub objection: String,
    /// The controller's words.
    pub text: String,
}

/// An answer that the controller's signatory signed. Only [`Answer::read`] makes one.
///
/// ```compile_fail,E0451
/// # use ecluse_core::objection::Answer;
/// fn forge(real: Answer) -> Answer {
///     Answer { ..real }
/// }
/// ```
pub type Answer = Paper<Stated>;

impl Paper<Stated> {
    /// Reads an answer to the objection of that digest, and checks who signed it.
    ///
    /// # Errors
    /// [`ANOTHER`]; every fault of header, signatures and text.
    pub fn read(
        bytes: &[u8],
        files: &[SignatureFile],
        contract: &Contract,
        objection: &str,
        now: Timestamp,
    ) -> Result<Self, Vec<Finding>> {
        let answer = Self::open(Kind::Answer, bytes, files, contract, now, parse)?;
        let cited = answer.stated().objection.as_str();
        if cited != objection {
            return Err(vec![Finding::new(&ANOTHER, format!("it answers {cited}"))]);
        }
        Ok(answer)
    }
}

/// An answer as a document to sign.
#[must_use]
pub fn answer(head: &Head, objection: &str, text: &str) -> String {
    format!(
        "# The controller's answer to an objection (GDPR Art. 28(3), last sentence).\n\
         # Signed by the controller's signatory.\n\n\
         {}\n\
         [answer]\n\
         objection = {}\n\
         text      = {}\n",
        template::header(Kind::Answer, head),
        quote(objection),
        quote(text),
    )
}

/// Reads an answer, its header apart.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str) -> Result<Stated, Vec<Finding>> {
    reader::stated(text, &CODES, "answer", |r, mut t, _| {
        let objection = t.digest(r, "objection");
        let words = t.text(r, "text");
        t.end(r);
        Some(Stated { objection: objection?.value, text: words?.value })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Vec<u8> {
        let now = Timestamp::UNIX_EPOCH;
        let (one, _) = append(b"", now, "sha256:1", "Paul Serrano", "why every year?").unwrap();
        append(&one, now, "sha256:1", "Paul Serrano", "and the spouses?").unwrap().0
    }

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        let read = read(&record()).unwrap();
        let said: Vec<&str> = read.iter().map(|(one, _)| one.text.as_str()).collect();
        assert_eq!(said, ["why every year?", "and the spouses?"]);
        assert_eq!(read[1].0.before, read[0].1);
    }

    #[test]
    fn a_changed_removed_or_exchanged_line_is_found() {
        let text = String::from_utf8(record()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for forged in [
            text.replacen("every year", "this year", 1),
            format!("{}\n", lines[1]),
            format!("{}\n{}\n", lines[1], lines[0]),
            text.trim_end().to_owned(),
            format!("{text}{{}}\n"),
        ] {
            assert_eq!(read(forged.as_bytes()).unwrap_err().code().id, "ECL-PRO-001", "{forged}");
        }
    }
}
