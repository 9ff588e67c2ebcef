//! A draft compiled as its plan will be, before anybody signs it.

use std::collections::BTreeMap;
use std::time::Duration;

use ecluse_adapters::url::Url;
use ecluse_core::catalog::{Catalog, Column, Table};
use ecluse_core::codes::{self, CodeTable};
use ecluse_core::dictionary::Dictionary;
use ecluse_core::document::Header;
use ecluse_core::fault::{Fault, Result};
use ecluse_core::finding::Finding;
use ecluse_core::instruction::Order;
use ecluse_core::mapping::Mapping;
use ecluse_core::plan::{Drafted, Refusal, examine};
use ecluse_flow::extract::AS;

use crate::connections::{self, End};
use crate::folder::{self, Folder};
use crate::papers::quietly;
use crate::{clear, connect, ready};

/// How long the destination may take to answer: a draft is looked at while a person waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that does not hold the key that the order states, or cannot be asked for it: the plan would
/// refuse this order at this server, whenever it is asked.
const ANOTHER_SERVER: [&str; 2] = ["ECL-DST-508", "ECL-SRC-212"];

/// The papers that a draft consists of, read and not yet signed.
pub(crate) struct Draft<'a> {
    pub(crate) order: &'a Order,
    pub(crate) header: &'a Header,
    pub(crate) dictionary: &'a Dictionary,
    pub(crate) mapping: &'a Mapping,
}

/// What was found, and whether the destination was asked.
pub(crate) struct Examined {
    /// Refusals where `Err`; else what a person should know.
    pub(crate) found: std::result::Result<Vec<Finding>, Vec<Finding>>,
    /// Why the destination's own tables were not looked at; `None` where they were.
    pub(crate) alone: Option<String>,
}

/// Compiles the draft against the dictionary and, where connections.toml names a destination that answers,
/// against its tables as they are; tables that are missing are taken as `migrate --ddl` makes them. No row is
/// read, and the source is not connected to.
///
/// # Errors
///
/// A source of which the order does not say what it is (`ECL-SRC-622`, `ECL-SRC-623`); a destination that cannot be
/// the one whose key the order states (`ECL-SEC-012`, `ECL-SEC-013`, [`ANOTHER_SERVER`]): it is told no password.
pub(crate) fn examined(folder: &Folder, draft: &Draft<'_>) -> Result<Examined> {
    if let Ok(Some(url)) = connections::written(folder, End::Source)
        && let Ok(url) = connect::parse(&url)
    {
        clear::allowed(&url, &draft.order.source)?;
    }
    // no destination is named: how its tables will take the rows is told where they are loaded
    let stated = match draft.order.direct() {
        Ok(stated) => stated,
        Err(fault) => return Ok(Examined { found: alone(folder, draft), alone: Some(said(&fault)) }),
    };
    let url = match connections::url(folder, End::Destination, None).and_then(|url| connect::parse(&url)) {
        Ok(url) => Ok(ready::pinned(url, stated)?.patience(PATIENCE)),
        Err(fault) => Err(fault),
    };
    Ok(match url.and_then(|url| quietly(|| reached(folder, draft, &url))) {
        Ok(found) => Examined { found, alone: None },
        Err(fault) if stated.tls_spki.is_some() && ANOTHER_SERVER.contains(&fault.code().id) => {
            return Err(fault);
        }
        Err(fault) => Examined { found: alone(folder, draft), alone: Some(said(&fault)) },
    })
}

/// The same without a word to any server.
pub(crate) fn alone(folder: &Folder, draft: &Draft<'_>) -> std::result::Result<Vec<Finding>, Vec<Finding>> {
    let none = match draft.order.destination() {
        Some(signed) => Catalog {
            engine: signed.engine,
            database: signed.database.value.clone(),
            identity: signed.identity.value.clone(),
            tables: Vec::new(),
        },
        None => Catalog { engine: AS, database: String::new(), identity: String::new(), tables: Vec::new() },
    };
    // a table that stands there may be wider than the one that would be made: no length refuses anything
    let supposed = |table: &Table| lengths(table, &|_| None);
    compiled(folder, draft, none, &supposed)
}

fn reached(
    folder: &Folder,
    draft: &Draft<'_>,
    url: &Url,
) -> Result<std::result::Result<Vec<Finding>, Vec<Finding>>> {
    let mut destination = connect::destination(url)?;
    let catalog = ready::written_tables(draft.mapping, destination.as_mut())?;
    Ok(compiled(folder, draft, catalog, &|table| destination.supposed(table)))
}

fn compiled(
    folder: &Folder,
    draft: &Draft<'_>,
    mut destination: Catalog,
    supposed: &dyn Fn(&Table) -> Table,
) -> std::result::Result<Vec<Finding>, Vec<Finding>> {
    let codes = code_tables(folder, draft.mapping);
    let Draft { order, header, dictionary, mapping } = *draft;
    let ask = |destination: &Catalog| {
        examine(&Drafted { order, header, dictionary, mapping, codes: &codes, destination })
    };
    let findings = |refused: Refusal| refused.findings;
    let missing = match ask(&destination) {
        Err(refused) if !refused.missing.is_empty() => refused.missing,
        other => return other.map_err(findings),
    };
    // 0 is a length that the dictionary does not tell, and limits nothing
    let told = |table| lengths(table, &|length| length.filter(|most| *most > 0));
    destination.tables.extend(missing.iter().map(|table| supposed(&told(table))));
    ask(&destination).map_err(findings)
}

fn lengths(table: &Table, of: &dyn Fn(Option<u32>) -> Option<u32>) -> Table {
    let column = |column: &Column| Column { max_length: of(column.max_length), ..column.clone() };
    Table { columns: table.columns.iter().map(column).collect(), ..table.clone() }
}

/// The code tables that lie where the mapping cites them and can be read; the compiler misses the others.
fn code_tables(folder: &Folder, mapping: &Mapping) -> BTreeMap<String, CodeTable> {
    let read = |file: &str| {
        let bytes = folder::read(&folder.path(None, file), "").ok()?;
        codes::parse(std::str::from_utf8(&bytes).ok()?).ok()
    };
    mapping
        .codes
        .iter()
        .filter_map(|cited| Some((cited.name.value.clone(), read(&cited.file.value)?)))
        .collect()
}

fn said(fault: &Fault) -> String {
    format!("{} ({})", fault.code().title, fault.code().id)
}
