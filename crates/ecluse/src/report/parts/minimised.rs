//! Minimisation as a picture (GDPR Art. 5(1)(c)): of each table, the rows and the columns that there
//! were, what the order left, what was refused, what moved.
//!
//! Each bar is as wide as what there was. It is drawn from the figures as they are printed, so that
//! a hidden count cannot be measured; patterns and words say what colours say, and the words beside
//! a bar say all of it to whoever cannot see it.

use std::fmt::Write as _;

use ecluse_core::language::Language;

use crate::report::counts::{Columns, Counted, Rows};
use crate::report::figure::Figure;
use crate::report::page::{Bar, Barred, Bars};

/// One stretch of a bar: how wide, and its class in the page's style.
type Stretch = (u64, &'static str);

/// User units of a bar; it is stretched to the page's width.
const WIDTH: u64 = 1_000;
/// What is there at all is seen.
const THINNEST: u64 = 6;

/// Every table's bars.
pub(crate) fn bars(tables: &[Counted], lang: Language) -> Bars {
    let mut legend = vec![
        ("moved", lang.of("moved", "passé")),
        ("refused", lang.of("refused", "refusé")),
        ("stays", lang.of("not ordered: stays", "non ordonné : reste")),
    ];
    if tables.iter().any(|table| table.rows.left_out != Figure::Exact(0)) {
        legend.push(("left", lang.of("left out", "laissé de côté")));
    }
    if tables.iter().any(|table| table.rows.excluded != Figure::Exact(0)) {
        legend.push(("left", lang.of("persons who stay", "personnes qui restent")));
    }
    Bars { legend, tables: tables.iter().map(|table| barred(table, lang)).collect() }
}

fn barred(table: &Counted, lang: Language) -> Barred {
    let name = if table.label == table.source { String::new() } else { table.source.clone() };
    Barred {
        label: table.label.clone(),
        name,
        bars: vec![of_rows(&table.rows, lang), of_columns(&table.columns, lang)],
    }
}

fn of_rows(rows: &Rows, lang: Language) -> Bar {
    let stretches = [
        (rows.moved.width(), "moved"),
        (rows.refused.width(), "refused"),
        (rows.left_out.width(), "left"),
        (rows.excluded.width(), "left"),
        (rows.withheld.width(), "stays"),
    ];
    let moved =
        rows.moved.of(lang, lang.of("row moved", "ligne passée"), lang.of("rows moved", "lignes passées"));
    let mut words = match rows.available {
        Figure::Unknown => lang.of(
            format!("{moved}; how many more the table has, the role could not count"),
            format!("{moved} ; combien d’autres la table en a, ce rôle n’a pas pu le compter"),
        ),
        available => {
            let available = available.told(lang);
            let withheld = rows.withheld.of(lang, lang.of("not ordered", "non ordonnée"), not_ordered(lang));
            lang.of(
                format!("{moved} of {available}; {withheld}"),
                format!("{moved} sur {available} ; {withheld}"),
            )
        }
    };
    let more = [
        (rows.left_out, lang.of(["left out"; 2], ["laissée de côté", "laissées de côté"])),
        (rows.excluded, lang.of(["of persons who stay"; 2], ["de personnes qui restent"; 2])),
        (rows.refused, lang.of(["refused"; 2], ["refusée", "refusées"])),
    ];
    for (figure, [one, many]) in more.into_iter().filter(|(figure, _)| *figure != Figure::Exact(0)) {
        words = format!("{words}{} {}", lang.of(";", " ;"), figure.of(lang, one, many));
    }
    Bar { svg: bar(&stretches, rows.available == Figure::Unknown), words }
}

fn of_columns(columns: &Columns, lang: Language) -> Bar {
    let (moved, stay) = (columns.moved, columns.stay());
    let told = lang.plural(
        moved,
        lang.of("column moved", "colonne passée"),
        lang.of("columns moved", "colonnes passées"),
    );
    let available = lang.count(columns.available);
    let rest = lang.plural(stay, lang.of("not ordered", "non ordonnée"), not_ordered(lang));
    let mut words =
        lang.of(format!("{told} of {available}; {rest}"), format!("{told} sur {available} ; {rest}"));
    if columns.looked_at > 0 {
        let read = lang.plural(columns.looked_at, lang.of("read", "lue"), lang.of("read", "lues"));
        words += &lang.of(
            format!(", of which {read} only to choose rows"),
            format!(", dont {read} seulement pour choisir les lignes"),
        );
    }
    Bar { svg: bar(&[(moved, "moved"), (stay, "stays")], false), words }
}

fn not_ordered(lang: Language) -> &'static str {
    lang.of("not ordered", "non ordonnées")
}

