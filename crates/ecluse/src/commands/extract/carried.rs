//! The papers that travel inside the seal: whoever loads the rows has the order, and nothing of it in clear.

use std::collections::BTreeMap;
use std::path::Path;

use ecluse_core::digest;
use ecluse_core::fault::{Code, Result};

use crate::folder::{self, Folder};
use crate::papers::chain::Chain;
use crate::papers::signatures_of;

static CHANGED: Code = Code::refused("ECL-ARC-011", "a paper was changed while it was read");

/// The order, the dictionary, the mapping and its code tables, each with its signatures, by their path in the
/// migration's folder; each is the one that was verified.
///
/// # Errors
///
/// [`CHANGED`]; files that cannot be read.
pub(in crate::commands) fn papers(
    folder: &Folder,
    mapping: Option<&Path>,
    chain: &Chain,
) -> Result<BTreeMap<String, String>> {
    let order = chain.instruction.order();
    let mapping_path = folder.path(mapping, "mapping.toml");
    let beside = mapping_path.parent().unwrap_or(Path::new("")).to_owned();
    let mut carried = BTreeMap::new();
    carry(&mut carried, "instruction.toml", &chain.path, chain.instruction.digest())?;
    carry(&mut carried, "dictionary.toml", &folder.path(None, "dictionary.toml"), &order.dictionary.value)?;
    carry(&mut carried, "mapping.toml", &mapping_path, &order.mapping.value)?;
    for table in &chain.mapping.codes {
        carry(&mut carried, &table.file.value, &beside.join(&table.file.value), &table.digest.value)?;
    }
    Ok(carried)
}

/// The papers of a return: the order and the dictionary, of which what is returned is made anew.
///
/// # Errors
///
/// As [`papers`].
pub(in crate::commands) fn of_return(folder: &Folder, chain: &Chain) -> Result<BTreeMap<String, String>> {
    let mut carried = BTreeMap::new();
    carry(&mut carried, "instruction.toml", &chain.path, chain.instruction.digest())?;
    let dictionary = &chain.instruction.order().dictionary.value;
    carry(&mut carried, "dictionary.toml", &folder.path(None, "dictionary.toml"), dictionary)?;
    Ok(carried)
}

fn carry(carried: &mut BTreeMap<String, String>, name: &str, path: &Path, cited: &str) -> Result<()> {
    let changed =
        || CHANGED.fault(path.display().to_string()).help("ecluse extract, once nobody writes there");
    let bytes = folder::read(path, "ecluse next")?;
    if digest::of_bytes(&bytes) != cited {
        return Err(changed());
    }
    carried.insert(name.to_owned(), String::from_utf8(bytes).map_err(|_| changed())?);
    beneath(carried, &format!("{name}.sigs"), &signatures_of(path), 2)
}

/// Every text below a folder of signatures; a page that was scanned is no text, and stays.
fn beneath(carried: &mut BTreeMap<String, String>, name: &str, dir: &Path, deep: u8) -> Result<()> {
    for path in folder::list(dir)? {
        let Some(file) = path.file_name().and_then(|file| file.to_str()) else { continue };
        let name = format!("{name}/{file}");
        if path.is_dir() {
            if deep > 0 {
                beneath(carried, &name, &path, deep - 1)?;
            }
        } else if let Ok(text) = String::from_utf8(folder::read(&path, "")?) {
            carried.insert(name, text);
        }
    }
    Ok(())
}
