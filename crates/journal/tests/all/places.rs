//! Paths and bundles, by the examples of C2SP tlog-tiles.

use ecluse_journal::{Kind, Tile, bundle};
use proptest::prelude::*;

fn count(size: u64, kind: Kind) -> (usize, Vec<u64>) {
    let tiles: Vec<Tile> = Tile::all(size).filter(|tile| tile.kind() == kind).collect();
    let partial = tiles.iter().filter(|tile| !tile.is_full()).map(Tile::width).collect();
    (tiles.iter().filter(|tile| tile.is_full()).count(), partial)
}

#[test]
fn a_tree_of_70_000_leaves_has_the_tiles_that_the_specification_counts() {
    assert_eq!(count(70_000, Kind::Entries), (273, vec![112]));
    assert_eq!(count(70_000, Kind::Hashes(0)), (273, vec![112]));
    assert_eq!(count(70_000, Kind::Hashes(1)), (1, vec![17]));
    assert_eq!(count(70_000, Kind::Hashes(2)), (0, vec![1]));
    assert_eq!(count(70_000, Kind::Hashes(3)), (0, vec![]));
    // and of 256: one full tile, and a partial one of width 1 above it
    assert_eq!((count(256, Kind::Hashes(0)), count(256, Kind::Hashes(1))), ((1, vec![]), (0, vec![1])));
    assert_eq!(Tile::all(0).count(), 0);
}

#[test]
fn a_path_has_one_spelling() {
    let tile = Tile::of(Kind::Hashes(0), 1_234_067, u64::MAX).unwrap();
    assert_eq!(tile.path(), "tile/0/x001/x234/067");
    assert_eq!(Tile::of(Kind::Entries, 0, 7).unwrap().path(), "tile/entries/000.p/7");
    for other in [
        "tile/0/1/234/067",
        "tile/0/x001/x234/x067",
        "tile/0/x000/x001/x234/067",
        "tile/00/x001/x234/067",
        "tile/+1/000",
        "tile/8/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/0000",
        "tile/0/-01",
        "tile/0/",
        "tile/0/000/",
        "tile//000",
        "/tile/0/000",
        "tile/0/../0/000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(Tile::parse(other), None, "{other}");
    }
}

proptest! {
    #[test]
    fn a_path_is_read_back(n in 0..u64::MAX / 256, level in 0..=8u8, width in 1..=256u64) {
        let kind = level.checked_sub(1).map_or(Kind::Entries, Kind::Hashes);
        if let Some(tile) = Tile::of(kind, n, (n * 256).saturating_add(width)) {
            prop_assert_eq!(Tile::parse(&tile.path()), Some(tile));
        }
    }

    #[test]
    fn any_text_is_a_path_or_none(text in "tile/[a-z0-9/x.]{0,24}") {
        if let Some(tile) = Tile::parse(&text) {
            prop_assert_eq!(tile.path(), text);
        }
    }

    #[test]
    fn entries_come_back_from_their_bundle(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
        let mut bytes = Vec::new();
        for entry in &entries {
            prop_assert!(bundle::push(&mut bytes, entry));
        }
        let width = u64::try_from(entries.len()).unwrap();
        prop_assert_eq!(bundle::entries(&bytes, width), Some(entries.iter().map(Vec::as_slice).collect()));
        prop_assert_eq!(bundle::entries(&bytes, width + 1), None);
        if let Some(short) = bytes.len().checked_sub(1) {
            prop_assert_eq!(bundle::entries(&bytes[..short], width), None);
        }
    }
}

#[test]
fn an_entry_has_a_longest_length() {
    let mut bytes = Vec::new();
    assert!(bundle::push(&mut bytes, &vec![0; bundle::LONGEST]));
    let before = bytes.clone();
    assert!(!bundle::push(&mut bytes, &vec![0; bundle::LONGEST + 1]));
    assert_eq!(bytes, before);
}
