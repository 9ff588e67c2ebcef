//! Values that the mapping makes and the source does not hold, as what they do: a boolean with the rows of
//! each listed word, a constant with the rows that get it and the column it stands instead of, joined texts.

use ecluse_core::language::Language;
use ecluse_core::mapping::{Make, Own, constant, joined, own};
use ecluse_core::meaning::reverses;
use ecluse_core::signatures::Signer;
use ecluse_flow::figures::Figures;
use ecluse_flow::unmapped::Codes;
use serde_json::{Value, json};

use super::reference::{rows_of, unmapped};
use super::words;
use crate::papers::chain::Chain;
use crate::report::figure::{Figure, alone};
use crate::report::page::{Cell, Grid, Kind, heads};

/// One column of the destination, in no language.
#[derive(Debug)]
pub(crate) struct Made {
    /// `table.column` of the destination.
    pub(crate) place: String,
    /// `table.column` of the source, where it is made of one.
    pub(crate) from: Vec<String>,
    /// The source column of the same name that it does not bring.
    instead: Option<String>,
    judged: bool,
    lines: Vec<Line>,
    /// Values that no list names; a text where they may not be told one by one.
    unmapped: Vec<(String, Figure)>,
}

#[derive(Debug)]
struct Line {
    /// Empty: whatever the row says.
    from: String,
    to: String,
    rows: Figure,
    reverses: bool,
}

/// Everything that the mapping makes, with its rows, and who signed the mapping.
#[derive(Debug)]
pub(crate) struct MadePage {
    pub(crate) digest: String,
    pub(crate) signed: Vec<Signer>,
    pub(crate) made: Vec<Made>,
}

impl MadePage {
    /// Whether a biologist answers for something of it.
    pub(crate) fn is_judged(&self) -> bool {
        self.made.iter().any(|made| made.judged)
    }
}

/// Counted by a dry run; `None` where every value is the source's own or a code table's.
pub(crate) fn made(chain: &Chain, counted: &[Codes], figures: &Figures) -> Option<MadePage> {
    let made: Vec<Made> = own(&chain.mapping, &chain.dictionary)
        .iter()
        .map(|own| {
            let source = &own.table.from.value;
            let table = figures.tables.iter().find(|table| table.source == *source);
            let every = || alone(table.map_or(0, |table| table.moved), true);
            let (mut lines, mut missing) = (Vec::new(), Vec::new());
            let mut whole = |to: String| {
                lines.push(Line { from: String::new(), to, rows: every(), reverses: false });
            };
            match &own.column.make {
                Make::Boolean { column, yes, no } => {
                    let counts: Vec<&Codes> =
                        counted.iter().filter(|c| c.table == *source && c.column == column.value).collect();
                    let words =
                        yes.iter().map(|word| (word, true)).chain(no.iter().map(|word| (word, false)));
                    lines.extend(words.map(|(word, is)| Line {
                        from: word.value.clone(),
                        to: is.to_string(),
                        rows: rows_of(&counts, &word.value),
                        reverses: reverses(&word.value, is),
                    }));
                    missing = unmapped(&counts);
                }
                Make::Constant(value) => whole(constant(&value.value)),
                Make::Concat(pieces) => whole(joined(pieces)),
                _ => {}
            }
            let from = own.column.make.uses().iter().map(|used| format!("{source}.{}", used.value)).collect();
            let (instead, judged) = (own.instead.clone(), own.judged);
            Made { place: own.place(), from, instead, judged, lines, unmapped: missing }
        })
        .collect();
    let link = chain.links.iter().find(|link| link.digest == chain.mapping.digest);
    let signed = link.map(|link| link.signers.clone()).unwrap_or_default();
    (!made.is_empty()).then(|| MadePage { digest: chain.mapping.digest.clone(), signed, made })
}

