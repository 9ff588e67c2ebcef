//! The process's own walls: no core dump, not readable by its neighbours, private files.

use std::fs;

use rustix::fs::Mode;
use rustix::process::{self, DumpableBehavior, Resource, Rlimit};

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

/// The swap areas that may keep memory in clear on a disk, by name; empty is best.
pub(crate) fn clear_swap() -> Vec<String> {
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
    fn a_hardened_process_cannot_be_dumped() {
        raise();
        assert_eq!(process::dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(process::getrlimit(Resource::Core).current, Some(0));
    }
}
