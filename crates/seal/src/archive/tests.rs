//! A part that was changed, moved, or put together by somebody else: each refused by its own name.

use std::cell::Cell;

use age::secrecy::ExposeSecret;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use ecluse_batch::{Batch, assertion};
use ecluse_core::fault::Code;
use ecluse_core::types::Type;
use hkdf::Hkdf;
use sha2::Sha256;

use super::*;
use crate::{Identity, Seal};

fn label() -> Label {
    Label {
        archive: "0f".repeat(16),
        instruction: format!("sha256:{}", "1".repeat(64)),
        sender: "SHA256:sender".to_owned(),
        recipient: format!("sha256:{}", "2".repeat(64)),
    }
}

fn table(destination: &str) -> IndexTable {
    let column = |name: &str| IndexColumn {
        name: name.to_owned(),
        ty: Type::Int,
        nullable: false,
        max_length: None,
        int_bounds: Some((-1, 7)),
        labels: Vec::new(),
    };
    IndexTable {
        source: "SRC".to_owned(),
        destination: destination.to_owned(),
        columns: vec![column("id")],
        key: vec!["id".to_owned()],
        relations: Vec::new(),
        ordered: true,
        rows: 3,
        refused: [("ECL-BAT-101 SRC.x".to_owned(), 2)].into(),
        excluded: 1,
        salt: "00".repeat(32),
        commitment: commitment(&[0; 32], &[1; 32]),
    }
}

fn rows(values: &[i64]) -> Vec<Batch> {
    vec![assertion::ints(values).unwrap()]
}

fn note(part: &SealedPart, index: u64) -> ChunkNote {
    ChunkNote {
        index,
        table: 0,
        number: index - 1,
        rows: part.rows,
        sha256: part.plain_sha256.clone(),
        unpacked: part.unpacked,
    }
}

struct Set {
    identity: Identity,
    sealer: Sealer,
    first: SealedPart,
    second: SealedPart,
}

fn set() -> Set {
    let identity = Identity::generate();
    let mut sealer = Sealer::new(label(), identity.recipient());
    let first = sealer.chunk(1, &table("patient"), &rows(&[1, 2])).unwrap();
    let second = sealer.chunk(2, &table("patient"), &rows(&[3])).unwrap();
    Set { identity, sealer, first, second }
}

impl Set {
    fn index(&self) -> Index {
        let mut index = Index::new(label(), "ab".repeat(16), Seal::new([7; 32]));
        index.papers.insert("instruction.toml".to_owned(), "é \u{0}\n".to_owned());
        index.tables.push(table("patient"));
        index.chunks = vec![note(&self.first, 1), note(&self.second, 2)];
        index
    }

    fn refused(&self, label: Label, sealed: &[u8], note: &ChunkNote, table: &IndexTable) -> &'static Code {
        Opener::new(label, &self.identity).chunk(sealed, note, table).map(drop).unwrap_err().code()
    }
}

// proves: SEA-01
#[test]
fn what_is_sealed_comes_back_to_its_recipient_alone() {
    let set = set();
    let opener = Opener::new(label(), &set.identity);
    let back = opener.chunk(&set.first.bytes, &note(&set.first, 1), &table("patient")).unwrap();
    assert_eq!(
        ecluse_batch::differing(&[Type::Int], (&back[0], 1), (&rows(&[1, 2])[0], 1)).unwrap(),
        Vec::<usize>::new()
    );
    assert_eq!(back[0].rows(), 2);

    let sealed = set.sealer.index(&set.index()).unwrap();
    let index = opener.index(&sealed.bytes).unwrap();
    assert_eq!(
        (index.tables, index.chunks, index.papers),
        (set.index().tables, set.index().chunks, set.index().papers)
    );
    assert_eq!((index.tally.expose(), index.run.as_str()), (&[7; 32], "ab".repeat(16).as_str()));

    let other = Identity::generate();
    let stranger = Opener::new(label(), &other);
    assert_eq!(stranger.index(&sealed.bytes).unwrap_err().code(), &STRANGER);
    let refused = stranger.chunk(&set.first.bytes, &note(&set.first, 1), &table("patient"));
    assert_eq!(refused.unwrap_err().code(), &STRANGER);
}

