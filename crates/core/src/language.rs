//! The two languages of what laypeople read. Documents, codes and the command line are English.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::count;

/// The language of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    /// The language's code (BCP 47), as `<html lang>` has it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// Of two ways to say one thing, this language's: both stand side by side where they are said.
    #[must_use]
    pub fn of<T>(self, english: T, french: T) -> T {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }

    /// A count, its digits in groups: `5,500,000`; `5 500 000`, with narrow spaces that do not break.
    #[must_use]
    pub fn count(self, n: u64) -> String {
        match self {
            Self::English => count::count(n),
            Self::French => count::count(n).replace(',', "\u{202f}"),
        }
    }

    /// `1 row`, `2 rows`. In French zero is one: `0 ligne`.
    #[must_use]
    pub fn plural(self, n: u64, one: &str, many: &str) -> String {
        let single = n == 1 || (n == 0 && self == Self::French);
        format!("{} {}", self.count(n), if single { one } else { many })
    }

    /// A day: `2026-11-22`; `22 novembre 2026`.
    #[must_use]
    pub fn day(self, day: Date) -> String {
        const MONTHS: [&str; 12] = [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ];
        if self == Self::English {
            return day.to_string();
        }
        let month = usize::try_from(day.month()).ok().and_then(|m| MONTHS.get(m.saturating_sub(1)));
        let number = if day.day() == 1 { "1er".to_owned() } else { day.day().to_string() };
        format!("{number} {} {}", month.unwrap_or(&""), day.year())
    }

    /// A moment, to the minute: `2026-11-22 05:00 UTC`; `22 novembre 2026 à 05:00 UTC`. Every screen and page
    /// writes it so.
    #[must_use]
    pub fn hour(self, at: Timestamp) -> String {
        let at = at.to_zoned(TimeZone::UTC);
        let (day, time) = (self.day(at.date()), at.strftime("%H:%M UTC"));
        self.of(format!("{day} {time}"), format!("{day} à {time}"))
    }

    /// As [`Self::hour`], of a moment as files have it (RFC 3339); as it stands where it is none.
    #[must_use]
    pub fn hour_of(self, at: &str) -> String {
        at.parse().map_or_else(|_| at.to_owned(), |at| self.hour(at))
    }

    /// `a, b and c`.
    #[must_use]
    pub fn listed<S: AsRef<str>>(self, items: &[S]) -> String {
        match items {
            [] => String::new(),
            [one] => one.as_ref().to_owned(),
            [first @ .., last] => {
                let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
                format!("{} {} {}", first.join(", "), self.of("and", "et"), last.as_ref())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_counts_are_written_as_each_language_writes_them() {
        let day = Date::constant(2026, 8, 1);
        assert_eq!(Language::French.day(day), "1er août 2026");
        assert_eq!(Language::English.day(day), "2026-08-01");
        assert_eq!(Language::English.hour_of("2026-08-01T05:00:59.123456789Z"), "2026-08-01 05:00 UTC");
        assert_eq!(Language::French.hour_of("2026-08-01T23:59:00Z"), "1er août 2026 à 23:59 UTC");
        assert_eq!(Language::English.hour_of(""), "");
        assert_eq!(Language::French.count(5_500_000), "5\u{202f}500\u{202f}000");
        assert_eq!(Language::French.plural(0, "ligne", "lignes"), "0 ligne");
        assert_eq!(Language::English.plural(0, "row", "rows"), "0 rows");
        assert_eq!(Language::French.listed(&["a", "b", "c"]), "a, b et c");
    }
}
