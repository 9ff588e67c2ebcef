//! The form: one way to write what a file holds, and no other is read.

use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::made;
use crate::file::{open, pack};
use crate::{Files, Outcome, verify};

fn some_files() -> impl Strategy<Value = Files> {
    let path = "[a-z][a-z0-9]{0,5}(/[a-z][a-z0-9_.-]{0,5}){0,2}";
    proptest::collection::btree_map(path, proptest::collection::vec(any::<u8>(), 0..1200), 1..6)
}

/// The blocks of each entry: its header, its content, padded.
fn entries(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while rest.len() > 1024 {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[124..135]).unwrap(), 8).unwrap();
        let (entry, after) = rest.split_at(512 + size.next_multiple_of(512));
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

fn joined(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.extend_from_slice(&[0; 1024]);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_was_packed_is_read_back(files in some_files()) {
        let bytes = pack(&files).unwrap();
        prop_assert_eq!(open(&bytes).unwrap(), files);
    }

    /// Any one bit, anywhere in the file, of its headers, its padding and its end.
    #[test]
    fn a_flipped_bit_is_other_content_or_refused(files in some_files(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut bytes = pack(&files).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        match open(&bytes) {
            Err(_) => {}
            // a byte of a content: that it is another one is for whoever vouches for the content
            Ok(other) => prop_assert_ne!(other, files),
        }
    }

    #[test]
    fn entries_in_another_order_twice_or_cut_are_refused(files in some_files(), at in any::<prop::sample::Index>(), cut in 1..700usize) {
        let bytes = pack(&files).unwrap();
        let parts = entries(&bytes);
        let chosen = at.index(parts.len());
        let mut twice = parts.clone();
        twice.push(parts[chosen].clone());
        prop_assert!(open(&joined(&twice)).is_err());
        if parts.len() > 1 {
            let mut turned = parts.clone();
            turned.rotate_left(1);
            prop_assert!(open(&joined(&turned)).is_err());
        }
        prop_assert!(open(&bytes[..bytes.len() - cut.min(bytes.len())]).is_err());
        let mut longer = bytes.clone();
        longer.resize(bytes.len() + 512, 0);
        prop_assert!(open(&longer).is_err());
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert_eq!(verify(&bytes, &[]).outcome, Outcome::Refused);
    }
}

/// An entry of this kind, as some tar would write it, before a plain one.
fn with(kind: EntryType, name: &str, link: Option<&str>, content: &[u8]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    if let Some(link) = link {
        header.set_link_name(link).unwrap();
    }
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    header.set_cksum();
    tar.append(&header, content).unwrap();
    let mut plain = Header::new_ustar();
    plain.set_path("status.toml").unwrap();
    plain.set_mode(0o644);
    plain.set_size(1);
    plain.set_cksum();
    tar.append(&plain, b"x".as_slice()).unwrap();
    tar.into_inner().unwrap()
}

#[test]
fn extensions_links_and_paths_that_lead_elsewhere_are_refused() {
    for kind in [
        EntryType::XHeader,
        EntryType::XGlobalHeader,
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::GNUSparse,
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::Continuous,
    ] {
        let content: &[u8] = if kind.is_pax_local_extensions() { b"19 path=other.toml\n" } else { b"" };
        let link = (kind.is_symlink() || kind.is_hard_link()).then_some("/etc/passwd");
        let bent = open(&with(kind, "a.toml", link, content)).unwrap_err().to_string();
        assert!(bent.contains("no plain file"), "{kind:?}: {bent}");
    }
    for name in ["../a", "/a", "a/../../b", "a//b", "./a", "a\\b", ".hidden", "-rf", "a\nb", "C:a"] {
        let bent = open(&with(EntryType::Regular, name, None, b"")).unwrap_err().to_string();
        assert!(bent.contains("ECL-EVI-004"), "{name:?}: {bent}");
        let files = Files::from([(name.to_owned(), Vec::new())]);
        assert_eq!(pack(&files).unwrap_err().code().id, "ECL-EVI-004", "{name:?}");
    }
    let twins = Files::from([("Codes/a".to_owned(), Vec::new()), ("codes/a".to_owned(), Vec::new())]);
    assert_eq!(pack(&twins).unwrap_err().code().id, "ECL-EVI-004");
    let long = Files::from([("a".repeat(101), Vec::new())]);
    assert_eq!(pack(&long).unwrap_err().code().id, "ECL-EVI-004");
}

/// A size that no file has is an answer, not memory.
#[test]
fn an_entry_larger_than_the_file_is_refused() {
    let mut bytes = pack(&Files::from([("a".to_owned(), b"x".to_vec())])).unwrap();
    let mut header = Header::new_ustar();
    header.set_path("a").unwrap();
    header.set_mode(0o644);
    header.set_size(u64::MAX / 2);
    header.set_cksum();
    bytes[..512].copy_from_slice(header.as_bytes());
    assert!(open(&bytes).is_err());
}

/// The first difference is named by its entry and its byte.
#[test]
fn a_difference_has_its_place() {
    let files = Files::from([("a".to_owned(), b"one".to_vec()), ("b".to_owned(), b"two".to_vec())]);
    let place = |at: usize| {
        let mut bytes = pack(&files).unwrap();
        bytes[at] ^= 1;
        open(&bytes).unwrap_err().to_string()
    };
    assert_eq!(place(512 + 10), "ECL-EVI-003: a, byte 10: another byte belongs here");
    assert_eq!(place(1024 + 512 + 3), "ECL-EVI-003: b, byte 3: another byte belongs here");
    assert!(place(2048 + 700).contains("behind the last entry"), "{}", place(2048 + 700));
    // the mode of an entry: its check sum does not fit any more
    assert!(place(1024 + 100).starts_with("ECL-EVI-003: byte 1024"), "{}", place(1024 + 100));
}

/// What closes the file stands last in it.
#[test]
fn the_certificate_stands_last() {
    let mut files = made::files(&made::papers());
    files.insert("certificate.toml".to_owned(), b"c".to_vec());
    files.insert("certificate.toml.sigs/serrano.sig".to_owned(), b"s".to_vec());
    let bytes = pack(&files).unwrap();
    let names: Vec<String> = entries(&bytes)
        .iter()
        .map(|entry| String::from_utf8_lossy(&entry[..100]).trim_end_matches('\0').to_owned())
        .collect();
    assert!(
        names.ends_with(&["certificate.toml".to_owned(), "certificate.toml.sigs/serrano.sig".to_owned()])
    );
    assert_eq!(open(&bytes).unwrap(), files);
}
