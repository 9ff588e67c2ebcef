//! `ecluse erase --look`: what should be gone is sought in every place that the ledger and the code know.

use std::path::{Path, PathBuf};

use ecluse_adapters::folder::{self as runs, RunFolder};
use ecluse_adapters::residue::{Search, Seen};
use ecluse_adapters::url::Url;
use ecluse_core::copies::{FILE, Ledger};
use ecluse_core::count::{number, plural};
use ecluse_core::digest::of_bytes;
use ecluse_core::erasure::{ERASURE, Looked, Residue, Side, Survivor};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_flow::event::{Act, Leaf, Outcome};
use ecluse_flow::ports::Record as _;
use ecluse_flow::residue::{drawn, drawn_at_source};
use serde_json::json;
use zeroize::Zeroizing;

use super::due::{self, Who};
use super::servers;
use crate::cli::{EraseArgs, PaperArgs};
use crate::commands::{Here, begun};
use crate::copies::look;
use crate::papers::chain::Chain;
use crate::ready::{self, Missing, Ready};
use crate::{connect, folder, output};

static NOTHING: Code = Code::refused("ECL-ERA-022", "no erasure has come to its end");
static SURVIVES: Code = Code::refused("ECL-ERA-023", "something was found that should be gone");

/// Values drawn of each table about persons.
const VALUES: usize = 32;

/// Folders within folders, at most.
const DEPTH: usize = 12;

/// Papers whose words are no patient's, wherever they stand.
const PAPERS: [&str; 5] =
    ["contract.toml", "instruction.toml", "mapping.toml", "dictionary.toml", "session.toml"];

pub(super) fn run(here: &Here, args: &EraseArgs) -> Result<()> {
    let run = here.folder.path(args.begun.run.dir.as_deref(), "run");
    let figures = begun::figures(&run)?;
    let erasure = runs::erasure(&run)?.filter(|one| !one.ended.is_empty());
    let erasure = erasure.ok_or_else(|| NOTHING.fault("").help("ecluse erase; ecluse erase --source"))?;
    let digest = of_bytes(&folder::read(&run.join(ERASURE), "ecluse erase")?);
    let ledger = look(&here.folder)?;
    let began = ready::world().now().to_string();
    let (ready, values, from) = values(here, &super::source::papers(args))?;
    let needles = Needles::of(here, values, &ledger, from);
    let mut record = RunFolder::existing(&run)?;
    let (world, session) = (ready::world(), due::session(here, Who::Person));
    let object = world.id()?;
    record.append(Leaf::new(&world, &session, Act::Look, &object, &Outcome::Begun)?)?;
    let source = erasure.done.iter().any(|one| one.side == Side::Source);
    let (looked, survivors) = places(here, &ready, &ledger, &needles, source);
    let residue = Residue {
        format: Residue::FORMAT.to_owned(),
        run: figures.run,
        instruction: figures.instruction,
        erasure: digest,
        began,
        ended: ready::world().now().to_string(),
        looked,
        survivors,
    };
    let paper = Some(record.save_residue(&residue)?);
    let outcome = if residue.survivors.is_empty() { Outcome::Done } else { Outcome::Code(SURVIVES.id) };
    let leaf = Leaf::new(&world, &session, Act::Look, &object, &outcome)?;
    record.append(Leaf { paper, ..leaf })?;
    told(&residue)
}

/// The papers, and values of patients with where they were drawn from: the destination; the source of an order
/// to a recipient, whose own database nobody else sees.
fn values(here: &Here, papers: &PaperArgs) -> Result<(Ready, Vec<Zeroizing<String>>, &'static str)> {
    let chain = Chain::read(&here.folder, papers, here.now)?;
    if chain.instruction.order().recipient().is_some() {
        let (ready, mut source) = Ready::to_recipient(here, papers, chain)?;
        let values = ready
            .with_orders(|orders| drawn_at_source(&orders, source.as_mut(), papers.still.frozen, VALUES))?;
        return Ok((ready, values, "source"));
    }
    let (ready, mut ends) = Ready::prepare(here, papers, Missing::Refuse)?;
    let values = ready.with_orders(|orders| drawn(&orders, ends.destination.as_mut(), VALUES))?;
    Ok((ready, values, "destination"))
}

/// What is sought, and what each is of.
struct Needles {
    texts: Vec<Zeroizing<String>>,
    of: Vec<String>,
    sought: String,
}

