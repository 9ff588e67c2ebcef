//! `ecluse rejected`: the rows that did not move, or not whole, for the laboratory.
//!
//! Tokens and codes say nothing of a person. Keys are shown on a terminal only, journaled before.

use ecluse_core::count::{count, number, plural};
use ecluse_core::fault::Result;
use ecluse_flow::figures::Figures;
use ecluse_flow::rejected::{Named, Rejected, rejected, shown};
use serde_json::{Value, json};

use super::locate::words;
use super::revealed::Opened;
use super::{Here, explain, identifiers};
use crate::cli::RejectedArgs;
use crate::papers::chain::Chain;
use crate::{output, ready};

pub(super) fn run(here: &Here, args: &RejectedArgs) -> Result<()> {
    let mut opened = Opened::of(here, &args.list)?;
    let Opened { figures, chain, session, identity, record } = &mut opened;
    let list = rejected(chain.instruction.digest(), identity, figures, record)?;
    if args.list.reveal {
        shown(&list, &session.header().id, record, ready::world())?;
        opened.told();
    }
    let Opened { figures, chain, .. } = &opened;
    let tell = |rows: &[Named]| rows.iter().for_each(|row| line(chain, row, args.list.reveal));
    output::line(format!("{} refused", plural(figures.refused_rows(), "row", "rows")));
    tell(&list.refused);
    beyond(list.refused_beyond);
    if !list.flawed.is_empty() || list.flawed_beyond > 0 {
        let rows = number(list.flawed.len()) + list.flawed_beyond;
        output::line(format!(
            "{} moved whose national identifier does not hold",
            plural(rows, "row", "rows")
        ));
        identifiers::lines(figures).into_iter().for_each(|line| output::line(format!("  {line}")));
        tell(&list.flawed);
        beyond(list.flawed_beyond);
    }
    output::document(&document(&list, figures));
    Ok(())
}

fn line(chain: &Chain, row: &Named, reveal: bool) {
    let title = explain::title(&row.code).unwrap_or_default();
    output::line(format!("  {}   {}   {} {}: {title}", row.row, row.table, row.code, row.place));
    if !reveal {
        return;
    }
    let surveyed = chain.dictionary.table(&row.table).map(|t| t.key.clone()).unwrap_or_default();
    let ordered = chain.instruction.order().table(&row.table).map(|t| &t.key);
    let given = ordered.into_iter().flatten().map(|column| column.value.clone()).collect();
    let columns: Vec<String> = if surveyed.is_empty() { given } else { surveyed };
    for (column, value) in columns.iter().zip(&row.key.expose().0) {
        output::line(format!("      {column} = {}", words(value)));
    }
}

fn beyond(rows: u64) {
    if rows > 0 {
        output::line(format!(
            "  and {} more that are counted only: of each table 10,000 are named, of a table without a key none",
            count(rows)
        ));
    }
}

fn document(list: &Rejected, figures: &Figures) -> Value {
    let became = |table: &str| {
        let table = figures.tables.iter().find(|t| t.source == table);
        table.map_or("", |t| t.invalid_identifiers.as_str()).to_owned()
    };
    let one =
        |row: &Named| json!({ "table": row.table, "row": row.row, "code": row.code, "place": row.place });
    let flawed = list.flawed.iter().map(|row| {
        json!({
            "table": row.table, "row": row.row, "code": row.code, "place": row.place, "became": became(&row.table),
        })
    });
    json!({
        "refused": list.refused.iter().map(one).collect::<Vec<_>>(),
        "refused_beyond": list.refused_beyond,
        "identifiers": flawed.collect::<Vec<_>>(),
        "identifiers_beyond": list.flawed_beyond,
    })
}
