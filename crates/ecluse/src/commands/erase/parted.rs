//! Files that go at the source with the rows that named them: done, written down and told.

use std::collections::BTreeSet;

use ecluse_adapters::folder::RunFolder;
use ecluse_core::count::{number, plural};
use ecluse_core::erasure::{Erased, Side};
use ecluse_core::fault::Result;
use ecluse_core::instruction::Order;
use ecluse_flow::erase::{Eraser, Going};
use ecluse_flow::parting::{self, Parted};
use serde_json::{Value, json};

use crate::output;
use crate::progress::Teller;
use crate::ready::{self, Ready};

/// Erases the files whose rows are gone for good.
pub(super) fn erased(ready: &Ready, eraser: &mut dyn Eraser, record: &mut RunFolder) -> Result<Vec<Parted>> {
    let mut teller = Teller::new();
    ready.with_orders(|orders| {
        let world = ready::world();
        parting::erase(&orders, ready.remover(), eraser.source(), record, world, &mut |p| teller.tell(p))
    })
}

/// Takes their names out of the run's sealed state, once it is written down what became of them.
pub(super) fn forgotten(ready: &Ready, record: &mut RunFolder) -> Result<()> {
    ready.with_orders(|orders| parting::forget(&orders, record, ready::world()))
}

/// As the erasure's record and the certificate have it.
pub(super) fn lines(parted: &[Parted]) -> Vec<Erased> {
    let at = ready::world().now().to_string();
    let line = |one: &Parted| Erased {
        side: Side::Source,
        place: one.folder.clone(),
        what: format!("files that rows of {} named", one.column),
        method: method(one),
        rows: None,
        files: Some(one.gone),
        at: at.clone(),
    };
    parted.iter().map(line).collect()
}

fn method(one: &Parted) -> String {
    let mut words = "each overwritten and removed after its row".to_owned();
    if one.absent > 0 {
        words.push_str(&format!("; {} gone when this start came to them", plural(one.absent, "was", "were")));
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
            line.push_str(&format!(", {absent} of them gone before"));
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
        false => parted
            .iter()
            .map(|one| {
                json!({ "column": one.column, "folder": one.folder, "gone": one.gone, "absent": one.absent, "stay": one.stay })
            })
            .collect(),
    }
}
