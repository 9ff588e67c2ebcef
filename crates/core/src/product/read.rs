//! Reads a product's dictionary.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::{Column, FORMAT, Product, Relation, Table};
use crate::class::Class;
use crate::dictionary::{CODES, NO_TARGET, TWICE, WRONG_VALUE, class_of, engine_of};
use crate::finding::Finding;
use crate::reader::{Fields, Reader, Spanned, as_table, as_text};

/// Reads a product's dictionary; its mistakes of form bear the codes of a dictionary's.
///
/// # Errors
/// Everything that is wrong with it, in the order of the document.
pub fn parse(text: &str) -> Result<Product, Vec<Finding>> {
    let mut r = Reader::new(text, &CODES);
    let product = r.document().and_then(|tree| {
        let mut root = Fields::new(&tree, 0..0, String::new());
        let read = read(&mut r, &mut root);
        root.end(&mut r);
        read
    });
    if let Some(product) = &product {
        check(&mut r, product);
    }
    r.finish(product)
}

fn read(r: &mut Reader<'_>, root: &mut Fields<'_, '_>) -> Option<Product> {
    let mut head = root.table(r, "product")?;
    let format = head.text(r, "format");
    if let Some(format) = format.filter(|f| f.value != FORMAT) {
        let finding = Finding::new(&WRONG_VALUE, format!("the format `{}` is not known", format.value));
        r.find(finding.at(format.span).help(format!("this version reads {FORMAT}")));
    }
    let name = head.text(r, "name");
    let title = head.text(r, "title");
    let version = head.text(r, "version");
    let engine = head.text(r, "engine");
    head.end(r);
    let tables = root.tables(r, "table").into_iter().filter_map(|t| read_table(r, t)).collect();
    let words = root.maybe_table(r, "french").map(|words| words.entries()).unwrap_or_default();
    let mut word = |(label, said): (Spanned<String>, &toml::Spanned<DeValue<'_>>)| {
        Some((label.value, as_text(r, "french", said)?.value))
    };
    let french = words.into_iter().filter_map(&mut word).collect();
    let engine = engine_of(r, engine?)?;
    Some(Product { name: name?.value, title: title?.value, version: version?.value, engine, tables, french })
}

fn read_table(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Table> {
    let name = t.text(r, "name");
    let label = t.maybe_text(r, "label").map(|l| l.value).unwrap_or_default();
    let patients = t.flag(r, "patients");
    let columns = t.list(r, "columns");
    let columns: Vec<_> = columns.into_iter().filter_map(|v| as_table(r, "columns", v)).collect();
    let columns = columns.into_iter().filter_map(|c| read_column(r, c)).collect();
    let relations = t.tables(r, "relations").into_iter().filter_map(|f| read_relation(r, f)).collect();
    t.end(r);
    Some(Table { name: name?, label, patients, columns, relations })
}

fn read_column(r: &mut Reader<'_>, mut c: Fields<'_, '_>) -> Option<Column> {
    let name = c.text(r, "name");
    let sql_type = c.text(r, "type");
    let class = c.text(r, "class");
    let label = c.maybe_text(r, "label").map(|l| l.value).unwrap_or_default();
    c.end(r);
    let class: Class = class_of(r, class?)?;
    Some(Column { name: name?, sql_type: sql_type?.value, class, label })
}

fn read_relation(r: &mut Reader<'_>, mut f: Fields<'_, '_>) -> Option<Relation> {
    let column = f.text(r, "column");
    let table = f.text(r, "table");
    let to = f.text(r, "to");
    f.end(r);
    Some(Relation { column: column?, table: table?.value, to: to?.value })
}

/// What form alone does not show: names twice, relations that lead out of the document.
fn check(r: &mut Reader<'_>, product: &Product) {
    let mut tables = BTreeSet::new();
    for table in &product.tables {
        if !tables.insert(table.name.value.as_str()) {
            r.find(Finding::new(&TWICE, format!("table {}", table.name.value)).at(table.name.span.clone()));
        }
        let mut columns = BTreeSet::new();
        for column in &table.columns {
            if !columns.insert(column.name.value.as_str()) {
                let name = format!("column {}.{}", table.name.value, column.name.value);
                r.find(Finding::new(&TWICE, name).at(column.name.span.clone()));
            }
        }
        for relation in &table.relations {
            let here = columns.contains(relation.column.value.as_str());
            let there = product.table(&relation.table).is_some_and(|t| t.column(&relation.to).is_some());
            if !here || !there {
                let message = format!(
                    "{}.{} to {}.{}",
                    table.name.value, relation.column.value, relation.table, relation.to
                );
                r.find(Finding::new(&NO_TARGET, message).at(relation.column.span.clone()));
            }
        }
    }
}
