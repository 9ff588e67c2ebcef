use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ecluse_batch::assertion::ints;
use ecluse_core::types::Type;
use ecluse_flow::ports::Staging as _;

use super::*;

const NAME: &str = "00112233445566778899aabbccddeeff";

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

// proves: EXT-01
#[test]
fn what_is_staged_is_its_owners_alone_comes_back_and_goes() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("staging");
    let mut store = Store::make(&folder, NAME).unwrap();
    let mut part = store.part().unwrap();
    store.write(&mut part, &ints(&[1, 2]).unwrap(), None).unwrap();
    store.write(&mut part, &ints(&[3]).unwrap(), None).unwrap();
    part.end();
    let file = folder.join(NAME).join("0");
    assert_eq!((mode(&folder), mode(&folder.join(NAME)), mode(&file)), (0o700, 0o700, 0o600));
    assert_eq!(part.rows(), 3);
    assert_eq!(store.read(&part, 1, &[Type::Int]).unwrap().unwrap().rows(), 1);
    assert!(store.read(&part, 2, &[Type::Int]).unwrap().is_none());
    // a byte changed on the disk is no row
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(store.read(&part, 1, &[Type::Int]).unwrap_err().code().id, "ECL-SEA-011");
    store.destroy().unwrap();
    Folder::open(&folder).unwrap().alone().unwrap();
}

#[test]
fn a_dead_process_leaves_what_the_next_takes_away_and_nothing_else_of_the_folder() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("staging");
    let folder = Folder::open(&path).unwrap();
    let mut store = Store::make(&path, NAME).unwrap();
    let mut part = store.part().unwrap();
    store.write(&mut part, &ints(&[1]).unwrap(), None).unwrap();
    // as a kill leaves it: nothing is dropped
    std::mem::forget(store);
    std::fs::write(path.join("somebody's"), b"x").unwrap();
    let other = NAME.replace('0', "f");
    // neither is swept while one of them is not known here: another disk may lie over this folder
    folder.mark(NAME).unwrap();
    let refused = folder.sweep(&[NAME.to_owned(), other.clone()]).unwrap_err();
    assert_eq!((refused.code(), path.join(NAME).join("0").exists()), (&ELSEWHERE, true));
    folder.mark(&other).unwrap();
    let gone = folder.sweep(&[NAME.to_owned(), other]).unwrap();
    assert_eq!((gone.parts, gone.bytes > 0), (1, true));
    assert_eq!(folder.alone().unwrap_err().code(), &FOREIGN);
    folder.clear().unwrap();
    assert_eq!(names(folder.root.as_fd()).unwrap().len(), 1);
    assert!(path.join("somebody's").exists());
    assert_eq!(folder.alone().unwrap_err().code(), &FOREIGN);
    std::fs::remove_file(path.join("somebody's")).unwrap();
    folder.alone().unwrap();
}

#[test]
fn a_folder_that_others_can_read_or_that_is_a_link_is_not_taken() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("staging");
    Folder::open(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).unwrap();
    assert_eq!(Folder::open(&path).unwrap_err().code(), &OPEN_TO_OTHERS);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    let link = home.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(Folder::open(&link).unwrap_err().code(), &OPEN_TO_OTHERS);
    assert_eq!(Folder::open(&home.path().join("no/such")).unwrap_err().code(), &UNUSABLE);
}

#[test]
fn a_store_that_is_let_go_takes_its_files_away() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("staging");
    let mut store = Store::make(&path, NAME).unwrap();
    let mut part = store.part().unwrap();
    store.write(&mut part, &ints(&[1]).unwrap(), None).unwrap();
    drop(store);
    Folder::open(&path).unwrap().alone().unwrap();
}

/// The journal is not signed: a name in it is no leave to delete another folder, or another's files.
#[test]
fn a_name_that_is_not_ours_is_not_followed() {
    let home = tempfile::tempdir().unwrap();
    let folder = Folder::open(&home.path().join("staging")).unwrap();
    let victim = home.path().join("victim");
    std::fs::create_dir(&victim).unwrap();
    std::fs::write(victim.join("0"), "theirs").unwrap();
    let own = home.path().join("staging").join(NAME);
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("results.csv"), "theirs").unwrap();
    folder.mark(NAME).unwrap();
    let absolute = victim.display().to_string();
    for name in ["../victim", "victim", "", "..", absolute.as_str(), NAME] {
        let refused = folder.sweep(&[name.to_owned()]).unwrap_err();
        assert_eq!(refused.code().id, "ECL-SRC-624", "{name}");
    }
    assert!(victim.join("0").exists() && own.join("results.csv").exists());
}
