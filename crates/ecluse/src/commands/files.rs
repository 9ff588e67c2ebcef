//! Files that rows name, in words: how many there are, went along, are missing, stay.

use ecluse_core::count::{count, plural};
use ecluse_flow::figures::Figures;

/// A line for each column that names files and for each folder; nothing where none does. `moves`: the word
/// for what goes along.
pub(crate) fn lines(figures: &Figures, moves: &str) -> Vec<String> {
    let columns = figures.tables.iter().flat_map(|table| table.files.iter().map(move |file| (table, file)));
    let mut lines: Vec<String> = columns
        .map(|(table, file)| {
            let counts = &file.counts;
            format!(
                "{}.{}: {} named, {} {moves}, {} missing, {} refused",
                table.source,
                file.column,
                plural(counts.named, "file", "files"),
                count(counts.moved),
                count(counts.missing),
                count(counts.refused)
            )
        })
        .collect();
    lines.extend(figures.folders.iter().map(|folder| {
        format!(
            "{}: {}, {} that no ordered row names: they stay",
            folder.folder,
            plural(folder.files, "file", "files"),
            count(folder.orphans)
        )
    }));
    lines
}
