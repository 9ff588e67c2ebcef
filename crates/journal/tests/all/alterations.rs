//! What an auditor finds, and where; and what is left after retention.

use ecluse_journal::audit::{self, Bent, Held};
use ecluse_journal::{Checkpoint, Hash, Kind, Log, Tile, Unread};
use proptest::prelude::*;

use crate::support::{Memory, ORIGIN, entry, written};

fn audited(objects: &Memory, tree: &Checkpoint) -> Result<u64, Bent<std::convert::Infallible>> {
    let mut read = 0;
    audit::whole(objects, tree, 0, |index, bytes| {
        assert_eq!((index, bytes), (read, entry(read).as_slice()));
        read += 1;
    })
    .map(|()| read)
}

fn path(kind: Kind, n: u64, size: u64) -> String {
    Tile::of(kind, n, size).unwrap().path()
}

#[test]
fn an_untouched_log_is_read_whole() {
    for size in [0, 1, 255, 256, 257, 700] {
        let (log, objects) = written(size, 64);
        assert_eq!(audited(&objects, &log.checkpoint()), Ok(size));
    }
}

#[test]
fn a_changed_entry_is_named_by_its_index() {
    let (log, objects) = written(700, 700);
    for index in [0, 255, 256, 300, 512, 699] {
        let path = path(Kind::Entries, index / 256, 700);
        let mut bent = objects.clone();
        let bundle = bent.0.get_mut(&path).unwrap();
        let needle = entry(index);
        let at = bundle.windows(needle.len()).position(|window| window == needle).unwrap();
        bundle[at] ^= 1;
        assert_eq!(audited(&bent, &log.checkpoint()), Err(Bent::Entry(index)));
    }
}

#[test]
fn an_entry_changed_together_with_its_hash_is_found_among_256() {
    let (log, mut objects) = written(700, 700);
    // the whole bundle is written anew, and its tile with it, as who knows the format would
    let (mut forged, mut theirs) = (Log::new(ORIGIN), Memory::default());
    for index in 0..700 {
        forged.append(&if index == 300 { b"forged".to_vec() } else { entry(index) }).unwrap();
    }
    theirs.round(&mut forged);
    for kind in [Kind::Entries, Kind::Hashes(0)] {
        let path = path(kind, 1, 700);
        objects.0.insert(path.clone(), theirs.0[&path].clone());
    }
    let found = audit::whole(&objects, &log.checkpoint(), 0, |_, _| ());
    assert_eq!(found, Err(Bent::Entries(256..512)));
    // and where the level above is forged too, only the checkpoint is left to tell
    assert_eq!(audit::whole(&theirs, &log.checkpoint(), 0, |_, _| ()), Err(Bent::Root));
}

#[test]
fn entries_moved_doubled_or_taken_away_are_found() {
    let (log, _) = written(300, 300);
    let order = |order: Vec<u64>| {
        let (mut log, mut objects) = (Log::new(ORIGIN), Memory::default());
        order.into_iter().for_each(|index| assert!(log.append(&entry(index)).is_some()));
        objects.round(&mut log);
        objects
    };
    let swapped = order(
        (0..300)
            .map(|i| {
                if i == 10 {
                    11
                } else if i == 11 {
                    10
                } else {
                    i
                }
            })
            .collect(),
    );
    let doubled = order((0..300).map(|i| if i > 20 { i - 1 } else { i }).collect());
    let short = order((0..299).collect());
    let missing = order((0..=300).filter(|i| *i != 5).collect());
    for objects in [swapped, doubled, missing] {
        assert_eq!(audit::whole(&objects, &log.checkpoint(), 0, |_, _| ()), Err(Bent::Root));
    }
    assert!(matches!(
        audit::whole(&short, &log.checkpoint(), 0, |_, _| ()),
        Err(Bent::Unread(Unread::Missing(_)))
    ));
}

#[test]
fn every_object_is_needed_in_its_form() {
    let (log, objects) = written(700, 700);
    for tile in Tile::all(700) {
        let mut without = objects.clone();
        without.0.remove(&tile.path()).unwrap();
        let missing = Err(Bent::Unread(Unread::Missing(tile)));
        assert_eq!(audit::whole(&without, &log.checkpoint(), 0, |_, _| ()), missing, "{tile}");
        let mut short = objects.clone();
        short.0.get_mut(&tile.path()).unwrap().pop();
        let misshapen = Err(Bent::Unread(Unread::Misshapen(tile)));
        assert_eq!(audit::whole(&short, &log.checkpoint(), 0, |_, _| ()), misshapen, "{tile}");
    }
}

#[test]
fn a_log_is_held_against_what_others_kept_of_it() {
    let (log, objects) = written(700, 700);
    let now = log.checkpoint();
    for size in [0, 1, 255, 256, 300, 512, 699, 700] {
        let held = written(size, 700).0.checkpoint();
        assert_eq!(audit::against(&objects, &now, 0, &held), Held::Grew, "{size}");
        let other = Checkpoint { root: Hash::leaf(b"other"), ..held.clone() };
        assert_eq!(audit::against(&objects, &now, 0, &other), Held::Fork, "{size}");
        let stranger = Checkpoint { origin: "another.example".to_owned(), ..held };
        assert_eq!(audit::against(&objects, &now, 0, &stranger), Held::Stranger);
    }
    let later = written(701, 701).0.checkpoint();
    assert_eq!(audit::against(&objects, &now, 0, &later), Held::Cut);
}

#[test]
fn what_retention_erased_leaves_a_log_that_proves_the_rest() {
    let size = 66_000; // one full tile of level 1, so that it can go as well
    let (log, objects) = written(size, size);
    let tree = log.checkpoint();
    for first in [256, 512, 65_536, 65_792] {
        let mut left = objects.clone();
        for tile in audit::prunable(first, size) {
            assert!(left.0.remove(&tile.path()).is_some(), "{tile}");
        }
        let mut read = first;
        audit::whole(&left, &tree, first, |index, bytes| {
            assert_eq!((index, bytes), (read, entry(read).as_slice()));
            read += 1;
        })
        .unwrap();
        assert_eq!(read, size);
        for index in [first, first + 1, size - 1] {
            assert!(audit::inclusion(&left, size, index).unwrap().is_some(), "{index} from {first}");
        }
        let held = written(first, first).0.checkpoint();
        assert_eq!(audit::against(&left, &tree, first, &held), Held::Grew, "{first}");
        // the next round of the pruned log needs nothing that went
        let mut log = Log::resume(&tree, &left).unwrap();
        log.append(b"later").unwrap();
    }
    let left = {
        let mut left = objects.clone();
        audit::prunable(65_792, size).for_each(|tile| drop(left.0.remove(&tile.path())));
        left
    };
    // an older look at it cannot be compared any more, and that is said
    assert_eq!(audit::against(&left, &tree, 65_792, &written(300, 300).0.checkpoint()), Held::Erased);
}

proptest! {
    #[test]
    fn no_flipped_bit_passes(size in 1..600u64, object in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let (log, mut objects) = written(size, 600);
        let paths: Vec<String> = Tile::all(size).map(|tile| tile.path()).collect();
        let bytes = objects.0.get_mut(object.get(&paths)).unwrap();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(audit::whole(&objects, &log.checkpoint(), 0, |_, _| ()).is_err());
    }
}
