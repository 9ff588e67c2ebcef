//! Whether two records may be one person's: the forms in which two spellings are equal.
//!
//! Names stand in a register in capitals without accents or other signs (*Référentiel national
//! d'identitovigilance*, RNIV 1, rules of entry; the traits of an INS come so from its teleservice). Where
//! records are compared, one step more is taken: a hyphen or an apostrophe is a blank, since sites write the
//! one for the other (`JEAN-PIERRE`, `Jean Pierre`; `N'GUYEN`, `NGUYEN` stay two). What is equal here may
//! be one person: a person of the laboratory says whether it is.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::ins;

/// A name in capitals, without accents, joined by single blanks; `None` where nothing of it is left.
///
/// ```
/// # use ecluse_core::same::name;
/// assert_eq!(name(" Lefèvre--d’Œuvre "), name("LEFEVRE D'OEUVRE"));
/// assert_eq!(name(" - "), None);
/// ```
#[must_use]
pub fn name(text: &str) -> Option<String> {
    // compatibility forms too: a full-width or ligatured letter is that letter
    let plain: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_uppercase)
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(letters)
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    if words.is_empty() { None } else { Some(words.join(" ")) }
}

/// What a capital stands for where Unicode does not take it apart; what is no letter or digit parts words,
/// and so does what is a letter to Unicode and an apostrophe to whoever typed it (U+02BC, U+A78C and their kin).
fn letters(c: char) -> impl Iterator<Item = char> {
    let as_text = match c {
        'Œ' => "OE",
        'Æ' => "AE",
        'Ø' => "O",
        'Ł' => "L",
        'Đ' | 'Ð' => "D",
        'Þ' => "TH",
        'Ħ' => "H",
        'ẞ' => "SS",
        _ => "",
    };
    let apostrophe = matches!(c, '\u{2b9}'..='\u{2bf}' | '\u{2c8}'..='\u{2cb}' | '\u{7f4}' | '\u{7f5}' | '\u{a78b}' | '\u{a78c}');
    let own = as_text.is_empty().then(|| if c.is_alphanumeric() && !apostrophe { c } else { ' ' });
    as_text.chars().chain(own)
}

/// A national health identity number with the authority that gave it: 13 characters and the OID. `None`
/// where the number, its key or the authority does not hold: nothing is compared by it then.
///
/// Blanks in the number do not count; the key may be absent.
#[must_use]
pub fn number(number: &str, oid: &str) -> Option<String> {
    let oid = oid.trim();
    ins::authority(oid)?;
    let whole: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    let (head, tail) = (whole.get(..13)?, whole.get(13..)?);
    let key = ins::key(head)?;
    (tail.is_empty() || tail == format!("{key:02}")).then(|| format!("{oid} {head}"))
}

/// A sex, or another word of a list, without case and blanks around it; `None` where there is none.
#[must_use]
pub fn word(text: &str) -> Option<String> {
    let word = text.trim().to_uppercase();
    if word.is_empty() { None } else { Some(word) }
}

#[cfg(test)]
mod tests {
    use super::{name, number, word};

    #[test]
    fn spellings_of_one_name_are_equal_and_of_two_are_not() {
        for (one, other) in [
            ("Hélène", "HELENE"),
            ("He\u{301}le\u{300}ne", "HÉLÈNE"),
            ("Jean-Pierre", "JEAN  PIERRE"),
            ("d’Arc", "D'ARC"),
            ("Lecœur", "LECOEUR"),
            ("Groß", "GROSS"),
            ("Łukasz", "lukasz"),
            ("Nuñez\u{a0}", "NUNEZ"),
            ("İpek", "IPEK"),
            ("\u{fb01}lippo", "FILIPPO"),
        ] {
            assert_eq!(name(one), name(other), "{one} {other}");
            assert!(name(one).is_some());
        }
        for apostrophe in "'’‘‛`´ʼʹʻʽʾʿˈˊˋ′＇ꞌꞋߴߵ᾽".chars() {
            let one = format!("N{apostrophe}Guyen d{apostrophe}Arc");
            assert_eq!(name(&one).as_deref(), Some("N GUYEN D ARC"), "{apostrophe:?}");
        }
        // an apostrophe and an n in one character
        assert_eq!(name("\u{149}Guyen").as_deref(), Some("NGUYEN"));
        for (one, other) in [("Hélène", "Hélen"), ("Jeanpierre", "Jean Pierre"), ("Martin", "Martine")] {
            assert_ne!(name(one), name(other), "{one} {other}");
        }
        for nothing in ["", "  ", "-", "'", "\u{301}"] {
            assert_eq!(name(nothing), None);
        }
    }

    #[test]
    fn a_number_is_compared_with_its_authority_and_only_where_it_holds() {
        let oid = "1.2.250.1.213.1.4.10";
        let one = number("279035121518989", oid);
        assert!(one.is_some());
        assert_eq!(one, number("2 79 03 51 215 189 89", oid));
        assert_eq!(one, number("2790351215189", oid));
        // a NIA is no NIR, a test number no real one
        assert_ne!(one, number("279035121518989", "1.2.250.1.213.1.4.8"));
        for (wrong, oid) in [
            ("279035121518988", oid),
            ("27903512151898", oid),
            ("", oid),
            ("279035121518989", ""),
            ("é", oid),
        ] {
            assert_eq!(number(wrong, oid), None, "{wrong} {oid}");
        }
    }

    #[test]
    fn words_lose_their_case_and_blanks() {
        assert_eq!(word(" f "), word("F"));
        assert_ne!(word("M"), word("F"));
        assert_eq!(word(" "), None);
    }
}
