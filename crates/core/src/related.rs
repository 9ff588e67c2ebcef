//! Relations that a database does not declare, proposed by the names of its columns.
//!
//! `specimen.patient_id` leads to `patient.patient_id`, `sample.patient_id` and `sample.patientid` to
//! `patient.id`. A proposal is for a person to accept; nothing is read or checked along one before.

use std::collections::BTreeMap;

use crate::classify::split;

/// A table, as far as its names go.
#[derive(Clone, Debug)]
pub struct Shape<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its key's columns.
    pub key: &'a [String],
    /// Each column's name and type on the way.
    pub columns: Vec<(&'a str, String)>,
}

/// A column that seems to lead to another table's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposed<'a> {
    /// The column here.
    pub column: &'a str,
    /// The table there, by its place in the list.
    pub table: usize,
    /// Its key's one column.
    pub to: &'a str,
}

/// What each table's columns seem to lead to, in the tables' order. A column leads to one table at most; where
/// two would do it leads nowhere, and so does one whose type is not the key's.
#[must_use]
pub fn by_name<'a>(tables: &[Shape<'a>]) -> Vec<Vec<Proposed<'a>>> {
    let mut of_keys: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut of_names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, table) in tables.iter().enumerate() {
        let [key] = table.key else { continue };
        of_names.entry(singular(&split(table.name).concat())).or_default().push(at);
        // a key called after its table is called so where it is referred to
        if subject(key).is_some_and(|subject| subject == singular(&split(table.name).concat())) {
            of_keys.entry(key.to_lowercase()).or_default().push(at);
        }
    }
    let leads = |here: usize, column: &'a str, ty: &str| {
        let named = of_keys.get(&column.to_lowercase());
        let there = named.or_else(|| of_names.get(&subject(column)?));
        let [table] = there?.as_slice() else { return None };
        let shape = tables.get(*table).filter(|_| *table != here)?;
        let [to] = shape.key else { return None };
        let typed = shape.columns.iter().find(|(name, _)| name == to)?;
        (typed.1 == ty && !ty.is_empty()).then_some(Proposed { column, table: *table, to })
    };
    let of_table = |(here, table): (usize, &Shape<'a>)| {
        // a table's own key may be another's too (a patient is a person): that is no reference by its name
        let own = |name: &str| matches!(table.key, [key] if key == name);
        let columns = table.columns.iter().filter(|(name, _)| !own(name));
        columns.filter_map(|(name, ty)| leads(here, name, ty)).collect()
    };
    tables.iter().enumerate().map(of_table).collect()
}

/// What a column refers to by its name: `patient` for `patient_id`, `id_patient`, `PATIENTID`, `patient_uuid`.
fn subject(column: &str) -> Option<String> {
    const MARKS: [&str; 6] = ["id", "uid", "uuid", "fk", "ref", "no"];
    let words = split(column);
    let mut left: Vec<&str> = words.iter().map(String::as_str).filter(|w| !MARKS.contains(w)).collect();
    if left.len() == words.len() {
        let (last, before) = left.split_last_mut()?;
        *last = last.strip_suffix("id").filter(|rest| !rest.is_empty() || !before.is_empty())?;
    }
    let joined = left.concat();
    (!joined.is_empty()).then(|| singular(&joined))
}

/// `patients` and `patient` are one word here, `categories` and `category` too.
fn singular(word: &str) -> String {
    match (word.strip_suffix("ies"), word.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) if stem.len() > 2 => stem.to_owned(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tables of BLIS, OpenEMR and one more: name, key, columns; all numbers, but for `*`.
    const TABLES: [(&str, &str, &[&str]); 9] = [
        ("patient", "patient_id", &["patient_id", "addl_id", "created_by"]),
        ("specimen", "specimen_id", &["specimen_id", "patient_id", "specimen_type_id", "user_id"]),
        ("specimen_type", "specimen_type_id", &["specimen_type_id", "name"]),
        ("test", "test_id", &["test_id", "specimen_id", "test_type_id", "PATIENTID"]),
        ("procedure_report", "procedure_report_id", &["procedure_report_id", "procedure_order_id"]),
        ("procedure_orders", "id", &["id", "patient_id*"]),
        ("users", "id", &["id", "category_id"]),
        ("categories", "id", &["id", "parent_id"]),
        ("category", "id", &["id"]),
    ];

    #[test]
    fn a_column_called_like_another_tables_key_or_name_leads_there() {
        let keys: Vec<Vec<String>> = TABLES.iter().map(|(_, key, _)| vec![(*key).to_owned()]).collect();
        let shape = |((name, _, columns), key): (&(&'static str, _, &'static [&'static str]), _)| Shape {
            name,
            key,
            columns: columns
                .iter()
                .map(|c| (c.trim_end_matches('*'), if c.ends_with('*') { "text" } else { "int" }.to_owned()))
                .collect(),
        };
        let shapes: Vec<Shape<'_>> =
            TABLES.iter().zip(&keys).map(|(table, key)| shape((table, key.as_slice()))).collect();
        let said: Vec<Vec<String>> = by_name(&shapes)
            .iter()
            .map(|all| all.iter().map(|p| format!("{} {}.{}", p.column, TABLES[p.table].0, p.to)).collect())
            .collect();
        assert_eq!(said[0], [""; 0], "nothing is called `addl` or `created_by`");
        assert_eq!(
            said[1],
            [
                "patient_id patient.patient_id",
                "specimen_type_id specimen_type.specimen_type_id",
                "user_id users.id"
            ]
        );
        assert_eq!(said[3], ["specimen_id specimen.specimen_id", "PATIENTID patient.patient_id"]);
        assert_eq!(said[4], ["procedure_order_id procedure_orders.id"]);
        assert_eq!(said[5], [""; 0], "a text is no reference to a number");
        assert_eq!(said[6], [""; 0], "two tables would do");
        assert_eq!(said[7], [""; 0]);
    }
}
