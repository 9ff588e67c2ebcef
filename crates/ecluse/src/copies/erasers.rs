//! One eraser per store. A new store without one does not compile ([`erase`] matches every variant), and code
//! that writes without naming a store fails a test (`inventory.rs`).

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use ecluse_adapters::archive::{Begun, MARK, begun};
use ecluse_adapters::folder::{EVENTS, RunFolder};
use ecluse_adapters::log::{JOINED, LOOKED, MIGRATION};
use ecluse_adapters::regular::{self, Unread};
use ecluse_adapters::staging;
use ecluse_core::copies::{Copy, Store};
use ecluse_core::count::number;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::manifest;
use ecluse_flow::event::Act;
use ecluse_flow::ports::{Record as _, Staging as _};
use ecluse_seal::archive::note_of;

use crate::folder::{self, Folder};
use crate::journal::{self, reading};
use crate::{evidence, overwrite};

static KEPT: Code = Code::outside("ECL-ERA-001", "a copy could not be erased");
static FOREIGN: Code = Code::refused("ECL-ERA-002", "something else lies where a copy is to be erased");
static CLOSING: Code = Code::refused("ECL-ERA-003", "this copy is taken away by closing the migration");

/// How a sealed file begins (age-encryption.org/v1), and a report.
const SEALED: &[u8] = b"age-encryption.org/v1\n";
/// See [`SEALED`].
const PAGE: &[u8] = b"<!doctype html>";

/// The sealed state's file in a run folder.
pub(crate) const STATE: &str = "state.age";

/// What a run folder holds beside its state; `.NAME.new` and `NAME.part` are what a process that died left.
const RECORD: [&str; 12] = [
    EVENTS,
    "figures.json",
    "rehearsals.json",
    "reconciliation.json",
    "undone.json",
    "erasure.json",
    "residue.json",
    "plan.json",
    "sealed.json",
    "report.html",
    "report.withdrawn",
    "lock",
];

/// Of a copy that lay nowhere when it was to go.
pub(crate) const NOTHING: &str = "nothing lay there";

/// How a copy was erased, and of how many files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Erased {
    pub(crate) how: &'static str,
    pub(crate) files: u64,
}

/// Whether anything of a copy lies at its place; true where that cannot be told.
pub(crate) fn stands(copy: &Copy, folder: &Folder) -> bool {
    let place = folder.root().join(&copy.place);
    let beside = |end: &str| PathBuf::from(format!("{}{end}", place.display()));
    let all = match copy.store {
        Store::State => vec![place.clone(), place.with_file_name(format!(".{STATE}.new"))],
        Store::Excluded => vec![beside(".new"), beside(".erasing"), place.with_extension("part"), place],
        Store::Archive => {
            if !matches!(begun(&place), Ok(Begun::Not)) {
                return true;
            }
            vec![place]
        }
        // a database's name is no path
        Store::Ledger => return true,
        Store::Record | Store::Report | Store::Staging | Store::Evidence | Store::Journal => vec![place],
    };
    let is_absent = |path: &PathBuf| {
        std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
    };
    !all.iter().all(is_absent)
}

