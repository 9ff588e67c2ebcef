//! Puts the pages of `docs/errors/` into the binary, for `ecluse explain`.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "a build script talks to cargo so")]
fn main() -> Result<(), Box<dyn Error>> {
    let pages = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../docs/errors");
    println!("cargo::rerun-if-changed={}", pages.display());
    let mut names: Vec<_> = match fs::read_dir(&pages) {
        Ok(entries) => entries.filter_map(Result::ok).map(|entry| entry.path()).collect(),
        Err(_) => Vec::new(),
    };
    names.retain(|path| path.extension().is_some_and(|e| e == "md"));
    names.sort();
    let mut table = String::from("[\n");
    for path in &names {
        let path = path.canonicalize()?;
        let id = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        writeln!(table, "    ({id:?}, include_str!({:?})),", path.display().to_string())?;
    }
    table.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("pages.rs"), table)?;
    Ok(())
}
