//! In what a laboratory's papers depart from its product's, in the words of [`crate::diff`].

use toml::{Table, Value};

use crate::dictionary::{self, Dictionary};
use crate::diff::Change;
use crate::product::{self, Product};

/// Two mappings, or two code tables: every key that says something else. Lists of tables are compared
/// by name, so that an order alone is no change; `None` where one of them is not TOML.
///
/// A code table's digest in the mapping is not listed: what changed in it stands in the table itself.
#[must_use]
pub fn document(product: &str, laboratory: &str) -> Option<Vec<Change>> {
    let (was, is): (Table, Table) = (product.parse().ok()?, laboratory.parse().ok()?);
    let mut list = Vec::new();
    tables("", &was, &is, &mut list);
    Some(list)
}

/// A surveyed dictionary beside its product's: classes, labels and relations of the product's tables.
/// What only the survey has is no departure: the product's dictionary claims to know nothing of it.
#[must_use]
pub fn dictionary(product: &Product, laboratory: &Dictionary) -> Vec<Change> {
    let mut list = Vec::new();
    for known in &product.tables {
        let place = format!("table {}", known.name.value);
        match laboratory.table(&known.name.value) {
            None => list.push(Change { field: place, was: Some(String::new()), is: None }),
            Some(surveyed) => table(&place, known, surveyed, &mut list),
        }
    }
    list
}

fn table(place: &str, known: &product::Table, surveyed: &dictionary::Table, list: &mut Vec<Change>) {
    let mut say = |what: &str, was: String, is: String| {
        if was != is {
            list.push(Change { field: format!("{place}, {what}"), was: Some(was), is: Some(is) });
        }
    };
    say("label", known.label.clone(), surveyed.label.clone());
    say("patients", known.patients.to_string(), surveyed.patients.to_string());
    for column in &known.columns {
        let name = format!("column {}", column.name.value);
        let Some(found) = surveyed.column(&column.name.value) else { continue };
        say(&format!("{name}, class"), column.class.name().to_owned(), found.class.name().to_owned());
        if !column.label.is_empty() {
            say(&format!("{name}, label"), column.label.clone(), found.label.clone());
        }
        if !column.is_of(&found.sql_type) {
            say(&format!("{name}, type"), column.sql_type.clone(), found.sql_type.clone());
        }
    }
    for column in known.columns.iter().filter(|c| surveyed.column(&c.name.value).is_none()) {
        let field = format!("{place}, column {}", column.name.value);
        list.push(Change { field, was: Some(column.class.name().to_owned()), is: None });
    }
    for column in surveyed.columns.iter().filter(|c| known.column(&c.name.value).is_none()) {
        let field = format!("{place}, column {}", column.name.value);
        list.push(Change { field, was: None, is: Some(column.class.name().to_owned()) });
    }
    let to = |column: &str, table: &str, key: &str| format!("relation {column} to {table}.{key}");
    let there: Vec<String> =
        surveyed.relations.iter().map(|r| to(&r.column.value, &r.table, &r.to)).collect();
    for relation in &known.relations {
        let words = to(&relation.column.value, &relation.table, &relation.to);
        if !there.contains(&words) {
            list.push(Change { field: format!("{place}, {words}"), was: Some(String::new()), is: None });
        }
    }
}

/// Keys of two tables, those of the first in its order, then what only the second has.
fn tables(place: &str, was: &Table, is: &Table, list: &mut Vec<Change>) {
    for (key, before) in was {
        value(&at(place, key), before, is.get(key), list);
    }
    for (key, now) in is.iter().filter(|(key, _)| !was.contains_key(*key)) {
        added(&at(place, key), now, list);
    }
}

fn at(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}, {key}") }
}

fn value(place: &str, was: &Value, is: Option<&Value>, list: &mut Vec<Change>) {
    let Some(is) = is else {
        each(place, was, &mut |field, text| {
            list.push(Change { field, was: Some(text), is: None });
        });
        return;
    };
    if place.starts_with("code_table ") && place.ends_with(", digest") {
        return;
    }
    match (was, is) {
        (Value::Table(was), Value::Table(is)) => tables(place, was, is, list),
        (Value::Array(before), Value::Array(now)) => match (named(before), named(now)) {
            (Some(before), Some(now)) => {
                for (name, table) in &before {
                    let found = now.iter().find(|(n, _)| n == name).map(|(_, table)| *table);
                    value(&format!("{place} {name}"), table, found, list);
                }
                for (name, table) in now.iter().filter(|(n, _)| before.iter().all(|(b, _)| b != n)) {
                    added(&format!("{place} {name}"), table, list);
                }
            }
            _ => changed(place, was, is, list),
        },
        _ => changed(place, was, is, list),
    }
}

