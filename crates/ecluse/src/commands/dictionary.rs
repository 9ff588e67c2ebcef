//! `ecluse dictionary list|show|use|new`: what is known of a product, laid over a survey.

use std::path::Path;

use ecluse_core::count::{number, plural};
use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::fault::{Code, Result};
use ecluse_core::finding;
use ecluse_core::product::{self, Fit, Named};
use ecluse_core::{digest, instruction};
use serde_json::json;

use super::{Here, survey};
use crate::cli::{NewProductArgs, ProductDictionary, UseArgs};
use crate::papers::{Paper, refusal, show, signatures_of};
use crate::{folder, output, products};

static NO_TABLE: Code = Code::usage("ECL-DIC-016", "the surveyed dictionary has no such table");
static CITED: Code = Code::refused("ECL-DIC-017", "a signed order cites the dictionary as it is");
static OTHER_PRODUCT: Code = Code::refused("ECL-DIC-019", "the survey is not of this product");
static UNWRITABLE: Code =
    Code::refused("ECL-DIC-018", "the product's classes could not be written into this dictionary");

pub(super) fn run(here: &Here, command: &ProductDictionary) -> Result<()> {
    match command {
        ProductDictionary::List => list(here),
        ProductDictionary::Show { name } => {
            let text = products::text(name)?;
            output::line(text.trim_end());
            output::document(&json!({ "name": name, "text": text }));
            Ok(())
        }
        ProductDictionary::Use(args) => apply(here, args),
        ProductDictionary::New(args) => new(here, args),
    }
}

fn list(here: &Here) -> Result<()> {
    let path = here.folder.path(None, survey::FILE);
    let surveyed = if path.exists() { Some(surveyed(&path)?.1) } else { None };
    let mut documents = Vec::new();
    for product in products::all()? {
        let fit = surveyed.as_ref().map(|survey| product::fit(&product, survey));
        let classified = plural(number(product.tables.len()), "table", "tables");
        let words = fit.as_ref().map_or_else(String::new, |fit| format!(": {}", fits(fit)));
        output::line(format!(
            "{:<16} {}, {}, {classified}{words}",
            product.id(),
            product.called(),
            product.engine
        ));
        documents.push(json!({
            "name": product.id(), "title": product.title, "version": product.version,
            "engine": product.engine.name(), "tables": product.tables.len(),
            "found": fit.as_ref().map(|f| f.found), "differences": fit.as_ref().map(|f| f.differences.len()),
        }));
    }
    output::document(&json!({ "dictionaries": documents }));
    Ok(())
}

fn fits(fit: &Fit) -> String {
    if fit.is_exact() {
        "this survey's".to_owned()
    } else if fit.resembles() {
        format!("another version's, {}", plural(number(fit.differences.len()), "difference", "differences"))
    } else {
        "not this survey's".to_owned()
    }
}

/// Lays a product's dictionary over the surveyed one. What differs is told, every time, and without
/// `--agreeing` nothing is written.
///
/// # Errors
///
/// What differs; a dictionary that a signed order cites.
pub(crate) fn apply(here: &Here, args: &UseArgs) -> Result<()> {
    let product = products::read(&args.name)?;
    let path = here.folder.path(args.dictionary.as_deref(), survey::FILE);
    let (paper, survey) = surveyed(&path)?;
    let fit = product::fit(&product, &survey);
    if product.engine == survey.engine && !fit.resembles() {
        let message = format!("{} of {} tables of {} are here", fit.found, fit.of, product.called());
        return Err(OTHER_PRODUCT.fault(message).help("ecluse dictionary list shows which one fits"));
    }
    if product.engine != survey.engine || !(fit.is_exact() || args.agreeing) {
        return Err(refusal(&path, paper.text(), &fit.differences));
    }
    uncited(here, &paper)?;
    let applied = product::apply(paper.text(), &survey, &product)
        .filter(|applied| dictionary::parse(&applied.text).is_ok())
        .ok_or_else(|| {
            UNWRITABLE.fault(path.display().to_string()).help("survey again: ecluse survey -o FILE")
        })?;
    folder::replace(&path, applied.text.as_bytes())?;
    show(&path, paper.text(), &fit.differences);
    output::line(format!(
        "{}: {} of {} as {} has them, {} added",
        path.display(),
        plural(number(applied.classified), "column", "columns"),
        plural(number(fit.found), "table", "tables"),
        product.called(),
        plural(number(applied.relations), "relation", "relations"),
    ));
    if applied.unclassified > 0 {
        output::line(format!(
            "{} in no class yet: each moves with a reason of its own, or stays",
            plural(number(applied.unclassified), "column of these tables is", "columns of these tables are")
        ));
    }
    output::document(&json!({
        "changed": path, "dictionary": product.id(), "classified": applied.classified,
        "unclassified": applied.unclassified, "relations": applied.relations,
        "differences": fit.differences.iter().map(|f| json!({ "code": f.code.id, "message": f.message })).collect::<Vec<_>>(),
    }));
    Ok(())
}

/// Refuses to change a dictionary that a signed order cites: the order would no longer stand.
fn uncited(here: &Here, dictionary: &Paper) -> Result<()> {
    let order = here.folder.path(None, super::instruction::FILE);
    if !order.exists() || folder::list(&signatures_of(&order))?.is_empty() {
        return Ok(());
    }
    let paper = Paper::read(&order, "")?;
    let digest = digest::of_bytes(&dictionary.bytes);
    match instruction::parse(paper.text()) {
        Ok(order) if order.dictionary.value != digest => Ok(()),
        _ => Err(CITED
            .fault(order.display().to_string())
            .help("a new order cites a new dictionary: set this order aside first (ecluse next)")),
    }
}

fn new(here: &Here, args: &NewProductArgs) -> Result<()> {
    let path = here.folder.path(args.dictionary.as_deref(), survey::FILE);
    let (_, survey) = surveyed(&path)?;
    if let Some(wrong) = args.tables.iter().find(|name| survey.table(name).is_none()) {
        let names = survey.tables.iter().map(|t| t.name.value.as_str());
        let help = ecluse_core::nearest::suggestion(wrong, names)
            .unwrap_or_else(|| format!("the tables are in {}", path.display()));
        return Err(NO_TABLE.fault(wrong.clone()).help(help));
    }
    let named = Named { name: &args.name, title: &args.title, version: &args.release };
    let text = product::draft(&survey, named, &args.tables);
    if let Err(findings) = product::parse(&text) {
        finding::refuse(&findings)?;
    }
    output::line(text.trim_end());
    output::document(&json!({ "name": args.name, "text": text }));
    Ok(())
}

fn surveyed(path: &Path) -> Result<(Paper, Dictionary)> {
    let paper = Paper::read(path, "ecluse survey")?;
    let dictionary = paper.judge(dictionary::parse(paper.text()))?;
    Ok((paper, dictionary))
}
