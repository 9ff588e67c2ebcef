//! A report that was taken away because the run went on: whoever still holds the page must learn of it.

use std::path::Path;

use ecluse_adapters::folder;
use ecluse_core::fault::Result;
use ecluse_core::language::Language;

use crate::output;

/// Tells it, where there is one.
///
/// # Errors
///
/// The run folder's.
pub(crate) fn told(run: &Path) -> Result<()> {
    if let Some(words) = words(run, Language::English)? {
        let sentence = words.replacen("the report", "The report", 1);
        output::line(format!("{sentence}; write it anew:  ecluse report"));
    }
    Ok(())
}

/// `the report of 2026-11-22 05:00 UTC no longer describes what stands`; `None` where a report stands, or
/// none was ever written.
///
/// # Errors
///
/// The run folder's.
pub(crate) fn words(run: &Path, lang: Language) -> Result<Option<String>> {
    Ok(folder::withdrawn(run)?.map(|at| {
        let at = lang.hour_of(&at);
        lang.of(
            format!("the report of {at} no longer describes what stands"),
            format!("le rapport du {at} ne décrit plus ce qui est en place"),
        )
    }))
}
