//! A database's text on a terminal: whatever a terminal would obey, or hide, is shown as a sign.
//!
//! A value with an escape sequence could otherwise recolour a difference away, write over another value,
//! set the window's title, or answer as if the person had typed (ECMA-48; the replies of `DECRQSS` and
//! the like). Directional controls could turn `1.20` into `02.1` (Unicode TR 36, "Bidirectional Text Spoofing").

use unicode_width::UnicodeWidthChar as _;

/// A text of which a terminal obeys nothing and hides nothing: control characters by their pictures,
/// invisible and directional ones by their numbers, blanks at either end by a sign.
pub(crate) fn harmless(text: &str) -> String {
    let inner = text.trim_matches(' ');
    // nothing but blanks has no inside: they all stand at the beginning
    let before = if inner.is_empty() { text.len() } else { text.len() - text.trim_start_matches(' ').len() };
    let after = text.len() - before - inner.len();
    let mut out = String::with_capacity(text.len());
    out.extend(std::iter::repeat_n('␣', before));
    inner.chars().for_each(|c| put(c, &mut out));
    out.extend(std::iter::repeat_n('␣', after));
    out
}

fn put(c: char, out: &mut String) {
    let picture = match c {
        '\u{7f}' => Some('␡'),
        // the pictures stand in the order of the characters
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)),
        _ => None,
    };
    match picture {
        Some(picture) => out.push(picture),
        None if c.is_control() || is_hidden(c) => out.push_str(&format!("‹U+{:04X}›", u32::from(c))),
        None => out.push(c),
    }
}

/// Characters that take no place or turn the direction of what stands around them, and those that are
/// no characters.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

/// Columns of a terminal that a harmless text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// A harmless text in lines of at most `most` columns, at least one line; nothing is left out.
pub(crate) fn wrapped(text: &str, most: usize) -> Vec<String> {
    let (mut lines, mut line, mut taken) = (Vec::new(), String::new(), 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if taken + wide > most.max(2) {
            lines.push(std::mem::take(&mut line));
            taken = 0;
        }
        line.push(c);
        taken += wide;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything ECMA-48 begins a sequence with, in seven and in eight bits.
    const HOSTILE: [&str; 8] = [
        "\u{1b}[2J\u{1b}[H",
        "\u{1b}]0;title\u{7}",
        "\u{1b}P$q\"p\u{1b}\\",
        "\u{9b}31m",
        "\u{9d}52;c;aGVsbG8=\u{9c}",
        "a\rb\nc\td\u{8}e",
        "\u{202e}02.1\u{202c}",
        "\u{200b}\u{feff}\u{ad}x\u{e0041}",
    ];

    #[test]
    fn nothing_of_a_value_is_obeyed_or_hidden() {
        for text in HOSTILE {
            let shown = harmless(text);
            assert!(shown.chars().all(|c| !c.is_control() && !is_hidden(c)), "{text:?}: {shown}");
            // as many signs as characters, none swallowed
            assert!(shown.chars().count() >= text.chars().count());
            assert!(shown.chars().all(|c| c.width().is_some_and(|width| width > 0)), "{text:?}: {shown}");
        }
        assert_eq!(harmless("\u{1b}[31mrouge"), "␛[31mrouge");
        assert_eq!(harmless("ligne 1\nligne 2\u{7f}"), "ligne 1␊ligne 2␡");
        assert_eq!(harmless("\u{202e}x"), "‹U+202E›x");
    }

    #[test]
    fn what_people_write_stays_as_it_is_and_blanks_at_the_ends_are_seen() {
        for text in ["Élodie N'Diaye-Œuvrard", "1,20 g/L", "日本語", "İstanbul ß", ""] {
            assert_eq!(harmless(text), text);
        }
        assert_eq!(harmless(" A  B "), "␣A  B␣");
        assert_eq!(harmless("   "), "␣␣␣");
    }

    #[test]
    fn lines_are_no_wider_than_they_may_be_and_hold_everything() {
        for (text, most) in [("abcdefgh", 3), ("日本語日本語", 5), ("", 4), ("x", 1)] {
            let lines = wrapped(text, most);
            assert!(lines.iter().all(|line| width(line) <= most.max(2)), "{lines:?}");
            assert_eq!(lines.concat(), text);
        }
    }
}
