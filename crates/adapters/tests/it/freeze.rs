//! A clock that jumps at the cut-over, and a source that is written to while it is caught up.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ecluse_flow::freeze::freeze;
use ecluse_flow::run::{Options, run};
use ecluse_flow::start::Start;
use ecluse_flow::world::World;
use ecluse_testkit::clock::FrozenClock;

use crate::drift::{Meddled, under_orders};

const CATCH_UP: Options<'static> = Options {
    start: Start::CatchUp,
    frozen: true,
    override_reason: None,
    without_views: None,
    full: false,
    codes: false,
    files: None,
    begins: None,
};

fn source(folder: &std::path::Path) -> PathBuf {
    let path = folder.join("old.db");
    ecluse_adapters::sqlite::create_from(
        &path,
        "create table patient (id integer primary key, nom text not null); insert into patient values (1, 'Invente');",
    )
    .unwrap();
    path
}

#[test]
fn an_hour_is_not_taken_from_a_clock_that_went_backwards() {
    let folder = tempfile::tempdir().unwrap();
    let path = source(folder.path());
    let source = Meddled::after_read(ecluse_adapters::sqlite::Source::open(&path).unwrap(), || ());
    let (done, _) = under_orders(source, |orders, world, source, destination, record| {
        let mut clock = FrozenClock::at("2026-11-22T04:00:00Z");
        let at = |clock: FrozenClock| move || clock.now();
        let now = at(clock);
        let then = World { clock: &now, ..world };
        run(orders, Options::default(), source, destination, record, then, &mut |_| {})?;
        // before the journal's last line
        clock.move_by(-60);
        let earlier = at(clock);
        let early = World { clock: &earlier, ..world };
        assert_eq!(freeze(&orders, source, record, early).unwrap_err().code().id, "ECL-RUN-052");
        clock.move_by(3_600);
        let later = at(clock);
        let late = World { clock: &later, ..world };
        let frozen = freeze(&orders, source, record, late)?.frozen;
        assert_eq!(frozen.at, "2026-11-22T04:59:00Z");
        // before the freeze
        let jumped = run(orders, CATCH_UP, source, destination, record, early, &mut |_| {});
        assert_eq!(jumped.unwrap_err().code().id, "ECL-RUN-052");
        let moved = run(orders, CATCH_UP, source, destination, record, late, &mut |_| {})?;
        let last = moved.figures.catch_ups.last().unwrap();
        assert_eq!((last.frozen.as_str(), last.held.as_str()), ("2026-11-22T04:59:00Z", "instance unmoved"));
        Ok(())
    });
    done.unwrap();
}

static WRITES: AtomicBool = AtomicBool::new(false);
static OLD: Mutex<Option<PathBuf>> = Mutex::new(None);

#[test]
fn a_source_that_is_written_to_while_it_is_caught_up_is_not_called_cut_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = source(folder.path());
    // beside a reader's snapshot only a log lets anybody write
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "wal").unwrap();
    *OLD.lock().unwrap() = Some(path.clone());
    let writes = || {
        if WRITES.swap(false, Ordering::Relaxed) {
            let old = OLD.lock().unwrap().clone().unwrap();
            let sql = "insert into patient values (2, 'En retard')";
            rusqlite::Connection::open(old).unwrap().execute(sql, []).unwrap();
        }
    };
    let source = Meddled::after_read(ecluse_adapters::sqlite::Source::open(&path).unwrap(), writes);
    let (done, rows) = under_orders(source, |orders, world, source, destination, record| {
        run(orders, Options::default(), source, destination, record, world, &mut |_| {})?;
        freeze(&orders, source, record, world)?;
        WRITES.store(true, Ordering::Relaxed);
        let late = run(orders, CATCH_UP, source, destination, record, world, &mut |_| {});
        let fault = late.unwrap_err();
        assert_eq!((fault.code().id, fault.detail()), ("ECL-RUN-054", "patient"));
        // frozen in truth
        freeze(&orders, source, record, world)?;
        run(orders, CATCH_UP, source, destination, record, world, &mut |_| {}).map(drop)
    });
    done.unwrap();
    assert_eq!(rows, 2);
}
