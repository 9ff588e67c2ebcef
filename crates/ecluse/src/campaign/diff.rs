//! `ecluse campaign diff`: in what each laboratory departs from its product, in the words of
//! `ecluse instruction diff`.

use ecluse_core::fault::Result;
use serde_json::json;

use super::inherit::kept;
use super::{Whole, product};
use crate::cli::OfLaboratories;
use crate::output;

/// Tells file by file, change by change; departures are lawful, so this ends well.
///
/// # Errors
///
/// Papers that cannot be read.
pub(crate) fn run(args: &OfLaboratories) -> Result<()> {
    let whole = Whole::read(&args.folder)?;
    let mut documents = Vec::new();
    for laboratory in whole.chosen(&args.only)? {
        let files = product::departures(&whole, laboratory)?;
        let from = laboratory.product.as_ref().map_or("no product", |product| &product.value);
        output::line(format!("{}   {}   from {from}", laboratory.name.value, laboratory.folder.value));
        for file in files.iter().flatten() {
            let on = file.inherited.as_ref().map_or_else(String::new, |on| format!(", inherited on {on}"));
            output::line(format!("  {}   {}{on}", file.file, kept(file)));
            for change in &file.changes {
                output::line(format!("    {change}"));
            }
        }
        documents.push(json!({
            "laboratory": laboratory.name.value, "folder": laboratory.folder.value,
            "product": laboratory.product.as_ref().map(|product| &product.value), "files": files,
        }));
    }
    output::document(&json!({ "laboratories": documents }));
    Ok(())
}
