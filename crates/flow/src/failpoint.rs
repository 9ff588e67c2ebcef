//! Places where a test kills the process: before and after every commit, fsync, rename and event.
//!
//! `cargo xtask check` fails on a commit, fsync, rename or event without one on both
//! sides. Without the feature `failpoints` a failpoint is nothing at all. With it, the
//! binary arms one by name; the process then dies as by `kill -9`, without unwinding,
//! flushing or dropping.

#[cfg(feature = "failpoints")]
static ARMED: std::sync::Mutex<Option<(String, u64)>> = std::sync::Mutex::new(None);

/// Arms one failpoint: the process dies when it is passed for the `nth` time (1 is the first).
#[cfg(feature = "failpoints")]
pub fn arm(name: &str, nth: u64) {
    if let Ok(mut armed) = ARMED.lock() {
        *armed = Some((name.to_owned(), nth.max(1)));
    }
}

/// Passes a failpoint. `name` is `place.act.before` or `place.act.after`, for instance
/// `postgres.commit.before`; names are unique in the workspace.
#[cfg(feature = "failpoints")]
pub fn hit(name: &str) {
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
