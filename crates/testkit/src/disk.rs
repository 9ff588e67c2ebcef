//! A small disk of a test's own: it fills up, and room can be made on it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::Postgres;

/// A mounted `tmpfs`; unmounted with this value.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
    _place: tempfile::TempDir,
}

impl Disk {
    /// So many KiB in memory, mounted in a folder of its own; `None`, after saying loudly that
    /// the test is skipped, where this process may not mount.
    ///
    /// # Panics
    ///
    /// When there is no room for the folder.
    #[must_use]
    pub fn of(kib: u64) -> Option<Self> {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("disk");
        std::fs::create_dir(&path).expect("a folder");
        if !mount(&[&format!("size={kib}k,mode=700")], &path) {
            crate::unmountable();
            return None;
        }
        Some(Self { path, _place: place })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes room: so many KiB from now on.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn grow(&self, kib: u64) {
        assert!(mount(&[&format!("remount,size={kib}k")], &self.path), "the disk does not grow");
    }

    /// Gives it to the account that runs this server, which reaches it through its folder.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn give(&self, server: &Postgres) {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
        let owner = std::fs::metadata(server.data_folder()).expect("the server's folder");
        chown(&self.path, Some(owner.uid()), Some(owner.gid())).expect("chown");
        let parent = self.path.parent().expect("the folder it is mounted in");
        std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o755)).expect("chmod");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // lazily: a server may still have a file of it open
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

fn mount(options: &[&str], path: &Path) -> bool {
    let done =
        Command::new("mount").args(["-t", "tmpfs", "-o"]).args(options).arg("tmpfs").arg(path).output();
    done.is_ok_and(|output| output.status.success())
}
