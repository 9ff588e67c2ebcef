//! The journal: whether the log in the file is what its checkpoint says, holds the run's events, and grew out of
//! what signatories had seen of it.

use std::collections::BTreeSet;
use std::convert::Infallible;

use ecluse_core::document::Seen;
use ecluse_core::language::Language;
use ecluse_journal::audit::{self, Held};
use ecluse_journal::{Checkpoint, FULL, Hash, Kind, Note, Objects, Signed, Tile, VerifierKey};

use crate::Files;
use crate::bench::{Bench, SeenBy};
use crate::papers::destruction;
use crate::run::{Events, Leaf};
use crate::verdict::Words;

/// The log's folder in the evidence.
const FOLDER: &str = "journal/";
/// Its hashes and entries.
const TILES: &str = "journal/tile/";
/// The last checkpoint.
pub(crate) const CHECKPOINT: &str = "journal/checkpoint";
/// The key that signs it, as the log's writer states it.
pub(crate) const KEY: &str = "journal/log.pub";

/// The log's objects among the files.
struct Tiles<'f>(&'f Files);

impl Objects for Tiles<'_> {
    type Error = Infallible;

    fn read(&mut self, tile: &Tile) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(&format!("{FOLDER}{}", tile.path())).cloned())
    }
}

/// A log whose entries are its checkpoint's.
pub(crate) struct Log {
    pub(crate) tree: Checkpoint,
    /// The first entry that the file holds.
    pub(crate) first: u64,
    /// What can be read of the entries, each with its index.
    pub(crate) leaves: Vec<(u64, Leaf)>,
}

impl Log {
    /// How it stands to an earlier checkpoint of it.
    pub(crate) fn against(&self, files: &Files, held: &Checkpoint) -> Held<Infallible> {
        audit::against(Tiles(files), &self.tree, self.first, held)
    }
}

/// Checks the log, where the file holds one; then what signatories had seen of it. Gives it back where it is whole.
pub(crate) fn check(bench: &mut Bench<'_>, events: Option<&Events>) -> Option<Log> {
    let tree = opened(bench);
    let first = first(bench);
    let log = tree.as_ref().and_then(|tree| whole(bench, tree, first, events));
    for SeenBy { name, seen, .. } in bench.seen() {
        witnessed(bench, &name, &seen, tree.as_ref(), first);
    }
    log
}

/// The checkpoint, where the key beside it signed it: one that nobody signed tells of no log.
fn opened(bench: &mut Bench<'_>) -> Option<Checkpoint> {
    let Some(bytes) = bench.bytes(CHECKPOINT) else {
        let words = Words::new(
            "No log is in the file: the run’s events are covered by the papers that cite them alone.",
            "Aucun journal infalsifiable dans le fichier : seuls les documents qui citent les événements les couvrent.",
        );
        bench.absent(CHECKPOINT, words);
        return None;
    };
    let tree = Note::parse(bytes).ok().and_then(|note| Checkpoint::parse(note.text()));
    let key = bench.bytes(KEY).map(|key| VerifierKey::parse(String::from_utf8_lossy(key).trim_end()));
    match (&tree, key) {
        (None, _) => {
            let words = Words::new(
                "It is no checkpoint of a log.",
                "Ce n’est pas le point de contrôle d’un journal.",
            );
            bench.fails(CHECKPOINT, words, None);
            None
        }
        (Some(_), None) => {
            let words = Words::new(
                "The key that signs the log is not in the file: the checkpoint counts as signed by nobody.",
                "La clé qui signe le journal n’est pas dans le fichier : le point de contrôle compte comme non signé.",
            );
            bench.uncovered(CHECKPOINT, words);
            None
        }
        (Some(_), Some(key)) => {
            let signed = key.is_some_and(|key| Signed::open(bytes, &key).is_ok());
            let words =
                Words::new("It is signed by the log’s own key.", "Il est signé par la clé du journal.");
            bench.check(CHECKPOINT, signed, words, || "another key signed it, or it was changed".to_owned());
            tree.filter(|_| signed)
        }
    }
}

/// The first entry that the file holds: retention erases whole bundles from the front.
fn first(bench: &Bench<'_>) -> u64 {
    let tiles = bench.below(FOLDER).filter_map(|path| Tile::parse(path.strip_prefix(FOLDER)?));
    let bundles = tiles.filter(|tile| tile.kind() == Kind::Entries).map(|tile| tile.n());
    bundles.min().unwrap_or_default().saturating_mul(FULL)
}

