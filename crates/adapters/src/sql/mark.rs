//! The comment by which a later script of `ecluse grants` knows the views of an earlier one.

/// What stands as a comment at the schema or database of the views made for `account`: letters,
/// digits and `_ . - @` as they are, any other character by its number, so that it can stand
/// between quotes in any engine and two accounts never have one mark.
pub(crate) fn mark(account: &str) -> String {
    let spelt = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' | '-' | '@' => c.to_string(),
        _ => format!("+{:x}+", u32::from(c)),
    };
    format!("views of ecluse grants for {}", account.chars().map(spelt).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::mark;

    #[test]
    fn no_account_closes_the_quotes_or_takes_anothers_mark() {
        assert_eq!(mark("blis_ro"), "views of ecluse grants for blis_ro");
        for hostile in ["a' or 1=1 --", "a\\", "a`", "a b", "a+20+b", "é"] {
            let mark = mark(hostile);
            assert!(mark.is_ascii() && !mark.contains(['\'', '\\', '`', '"']), "{mark}");
        }
        assert_ne!(mark("a b"), mark("a+20+b"));
    }
}
