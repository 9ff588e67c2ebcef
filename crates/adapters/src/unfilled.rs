//! Columns of a destination table that no run fills: what stands there is the engine's, until somebody works.

/// Of one table: its columns that are not written, generated ones left out.
#[derive(Debug, Default)]
pub(crate) struct Unfilled {
    /// Where a row that nobody worked on holds NULL or a constant: the column, and, in the engine's SQL,
    /// whether a row holds something else.
    pub(crate) known: Vec<(String, String)>,
    /// Where the engine gives each row a value of its own (a clock, a sequence, a trigger), or the account
    /// may not look.
    pub(crate) unseen: Vec<String>,
}

impl Unfilled {
    /// Whether a row holds something of somebody's in any of these columns; `None` where there is none.
    pub(crate) fn any(&self) -> Option<String> {
        let conditions: Vec<&str> = self.known.iter().map(|(_, worked)| worked.as_str()).collect();
        if conditions.is_empty() { None } else { Some(format!("({})", conditions.join(" OR "))) }
    }
}

/// Whether a default, as MariaDB and SQLite print it, is one literal: NULL, a number, a text, bytes, a truth
/// value. What else it could be is an expression, which may be another value for each row.
pub(crate) fn is_constant(default: &str) -> bool {
    let word = ["NULL", "TRUE", "FALSE"].iter().any(|word| default.eq_ignore_ascii_case(word));
    let unsigned = default.strip_prefix(['-', '+']).unwrap_or(default);
    let number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.parse::<f64>().is_ok_and(f64::is_finite);
    word || number || is_text(default.strip_prefix(['x', 'X', 'b', 'B']).unwrap_or(default))
}

/// One literal between quotes, and nothing behind it.
fn is_text(literal: &str) -> bool {
    let inside = literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    // a quote or a backslash of the text's own is doubled; beside another character it ends the text
    inside.is_some_and(|inside| !inside.replace("''", "").replace("\\\\", "").contains(['\'', '\\']))
}

#[cfg(test)]
mod tests {
    use super::is_constant;

    #[test]
    fn one_literal_is_a_constant_and_nothing_else_is() {
        for constant in
            ["NULL", "null", "0", "-1", "+1.5e3", "0.00", ".5", "'N'", "''", "'l''os'", "x'00'", "b'0'"]
        {
            assert!(is_constant(constant), "{constant}");
        }
        for other in [
            "",
            "current_timestamp()",
            "CURRENT_TIMESTAMP",
            "uuid()",
            "1 + 1",
            "'a' || random()",
            "\"N\"",
            "'",
            "inf",
        ] {
            assert!(!is_constant(other), "{other}");
        }
    }
}
