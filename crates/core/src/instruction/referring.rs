//! Columns that name rows which go, though no foreign key of the database need say so: the relations of the
//! dictionary, from tables beside the order too, and the order's own. Rows go of ordered tables, and of those beside
//! the order that it has destroyed with them.

use std::collections::BTreeSet;

use super::Order;
use crate::dictionary::Dictionary;

/// A column whose values name rows of an ordered table, or of one beside the order that it has destroyed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Referring {
    /// The table, by its catalogue name; ordered or not.
    pub table: String,
    /// Its column.
    pub column: String,
    /// The table of what it names.
    pub of: String,
    /// The column there.
    pub to: String,
}

/// Every one of them, each once.
#[must_use]
pub fn referring(order: &Order, dictionary: &Dictionary) -> Vec<Referring> {
    let mut all = BTreeSet::new();
    let destroyed = |of: &str| order.beside.iter().any(|one| one.goes() && one.table.value == of);
    let mut add = |table: &str, column: &str, of: &str, to: &str| {
        if order.table(of).is_some() || destroyed(of) {
            let [table, column, of, to] = [table, column, of, to].map(str::to_owned);
            all.insert(Referring { table, column, of, to });
        }
    };
    for table in &dictionary.tables {
        for relation in &table.relations {
            add(&table.name.value, &relation.column.value, &relation.table, &relation.to);
        }
    }
    for table in &order.tables {
        for relation in &table.relations {
            add(&table.name.value, &relation.column.value, &relation.table.value, &relation.to.value);
        }
    }
    for one in &order.beside {
        add(&one.table.value, &one.column.value, &one.of.value, &one.to.value);
    }
    all.into_iter().collect()
}
