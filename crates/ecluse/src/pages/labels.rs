//! Labels in the language of a page. A paper has one label for a thing, and it is what was signed; a product's
//! dictionary says its own English labels, and those of its worked order, in French too.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ecluse_core::dictionary::Dictionary;
use ecluse_core::instruction::Order;
use ecluse_core::language::Language;

use crate::products;

/// What labels are called on a page of one language.
#[derive(Debug, Default)]
pub(crate) struct Labels(BTreeMap<String, String>);

impl Labels {
    /// The words of every product's dictionary that comes with the program; none where the page is English.
    pub(crate) fn of(lang: Language) -> Self {
        let products = match lang {
            Language::English => Vec::new(),
            // a test reads them all
            Language::French => products::all().unwrap_or_default(),
        };
        Self(products.into_iter().flat_map(|product| product.french).collect())
    }

    /// A label as the page says it: a laboratory's own stays as it is.
    pub(crate) fn say<'a>(&'a self, label: &'a str) -> &'a str {
        self.0.get(label).map_or(label, String::as_str)
    }

    /// The order with its tables' labels as the page says them.
    pub(crate) fn order<'a>(&self, order: &'a Order) -> Cow<'a, Order> {
        if self.0.is_empty() {
            return Cow::Borrowed(order);
        }
        let mut order = order.clone();
        order.tables.iter_mut().for_each(|table| table.label = self.say(&table.label).to_owned());
        Cow::Owned(order)
    }

    /// The dictionary with the labels of tables and columns as the page says them.
    pub(crate) fn dictionary<'a>(&self, dictionary: &'a Dictionary) -> Cow<'a, Dictionary> {
        if self.0.is_empty() {
            return Cow::Borrowed(dictionary);
        }
        let mut dictionary = dictionary.clone();
        for table in &mut dictionary.tables {
            table.label = self.say(&table.label).to_owned();
            table.columns.iter_mut().for_each(|column| column.label = self.say(&column.label).to_owned());
        }
        Cow::Owned(dictionary)
    }
}
