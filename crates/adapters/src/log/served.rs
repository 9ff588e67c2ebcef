//! The journal's writer as a process of its own: what it takes from applications, and what it answers.
//!
//! One request a connection, one line of JSON each way. An application says how lines of its run folders go
//! on; the writer takes them in after the line that it holds last of that folder, and says which one that is.
//! Nothing else can be asked: not to change, not to take away. The answer comes when the lines are durable
//! and the checkpoint over them is signed.
//!
//! Who asks for something else is told of in the journal itself, by an entry of the writer's own ([`WRITER`]):
//! lines that do not follow from those it has, another migration's, another account.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::path::PathBuf;

use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::event::{self, Act, Head, Leaf, Outcome};
use ecluse_flow::world::World;
use ecluse_journal::{Hash, NoteSigner};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::files::{self, Readers};
use super::retention::{Erased, Keep, Looked};
use super::taken::in_order;
use super::write::Writer;
use super::{Folder, KEY, OF};

static REQUEST: Code = Code::refused("ECL-LOG-061", "this is nothing that the journal's writer takes");

static REFUSED: Code = Code::outside("ECL-LOG-062", "the journal's writer took nothing");
static BENT: Code =
    Code::refused("ECL-LOG-026", "lines do not follow from those that the journal's writer has");
static OTHER: Code = Code::refused("ECL-LOG-027", "this writer keeps another migration's journal");

/// What stands in the place of a session where the writer noted something by itself.
pub const WRITER: &str = "writer";
/// The same attempt is noted once in so long: nobody fills the journal by trying.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

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
    /// These are all that stand there, and the application says that they are not those that it passed on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) whole: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) v: u8,
    /// Whose lines these are: 128 random bits, hexadecimal; empty where the writer is only asked who it is.
    pub(super) of: String,
    pub(super) pieces: Vec<Piece>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The signed checkpoint that stands.
    pub(super) checkpoint: String,
    /// The key that signs it.
    pub(super) key: String,
    /// Where the journal can be read.
    pub(super) folder: PathBuf,
    /// Of each folder that was named, the last line that the journal holds.
    pub(super) heads: BTreeMap<String, Head>,
    /// Why nothing was taken: an error code. Without one all that was asked is in the journal, durably.
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
    /// The migration whose journal it is, once it was joined.
    of: Option<String>,
    /// What was told of last, and when, by its code and object.
    told: BTreeMap<(&'static str, String), Timestamp>,
}

