//! Files that go at the source with the rows that named them: done, written down and told.

use std::collections::BTreeSet;

use ecluse_adapters::folder::RunFolder;
use ecluse_core::count::{number, plural};
use ecluse_core::erasure::{Erased, Erasure, Side};
use ecluse_core::fault::Result;
use ecluse_core::instruction::Order;
use ecluse_flow::erase::{Eraser, Going};
use ecluse_flow::moved::Moved;
use ecluse_flow::parting::{self, Erasing, Parted};
use serde_json::{Value, json};

use crate::output;
use crate::progress::Teller;
use crate::ready::{self, Ready};

/// Erases the files whose rows are gone for good; `again`: the rows went with an earlier start.
pub(super) fn erased(
    ready: &Ready,
    eraser: &mut dyn Eraser,
    (moved, again): (Moved<'_>, bool),
    record: &mut RunFolder,
    missing: Option<&str>,
) -> Result<Vec<Parted>> {
    let mut teller = Teller::new();
    let again = match moved {
        Moved::Ledger(destination) if again => Some((ready.options().files, destination)),
        Moved::Ledger(_) | Moved::Received(_) => None,
    };
    let how = Erasing { remover: ready.remover(), again, missing };
    ready.with_orders(|orders| {
        let (source, world) = (eraser.source(), ready::world());
        parting::erase(&orders, how, source, record, world, &mut |p| teller.tell(p))
    })
}

/// Takes their names out of the run's sealed state, once it is written down what became of them.
pub(super) fn forgotten(ready: &Ready, record: &mut RunFolder) -> Result<()> {
    let left =
        ready.with_orders(|orders| parting::forget(&orders, ready.remover(), record, ready::world()))?;
    if left > 0 {
        let files = plural(left, "file", "files");
        output::warning(format!(
            "Of {files} an empty .ecluse-erasing-… or an empty folder could not be taken away at the source."
        ));
    }
    Ok(())
}

/// As the erasure's record and the certificate have it.
pub(super) fn lines(parted: &[Parted], missing: Option<&str>) -> Vec<Erased> {
    let at = ready::world().now().to_string();
    let line = |one: &Parted| Erased {
        side: Side::Source,
        place: one.folder.clone(),
        what: Erasure::files_of(&one.column),
        method: method(one, missing.unwrap_or_default()),
        rows: None,
        files: Some(one.gone),
        at: at.clone(),
    };
    parted.iter().map(line).collect()
}

fn method(one: &Parted, missing: &str) -> String {
    let mut words = "each overwritten and removed after its row".to_owned();
    if one.absent > 0 {
        let files = plural(one.absent, "more was", "more were");
        words.push_str(&format!("; {files} not there, and not erased by écluse: {missing}"));
    }
    if one.stay > 0 {
        words
            .push_str(&format!("; {}, named by rows that stay", plural(one.stay, "more stays", "more stay")));
    }
    words
}

/// Where copies of the folders may lie: somebody answers for each.
pub(super) fn beyond(order: &Order) -> Vec<String> {
    let folders: BTreeSet<&str> =
        order.tables.iter().flat_map(|table| &table.files).map(|files| files.folder.value.as_str()).collect();
    let words = |folder: &str| {
        format!("backups and copies of the folder {folder}, snapshots of its file system, the disk under it")
    };
    folders.into_iter().map(words).collect()
}

/// What became of them, or would.
pub(super) fn told(going: &Going, parted: &[Parted], dry: bool) {
    if dry && !going.files.is_empty() {
        let files = plural(number(going.files.len()), "file", "files");
        output::line(format!(
            "{files} that these rows name would be erased with them, but those that rows which stay name too"
        ));
    }
    for one in parted {
        let Parted { column, gone, absent, stay, .. } = one;
        let mut line = format!("{column}   {} erased at the source", plural(*gone, "file", "files"));
        if *absent > 0 {
            line.push_str(&format!(", {absent} more were not there"));
        }
        if *stay > 0 {
            line.push_str(&format!(", {stay} more stay: rows that stay name them"));
        }
        output::line(line);
    }
}

pub(super) fn document(going: &Going, parted: &[Parted], dry: bool) -> Value {
    match dry {
        true => json!({ "at_most": going.files.len() }),
        false => {
            let one = |one: &Parted| json!({ "column": one.column, "folder": one.folder, "gone": one.gone, "absent": one.absent, "stay": one.stay });
            json!({ "columns": parted.iter().map(one).collect::<Vec<_>>() })
        }
    }
}
