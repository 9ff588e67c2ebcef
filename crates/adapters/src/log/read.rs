//! The journal's folder, read: whole against its checkpoint, and against those that others hold.

use std::path::{Path, PathBuf};

use ecluse_core::fault::{Code, Fault, Result};
use ecluse_flow::event::{Act, Leaf};
use ecluse_journal::audit::{self, Bent, Held};
use ecluse_journal::{Checkpoint, Hash, Kind, NoteFault, Objects, Signed, Tile, Unread, VerifierKey};

use super::{CHECKPOINT, KEY, Kept, NONE, READ, VERIFIER, files};

static ALTERED: Code =
    Code::refused("ECL-LOG-010", "an entry of the journal is not the one that was written");
static ROOT: Code = Code::refused("ECL-LOG-011", "the journal is not what its checkpoint says");
static ABSENT: Code = Code::refused("ECL-LOG-012", "a part of the journal is missing");
/// The log and a checkpoint that somebody holds contradict each other.
pub static FORK: Code = Code::refused("ECL-LOG-013", "the journal is not the one that was seen");
/// Entries that somebody saw are gone from the end.
pub static CUT: Code = Code::refused("ECL-LOG-014", "the journal is shorter than it was seen to be");
/// A checkpoint of another log.
pub static STRANGER: Code = Code::refused("ECL-LOG-015", "this is a checkpoint of another journal");
static ERASED: Code =
    Code::refused("ECL-LOG-016", "so much of the journal was erased that it cannot be compared");
static UNSAID: Code = Code::refused(
    "ECL-LOG-018",
    "entries are missing at the journal's front, and none says that they were erased",
);
static NO_ENTRY: Code = Code::usage("ECL-LOG-017", "the journal has no such entry");

/// Bytes of a hash in a tile.
const HASH: usize = 32;

/// The journal of a migration, as a reader has it: nothing is written, no lock is taken.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// The folder's objects. A link is followed: a reader's copy may lie anywhere.
#[derive(Clone, Debug)]
pub(super) struct Tiles<'a>(&'a Path);

impl Objects for Tiles<'_> {
    type Error = Fault;

    fn read(&mut self, tile: &Tile) -> Result<Option<Vec<u8>>> {
        if let Some(bytes) = files::read(&self.0.join(tile.path()))? {
            return Ok(Some(bytes));
        }
        // what stood at the right edge is part of a wider one, where a writer went on meanwhile
        let full = ecluse_journal::FULL;
        let level = if let Kind::Hashes(level) = tile.kind() { 8 * u32::from(level) } else { 0 };
        for width in tile.width().saturating_add(1)..=full {
            let end = tile.n().saturating_mul(full).saturating_add(width);
            let size = end.checked_shl(level).filter(|size| size.checked_shr(level) == Some(end));
            let Some(wider) = size.and_then(|size| Tile::of(tile.kind(), tile.n(), size)) else { break };
            if let Some(bytes) = files::read(&self.0.join(wider.path()))? {
                return Ok(cut(&bytes, &wider, tile));
            }
        }
        Ok(None)
    }
}

/// What a narrower tile held of this one: the first of its hashes, or of its entries.
fn cut(bytes: &[u8], wider: &Tile, to: &Tile) -> Option<Vec<u8>> {
    let width = usize::try_from(to.width()).ok()?;
    if let Kind::Hashes(_) = to.kind() {
        return bytes.get(..width.checked_mul(HASH)?).map(<[u8]>::to_vec);
    }
    let mut all = Vec::new();
    let entries = ecluse_journal::bundle::entries(bytes, wider.width())?;
    entries.get(..width)?.iter().all(|entry| ecluse_journal::bundle::push(&mut all, entry)).then_some(all)
}

impl Folder {
    /// The journal at this path, if one was begun there.
    #[must_use]
    pub fn find(path: &Path) -> Option<Self> {
        path.join(CHECKPOINT).exists().then(|| Self { path: path.to_owned() })
    }

