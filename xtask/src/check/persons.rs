//! Only invented patients: no number in the repository is a French national identifier (NIR) with its right
//! key, but for the numbers that were made for tests.
//!
//! A NIR is 13 characters (sex, year, month, department, commune, order) and a key of two digits,
//! 97 − (number mod 97) (CSS art. R.115-1). A random number of that form has the right key once in 97.

use ecluse_testkit::laboratory::nir_key;

/// The ANS's published test identity (« Exemples INS »): the one number that may stand here with its key.
const INVENTED: &[&str] = &["2790351215189"];

/// Numbers of a page or a source that could be a person's.
pub(super) fn findings(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if identifiers(line) > 0 {
            found.push(format!("{name}:{}: a national identifier with its right key", number + 1));
        }
    }
    found
}

/// How many runs of 15 characters, blanks between its groups left out, are a NIR with its right key.
fn identifiers(line: &str) -> usize {
    let grouped: String = line.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '.')).collect();
    let words = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| is_identifier(word)).count()
    };
    // as one word, or in groups: 2 79 03 51 215 189 89
    words(line).max(words(&grouped))
}

fn is_identifier(word: &str) -> bool {
    let Some((number, key)) = word.split_at_checked(13) else { return false };
    let month = number.get(3..5).and_then(|month| month.parse::<u8>().ok());
    key.len() == 2
        && key.bytes().all(|b| b.is_ascii_digit())
        && number.starts_with(['1', '2'])
        // 20 and more: the month is not known
        && month.is_some_and(|month| (1..=12).contains(&month) || (20..=42).contains(&month) || month >= 50)
        && nir_key(number).is_some_and(|right| key.parse() == Ok(right))
        && !INVENTED.contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number that is nobody's, with its key: made here, so that it stands nowhere.
    fn made(number: &str) -> String {
        format!("{number}{:02}", nir_key(number).unwrap())
    }

    // proves: SEC-08
    #[test]
    fn a_number_that_could_be_a_persons_is_found_and_the_repository_holds_none() {
        for number in ["1850275123456", "2990113001001", "185022A123456", "2631275000999"] {
            let right = made(number);
            assert_eq!(findings("x.sql", &format!("insert into p values ('{right}');")).len(), 1, "{number}");
            let (head, key) = right.split_at(13);
            let mut left = right.as_str();
            let mut groups = Vec::new();
            for length in [1, 2, 2, 2, 3, 3, 2] {
                let (group, rest) = left.split_at(length);
                groups.push(group);
                left = rest;
            }
            let grouped = groups.join(" ");
            assert_eq!(findings("x.md", &grouped).len(), 1, "{number} in groups");
            let wrong = format!("{head}{:02}", (key.parse::<u8>().unwrap() + 1) % 97);
            assert_eq!(findings("x.md", &wrong), Vec::<String>::new(), "another key");
        }
        assert_eq!(findings("x.rs", &made(INVENTED[0])), Vec::<String>::new(), "the published test identity");
        assert_eq!(super::super::pages::findings().unwrap(), Vec::<String>::new());
    }
}