/// Every entry is the tree's, and the run's events are among them, in their order.
fn whole(bench: &mut Bench<'_>, tree: &Checkpoint, first: u64, events: Option<&Events>) -> Option<Log> {
    let (mut entries, mut leaves): (Vec<Hash>, Vec<(u64, Leaf)>) = (Vec::new(), Vec::new());
    let held = audit::whole(Tiles(bench.files()), tree, first, |index, entry| {
        entries.push(Hash::leaf(entry));
        leaves.extend(serde_json::from_slice::<Leaf>(entry).ok().map(|leaf| (index, leaf)));
    });
    // before there was a run, only the log has it
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (_, leaf) in &leaves {
        let leaf = Some(leaf).filter(|leaf| leaf.is_taken());
        taken.extend(leaf.map(|leaf| leaf.object.clone()));
    }
    let count = tree.size.saturating_sub(first);
    let (en, fr) = (Language::English.count(count), Language::French.count(count));
    let words = Words::new(
        format!("{en} entries give the checkpoint’s root (RFC 6962)."),
        format!("{fr} entrées donnent la racine du point de contrôle (RFC 6962)."),
    );
    bench.check(CHECKPOINT, held.is_ok(), words, || format!("{:?}", held.as_ref().err()));
    if held.is_ok() {
        // the root is signed, and covers them
        let below: Vec<String> = bench.below(TILES).cloned().collect();
        below.iter().for_each(|path| bench.vouch(path));
        destruction::noted(bench, &taken);
    }
    if let Some(events) = events.filter(|_| held.is_ok()) {
        noted(bench, &entries, first, events);
    }
    held.is_ok().then(|| Log { tree: tree.clone(), first, leaves })
}

/// The run's events are among the log's entries, in their order. With a certificate each of them: the log's last
/// round was before it. Without one, what was noted since that round is covered by nothing yet.
fn noted(bench: &mut Bench<'_>, entries: &[Hash], first: u64, events: &Events) {
    // of a log whose front was erased when its time was over, the events at the front are gone with it
    let gone =
        if first > 0 { events.hashes.iter().take_while(|event| !entries.contains(event)).count() } else { 0 };
    if gone > 0 {
        let words = Words::new(
            format!(
                "The run’s first {gone} events were erased from the log when their time was over; this copy is the evidence’s own."
            ),
            format!(
                "Les {gone} premiers événements du transfert ont été effacés du journal à leur échéance ; cette copie est celle de la preuve."
            ),
        );
        bench.lost(crate::run::EVENTS, words);
    }
    let mut rest = entries.iter();
    let kept = events.hashes.iter().enumerate().skip(gone);
    let missing = { kept }.find(|(_, event)| !rest.any(|entry| entry == *event)).map(|(at, _)| at);
    let told = events.hashes.len();
    let Some(from) = missing else {
        let words = Words::new(
            format!("The log holds the run’s {} events, in their order.", told.saturating_sub(gone)),
            format!(
                "Le journal contient les {} événements du transfert, dans leur ordre.",
                told.saturating_sub(gone)
            ),
        );
        bench.holds(crate::run::EVENTS, words);
        return;
    };
    let is_tail = events.hashes.iter().skip(from).all(|event| !entries.contains(event));
    if is_tail && !bench.is_closed() {
        let words = Words::new(
            format!(
                "The log holds the run’s first {from} of {told} events; nothing covers the last ones yet."
            ),
            format!(
                "Le journal contient les {from} premiers des {told} événements ; rien ne couvre encore les derniers."
            ),
        );
        bench.uncovered(crate::run::EVENTS, words);
    } else {
        let words = Words::new(
            "The log does not hold the run’s events as they are here.",
            "Le journal ne contient pas les événements du transfert tels qu’ils sont ici.",
        );
        bench.fails(crate::run::EVENTS, words, format!("line {}", from + 1));
    }
}

/// A checkpoint that a signatory had seen when the paper was signed: the log here grew out of it.
fn witnessed(bench: &mut Bench<'_>, name: &str, seen: &Seen, tree: Option<&Checkpoint>, first: u64) {
    let size = seen.size;
    let Some(tree) = tree else {
        let words = Words::new(
            format!("Its signatories had seen a log of {size} entries, which is not in the file."),
            format!(
                "Ses signataires avaient vu un journal de {size} entrées, qui n’est pas dans le fichier."
            ),
        );
        bench.absent(name, words);
        return;
    };
    let words = Words::new(
        format!("The log grew out of the {size} entries that its signatories had seen."),
        format!("Le journal prolonge les {size} entrées que ses signataires avaient vues."),
    );
    let Some(root) = Hash::from_base64(&seen.root) else {
        bench.fails(name, words, "the root that it names is none".to_owned());
        return;
    };
    let held = Checkpoint { origin: seen.origin.clone(), size, root };
    match audit::against(Tiles(bench.files()), tree, first, &held) {
        Held::Grew => bench.holds(name, words),
        Held::Erased => bench.lost(name, words),
        other => bench.fails(name, words, format!("{other:?}")),
    }
}
