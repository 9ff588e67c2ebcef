//! Columns that name files: in which folder they lie, and what becomes of a row whose file is gone.

use super::{Order, WRONG_VALUE};
use crate::fault::Code;
use crate::finding::Finding;
use crate::reader::{Fields, Reader, Spanned};

static NOT_GRANTED: Code = Code::refused("ECL-FIL-001", "a column that names files is not granted");
static NOT_WHOLE: Code = Code::refused("ECL-FIL-002", "a folder of files is not named by its whole path");
static NOWHERE: Code = Code::refused("ECL-FIL-003", "files are to move, and no folder receives them");

/// Bytes of a file at most, where the order does not say: 1 GiB.
const LARGEST: u64 = 1 << 30;

/// The files that one column names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesOrder {
    /// The column, granted by the same table.
    pub column: Spanned<String>,
    /// The folder, as the source's machine calls it: nothing outside of it is opened.
    pub folder: Spanned<String>,
    /// What the column's values begin with before the name in the folder; a value without it is refused.
    pub prefix: String,
    /// What follows the value in the file's name, for instance `.pdf`.
    pub suffix: String,
    /// Whether a row whose file is missing is refused; else it moves, and is counted.
    pub missing_refuses: bool,
    /// Bytes of a file at most.
    pub largest: u64,
}

/// Reads one `[[table.files]]`.
pub(super) fn read(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<FilesOrder> {
    let column = t.text(r, "column");
    let folder = t.text(r, "folder");
    let prefix = t.maybe_text(r, "prefix").map(|p| p.value).unwrap_or_default();
    let suffix = t.maybe_text(r, "suffix").map(|s| s.value).unwrap_or_default();
    let missing = t.maybe_text(r, "missing");
    let refuses = missing.as_ref().is_some_and(|word| word.value == "refuse");
    if let Some(word) = missing.filter(|word| !["move", "refuse"].contains(&word.value.as_str())) {
        let finding = Finding::new(&WRONG_VALUE, format!("`missing` cannot be `{}`", word.value));
        r.find(finding.at(word.span).help("write missing = \"move\" or missing = \"refuse\""));
    }
    let largest = t.maybe_number(r, "largest").map_or(LARGEST, |n| n.value);
    t.end(r);
    Some(FilesOrder { column: column?, folder: folder?, prefix, suffix, missing_refuses: refuses, largest })
}

/// What is wrong with the order's files, judged without a dictionary.
pub(super) fn check(order: &Order) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in &order.tables {
        for (at, files) in table.files.iter().enumerate() {
            let column = &files.column;
            let twice = table.files.iter().take(at).any(|other| other.column.value == column.value);
            if twice || table.column(&column.value).is_none() {
                let what = if twice { " (named twice)" } else { "" };
                let message = format!("{}.{}{what}", table.name.value, column.value);
                let finding = Finding::new(&NOT_GRANTED, message).at(column.span.clone());
                findings.push(finding.help("grant the column in `columns`, and name it once"));
            }
            findings.extend(not_whole(&files.folder));
        }
    }
    // an archive has no folder that would have to be named
    let Some(destination) = order.destination() else { return findings };
    match &destination.files {
        Some(folder) => findings.extend(not_whole(folder)),
        None => {
            if let Some(files) = order.tables.iter().find_map(|table| table.files.first()) {
                let finding =
                    Finding::new(&NOWHERE, "[destination] has no `files`").at(files.column.span.clone());
                findings.push(
                    finding.help("write under [destination]  files = \"/the/folder/that/receives/them\""),
                );
            }
        }
    }
    findings
}

fn not_whole(folder: &Spanned<String>) -> Option<Finding> {
    let steps = folder.value.strip_prefix('/');
    let whole = steps.is_some_and(|steps| {
        steps.trim_end_matches('/').split('/').all(|step| !["", ".", ".."].contains(&step))
    });
    let message = "a folder is named from / on, without . and ..";
    (!whole).then(|| {
        Finding::new(&NOT_WHOLE, message)
            .at(folder.span.clone())
            .help("write it as its own machine calls it: /storage/reports; where écluse sees it elsewhere, connections.toml says")
    })
}
