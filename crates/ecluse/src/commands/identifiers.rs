//! National identifiers that do not hold, in words: how many, why, what became of them.

use ecluse_core::count::count;
use ecluse_flow::figures::Figures;

use super::explain;

/// A line for each code and column.
pub(crate) fn lines(figures: &Figures) -> Vec<String> {
    let told = figures.tables.iter().flat_map(|t| t.identifiers.iter().map(move |told| (t, told)));
    told.map(|(table, (code, rows))| {
        let (id, place) = code.split_once(' ').unwrap_or((code, ""));
        let became = match table.invalid_identifiers.as_str() {
            "local" => "kept as local identifiers, provisional",
            _ => "withheld, the patients moved",
        };
        format!("{} {id} {} ({place}): {became}", count(*rows), explain::title(id).unwrap_or_default())
    })
    .collect()
}
