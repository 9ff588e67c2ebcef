//! The search for what should be gone: needles in the forms that they may have taken, in files, folders and
//! what processes of this account hold open without a name.
//!
//! Forms: UTF-8, UTF-16 (both orders), hexadecimal (both cases), base64 (its three alignments). Not inside
//! compressed or sealed files: what is sealed is sought by its marker.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Result};
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use ecluse_core::fault::{self, Code};

use crate::regular::{self, Unread};

static TOO_MUCH: Code = Code::refused("ECL-ERA-042", "more is sought than one look holds");

/// Bytes read at once.
const BLOCK: usize = 1 << 20;
const WHOLE: u64 = 1 << 20;

/// What is sought.
pub struct Search {
    /// Every form of every needle, found in one pass: a place is as long as it is, however much is sought.
    forms: AhoCorasick,
    /// The needle of each form.
    of: Vec<usize>,
    longest: usize,
}

/// What was looked at, and where a needle was found: the file, the needle's number.
#[derive(Debug, Default)]
pub struct Seen {
    /// Files that were read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What could not be read, and why. A path may hold a name: whoever tells of it says where, and not what.
    pub unread: BTreeSet<(PathBuf, String)>,
    /// What could not be read and is no file: tables, other accounts' processes; in words.
    pub elsewhere: Vec<String>,
    /// See [`Seen`].
    pub found: BTreeSet<(PathBuf, usize)>,
}

impl Seen {
    fn not_read(&mut self, path: &Path, why: &str) {
        self.unread.insert((path.to_owned(), why.to_owned()));
    }
}

impl Search {
    /// A search for these needles, by their number; one that is empty is not sought.
    ///
    /// # Errors
    ///
    /// [`TOO_MUCH`]: some hundred million bytes of needles.
    pub fn new<'a>(needles: impl Iterator<Item = &'a str>) -> fault::Result<Self> {
        let (mut all, mut of) = (Vec::new(), Vec::new());
        for (number, needle) in needles.enumerate().filter(|(_, needle)| !needle.is_empty()) {
            let forms = forms(needle);
            of.extend(std::iter::repeat_n(number, forms.len()));
            all.extend(forms);
        }
        let longest = all.iter().map(Vec::len).max().unwrap_or_default();
        let forms = AhoCorasick::new(all).map_err(|_| TOO_MUCH.fault(""))?;
        Ok(Self { forms, of, longest })
    }

    /// One file; one that is not there is none.
    pub fn file(&self, path: &Path, seen: &mut Seen) {
        let read = regular::open(path).map_err(|unread| match unread {
            Unread::Io(kind) => kind,
            Unread::NotRegular | Unread::TooLarge => ErrorKind::InvalidInput,
        });
        match read.and_then(|(mut file, _)| self.stream(&mut file).map_err(|error| error.kind())) {
            Ok((bytes, found)) => {
                seen.files += 1;
                seen.bytes = seen.bytes.saturating_add(bytes);
                seen.found.extend(found.into_iter().map(|number| (path.to_owned(), number)));
            }
            Err(ErrorKind::NotFound) => {}
            Err(kind) => seen.not_read(path, &kind.to_string()),
        }
    }

    /// Every regular file of a folder and so many folders below, names too; what `skip` names is left out. Links are
    /// not followed. With a depth of 0 the folder itself is looked at, and what lies below it is not asked for.
    pub fn folder(&self, folder: &Path, depth: usize, skip: &dyn Fn(&Path) -> bool, seen: &mut Seen) {
        self.below(folder, (depth, depth), skip, seen);
    }

    fn below(&self, folder: &Path, depth: (usize, usize), skip: &dyn Fn(&Path) -> bool, seen: &mut Seen) {
        let (left, asked) = depth;
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => return seen.not_read(folder, &error.kind().to_string()),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    seen.not_read(folder, &error.kind().to_string());
                    continue;
                }
            };
            let path = entry.path();
            if skip(&path) {
                continue;
            }
            let name = entry.file_name();
            let found = self.found(name.as_encoded_bytes());
            seen.found.extend(found.into_iter().map(|number| (path.clone(), number)));
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && left > 0 => self.below(&path, (left - 1, asked), skip, seen),
                Ok(kind) if kind.is_dir() && asked > 0 => {
                    seen.not_read(&path, "too many folders within one another");
                }
                Ok(kind) if kind.is_file() => self.file(&path, seen),
                Ok(_) => {}
                Err(error) => seen.not_read(&path, &error.kind().to_string()),
            }
        }
    }

    /// Regular files without a name that processes hold open, as far as this account may look.
    pub fn unlinked(&self, seen: &mut Seen) {
        let mut closed = 0_u64;
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            if !process.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit) {
                continue;
            }
            match std::fs::read_dir(process.path().join("fd")) {
                Ok(open) => open.flatten().for_each(|one| self.one_unlinked(&one.path(), seen)),
                Err(_) => closed += 1,
            }
        }
        if closed > 0 {
            seen.elsewhere.push(format!("{closed} processes of other accounts"));
        }
    }

    fn one_unlinked(&self, path: &Path, seen: &mut Seen) {
        let gone = std::fs::read_link(path)
            .is_ok_and(|to| to.as_os_str().as_encoded_bytes().ends_with(b" (deleted)"));
        // through /proc a file is opened again even when its name is gone
        if gone && std::fs::metadata(path).is_ok_and(|about| about.is_file()) {
            self.file(path, seen);
        }
    }

    /// Block after block; what lies over the edge of two is seen in the second.
    fn stream(&self, reader: &mut impl Read) -> Result<(u64, BTreeSet<usize>)> {
        let (mut found, mut bytes) = (BTreeSet::new(), 0_u64);
        let mut held: Vec<u8> = Vec::new();
        loop {
            let mut block = Vec::with_capacity(BLOCK);
            let read = reader.by_ref().take(WHOLE).read_to_end(&mut block)?;
            if read == 0 {
                return Ok((bytes, found));
            }
            bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            held.extend_from_slice(&block);
            found.extend(self.found(&held));
            let over = held.len().saturating_sub(self.longest);
            held.drain(..over);
        }
    }

    /// A search over bytes that come piece by piece.
    pub(crate) fn begun(&self) -> Pieces<'_> {
        Pieces { search: self, held: Vec::new(), bytes: 0, found: BTreeSet::new() }
    }

    fn found(&self, bytes: &[u8]) -> BTreeSet<usize> {
        // one may lie in another
        let hits = self.forms.find_overlapping_iter(bytes);
        hits.filter_map(|hit| self.of.get(hit.pattern().as_usize()).copied()).collect()
    }
}

