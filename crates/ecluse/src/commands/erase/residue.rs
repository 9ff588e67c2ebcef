//! `ecluse erase --look`: what should be gone is sought in every place that the ledger and the code know.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ecluse_adapters::archive::{self, Begun};
use ecluse_adapters::folder::{self as runs, RunFolder};
use ecluse_adapters::residue::{Search, Seen};
use ecluse_adapters::url::Url;
use ecluse_core::copies::{Copy, FILE, Ledger, Store};
use ecluse_core::count::{count, number, plural};
use ecluse_core::digest::of_bytes;
use ecluse_core::erasure::{ERASURE, Looked, Residue, Side, Survivor};
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Order;
use ecluse_core::language::Language;
use ecluse_flow::event::{Act, Leaf, Outcome};
use ecluse_flow::figures::Figures;
use ecluse_flow::ports::Record as _;
use ecluse_flow::residue::{drawn, drawn_at_source};
use ecluse_flow::standing::{Standing, standing};
use serde_json::json;
use zeroize::Zeroizing;

use super::due::{self, Who};
use super::named::{Names, short};
use super::servers;
use crate::cli::{EraseArgs, PaperArgs};
use crate::commands::{Here, begun};
use crate::copies::look;
use crate::papers::chain::Chain;
use crate::papers::quietly;
use crate::ready::{self, Ready};
use crate::{connect, evidence, folder, output};

static NOTHING: Code = Code::refused("ECL-ERA-022", "no erasure has come to its end");
static SURVIVES: Code = Code::refused("ECL-ERA-023", "something was found that should be gone");

/// Values drawn of each table about persons.
pub(super) const VALUES: usize = 32;

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
    let source = erasure.done.iter().any(|one| one.side == Side::Source);
    let mut record = RunFolder::existing(&run, &here.journal())?;
    let Drawn { ready, values, from, standing } =
        values(here, &super::source::papers(args), &figures, &mut record, source)?;
    let needles = Needles::of(here, values, &ledger, from);
    let (world, session) = (ready::world(), due::session(here, Who::Person));
    let object = world.id()?;
    record.append(Leaf::new(&world, &session, Act::Look, &object, &Outcome::Begun)?)?;
    let Found { mut looked, mut survivors, closed } = places(here, &ready, &ledger, &needles, source)?;
    if source {
        let place = format!("{}: rows by their keys", connect::name(&ready.source, Language::English));
        survivors.extend(standing.iter().filter(|one| one.rows > 0).map(|one| Survivor {
            place: place.clone(),
            what: format!("table {}", one.table),
            of: "rows that moved, by their keys".to_owned(),
        }));
        looked.push(by_keys(place, &standing));
        looked.extend(folders(ready.chain.instruction.order()));
    }
    let residue = Residue {
        format: Residue::FORMAT.to_owned(),
        run: figures.run,
        instruction: figures.instruction,
        erasure: digest,
        began,
        ended: ready::world().now().to_string(),
        sought: number(needles.texts.len()),
        values: number(needles.values),
        closed,
        looked,
        survivors,
    };
    let paper = Some(record.save_residue(&residue)?);
    let outcome = if residue.survivors.is_empty() { Outcome::Done } else { Outcome::Code(SURVIVES.id) };
    let leaf = Leaf::new(&world, &session, Act::Look, &object, &outcome)?;
    record.append(Leaf { paper, ..leaf })?;
    told(&residue)
}

/// The papers, and what should be gone.
struct Drawn {
    ready: Ready,
    /// Values of patients, and from where they were drawn: the destination; the source of an order to a recipient,
    /// whose own database nobody else sees.
    values: Vec<Zeroizing<String>>,
    from: &'static str,
    /// Rows of the destination, asked for at the source; none where it was not erased, and at the sender of an archive.
    standing: Vec<Standing>,
}

fn values(
    here: &Here,
    papers: &PaperArgs,
    figures: &Figures,
    record: &mut RunFolder,
    erased: bool,
) -> Result<Drawn> {
    // as of the run: a copy may go on the order's last day, and what it asks for is this look
    let then = begun::then(figures, here.now);
    let chain = quietly(|| Chain::read(&here.folder, papers, here.now))
        .or_else(|_| Chain::read(&here.folder, papers, then))?;
    let frozen = papers.still.frozen;
    if chain.instruction.order().recipient().is_some() {
        let (ready, mut source) = Ready::looking_at_recipient(here, papers, chain)?;
        let values = ready.with_orders(|orders| {
            drawn_at_source(&orders, source.as_mut(), record, frozen, VALUES, ready::world())
        })?;
        return Ok(Drawn { ready, values, from: "source", standing: Vec::new() });
    }
    let (ready, mut ends) = Ready::looking(here, papers, chain)?;
    let (values, standing) = ready.with_orders(|orders| {
        let values = drawn(&orders, ends.destination.as_mut(), VALUES)?;
        let (destination, source) = (ends.destination.as_mut(), ends.source.as_mut());
        let standing = match erased {
            true => standing(&orders, destination, source, frozen, &ready::world())?,
            false => Vec::new(),
        };
        Ok((values, standing))
    })?;
    Ok(Drawn { ready, values, from: "destination", standing })
}

