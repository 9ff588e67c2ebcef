//! Another user of this machine: a user id that nobody has, for a process that gets what it is given and can
//! read nothing else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::tools::Tools;

/// Somebody who has no account here. Only root can start a process in another's name.
#[derive(Clone, Copy, Debug)]
pub struct Stranger {
    uid: u32,
}

impl Stranger {
    /// A user id of the range that Debian leaves free, another one per test process; `None` after saying loudly
    /// that the test is skipped, because it does not run as root or `setpriv` is not installed.
    #[must_use]
    pub fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() || Tools::installed().find("setpriv").is_none() {
            crate::skip("a process of another user's is started by root, with setpriv");
            return None;
        }
        Some(Self { uid: 61_000 + std::process::id() % 4_000 })
    }

    /// Somebody else without an account.
    #[must_use]
    pub const fn neighbour(self) -> Self {
        Self { uid: self.uid + 4_000 }
    }

    /// A command in the stranger's name, without rights, groups and environment of ours.
    #[must_use]
    pub fn command(self, program: &str) -> Command {
        self.command_in("--clear-groups", program)
    }

    /// As [`Self::command`], in the own group of this other one.
    #[must_use]
    pub fn command_beside(self, other: Self, program: &str) -> Command {
        self.command_in(&format!("--groups={}", other.uid), program)
    }

    fn command_in(self, groups: &str, program: &str) -> Command {
        let id = self.uid.to_string();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &id, "--regid", &id, groups, "--no-new-privs", "--inh-caps=-all"]);
        command.arg(program).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
        command
    }

    /// Gives a file, or a folder with everything in it: folders 0700, files 0600, programs among them 0700.
    ///
    /// # Panics
    ///
    /// Where it is not there.
    pub fn gets(self, path: &Path) {
        let metadata = std::fs::symlink_metadata(path).expect("what is given");
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.uid)).expect("a new owner");
        if metadata.is_dir() {
            for entry in std::fs::read_dir(path).expect("a folder").flatten() {
                self.gets(&entry.path());
            }
        }
        let runs = metadata.is_dir() || metadata.permissions().mode() & 0o100 != 0;
        let mode = if runs { 0o700 } else { 0o600 };
        if !metadata.is_symlink() {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("its mode");
        }
    }

    /// Whether the stranger can read a file, or list a folder.
    ///
    /// # Panics
    ///
    /// Where no process can be started in the stranger's name.
    #[must_use]
    pub fn reads(self, path: &Path) -> bool {
        let script = "if test -d \"$1\"; then ls \"$1\"; else cat \"$1\"; fi > /dev/null 2>&1";
        let status = self.command("sh").args(["-c", script, "sh"]).arg(path).status();
        status.expect("a process of the stranger's").success()
    }

    /// The stranger's user id.
    #[must_use]
    pub const fn uid(self) -> u32 {
        self.uid
    }
}
