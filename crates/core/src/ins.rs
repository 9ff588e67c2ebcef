//! INS: the French national health identity number, checked and never repaired.
//!
//! A number is 13 characters (NIR or NIA) and a key of two digits, and counts only together with
//! the authority that gave it, an OID (ANS, *Référentiel identifiant national de santé*; CSP
//! art. L.1111-8-1). The key is `97 − (number mod 97)`, with Corsica's `2A` read as 19 and `2B`
//! as 18 (INSEE; CSS art. R.115-1). A number that fails is somebody's all the same: what becomes
//! of it the controller says, see [`crate::instruction::Invalid`].

/// The numbers that an instruction takes for valid.
///
/// A test number in a laboratory's records, or a real one on a test site, is an identity that
/// does not belong there (EXT-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Numbers {
    /// OIDs `.8` (NIR) and `.9` (NIA): patients'.
    #[default]
    Real,
    /// OIDs `.10` (test) and `.11` (demonstration): nobody's.
    Test,
}

impl Numbers {
    /// The word documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Test => "test",
        }
    }
}

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// Not 13 characters of a NIR or NIA with a key of two digits.
    Shape,
    /// The key is another number's.
    Key,
    /// The authority's OID is absent or is none of the four.
    Authority,
    /// A test number among real ones, or a real one among test numbers.
    Numbers,
    /// One of the five strict traits is missing.
    Traits,
}

const ROOT: &str = "1.2.250.1.213.1.4.";

/// Whether the OID is one of the four, and whose numbers it gives.
#[must_use]
pub fn authority(oid: &str) -> Option<Numbers> {
    match oid.strip_prefix(ROOT)? {
        "8" | "9" => Some(Numbers::Real),
        "10" | "11" => Some(Numbers::Test),
        _ => None,
    }
}