/// A bar of these stretches; open at its end where nobody knows how long it is.
fn bar(stretches: &[Stretch], open: bool) -> String {
    let all: u64 = stretches.iter().map(|(rows, _)| rows).sum();
    let mut svg = format!(
        "<svg class=\"bar{}\" viewBox=\"0 0 {WIDTH} 20\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">",
        if open { " open" } else { "" }
    );
    let mut at = 0;
    for (wide, class) in shares(stretches, all) {
        // writing to a String cannot fail
        let (y, height) = if class == "refused" { (1, 18) } else { (4, 12) };
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{at}\" y=\"{y}\" width=\"{wide}\" height=\"{height}\"/>"
        );
        at += wide;
    }
    svg + "</svg>"
}

/// Widths that sum up to the bar's, none that is there too thin to be seen.
fn shares(stretches: &[Stretch], all: u64) -> Vec<Stretch> {
    let present: Vec<Stretch> = stretches.iter().copied().filter(|(rows, _)| *rows > 0).collect();
    let scaled = |rows: u64| u128::from(rows) * u128::from(WIDTH) / u128::from(all.max(1));
    let mut shares: Vec<Stretch> = present
        .iter()
        .map(|(rows, class)| (u64::try_from(scaled(*rows)).unwrap_or(WIDTH).max(THINNEST), *class))
        .collect();
    // the widest gives what the others were given, or takes what rounding left
    let sum: u64 = shares.iter().map(|(wide, _)| wide).sum();
    if let Some((wide, _)) = shares.iter_mut().max_by_key(|(wide, _)| *wide) {
        *wide = (*wide + WIDTH).saturating_sub(sum);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_wide_as_what_there_was_and_shows_one_row_among_millions() {
        for rows in [[612, 3, 0, 0], [1, 0, 0, 5_000_000], [0, 0, 0, 7], [3, 3, 3, 3], [u64::MAX, 1, 0, 0]] {
            let stretches: Vec<Stretch> =
                rows.into_iter().zip(["moved", "refused", "left", "stays"]).collect();
            let all = rows.iter().fold(0, |sum: u64, n| sum.saturating_add(*n));
            let shares = shares(&stretches, all);
            assert_eq!(shares.iter().map(|(wide, _)| wide).sum::<u64>(), WIDTH, "{rows:?}");
            assert_eq!(shares.len(), rows.iter().filter(|n| **n > 0).count());
            assert!(shares.iter().all(|(wide, _)| *wide >= THINNEST));
        }
        assert_eq!(shares(&[(0, "moved")], 0), []);
    }

    // fails with the guard off: the bar of a table with one HIV test tells their number to whoever measures it
    #[test]
    fn a_hidden_count_cannot_be_measured() {
        let rows = |refused| {
            let [available, moved, refused] =
                crate::report::figure::together([Some(100), Some(100 - refused), Some(refused)], true);
            Rows {
                available,
                moved,
                refused,
                withheld: Figure::Exact(0),
                left_out: Figure::Exact(0),
                excluded: Figure::Exact(0),
                ..Rows::default()
            }
        };
        let svg = |refused| of_rows(&rows(refused), Language::English).svg;
        assert_eq!(svg(1), svg(4));
        assert_ne!(svg(1), svg(40));
    }
}
