//! Files that are what their name says: regular, of a bounded size, and read without waiting.
//!
//! Whoever may write a migration folder can put a pipe in a paper's place, and a program that opens it waits
//! for ever; or a device, and it reads for ever.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

/// Bytes read at once.
const BLOCK: usize = 128 << 10;

/// Why a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// A pipe, a socket, a device, a folder.
    NotRegular,
    /// It holds more bytes than asked for at most.
    TooLarge,
    /// The system's own reason.
    Io(ErrorKind),
}

/// The bytes of a regular file, `most` of them at most. A link is followed, and what it leads to looked at.
///
/// # Errors
///
/// [`Unread`].
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    let io = |error: std::io::Error| Unread::Io(error.kind());
    let (file, length) = open(path)?;
    if length > most {
        return Err(Unread::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // it may grow while it is read
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read <= most) { Ok(bytes) } else { Err(Unread::TooLarge) }
}

/// The digest (`sha256:…`) of a regular file of `most` bytes at most; its bytes are never in memory all at once.
///
/// # Errors
///
/// [`Unread`].
pub fn digest(path: &Path, most: u64) -> Result<String, Unread> {
    let (file, length) = open(path)?;
    if length > most {
        return Err(Unread::TooLarge);
    }
    let (mut hasher, mut read) = (Sha256::new(), 0_u64);
    let mut file = file.take(most.saturating_add(1));
    let mut block = vec![0; BLOCK];
    loop {
        let bytes = match file.read(&mut block) {
            Ok(0) => break,
            Ok(bytes) => block.get(..bytes).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Unread::Io(error.kind())),
        };
        read = read.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        // it may grow while it is read
        if read > most {
            return Err(Unread::TooLarge);
        }
        hasher.update(bytes);
    }
    Ok(format!("sha256:{}", data_encoding::HEXLOWER.encode(&hasher.finalize())))
}

/// The first bytes of a regular file, as many as there are and `most` at most.
///
/// # Errors
///
/// [`Unread`], but never for its size.
pub fn head(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    let (file, _) = open(path)?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(|error| Unread::Io(error.kind()))?;
    Ok(bytes)
}

/// A regular file, with its length; nobody waits for another end.
pub(crate) fn open(path: &Path) -> Result<(File, u64), Unread> {
    let io = |error: std::io::Error| Unread::Io(error.kind());
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path);
    let file: File = match opened {
        Ok(file) => file,
        // a socket cannot be opened at all
        Err(_) if path.metadata().is_ok_and(|about| !about.is_file()) => return Err(Unread::NotRegular),
        Err(error) => return Err(io(error)),
    };
    let about = file.metadata().map_err(io)?;
    if about.is_file() { Ok((file, about.len())) } else { Err(Unread::NotRegular) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_or_too_large_is_not_read_and_nobody_waits() {
        let here = tempfile::tempdir().unwrap();
        let file = here.path().join("a");
        std::fs::write(&file, b"12345").unwrap();
        assert_eq!(read(&file, 5).unwrap(), b"12345");
        assert_eq!(read(&file, 4), Err(Unread::TooLarge));
        assert_eq!(digest(&file, 5).unwrap(), ecluse_core::digest::of_bytes(b"12345"));
        assert_eq!(digest(&file, 4), Err(Unread::TooLarge));
        assert_eq!(digest(here.path(), 4), Err(Unread::NotRegular));
        assert_eq!(read(&here.path().join("none"), 5), Err(Unread::Io(ErrorKind::NotFound)));
        let pipe = here.path().join("pipe");
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        let link = here.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        let socket = here.path().join("socket");
        let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [&pipe, &link, &socket, here.path(), Path::new("/dev/zero")] {
            assert_eq!(read(path, 5), Err(Unread::NotRegular), "{}", path.display());
        }
    }
}
