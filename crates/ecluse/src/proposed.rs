//! Which tables an order could begin with: where the dictionary's classes see patients, requests, results.

use std::cmp::Reverse;

use ecluse_core::dictionary::Table;
use ecluse_core::instruction::{beginning, weight};

/// Names of the tables that hold patients or results, the fullest first; at most so many.
pub(crate) fn about_patients(tables: &[Table], most: usize) -> Vec<&str> {
    let mut found: Vec<&Table> = tables.iter().filter(|t| weight(t) > 0).collect();
    found.sort_by_key(|t| (Reverse(t.patients), Reverse(weight(t)), t.name.value.as_str()));
    found.into_iter().take(most).map(|t| t.name.value.as_str()).collect()
}

/// The tables to begin with, as they are typed in a shell.
pub(crate) fn typed(tables: &[Table]) -> String {
    let names = beginning(tables);
    let all: Vec<String> = names.iter().map(|name| format!("--table {}", quoted(name))).collect();
    if all.is_empty() { "--table TABLE".to_owned() } else { all.join(" ") }
}

/// A name as a shell takes it: in single quotes where a sign in it could mean something there.
fn quoted(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    if plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_name_is_one_word_of_a_shell_whatever_stands_in_it() {
        for (name, typed) in [
            ("patient_data", "patient_data"),
            ("public.results", "public.results"),
            ("lab étrange", "'lab étrange'"),
            ("Relevés d'analyses", "'Relevés d'\\''analyses'"),
            ("a$(b)`c`;d", "'a$(b)`c`;d'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(name), typed);
        }
    }
}
