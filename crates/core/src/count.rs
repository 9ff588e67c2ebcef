//! Counts as a person reads them, on every screen and page.

/// Groups digits as the reports do: `5,500,000`.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// `1 row`, `2 rows`.
#[must_use]
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// `a contract`, `an instruction`.
#[must_use]
pub fn a(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// A length as a count of rows is kept.
#[must_use]
pub fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let seen: Vec<String> = [0, 12, 999, 1_000, 65_536, 5_500_000].into_iter().map(count).collect();
        assert_eq!(seen, ["0", "12", "999", "1,000", "65,536", "5,500,000"]);
    }

    #[test]
    fn every_paper_and_role_has_its_article() {
        let seen: Vec<String> = ["instruction", "code table", "operator", "answer"].map(a).into();
        assert_eq!(seen, ["an instruction", "a code table", "an operator", "an answer"]);
    }
}
