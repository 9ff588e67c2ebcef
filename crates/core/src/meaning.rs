//! What a line of a code table does to the meaning of a result, for the biologist who signs it.
//!
//! It is told, never refused: whether *Négatif* may become *Positif* is the biologist's to judge. Only
//! what can be seen from the words is told; that nothing is told of a line does not make it right.

use std::collections::BTreeMap;

use crate::codes::CodeTable;

/// What a line does beyond giving a code another spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// A word for absent becomes one for present, or the reverse.
    Reverses,
    /// A unit becomes another unit; a code table converts no number.
    Unit,
    /// So many other codes become the same: they cannot be told apart any more.
    Merges(u64),
    /// What it becomes was a code of the old system too, and that code becomes something else.
    Takes,
    /// Upper and lower case, or spaces, alone.
    Spelling,
}

/// What each line does, in the table's order.
#[must_use]
pub fn does(table: &CodeTable) -> Vec<Vec<Does>> {
    let mut targets: BTreeMap<&str, u64> = BTreeMap::new();
    for pair in &table.pairs {
        *targets.entry(&pair.to.value).or_default() += 1;
    }
    let becomes: BTreeMap<&str, &str> =
        table.pairs.iter().map(|pair| (pair.from.value.as_str(), pair.to.value.as_str())).collect();
    let one = |from: &str, to: &str| {
        let mut does = Vec::new();
        if matches!((present(from), present(to)), (Some(before), Some(after)) if before != after) {
            does.push(Does::Reverses);
        }
        let (old, new) = (plain(from), plain(to));
        if is_unit(from) && is_unit(to) && unit(from) != unit(to) {
            does.push(Does::Unit);
        }
        if becomes.get(to).is_some_and(|further| *further != to) {
            does.push(Does::Takes);
        }
        if let Some(others) = targets.get(to).and_then(|all| all.checked_sub(1)).filter(|n| *n > 0) {
            does.push(Does::Merges(others));
        }
        if from != to && old == new {
            does.push(Does::Spelling);
        }
        does
    };
    table.pairs.iter().map(|pair| one(&pair.from.value, &pair.to.value)).collect()
}

/// Whether a word for absent becomes true, or one for present false.
#[must_use]
pub fn reverses(from: &str, becomes: bool) -> bool {
    present(from).is_some_and(|before| before != becomes)
}

/// Without case, accents of French, and spaces at the ends.
fn plain(text: &str) -> String {
    let fold = |c: char| match c {
        'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        other => other,
    };
    let folded: String = text.to_lowercase().chars().map(fold).collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Words for present and for absent, French and English; the longer are looked for first.
const SENSES: [(&str, bool); 22] = [
    ("non detecte", false),
    ("not detected", false),
    ("non reactif", false),
    ("nonreactive", false),
    ("non-reactive", false),
    ("non reactive", false),
    ("negatif", false),
    ("negative", false),
    ("absence", false),
    ("absent", false),
    ("neg", false),
    ("non", false),
    ("no", false),
    ("positif", true),
    ("positive", true),
    ("presence", true),
    ("present", true),
    ("detecte", true),
    ("detected", true),
    ("reactif", true),
    ("reactive", true),
    ("pos", true),
];

/// Whether a word says present (`true`), absent (`false`), or neither.
fn present(text: &str) -> Option<bool> {
    let plain = plain(text);
    match plain.as_str() {
        "-" => return Some(false),
        "+" | "++" | "+++" | "oui" | "yes" => return Some(true),
        _ => {}
    }
    let begins = |word: &str| {
        let rest = plain.strip_prefix(word)?;
        // "negatifs", "positive (1:80)", and no "normal" for "no"
        rest.chars().next().is_none_or(|c| !c.is_alphanumeric() || (c == 's' || c == 'e')).then_some(())
    };
    SENSES.iter().find(|(word, _)| begins(word).is_some()).map(|(_, sense)| *sense)
}

/// Case matters in a unit but for litre: `g/L` is `g/l`, `mmol` is no `Mmol`.
fn unit(text: &str) -> String {
    text.trim().replace('µ', "μ").replace('L', "l")
}

/// Units without a slash that results bear.
const UNITS: [&str; 19] = [
    "g", "mg", "µg", "ug", "ng", "pg", "mol", "mmol", "µmol", "umol", "nmol", "pmol", "l", "dl", "ml", "fl",
    "ui", "iu", "%",
];

/// Whether it reads as a unit of measure.
fn is_unit(text: &str) -> bool {
    let plain = text.trim().to_lowercase().replace('μ', "µ");
    let known = |part: &str| {
        let part = part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '²' || c == '³');
        UNITS.contains(&part)
            || [
                "mui", "miu", "u", "mmhg", "mm", "min", "s", "h", "j", "kg", "m", "cellules", "giga", "g",
                "10*9", "10*12", "10^9", "10^12", "t",
            ]
            .contains(&part)
    };
    match plain.split_once('/') {
        Some((above, below)) => known(above) && below.split(['/', '.']).all(known),
        None => UNITS.contains(&plain.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::parse;

    fn table(pairs: &[(&str, &str)]) -> CodeTable {
        let mut text =
            "[codes]\nformat = \"ecluse-codes/1\"\ntitle = \"t\"\nchanges_result = true\n".to_owned();
        for (from, to) in pairs {
            text += &format!("\n[[code]]\nfrom = \"{from}\"\nto = \"{to}\"\n");
        }
        parse(&text).unwrap()
    }

    fn of(from: &str, to: &str) -> Vec<Does> {
        does(&table(&[(from, to)])).remove(0)
    }

    #[test]
    fn a_negative_that_becomes_a_positive_is_told() {
        for (from, to) in [
            ("Négatif", "Positif"),
            ("POS", "negative"),
            ("absence", "present"),
            ("-", "+"),
            ("non détecté", "detected"),
            ("Non", "oui"),
        ] {
            assert_eq!(of(from, to), [Does::Reverses], "{from} → {to}");
        }
        for (from, to) in
            [("Négatif", "negative"), ("normal", "positive"), ("N", "P"), ("note", "positif"), ("oui", "yes")]
        {
            assert_eq!(of(from, to), [], "{from} → {to}");
        }
    }

    #[test]
    fn a_unit_that_becomes_another_is_told_and_another_spelling_of_it_is_none() {
        for (from, to) in
            [("g/L", "mmol/L"), ("mg/dl", "g/l"), ("UI/L", "mUI/L"), ("%", "g/L"), ("µmol/L", "mmol/L")]
        {
            assert_eq!(of(from, to), [Does::Unit], "{from} → {to}");
        }
        assert_eq!(of("g/l", "g/L"), [Does::Spelling]);
        assert_eq!(of("µmol/L", "μmol/L"), []);
        assert_eq!(of("F", "female"), []);
    }

    #[test]
    fn codes_that_cannot_be_told_apart_afterwards_and_words_that_change_owner_are_told() {
        let merged = does(&table(&[("1", "serum"), ("2", "serum"), ("3", "plasma")]));
        assert_eq!(merged, [vec![Does::Merges(1)], vec![Does::Merges(1)], vec![]]);
        let swapped = does(&table(&[("M", "F"), ("F", "M")]));
        assert_eq!(swapped, [vec![Does::Takes], vec![Does::Takes]]);
        assert_eq!(does(&table(&[("A", "A"), ("B", "b")])), [vec![], vec![Does::Spelling]]);
    }
}
