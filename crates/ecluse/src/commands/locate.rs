//! `ecluse locate`: from a row token back to the row, for the laboratory's eyes.

use std::io::IsTerminal as _;

use ecluse_adapters::folder::RunFolder;
use ecluse_core::fault::{Code, Result};
use ecluse_core::value::Value;
use ecluse_flow::locate::locate;

use super::Here;
use super::begun::begun;
use crate::cli::{LocateArgs, PaperArgs};
use crate::output;
use crate::ready::{self, Ends, Missing, Ready};

static NO_TERMINAL: Code = Code::refused("ECL-LOC-010", "a row's key is shown on a terminal only");

pub(super) fn run(here: &Here, args: &LocateArgs) -> Result<()> {
    let run = here.folder.path(args.run.as_deref(), "run");
    begun(&run)?;
    on_a_terminal()?;
    let papers = PaperArgs {
        from: args.from.clone(),
        identity: args.identity.clone(),
        still: args.still.clone(),
        ..PaperArgs::default()
    };
    let (ready, mut ends) = Ready::prepare(here, &papers, Missing::Refuse)?;
    let mut record = RunFolder::existing(&run, &here.journal())?;
    ready.swept(&mut record)?;
    let Ends { source, .. } = &mut ends;
    let found = ready.with_orders(|orders| {
        locate(&args.token, orders, ready.options(), source.as_mut(), &mut record, ready::world())
    })?;
    output::line(format!("table {}, shown to {}, journaled:", found.table, ready.session.operator()));
    for (column, value) in found.columns.iter().zip(&found.key.expose().0) {
        output::line(format!("  {column} = {}", words(value)));
    }
    Ok(())
}

/// A key is personal data: in a pipe or a file it would go on living.
///
/// # Errors
///
/// [`NO_TERMINAL`].
pub(super) fn on_a_terminal() -> Result<()> {
    if output::is_json() || !std::io::stdout().is_terminal() {
        return Err(NO_TERMINAL.fault("").help("run it on a terminal of the laboratory, without --json"));
    }
    Ok(())
}

/// A key's value, for that terminal.
pub(super) fn words(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) | Value::Timestamp(i) | Value::Instant(i) | Value::Time(i) => i.to_string(),
        Value::Decimal { unscaled, scale } => format!("{unscaled}e-{scale}"),
        Value::Text(t) => t.escape_debug().to_string(),
        Value::Bytes(b) => data_encoding::HEXLOWER.encode(b),
        Value::Date(d) => jiff::civil::date(1970, 1, 1)
            .checked_add(jiff::Span::new().days(*d))
            .map_or_else(|_| d.to_string(), |d| d.to_string()),
        Value::Uuid(u) => data_encoding::HEXLOWER.encode(u),
    }
}