/// What was asked of the source by keys, in words.
fn by_keys(place: String, standing: &[Standing]) -> Looked {
    let asked: u64 = standing.iter().map(|one| one.asked).sum();
    let unread = standing.iter().filter(|one| !one.unread.is_empty());
    let mut unread: Vec<String> = unread.map(|one| format!("table {}: {}", one.table, one.unread)).collect();
    let unlike = standing.iter().filter(|one| one.unlike > 0);
    unread.extend(
        unlike.map(|one| format!("table {}: rows under a key that moved say something else", one.table)),
    );
    if standing.is_empty() {
        unread.push("the sender of an archive sees no row that arrived".to_owned());
    }
    let files = number(standing.iter().filter(|one| one.asked > 0).count());
    Looked {
        place,
        sought: format!("{} of the destination", plural(asked, "row", "rows")),
        files,
        bytes: 0,
        unread,
    }
}

/// Folders of files of the source, which are not looked through: what rows that stay name lies there by right.
fn folders(order: &Order) -> Vec<Looked> {
    let named: BTreeSet<&str> =
        order.tables.iter().flat_map(|table| &table.files).map(|files| files.folder.value.as_str()).collect();
    let looked = |folder: &str| Looked {
        place: format!("the source's folder {folder}"),
        sought: "nothing".to_owned(),
        files: 0,
        bytes: 0,
        unread: vec![
            "what lies there was not looked through: files that rows which stay name lie there by right"
                .to_owned(),
        ],
    };
    named.into_iter().map(looked).collect()
}

/// What is sought, and what each is of.
struct Needles {
    texts: Vec<Zeroizing<String>>,
    /// So many of them are values, and come first.
    values: usize,
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
        let (values, drawn) = (texts.len(), number(texts.len()));
        // the log's name stands in every paper that was signed over it
        let is_sought = |copy: &&Copy| copy.ended.is_some() && copy.store != Store::Journal;
        for copy in ledger.copies.iter().filter(is_sought) {
            let markers = std::iter::once(&copy.marker).chain(&copy.markers);
            for marker in markers.filter(|marker| !marker.is_empty()) {
                texts.push(Zeroizing::new(marker.clone()));
                of.push(format!("{}, copy {}", copy.store.words(), short(&copy.id)));
            }
        }
        let markers = number(texts.len()) - drawn;
        let sought = format!(
            "{} drawn from the {from}, {}",
            plural(drawn, "value", "values"),
            plural(markers, "marker", "markers")
        );
        Self { texts, values, of, sought }
    }
}

/// What was looked at, and what was found there.
#[derive(Default)]
struct Found {
    looked: Vec<Looked>,
    survivors: Vec<Survivor>,
    /// Of écluse's own places, and of the source.
    closed: u64,
}

/// Whose a place is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// What cannot be read there was not looked at.
    Ours,
    /// Others' things lie there too, which this account need not see.
    Shared,
}

