//! What is looked at before, during and after a run: is this the source that was signed
//! for, is it as it was, can its role do no more than it should, is the destination ours.

use ecluse_core::catalog::Catalog;
use ecluse_core::digest;
use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::{Expression, Plan, TablePlan};

use crate::event::{Act, Outcome};
use crate::journal::Journal;
use crate::orders::{Bound, Orders};
use crate::ports::{Destination, Excess, LedgerEntry, Scope, Source};
use crate::rights::told;
use crate::run::Options;
use crate::staged;

static OTHER_SOURCE: Code = Code::refused("ECL-RUN-001", "this is not the source that was signed for");
static OTHER_DESTINATION: Code =
    Code::refused("ECL-RUN-002", "this is not the destination that was signed for");
static DRIFT: Code =
    Code::refused("ECL-RUN-003", "the source's tables are not as they were when the instruction was signed");
static DESTINATION_DRIFT: Code = Code::refused(
    "ECL-RUN-004",
    "the destination's tables are not as they were when the instruction was signed",
);
static EXCESS: Code =
    Code::refused("ECL-RUN-005", "the source's role can do more than the instruction grants");
static WIDER: Code =
    Code::refused("ECL-ERA-051", "the account that erases can do more than the erasure needs");
static NOT_EMPTY: Code =
    Code::refused("ECL-RUN-006", "a destination table holds rows that this run did not write");
static NO_TABLE: Code =
    Code::refused("ECL-RUN-019", "what stands under a table's name at the destination is no table");
static KEY: Code = Code::refused("ECL-RUN-007", "a table's key is not moved as it is");

/// So many statements are a remedy that somebody types; more are a role to be made anew.
const FEW: usize = 5;

/// When a catalogue is compared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Start,
    UnderLock,
    End,
}

impl When {
    const fn words(self) -> &'static str {
        match self {
            Self::Start => "before the first read",
            Self::UnderLock => "under lock",
            Self::End => "at the end; what was moved stands in the ledger",
        }
    }
}

/// The source is the instance that was signed for.
pub(crate) fn source_identity(source: &mut dyn Source, signed: Bound<'_>) -> Result<()> {
    if source.identity()? == signed.identity {
        return Ok(());
    }
    Err(OTHER_SOURCE.fault("").help("connect to the database that the instruction names under [source]"))
}

/// The source's instructed tables are what they were; gives them.
pub(crate) fn source_schema(
    source: &mut dyn Source,
    plan: &Plan,
    signed: Bound<'_>,
    when: When,
) -> Result<Catalog> {
    let names: Vec<String> = plan.tables().iter().map(|t| t.source().to_owned()).collect();
    let catalog = source.catalog(Scope::Tables(&names))?;
    same(&catalog, &names, signed, &DRIFT, when)?;
    Ok(catalog)
}

/// The destination is the instance that was signed for; its tables are tables, and what they
/// were, where the instruction binds them.
pub(crate) fn destination(destination: &mut dyn Destination, plan: &Plan, signed: Bound<'_>) -> Result<()> {
    destination_identity(destination, signed)?;
    let names: Vec<String> = plan.tables().iter().map(|t| t.destination().to_owned()).collect();
    let catalog = destination.catalog(Scope::Tables(&names))?;
    // a view shows what its owner likes: a good copy, while others read the rows themselves elsewhere
    let is_table = |kind: &str| matches!(kind, "table" | "partitioned");
    if let Some(other) = catalog.tables.iter().find(|table| !is_table(&table.kind)) {
        return Err(NO_TABLE
            .fault(format!("{} ({})", other.name, other.kind))
            .help("put the table back in its place, then: ecluse reconcile"));
    }
    if signed.schema.is_empty() {
        return Ok(());
    }
    same(&catalog, &names, signed, &DESTINATION_DRIFT, When::Start)
}

/// The destination is the instance that was signed for.
pub(crate) fn destination_identity(destination: &mut dyn Destination, signed: Bound<'_>) -> Result<()> {
    if destination.identity()? == signed.identity {
        return Ok(());
    }
    Err(OTHER_DESTINATION
        .fault("")
        .help("connect to the database that the instruction names under [destination]"))
}

fn same(
    catalog: &Catalog,
    names: &[String],
    signed: Bound<'_>,
    code: &'static Code,
    when: When,
) -> Result<()> {
    if digest::of_schema(catalog, names) == signed.schema {
        return Ok(());
    }
    let missing = names.iter().find(|name| catalog.table(name).is_none());
    let place = missing.map_or_else(String::new, |name| format!("table {name} is gone; "));
    Err(code
        .fault(format!("{place}{}", when.words()))
        .help("survey again and have a new version of the instruction signed"))
}

/// Identity, schema and rights of the source, as a run and a rehearsal probe them at the start
/// and at the end. Gives what was accepted beyond the orders, in words.
pub(crate) fn probe(
    source: &mut dyn Source,
    orders: &Orders<'_>,
    reason: Option<&str>,
    when: When,
) -> Result<Vec<String>> {
    source_identity(source, orders.source)?;
    source_schema(source, orders.plan, orders.source, when)?;
    rights(source, orders.plan, reason)
}

