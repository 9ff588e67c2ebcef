//! The folders of files that an order names, where this machine sees them.

use std::collections::BTreeMap;
use std::path::Path;

use ecluse_adapters::attached::Attached;
use ecluse_core::fault::{Code, Result};
use ecluse_core::instruction::Order;

use crate::connections;
use crate::folder::Folder;

static WITHIN: Code = Code::refused("ECL-FIL-021", "files would go into a folder that they come from");

/// Nothing where no table names files. No folder is opened yet: the source's may be gone when the
/// destination is read back.
///
/// # Errors
///
/// `ECL-CLI-010`; [`WITHIN`].
pub(crate) fn of(folder: &Folder, order: &Order) -> Result<Option<Attached>> {
    let named = order.tables.iter().flat_map(|table| &table.files).map(|files| &files.folder.value);
    let mut sources = BTreeMap::new();
    for name in named {
        sources.insert(name.clone(), connections::seen(folder, name)?);
    }
    if sources.is_empty() {
        return Ok(None);
    }
    if order.destination().is_none() {
        // sealed into the archive: whoever loads it says which folder receives them
        return Ok(Some(Attached::new(sources, None)));
    }
    let Some(receives) = order.destination().and_then(|to| to.files.as_ref()) else {
        return Ok(None);
    };
    let destination = connections::seen(folder, &receives.value)?;
    if let Some((name, _)) = sources.iter().find(|(_, path)| overlap(path, &destination)) {
        return Err(WITHIN.fault(format!("{name} and {}", receives.value)).help(
            "name two folders, none within the other, in the instruction or in connections.toml, [folders]",
        ));
    }
    Ok(Some(Attached::new(sources, Some(destination))))
}

/// Whether one lies in the other, as far as they are there.
fn overlap(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one.starts_with(&other) || other.starts_with(&one),
        _ => one == other,
    }
}
