//! Places where a test kills the process: before and after every commit, fsync, rename and event.
//!
//! `cargo xtask check` fails on a commit, fsync, rename or event without one on both
//! sides. Without the feature `failpoints` a failpoint is nothing at all. With it, the
//! binary arms one by name; the process then dies as by `kill -9`, without unwinding,
//! flushing or dropping.

#[cfg(feature = "failpoints")]
static ARMED: std::sync::Mutex<Option<(String, u64)>> = std::sync::Mutex::new(None);
#[cfg(feature = "failpoints")]
static CHUNK_ROWS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(usize::MAX);
#[cfg(feature = "failpoints")]
type Listener = Box<dyn Fn(&str) + Send + Sync>;
#[cfg(feature = "failpoints")]
static LISTENER: std::sync::OnceLock<Listener> = std::sync::OnceLock::new();

/// Arms one failpoint: the process dies when it is passed for the `nth` time (1 is the first).
#[cfg(feature = "failpoints")]
pub fn arm(name: &str, nth: u64) {
    if let Ok(mut armed) = ARMED.lock() {
        *armed = Some((name.to_owned(), nth.max(1)));
    }
}

/// Tells every failpoint that is passed from now on: a test learns from one whole run where a command can die. The
/// first listener of a process stays.
#[cfg(feature = "failpoints")]
pub fn tell(listener: impl Fn(&str) + Send + Sync + 'static) {
    let _the_first_stays = LISTENER.set(Box::new(listener));
}

/// Makes chunks of at most so many rows: a death between two chunks of one table then needs no
/// table of 65,536 rows.
#[cfg(feature = "failpoints")]
pub fn cut_at(rows: usize) {
    CHUNK_ROWS.store(rows.max(1), std::sync::atomic::Ordering::Relaxed);
}

/// Rows of a chunk at most, where the format allows `most`.
#[cfg(feature = "failpoints")]
pub(crate) fn chunk_rows(most: usize) -> usize {
    most.min(CHUNK_ROWS.load(std::sync::atomic::Ordering::Relaxed))
}

/// Rows of a chunk at most, where the format allows `most`.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub(crate) const fn chunk_rows(most: usize) -> usize {
    most
}

/// Passes a failpoint. `name` is `place.act.before` or `place.act.after`, for instance
/// `postgres.commit.before`; names are unique in the workspace.
#[cfg(feature = "failpoints")]
pub fn hit(name: &str) {
    if let Some(listener) = LISTENER.get() {
        listener(name);
    }
    let Ok(mut armed) = ARMED.lock() else { return };
    if let Some((wanted, left)) = armed.as_mut()
        && wanted == name
    {
        *left -= 1;
        if *left == 0 {
            // kill -9 on ourselves: no destructor, no flush, as on a power cut
            let _ = std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
    }
}

/// Passes a failpoint: nothing, in a build without the feature `failpoints`.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn hit(_name: &str) {}
