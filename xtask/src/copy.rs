//! A copy of the tree in the target folder, for tools that break things to see them refused.
//!
//! It stands at one place and keeps what did not change, so that what was built of it is built once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{Outcome, root, target};

/// The copy of this name, brought to what git knows as it stands in the working tree.
///
/// Its crates have another version: cargo tells crates of one name and version apart by their place in the
/// workspace alone, and would take what was built of the copy for the tree's own.
pub(crate) fn tree(copy: &str) -> Outcome<PathBuf> {
    let to = target().join("copies").join(copy);
    std::fs::create_dir_all(&to).map_err(|e| format!("{}: {e}", to.display()))?;
    let output = std::process::Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .map_err(|e| format!("git: {e}"))?;
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let names: BTreeSet<&str> =
        listed.split('\0').filter(|n| !n.is_empty() && root().join(n).is_file()).collect();
    remove_others(&to, &to, &names)?;
    for name in names {
        let bytes = std::fs::read(root().join(name)).map_err(|e| format!("{name}: {e}"))?;
        let bytes = if name == "Cargo.toml" { versioned(&bytes, copy)? } else { bytes };
        write(&to.join(name), &bytes)?;
    }
    Ok(to)
}

fn versioned(manifest: &[u8], copy: &str) -> Outcome<Vec<u8>> {
    let text = String::from_utf8_lossy(manifest);
    let version = text.lines().find(|line| line.starts_with("version = \""));
    let version = version.ok_or("Cargo.toml has no line `version = \"…\"`")?;
    Ok(text.replacen(version, &format!("version = \"0.0.0-{copy}\""), 1).into_bytes())
}

/// Writes a file of a copy, unless it holds these bytes: what cargo built of it stays fresh.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Outcome {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    std::fs::write(path, bytes).map_err(|e| format!("{}: {e}", path.display()))
}

/// Gives a file of a copy a new time: cargo tells what is stale by times alone, and builds it anew.
pub(crate) fn renew(path: &Path) -> Outcome {
    let file = std::fs::File::options().append(true).open(path);
    let renewed = file.and_then(|file| file.set_modified(std::time::SystemTime::now()));
    renewed.map_err(|e| format!("{}: {e}", path.display()))
}

fn remove_others(folder: &Path, top: &Path, names: &BTreeSet<&str>) -> Outcome {
    for entry in std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            remove_others(&path, top, names)?;
        } else if !path.strip_prefix(top).is_ok_and(|p| names.contains(p.to_string_lossy().as_ref())) {
            std::fs::remove_file(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_a_version_of_its_own() {
        let manifest =
            b"[workspace.package]\nversion = \"0.1.0\"\n\n[dependencies]\nx = { version = \"1\" }\n";
        let text = String::from_utf8(versioned(manifest, "walls").unwrap()).unwrap();
        assert!(text.contains("\nversion = \"0.0.0-walls\"\n") && text.contains("version = \"1\""));
        assert!(versioned(b"[workspace]\n", "walls").is_err());
    }

    #[test]
    fn a_file_keeps_its_time_unless_it_changed_or_is_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lib.rs");
        let age = || std::fs::metadata(&path).unwrap().modified().unwrap().elapsed().unwrap().as_secs();
        let built_long_ago = |bytes: &[u8]| {
            write(&path, bytes).unwrap();
            let hour = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
            std::fs::File::options().append(true).open(&path).unwrap().set_modified(hour).unwrap();
        };
        built_long_ago(b"on");
        write(&path, b"on").unwrap();
        assert!(age() >= 3600, "the same bytes: what was built of them stays");
        write(&path, b"off").unwrap();
        assert!(age() < 60, "other bytes");
        built_long_ago(b"off");
        renew(&path).unwrap();
        assert!(age() < 60, "renewed");
        assert_eq!(std::fs::read(&path).unwrap(), b"off");
    }

    /// What a run leaves in the copy that the tree does not have goes; what the tree has is as it stands there.
    #[test]
    fn a_copy_holds_nothing_that_the_tree_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path();
        write(&top.join("src/kept.rs"), b"").unwrap();
        write(&top.join("src/gone.rs"), b"").unwrap();
        remove_others(top, top, &BTreeSet::from(["src/kept.rs"])).unwrap();
        assert!(top.join("src/kept.rs").is_file() && !top.join("src/gone.rs").exists());
    }
}
