//! The process's own walls: no core dump, not readable by its neighbours, private files, memory that reaches no disk.

use std::fs;
use std::sync::Once;

use rustix::fs::Mode;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{self, DumpableBehavior, Resource, Rlimit};

use crate::output;

/// The capability to lock memory beyond `RLIMIT_MEMLOCK` (capabilities(7)), as its place in the mask.
const IPC_LOCK: u32 = 14;

/// Files made from here on are their owner's alone; the process leaves no core file.
///
/// Both limits are needed: `RLIMIT_CORE` is not enforced where the kernel pipes dumps to a
/// program (core(5)), and being not dumpable also keeps other processes of the same user
/// from reading this one's memory. Best effort: a kernel without them is not a reason to
/// refuse, the report tells of the host.
pub(crate) fn raise() {
    let _ = process::umask(Mode::RWXG | Mode::RWXO);
    let _ = process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Before patients' data come into memory: it is locked, so that no page of it is swapped out, where the platform lets
/// this account (unlimited `RLIMIT_MEMLOCK`, or `CAP_IPC_LOCK`); else swap in clear is warned of, once.
pub(crate) fn keep_in_memory() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let areas = if lock() { Vec::new() } else { clear_swap() };
        for area in areas {
            output::warning(format!(
                "{area} is swap in clear: memory with patients' data may reach a disk. swapoff {area}, or let this account lock its memory: ulimit -l unlimited"
            ));
        }
    });
}

/// Whether every page, those to come included, is held in memory from here on. Nothing is locked under a limit: the
/// first allocation beyond it would end the process.
fn lock() -> bool {
    let unlimited = process::getrlimit(Resource::Memlock).current.is_none();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if !unlimited && !may_lock(&status) {
        return false;
    }
    let pages = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE;
    // pages as they are touched: what is merely reserved costs nothing; kernels before 4.4 do not know it
    mlockall(pages | MlockAllFlags::ONFAULT).is_ok() || mlockall(pages).is_ok()
}

/// Whether a process of this `/proc/self/status` has the capability in force.
fn may_lock(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << IPC_LOCK) != 0)
}

/// The swap areas that may keep memory in clear on a disk, by name; empty is best.
fn clear_swap() -> Vec<String> {
    fs::read_to_string("/proc/swaps").map(|table| clear_areas(&table, is_encrypted)).unwrap_or_default()
}

fn clear_areas(table: &str, encrypted: impl Fn(&str) -> bool) -> Vec<String> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        // zram is compressed memory, not a disk
        .filter(|area| !area.starts_with("/dev/zram") && !encrypted(area))
        .map(str::to_owned)
        .collect()
}

/// A device-mapper target made by cryptsetup says so in its UUID.
fn is_encrypted(area: &str) -> bool {
    let Ok(device) = fs::canonicalize(area) else { return false };
    let Some(name) = device.file_name().and_then(|n| n.to_str()) else { return false };
    fs::read_to_string(format!("/sys/block/{name}/dm/uuid")).is_ok_and(|uuid| uuid.starts_with("CRYPT-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_in_clear_is_named_and_encrypted_swap_is_not() {
        let table = "Filename\tType\tSize\tUsed\tPriority\n\
                     /dev/dm-1  partition 100 0 -2\n/swapfile file 100 0 -3\n/dev/zram0 partition 9 0 5\n";
        assert_eq!(clear_areas(table, |area| area == "/dev/dm-1"), ["/swapfile"]);
        assert_eq!(clear_areas(table, |_| false), ["/dev/dm-1", "/swapfile"]);
    }

    #[test]
    fn who_may_lock_is_read_off_the_capabilities() {
        for (mask, may) in
            [("000001ffffffffff", true), ("0000000000004000", true), ("0000000000003fff", false)]
        {
            assert_eq!(may_lock(&format!("Name:\tx\nCapEff:\t{mask}\n")), may, "{mask}");
        }
        assert!(!may_lock("CapEff:\tnone\n") && !may_lock(""));
    }

    #[test]
    fn memory_is_locked_where_that_is_allowed() {
        let locked = lock();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let held = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
        let held: u64 = held.trim().trim_end_matches(" kB").trim().parse().unwrap();
        assert_eq!(locked, held > 1_000, "{held} kB");
        rustix::mm::munlockall().unwrap();
    }

    #[test]
    fn a_hardened_process_cannot_be_dumped() {
        raise();
        assert_eq!(process::dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(process::getrlimit(Resource::Core).current, Some(0));
    }
}
