//! Counts as the report prints them: small counts of sensitive classes are hidden.

use std::fmt;

use ecluse_core::language::Language;

/// Below this, a count in a table that hides its small ones could point at a person.
const SMALL: u64 = 5;

/// One count, ready to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Not known: the role could not count it.
    #[default]
    Unknown,
    /// As it is.
    Exact(u64),
    /// Below 5 and above 0, in a table with sensitive results.
    Small,
    /// Rounded to ten, because a neighbour of it is hidden.
    About(u64),
}

impl Figure {
    /// Whether the number itself is hidden or blurred.
    pub(crate) const fn is_hidden(self) -> bool {
        matches!(self, Self::Small | Self::About(_))
    }
}

impl Figure {
    /// As a page in this language prints it.
    pub(crate) fn told(self, lang: Language) -> String {
        match self {
            Self::Unknown => "–".to_owned(),
            Self::Exact(n) => lang.count(n),
            Self::Small => lang.of(format!("<{SMALL}"), format!("<\u{a0}{SMALL}")),
            Self::About(n) => format!("≈\u{a0}{}", lang.count(n)),
        }
    }

    /// With its word, which is singular for one: `1 row`, `<5 rows`.
    pub(crate) fn of(self, lang: Language, one: &str, many: &str) -> String {
        let single = matches!((self, lang), (Self::Exact(1), _) | (Self::Exact(0), Language::French));
        format!("{} {}", self.told(lang), if single { one } else { many })
    }

    /// How wide it is drawn: of what is printed, never of what is hidden.
    pub(crate) const fn width(self) -> u64 {
        match self {
            Self::Unknown => 0,
            Self::Exact(n) | Self::About(n) => n,
            Self::Small => SMALL / 2,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Language::English))
    }
}

impl serde::Serialize for Figure {
    /// A number where it is known exactly, else what is printed.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown => to.serialize_none(),
            Self::Exact(n) => to.serialize_u64(*n),
            Self::Small | Self::About(_) => to.serialize_str(&self.told(Language::English)),
        }
    }
}

/// Whether a count could point at a person.
pub(crate) const fn is_small(n: u64) -> bool {
    n > 0 && n < SMALL
}

/// A count that is not told exactly, whatever it is.
pub(crate) const fn blurred(n: u64) -> Figure {
    match n {
        0 => Figure::Exact(0),
        n if is_small(n) => Figure::Small,
        n => Figure::About((n + 5) / 10 * 10),
    }
}

/// One table's counts, which belong together: each can be had from the others by subtraction,
/// so where one must be hidden, the others are rounded.
pub(crate) fn together<const N: usize>(counts: [Option<u64>; N], sensitive: bool) -> [Figure; N] {
    // the differences between two counts are figures too: what was asked and did not move
    let known = || counts.iter().copied().flatten();
    let blur = sensitive && known().any(|a| is_small(a) || known().any(|b| is_small(a.abs_diff(b))));
    counts.map(|n| match n {
        None => Figure::Unknown,
        Some(n) if blur => blurred(n),
        Some(n) => Figure::Exact(n),
    })
}

/// A count that stands alone.
pub(crate) fn alone(n: u64, sensitive: bool) -> Figure {
    let [figure] = together([Some(n)], sensitive);
    figure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed<const N: usize>(counts: [Option<u64>; N], sensitive: bool) -> Vec<String> {
        together(counts, sensitive).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_small_count_of_a_sensitive_class_is_hidden_and_cannot_be_had_by_subtraction() {
        assert_eq!(printed([Some(612), Some(610), Some(2)], true), ["≈\u{a0}610", "≈\u{a0}610", "<5"]);
        // nothing is refused, but what stays is one row
        assert_eq!(printed([Some(101), Some(100)], true), ["≈\u{a0}100", "≈\u{a0}100"]);
    }

    #[test]
    fn other_tables_print_exactly() {
        assert_eq!(printed([Some(612), Some(610), Some(2)], false), ["612", "610", "2"]);
        assert_eq!(printed([None, Some(4), Some(0)], false), ["–", "4", "0"]);
        assert_eq!(printed([Some(500), Some(500), Some(0)], true), ["500", "500", "0"]);
    }
}