/// The key of a number's 13 characters; `None` where they are no NIR or NIA.
///
/// ```
/// // the test identity that the ANS publishes
/// assert_eq!(ecluse_core::ins::key("2790351215189"), Some(89));
/// ```
#[must_use]
pub fn key(number: &str) -> Option<u8> {
    let bytes = number.as_bytes();
    let sex = bytes.first().is_some_and(|b| matches!(b, b'1'..=b'4' | b'7' | b'8'));
    if bytes.len() != 13 || !sex {
        return None;
    }
    // the department is the only place where a letter may stand
    let digits = match number.get(5..7)? {
        "2A" => number.replacen("2A", "19", 1),
        "2B" => number.replacen("2B", "18", 1),
        _ => number.to_owned(),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    u8::try_from(97 - number % 97).ok()
}

/// Whether a number with its right key stands in a text, blanks and points in it or not.
#[must_use]
pub fn stands_in(text: &str) -> bool {
    let squeezed: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    squeezed.windows(15).filter_map(|part| std::str::from_utf8(part).ok()).any(|part| {
        let (head, tail) = (part.get(..13).unwrap_or_default(), part.get(13..).unwrap_or_default());
        key(head).is_some_and(|key| tail == format!("{key:02}"))
    })
}

/// The number with its key, 15 characters, where everything about it holds.
///
/// `key` is the key's own column, where there is one; else the number bears it. Nothing is
/// trimmed, completed or guessed.
///
/// # Errors
///
/// The first [`Flaw`], in the order of their declaration.
pub fn checked(
    number: &str,
    own_key: Option<&str>,
    oid: Option<&str>,
    wanted: Numbers,
) -> Result<String, Flaw> {
    let whole = own_key.map_or_else(|| number.to_owned(), |own| format!("{number}{own}"));
    let (Some(head), Some(tail)) = (whole.get(..13), whole.get(13..)) else { return Err(Flaw::Shape) };
    let right = key(head).ok_or(Flaw::Shape)?;
    if tail.len() != 2 || !tail.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Flaw::Shape);
    }
    if tail != format!("{right:02}") {
        return Err(Flaw::Key);
    }
    match oid.and_then(authority) {
        None => Err(Flaw::Authority),
        Some(numbers) if numbers != wanted => Err(Flaw::Numbers),
        Some(_) => Ok(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::{Flaw, Numbers, checked, key, stands_in};

    const TEST: &str = "1.2.250.1.213.1.4.10";
    const REAL: &str = "1.2.250.1.213.1.4.8";

    // proves: EXT-06
    #[test]
    fn the_published_test_identity_holds_and_any_other_key_does_not() {
        assert_eq!(
            checked("279035121518989", None, Some(TEST), Numbers::Test).as_deref(),
            Ok("279035121518989")
        );
        assert_eq!(
            checked("2790351215189", Some("89"), Some(TEST), Numbers::Test).as_deref(),
            Ok("279035121518989")
        );
        for wrong in (0..100).filter(|k| *k != 89) {
            let number = format!("2790351215189{wrong:02}");
            assert_eq!(checked(&number, None, Some(TEST), Numbers::Test), Err(Flaw::Key), "{wrong}");
        }
    }

    // proves: EXT-06
    #[test]
    fn corsica_is_read_as_19_and_18() {
        let plain = |n: u64| u8::try_from(97 - n % 97).ok();
        assert_eq!(key("279032A215189"), plain(2_790_319_215_189));
        assert_eq!(key("279032B215189"), plain(2_790_318_215_189));
        assert_ne!(key("279032A215189"), key("279032B215189"));
        // a letter stands nowhere else, and no other letter stands there
        for number in ["279032a215189", "279032C215189", "2A90351215189", "27903512151890", "979035121518 "] {
            assert_eq!(key(number), None, "{number}");
        }
    }

    // proves: EXT-06
    #[test]
    fn real_and_test_numbers_do_not_mix() {
        let number = "279035121518989";
        for (oid, wanted, holds) in [
            (REAL, Numbers::Real, true),
            ("1.2.250.1.213.1.4.9", Numbers::Real, true),
            (TEST, Numbers::Real, false),
            ("1.2.250.1.213.1.4.11", Numbers::Real, false),
            (REAL, Numbers::Test, false),
            ("1.2.250.1.213.1.4.9", Numbers::Test, false),
            (TEST, Numbers::Test, true),
            ("1.2.250.1.213.1.4.11", Numbers::Test, true),
        ] {
            let expected = if holds { Ok(number.to_owned()) } else { Err(Flaw::Numbers) };
            assert_eq!(checked(number, None, Some(oid), wanted), expected, "{oid} {wanted:?}");
        }
        for oid in [None, Some(""), Some("1.2.250.1.213.1.4.12"), Some("1.2.250.1.213.1.4.8 ")] {
            assert_eq!(checked(number, None, oid, Numbers::Real), Err(Flaw::Authority), "{oid:?}");
        }
    }

    // proves: EXT-06
    #[test]
    fn nothing_is_trimmed_or_completed() {
        for number in
            ["", "2790351215189", "27903512151898", " 279035121518989", "2 79 03 51 215 189 89", "é"]
        {
            assert_eq!(checked(number, None, Some(TEST), Numbers::Test), Err(Flaw::Shape), "{number}");
        }
        assert_eq!(checked("279035121518989", Some("89"), Some(TEST), Numbers::Test), Err(Flaw::Shape));
        assert_eq!(checked("2790351215189", Some("+9"), Some(TEST), Numbers::Test), Err(Flaw::Shape));
    }

    #[test]
    fn a_number_is_found_in_a_text_however_it_is_written() {
        for text in ["279035121518989", "on the disk of 2 79 03 51 215 189 (89)", "n°2.79.03.51.215.189.89."]
        {
            assert!(stands_in(text), "{text}");
        }
        for text in ["", "279035121518988", "disk 2790351215189, drawer 7", "é".repeat(40).as_str()] {
            assert!(!stands_in(text), "{text}");
        }
    }
}
