//! Lays a product's dictionary over a surveyed one, in the surveyed one's own text.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{Column, Product, Table};
use crate::class::Class;
use crate::classify::is_credential;
use crate::dictionary::Dictionary;
use crate::reader::quote;

/// A surveyed dictionary with a product's classes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The new text of `dictionary.toml`.
    pub text: String,
    /// Columns that have the product's class now.
    pub classified: usize,
    /// Columns of the product's tables that it does not know, or knows with another type.
    pub unclassified: usize,
    /// Relations that were added.
    pub relations: usize,
}

type Value<'i> = toml::Spanned<DeValue<'i>>;

/// Writes the product's classes, labels and relations into the text of a surveyed dictionary;
/// everything else stays byte for byte.
///
/// A column that the product does not know, or knows with another type, gets the class `free text`
/// and says so: it moves with a reason of its own or not at all, until somebody classifies it. `None`
/// where the text is not a dictionary's.
#[must_use]
pub fn apply(text: &str, survey: &Dictionary, product: &Product) -> Option<Applied> {
    let tree = DeTable::parse(text).ok()?;
    let tables = tree.get_ref().get("table")?.get_ref().as_array()?;
    let mut edits = Edits { list: Vec::new(), classified: 0, unclassified: 0, relations: 0 };
    for value in tables {
        let fields = value.get_ref().as_table()?;
        let name = fields.get("name")?.get_ref().as_str()?;
        if let Some(table) = product.table(name) {
            edits.table(text, fields, table, product, survey)?;
        }
    }
    let Edits { mut list, classified, unclassified, relations } = edits;
    list.sort_by_key(|(span, _)| std::cmp::Reverse((span.start, span.end)));
    let mut out = text.to_owned();
    for (span, new) in list {
        out.replace_range(span, &new);
    }
    Some(Applied { text: out, classified, unclassified, relations })
}

struct Edits {
    list: Vec<(Range<usize>, String)>,
    classified: usize,
    unclassified: usize,
    relations: usize,
}

impl Edits {
    fn table(
        &mut self,
        text: &str,
        fields: &DeTable<'_>,
        table: &Table,
        product: &Product,
        survey: &Dictionary,
    ) -> Option<()> {
        let after_name = fields.get("name")?.span().end;
        if !table.label.is_empty() {
            self.set(fields, "label", &quote(&table.label), after_name, "\n");
        }
        if table.patients || fields.get("patients").is_some() {
            self.set(fields, "patients", &table.patients.to_string(), after_name, "\n");
        }
        let columns = fields.get("columns")?;
        for value in columns.get_ref().as_array()? {
            self.column(value, table, product)?;
        }
        let new = missing(table, survey);
        if new.is_empty() {
            return Some(());
        }
        self.relations += new.len();
        match fields.get("relations") {
            Some(list) => {
                let end = list.span().end.checked_sub(1)?;
                let comma = if list.get_ref().as_array()?.is_empty() || ends_in_comma(text.get(..end)?) {
                    ""
                } else {
                    ","
                };
                let lines: String = new.iter().map(|line| format!("  {line},\n")).collect();
                let feed = if text.get(..end)?.ends_with('\n') { "" } else { "\n" };
                self.list.push((end..end, format!("{comma}{feed}{lines}")));
            }
            None => {
                let end = columns.span().end;
                let lines: String = new.iter().map(|line| format!("  {line},\n")).collect();
                self.list.push((end..end, format!("\nrelations = [\n{lines}]")));
            }
        }
        Some(())
    }

    fn column(&mut self, value: &Value<'_>, table: &Table, product: &Product) -> Option<()> {
        let fields = value.get_ref().as_table()?;
        let name = fields.get("name")?.get_ref().as_str()?;
        let sql_type = fields.get("type").and_then(|t| t.get_ref().as_str()).unwrap_or_default();
        let known = table.column(name).filter(|column| column.is_of(sql_type));
        let (class, reason, label) = match known {
            Some(Column { class, label, .. }) => {
                self.classified += 1;
                (*class, product.called(), label.as_str())
            }
            None => {
                self.unclassified += 1;
                (
                    Class::FreeText,
                    format!("not in the dictionary of {}: nobody has classified it", product.called()),
                    "",
                )
            }
        };
        // a credential by its name stays one
        let class = if is_credential(&table.name.value, name) { Class::Credential } else { class };
        let class_at = fields.get("class")?.span();
        self.list.push((class_at.clone(), quote(class.name())));
        self.set(fields, "reason", &quote(&reason), class_at.end, ", ");
        if !label.is_empty() {
            self.set(fields, "label", &quote(label), class_at.end, ", ");
        }
        Some(())
    }

    /// Replaces a key's value, or adds the key behind `after`.
    fn set(&mut self, fields: &DeTable<'_>, key: &str, new: &str, after: usize, between: &str) {
        match fields.get(key) {
            Some(value) => self.list.push((value.span(), new.to_owned())),
            None => self.list.push((after..after, format!("{between}{key} = {new}"))),
        }
    }
}

/// The product's relations that the survey lacks and both of whose ends it has, as lines.
fn missing(table: &Table, survey: &Dictionary) -> Vec<String> {
    let Some(surveyed) = survey.table(&table.name.value) else { return Vec::new() };
    let lacks = |relation: &&super::Relation| {
        let (column, to) = (&relation.column.value, &relation.to);
        let both = surveyed.column(column).is_some()
            && survey.table(&relation.table).is_some_and(|there| there.column(to).is_some());
        both && !surveyed
            .relations
            .iter()
            .any(|r| r.column.value == *column && r.table == relation.table && r.to == *to)
    };
    let line = |relation: &super::Relation| {
        format!(
            "{{ column = {}, table = {}, to = {}, given = \"engineer\" }}",
            quote(&relation.column.value),
            quote(&relation.table),
            quote(&relation.to)
        )
    };
    table.relations.iter().filter(lacks).map(line).collect()
}

fn ends_in_comma(text: &str) -> bool {
    // comments at the end of the list do not count
    let code: Vec<&str> =
        text.lines().map(|line| line.split('#').next().unwrap_or_default().trim_end()).collect();
    code.iter()
        .rev()
        .find(|line| !line.is_empty())
        .is_some_and(|line| line.ends_with(',') || line.ends_with('['))
}
