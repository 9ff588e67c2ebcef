//! The journal's writer as a process of its own: what it takes from applications, and what it answers.
//!
//! One request a connection, one line of JSON each way. An application says how lines of its run folders go
//! on; the writer takes them in after the line that it holds last of that folder, or says which one that is.
//! Nothing else can be asked: not to change, not to take away. The answer comes when the lines are durable
//! and the checkpoint over them is signed.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::path::PathBuf;

use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::event::{self, Head, Verified};
use ecluse_journal::NoteSigner;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::KEY;
use super::files::Readers;
use super::taken::in_order;
use super::write::Writer;

static REQUEST: Code = Code::refused("ECL-LOG-061", "this is nothing that the journal's writer takes");

static REFUSED: Code = Code::outside("ECL-LOG-062", "the journal's writer took nothing");

/// Bytes of a request or an answer at most: the lines of some hundred thousand events.
pub(super) const MOST: u64 = 64 << 20;
/// Letters of a run folder's name at most.
const NAME: usize = 400;

/// Lines of one run folder, in their order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    /// The folder's name, for people.
    pub(super) name: String,
    /// The digest of its first line, by which the writer knows it.
    pub(super) first: String,
    /// The lines as they stand in `events.jsonl`, each with its newline.
    pub(super) lines: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) v: u8,
    pub(super) pieces: Vec<Piece>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// Whether the lines are in the journal now, durably.
    pub(super) taken: bool,
    /// The signed checkpoint that stands.
    pub(super) checkpoint: String,
    /// The key that signs it.
    pub(super) key: String,
    /// Where the journal can be read.
    pub(super) folder: PathBuf,
    /// Of each folder that was named, the last line that the journal holds.
    pub(super) heads: BTreeMap<String, Head>,
    /// Why nothing was taken: an error code, where it is not for a head of another place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
}

/// A journal that other accounts append to.
#[derive(Debug)]
pub struct Served {
    /// None while a round that failed is not made good.
    writer: Option<Writer>,
    checkpoint: String,
    path: PathBuf,
    key: String,
    secret: Zeroizing<String>,
}

impl Served {
    /// Takes the journal, beginning it where there is none, and signs its first checkpoint. Its group may read it.
    ///
    /// # Errors
    ///
    /// As [`Writer::open`] and [`Writer::write`].
    pub fn open(path: PathBuf, signer: &NoteSigner) -> Result<Self> {
        let secret = Zeroizing::new(signer.secret());
        let key = signer.verifier().to_string();
        let mut served = Self { writer: None, checkpoint: String::new(), path, key, secret };
        served.round(&[], |taken| taken)?;
        Ok(served)
    }

    /// Reads one request, does it, and answers. A fault is answered too, by its code, and returned.
    ///
    /// # Errors
    ///
    /// [`REQUEST`] for what is no request; the journal's.
    pub fn answer(&mut self, mut stream: impl Read + Write) -> Result<()> {
        let mut line = Vec::new();
        let read = BufReader::new((&mut stream).take(MOST)).read_until(b'\n', &mut line);
        let request: Option<Request> = read.ok().and_then(|_| serde_json::from_slice(&line).ok());
        let done = request
            .filter(|request| request.v == 1 && request.pieces.iter().all(|piece| piece.name.len() <= NAME))
            .ok_or_else(|| REQUEST.fault("no request of version 1"))
            .and_then(|request| self.take(&request));
        let (answer, fault) = match done {
            Ok(answer) => (answer, None),
            Err(fault) => {
                let refused = Some(fault.code().id.to_owned());
                (Answer { refused, ..self.stand(&[]) }, Some(fault))
            }
        };
        let mut bytes = serde_json::to_vec(&answer).unwrap_or_default();
        bytes.push(b'\n');
        // who asked may be gone: what was taken stays taken, and is told again when asked again
        let _gone = stream.write_all(&bytes).and_then(|()| stream.flush());
        fault.map_or(Ok(()), Err)
    }

    /// Takes the pieces in, all of them or none.
    fn take(&mut self, request: &Request) -> Result<Answer> {
        let mut read: Vec<(&Piece, Verified)> = Vec::new();
        for piece in &request.pieces {
            let head = self.taken_head(&piece.first)?;
            let follows = event::verify_after(&head, piece.lines.as_bytes())
                .ok()
                .filter(|lines| lines.whole == piece.lines.len())
                .filter(|lines| head.lines > 0 || lines.digests.first().is_none_or(|d| *d == piece.first));
            let twice = read.iter().any(|(other, _)| other.first == piece.first);
            let Some(lines) = follows.filter(|_| !twice) else { return Ok(self.stand(&request.pieces)) };
            read.push((piece, lines));
        }
        let entries = in_order(read.iter().map(|(_, lines)| lines.leaves.as_slice()).collect())?;
        let mut reached = Ok(());
        self.round(&entries, |mut taken| {
            for (piece, lines) in &read {
                if let (Some(last), Ok(())) = (lines.leaves.last(), &reached) {
                    reached = taken.reach(&piece.first, &piece.name, &lines.head, last);
                }
            }
            taken
        })?;
        reached?;
        Ok(Answer { taken: true, ..self.stand(&request.pieces) })
    }

    fn taken_head(&mut self, first: &str) -> Result<Head> {
        if self.writer.is_none() {
            self.round(&[], |taken| taken)?;
        }
        Ok(self.writer.as_ref().map(|writer| writer.taken().head(first)).unwrap_or_default())
    }

    /// One round of the writer; after one that failed the journal is opened anew, as after a death.
    fn round(&mut self, entries: &[Vec<u8>], next: impl FnOnce(super::Taken) -> super::Taken) -> Result<()> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let signer = NoteSigner::parse(&self.secret).ok_or_else(|| KEY.fault(self.key.clone()))?;
                Writer::open(&self.path, signer, Readers::Group)?
            }
        };
        if entries.is_empty() && !self.checkpoint.is_empty() {
            self.writer = Some(writer);
            return Ok(());
        }
        let taken = next(writer.taken().clone());
        let (writer, signed) = writer.write(entries, taken)?;
        signed.note().clone_into(&mut self.checkpoint);
        self.writer = Some(writer);
        Ok(())
    }

    /// What stands, with the heads of these folders.
    fn stand(&self, pieces: &[Piece]) -> Answer {
        let known = |piece: &Piece| {
            let head = self.writer.as_ref()?.taken().head(&piece.first);
            (head.lines > 0).then(|| (piece.first.clone(), head))
        };
        Answer {
            checkpoint: self.checkpoint.clone(),
            key: self.key.clone(),
            folder: self.path.clone(),
            heads: pieces.iter().filter_map(known).collect(),
            ..Answer::default()
        }
    }
}

/// A fault that the writer answered, by its code.
pub(super) fn refusal(code: &str) -> Fault {
    REFUSED.fault(code.to_owned()).help(format!(
        "the account that keeps the journal has it in words, and: ecluse explain {code}; then run the same command again"
    ))
}
