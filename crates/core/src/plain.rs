//! What a paper shows is what it says: nothing in it steers the screen it is read on.
//!
//! An escape sequence recolours, hides or writes over what stands beside it (ECMA-48, in seven bits and
//! in eight); an embedding, override or isolate turns the direction of what is drawn (Unicode Standard
//! Annex #9, 3.2), so that the bytes that are signed are not the order that is read. Papers are read in
//! an editor too: a comment holds no such character either.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Where a text, a key or a comment of a document steers a screen, and what it is. Of the texts under
/// `surveyed` nothing is asked: they are a database's own words.
pub(crate) fn steering(text: &str, tree: &DeTable<'_>, surveyed: &[&str]) -> Vec<(Range<usize>, String)> {
    let mut walk = Walk { surveyed, found: Vec::new(), passed: Vec::new() };
    walk.table(tree);
    let Walk { mut found, mut passed, .. } = walk;
    passed.extend(found.iter().map(|(span, _)| span.clone()));
    passed.sort_by_key(|span| span.start);
    let mut passed = passed.into_iter().peekable();
    for (at, c) in text.char_indices().filter(|(at, c)| steers(*c) && !ends_line(text, *at, *c)) {
        while passed.next_if(|span| span.end <= at).is_some() {}
        if passed.peek().is_none_or(|span| at < span.start) {
            found.push((at..at + c.len_utf8(), "a comment".to_owned()));
        }
    }
    // as they stand in the text, whatever order the reader of TOML keeps keys in
    found.sort_by_key(|(span, _)| span.start);
    found
}

/// A text of which a screen obeys nothing, every letter where it stood: another of as many bytes stands
/// for each that steers.
#[must_use]
pub fn shown(text: &str) -> String {
    let letter = |(at, c): (usize, char)| match c.len_utf8() {
        _ if !steers(c) || ends_line(text, at, c) => c,
        1 => '?',
        2 => '¿',
        _ => '\u{fffd}',
    };
    text.char_indices().map(letter).collect()
}

struct Walk<'s> {
    surveyed: &'s [&'s str],
    found: Vec<(Range<usize>, String)>,
    /// Texts under a key of `surveyed`.
    passed: Vec<Range<usize>>,
}

impl Walk<'_> {
    fn table(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            if is_steering(name) {
                self.found.push((key.span(), "a key".to_owned()));
            } else {
                self.value(name, value);
            }
        }
    }

    fn value(&mut self, name: &str, value: &toml::Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::String(_) if self.surveyed.contains(&name) => self.passed.push(value.span()),
            DeValue::String(text) if is_steering(text) => {
                self.found.push((value.span(), format!("`{name}`")));
            }
            DeValue::Array(values) => values.iter().for_each(|value| self.value(name, value)),
            DeValue::Table(table) => self.table(table),
            _ => {}
        }
    }
}

/// Whether a text stands on one line and nothing in it steers a screen: what a list, a name or a certificate may say.
#[must_use]
pub fn is_one_line(text: &str) -> bool {
    !text.chars().any(|c| steers(c) || c.is_control())
}

/// Every character that steers, as TOML writes it by its number; within a text in quotation marks alone.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match steers(c) {
            true => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

fn is_steering(text: &str) -> bool {
    text.char_indices().any(|(at, c)| steers(c) && !ends_line(text, at, c))
}

/// Whether a character moves the cursor, colours, hides, or turns the direction of what is drawn.
fn steers(c: char) -> bool {
    let bidi = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    bidi || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// The first half of a line's end as some systems write it.
fn ends_line(text: &str, at: usize, c: char) -> bool {
    c == '\r' && text.get(at..).is_some_and(|rest| rest.starts_with("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, surveyed: &[&str]) -> Vec<String> {
        let tree = DeTable::parse(text).unwrap().into_inner();
        steering(text, &tree, surveyed).into_iter().map(|(_, what)| what).collect()
    }

    #[test]
    fn texts_keys_and_comments_are_looked_at_and_surveyed_names_passed() {
        let text = "# \u{202e}\nlabel = \"\\u001b\"\nname = \"\u{9b}\"\n\"\\u001b\" = 1\n[deep]\nlist = [\"\u{202a}\"]\n";
        assert_eq!(found(text, &[]), ["a comment", "`label`", "`name`", "a key", "`list`"]);
        assert_eq!(found(text, &["name"]), ["a comment", "`label`", "a key", "`list`"]);
        assert_eq!(found("a = \"\"\"x\r\ny\tz\"\"\"\r\n", &[]), [""; 0]);
    }

    #[test]
    fn a_place_is_one_line_of_printed_characters() {
        for good in ["/srv/labo/archive 2", "../é", "\u{5d0}\u{5d1}"] {
            assert!(is_one_line(good), "{good:?}");
        }
        for bad in [
            "a\nb",
            "a\tb",
            "a\r\nb",
            "\u{1b}[2J",
            "\u{9b}m",
            "\u{7f}",
            "\u{202a}",
            "\u{202e}",
            "\u{2066}",
            "\u{2069}",
        ] {
            assert!(!is_one_line(bad), "{bad:?}");
        }
    }

    #[test]
    fn what_is_shown_is_as_long_and_steers_nothing() {
        let text = "é\u{1b}[2J \u{9b}m \u{202e}02.1\r\nb\rc";
        let shown = shown(text);
        assert_eq!(shown, "é?[2J ¿m \u{fffd}02.1\r\nb?c");
        assert_eq!(shown.len(), text.len());
    }
}
