//! Which lines of the run folders the log holds: a crash between two rounds neither doubles nor loses one, and
//! a line that was changed after it was taken in is found.

use std::collections::BTreeMap;
use std::path::Path;

use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::event::{Head, Leaf, Verified};
use ecluse_journal::{Checkpoint, Hash};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{TAKEN, files};

static MALFORMED: Code = Code::refused("ECL-LOG-020", "what the journal has taken in cannot be told");
static CHANGED: Code =
    Code::refused("ECL-LOG-021", "events were changed after the journal had taken them in");

const FORMAT: &str = "ecluse-taken/1";

/// How far one run folder was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// The folder's name at that time; it may be moved.
    pub name: String,
    /// Lines taken in.
    pub lines: u64,
    /// The digest of the last of them, which covers those before it.
    pub digest: String,
    /// The hash of its leaf, which covers nothing else.
    pub leaf: String,
}

/// What the tree of one size holds of the run folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    size: u64,
    root: String,
    /// By the digest of the folder's first line, which no other folder has: its leaf holds a random salt.
    pub runs: BTreeMap<String, Lines>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    /// The tree that stands, and the one that is about to take its place.
    rounds: Vec<Taken>,
}

/// The events of one run folder, as they stand there.
#[derive(Clone, Debug)]
pub struct Run {
    /// The folder's name.
    pub name: String,
    /// Its events, checked line by line.
    pub events: Verified,
}

impl Taken {
    /// Of a log that holds nothing.
    #[must_use]
    pub fn nothing(tree: &Checkpoint) -> Self {
        Self { runs: BTreeMap::new(), ..Self::nothing_but(tree) }
    }

    fn nothing_but(tree: &Checkpoint) -> Self {
        Self { size: tree.size, root: tree.root.to_string(), runs: BTreeMap::new() }
    }

    /// The same folders, of this tree.
    #[must_use]
    pub fn of(self, tree: &Checkpoint) -> Self {
        Self { runs: self.runs, ..Self::nothing_but(tree) }
    }

    /// Reads what the tree that stands has taken in.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`]: the file is missing, not écluse's, or tells of other trees than the one that stands.
    pub fn read(path: &Path, tree: &Checkpoint) -> Result<Self> {
        let file = path.join(TAKEN);
        let bent = |what: &str| {
            MALFORMED.fault(format!("{}: {what}", file.display())).help(
                "somebody changed, or put back, a part of the folder: keep it as it is; ecluse journal verify --against CHECKPOINT tells what others saw",
            )
        };
        let Some(bytes) = files::read(&file)? else {
            return if tree.size == 0 { Ok(Self::nothing(tree)) } else { Err(bent("missing")) };
        };
        let read: File = serde_json::from_slice(&bytes).map_err(|_| bent("not écluse's"))?;
        let stands = |taken: &Self| taken.size == tree.size && taken.root == tree.root.to_string();
        let known = read.rounds.into_iter().find(stands).filter(|_| read.format == FORMAT);
        known.ok_or_else(|| bent("it tells of another checkpoint than the one that stands"))
    }

    /// Whether a folder that begins with a line nobody knows holds, in its place, a line that was taken in
    /// from another beginning.
    fn holds_changed(&self, run: &Run) -> bool {
        let is_known = run.events.digests.first().is_some_and(|first| self.runs.contains_key(first));
        let leaf = |lines: &Lines| {
            let last = usize::try_from(lines.lines).ok()?.checked_sub(1)?;
            let leaf = run.events.leaves.get(last)?.bytes().ok()?;
            Some(Hash::leaf(&leaf).to_string() == lines.leaf)
        };
        !is_known && self.runs.values().any(|lines| leaf(lines) == Some(true))
    }

    /// How far the folder that begins with this line was taken in.
    pub(super) fn head(&self, first: &str) -> Head {
        let known = self.runs.get(first);
        known.map_or_else(Head::default, |known| Head { lines: known.lines, digest: known.digest.clone() })
    }

    /// Notes that a folder is taken in up to this leaf, where the head then stands.
    pub(super) fn reach(&mut self, first: &str, name: &str, head: &Head, last: &Leaf) -> Result<()> {
        let leaf = Hash::leaf(&last.bytes()?).to_string();
        let lines = Lines { name: name.to_owned(), lines: head.lines, digest: head.digest.clone(), leaf };
        self.runs.insert(first.to_owned(), lines);
        Ok(())
    }

    /// The file that tells of the tree that stands and of the next one.
    pub(super) fn file(&self, next: &Self) -> Vec<u8> {
        let file = File { format: FORMAT.to_owned(), rounds: vec![self.clone(), next.clone()] };
        // maps of texts and numbers: there is always a text of them
        let mut json = serde_json::to_vec_pretty(&file).unwrap_or_default();
        json.push(b'\n');
        json
    }
}

fn changed(run: &Run, what: &str) -> Fault {
    CHANGED
        .fault(format!("{}: {what}", run.name))
        .help("ecluse journal verify names the entry; keep the folder as it is and tell the controller")
}

/// The entries that these folders hold and the log does not, in the order of their times (each folder's own
/// order is kept whatever its clock said), and what will be taken in with them.
///
/// A folder that is not among them is left as it is known: a run folder may be erased when its time is over. Of two
/// folders that begin with the same line one is a copy: the longer counts.
///
/// # Errors
///
/// [`CHANGED`] names the folder: its lines up to those that were taken in are other ones now, or fewer.
pub fn gather(runs: &[Run], taken: &Taken) -> Result<(Vec<Vec<u8>>, Taken)> {
    let mut longest: BTreeMap<&str, &Run> = BTreeMap::new();
    for run in runs {
        let Some(first) = run.events.digests.first() else { continue };
        let known = longest.entry(first).or_insert(run);
        if known.events.head.lines < run.events.head.lines {
            *known = run;
        }
    }
    if let Some(run) = longest.values().find(|run| taken.holds_changed(run)) {
        return Err(changed(run, "its first line is another one now"));
    }
    let mut next = taken.clone();
    let mut queues = Vec::new();
    for (first, run) in longest {
        let head = next.head(first);
        let Some(leaves) = run.events.since(&head) else {
            let what = if run.events.head.lines < head.lines { "fewer" } else { "others" };
            return Err(changed(run, &format!("of its first {} lines, {what} are there now", head.lines)));
        };
        let Some(last) = leaves.last() else { continue };
        queues.push(leaves);
        next.reach(first, &run.name, &run.events.head, last)?;
    }
    Ok((in_order(queues)?, next))
}

/// The leaves of several folders in the order of their times; each folder's own order is kept whatever its
/// clock said.
pub(super) fn in_order(mut queues: Vec<&[Leaf]>) -> Result<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    let time = |leaf: &Leaf| leaf.time.parse::<Timestamp>().unwrap_or_default();
    loop {
        let heads =
            queues.iter_mut().filter_map(|queue| queue.split_first().map(|(leaf, rest)| (leaf, rest, queue)));
        let Some((leaf, rest, queue)) = heads.min_by_key(|(leaf, ..)| time(leaf)) else { break };
        entries.push(leaf.bytes()?);
        *queue = rest;
    }
    Ok(entries)
}
