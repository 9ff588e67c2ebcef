//! Whoever may connect to the journal's writer: whatever is asked, one line answers, what was taken stays taken,
//! and the journal is whole under its own key.

use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use ecluse_adapters::log::{Folder, Served};
use ecluse_flow::event::{Head, Leaf};
use ecluse_journal::{KeyKind, NoteSigner};
use serde_json::{Value, json};

/// Requests one behind the other, 255 between them; the first byte of each says how it is meant.
///
/// # Panics
///
/// Where a promise of the module does not hold.
pub fn run(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let signer = NoteSigner::new("fuzz.example", KeyKind::Log, &[1; 32]).expect("a name");
    let mut served = Served::open(path.clone(), &signer).expect("a new journal");
    let mut folders = vec![Run::default(), Run::default()];
    let mut taken: Vec<Vec<u8>> = Vec::new();
    for request in bytes.split(|byte| *byte == 0xff).take(6) {
        let Some((what, rest)) = request.split_first() else { continue };
        let run = &mut folders[usize::from(what / 16) % 2];
        let (line, grows) = match what % 4 {
            // as it is; what follows a newline is nobody's
            0 => (rest.to_vec(), None),
            // as pieces: whatever they say
            1 => (json!({ "v": 1, "pieces": lossy(rest) }).to_string().into_bytes(), None),
            // lines that follow, as an application sends them; those that somebody changed
            _ => run.request(rest, what % 4 == 3),
        };
        let answer = asked(&mut served, &line);
        assert!(!(answer["taken"] == true && answer["refused"].is_string()));
        if answer["taken"] == true {
            match grows {
                Some((next, leaves)) => {
                    *run = next;
                    taken.extend(leaves);
                }
                // nothing else was made to follow
                None => assert!(empty(&line), "lines were taken in that nobody chained: {answer}"),
            }
        }
        whole(&path, &taken);
    }
    // the writer dies, and goes on where it was
    drop(served);
    let _again = Served::open(path.clone(), &signer).expect("its own journal");
    whole(&path, &taken);
}

/// A run folder that grows.
#[derive(Clone)]
struct Run {
    first: String,
    head: Head,
}

impl Default for Run {
    fn default() -> Self {
        Self { first: String::new(), head: Head::default() }
    }
}

impl Run {
    /// The request that takes these leaves in behind what is known, or a spoilt one; the folder then, where it is
    /// taken.
    fn request(&self, bytes: &[u8], spoilt: bool) -> (Vec<u8>, Option<(Self, Vec<Vec<u8>>)>) {
        let leaves: Vec<Leaf> =
            bytes.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let mut next = self.clone();
        let mut lines = Vec::new();
        for leaf in &leaves {
            let (line, head) = next.head.next(leaf.clone()).expect("a leaf has a canonical form");
            lines.extend_from_slice(&line);
            if next.first.is_empty() {
                next.first.clone_from(&head.digest);
            }
            next.head = head;
        }
        let mut lines = String::from_utf8(lines).expect("RFC 8785 gives UTF-8");
        if spoilt {
            lines = lines.replacen("sha256:", "sha256:0", 1);
        }
        let name = lossy(bytes.get(..20.min(bytes.len())).unwrap_or_default());
        let piece = json!({ "name": name.to_string(), "first": next.first, "lines": lines });
        let request = json!({ "v": 1, "pieces": [piece] }).to_string().into_bytes();
        let entries = leaves.iter().map(|leaf| leaf.bytes().expect("a canonical form")).collect();
        (request, (!spoilt || leaves.is_empty()).then_some((next, entries)))
    }
}

/// Whether a request holds no line.
fn empty(line: &[u8]) -> bool {
    let request: Value = serde_json::from_slice(line).expect("what was taken is a request");
    let pieces = request["pieces"].as_array().expect("pieces");
    pieces.iter().all(|piece| piece["lines"] == "")
}

/// JSON, or as a text.
fn lossy(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes)))
}

/// A connection: what is asked, and what was answered.
struct Stream {
    asks: Cursor<Vec<u8>>,
    answer: Vec<u8>,
}

impl Read for Stream {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.asks.read(to)
    }
}

impl Write for Stream {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.answer.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn asked(served: &mut Served, line: &[u8]) -> Value {
    let mut stream = Stream { asks: Cursor::new([line, b"\n"].concat()), answer: Vec::new() };
    let done = served.answer(&mut stream);
    let lines = stream.answer.iter().filter(|byte| **byte == b'\n').count();
    assert!(lines == 1 && stream.answer.ends_with(b"\n"), "one line answers");
    let answer: Value = serde_json::from_slice(&stream.answer).expect("an answer");
    assert_eq!(answer["refused"].is_string(), done.is_err());
    answer
}

/// The journal holds these entries, and no other.
fn whole(path: &Path, taken: &[Vec<u8>]) {
    let folder = Folder::open(path).expect("a journal");
    let signed = folder.signed().expect("its own key");
    let mut entries: Vec<Vec<u8>> = Vec::new();
    folder.whole(signed.checkpoint(), |_, entry| entries.push(entry.to_vec())).expect("whole");
    assert!(entries.len() == taken.len(), "{} entries, {} were taken", entries.len(), taken.len());
    assert!(taken.iter().all(|entry| entries.contains(entry)));
}