/// Lines that are not in the journal yet, and where their folder stands after them.
struct New {
    leaves: Vec<Leaf>,
    head: Head,
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
        let checkpoint = String::new();
        let mut served =
            Self { writer: None, checkpoint, path, key, secret, of: None, told: BTreeMap::new() };
        served.round(&[], |taken| taken)?;
        let of = files::read(&served.path.join(OF))?;
        served.of = of.map(|of| String::from_utf8_lossy(&of).trim_end().to_owned());
        Ok(served)
    }

    /// Reads one request, does it, and answers. A fault is answered too, by its code, and returned; where it is
    /// somebody's who asked for what is not taken, the journal tells of it.
    ///
    /// # Errors
    ///
    /// [`REQUEST`] for what is no request, [`BENT`], [`OTHER`]; the journal's.
    pub fn answer(&mut self, mut stream: impl Read + Write, world: &World<'_>) -> Result<()> {
        let mut line = Vec::new();
        let read = BufReader::new((&mut stream).take(MOST)).read_until(b'\n', &mut line);
        if read.is_err() || line.last() != Some(&b'\n') {
            // who connected said nothing, or died in the middle of it
            return Err(REQUEST.fault("no whole request"));
        }
        let request: Option<Request> = serde_json::from_slice(&line).ok();
        let is_ours = |request: &Request| {
            let fits = |piece: &Piece| piece.name.len() <= NAME;
            request.v == 1 && request.of.len() <= NAME && request.pieces.iter().all(fits)
        };
        let done = match request.filter(is_ours) {
            Some(request) => self.take(&request, world),
            None => Err(self.told(REQUEST.fault("no request of version 1"), "", world)),
        };
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
    fn take(&mut self, request: &Request, world: &World<'_>) -> Result<Answer> {
        self.bound(request, world)?;
        let mut read: Vec<(&Piece, New)> = Vec::new();
        for piece in request.pieces.iter().filter(|piece| !piece.lines.is_empty()) {
            if read.iter().any(|(other, _)| other.first == piece.first) {
                return Err(self.told(REQUEST.fault("one folder twice"), "", world));
            }
            match self.new_lines(piece)? {
                Ok(Some(lines)) => read.push((piece, lines)),
                Ok(None) => {}
                Err(bent) => {
                    // what somebody calls a folder's first line is told where it is one
                    let known = self.taken_head(&piece.first)?.lines > 0;
                    return Err(self.told(bent, if known { &piece.first } else { "" }, world));
                }
            }
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
        Ok(self.stand(&request.pieces))
    }

    /// One writer, one migration: whoever asks first names it, durably; a later one of another name is refused, so
    /// that nobody reads in an extract what is another's.
    fn bound(&mut self, request: &Request, world: &World<'_>) -> Result<()> {
        if request.of.is_empty() && request.pieces.is_empty() {
            return Ok(());
        }
        match &self.of {
            Some(of) if *of == request.of => Ok(()),
            None if !request.of.is_empty() => {
                let text = format!("{}\n", request.of);
                files::replace(&[(&self.path.join(OF), text.as_bytes())], Readers::Owner)?;
                self.of = Some(request.of.clone());
                Ok(())
            }
            Some(_) | None => Err(self.told(OTHER.fault(self.path.display().to_string()), "", world)),
        }
    }

    /// What of a piece is not in the journal yet: nothing, where all of it is. The inner fault is for lines that are
    /// no continuation.
    fn new_lines(&mut self, piece: &Piece) -> Result<Result<Option<New>>> {
        let head = self.taken_head(&piece.first)?;
        let bytes = piece.lines.as_bytes();
        let bent = |what: &str| Ok(Err(BENT.fault(format!("{}: {what}", folder_of(&head)))));
        let Some(after) = event::after(bytes) else { return bent("no line of a run folder") };
        let before = Head { lines: 0, digest: after };
        let lines = event::verify_after(&before, bytes).ok().filter(|lines| lines.whole == bytes.len());
        let Some(lines) = lines else { return bent("lines that do not follow from each other") };
        if lines.leaves.iter().any(|leaf| leaf.session == WRITER) {
            return bent("a line in the writer's own name");
        }
        let here = before.digest == head.digest;
        let last = lines.digests.iter().position(|digest| *digest == head.digest);
        let known = if here { Some(0) } else { last.map(|at| at.saturating_add(1)) };
        if head.lines == 0 {
            // more than its first line at once: lines that the journal has of another beginning are no new folder's
            let is_one = here && lines.digests.first() == Some(&piece.first);
            if !is_one || (lines.leaves.len() > 1 && self.held(&lines.leaves)? > 0) {
                return bent("it begins with another line");
            }
        }
        let Some(known) = known else {
            // a second process of the application may be behind the first
            let behind = !piece.whole && self.held(&lines.leaves)? == lines.leaves.len();
            return if behind { Ok(Ok(None)) } else { bent("the journal has others in their place") };
        };
        let leaves = lines.leaves.get(known..).unwrap_or_default().to_vec();
        if leaves.is_empty() {
            return Ok(Ok(None));
        }
        let count = ecluse_core::count::number(leaves.len());
        let head = Head { lines: head.lines.saturating_add(count), digest: lines.head.digest };
        Ok(Ok(Some(New { leaves, head })))
    }

    /// How many of these the journal holds.
    fn held(&self, leaves: &[Leaf]) -> Result<usize> {
        let wanted =
            leaves.iter().map(|leaf| Ok(Hash::leaf(&leaf.bytes()?))).collect::<Result<HashSet<_>>>()?;
        let mut found = HashSet::new();
        let log = Folder::open(&self.path)?;
        let tree = log.signed()?.checkpoint().clone();
        log.entries(&tree, log.kept()?.first, |_, entry| {
            let hash = Hash::leaf(entry);
            if wanted.contains(&hash) {
                found.insert(hash);
            }
        })?;
        Ok(found.len())
    }

    /// Notes a fault as an attempt, once an hour, and gives it back. `object` is what it was about; a random id where
    /// nothing can be said that an asker did not choose.
    pub fn told(&mut self, fault: Fault, object: &str, world: &World<'_>) -> Fault {
        let (key, now) = ((fault.code().id, object.to_owned()), world.now());
        let lately = |at: &Timestamp| now.duration_since(*at).abs() < AGAIN;
        if self.told.get(&key).is_some_and(lately) {
            return fault;
        }
        let mut note = || {
            let object = if object.is_empty() { world.id()? } else { object.to_owned() };
            let leaf = Leaf::new(world, WRITER, Act::Alert, &object, &Outcome::Code(fault.code().id))?;
            self.round(&[leaf.bytes()?], |taken| taken)
        };
        // where the journal cannot be written nothing is taken either: the next attempt tries again
        if note().is_ok() {
            self.told.insert(key, now);
        }
        fault
    }

    /// Erases what is older than the retention, by whole bundles from the front, unless somebody holds the journal;
    /// the entry that says so is in the journal first. When it was looked stands in [`LOOKED`](super::LOOKED)
    /// afterwards. Gives the number of entries that went.
    ///
    /// # Errors
    ///
    /// The journal's.
    pub fn look(&mut self, keep: &Keep, world: &World<'_>) -> Result<u64> {
        if self.writer.is_none() {
            self.round(&[], |taken| taken)?;
        }
        let log = Folder::open(&self.path)?;
        let tree = log.signed()?.checkpoint().clone();
        let kept = log.kept()?.first;
        let before = if keep.held.is_some() { kept } else { log.due(&tree, keep.until(world.now()))? };
        if before > kept {
            let object = before.to_string();
            let leaf = Leaf::new(world, WRITER, Act::JournalErased, &object, &Outcome::Begun)?;
            self.round(&[leaf.bytes()?], |taken| taken)?;
            let erased = Erased {
                at: world.now().to_string(),
                before,
                months: keep.months,
                reason: keep.reason.clone(),
            };
            self.writer.as_ref().map_or(Ok(()), |writer| writer.erase(erased))?;
        } else if kept > 0 && keep.held.is_none() {
            self.writer.as_ref().map_or(Ok(()), Writer::erase_left)?;
        }
        Looked::new(keep, world.now()).write(&self.path)?;
        Ok(before.saturating_sub(kept))
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

/// What is known of a folder in words that its asker did not choose.
fn folder_of(head: &Head) -> &'static str {
    if head.lines == 0 { "a run folder" } else { "a run folder that it knows" }
}

/// A fault that the writer answered, by its code.
pub(super) fn refusal(code: &str) -> Fault {
    REFUSED.fault(code.to_owned()).help(format!(
        "the account that keeps the journal has it in words, and: ecluse explain {code}; then run the same command again"
    ))
}
