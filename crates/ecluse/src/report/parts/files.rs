//! Files that rows name: how many, went along, are missing; and what lies in their folders besides.

use ecluse_flow::figures::{FileFigures, FolderFigures};

use crate::report::discreet::hides;
use crate::report::facts::TableFacts;
use crate::report::figure::{Figure, blurred, together};
use crate::report::fill::Sources;
use crate::report::page::{Block, Cell, Grid, Part, heads};

/// `None` where no column names files.
pub(crate) fn part(from: &Sources<'_>) -> Option<Part> {
    let lang = from.lang;
    let pairs = from.figures.tables.iter().zip(&from.facts.tables);
    let columns: Vec<(&FileFigures, &TableFacts, bool)> = pairs
        .flat_map(|(table, facts)| table.files.iter().map(move |file| (file, facts, hides(table, facts))))
        .collect();
    if columns.is_empty() {
        return None;
    }
    let line = |(file, facts, hides): &(&FileFigures, &TableFacts, bool)| {
        let counts = [file.counts.named, file.counts.moved, file.counts.missing, file.counts.refused];
        let cells = together(counts.map(Some), *hides).map(|figure| Cell::figure(figure, lang));
        let name = Cell { text: facts.label.clone(), name: file.column.clone(), ..Cell::default() };
        std::iter::once(name).chain(cells).collect()
    };
    let names = [
        "Table",
        lang.of("#files named", "#fichiers nommés"),
        lang.of("#moved", "#transférés"),
        lang.of("#missing", "#manquants"),
        lang.of("#refused", "#refusés"),
    ];
    let rows = columns.iter().map(line).collect();
    let part =
        Part::new(lang.of("Files", "Fichiers")).with(Block::Table(Grid { heads: heads(&names), rows }));
    let folder = |folder: &FolderFigures| {
        // what lies there less the orphans is what the rows name, those of persons who stay too
        let hides = columns.iter().any(|(file, _, hides)| file.folder == folder.folder && *hides);
        let told = |n| if hides { blurred(n) } else { Figure::Exact(n) }.told(lang);
        let [files, orphans] = [folder.files, folder.orphans].map(told);
        lang.of(
            format!(
                "{}: files {files}; of these, named by no ordered row {orphans}: they stay.",
                folder.folder
            ),
            format!(
                "{} : fichiers {files} ; dont nommés par aucune ligne retenue {orphans} : ils restent.",
                folder.folder
            ),
        )
    };
    let notes = from.figures.folders.iter().map(|one| Block::Note(folder(one)));
    Some(notes.fold(part, Part::with))
}