    /// The journal at this path.
    ///
    /// # Errors
    ///
    /// `ECL-LOG-005` where there is none.
    pub fn open(path: &Path) -> Result<Self> {
        Self::find(path).ok_or_else(|| {
            NONE.fault(path.display().to_string())
                .help("it begins with the first command that is journaled, for instance: ecluse plan")
        })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key that the folder says signs it. Whether it is the writer's is told by whoever has it from elsewhere.
    ///
    /// # Errors
    ///
    /// `ECL-LOG-012` where it is missing, `ECL-LOG-004` where it is none.
    pub fn verifier(&self) -> Result<VerifierKey> {
        let path = self.path.join(VERIFIER);
        let bytes = files::read(&path)?.ok_or_else(|| ABSENT.fault(path.display().to_string()))?;
        let text = String::from_utf8_lossy(&bytes);
        VerifierKey::parse(text.trim_end()).ok_or_else(|| KEY.fault(format!("{}: no key", path.display())))
    }

    /// The checkpoint, signed by the folder's key.
    ///
    /// # Errors
    ///
    /// `ECL-LOG-004` where another key signed it, or none.
    pub fn signed(&self) -> Result<Signed> {
        let path = self.path.join(CHECKPOINT);
        let bytes = files::read(&path)?.ok_or_else(|| NONE.fault(path.display().to_string()))?;
        opened(&path, &bytes, &self.verifier()?)
    }

    /// From which entry on they are kept.
    ///
    /// # Errors
    ///
    /// Where the file that says so is not écluse's.
    pub fn kept(&self) -> Result<Kept> {
        Kept::read(&self.path)
    }

    /// Reads every entry that is kept and compares it with the tree of this checkpoint; `each` gets it with
    /// its index. That they are the tree's is known when this returns without a fault, and not before.
    ///
    /// That entries before the first were erased is believed where an entry that is kept says so: whoever
    /// changes `kept.json` alone hides nothing.
    ///
    /// # Errors
    ///
    /// `ECL-LOG-010`, `ECL-LOG-011`, `ECL-LOG-012`, each with the place; `ECL-LOG-018`.
    pub fn whole(&self, tree: &Checkpoint, mut each: impl FnMut(u64, &[u8])) -> Result<()> {
        let first = self.kept()?.first;
        let erased = first.to_string();
        let mut said = first == 0;
        audit::whole(Tiles(&self.path), tree, first, |index, entry| {
            let says = |leaf: &Leaf| leaf.act == Act::JournalErased && leaf.object == erased;
            said = said || Leaf::parse(entry).as_ref().is_some_and(says);
            each(index, entry);
        })
        .map_err(|bent| self.bent(bent))?;
        if said {
            return Ok(());
        }
        Err(UNSAID
            .fault(format!("before entry {first}"))
            .help("put the journal back as it was; keep the folder as it is and tell the controller"))
    }

    /// Whether the log grew out of a checkpoint that somebody holds. What the objects say is believed:
    /// [`Self::whole`] compares them.
    ///
    /// # Errors
    ///
    /// [`STRANGER`], [`CUT`], [`FORK`]; `ECL-LOG-016` where what it takes was erased.
    pub fn grew(&self, tree: &Checkpoint, held: &Checkpoint) -> Result<()> {
        match self.grew_or_erased(tree, held)? {
            true => Ok(()),
            false => Err(ERASED.fault(format!("{} entries, root {}", held.size, held.root))),
        }
    }

    /// The same; false where the entries by which it would be told were erased when their time was over.
    ///
    /// # Errors
    ///
    /// As [`Self::grew`].
    pub fn grew_or_erased(&self, tree: &Checkpoint, held: &Checkpoint) -> Result<bool> {
        let told = format!("{} entries, root {}", held.size, held.root);
        match audit::against(Tiles(&self.path), tree, self.kept()?.first, held) {
            Held::Grew => Ok(true),
            Held::Erased => Ok(false),
            Held::Stranger => Err(STRANGER.fault(format!("{}; this one is {}", held.origin, tree.origin))),
            Held::Cut => Err(CUT.fault(format!(
                "it was seen with {told}; it holds {}: entry {} and all after it are gone",
                tree.size, tree.size
            ))),
            Held::Fork => Err(FORK.fault(format!(
                "it was seen with {told}: an entry before {} was changed, moved or taken away",
                held.size
            ))),
            Held::Unread(unread) => Err(self.unread(unread)),
        }
    }

    /// One entry's bytes and the hashes that prove it in this tree.
    ///
    /// # Errors
    ///
    /// `ECL-LOG-017` where the tree has no such entry, or it was erased; those of [`Self::whole`].
    pub fn entry(&self, tree: &Checkpoint, index: u64) -> Result<(Vec<u8>, Vec<Hash>)> {
        let none = || NO_ENTRY.fault(format!("{index}; it holds {} entries", tree.size));
        let first = self.kept()?.first;
        if index < first {
            return Err(
                NO_ENTRY.fault(format!("{index}; those before {first} were erased when their time was over"))
            );
        }
        let hashes = audit::inclusion(Tiles(&self.path), tree.size, index);
        let hashes = hashes.map_err(|unread| self.unread(unread))?.ok_or_else(none)?;
        let width = ecluse_journal::FULL;
        let tile = Tile::of(Kind::Entries, index / width, tree.size).ok_or_else(none)?;
        let missing = || self.unread(Unread::Missing(tile));
        let bundle = self.objects().read(&tile)?.ok_or_else(missing)?;
        let within = usize::try_from(index % width).unwrap_or(usize::MAX);
        let entries = ecluse_journal::bundle::entries(&bundle, tile.width());
        let entry = entries.as_ref().and_then(|all| all.get(within));
        let entry = entry.ok_or_else(|| self.unread(Unread::Misshapen(tile)))?;
        Ok((entry.to_vec(), hashes))
    }

    /// Reads the entries from an index on, and compares none of them: [`Self::whole`] does.
    ///
    /// # Errors
    ///
    /// `ECL-LOG-010`, `ECL-LOG-012` for a bundle that is not of its form, or missing.
    pub fn entries(&self, tree: &Checkpoint, from: u64, mut each: impl FnMut(u64, &[u8])) -> Result<()> {
        let full = ecluse_journal::FULL;
        for n in from / full.. {
            let Some(tile) = Tile::of(Kind::Entries, n, tree.size) else { break };
            let bundle = self.objects().read(&tile)?;
            let bundle = bundle.ok_or_else(|| self.unread(Unread::Missing(tile)))?;
            let entries = ecluse_journal::bundle::entries(&bundle, tile.width());
            let entries = entries.ok_or_else(|| self.unread(Unread::Misshapen(tile)))?;
            for (entry, index) in entries.into_iter().zip(n * full..).filter(|(_, index)| *index >= from) {
                each(index, entry);
            }
        }
        Ok(())
    }

    pub(super) fn objects(&self) -> Tiles<'_> {
        Tiles(&self.path)
    }

