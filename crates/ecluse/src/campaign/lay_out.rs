//! `ecluse campaign new`: the campaign's paper, then the folder of each laboratory that it lists.

use std::path::Path;

use ecluse_core::campaign::FILE;
use ecluse_core::count::{number, plural};
use ecluse_core::fault::Result;
use jiff::Timestamp;
use serde_json::json;

use super::Whole;
use crate::commands::new;
use crate::{folder, output};

/// Writes a template where there is none; else makes the folders that are missing, and leaves those
/// that are there alone.
///
/// # Errors
///
/// URLs that are none, or that hold a password; files that cannot be written.
pub(crate) fn run(root: &Path, now: Timestamp) -> Result<()> {
    let path = root.join(FILE);
    if !path.exists() {
        folder::create(&path, TEMPLATE.as_bytes())?;
        output::line(format!("{}: name the laboratories there, then once more:", path.display()));
        output::line(format!("  ecluse campaign new {}", root.display()));
        output::document(&json!({ "made": [path] }));
        return Ok(());
    }
    let whole = Whole::read(root)?;
    let mut made = Vec::new();
    for laboratory in &whole.campaign.laboratories {
        let dir = root.join(&laboratory.folder.value);
        if dir.exists() {
            continue;
        }
        let url = |url: &Option<ecluse_core::reader::Spanned<String>>| url.as_ref().map(|u| u.value.clone());
        new::laid_out(&dir, url(&laboratory.from).as_deref(), url(&laboratory.to).as_deref(), false, now)?;
        made.push(dir);
    }
    let there = whole.campaign.laboratories.len().saturating_sub(made.len());
    output::line(format!(
        "{} laid out, {} there already.",
        plural(number(made.len()), "folder", "folders"),
        there
    ));
    output::line(format!("Who has to do what:  ecluse campaign {}", root.display()));
    output::document(&json!({ "made": made, "there": there }));
    Ok(())
}

const TEMPLATE: &str = r#"# A campaign: many laboratories, each in a migration folder of its own. Nothing here is signed.

[campaign]
format = "ecluse-campaign/1"
name   = "The old system to the new one, 2026"

# What laboratories of one product begin from: the folder holds mapping.toml and codes/; the dictionary
# is one of `ecluse dictionary list`, or a file of that folder ending in .toml.
#
# [[product]]
# name       = "labbook"
# folder     = "product"
# dictionary = "labbook-3.5"

# One laboratory: its folder within this one, its legal entity, its two databases (never a password;
# a relative SQLite path is the laboratory's folder's).
#
# [[laboratory]]
# name    = "Laboratoire des Tilleuls"
# folder  = "tilleuls"
# finess  = "750000001"
# product = "labbook"
# from    = "mariadb://USER@HOST/DATABASE"
# to      = "postgresql://USER@HOST/DATABASE"
"#;
