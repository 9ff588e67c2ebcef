//! A copy of the tree in the target folder, for tools that break things to see them refused.
//!
//! It stands at one place and keeps what did not change, so that what was built of it is built once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{Outcome, root, target};

/// The copy of this name, brought to what git knows as it stands in the working tree.
pub(crate) fn tree(name: &str) -> Outcome<PathBuf> {
    let to = target().join("copies").join(name);
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
        write(&to.join(name), &bytes)?;
    }
    Ok(to)
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