/// The page's table.
pub(crate) fn grid(page: &MadePage, lang: Language) -> Grid {
    let names = [
        lang.of("New column", "Nouvelle colonne"),
        lang.of("Old value", "Ancienne valeur"),
        lang.of("becomes", "devient"),
        lang.of("#rows", "#lignes"),
        lang.of("What it does", "Ce que cela fait"),
    ];
    let mut rows = Vec::new();
    for made in &page.made {
        for line in &made.lines {
            let kind = if line.reverses || made.instead.is_some() { Kind::Warns } else { Kind::Words };
            rows.push(vec![
                Cell::words(&made.place),
                Cell::words(old(line, lang)),
                Cell::words(&line.to),
                Cell::figure(line.rows, lang),
                Cell::of(kind, does(made, line, lang)),
            ]);
        }
        for (value, count) in &made.unmapped {
            let refused =
                lang.of("in no list: its rows are refused", "dans aucune liste : ses lignes sont refusées");
            rows.push(vec![
                Cell::words(&made.place),
                Cell::words(value),
                Cell::words("–"),
                Cell::figure(*count, lang),
                Cell::of(Kind::Warns, refused),
            ]);
        }
    }
    Grid { heads: heads(&names), rows }
}

/// The same on the terminal, a line each.
pub(crate) fn lines(page: &MadePage) -> Vec<String> {
    let lang = Language::English;
    let mut all = Vec::new();
    for made in &page.made {
        for line in &made.lines {
            let text = format!(
                "  {}   {}   →   {}   {} rows   {}",
                made.place,
                old(line, lang),
                line.to,
                line.rows,
                does(made, line, lang)
            );
            all.push(text.trim_end().to_owned());
        }
        for (value, rows) in &made.unmapped {
            all.push(format!("  {}   {value}   in no list: {rows} rows are refused", made.place));
        }
    }
    all
}

/// One column in JSON.
pub(crate) fn document(made: &Made) -> Value {
    let lang = Language::English;
    let line = |l: &Line| {
        let from = (!l.from.is_empty()).then_some(&l.from);
        json!({ "from": from, "to": l.to, "rows": l.rows.to_string(), "does": does(made, l, lang) })
    };
    let unmapped: Vec<Value> =
        made.unmapped.iter().map(|(code, rows)| json!({ "code": code, "rows": rows.to_string() })).collect();
    json!({
        "column": made.place, "from": made.from, "instead_of": made.instead, "judged": made.judged,
        "values": made.lines.iter().map(line).collect::<Vec<_>>(), "unmapped": unmapped,
    })
}

/// What is made of a column, in one sentence and without rows.
pub(crate) fn told(own: &Own<'_>, lang: Language) -> String {
    let (place, instead) = (own.place(), own.instead.as_deref());
    let instead = instead.map_or_else(String::new, |column| format!(", {}", instead_of(column, lang)));
    let colon = lang.of(":", " :");
    match &own.column.make {
        Make::Boolean { column, yes, no } => {
            let one = |word: &str, is: &str| {
                lang.of(format!("{word} becomes {is}"), format!("{word} devient {is}"))
            };
            let yes = yes.iter().map(|word| one(&word.value, "true"));
            let words: Vec<String> = yes.chain(no.iter().map(|word| one(&word.value, "false"))).collect();
            format!("{place}{colon} {}{}{instead}", of(&column.value, lang), words.join(", "))
        }
        Make::Constant(value) => {
            let value = constant(&value.value);
            lang.of(
                format!("{place}: {value} in every row{instead}"),
                format!("{place} : {value} dans chaque ligne{instead}"),
            )
        }
        Make::Concat(pieces) => {
            let texts = joined(pieces);
            lang.of(
                format!("{place}: the text {texts}{instead}"),
                format!("{place} : le texte {texts}{instead}"),
            )
        }
        _ => place,
    }
}

fn of(column: &str, lang: Language) -> String {
    lang.of(format!("of {column}, "), format!("de {column}, "))
}

fn old(line: &Line, lang: Language) -> String {
    match line.from.as_str() {
        "" => lang.of("every row", "chaque ligne").to_owned(),
        from => from.to_owned(),
    }
}

fn instead_of(column: &str, lang: Language) -> String {
    lang.of(format!("instead of {column}"), format!("à la place de {column}"))
}

fn does(made: &Made, line: &Line, lang: Language) -> String {
    let turned = line.reverses.then(|| {
        let does = [ecluse_core::meaning::Does::Reverses];
        words::does(&line.from, &line.to, &does, lang).concat()
    });
    let instead = made.instead.as_deref().map(|column| instead_of(column, lang));
    let parts: Vec<String> = turned.into_iter().chain(instead).collect();
    parts.join(lang.of("; ", " ; "))
}
