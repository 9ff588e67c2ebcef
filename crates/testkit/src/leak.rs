//! The leak search: finds a canary wherever it may have gone, in the forms it may have taken.
//!
//! Forms: UTF-8, UTF-16 (both orders), Latin-1, hexadecimal (both cases), base64 (its three
//! alignments, both alphabets), and any of these inside zstd and gzip streams that begin
//! anywhere in the bytes, truncated ones too; so of what a tar holds, which packs without
//! changing a byte. With the feature `opened` also inside Parquet, value by value, and inside
//! age files of which the search was given an identity. Places: folders (names and link targets
//! included), files that a process holds open (unlinked ones too), its command line and
//! environment, recorded traffic and output. Not its memory.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Compressed streams inside compressed streams are opened this deep.
const DEPTH: u8 = 3;
/// Bytes of one opened stream, at most.
const OPENED: u64 = 1 << 30;

/// What is looked for, in every form.
#[derive(Clone, Debug)]
pub struct Search {
    patterns: Vec<Pattern>,
    /// age identities whose files are opened.
    identities: Vec<String>,
}

#[derive(Clone, Debug)]
struct Pattern {
    form: String,
    finder: memchr::memmem::Finder<'static>,
}

/// A canary, found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The file, process or recording.
    pub place: String,
    /// The form, for instance `zstd: UTF-8`.
    pub form: String,
}

impl Search {
    /// A search for these needles; each at least eight bytes, so that chance does not find it.
    ///
    /// # Panics
    ///
    /// On a shorter needle.
    #[must_use]
    pub fn new<S: AsRef<str>>(needles: &[S]) -> Self {
        let mut patterns = Vec::new();
        for needle in needles {
            let needle = needle.as_ref();
            assert!(needle.len() >= 8, "a needle of {} bytes is found by chance", needle.len());
            for (form, bytes) in forms(needle) {
                patterns.push(Pattern { form, finder: memchr::memmem::Finder::new(&bytes).into_owned() });
            }
        }
        Self { patterns, identities: Vec::new() }
    }

    /// The same search, which also opens age files sealed to one of these identities (`AGE-SECRET-KEY-1…`).
    #[cfg(feature = "opened")]
    #[must_use]
    pub fn opening(&self, identities: &[&str]) -> Self {
        let identities = identities.iter().map(|one| (*one).trim().to_owned()).collect();
        Self { identities, ..self.clone() }
    }

    /// Searches bytes that were recorded: traffic, output, a message.
    #[must_use]
    pub fn bytes(&self, place: &str, bytes: &[u8]) -> Vec<Found> {
        let mut found = BTreeSet::new();
        self.look(place, "", bytes, DEPTH, &mut found);
        found.into_iter().collect()
    }

    /// Searches a folder: every file, every name, every link's target. Links are not followed.
    #[must_use]
    pub fn folder(&self, folder: &Path) -> Vec<Found> {
        let mut found = BTreeSet::new();
        self.walk(folder, &mut found);
        found.into_iter().collect()
    }