// proves: SEA-02
#[test]
fn a_part_that_is_not_the_one_in_its_place_is_refused_by_name() {
    let mut set = set();
    let (patient, first) = (table("patient"), note(&set.first, 1));
    let whole = &set.first.bytes;
    for at in [0, whole.len() / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        assert_eq!(set.refused(label(), &flipped, &first, &patient), &DAMAGED, "byte {at}");
    }
    // within the share from which the recipient's key is derived: to this identity it opens no more
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    assert_eq!(set.refused(label(), &flipped, &first, &patient), &STRANGER);
    assert_eq!(set.refused(label(), &whole[..whole.len() - 1], &first, &patient), &DAMAGED);
    assert_eq!(set.refused(label(), &[whole, &b"x"[..]].concat(), &first, &patient), &DAMAGED);
    assert_eq!(set.refused(label(), &[], &first, &patient), &DAMAGED);
    // two parts of one archive that changed places
    assert_eq!(set.refused(label(), &set.second.bytes, &first, &patient), &OTHER_PLACE);
    assert_eq!(set.refused(label(), whole, &first, &table("person")), &OTHER_TABLE);
    for (label, code) in [
        (Label { archive: "00".repeat(16), ..label() }, &OTHER_ARCHIVE),
        (Label { instruction: "sha256:3".to_owned(), ..label() }, &OTHER_ORDER),
        (Label { sender: "SHA256:other".to_owned(), ..label() }, &OTHER_SENDER),
        (Label { recipient: "sha256:3".to_owned(), ..label() }, &OTHER_RECIPIENT),
    ] {
        assert_eq!(set.refused(label.clone(), whole, &first, &patient), code);
        let index = set.sealer.index(&set.index()).unwrap();
        assert_eq!(Opener::new(label, &set.identity).index(&index.bytes).unwrap_err().code(), code);
    }
    // the same label and place, and other rows: whoever knows the recipient can seal such a part
    let other = set.sealer.chunk(1, &patient, &rows(&[1, 9])).unwrap();
    assert_eq!(set.refused(label(), &other.bytes, &first, &patient), &FORGED);
    // rows where the index should be, and the index where rows should be
    let opener = Opener::new(label(), &set.identity);
    assert_eq!(opener.index(whole).unwrap_err().code(), &NO_INDEX);
    let index = set.sealer.index(&set.index()).unwrap();
    assert_eq!(set.refused(label(), &index.bytes, &first, &patient), &ecluse_batch::stored::UNFIT);
}

/// An identity that keeps the file key that it unwraps.
struct Takes<'a>(&'a Identity, Cell<Option<[u8; 16]>>);

impl age::Identity for Takes<'_> {
    fn unwrap_stanza(
        &self,
        stanza: &age_core::format::Stanza,
    ) -> Option<Result<age_core::format::FileKey, age::DecryptError>> {
        let unwrapped = self.0.age().unwrap_stanza(stanza)?;
        if let Ok(key) = &unwrapped {
            self.1.set(Some(*key.expose_secret()));
        }
        Some(unwrapped)
    }
}

/// The sender's header, byte for byte, over another payload of one block: what everybody can make who can
/// open the part (age-encryption.org/v1, "Payload").
fn under_the_senders_header(sealed: &[u8], identity: &Identity, payload: &[u8]) -> Vec<u8> {
    let takes = Takes(identity, Cell::new(None));
    age::Decryptor::new_buffered(sealed)
        .unwrap()
        .decrypt(std::iter::once(&takes as &dyn age::Identity))
        .map(drop)
        .unwrap();
    let mac = sealed.windows(5).position(|w| w == b"\n--- ").unwrap() + 5;
    let end = mac + sealed[mac..].iter().position(|b| *b == b'\n').unwrap() + 1;
    let nonce = [9_u8; 16];
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(&nonce), &takes.1.get().unwrap()).expand(b"payload", &mut key).unwrap();
    assert!(payload.len() <= 64 << 10, "one block");
    let mut last = [0; 12];
    last[11] = 1;
    let block = ChaCha20Poly1305::new(&key.into()).encrypt(Nonce::from_slice(&last), payload).unwrap();
    [&sealed[..end], &nonce, &block].concat()
}