/// Bytes of one table of a server, as they come.
pub(crate) struct Pieces<'s> {
    search: &'s Search,
    held: Vec<u8>,
    bytes: u64,
    found: BTreeSet<usize>,
}

impl Pieces<'_> {
    /// The next piece, whole or not.
    pub(crate) fn take(&mut self, piece: &[u8]) {
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        self.held.extend_from_slice(piece);
        if self.held.len() >= BLOCK {
            self.found.extend(self.search.found(&self.held));
            let over = self.held.len().saturating_sub(self.search.longest);
            self.held.drain(..over);
        }
    }

    /// The table was read to its end.
    pub(crate) fn end(mut self, table: &str, seen: &mut Seen) {
        self.found.extend(self.search.found(&self.held));
        seen.files += 1;
        seen.bytes = seen.bytes.saturating_add(self.bytes);
        let place = PathBuf::from(format!("table {table}"));
        seen.found.extend(self.found.into_iter().map(|number| (place.clone(), number)));
    }
}

/// The needle's forms.
fn forms(needle: &str) -> Vec<Vec<u8>> {
    let bytes = needle.as_bytes();
    let mut forms = vec![
        bytes.to_vec(),
        needle.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        needle.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        data_encoding::HEXLOWER.encode(bytes).into_bytes(),
        data_encoding::HEXUPPER.encode(bytes).into_bytes(),
    ];
    for before in 0..3_usize {
        let padded = [vec![0; before], bytes.to_vec()].concat();
        // characters that also hold bits of the neighbours are left out
        let (first, whole) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for encoding in [data_encoding::BASE64_NOPAD, data_encoding::BASE64URL_NOPAD] {
            forms.extend(encoding.encode(&padded).into_bytes().get(first..whole).map(<[u8]>::to_vec));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_is_found_in_each_of_its_forms_and_over_the_edge_of_a_block() {
        let needle = "Hélène Dupont-Martin";
        let search = Search::new(["", needle].into_iter()).unwrap();
        for form in forms(needle) {
            let mut text = vec![b'.'; BLOCK - 5];
            text.extend(form);
            let (bytes, found) = search.stream(&mut text.as_slice()).unwrap();
            assert_eq!((bytes, found), (text.len() as u64, BTreeSet::from([1])));
        }
        assert!(search.stream(&mut &b"Helene Dupont-Martin"[..]).unwrap().1.is_empty());
    }

    #[test]
    fn needles_that_lie_in_one_another_are_each_found() {
        let search = Search::new(["QyINEEDLE", "EEDLE000", "QyINEEDLE000", "QyINEEDLE000"].into_iter());
        let (_, found) = search.unwrap().stream(&mut &b".QyINEEDLE000."[..]).unwrap();
        assert_eq!(found, BTreeSet::from([0, 1, 2, 3]));
    }

    #[test]
    fn what_cannot_be_read_is_told_and_nobody_waits_for_a_pipe() {
        let here = tempfile::tempdir().unwrap();
        let search = Search::new(["QyINEEDLE000"].into_iter()).unwrap();
        let pipe = here.path().join("pipe");
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        let mut seen = Seen::default();
        search.file(&pipe, &mut seen);
        std::fs::create_dir_all(here.path().join("a/b")).unwrap();
        search.folder(here.path(), 1, &|_| false, &mut seen);
        let unread: Vec<_> = seen.unread.iter().map(|(path, _)| path.clone()).collect();
        assert_eq!(unread, [here.path().join("a/b"), pipe]);
        let mut itself = Seen::default();
        search.folder(here.path(), 0, &|_| false, &mut itself);
        assert!(itself.unread.is_empty(), "nothing below was asked for");
    }

    #[test]
    fn an_unlinked_file_that_is_held_open_is_found() {
        let search = Search::new(["QyIUNLINKED0"].into_iter()).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, b"xx QyIUNLINKED0 xx").unwrap();
        let mut seen = Seen::default();
        search.unlinked(&mut seen);
        assert_eq!(seen.found.len(), 1, "{seen:?}");
        drop(file);
        let mut seen = Seen::default();
        search.unlinked(&mut seen);
        assert!(seen.found.is_empty());
    }
}
