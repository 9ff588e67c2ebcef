//! A manifest by a hostile sender, and an archive's folder by whoever had it on the way.
//!
//! Any text as a manifest: what is read is written the same, and lists no more than an archive holds, under names
//! that lead nowhere else. A signed archive whose folder somebody changed is not taken for the signed one.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use ecluse_adapters::archive::Whole;
use ecluse_core::contract::Contract;
use ecluse_core::digest;
use ecluse_core::document::Kind;
use ecluse_core::manifest::{
    self, LARGEST_PART, LONGEST, MOST_PARTS, Manifest, Part, Stated, draft, parse, part_name,
};
use ecluse_core::signatures::SignatureFile;
use ecluse_core::template::Head;
use ecluse_testkit::papers::{Paper, Papers};
use jiff::{SignedDuration, Timestamp};

use crate::papers::{head, shown};

/// One byte says what the rest is.
///
/// # Panics
///
/// Where a promise of the module does not hold.
pub fn run(bytes: &[u8]) {
    let Some((what, rest)) = bytes.split_first() else { return };
    match what % 3 {
        0 => read(crate::text(rest)),
        1 => read(&listed(rest)),
        _ => changed(rest),
    }
}

fn read(text: &str) {
    match parse(text) {
        Err(findings) => shown(text, &findings),
        Ok(stated) => {
            assert!(text.len() <= LONGEST);
            assert!((1..=MOST_PARTS).contains(&stated.parts.len()));
            for (number, part) in stated.parts.iter().enumerate() {
                assert!((1..=LARGEST_PART).contains(&part.size));
                assert!(digest::well_formed(&part.sha256));
                let name = part_name(number);
                assert!(name.strip_suffix(".age").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())));
            }
            let Stated { instruction, sender, recipient, parts } = &stated;
            let written = draft(&head(), &instruction.value, &sender.value, &recipient.value, parts);
            let again = parse(&written).expect("what was written");
            let told = |s: &Stated| {
                (
                    s.instruction.value.clone(),
                    s.sender.value.clone(),
                    s.recipient.value.clone(),
                    s.parts.clone(),
                )
            };
            assert_eq!(told(&again), told(&stated));
        }
    }
}

/// A manifest whose list of parts the bytes make: ten each for a number, a size and the digest's first letters.
fn listed(bytes: &[u8]) -> String {
    let digest = format!("sha256:{}", "1".repeat(64));
    let mut text = draft(&head(), &digest, &format!("SHA256:{}", "A".repeat(43)), &digest, &[]);
    for (number, chunk) in bytes.chunks(10).enumerate() {
        let mut size = [0; 8];
        size.iter_mut().zip(&chunk[chunk.len().min(2)..]).for_each(|(to, from)| *to = *from);
        // mostly the right number, and a size that may be
        let number = match chunk[0] {
            first @ 0..0xf0 => number.wrapping_add(usize::from(first / 0xe0)),
            far => number.wrapping_mul(usize::from(far)),
        };
        let size = u64::from_le_bytes(size) >> (chunk.get(1).unwrap_or(&33) % 64);
        let _ = write!(text, "\n[[part]]\nindex = {number}\nsize = {size}\nsha256 = \"{digest}\"\n");
    }
    text
}

/// A signed archive of three parts.
struct Signed {
    manifest: Manifest,
    text: String,
    parts: [Vec<u8>; 3],
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let now: Timestamp = "2026-03-02T09:00:00Z".parse().expect("a moment");
    let papers = Papers::new(now);
    let text = papers.text(Paper::Contract);
    let signatures = papers.signatures(Paper::Contract);
    let contract = Contract::in_force(text.as_bytes(), &signatures, now).expect("a contract in force");
    let head = Head {
        id: *b"\x0b\x1c\x2d\x3e\x4f\x50\x61\x72\x83\x94\xa5\xb6\xc7\xd8\xe9\xfa",
        contract: Some(papers.digest(Paper::Contract)),
        issued: now,
        not_before: now,
        not_after: now + SignedDuration::from_hours(24),
        ..head()
    };
    let parts = [b"the index".to_vec(), b"one part".to_vec(), b"another part".to_vec()];
    let listed =
        parts.each_ref().map(|bytes| Part { size: bytes.len() as u64, sha256: digest::of_bytes(bytes) });
    let digest = format!("sha256:{}", "1".repeat(64));
    let key = papers.operator.key();
    let sender = key.public().expect("a key").fingerprint();
    let text = draft(&head, &digest, &sender, &digest, &listed);
    let armoured = key.sign(Kind::Manifest.namespace(), text.as_bytes()).expect("a signature").into_bytes();
    let file = SignatureFile { name: "petit.sig".to_owned(), armoured, paper: None };
    let manifest = Manifest::in_force(text.as_bytes(), &[file], &contract, now).expect("a manifest in force");
    Signed { manifest, text, parts }
});

/// Whoever has the folder changes it, step by step; only one that lies there as it was signed is whole.
fn changed(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let Signed { manifest, text, parts } = &*SIGNED;
    fs::write(here.join(manifest::FILE), text).expect("the manifest");
    for (number, part) in parts.iter().enumerate() {
        fs::write(here.join(part_name(number)), part).expect("a part");
    }
    for step in bytes.split(|byte| *byte == 0xff).take(8) {
        let Some((what, rest)) = step.split_first() else { continue };
        let part = here.join(part_name(usize::from(what / 8) % 4));
        let other = here.join(name(rest));
        // a step that cannot be taken changes nothing
        let _ = match what % 8 {
            0 => fs::write(other, b"the index"),
            1 => fs::rename(&part, other),
            2 => fs::remove_file(&part),
            3 => fs::write(&part, rest),
            4 => fs::create_dir(other),
            5 => std::os::unix::fs::symlink(other, &part),
            6 => fs::copy(&part, other).map(drop),
            _ => std::os::unix::fs::symlink("/dev/zero", &part),
        };
    }
    let as_signed = is_as_signed(here);
    assert_eq!(Whole::verified(here, manifest).is_ok(), as_signed);
}

/// A name in the folder: letters that the bytes give, none that leads elsewhere.
fn name(bytes: &[u8]) -> String {
    let name: String = crate::text(bytes).chars().filter(|c| !matches!(c, '/' | '\0')).take(40).collect();
    if matches!(name.as_str(), "" | "." | "..") { "stray".to_owned() } else { name }
}

/// Whether there is nothing but what was signed and what may lie beside it, told without our reader.
fn is_as_signed(here: &Path) -> bool {
    let beside = [manifest::FILE, "manifest.toml.sigs", "README.txt", ".ecluse-part"];
    let whole = SIGNED.parts.iter().enumerate().all(|(number, part)| {
        let path = here.join(part_name(number));
        // never opened where it is no file: a device gives bytes for ever
        fs::metadata(&path).is_ok_and(|about| about.is_file())
            && fs::read(path).is_ok_and(|bytes| bytes == *part)
    });
    let alone = fs::read_dir(here).expect("the folder").all(|entry| {
        let name = entry.expect("an entry").file_name();
        let part = (0..SIGNED.parts.len()).any(|number| name == *part_name(number));
        part || beside.iter().any(|beside| name == **beside)
    });
    whole && alone
}