    /// Searches what a process holds: open regular files (unlinked ones too), command line,
    /// environment, the names of its memory maps.
    #[must_use]
    pub fn process(&self, pid: u32) -> Vec<Found> {
        let mut found = BTreeSet::new();
        for name in ["cmdline", "environ", "maps"] {
            let bytes = std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            self.look(&format!("process {pid} {name}"), "", &bytes, 0, &mut found);
        }
        for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            // through /proc a file is opened again even when its name is gone
            let regular = std::fs::metadata(entry.path()).is_ok_and(|m| m.is_file());
            if !regular {
                continue;
            }
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            let place = format!("process {pid} holds {}", target.display());
            self.look(&place, "", &bytes, DEPTH, &mut found);
            self.look(&place, "name: ", target.as_os_str().as_encoded_bytes(), 0, &mut found);
        }
        found.into_iter().collect()
    }

    fn walk(&self, path: &Path, found: &mut BTreeSet<Found>) {
        let place = path.display().to_string();
        if let Some(name) = path.file_name() {
            self.look(&place, "name: ", name.as_encoded_bytes(), 0, found);
        }
        let Ok(metadata) = std::fs::symlink_metadata(path) else { return };
        if metadata.is_symlink() {
            let target = std::fs::read_link(path).unwrap_or_default();
            self.look(&place, "link: ", target.as_os_str().as_encoded_bytes(), 0, found);
        } else if metadata.is_dir() {
            for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
                self.walk(&entry.path(), found);
            }
        } else if metadata.is_file() && metadata.size() > 0 {
            let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{place} cannot be searched: {e}"));
            self.look(&place, "", &bytes, DEPTH, found);
        }
    }

    fn look(&self, place: &str, through: &str, bytes: &[u8], depth: u8, found: &mut BTreeSet<Found>) {
        for pattern in &self.patterns {
            if pattern.finder.find(bytes).is_some() {
                found.insert(Found { place: place.to_owned(), form: format!("{through}{}", pattern.form) });
            }
        }
        if depth == 0 {
            return;
        }
        for (name, magic) in [("zstd", &[0x28, 0xB5, 0x2F, 0xFD][..]), ("gzip", &[0x1F, 0x8B, 0x08][..])] {
            for at in memchr::memmem::find_iter(bytes, magic) {
                let opened = open(name, &bytes[at..]);
                if !opened.is_empty() {
                    self.look(place, &format!("{through}{name}: "), &opened, depth - 1, found);
                }
            }
        }
        for (name, opened) in self.opened(bytes) {
            self.look(place, &format!("{through}{name}: "), &opened, depth - 1, found);
        }
    }

    #[cfg(feature = "opened")]
    fn opened(&self, bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        opened::layers(bytes, &self.identities)
    }

    #[cfg(not(feature = "opened"))]
    fn opened(&self, _: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        debug_assert!(self.identities.is_empty(), "nobody can give one");
        Vec::new()
    }
}

/// As much of the stream as can be opened; a truncated one gives what it has.
fn open(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut opened = Vec::new();
    let reader: Box<dyn Read + '_> = match name {
        "zstd" => match zstd::stream::read::Decoder::new(bytes) {
            Ok(decoder) => Box::new(decoder.single_frame()),
            Err(_) => return opened,
        },
        _ => Box::new(flate2::read::GzDecoder::new(bytes)),
    };
    // an error here is the end of what can be read
    let _ = reader.take(OPENED).read_to_end(&mut opened);
    opened
}

/// The needle's forms: name and bytes.
fn forms(needle: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = needle.as_bytes();
    let mut forms = vec![("UTF-8".to_owned(), bytes.to_vec())];
    forms.push(("UTF-16LE".to_owned(), needle.encode_utf16().flat_map(u16::to_le_bytes).collect()));
    forms.push(("UTF-16BE".to_owned(), needle.encode_utf16().flat_map(u16::to_be_bytes).collect()));
    let latin: Option<Vec<u8>> = needle.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    forms.extend(latin.filter(|latin| latin != bytes).map(|latin| ("Latin-1".to_owned(), latin)));
    forms.push(("hexadecimal".to_owned(), data_encoding::HEXLOWER.encode(bytes).into_bytes()));
    forms.push(("HEXADECIMAL".to_owned(), data_encoding::HEXUPPER.encode(bytes).into_bytes()));
    for before in 0..3_usize {
        let padded = [vec![0; before], bytes.to_vec()].concat();
        let whole = padded.len() * 8 / 6;
        // characters that also hold bits of the neighbours are left out
        let first = (before * 8).div_ceil(6);
        let mut seen = BTreeSet::new();
        for (alphabet, encoding) in
            [("base64", data_encoding::BASE64_NOPAD), ("base64url", data_encoding::BASE64URL_NOPAD)]
        {
            let text = encoding.encode(&padded).into_bytes();
            let part = text[first..whole].to_vec();
            if seen.insert(part.clone()) {
                forms.push((format!("{alphabet} +{before}"), part));
            }
        }
    }
    forms
}

#[cfg(feature = "opened")]
mod opened;
#[cfg(test)]
mod tests;
