//! The file: a tar (POSIX.1-1988 ustar) with exactly one way to write what it holds.
//!
//! Paths sorted, `certificate.toml` and its signatures last; every entry a plain file of mode 0644, of nobody,
//! of no time. A file is read, written anew and compared: extensions (pax, GNU long names, sparse files),
//! links, another order, padding that is not zero, a byte behind the end all make a difference, and the
//! first one is named.

use std::fmt;
use std::io::{Cursor, Read as _};

use ecluse_core::fault::{Code, Fault, Result};
use tar::{Archive, Builder, EntryType, Header};

use crate::Files;

/// Not a tar, or not the one that its content makes.
pub static FORM: Code = Code::refused("ECL-EVI-003", "not an evidence file as écluse writes it");
/// A path that cannot stand in an evidence file.
pub static NAME: Code = Code::refused("ECL-EVI-004", "a path that cannot stand in an evidence file");

/// Bytes of a block of a tar.
const BLOCK: usize = 512;
/// Characters of a path: what a ustar header holds in one field.
const LONGEST: usize = 100;
/// The paper that closes the file, and what lies beside it.
const LAST: &str = "certificate.toml";

/// Where a file is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bent {
    code: &'static Code,
    /// The entry; empty where there is none yet.
    entry: String,
    /// The byte of the entry's content, where it is one; else of the whole file.
    byte: u64,
    what: &'static str,
}

impl fmt::Display for Bent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, entry, byte, what } = self;
        if entry.is_empty() {
            write!(f, "{}: byte {byte} of the file: {what}", code.id)
        } else {
            write!(f, "{}: {entry}, byte {byte}: {what}", code.id)
        }
    }
}

/// Writes an evidence file: the same files give the same bytes.
///
/// # Errors
/// [`NAME`], for a path that a tar of any system could not give back as it is.
pub fn pack(files: &Files) -> Result<Vec<u8>> {
    if let Some(path) = unfit(files.keys()) {
        return Err(NAME.fault(path).help("give the file another name: letters, digits, `.`, `_`, `-`"));
    }
    let mut tar = Builder::new(Vec::new());
    for (path, bytes) in in_order(files) {
        let unwritten = |_| FORM.fault(path.clone());
        let mut header = header(path, bytes).map_err(unwritten)?;
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).map_err(unwritten)?;
    }
    tar.into_inner().map_err(|_| FORM.fault(""))
}

/// Reads an evidence file and compares it with what [`pack`] makes of what was read.
pub(crate) fn open(bytes: &[u8]) -> Result<Files, Bent> {
    let mut files = Files::new();
    let mut archive = Archive::new(Cursor::new(bytes));
    let bent = |entry: &str, byte: u64, what| Bent { code: &FORM, entry: entry.to_owned(), byte, what };
    let entries = archive.entries().map_err(|_| bent("", 0, "not a tar"))?;
    let mut end = 0;
    // raw: no extension is followed, each is an entry of its own
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(|_| bent("", end, "no entry of a tar begins here"))?;
        let at = entry.raw_header_position();
        let path = entry.path_bytes().into_owned();
        let path = String::from_utf8(path).map_err(|_| bent("", at, "a path that is not UTF-8"))?;
        if entry.header().entry_type() != EntryType::Regular {
            return Err(bent(&path, 0, "an entry that is no plain file"));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(|_| bent(&path, 0, "it is cut off"))?;
        if content.len() as u64 != entry.size() {
            return Err(bent(&path, content.len() as u64, "it is cut off"));
        }
        end = entry.raw_file_position() + content.len().next_multiple_of(BLOCK) as u64;
        if files.insert(path.clone(), content).is_some() {
            return Err(bent(&path, 0, "it is in the file twice"));
        }
    }
    if files.is_empty() {
        return Err(bent("", 0, "nothing is in it"));
    }
    if let Some(path) = unfit(files.keys()) {
        return Err(Bent { code: &NAME, ..bent(&path, 0, "no path of an evidence file") });
    }
    let again = pack(&files).map_err(|_: Fault| bent("", 0, "it cannot be written anew"))?;
    match first_difference(bytes, &again) {
        None => Ok(files),
        Some(at) => Err(placed(&files, at)),
    }
}

/// Where two runs of bytes part; `None` where they are the same.
fn first_difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let parted = one.iter().zip(other).position(|(a, b)| a != b);
    parted.or_else(|| (one.len() != other.len()).then(|| one.len().min(other.len())))
}

/// The entry in which a byte of the file stands, as [`pack`] would lay it.
fn placed(files: &Files, at: usize) -> Bent {
    let mut begins = 0;
    for (path, content) in in_order(files) {
        let body = begins + BLOCK;
        let ends = body + content.len().next_multiple_of(BLOCK);
        if at < ends {
            let what = if at < body {
                "its header is not as écluse writes it"
            } else {
                "another byte belongs here"
            };
            let byte = at.saturating_sub(body) as u64;
            return Bent { code: &FORM, entry: path.clone(), byte, what };
        }
        begins = ends;
    }
    Bent {
        code: &FORM,
        entry: String::new(),
        byte: at as u64,
        what: "behind the last entry only zeros belong, two blocks of them",
    }
}

fn header(path: &str, bytes: &[u8]) -> std::io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    Ok(header)
}

/// Whether a path is the paper that closes the file, or lies beside it.
pub(crate) fn is_last(path: &str) -> bool {
    path == LAST || path.strip_prefix(LAST).is_some_and(|rest| rest.starts_with(".sigs/"))
}

/// By path, what closes the file last.
fn in_order(files: &Files) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    let first = files.iter().filter(|(path, _)| !is_last(path));
    first.chain(files.iter().filter(|(path, _)| is_last(path)))
}

/// The first path that some system could not give back: it leads elsewhere, is too long, or means the same
/// file as another one where capitals do not count.
fn unfit<'p>(paths: impl Iterator<Item = &'p String>) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    let mut paths = paths;
    paths.find(|path| !is_fit(path) || !seen.insert(path.to_lowercase())).cloned()
}

fn is_fit(path: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    let step =
        |step: &str| !step.is_empty() && !step.starts_with(['.', '-', ' ']) && step.chars().all(letter);
    path.len() <= LONGEST && path.split('/').all(step)
}
