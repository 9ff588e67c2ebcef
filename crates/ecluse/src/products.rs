//! The products' dictionaries that come with the program, and any other by its path.
//!
//! They are part of the program, so that what a signed release knows of a product is what was reviewed
//! with it, on a machine without a network too.

use std::path::Path;

use ecluse_core::dictionary::Dictionary;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::finding;
use ecluse_core::nearest::nearest;
use ecluse_core::product::{self, Fit, Product};

use crate::papers::Paper;

static NONE: Code = Code::usage("ECL-DIC-015", "no dictionary of that product comes with this version");

/// (how it is asked for, its text), by name.
pub(crate) const SHIPPED: [(&str, &str); 2] = [
    ("labbook-3.5", include_str!("../../../dictionaries/labbook-3.5.toml")),
    ("openelis-3.5", include_str!("../../../dictionaries/openelis-3.5.toml")),
];

/// The text of a shipped one.
///
/// # Errors
///
/// `ECL-DIC-015`.
pub(crate) fn text(name: &str) -> Result<&'static str> {
    SHIPPED.iter().find(|(id, _)| *id == name).map(|(_, text)| *text).ok_or_else(|| none(name))
}

/// A shipped one by its name, or one from a file by its path.
///
/// # Errors
///
/// `ECL-DIC-015`; the file's, and what is wrong with it.
pub(crate) fn read(name: &str) -> Result<Product> {
    if let Some((_, text)) = SHIPPED.iter().find(|(id, _)| *id == name) {
        return parsed(text);
    }
    if !name.ends_with(".toml") {
        return Err(none(name));
    }
    let paper = Paper::read(Path::new(name), "ecluse dictionary list")?;
    paper.judge(product::parse(paper.text()))
}

/// Every shipped one.
///
/// # Errors
///
/// What is wrong with one; a test reads them all.
pub(crate) fn all() -> Result<Vec<Product>> {
    SHIPPED.iter().map(|(_, text)| parsed(text)).collect()
}

/// The shipped one whose tables the survey has most of, if it looks like a version of that product.
///
/// # Errors
///
/// As [`all`].
pub(crate) fn resembling(survey: &Dictionary) -> Result<Option<(Product, Fit)>> {
    let fits = all()?.into_iter().map(|product| {
        let fit = product::fit(&product, survey);
        (product, fit)
    });
    Ok(fits
        .filter(|(_, fit)| fit.resembles())
        .min_by_key(|(_, fit)| (fit.differences.len(), fit.of.saturating_sub(fit.found))))
}

fn parsed(text: &str) -> Result<Product> {
    product::parse(text).map_err(|findings| finding::refuse(&findings).err().unwrap_or_else(|| none("")))
}

fn none(name: &str) -> Fault {
    let names = SHIPPED.iter().map(|(id, _)| *id);
    let help = nearest(name, names).map_or_else(
        || "ecluse dictionary list; a file of your own is named by its path, ending in .toml".to_owned(),
        |near| format!("did you mean `{near}`? ecluse dictionary list"),
    );
    NONE.fault(name).help(help)
}
