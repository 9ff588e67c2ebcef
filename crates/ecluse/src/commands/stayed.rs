//! What a run says of the persons who stay: how many, and never who.

use ecluse_core::count::{count, plural};
use ecluse_flow::figures::Figures;

/// Nothing where the order excludes nobody.
pub(crate) fn lines(figures: &Figures) -> Vec<String> {
    let Some(list) = &figures.excluded else { return Vec::new() };
    let mut lines = vec![format!(
        "{} on the sealed list: {} did not move",
        plural(list.persons, "person", "persons"),
        plural(figures.excluded_rows(), "row of theirs", "rows of theirs"),
    )];
    for table in figures.tables.iter().filter(|t| t.excluded > 0) {
        let beside = if table.listed == 0 || table.listed == table.excluded {
            String::new()
        } else {
            format!(", {} of them on the list, the others hang on these", count(table.listed))
        };
        lines.push(format!("  {} of {}{beside}", plural(table.excluded, "row", "rows"), table.source));
    }
    if let Some(none) = figures.not_met().filter(|none| *none > 0) {
        lines.push(format!(
            "  {} of the list {} not among the ordered rows: let the laboratory look at its list",
            count(none),
            if none == 1 { "is" } else { "are" }
        ));
    }
    lines
}
