//! The leave to look, and what was looked at.

use ecluse_core::count::{number, plural};
use ecluse_core::dictionary;
use ecluse_core::mandate::Mandate;
use jiff::Timestamp;

use super::{Found, LAB, Seen, YOU, missing, refused};
use crate::commands::mandate;
use crate::folder::Folder;
use crate::papers::{Paper, quietly};

pub(super) fn survey(folder: &Folder, trial: bool, now: Timestamp, seen: &Seen) -> Found {
    if folder.has("dictionary.toml") {
        let read = Paper::read(&folder.path(None, "dictionary.toml"), "")
            .and_then(|p| quietly(|| p.judge(dictionary::parse(p.text()))));
        return match read {
            Ok(d) => {
                let columns: usize = d.tables.iter().map(|t| t.columns.len()).sum();
                Found::Done(format!(
                    "{}, {}, catalogue only",
                    plural(number(d.tables.len()), "table", "tables"),
                    plural(number(columns), "column", "columns"),
                ))
            }
            Err(fault) => refused(&fault, YOU, "ecluse instruction check"),
        };
    }
    if trial {
        return missing(
            "not done yet",
            YOU,
            &["Read the source's catalogue (names and types, no value):  ecluse survey"],
        );
    }
    if !folder.has(mandate::FILE) || mandate::is_template(&folder.path(None, mandate::FILE)) {
        return missing(
            "no mandate yet",
            YOU,
            &[
                "Say why the laboratory lets you look, under `purpose` in mandate.toml; then fill in the rest:",
                "  ecluse mandate new",
            ],
        );
    }
    let Some(contract) = &seen.contract else { return missing("no contract", YOU, &[]) };
    let mandate = Paper::read(&folder.path(None, "mandate.toml"), "")
        .and_then(|p| quietly(|| p.judge(Mandate::in_force(&p.bytes, &p.signatures, contract, now))));
    match mandate {
        Ok(_) => missing("the mandate is signed", YOU, &["ecluse survey"]),
        Err(fault) => refused(&fault, LAB, "ecluse mandate verify; to sign: ecluse mandate sign --key FILE"),
    }
}
