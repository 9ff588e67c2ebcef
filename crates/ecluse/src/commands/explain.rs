//! `ecluse explain CODE`: the code's page, as `docs/errors/` has it.

use ecluse_core::fault::{Code, Result};
use serde_json::json;

use crate::cli::ExplainArgs;
use crate::output;

static UNKNOWN: Code = Code::usage("ECL-CLI-005", "no such error code");

/// Sorted by code.
const PAGES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/pages.rs"));

pub(crate) fn run(args: &ExplainArgs) -> Result<()> {
    let id = args.code.to_uppercase();
    let page = PAGES.iter().find(|(code, _)| *code == id).map(|(_, page)| *page).ok_or_else(|| {
        UNKNOWN
            .fault(args.code.escape_default().to_string())
            .help("copy the code from the last line of the failure")
    })?;
    output::line(plain(page).trim_end());
    output::document(&json!({ "code": id, "page": page }));
    Ok(())
}

/// The page without its markup: what a terminal would show as stray signs.
fn plain(page: &str) -> String {
    page.lines().map(|line| line.trim_start_matches("# ").replace("**", "").replace('`', "") + "\n").collect()
}

/// A code's words, from its page's first line (`# ECL-INS-014: this column …`).
pub(crate) fn title(id: &str) -> Option<&'static str> {
    let (_, page) = PAGES.iter().find(|(code, _)| *code == id)?;
    let first = page.lines().next()?.trim_start_matches('#').trim();
    Some(first.strip_prefix(id).unwrap_or(first).trim_start_matches([':', ' ', '—', '-']).trim())
}

/// What to do about a code: the first sentence of its page's last part, without markup.
pub(crate) fn remedy(id: &str) -> Option<String> {
    let (_, page) = PAGES.iter().find(|(code, _)| *code == id)?;
    let (_, rest) = page.split_once("What to do")?;
    let rest = rest.trim_start_matches(['.', ':', '*', ' ']);
    let whole: Vec<&str> = rest.lines().next()?.split(". ").collect();
    Some(format!("{}.", whole.first()?.trim_end_matches('.')).replace('`', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_on_a_terminal_has_no_markup() {
        for (id, page) in PAGES {
            let plain = plain(page);
            assert!(plain.starts_with(id) && !plain.contains("**") && !plain.contains('`'), "{id}: {plain}");
        }
    }

    #[test]
    fn every_page_says_what_happened_and_what_to_do() {
        for (id, _) in PAGES {
            assert!(title(id).is_some_and(|t| !t.is_empty()), "{id}");
            assert!(remedy(id).is_some_and(|r| r.len() > 8), "{id}");
        }
    }
}