/// Erases a copy. `record` is the run folder of which it is a part, or the migration's own, where there is one.
/// What is gone already was erased by a start that died: that is no fault.
///
/// # Errors
///
/// [`KEPT`], [`FOREIGN`], [`CLOSING`]; the staging folder's.
pub(crate) fn erase(copy: &Copy, folder: &Folder, record: Option<&RunFolder>) -> Result<Erased> {
    let place = folder.root().join(&copy.place);
    match copy.store {
        Store::State => {
            let new = place.with_file_name(format!(".{STATE}.new"));
            begins(&[&place, &new], SEALED)?;
            overwritten(&[place, new])
        }
        Store::Excluded => {
            let beside = |end: &str| PathBuf::from(format!("{}{end}", place.display()));
            let (new, part) = (beside(".new"), place.with_extension("part"));
            begins(&[&place, &new, &part], SEALED)?;
            overwritten(&[place.clone(), new, beside(".erasing"), part])
        }
        Store::Record => whole(&place, &is_of_record),
        Store::Archive => archive(&place),
        Store::Report => begins(&[&place], PAGE).and_then(|()| overwritten(&[place])),
        Store::Evidence if copy.place != evidence::FILE => Err(foreign(&place)),
        Store::Evidence => overwritten(&[place]),
        Store::Staging => swept(Path::new(&copy.place), record),
        // with the lines that belong to no run: they were its own from the start
        Store::Journal if copy.place != journal::FOLDER => Err(foreign(&place)),
        Store::Journal => {
            let acts = whole(&folder.path(None, reading::ACTS), &is_of_record)?;
            let log = log(&place)?;
            Ok(Erased { files: acts.files + log.files, ..log })
        }
        Store::Ledger => {
            Err(CLOSING.fault(format!("{}: {}", copy.store.words(), copy.place)).help("ecluse close"))
        }
    }
}

/// That whatever lies at these paths begins as what écluse writes there, or was overwritten by a start that died:
/// a place is words in a file, and what lies there may be somebody's own.
///
/// # Errors
///
/// [`FOREIGN`]; [`KEPT`] where it cannot be read.
fn begins(paths: &[&Path], mark: &[u8]) -> Result<()> {
    paths.iter().try_for_each(|path| {
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        let head = match regular::head(path, number(mark.len())) {
            // what it points to would stay
            _ if is_link => return Err(foreign(path)),
            Err(Unread::Io(ErrorKind::NotFound)) => return Ok(()),
            Err(Unread::Io(kind)) => return Err(kept(path, kind)),
            Err(Unread::NotRegular | Unread::TooLarge) => return Err(kept(path, ErrorKind::InvalidInput)),
            Ok(head) => head,
        };
        let ours = mark.starts_with(&head) || head.iter().all(|byte| *byte == 0);
        if ours { Ok(()) } else { Err(foreign(path)) }
    })
}

fn foreign(path: &Path) -> Fault {
    FOREIGN.fault(named(path)).help("nothing of it went; look at the file, move it away, then: ecluse erase")
}

/// A file by its name where that is one of ours, else so that whoever may look finds it: somebody's own file can bear
/// a patient's name.
fn named(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name == STATE || is_of_record(&name) || is_of_archive(&name) {
        return name.into_owned();
    }
    match std::fs::symlink_metadata(path) {
        Ok(found) => format!("not ours: find -xdev -inum {}", found.ino()),
        Err(_) => "no longer there".to_owned(),
    }
}

/// Files, each overwritten and removed.
fn overwritten(paths: &[PathBuf]) -> Result<Erased> {
    let mut files = 0;
    for path in paths {
        let was_there = overwrite::removed(path).map_err(|kind| kept(path, kind))?;
        files += u64::from(was_there);
    }
    Ok(Erased { how: "overwritten and removed", files })
}

