//! Where the outside programs of the tests are: the engines' servers and their own clients.
//!
//! They are Debian's packages, installed on the machine or unpacked into a folder
//! (`cargo xtask test` without root does the latter).

use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the root of unpacked packages, where `cargo xtask test` had to unpack any.
pub const VARIABLE: &str = "ECLUSE_TEST_TOOLS";

/// Finds outside programs, on the machine or below an unpacked root.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    root: Option<PathBuf>,
}

impl Tools {
    /// The machine's own programs.
    #[must_use]
    pub const fn installed() -> Self {
        Self { root: None }
    }

    /// Those that `cargo xtask test` found: the machine's, or the unpacked ones it names in
    /// [`VARIABLE`]. For tests that start `age`, `ssh-keygen` or `zstd`.
    #[must_use]
    pub fn of_this_run() -> Self {
        Self { root: crate::environment(VARIABLE).map(PathBuf::from) }
    }

    /// Programs of packages unpacked below `root`, then the machine's own.
    #[must_use]
    pub fn unpacked(root: &Path) -> Self {
        Self { root: Some(root.to_owned()) }
    }

    /// The unpacked root, if there is one.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The program's path, or `None` where it is on neither.
    #[must_use]
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        self.folders().into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
    }

    /// A command for the program, with the libraries of an unpacked root in reach.
    ///
    /// A program that is nowhere gives a command that fails to start with "not found".
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        self.command_as(&[], program)
    }

    /// The same, started through `prefix` (for instance `setpriv …`).
    #[must_use]
    pub fn command_as(&self, prefix: &[String], program: &str) -> Command {
        let path = self.find(program).unwrap_or_else(|| PathBuf::from(program));
        let mut command = match prefix.split_first() {
            None => Command::new(path),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(path);
                command
            }
        };
        // the tests' servers obey this code alone, not the machine's defaults
        for name in
            ["PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSERVICE", "PGDATA", "MYSQL_HOME"]
        {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C.UTF-8");
        if let Some(root) = &self.root {
            let libraries: Vec<String> =
                library_folders(root).iter().map(|p| p.display().to_string()).collect();
            command.env("LD_LIBRARY_PATH", libraries.join(":"));
            let programs: Vec<String> = self.folders().iter().map(|p| p.display().to_string()).collect();
            command.env("PATH", programs.join(":"));
        }
        command
    }

    fn folders(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for base in self.root.iter().map(PathBuf::as_path).chain([Path::new("/")]) {
            folders.extend(postgres_folders(base));
            for name in ["usr/local/bin", "usr/bin", "usr/sbin", "bin", "sbin"] {
                folders.push(base.join(name));
            }
        }
        folders
    }
}

/// `usr/lib/postgresql/*/bin`, newest version first.
fn postgres_folders(base: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(base.join("usr/lib/postgresql"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, path)| path).collect()
}

/// Debian's library folders below a root: the multiarch ones and their private subfolders.
fn library_folders(root: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for base in [root.join("usr/lib"), root.join("lib")] {
        for entry in std::fs::read_dir(&base).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().ends_with("-linux-gnu") {
                folders.push(entry.path());
            }
        }
        folders.push(base);
    }
    folders
}