/// Every place, and what was found there.
fn places(here: &Here, ready: &Ready, ledger: &Ledger, needles: &Needles, source: bool) -> Result<Found> {
    let search = Search::new(needles.texts.iter().map(|text| text.as_str()))?;
    let values = Search::new(needles.texts.iter().take(needles.values).map(|text| text.as_str()))?;
    let root = resolved(here.folder.root());
    let names = Names { root: &root, ledger };
    let both = std::iter::once(&ready.source).chain(&ready.destination);
    // the two databases hold the values by right; the ledger and the evidence name the markers
    let databases: BTreeSet<PathBuf> = both.filter_map(file).flat_map(|path| with_beside(&path)).collect();
    let marked: Vec<PathBuf> = [FILE, "copies.part", evidence::FILE, "evidence.files/copies.json"]
        .iter()
        .map(|name| root.join(name))
        .collect();
    let skip = |path: &Path| databases.contains(path) || marked.iter().any(|one| one == path);
    let mut found = Found::default();
    let mut at = |place: String, whose: Whose, look: &dyn Fn(&mut Seen)| {
        let mut seen = Seen::default();
        look(&mut seen);
        found.survivors.extend(seen.found.iter().map(|(path, number)| Survivor {
            place: place.clone(),
            what: names.of(path),
            of: needles.of.get(*number).cloned().unwrap_or_default(),
        }));
        if whose == Whose::Ours {
            found.closed += number(seen.unread.len());
        }
        let Seen { files, bytes, unread, elsewhere, .. } = seen;
        let unread = unread.iter().map(|(path, why)| format!("{}: {why}", names.of(path)));
        let unread = unread.chain(elsewhere).collect();
        found.looked.push(Looked { place, sought: needles.sought.clone(), files, bytes, unread });
    };
    at("the migration folder, run folders among it".to_owned(), Whose::Ours, &|seen| {
        search.folder(&root, DEPTH, &skip, seen);
        marked.iter().for_each(|path| values.file(path, seen));
    });
    for copy in ledger.copies.iter().filter(|copy| is_outside(copy)) {
        let path = resolved(Path::new(&copy.place));
        at(names.copy(copy), Whose::Ours, &|seen| match &path {
            path if path.is_dir() => search.folder(path, DEPTH, &skip, seen),
            path => search.file(path, seen),
        });
    }
    // sealed to its recipient, it holds no marker that is sought: that it stands is enough
    let begun = ledger.copies.iter().filter(|copy| copy.store == Store::Archive && copy.taken.is_none());
    let begun: BTreeSet<PathBuf> = begun.map(|copy| root.join(&copy.place)).collect();
    let left: Vec<Survivor> = begun.iter().filter_map(|place| unended(place, &names)).collect();
    for folder in [std::env::temp_dir(), PathBuf::from("/var/tmp")].map(|folder| resolved(&folder)) {
        at(format!("{}: files that lie in it itself", folder.display()), Whose::Shared, &|seen| {
            search.folder(&folder, 0, &skip, seen);
        });
    }
    at("files without a name that processes hold open".to_owned(), Whose::Shared, &|seen| {
        search.unlinked(seen);
    });
    if source {
        let today = here.now.to_zoned(jiff::tz::TimeZone::UTC).date();
        at(connect::name(&ready.source, Language::English), Whose::Ours, &|seen| match file(&ready.source) {
            Some(path) => with_beside(&path).iter().for_each(|path| search.file(path, seen)),
            None => servers::of_source(&search, &ready.source, &ready.chain, today, seen),
        });
    }
    if let Some(server) = ready.destination.as_ref().filter(|url| matches!(url, Url::Server(_))) {
        let place = format!("{}: écluse's own tables", connect::name(server, Language::English));
        at(place, Whose::Shared, &|seen| servers::of_destination(&search, server, seen));
    }
    found.survivors.extend(left);
    Ok(found)
}

/// What stands under the name by which an archive is written: a start that died left it, or nobody can say what it is.
fn unended(archive: &Path, names: &Names<'_>) -> Option<Survivor> {
    let what = match archive::begun(archive) {
        Ok(Begun::Not) => return None,
        Ok(Begun::Left(part) | Begun::Busy(part) | Begun::Foreign(part)) => names.of(&part),
        Err(fault) => fault.code().title.to_owned(),
    };
    let (place, of) = ("beside an archive".to_owned(), "an archive that came to no end".to_owned());
    Some(Survivor { place, what, of })
}

/// A place of this machine beyond the migration folder that somebody of ours has.
fn is_outside(copy: &Copy) -> bool {
    Path::new(&copy.place).is_absolute() && copy.store != Store::Ledger && copy.taken.is_none()
}

/// A database's file and those that its engine keeps beside it; nothing else that merely begins with its name.
fn with_beside(path: &Path) -> [PathBuf; 4] {
    ["", "-wal", "-journal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", path.display())))
}

fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
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
    // one file that holds many values is one line
    let mut found: Vec<(&Survivor, u64)> = Vec::new();
    for one in &residue.survivors {
        match found.iter_mut().find(|(known, _)| (&known.what, &known.of) == (&one.what, &one.of)) {
            Some((_, times)) => *times += 1,
            None => found.push((one, 1)),
        }
    }
    for (one, times) in found {
        let more = if times > 1 { format!(", and {} more", count(times - 1)) } else { String::new() };
        output::line(format!("FOUND   {}   {}{more}", one.what, one.of));
    }
    output::document(&json!({ "looked": residue.looked, "survivors": residue.survivors }));
    if residue.survivors.is_empty() {
        return Ok(());
    }
    let places: BTreeSet<_> = residue.survivors.iter().map(|one| (&one.place, &one.what)).collect();
    Err(SURVIVES
        .fault(plural(number(places.len()), "place", "places"))
        .help("find each (find DIR -xdev -inum NUMBER), have it erased, then: ecluse erase --look; nothing is certified before"))
}
