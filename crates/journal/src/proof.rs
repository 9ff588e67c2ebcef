//! A proof that one entry is in a log, in one file that can be checked offline: C2SP tlog-proof.

use crate::check;
use crate::checkpoint::{Signed, decimal};
use crate::hash::Hash;
use crate::note::{NoteFault, VerifierKey};

const FIRST: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes a proof can need: one per height of a tree of 2^64 leaves.
const MOST: usize = 64;

/// A proof as it was read. Nothing in it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Where the entry stands.
    pub index: u64,
    /// From the entry's sibling to the root's child.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

impl Proof {
    /// Reads a proof; `None` for another form. A line `extra` is refused: nothing vouches for what it says,
    /// and écluse writes none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.split('\n');
        if lines.next()? != FIRST {
            return None;
        }
        let index = decimal(lines.next()?.strip_prefix("index ")?)?;
        let hashes = lines.take(MOST + 1).map(Hash::from_base64).collect::<Option<Vec<_>>>()?;
        (hashes.len() <= MOST).then(|| Self { index, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// The file.
    #[must_use]
    pub fn text(&self) -> String {
        let hashes: String = self.hashes.iter().map(|hash| format!("{hash}\n")).collect();
        format!("{FIRST}\nindex {}\n{hashes}\n{}", self.index, self.checkpoint)
    }

    /// Checks that this entry stands at [`Self::index`] of this log, and gives the checkpoint under which it
    /// does: whether witnesses saw that one is asked of it.
    ///
    /// # Errors
    ///
    /// [`NoteFault`] for the checkpoint; [`NoteFault::Forged`] too where the hashes do not lead from the
    /// entry to its root.
    pub fn verify(&self, entry: &[u8], log: &VerifierKey) -> Result<Signed, NoteFault> {
        let signed = Signed::open(self.checkpoint.as_bytes(), log)?;
        let tree = signed.checkpoint();
        let holds = check::includes(&tree.root, tree.size, self.index, &Hash::leaf(entry), &self.hashes);
        if holds { Ok(signed) } else { Err(NoteFault::Forged) }
    }
}
