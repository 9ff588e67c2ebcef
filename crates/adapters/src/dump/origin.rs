//! Where a dump comes from: standard input, a pipe in the file system, a program's output. Or a
//! file, which is a copy in clear and known to be one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ecluse_core::fault::{Code, Result};
use sha2::{Digest as _, Sha256};

static ABSENT: Code = Code::outside("ECL-SRC-614", "the dump's place or program cannot be opened, or failed");

/// Where a dump comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This process's standard input.
    Input,
    /// A named pipe, or a file.
    Path(PathBuf),
    /// A program and its arguments; no shell reads them.
    Program(Vec<String>),
}

impl Origin {
    /// The file in clear that it is, if it is one: standard input that was opened on a file too.
    #[must_use]
    pub fn file(&self) -> Option<Clear> {
        let metadata = match self {
            Self::Input => Path::new("/dev/stdin").metadata(),
            Self::Path(path) => path.metadata(),
            Self::Program(_) => return None,
        };
        let metadata = metadata.ok().filter(std::fs::Metadata::is_file)?;
        let path = match self {
            Self::Path(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
            _ => Path::new("/dev/stdin").canonicalize().unwrap_or_default(),
        };
        let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
        let path = data_encoding::HEXLOWER.encode(&digest);
        Some(Clear { bytes: metadata.len(), path: format!("sha256:{path}") })
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// [`ABSENT`].
    pub(super) fn open(&self) -> Result<Open> {
        let absent = |e: std::io::Error| ABSENT.fault(e.kind().to_string());
        match self {
            Self::Input => Ok(Open { read: Box::new(std::io::stdin()), program: None }),
            Self::Path(path) => Ok(Open { read: Box::new(File::open(path).map_err(absent)?), program: None }),
            Self::Program(words) => {
                let Some((program, arguments)) = words.split_first() else {
                    return Err(ABSENT.fault("no program was named"));
                };
                // what it says of itself goes to the person who waits, never through us
                let spawned =
                    Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
                let mut child = spawned.map_err(absent)?;
                let Some(read) = child.stdout.take() else { return Err(ABSENT.fault("its output")) };
                Ok(Open { read: Box::new(read), program: Some(child) })
            }
        }
    }
}

/// A file in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clear {
    /// Its size.
    pub bytes: u64,
    /// The digest of its path: a path may name a person.
    pub path: String,
}

/// A dump that is being read.
pub(super) struct Open {
    pub(super) read: Box<dyn Read + Send>,
    program: Option<Child>,
}

impl Open {
    /// What comes, and the program to wait for.
    pub(super) fn split(self) -> (Box<dyn Read + Send>, Running) {
        (self.read, Running(self.program))
    }
}

/// A program that may still run; it is ended with this value.
pub(super) struct Running(Option<Child>);

impl Running {
    /// Waits for its end; one that failed makes what it wrote worthless.
    ///
    /// # Errors
    ///
    /// [`ABSENT`].
    pub(super) fn succeeded(mut self) -> Result<()> {
        let Some(mut child) = self.0.take() else { return Ok(()) };
        let status = child.wait().map_err(|e| ABSENT.fault(e.kind().to_string()))?;
        if status.success() {
            return Ok(());
        }
        Err(ABSENT
            .fault(format!("the program ended with {status}"))
            .help("see what it said; nothing was written"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // it has nobody left to write to
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
