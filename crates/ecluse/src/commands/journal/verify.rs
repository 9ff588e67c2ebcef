//! `ecluse journal verify`: every entry, every checkpoint that others hold, every line of the run folders.

use std::collections::HashSet;

use ecluse_adapters::log::{self, Taken, WRITER};
use ecluse_core::fault::{Code, Result};
use ecluse_flow::event::Leaf;
use ecluse_journal::{Checkpoint, Hash, VerifierKey};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::agree::{self, Places};
use super::{Here, document, entries, told};
use crate::cli::SeenArgs;
use crate::journal::seen::{self, Witness};
use crate::journal::{reading, witnesses};
use crate::papers::{Paper, quietly};
use crate::{journal, output};

static NOT_THE_KEY: Code =
    Code::refused("ECL-LOG-033", "the journal is signed by another key than the one given");
static BACK: Code = Code::refused("ECL-LOG-034", "the clock was set back");
static FOREIGN: Code = Code::refused("ECL-LOG-036", "an entry of the journal is no event of écluse");

static DIED: Code = Code::outside("ECL-LOG-045", "a thread of the verification died");

/// Two lines of two run folders are taken in by their times, which are read a moment apart.
const MOMENT: SignedDuration = SignedDuration::from_secs(1);

/// What was read of the entries.
#[derive(Debug, Default)]
struct Read {
    /// Where each stands, by its hash.
    places: Places,
    /// Those that the journal's writer made by itself.
    own: HashSet<u64>,
    /// The first entry that is no event.
    foreign: Option<u64>,
    last: Option<Timestamp>,
    /// Entries that are older than the one before.
    back: Vec<(u64, String)>,
}

impl Read {
    fn take(&mut self, index: u64, entry: &[u8]) {
        self.places.insert(Hash::leaf(entry), index);
        let leaf = Leaf::parse(entry);
        let at = leaf.as_ref().and_then(|leaf| leaf.time.parse::<Timestamp>().ok());
        let (Some(leaf), Some(at)) = (leaf, at) else {
            self.foreign.get_or_insert(index);
            return;
        };
        if leaf.session == WRITER {
            self.own.insert(index);
        }
        if self.last.is_some_and(|last| at.duration_until(last) > MOMENT) {
            self.back.push((index, leaf.time));
        }
        self.last = Some(at);
    }
}

pub(super) fn run(here: &Here, args: &SeenArgs) -> Result<()> {
    let log = log::Folder::open(&journal::path(&here.folder))?;
    let verified = verify(here, args, &log);
    // afterwards, and taken in by the next command: a verification changes nothing of what it verifies
    if let Ok(key) = log.verifier() {
        reading::noted(here, key.name());
    }
    verified
}

fn verify(here: &Here, args: &SeenArgs, log: &log::Folder) -> Result<()> {
    given(log, args)?;
    let signed = log.signed()?;
    let tree = signed.checkpoint();
    let mut witnesses = seen::in_papers(&here.folder, here.now)?;
    witnesses.extend(witnesses::cosigned(&here.folder, &log.verifier()?, &trusted(here, args)?)?);
    for path in &args.against {
        witnesses.push(seen::kept(path)?);
    }
    let mut read = Read::default();
    // the log and the folders that it was made of are read beside each other
    let (whole, runs) = std::thread::scope(|scope| {
        let runs = scope.spawn(|| journal::noted(&here.folder));
        let whole = log.whole(tree, |index, entry| read.take(index, entry));
        (whole, runs.join())
    });
    whole?;
    let mut erased = Vec::new();
    let mut compared = Vec::new();
    for witness in witnesses {
        let grew =
            log.grew_or_erased(tree, &witness.checkpoint).map_err(|fault| at_place(fault, &witness))?;
        if grew { &mut compared } else { &mut erased }.push(witness);
    }
    let runs = runs.map_err(|_panic| DIED.fault("reading"))??;
    let taken = Taken::read(log.path(), tree)?;
    let late = agree::late(&runs, &taken, (&read.places, &read.own), log.kept()?.first)?;
    if let Some(index) = read.foreign {
        return Err(FOREIGN.fault(format!("entry {index}")));
    }
    said(tree, (&compared, &erased), late, log.kept()?.first);
    if read.back.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = read.back.iter().map(|(index, at)| json!({ "index": index, "time": at })).collect();
    output::document(&json!({ "back": list }));
    let first: Vec<String> =
        read.back.iter().take(5).map(|(index, at)| format!("entry {index} of {at}")).collect();
    Err(BACK
        .fault(format!(
            "{} older than the one before: {}",
            entries(ecluse_core::count::number(read.back.len())),
            first.join(", ")
        ))
        .help("everything else holds; whoever keeps the machine's clock says what happened then"))
}

