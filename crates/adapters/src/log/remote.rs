//! The journal's writer, as an application reaches it: it can append, and nothing else.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ecluse_core::fault::{Code, Result};
use ecluse_flow::event::{Head, Verified};
use ecluse_journal::{Signed, VerifierKey};

use super::served::{Answer, MOST, Piece, Request, refusal};
use super::taken::Run;
use super::{KEY, files};

static SILENT: Code = Code::outside("ECL-LOG-060", "the journal's writer does not answer");
static CHANGED: Code =
    Code::refused("ECL-LOG-025", "events are not those that the journal's writer has of this folder");

/// In the journal's folder of an application: where the writer listens, and the key it signs with.
pub const JOINED: &str = "writer";
/// A round takes a fraction of it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The writer that keeps a journal under another account.
#[derive(Clone, Debug)]
pub struct Remote {
    socket: PathBuf,
    key: VerifierKey,
}

impl Remote {
    /// The writer of the journal at this path, where one was joined.
    ///
    /// # Errors
    ///
    /// `ECL-LOG-002`; `ECL-LOG-004` where the file names no key.
    pub fn find(journal: &Path) -> Result<Option<Self>> {
        let path = journal.join(JOINED);
        let Some(bytes) = files::read(&path)? else { return Ok(None) };
        let text = String::from_utf8(bytes).unwrap_or_default();
        let mut lines = text.lines();
        let read = lines.next().zip(lines.next().and_then(VerifierKey::parse));
        let (socket, key) = read.ok_or_else(|| KEY.fault(format!("{}: no key", path.display())))?;
        Ok(Some(Self { socket: PathBuf::from(socket), key }))
    }

    /// Asks the writer at this socket who it is: its key, and where the journal can be read.
    ///
    /// # Errors
    ///
    /// [`SILENT`]; `ECL-LOG-004` where what it says is not signed by the key it names.
    pub fn ask(socket: &Path) -> Result<(Self, PathBuf)> {
        let answer = asked(socket, Vec::new())?;
        let key = VerifierKey::parse(&answer.key).ok_or_else(|| KEY.fault(socket.display().to_string()))?;
        let remote = Self { socket: socket.to_owned(), key };
        remote.signed(&answer)?;
        Ok((remote, answer.folder))
    }

    /// The file that [`Self::find`] reads.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}\n{}\n", self.socket.display(), self.key)
    }

    /// Has the writer take in what these folders hold and it does not; the checkpoint over it. When it
    /// returns, the lines are durable under the writer's account.
    ///
    /// # Errors
    ///
    /// [`SILENT`]; [`CHANGED`] names a folder whose lines are not those that the writer took in before;
    /// `ECL-LOG-062` with the writer's own code.
    pub fn keep(&self, runs: &[Run]) -> Result<Signed> {
        let runs: Vec<(&str, &Verified)> = runs.iter().map(|run| (run.name.as_str(), &run.events)).collect();
        self.take(&runs, &mut vec![Head::default(); runs.len()])
    }

    /// As [`Self::keep`], of lines after heads up to which the writer is thought to have them; they are set
    /// to what it has now.
    pub(crate) fn take(&self, runs: &[(&str, &Verified)], heads: &mut [Head]) -> Result<Signed> {
        let mut answer = asked(&self.socket, pieces(runs, heads)?)?;
        if !answer.taken && answer.refused.is_none() {
            for ((_, events), head) in runs.iter().zip(heads.iter_mut()) {
                let known = events.digests.first().and_then(|first| answer.heads.get(first));
                *head = known.cloned().unwrap_or_default();
            }
            answer = asked(&self.socket, pieces(runs, heads)?)?;
        }
        let signed = self.signed(&answer)?;
        if let Some(code) = &answer.refused {
            return Err(refusal(code));
        }
        if !answer.taken {
            return Err(refusal("ECL-LOG-061"));
        }
        for ((_, events), head) in runs.iter().zip(heads.iter_mut()) {
            head.clone_from(&events.head);
        }
        Ok(signed)
    }

    fn signed(&self, answer: &Answer) -> Result<Signed> {
        Signed::open(answer.checkpoint.as_bytes(), &self.key).map_err(|_| {
            KEY.fault(self.socket.display().to_string())
                .help("the writer that answers is not the one that was joined: ask the account that keeps the journal")
        })
    }
}

/// What comes after each head.
fn pieces(runs: &[(&str, &Verified)], heads: &[Head]) -> Result<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    for ((name, events), head) in runs.iter().zip(heads) {
        let Some(first) = events.digests.first() else { continue };
        let leaves = events.since(head).ok_or_else(|| {
            CHANGED.fault((*name).to_owned()).help(
                "the journal has the lines that were written first; keep the folder as it is and tell the controller",
            )
        })?;
        let (mut lines, mut at) = (Vec::new(), head.clone());
        for leaf in leaves {
            let (line, next) = at.next(leaf.clone())?;
            lines.extend(line);
            at = next;
        }
        // RFC 8785 gives UTF-8
        let lines = String::from_utf8(lines).unwrap_or_default();
        // a copy of a folder begins with the same line: the longer is the folder
        let piece = Piece { name: (*name).to_owned(), first: first.clone(), lines };
        match pieces.iter_mut().find(|other| other.first == piece.first) {
            Some(other) if other.lines.len() < piece.lines.len() => *other = piece,
            Some(_) => {}
            None => pieces.push(piece),
        }
    }
    Ok(pieces)
}

fn asked(socket: &Path, pieces: Vec<Piece>) -> Result<Answer> {
    let silent = |why: &str| {
        SILENT.fault(format!("{}: {why}", socket.display())).help(
            "nothing is done that it has not noted; start it (systemctl start ecluse-journal@…), then run the same command again",
        )
    };
    let mut request = serde_json::to_vec(&Request { v: 1, pieces }).map_err(|_| silent("no request"))?;
    request.push(b'\n');
    let mut answer = Vec::new();
    let talk = || -> std::io::Result<()> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(&request)?;
        BufReader::new(stream.take(MOST)).read_until(b'\n', &mut answer)?;
        Ok(())
    };
    let mut talk = talk;
    talk().map_err(|error| silent(&error.kind().to_string()))?;
    serde_json::from_slice(&answer).map_err(|_| silent("it hung up"))
}
