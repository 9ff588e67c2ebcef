//! What one dossier is: the row that everything of a request hangs on, and the kinds of dossiers that
//! a rehearsal must not miss.

use toml::de::DeValue;

use super::read::{literal, word_like};
use super::{FILE, Order, TableOrder, granted};
use crate::catalog::Table;
use crate::dictionary::Dictionary;
use crate::fault::Code;
use crate::finding::Finding;
use crate::nearest::suggestion;
use crate::reader::{Fields, Reader, Spanned, as_table, as_text};

static NO_TABLE: Code =
    Code::refused("ECL-INS-023", "a dossier is looked for in a table that is not instructed");

/// What one dossier is. Chooses no row and grants nothing: it says which of the ordered rows belong
/// together, for rehearsals and comparisons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    /// The ordered table each of whose rows is one dossier: in a laboratory, the request's.
    pub table: Spanned<String>,
    /// The kinds to look for, in the document's order.
    pub kinds: Vec<Kind>,
}

/// A kind of dossier: it has a row of which the filter holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name, in the laboratory's words: `microbiology`.
    pub name: Spanned<String>,
    /// The ordered table the filter is about; the dossier's own where absent.
    pub table: Option<Spanned<String>>,
    /// The filter, in the language of `rows` without `chosen`, over granted columns.
    pub filter: Spanned<String>,
}

impl Dossier {
    /// The table a kind's filter is about.
    #[must_use]
    pub fn table_of<'a>(&'a self, kind: &'a Kind) -> &'a Spanned<String> {
        kind.table.as_ref().unwrap_or(&self.table)
    }
}

/// Reads `[dossier]` and `[dossier.kinds]`.
pub(super) fn read(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Dossier> {
    let table = t.text(r, "table");
    let kinds = t.maybe_table(r, "kinds").map(|kinds| kinds.entries()).unwrap_or_default();
    let kinds = kinds.into_iter().filter_map(|(name, value)| read_kind(r, name, value)).collect();
    t.end(r);
    Some(Dossier { table: table?, kinds })
}

fn read_kind(r: &mut Reader<'_>, name: Spanned<String>, value: &toml::Spanned<DeValue<'_>>) -> Option<Kind> {
    let name = word_like(r, name)?;
    if value.get_ref().as_str().is_some() {
        let filter = as_text(r, "kinds", value).and_then(|text| literal(r, text))?;
        return Some(Kind { name, table: None, filter });
    }
    let mut t = as_table(r, "kinds", value)?;
    let table = t.maybe_text(r, "table");
    let filter = t.text(r, "where").and_then(|text| literal(r, text));
    t.end(r);
    Some(Kind { name, table, filter: filter? })
}

/// What is wrong with `[dossier]`, judged by the dictionary; whether a kind's table is one of the
/// dossier's is the plan's to say, which knows the relations.
pub(super) fn check<'a>(order: &Order, catalog: &dyn Fn(&str) -> Option<&'a Table>) -> Vec<Finding> {
    let Some(dossier) = &order.dossier else { return Vec::new() };
    let mut findings: Vec<Finding> = ordered(order, &dossier.table).err().into_iter().collect();
    for kind in &dossier.kinds {
        match ordered(order, dossier.table_of(kind)) {
            // said once, of the dossier's own table
            Err(_) if kind.table.is_none() => {}
            Err(finding) => findings.push(finding),
            Ok(table) => findings.extend(granted(table, &kind.filter, catalog).err().unwrap_or_default()),
        }
    }
    findings
}

/// The order for a table that `[dossier]` or `[pending]` names.
#[expect(clippy::result_large_err, reason = "a finding ends the reading of an order; nothing is hot here")]
pub(crate) fn ordered<'a>(order: &'a Order, name: &Spanned<String>) -> Result<&'a TableOrder, Finding> {
    order.table(&name.value).ok_or_else(|| {
        let finding = Finding::new(&NO_TABLE, name.value.clone()).at(name.span.clone()).in_file(FILE);
        let names = order.tables.iter().map(|t| t.name.value.as_str());
        finding.help(
            suggestion(&name.value, names).unwrap_or_else(|| "name a [[table]] of the order".to_owned()),
        )
    })
}

/// What a dossier is, in the words of whoever signs: the table's label, then each kind with its name.
#[must_use]
pub fn dossiers_told<'a>(order: &'a Order, dictionary: &'a Dictionary) -> Option<(&'a str, Vec<&'a str>)> {
    let dossier = order.dossier.as_ref()?;
    let table = order.table(&dossier.table.value)?;
    let kinds = dossier.kinds.iter().map(|kind| kind.name.value.as_str()).collect();
    Some((super::label(table, dictionary), kinds))
}
