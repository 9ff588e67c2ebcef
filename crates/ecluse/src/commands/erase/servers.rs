//! The look at the two databases where they are servers: which tables and columns what should be gone may stand in.

use std::cell::Cell;

use ecluse_adapters::residue::{Search, Seen};
use ecluse_adapters::url::Url;
use ecluse_core::class::Class;
use ecluse_core::count::plural;
use ecluse_core::instruction::Fate;
use jiff::civil::Date;

use crate::connect;
use crate::papers::chain::Chain;

/// What a laboratory's server may still hold of what was erased: every column but those that the order lets stay
/// (the class's fate is another than destruction, rows of the table were not ordered, or stay beside the order), and those in which
/// nothing is of a patient, by the dictionary's classes.
pub(super) fn of_source(search: &Search, url: &Url, chain: &Chain, today: Date, seen: &mut Seen) {
    let (order, left) = (chain.instruction.order(), Cell::new(0_u64));
    let stays = |class: Class| {
        let fate = order.stays.iter().find(|stay| stay.class.value == class).map(|stay| stay.fate);
        match fate {
            Some(Fate::Destroy { .. }) | None => false,
            Some(Fate::Keep { until }) => until >= today,
            Some(Fate::Return) => true,
        }
    };
    let wanted = |table: &str, column: &str| {
        let ordered = order.table(table);
        let some_rows = ordered.is_some_and(|t| t.rows.value.trim() != "true") || order.excluded.is_some();
        let known = chain.dictionary.table(table).and_then(|t| t.column(column)).map(|c| c.class);
        let nobodys =
            |class| matches!(class, Class::Technical | Class::Staff | Class::Quality | Class::Credential);
        if order.beside.iter().any(|one| one.table.value == table && one.stays_on(today)) {
            left.set(left.get() + 1);
            return false;
        }
        let goes = order.beside.iter().any(|one| one.table.value == table && one.goes());
        let wanted = !(ordered.is_some() && some_rows)
            && known.is_none_or(|class| goes || (!nobodys(class) && (ordered.is_some() || !stays(class))));
        left.set(left.get() + u64::from(!wanted));
        wanted
    };
    look(search, url, &wanted, seen);
    if left.get() > 0 {
        let columns = plural(left.get(), "column", "columns");
        seen.elsewhere
            .push(format!("{columns} whose class or whose rows stay by the order, or are no patient's"));
    }
    seen.elsewhere
        .push("the server's own files: what its logs and disks keep is listed as beyond reach".to_owned());
}

/// At the destination the values stand by right, but not in écluse's own tables.
pub(super) fn of_destination(search: &Search, url: &Url, seen: &mut Seen) {
    look(search, url, &|table, _column| table.starts_with("ecluse_"), seen);
}

fn look(search: &Search, url: &Url, wanted: &dyn Fn(&str, &str) -> bool, seen: &mut Seen) {
    if let Err(fault) = connect::look(url, search, wanted, seen) {
        seen.elsewhere.push(format!("the server: {}", fault.code().id));
    }
}