impl Needles {
    /// Values that do not stand in the papers too, and the markers of what is gone.
    fn of(here: &Here, values: Vec<Zeroizing<String>>, ledger: &Ledger, from: &str) -> Self {
        let papers: Vec<Vec<u8>> =
            PAPERS.iter().filter_map(|name| folder::read(&here.folder.path(None, name), "").ok()).collect();
        let stands = |value: &str| papers.iter().any(|paper| String::from_utf8_lossy(paper).contains(value));
        let mut texts: Vec<_> = values.into_iter().filter(|value| !stands(value)).collect();
        let mut of = vec![format!("a value of the {from}"); texts.len()];
        let drawn = number(texts.len());
        for copy in ledger.copies.iter().filter(|copy| copy.ended.is_some() && !copy.marker.is_empty()) {
            texts.push(Zeroizing::new(copy.marker.clone()));
            of.push(format!("{}: {}", copy.store.words(), copy.place));
        }
        let markers = number(texts.len()) - drawn;
        let sought = format!(
            "{} drawn from the {from}, {}",
            plural(drawn, "value", "values"),
            plural(markers, "marker", "markers")
        );
        Self { texts, of, sought }
    }
}

/// Every place, and what was found there.
fn places(
    here: &Here,
    ready: &Ready,
    ledger: &Ledger,
    needles: &Needles,
    source: bool,
) -> (Vec<Looked>, Vec<Survivor>) {
    let search = Search::new(needles.texts.iter().map(|text| text.as_str()));
    let (mut looked, mut survivors) = (Vec::new(), Vec::new());
    let both = std::iter::once(&ready.source).chain(&ready.destination);
    let ends: Vec<PathBuf> = both.filter_map(file).collect();
    // the two databases hold the values by right; the ledger and the evidence name the markers
    let skip = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let database = ends.iter().any(|end| path.to_string_lossy().starts_with(&*end.to_string_lossy()));
        database || name == FILE || name == "evidence.tar" || name == "copies.part"
    };
    let mut at = |place: String, look: &dyn Fn(&mut Seen)| {
        let mut seen = Seen::default();
        look(&mut seen);
        survivors.extend(seen.found.iter().map(|(path, number)| Survivor {
            place: place.clone(),
            what: path.display().to_string(),
            of: needles.of.get(*number).cloned().unwrap_or_default(),
        }));
        let Seen { files, bytes, unread, .. } = seen;
        looked.push(Looked { place, sought: needles.sought.clone(), files, bytes, unread });
    };
    let root = here.folder.root().canonicalize().unwrap_or_else(|_| here.folder.root().to_owned());
    at("the migration folder, run folders among it".to_owned(), &|seen| {
        search.folder(&root, DEPTH, &skip, seen);
    });
    let outside = ledger.copies.iter().filter(|copy| Path::new(&copy.place).is_absolute());
    for copy in outside {
        at(copy.place.clone(), &|seen| match Path::new(&copy.place) {
            path if path.is_dir() => search.folder(path, DEPTH, &skip, seen),
            path => search.file(path, seen),
        });
    }
    for folder in [std::env::temp_dir(), PathBuf::from("/var/tmp")] {
        at(format!("{}: files that lie in it itself", folder.display()), &|seen| {
            search.folder(&folder, 0, &skip, seen);
        });
    }
    at("files without a name that processes hold open".to_owned(), &|seen| search.unlinked(seen));
    if source {
        let today = here.now.to_zoned(jiff::tz::TimeZone::UTC).date();
        at(connect::name(&ready.source, Language::English), &|seen| match &ready.source {
            Url::Sqlite(_) => of_source(&search, &ready.source, seen),
            server => servers::of_source(&search, server, &ready.chain, today, seen),
        });
    }
    if let Some(server) = ready.destination.as_ref().filter(|url| matches!(url, Url::Server(_))) {
        let place = format!("{}: écluse's own tables", connect::name(server, Language::English));
        at(place, &|seen| servers::of_destination(&search, server, seen));
    }
    (looked, survivors)
}

/// The source's own files, where they are files of this machine.
fn of_source(search: &Search, url: &Url, seen: &mut Seen) {
    let Some(path) = file(url) else { return };
    for end in ["", "-wal", "-journal", "-shm"] {
        search.file(&PathBuf::from(format!("{}{end}", path.display())), seen);
    }
}

fn file(url: &Url) -> Option<PathBuf> {
    match url {
        Url::Sqlite(path) => Some(path.canonicalize().unwrap_or_else(|_| path.clone())),
        Url::Server(_) | Url::Dump(_) | Url::Csv(_) => None,
    }
}

fn told(residue: &Residue) -> Result<()> {
    for one in &residue.looked {
        let unread = if one.unread.is_empty() {
            String::new()
        } else {
            format!("; NOT READ: {}", one.unread.join("; "))
        };
        output::line(format!("{}   {}{unread}", one.place, plural(one.files, "file", "files")));
    }
    if let Some(one) = residue.looked.first() {
        output::line(format!("Sought in each: {}. Not inside compressed files.", one.sought));
    }
    for one in &residue.survivors {
        output::line(format!("FOUND   {}   {}", one.what, one.of));
    }
    output::document(&json!({ "looked": residue.looked, "survivors": residue.survivors }));
    if residue.survivors.is_empty() {
        return Ok(());
    }
    Err(SURVIVES
        .fault(plural(number(residue.survivors.len()), "place", "places"))
        .help("look at each, have it erased, then: ecluse erase --look; nothing is certified before"))
}
