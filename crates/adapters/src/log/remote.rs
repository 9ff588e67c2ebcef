//! The journal's writer, as an application reaches it: it can append, and nothing else.
//!
//! A writer that is started anew is waited for a moment and told again: a line whose answer was lost is in the
//! journal once.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
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
static BENT: Code =
    Code::refused("ECL-LOG-025", "events are not those that the journal's writer has of this folder");
/// The code of events that were changed after the writer had them.
pub const CHANGED: &str = "ECL-LOG-025";

/// In the journal's folder of an application: where the writer listens, and the key it signs with.
pub const JOINED: &str = "writer";
/// In the journal's folder of an application: by which 128 random bits the writer knows this migration.
pub const MIGRATION: &str = "migration";
/// A round takes a fraction of it.
const PATIENCE: Duration = Duration::from_secs(20);
/// A writer that died is started anew within it, by whoever watches it.
const RESTART: Duration = Duration::from_secs(3);
const MOMENT: Duration = Duration::from_millis(50);

/// The writer that keeps a journal under another account.
#[derive(Clone, Debug)]
pub struct Remote {
    socket: PathBuf,
    key: VerifierKey,
    /// Which migration's lines these are.
    of: String,
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
        let of = files::read(&journal.join(MIGRATION))?.unwrap_or_default();
        let of = String::from_utf8_lossy(&of).trim_end().to_owned();
        Ok(Some(Self { socket: PathBuf::from(socket), key, of }))
    }

    /// The key that the writer signs with, as it was when the journal was joined.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Asks the writer at this socket who it is: its key, and where the journal can be read. Where `of` names
    /// a migration, the writer keeps that one's journal from then on, and no other's.
    ///
    /// # Errors
    ///
    /// [`SILENT`]; `ECL-LOG-004` where what it says is not signed by the key it names; `ECL-LOG-062` with
    /// `ECL-LOG-027` where it keeps another migration's.
    pub fn ask(socket: &Path, of: &str) -> Result<(Self, PathBuf)> {
        let answer = asked(socket, of, Vec::new())?;
        let key = VerifierKey::parse(&answer.key).ok_or_else(|| KEY.fault(socket.display().to_string()))?;
        let remote = Self { socket: socket.to_owned(), key, of: of.to_owned() };
        remote.signed(&answer)?;
        match &answer.refused {
            Some(code) => Err(refusal(code)),
            None => Ok((remote, answer.folder)),
        }
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
    /// [`SILENT`]; [`BENT`] names a folder whose lines are not those that the writer took in before;
    /// `ECL-LOG-062` with the writer's own code.
    pub fn keep(&self, runs: &[Run]) -> Result<Signed> {
        self.take(&named(runs), &mut vec![None; runs.len()])
    }

    /// As [`Self::keep`], of lines after heads up to which the writer has them; it is asked where that is not
    /// known. They are set to what it has now, or to nothing where that is not known any more.
    pub(crate) fn take(&self, runs: &[(&str, &Verified)], heads: &mut [Option<Head>]) -> Result<Signed> {
        let taken = self.once(runs, heads);
        let reached = |(_, events): &(&str, &Verified)| taken.is_ok().then(|| events.head.clone());
        heads.iter_mut().zip(runs).for_each(|(head, run)| *head = reached(run));
        taken
    }

    fn once(&self, runs: &[(&str, &Verified)], heads: &[Option<Head>]) -> Result<Signed> {
        let heads = match heads.iter().cloned().collect::<Option<Vec<Head>>>() {
            Some(heads) => heads,
            None => self.heads(runs)?,
        };
        self.answered(&asked(&self.socket, &self.of, pieces(runs, &heads)?)?)
    }

    /// Up to where the writer has these folders.
    fn heads(&self, runs: &[(&str, &Verified)]) -> Result<Vec<Head>> {
        let asking = |(name, events): &(&str, &Verified)| {
            let first = events.digests.first()?.clone();
            Some(Piece { name: (*name).to_owned(), first, lines: String::new(), whole: false })
        };
        let answer = asked(&self.socket, &self.of, runs.iter().filter_map(asking).collect())?;
        self.answered(&answer)?;
        let head = |(_, events): &(&str, &Verified)| {
            let known = events.digests.first().and_then(|first| answer.heads.get(first));
            known.cloned().unwrap_or_default()
        };
        Ok(runs.iter().map(head).collect())
    }

    /// Shows the writer every folder whose lines are not those that it took in, whole, so that it tells of it in the
    /// journal: here it is only refused.
    ///
    /// # Errors
    ///
    /// [`SILENT`]; `ECL-LOG-062` where it told of it.
    pub fn tell(&self, runs: &[Run]) -> Result<()> {
        self.show(&named(runs))
    }

    pub(crate) fn show(&self, runs: &[(&str, &Verified)]) -> Result<()> {
        let heads = self.heads(runs)?;
        let changed = runs.iter().zip(&heads).filter(|((_, events), head)| events.since(head).is_none());
        let changed: Vec<_> = changed.map(|(run, _)| *run).collect();
        let mut pieces = pieces(&changed, &vec![Head::default(); changed.len()])?;
        pieces.iter_mut().for_each(|piece| piece.whole = true);
        self.answered(&asked(&self.socket, &self.of, pieces)?).map(drop)
    }

    /// The checkpoint that stands, where what was asked was done.
    fn answered(&self, answer: &Answer) -> Result<Signed> {
        let signed = self.signed(answer)?;
        match &answer.refused {
            Some(code) => Err(refusal(code)),
            None => Ok(signed),
        }
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
            BENT.fault((*name).to_owned()).help(
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
        let piece = Piece { name: (*name).to_owned(), first: first.clone(), lines, whole: false };
        match pieces.iter_mut().find(|other| other.first == piece.first) {
            Some(other) if other.lines.len() < piece.lines.len() => *other = piece,
            Some(_) => {}
            None => pieces.push(piece),
        }
    }
    Ok(pieces)
}

fn named(runs: &[Run]) -> Vec<(&str, &Verified)> {
    runs.iter().map(|run| (run.name.as_str(), &run.events)).collect()
}

fn asked(socket: &Path, of: &str, pieces: Vec<Piece>) -> Result<Answer> {
    let silent = |why: &str| {
        SILENT.fault(format!("{}: {why}", socket.display())).help(
            "nothing is done that it has not noted; start it (systemctl start ecluse-journal@…), then run the same command again",
        )
    };
    let mut request =
        serde_json::to_vec(&Request { v: 1, of: of.to_owned(), pieces }).map_err(|_| silent("no request"))?;
    request.push(b'\n');
    let mut left = RESTART.as_millis() / MOMENT.as_millis();
    loop {
        // what it had taken in before it died is told again and taken once
        let why = match exchanged(socket, &request) {
            Ok(answer) if !answer.is_empty() => {
                return serde_json::from_slice(&answer).map_err(|_| silent("it hung up"));
            }
            Ok(_) => "it hung up".to_owned(),
            Err(error) if GONE.contains(&error.kind()) => error.kind().to_string(),
            Err(error) => return Err(silent(&error.kind().to_string())),
        };
        if left == 0 {
            return Err(silent(&why));
        }
        left -= 1;
        std::thread::sleep(MOMENT);
    }
}

/// How a writer that dies, or is not started yet, is met.
const GONE: [ErrorKind; 6] = [
    ErrorKind::ConnectionRefused,
    ErrorKind::NotFound,
    ErrorKind::ConnectionReset,
    ErrorKind::ConnectionAborted,
    ErrorKind::BrokenPipe,
    ErrorKind::UnexpectedEof,
];

/// One connection: a line each way.
fn exchanged(socket: &Path, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    BufReader::new(stream.take(MOST)).read_until(b'\n', &mut answer)?;
    Ok(answer)
}
