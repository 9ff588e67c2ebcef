//! The leave to look, and what was looked at.

use ecluse_core::count::number;
use ecluse_core::dictionary;
use ecluse_core::mandate::Mandate;

use super::{At, Found, LAB, Seen, YOU, missing, refused};
use crate::commands::mandate;
use crate::papers::{Paper, quietly};

pub(super) fn survey(at: At<'_>, seen: &Seen) -> Found {
    let At { folder, trial, now, lang } = at;
    if folder.has("dictionary.toml") {
        let read = Paper::read(&folder.path(None, "dictionary.toml"), "")
            .and_then(|p| quietly(|| p.judge(dictionary::parse(p.text()))));
        return match read {
            Ok(d) => {
                let columns: usize = d.tables.iter().map(|t| t.columns.len()).sum();
                Found::Done(format!(
                    "{}, {}, {}",
                    lang.plural(number(d.tables.len()), "table", "tables"),
                    lang.plural(
                        number(columns),
                        lang.of("column", "colonne"),
                        lang.of("columns", "colonnes")
                    ),
                    lang.of("catalogue only", "catalogue seul"),
                ))
            }
            Err(fault) => refused(at, &fault, YOU, "ecluse instruction check"),
        };
    }
    if trial {
        return missing(
            lang.of("not done yet", "pas encore fait"),
            YOU,
            &["Read the source's catalogue (names and types, no value):  ecluse survey"],
        );
    }
    if !folder.has(mandate::FILE) || mandate::is_template(&folder.path(None, mandate::FILE)) {
        return missing(
            lang.of("no mandate yet", "pas encore de mandat"),
            YOU,
            &[
                "Say why the laboratory lets you look, under `purpose` in mandate.toml; then fill in the rest:",
                "  ecluse mandate new",
            ],
        );
    }
    let Some(contract) = &seen.contract else {
        return missing(lang.of("no contract", "pas de contrat"), YOU, &[]);
    };
    let mandate = Paper::read(&folder.path(None, "mandate.toml"), "")
        .and_then(|p| quietly(|| p.judge(Mandate::in_force(&p.bytes, &p.signatures, contract, now))));
    match mandate {
        Ok(_) => missing(lang.of("the mandate is signed", "le mandat est signé"), YOU, &["ecluse survey"]),
        Err(fault) => {
            refused(at, &fault, LAB, "ecluse mandate verify; to sign: ecluse mandate sign --key FILE")
        }
    }
}