/// A folder with everything in it; nothing goes where it holds something that is not ours by its name.
fn whole(place: &Path, is_ours: &dyn Fn(&str) -> bool) -> Result<Erased> {
    let how = "every file overwritten, the folder removed";
    let is_link = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    if is_link(place) {
        return Err(FOREIGN.fault("a link").help("nothing behind it went"));
    }
    let files = folder::list(place)?;
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // the one folder inside holds a manifest's signatures; another, or one behind a link, is somebody else's
    let is_folder = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let is_signatures = |path: &Path| {
        let signature = |file: &PathBuf| file.extension().is_some_and(|end| end == "sig") && !is_folder(file);
        name(path) == "manifest.toml.sigs"
            && folder::list(path).is_ok_and(|files| files.iter().all(signature))
    };
    // of a link or a file with a second name the content would stay, and a device has no end
    let is_plain = |path: &Path| {
        std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.nlink() == 1)
    };
    let is_plain = |path: &Path| match folder::list(path) {
        Ok(files) if is_folder(path) => files.iter().all(|file| is_plain(file)),
        _ => is_plain(path),
    };
    let is_foreign = |path: &&PathBuf| {
        !is_ours(&name(path)) || !is_plain(path) || (is_folder(path) && !is_signatures(path))
    };
    if let Some(foreign) = files.iter().find(is_foreign) {
        return Err(FOREIGN
            .fault(named(foreign))
            .help("nothing of the folder went; look at the file, move it away, then: ecluse erase"));
    }
    let mut gone = 0;
    // `lock`, or the mark, last: a process that dies in between leaves a folder that the next one takes again
    let is_last = |path: &PathBuf| ["lock", MARK].contains(&name(path).as_str());
    let (lock, before): (Vec<_>, Vec<_>) = files.into_iter().partition(is_last);
    for path in before.into_iter().chain(lock) {
        let inside = if is_folder(&path) { folder::list(&path)? } else { vec![path.clone()] };
        gone += overwritten(&inside)?.files;
        if is_folder(&path) {
            std::fs::remove_dir(&path).map_err(|error| kept(&path, error.kind()))?;
        }
    }
    match std::fs::remove_dir(place) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(kept(place, error.kind())),
        Ok(()) | Err(_) => Ok(Erased { how, files: gone }),
    }
}

/// Whether a file of a run folder bears this name.
pub(crate) fn is_of_record(name: &str) -> bool {
    let bare = name.strip_suffix(".part").unwrap_or(name);
    let bare = bare.strip_prefix('.').and_then(|name| name.strip_suffix(".new")).unwrap_or(bare);
    let part = |known: &&str| Path::new(*known).with_extension("part").to_string_lossy() == name;
    RECORD.contains(&bare) || RECORD.iter().any(part) || name.starts_with("events.torn-")
}

/// The log: its own files, and folders of its own with everything in them. Of one that another account keeps, the links
/// to it and what lay beside them: the log itself is out of reach, and the words say so.
fn log(place: &Path) -> Result<Erased> {
    let is_joined = place.join(JOINED).exists();
    let how = if is_joined {
        "the links to it removed; the log itself is another account's, whose writer erases it"
    } else {
        "every file overwritten, the folder removed"
    };
    let mut files = 0;
    for below in ["tile", "sessions", "statuses", "cosigned"] {
        let path = place.join(below);
        let is_link = std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
        files += if is_joined && is_link { overwritten(&[path])?.files } else { below_too(&path, 6)? };
    }
    let own = |name: &str| {
        let bare = name.strip_prefix('.').and_then(|name| name.strip_suffix(".new")).unwrap_or(name);
        ["checkpoint", "taken.json", "log.pub", "kept.json", LOOKED, JOINED, MIGRATION, "lock"]
            .contains(&bare)
    };
    files += whole(place, &own)?.files;
    Ok(Erased { how, files })
}

/// A folder of ours and those in it, so deep at most.
fn below_too(place: &Path, depth: usize) -> Result<u64> {
    let is_link = std::fs::symlink_metadata(place).is_ok_and(|found| found.is_symlink());
    if is_link || (depth == 0 && place.is_dir()) {
        return Err(foreign(place));
    }
    let mut files = 0;
    for path in folder::list(place)? {
        let is_folder = std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir());
        files += if is_folder { below_too(&path, depth - 1)? } else { overwritten(&[path])?.files };
    }
    match std::fs::remove_dir(place) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(kept(place, error.kind())),
        Ok(()) | Err(_) => Ok(files),
    }
}

/// An archive, and first what a start that died left of it under the name it is written by.
fn archive(place: &Path) -> Result<Erased> {
    let left = match begun(place)? {
        Begun::Not => 0,
        Begun::Left(part) => whole(&part, &is_of_archive)?.files,
        Begun::Busy(part) => return Err(kept(&part, ErrorKind::ResourceBusy)),
        Begun::Foreign(part) => return Err(foreign(&part)),
    };
    let erased = whole(place, &is_of_archive)?;
    Ok(Erased { files: erased.files + left, ..erased })
}