/// What the source's role can do beyond its orders, in words; refused unless a reason was given.
pub(crate) fn rights(source: &mut dyn Source, plan: &Plan, reason: Option<&str>) -> Result<Vec<String>> {
    let excess = source.excess(plan)?;
    // a blank is nobody's reason
    if excess.is_empty() || reason.is_some_and(|reason| !reason.trim().is_empty()) {
        return Ok(excess.into_iter().map(|e| e.what).collect());
    }
    let what: Vec<&str> = excess.iter().map(|e| e.what.as_str()).collect();
    let remedy: Vec<&str> = excess.iter().map(|e| e.remedy.as_str()).filter(|r| !r.is_empty()).collect();
    // an account that an application or an administrator lives by must not lose its rights to us
    let own = if remedy.len() == excess.len() && remedy.len() <= FEW {
        format!("; if this is that role already, the administrator types: {}", remedy.join("; "))
    } else {
        String::new()
    };
    let help = format!(
        "connect with the role that `ecluse grants` makes{own}; or record why not: --accept-wider-role REASON"
    );
    Err(EXCESS.fault(told(&what).join("; ")).help(help))
}

/// What the account that erases can do beyond its need, in words; refused unless a reason was given.
pub(crate) fn of_eraser(excess: Vec<Excess>, reason: Option<&str>) -> Result<Vec<String>> {
    let excess: Vec<String> = excess.into_iter().map(|one| one.what).collect();
    if excess.is_empty() || reason.is_some_and(|reason| !reason.trim().is_empty()) {
        return Ok(excess);
    }
    Err(WIDER.fault(told(&excess).join("; ")).help(
        "nothing went; connect with the account that `ecluse grants --erasing` makes, or record why not: --accept-wider-role REASON",
    ))
}

/// What is asked of the role of whoever reads the source again after the run: the same, and
/// an override is in the journal before a row is read.
pub(crate) fn overridden(
    source: &mut dyn Source,
    plan: &Plan,
    options: Options<'_>,
    journal: &mut Journal<'_>,
    object: &str,
) -> Result<()> {
    let excess = rights(source, plan, options.override_reason)?;
    if options.without_views.is_some() || !excess.is_empty() {
        journal.note(Act::Override, object, &Outcome::Done)?;
    }
    Ok(())
}

/// The source, read again after the run: the one that was signed for, as it was, its snapshot open.
pub(crate) fn reopen<'s>(
    mut source: Box<dyn Source + 's>,
    orders: &Orders<'_>,
    options: Options<'_>,
    journal: &mut Journal<'_>,
    object: &str,
) -> Result<Box<dyn Source + 's>> {
    source_identity(source.as_mut(), orders.source)?;
    source_schema(source.as_mut(), orders.plan, orders.source, When::Start)?;
    overridden(source.as_mut(), orders.plan, options, journal, object)?;
    staged::open(source.as_mut(), orders.plan, options.frozen, journal)?;
    Ok(source)
}

/// A run writes only tables that were empty when it began: what the ledger does not have
/// is not ours to delete.
pub(crate) fn empty(destination: &mut dyn Destination, plan: &Plan, ledger: &[LedgerEntry]) -> Result<()> {
    empty_but(destination, plan, ledger, &[])
}

/// As [`empty`], for a plan of which some tables are still to be made.
pub(crate) fn empty_but(
    destination: &mut dyn Destination,
    plan: &Plan,
    ledger: &[LedgerEntry],
    missing: &[String],
) -> Result<()> {
    for table in plan.tables().iter().filter(|t| !missing.iter().any(|m| m == t.destination())) {
        let ours = ledger.iter().any(|line| line.table == table.number());
        if !ours && !destination.is_empty(table)? {
            let help = if table.shifts().is_empty() {
                "empty the table, move into another one, or give this laboratory a room there: [append] in the mapping"
            } else {
                "give this laboratory a room under [append] in which nobody has a key"
            };
            return Err(NOT_EMPTY.fault(format!("table {}", table.destination())).help(help));
        }
    }
    Ok(())
}

/// Every keyed table moves its key as it is: key ranges mean the same on both sides.
pub(crate) fn keys(plan: &Plan) -> Result<()> {
    for table in plan.tables() {
        if table.key().is_empty() {
            continue;
        }
        let as_is = table.write_key().len() == table.key().len()
            && table
                .write_key()
                .iter()
                .zip(table.key())
                .all(|(write, read)| moved_as_is(table, *write, *read));
        if !as_is {
            return Err(KEY
                .fault(format!("table {}", table.source()))
                .help("map every key column without a cast, a code table or a constant"));
        }
    }
    Ok(())
}

fn moved_as_is(table: &TablePlan, write: usize, read: usize) -> bool {
    let column = table.write().get(write).zip(table.read().get(read));
    column.is_some_and(|(w, r)| {
        w.ty == r.ty && matches!(w.from, Expression::Column(i) | Expression::Cast(i) if i == read)
    })
}
