//! What is known of the fates when a migration is to be closed.
//!
//! Only what a record of ours says counts as known. What a person does at the source, by a day that the order names, is
//! told as theirs: nobody of ours has seen it.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Fate, Order, staying};
use crate::class::Class;
use crate::dictionary::Dictionary;
use crate::erasure::Erasure;

/// A class that stays, its fate, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The class.
    pub class: Class,
    /// What the order says becomes of it.
    pub fate: Fate,
    /// What is known.
    pub known: Known,
}

/// What is known of a fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// `destroy`: all of it stood in rows that the order has erased, and the erasure's record tells of each table.
    Erased,
    /// `destroy`: the order has these tables erased, and the erasure's record does not tell of them.
    NotErased(Vec<String>),
    /// `destroy`: some or all of it stands where écluse erases nothing: a person's to destroy, by the day.
    PersonsToDestroy,
    /// `keep`: its last day has not passed.
    Kept,
    /// `keep`: its last day has passed, and it stands at the source as far as anybody here knows.
    Outlived,
    /// `return`: the laboratory's signed receipt tells, which closing asks for by itself.
    Returned,
}

/// What is known of the fate of each class of which something stays, in the order's order. `erasure` is the record that the
/// journal vouches for, `today` a day in UTC.
#[must_use]
pub fn carried(
    order: &Order,
    dictionary: &Dictionary,
    erasure: Option<&Erasure>,
    today: Date,
) -> Vec<Carried> {
    let stays = staying(order, dictionary);
    let held: BTreeSet<Class> = stays.iter().map(|column| column.class).collect();
    let of_the_order = order.stays.iter().filter(|stay| held.contains(&stay.class.value));
    let one = |class: Class, fate: Fate| match fate {
        Fate::Return => Known::Returned,
        Fate::Keep { until } if until < today => Known::Outlived,
        Fate::Keep { .. } => Known::Kept,
        Fate::Destroy { .. } => {
            let columns = || stays.iter().filter(move |column| column.class == class);
            let erased = |table: &str| order.erasure.source.is_some() && order.table(table).is_some();
            let told = |table: &str| erasure.is_some_and(|erasure| erasure.covers_source(table));
            let tables: BTreeSet<&str> = columns().map(|column| column.table.as_str()).collect();
            let untold: Vec<String> = { tables.iter() }
                .filter(|table| erased(table) && !told(table))
                .map(|table| (*table).to_owned())
                .collect();
            // a row that the order did not choose stays with what it holds
            let every = |table: &str| {
                let rows = order.table(table).is_some_and(|ordered| ordered.rows.value.trim() == "true");
                rows && order.excluded.is_none()
            };
            if !untold.is_empty() {
                Known::NotErased(untold)
            } else if tables.iter().all(|table| erased(table) && every(table)) {
                Known::Erased
            } else {
                Known::PersonsToDestroy
            }
        }
    };
    of_the_order
        .map(|stay| Carried {
            class: stay.class.value,
            fate: stay.fate,
            known: one(stay.class.value, stay.fate),
        })
        .collect()
}