// by it an opened part that somebody kept is found again
#[test]
fn what_an_opened_part_says_in_clear_is_its_archives() {
    let set = set();
    let plain = crate::envelope::open(&set.first.bytes, &[&set.identity]).unwrap();
    let says = |archive: &str| memchr::memmem::find(&plain, note_of(archive).as_bytes()).is_some();
    assert!(says(&label().archive) && !says(&"1f".repeat(16)));
}

// proves: SEA-02
#[test]
fn a_payload_that_the_recipient_put_under_the_senders_header_is_refused() {
    let mut set = set();
    let (patient, first) = (table("patient"), note(&set.first, 1));
    let other = set.sealer.chunk(1, &patient, &rows(&[1, 9])).unwrap();
    let plain = crate::envelope::open(&other.bytes, &[&set.identity]).unwrap();
    let forged = under_the_senders_header(&set.first.bytes, &set.identity, &plain);
    // age is content, and so is everything that the label says
    assert_eq!(crate::envelope::open(&forged, &[&set.identity]).unwrap(), plain);
    assert_eq!(set.refused(label(), &forged, &first, &patient), &FORGED);
    // the ciphertext's digest, which the manifest signs, tells it without a key
    assert_ne!(ecluse_core::digest::of_bytes(&forged), set.first.sha256);
}

#[test]
fn an_index_that_does_not_hold_together_is_none() {
    let set = set();
    let opener = Opener::new(label(), &set.identity);
    let changes: [fn(&mut Index); 10] = [
        |i| i.chunks[0].index = 2,
        |i| i.chunks[1].number = 0,
        |i| i.chunks[1].table = 1,
        |i| i.chunks[1].rows = 0,
        |i| i.chunks[0].sha256 = "1".repeat(64),
        |i| i.tables[0].rows = 4,
        |i| i.tables[0].key = vec!["no".to_owned()],
        |i| i.chunks.truncate(1),
        |i| i.run = "\u{202e}".to_owned(),
        |i| {
            i.tables[0].columns.clear();
            i.tables[0].key.clear();
        },
    ];
    for (n, change) in changes.iter().enumerate() {
        let mut index = set.index();
        change(&mut index);
        let sealed = set.sealer.index(&index).unwrap();
        assert_eq!(opener.index(&sealed.bytes).unwrap_err().code(), &NO_INDEX, "change {n}");
    }
    // it says little by its length; age's own header has one of several
    let length = |index: &Index| {
        let sealed = set.sealer.index(index).unwrap();
        crate::envelope::open(&sealed.bytes, &[&set.identity]).unwrap().len()
    };
    let mut longer = set.index();
    longer.run.push_str("00");
    assert_eq!(length(&longer), length(&set.index()));
}

#[test]
fn an_index_longer_than_any_is_neither_sealed_nor_opened() {
    let set = set();
    let mut index = set.index();
    index.papers.insert("mapping.toml".to_owned(), "#".repeat(64 << 20));
    assert_eq!(set.sealer.index(&index).unwrap_err().code(), &TOO_LONG);
    // nothing of it is looked at: it is no age file at all
    let opener = Opener::new(label(), &set.identity);
    assert_eq!(opener.index(&vec![b'x'; SEALED_INDEX + 1]).unwrap_err().code(), &TOO_LONG);
    assert_eq!(opener.index(&vec![b'x'; SEALED_INDEX]).unwrap_err().code(), &DAMAGED);
}
