//! Other authors' programs that no Debian package holds: fetched once, compared with the digests that stand in
//! the repository, kept outside it. Where they cannot be had, what needs them says loudly that it is not checked.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packages::{cache, run};
use crate::{Outcome, say};

/// axe-core, which looks for what keeps people from reading a page.
pub(crate) fn axe() -> Option<PathBuf> {
    told("the pages, by axe-core", npm("axe", "node_modules/axe-core/axe.min.js"))
}

/// The folder whose `node_modules` hold age as npm has it.
pub(crate) fn age_of_npm() -> Option<PathBuf> {
    let package = npm("strangers", "node_modules/age-encryption/package.json");
    let folder = package.map(|path| path.ancestors().nth(3).unwrap_or(Path::new("/")).to_owned());
    told("sealed archives, by npm's age-encryption", folder)
}

/// A Python with `DuckDB`, pandas and pyarrow.
pub(crate) fn python() -> Option<PathBuf> {
    told("the rows of sealed archives, by DuckDB and pandas", environment())
}

fn told(what: &str, found: Outcome<PathBuf>) -> Option<PathBuf> {
    found.map_err(|why| say(&format!("NOT CHECKED: {what}: {why}"))).ok()
}

/// What `xtask/NAME/package-lock.json` names, installed by npm without any script of its own.
fn npm(name: &str, wanted: &str) -> Outcome<PathBuf> {
    let names = ["package.json", "package-lock.json"];
    once(name, &names, wanted, |folder| {
        run(Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
            .current_dir(folder))
    })
}

/// A Python environment with what `xtask/strangers/requirements.txt` names.
fn environment() -> Outcome<PathBuf> {
    once("strangers", &["requirements.txt"], "python/bin/python", |folder| {
        run(Command::new("python3").args(["-m", "venv", "--clear", "python"]).current_dir(folder))?;
        run(Command::new(folder.join("python/bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--require-hashes", "--only-binary", ":all:", "-r", "requirements.txt"])
            .current_dir(folder))
    })
}

/// Fetches where an earlier run has not fetched exactly this: the lists of digests, copied last, say that it has.
fn once(name: &str, lists: &[&str], wanted: &str, fetch: impl FnOnce(&Path) -> Outcome) -> Outcome<PathBuf> {
    let (folder, ours) = (cache()?.join(name), crate::root().join("xtask").join(name));
    let wanted = folder.join(wanted);
    let same = |list: &&str| {
        let fetched = std::fs::read(folder.join(format!("{list}.fetched")));
        std::fs::read(ours.join(list)).is_ok_and(|list| fetched.is_ok_and(|fetched| fetched == list))
    };
    if wanted.exists() && lists.iter().all(same) {
        return Ok(wanted);
    }
    let copy = |suffix: &str| {
        let to = |list: &str| folder.join(format!("{list}{suffix}"));
        lists.iter().try_for_each(|list| std::fs::copy(ours.join(list), to(list)).map(drop))
    };
    std::fs::create_dir_all(&folder).and_then(|()| copy("")).map_err(|e| e.to_string())?;
    fetch(&folder)?;
    copy(".fetched").map_err(|e| e.to_string())?;
    if wanted.exists() { Ok(wanted) } else { Err(format!("{} did not come", wanted.display())) }
}