/// Whether a file of an archive bears this name, the mark of one that is being written among them.
fn is_of_archive(name: &str) -> bool {
    let chunk =
        name.strip_suffix(".age").is_some_and(|n| n.len() >= 6 && n.bytes().all(|b| b.is_ascii_digit()));
    chunk || ["manifest.toml", "manifest.toml.sigs", "README.txt", MARK].contains(&name)
}

/// What a process that died left in the staging folder.
fn swept(place: &Path, record: Option<&RunFolder>) -> Result<Erased> {
    let how = "sealed with a key that is in no memory any more; removed";
    if !place.exists() {
        return Ok(Erased { how: NOTHING, files: 0 });
    }
    let folder = staging::Folder::open(place)?;
    let names = record.map(|record| record.unended(Act::Stage)).unwrap_or_default();
    let swept = folder.sweep(&names)?;
    folder.clear()?;
    Ok(Erased { how, files: swept.parts })
}

fn kept(path: &Path, kind: ErrorKind) -> Fault {
    KEPT.fault(format!("{}: {kind}", path.display()))
        .help("give this account the right to write there; then: ecluse erase")
}

/// Parts of one archive that are sought one by one.
const PARTS: usize = 512;

/// By what an age file is known again: the share of its first stanza, which is another one in every file. A sealed
/// archive is known by that of its index.
pub(crate) fn marker(path: &Path) -> String {
    let index = path.join(manifest::part_name(0));
    share(if path.is_dir() { &index } else { path })
}

