//! The writing side: rounds, deaths between them, and going on.

use ecluse_journal::{Hash, Kind, Log, Stopped, Tile, audit, bundle, tree};

use crate::support::{Leaves, Memory, ORIGIN, entry, written};

#[test]
fn a_log_gone_on_with_after_each_round_is_the_log_written_at_once() {
    let (at_once, whole) = written(600, 600);
    let (mut log, mut objects) = (Log::new(ORIGIN), Memory::default());
    let mut index = 0;
    for round in [1, 1, 253, 1, 1, 130, 125, 88] {
        for _ in 0..round {
            assert_eq!(log.append(&entry(index)), Some(index));
            index += 1;
        }
        objects.round(&mut log);
        let checkpoint = log.checkpoint();
        // a death: nothing but the checkpoint and the objects is left
        log = Log::resume(&checkpoint, &objects).unwrap();
        assert_eq!(log.checkpoint(), checkpoint);
    }
    assert_eq!(log.checkpoint(), at_once.checkpoint());
    for (path, bytes) in &whole.0 {
        assert_eq!(objects.0.get(path), Some(bytes), "{path}");
    }
}

#[test]
fn a_round_that_died_before_its_checkpoint_is_written_anew() {
    let (mut log, mut objects) = written(250, 250);
    let checkpoint = log.checkpoint();
    for index in 0..20 {
        log.append(format!("never announced {index}").as_bytes());
    }
    objects.round(&mut log);
    let mut log = Log::resume(&checkpoint, &objects).unwrap();
    for index in 250..300 {
        log.append(&entry(index));
    }
    objects.round(&mut log);
    assert_eq!(log.checkpoint(), written(300, 300).0.checkpoint());
    let mut read = Vec::new();
    audit::whole(&objects, &log.checkpoint(), 0, |_, entry| read.push(entry.to_vec())).unwrap();
    assert_eq!(read, (0..300).map(entry).collect::<Vec<_>>());
}

#[test]
fn the_root_is_the_one_that_the_definition_gives() {
    let mut log = Log::new(ORIGIN);
    assert_eq!(log.checkpoint().root, Hash::empty());
    let mut leaves = Leaves(Vec::new());
    for index in 0..520 {
        log.append(&entry(index));
        leaves.0.push(Hash::leaf(&entry(index)));
        let Ok(root) = tree::root(index + 1, &mut leaves);
        assert_eq!(log.checkpoint().root, root, "{}", index + 1);
    }
}

#[test]
fn an_entry_too_long_is_not_taken_in() {
    let (mut log, _) = written(3, 3);
    let before = log.checkpoint();
    assert_eq!(log.append(&vec![0; bundle::LONGEST + 1]), None);
    assert_eq!(log.checkpoint(), before);
    assert_eq!(log.append(&vec![0; bundle::LONGEST]), Some(3));
}

#[test]
fn a_log_whose_edge_is_not_the_checkpoints_is_not_gone_on_with() {
    let (log, objects) = written(700, 700);
    let checkpoint = log.checkpoint();
    for n in [
        Tile::of(Kind::Hashes(0), 2, 700),
        Tile::of(Kind::Hashes(1), 0, 700),
        Tile::of(Kind::Entries, 2, 700),
    ] {
        let path = n.unwrap().path();
        let mut bent = objects.clone();
        bent.0.get_mut(&path).unwrap()[5] ^= 1;
        assert!(matches!(Log::resume(&checkpoint, &bent), Err(Stopped::Bent)), "{path}");
        let mut short = objects.clone();
        short.0.get_mut(&path).unwrap().pop();
        assert!(matches!(Log::resume(&checkpoint, &short), Err(Stopped::Unread(_))), "{path}");
        let mut without = objects.clone();
        without.0.remove(&path);
        assert!(matches!(Log::resume(&checkpoint, &without), Err(Stopped::Unread(_))), "{path}");
    }
}
