//! A disk that is full, for real: the destination's, and the run folder's.

use std::path::Path;

use ecluse_testkit::disk::Disk;
use ecluse_testkit::server;

use crate::base::Base;
use crate::pair::{Pair, migrated, reconciled};

#[test]
fn a_postgresql_destination_on_a_full_disk_goes_on_once_there_is_room() {
    let (Some(server), Some(from), Some(to)) =
        (server::postgres(), Base::postgres("full"), Base::postgres("full"))
    else {
        return;
    };
    let Some(disk) = Disk::of(1_024) else { return };
    disk.give(&server);
    let pair = Pair::new(from, to, 3_000);
    let space = format!("full_{}", std::process::id());
    pair.to.sql(&format!("create tablespace {space} location '{}'", disk.path().display()));
    let made = pair.direct();
    pair.to.sql(&format!("alter table resultat set tablespace {space}"));
    let run = pair.run("run");
    let answer = migrated(&made, &run, &[]);
    answer.is(3, "ECL-DST-502");
    assert!(answer.errors.contains("53100"), "{answer:?}");
    assert_eq!(
        pair.to.sql("select (select count(*) from patient), (select count(*) from resultat)"),
        "3000|0"
    );
    // the same command on the same disk fails the same way, and changes nothing
    migrated(&made, &run, &[]).is(3, "ECL-DST-502");
    disk.grow(64 << 10);
    migrated(&made, &run, &[]).holds();
    pair.arrived();
    reconciled(&made, &run).holds();
    pair.to.sql("drop table resultat");
    pair.to.sql(&format!("drop tablespace {space}"));
}

#[test]
fn a_sqlite_destination_on_a_full_disk_goes_on_once_there_is_room() {
    let Some(disk) = Disk::of(512) else { return };
    let home = tempfile::tempdir().unwrap();
    let pair = Pair::new(Base::sqlite(home.path(), "old.db"), Base::sqlite(disk.path(), "new.db"), 2_000);
    let made = pair.direct();
    let run = pair.run("run");
    let answer = migrated(&made, &run, &[]);
    answer.is(3, "ECL-DST-324");
    disk.grow(64 << 10);
    assert_eq!(pair.to.sql("select count(*) from resultat"), "0");
    migrated(&made, &run, &[]).holds();
    pair.arrived();
    reconciled(&made, &run).holds();
}

/// The room left is one page more each time: every write of a run fails once.
#[test]
fn a_run_folder_on_a_full_disk_goes_on_once_there_is_room() {
    const PAGES: u64 = 9;
    const KIB: u64 = 256;
    let Some(disk) = Disk::of(KIB) else { return };
    let home = tempfile::tempdir().unwrap();
    let pair = Pair::new(Base::sqlite(home.path(), "old.db"), Base::sqlite(home.path(), "new.db"), 20);
    let made = pair.direct();
    let mut held = 0;
    for left in 0..PAGES {
        pair.empty();
        let run = disk.path().join(format!("run-{left}"));
        let ballast = disk.path().join("ballast");
        fill(&ballast, left);
        let answer = migrated(&made, &run, &[]);
        if answer.code == Some(0) {
            held += 1;
        } else {
            assert_eq!(answer.code, Some(3), "{left} pages: {answer:?}");
            assert!(["ECL-RUN-204", "ECL-CLI-004"].contains(&answer.last()), "{left} pages: {answer:?}");
            std::fs::remove_file(&ballast).unwrap();
            migrated(&made, &run, &[]).holds();
        }
        let _ = std::fs::remove_file(&ballast);
        pair.arrived();
        reconciled(&made, &run).holds();
        std::fs::remove_dir_all(&run).unwrap();
    }
    assert!(held < PAGES, "no run met the end of its disk");
    assert!(held > 0, "no run had room enough");
}

/// Takes all room of the disk but so many pages.
fn fill(ballast: &Path, left: u64) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(ballast).unwrap();
    let page = [7; 4_096];
    let mut pages = 0_u64;
    while file.write_all(&page).is_ok() {
        pages += 1;
    }
    file.set_len(pages.saturating_sub(left) * 4_096).unwrap();
}