/// By what the parts of a sealed archive are known again where they lie without its index: of each the share of its age
/// header, of at most [`PARTS`] that lie evenly in it; and what an opened one says in clear. None of anything else.
pub(crate) fn markers(path: &Path) -> Vec<String> {
    let is_part = |name: &str| {
        name.strip_suffix(".age").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut parts: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    parts.retain(|name| is_part(name) && *name != manifest::part_name(0));
    parts.sort();
    let sealed = parts.iter().step_by(parts.len().div_ceil(PARTS).max(1));
    let mut markers: Vec<String> = sealed.map(|name| share(&path.join(name))).collect();
    markers.retain(|share| !share.is_empty());
    let read = regular::head(&path.join(manifest::FILE), number(manifest::LONGEST));
    let header =
        read.ok().and_then(|text| document::header(&String::from_utf8_lossy(&text), Kind::Manifest).ok());
    markers.extend(header.map(|header| note_of(&header.id)));
    markers
}

fn share(path: &Path) -> String {
    let Ok(head) = regular::head(path, 512) else { return String::new() };
    let text = String::from_utf8_lossy(&head);
    let share = text.lines().nth(1).and_then(|line| line.strip_prefix("-> X25519 ")).unwrap_or_default();
    if share.len() == 43 { share.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_strangers_file_stays_whole() {
        let here = tempfile::tempdir().unwrap();
        let run = here.path().join("run");
        std::fs::create_dir(&run).unwrap();
        for name in [EVENTS, ".figures.json.new", "plan.part", "events.torn-1", "lock"] {
            std::fs::write(run.join(name), b"x").unwrap();
        }
        std::fs::write(run.join("letter.odt"), b"x").unwrap();
        assert_eq!(whole(&run, &is_of_record).unwrap_err().code().id, FOREIGN.id);
        assert!(run.join(EVENTS).exists());
        std::fs::remove_file(run.join("letter.odt")).unwrap();
        assert_eq!(whole(&run, &is_of_record).unwrap().files, 5);
        assert!(!run.exists());
        // a start that died after it: gone is gone
        assert_eq!(whole(&run, &is_of_record).unwrap().files, 0);
    }

    #[test]
    fn what_lies_beside_an_archive_goes_where_it_is_ours_and_keeps_it_where_it_is_not() {
        let here = tempfile::tempdir().unwrap();
        let (place, part) = (here.path().join("out"), here.path().join("out.part"));
        let fill = |folder: &Path, names: &[&str]| {
            std::fs::create_dir(folder).unwrap();
            names.iter().for_each(|name| std::fs::write(folder.join(name), b"x").unwrap());
        };
        fill(&place, &["manifest.toml", "000000.age"]);
        fill(&part, &["000001.age"]);
        assert_eq!(archive(&place).unwrap_err().code().id, FOREIGN.id);
        assert!(part.join("000001.age").exists() && place.join("000000.age").exists());
        std::fs::write(part.join(MARK), b"x").unwrap();
        std::fs::write(part.join("letter.odt"), b"x").unwrap();
        assert_eq!(archive(&place).unwrap_err().code().id, FOREIGN.id);
        assert!(part.join("000001.age").exists() && place.join("000000.age").exists());
        std::fs::remove_file(part.join("letter.odt")).unwrap();
        assert_eq!(archive(&place).unwrap().files, 4);
        // a death between the folder and its mark
        fill(&part, &[]);
        assert_eq!(archive(&place).unwrap().files, 0);
        assert!(!part.exists() && !place.exists());
    }

    #[test]
    fn an_archive_is_known_again_by_its_index() {
        let here = tempfile::tempdir().unwrap();
        assert_eq!(marker(here.path()), "");
        let share = "b".repeat(43);
        let head = format!("age-encryption.org/v1\n-> X25519 {share}\n");
        std::fs::write(here.path().join("000000.age"), head).unwrap();
        assert_eq!((marker(here.path()), marker(&here.path().join("000000.age"))), (share.clone(), share));
    }

    #[test]
    fn a_file_that_is_no_copy_of_ours_stays_as_it_is() {
        let here = tempfile::tempdir().unwrap();
        let folder = Folder::at(here.path());
        let copy = |store, place: &str| {
            let (id, place, marker) = ("a".repeat(32), place.to_owned(), String::new());
            let erase_by = "2026-12-01".parse().unwrap();
            let mut ledger = ecluse_core::copies::Ledger::default();
            ledger.born(
                ecluse_core::copies::Birth { id, store, place, erase_by, marker },
                jiff::Timestamp::MIN,
            );
            ledger.copies.remove(0)
        };
        let theirs = here.path().join("letter.odt");
        for store in [Store::State, Store::Excluded, Store::Report, Store::Evidence] {
            std::fs::write(&theirs, b"somebody's own").unwrap();
            let fault = erase(&copy(store, "letter.odt"), &folder, None).unwrap_err();
            assert_eq!(fault.code().id, FOREIGN.id, "{store:?}");
            assert_eq!(std::fs::read(&theirs).unwrap(), b"somebody's own", "{store:?}");
        }
        // half of it was overwritten by a start that died, or it was never written to its end
        for left in [&[0; 400][..], b"", b"age-encryp"] {
            std::fs::write(&theirs, left).unwrap();
            assert_eq!(erase(&copy(Store::State, "letter.odt"), &folder, None).unwrap().files, 1);
        }
    }

    #[test]
    fn nobody_waits_for_a_pipe_in_a_copys_place() {
        let here = tempfile::tempdir().unwrap();
        let pipe = here.path().join("state.age");
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        assert_eq!(marker(&pipe), "");
        assert_eq!(begins(&[&pipe], SEALED).unwrap_err().code().id, KEPT.id);
    }

    #[test]
    fn a_link_is_removed_and_not_followed() {
        let here = tempfile::tempdir().unwrap();
        let (target, link) = (here.path().join("target"), here.path().join("link"));
        std::fs::write(&target, b"kept").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(overwritten(std::slice::from_ref(&link)).unwrap().files, 1);
        assert_eq!(std::fs::read(&target).unwrap(), b"kept");
        assert!(!link.exists());
    }
}