    fn bent(&self, bent: Bent<Fault>) -> Fault {
        let help = "keep the folder as it is, tell the controller, and find out who had access to it";
        match bent {
            Bent::Unread(unread) => self.unread(unread),
            Bent::Entry(index) => ALTERED.fault(format!("entry {index}")).help(help),
            Bent::Entries(range) => {
                ROOT.fault(format!("between entry {} and {}", range.start, range.end)).help(help)
            }
            Bent::Root => ROOT.fault("its entries give another root").help(help),
        }
    }

    pub(super) fn unread(&self, unread: Unread<Fault>) -> Fault {
        let place = |tile: Tile| {
            let path = self.path.join(tile.path());
            let Kind::Entries = tile.kind() else { return path.display().to_string() };
            let from = tile.n().saturating_mul(ecluse_journal::FULL);
            format!("{}: entries {from} to {}", path.display(), from.saturating_add(tile.width()) - 1)
        };
        match unread {
            Unread::Failed(fault) => fault,
            Unread::Missing(tile) => ABSENT.fault(place(tile)),
            Unread::Misshapen(tile) => {
                ALTERED.fault(format!("{}: one was taken out, put in or cut", place(tile)))
            }
        }
    }
}

/// A checkpoint's file, signed by this key.
pub(super) fn opened(path: &Path, bytes: &[u8], key: &VerifierKey) -> Result<Signed> {
    Signed::open(bytes, key).map_err(|wrong| match wrong {
        NoteFault::NotANote => READ.fault(format!("{}: no signed checkpoint", path.display())),
        NoteFault::NotSigned | NoteFault::Forged => KEY.fault(format!("{}: {wrong}", path.display())),
    })
}