fn changed(place: &str, was: &Value, is: &Value, list: &mut Vec<Change>) {
    if was != is {
        let (was, is) = (Some(was.to_string()), Some(is.to_string()));
        list.push(Change { field: place.to_owned(), was, is });
    }
}

fn added(place: &str, now: &Value, list: &mut Vec<Change>) {
    each(place, now, &mut |field, text| list.push(Change { field, was: None, is: Some(text) }));
}

/// A value that stands on one side alone: named tables one by one, a table by its name, the rest whole.
fn each(place: &str, of: &Value, say: &mut dyn FnMut(String, String)) {
    match of {
        Value::Array(items) => match named(items) {
            Some(items) => {
                for (name, _) in items {
                    say(format!("{place} {name}"), String::new());
                }
            }
            None => say(place.to_owned(), of.to_string()),
        },
        Value::Table(table) if table.contains_key("from") && table.contains_key("columns") => {
            say(place.to_owned(), String::new());
        }
        _ => say(place.to_owned(), of.to_string()),
    }
}

/// A list of tables by the name of each; `None` where they have none, or one twice.
fn named(items: &[Value]) -> Option<Vec<(String, &Value)>> {
    let key = |key: &str| {
        let names: Option<Vec<_>> =
            items.iter().map(|item| Some((item.as_table()?.get(key)?.as_str()?.to_owned(), item))).collect();
        names.filter(|names| {
            names
                .iter()
                .enumerate()
                .all(|(n, (name, _))| names.iter().take(n).all(|(other, _)| other != name))
        })
    };
    key("from").or_else(|| key("name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCT: &str = "[mapping]\nformat = \"ecluse-mapping/1\"\n\
        [[code_table]]\nname = \"sex\"\nfile = \"codes/sex.toml\"\ndigest = \"sha256:00\"\n\
        [[table]]\nfrom = \"patient\"\nto = \"person\"\n[table.columns]\nid = \"id\"\nsex = { code = \"sexe\", table = \"sex\" }\n\
        [[table]]\nfrom = \"request\"\nto = \"request\"\n[table.columns]\nid = \"id\"\n";

    fn told(laboratory: &str) -> Vec<String> {
        document(PRODUCT, laboratory).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_key_that_says_something_else_is_told_by_its_place() {
        assert_eq!(told(PRODUCT), Vec::<String>::new());
        // another digest of the same code table is told by the table itself
        assert_eq!(told(&PRODUCT.replace("sha256:00", "sha256:11")), Vec::<String>::new());
        assert_eq!(
            told(
                &PRODUCT
                    .replace("sex = { code = \"sexe\", table = \"sex\" }", "sex = \"sexe\"\nborn = \"ddn\"")
            ),
            [
                "~ table patient, columns, sex: { code = \"sexe\", table = \"sex\" } → \"sexe\"",
                "+ table patient, columns, born: \"ddn\"",
            ]
        );
        assert_eq!(
            told(&PRODUCT.replace("from = \"request\"", "from = \"demande\"")),
            ["- table request", "+ table demande"]
        );
        assert_eq!(document(PRODUCT, "[mapping"), None);
    }

    #[test]
    fn codes_are_compared_one_by_one() {
        let product = "[codes]\ntitle = \"Sex\"\n[[code]]\nfrom = \"1\"\nto = \"male\"\n[[code]]\nfrom = \"2\"\nto = \"female\"\n";
        let laboratory = product.replace("to = \"female\"", "to = \"other\"")
            + "[[code]]\nfrom = \"9\"\nto = \"unknown\"\n";
        let told: Vec<String> =
            document(product, &laboratory).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["~ code 2, to: \"female\" → \"other\"", "+ code 9: { from = \"9\", to = \"unknown\" }"]
        );
    }
}
