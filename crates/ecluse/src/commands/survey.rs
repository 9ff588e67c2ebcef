//! `ecluse survey`: the catalogue, under a mandate; makes the dictionary.

use ecluse_core::count::{number, plural};
use ecluse_core::dictionary;
use ecluse_core::fault::{Code, Result};
use ecluse_core::mandate::Mandate;
use ecluse_core::plain::shown;
use ecluse_flow::ports::Scope;
use serde_json::json;

use super::{Here, mandate};
use crate::cli::SurveyArgs;
use crate::connections::{self, End};
use crate::output;
use crate::papers::{Paper, standing};
use crate::{connect, folder, products};

/// Nothing to survey is mostly the wrong database, or an account that may see none of it.
static EMPTY: Code = Code::refused("ECL-CLI-043", "the survey found no table");

/// Columns of a type that does not move, by name; the dictionary has all.
const NAMED: usize = 12;

/// The file's name in the migration folder.
pub(super) const FILE: &str = "dictionary.toml";

pub(super) fn run(here: &Here, args: &SurveyArgs) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, args.contract.as_deref(), here.now)?;
    if contract.header().trial && args.mandate.is_none() {
        mandate::for_trial(here, args.from.url().as_deref())?;
    }
    let paper = Paper::read(&here.folder.path(args.mandate.as_deref(), mandate::FILE), mandate::MADE_BY)?;
    let mandate = paper.judge(Mandate::in_force(&paper.bytes, &paper.signatures, &contract, here.now))?;
    let url = connect::parse(&connections::url(&here.folder, End::Source, args.from.url().as_deref())?)?;
    let mut source = connect::source(&url)?;
    let identity = source.identity()?;
    mandate.covers(url.engine(), &connect::database(&url), &identity)?;
    let catalog = source.catalog(Scope::Everything)?;
    if catalog.tables.is_empty() {
        return Err(EMPTY.fault(connect::database(&url)).help(
            "look at the name of the database in connections.toml, and whether its account may see a table",
        ));
    }
    let text = dictionary::draft(&catalog, here.now, &mandate.digest());
    let path = here.folder.path(args.output.as_deref(), FILE);
    folder::create(&path, text.as_bytes())?;
    let columns: usize = catalog.tables.iter().map(|t| t.columns.len()).sum();
    let unread: Vec<String> = catalog
        .tables
        .iter()
        .flat_map(|t| t.columns.iter().filter(|c| c.ty.is_none()).map(move |c| (t, c)))
        .map(|(table, column)| shown(&format!("{}.{} ({})", table.name, column.name, column.sql_type)))
        .collect();
    output::line(format!(
        "{}: {}, {}; names and types only, no value was read",
        path.display(),
        plural(number(catalog.tables.len()), "table", "tables"),
        plural(number(columns), "column", "columns"),
    ));
    if !unread.is_empty() {
        let more = unread.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(", and {more} more (`as = \"\"`)") };
        output::line(format!(
            "{} of a type that écluse does not move yet: {}{more}",
            plural(number(unread.len()), "column is", "columns are"),
            unread.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", "),
        ));
    }
    let product = match dictionary::parse(&text) {
        Ok(survey) => products::resembling(&survey)?,
        Err(_) => None,
    };
    if let Some((product, fit)) = &product {
        output::line(if fit.is_exact() {
            format!("It looks like {}. Its classes:", product.called())
        } else {
            format!("It looks like {}, another version than {}. What agrees:", product.title, product.version)
        });
        output::line(format!("  ecluse dictionary use {}", product.id()));
    }
    output::document(&json!({
        "made": path, "tables": catalog.tables.len(), "columns": columns, "unread": unread.len(), "unreadable": unread,
        "product": product.as_ref().map(|(p, fit)| json!({ "name": p.id(), "differences": fit.differences.len() })),
    }));
    Ok(())
}
