//! A list in clear that is erased once it is sealed, whatever dies in between.
//!
//! The sealed list gets its name last. Beside it lie, until then, the sealed bytes (`.new`) and the path of
//! the list that is being erased (`.erasing`). No digest of that list is kept: whoever found one could guess
//! who is on it. While it is whole it is simply sealed once more; where its erasure had begun (it holds
//! bytes of zero, which no list does) or it is gone, what was sealed of it is whole.

use std::path::{Path, PathBuf};

use ecluse_core::digest::of_bytes;
use ecluse_core::fault::{Code, Result};
use ecluse_flow::failpoint;
use zeroize::Zeroizing;

use crate::{folder, output, overwrite};

static KEPT: Code = Code::outside("ECL-CLI-040", "the list in clear could not be erased");
static BEGUN: Code = Code::refused("ECL-CLI-042", "the erasure of a list in clear has not come to its end");

/// Puts a sealed list in its place, and erases what it was sealed from before it has its name.
///
/// # Errors
///
/// `ECL-CLI-040`; what cannot be written.
pub(super) fn sealed(path: &Path, sealed: &[u8], list: &Path) -> Result<()> {
    let list = std::path::absolute(list).map_err(|error| folder::unwritable(list, &error))?;
    folder::replace(&beside(path, NEW), sealed)?;
    failpoint::hit("exclude.noting.before");
    folder::replace(&beside(path, ERASING), list.as_os_str().as_encoded_bytes())?;
    failpoint::hit("exclude.noting.after");
    named(path, &list)
}

/// Goes on with what a start began that died; gives the sealed list's digest, where that was its end.
/// `None` where there is nothing to go on with, or the list is whole: it is sealed once more.
///
/// # Errors
///
/// [`BEGUN`] where it was another list; as [`sealed`].
pub(super) fn finished(path: &Path, list: Option<&Path>) -> Result<Option<String>> {
    let (new, note) = (beside(path, NEW), beside(path, ERASING));
    if !note.exists() || !new.exists() {
        return Ok(None);
    }
    let noted = PathBuf::from(String::from_utf8_lossy(&folder::read(&note, "")?).into_owned());
    let same = list.and_then(|list| std::path::absolute(list).ok()).is_some_and(|list| list == noted);
    if !same {
        return Err(BEGUN.fault(noted.display().to_string()).help(format!(
            "ecluse instruction exclude {} --erase ends it; or erase that file yourself, then: rm {} {}",
            noted.display(),
            note.display(),
            new.display()
        )));
    }
    if is_whole(&noted)? {
        return Ok(None);
    }
    if !noted.exists() {
        output::warning(format!(
            "{} is not there: if it lies on a disk that is not mounted, erase it there",
            noted.display()
        ));
    }
    let digest = of_bytes(&folder::read(&new, "")?);
    named(path, &noted)?;
    Ok(Some(digest))
}

const NEW: &str = ".new";
const ERASING: &str = ".erasing";

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Whether nothing of a list was overwritten yet. The bytes are looked at and let go.
fn is_whole(list: &Path) -> Result<bool> {
    if !list.exists() {
        return Ok(false);
    }
    let bytes = Zeroizing::new(folder::read(list, "")?);
    Ok(!bytes.is_empty() && !bytes.contains(&0))
}

/// Erases the list and gives the sealed one its name.
fn named(path: &Path, list: &Path) -> Result<()> {
    erased(list)?;
    failpoint::hit("exclude.named.rename.before");
    std::fs::rename(beside(path, NEW), path).map_err(|error| folder::unwritable(path, &error))?;
    failpoint::hit("exclude.named.rename.after");
    let note = beside(path, ERASING);
    std::fs::remove_file(&note).map_err(|error| folder::unwritable(&note, &error))
}

/// Nothing of the list is left in clear; one that is not there is none.
fn erased(list: &Path) -> Result<()> {
    overwrite::removed(list).map(drop).map_err(|kind| {
        KEPT.fault(format!("{}: {kind}", list.display()))
            .help("make the file writable and give the same command again, or erase it yourself and do so")
    })
}