/// The keys of witnesses that count: those given, and those in the order.
fn trusted(here: &Here, args: &SeenArgs) -> Result<Vec<VerifierKey>> {
    let mut texts = args.witness.clone();
    if let Ok(paper) = quietly(|| Paper::read(&here.folder.path(None, "instruction.toml"), "")) {
        let order = ecluse_core::instruction::parse(paper.text());
        texts.extend(order.map(|order| order.witnesses).unwrap_or_default());
    }
    witnesses::keys(&texts)
}

/// Compares the folder's key with the one that was obtained elsewhere.
fn given(log: &log::Folder, args: &SeenArgs) -> Result<()> {
    let Some(given) = &args.log_key else { return Ok(()) };
    if VerifierKey::parse(given).as_ref() == Some(&log.verifier()?) {
        return Ok(());
    }
    Err(NOT_THE_KEY.fault(log.verifier()?.to_string()).help("compare it with what the processor gave you"))
}

fn at_place(fault: ecluse_core::fault::Fault, witness: &Witness) -> ecluse_core::fault::Fault {
    fault.help(format!(
        "{} ({}) does not belong to what lies in journal/; ask whoever keeps the journal",
        witness.place, witness.who
    ))
}

fn said(tree: &Checkpoint, (witnesses, erased): (&[Witness], &[Witness]), late: u64, first: u64) {
    told(tree);
    let kept = if first == 0 {
        String::new()
    } else {
        format!(" from entry {first} on; those before were erased when their time was over")
    };
    output::line(
        "  the events of every folder of this migration: runs, rehearsals, readings, the ledger of copies",
    );
    output::line(format!("  every entry is the one that the root was signed over{kept}"));
    for witness in witnesses {
        output::line(format!(
            "  it grew out of what {} saw: {}   ({})",
            witness.who,
            entries(witness.checkpoint.size),
            witness.place
        ));
    }
    for witness in erased {
        output::line(format!(
            "  of what {} saw, {}, too little is left to compare: its time was over   ({})",
            witness.who,
            entries(witness.checkpoint.size),
            witness.place
        ));
    }
    match witnesses.iter().filter(|witness| witness.is_foreign).map(|witness| witness.checkpoint.size).max() {
        Some(size) if size > 0 => output::line(format!(
            "What this says: nothing of the first {} was changed, moved or taken away since it was seen.",
            entries(size)
        )),
        _ => output::line(
            "No other party holds a checkpoint of it: a journal written anew from its first entry on would look the same.",
        ),
    }
    if late > 0 {
        output::line(format!(
            "  {} of the run folders not taken in yet:  ecluse journal checkpoint",
            entries(late)
        ));
    }
    let list = |all: &[Witness]| -> Vec<_> {
        let one = |w: &Witness| json!({ "place": w.place, "who": w.who, "size": w.checkpoint.size, "foreign": w.is_foreign });
        all.iter().map(one).collect()
    };
    document(tree);
    output::document(&json!({
        "holds": true, "witnesses": list(witnesses), "erased": list(erased), "late": late, "first": first,
    }));
}
