//! The names a filter may use: the table's own columns, and the rows chosen of other tables.

use crate::catalog::Column;
use crate::nearest::suggestion;
use crate::types::Type;

/// What a table's filter may name.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The table's columns; a filter's column is an index into them.
    pub columns: &'a [Column],
    /// The other instructed tables.
    pub chosen: &'a [Other<'a>],
}

/// Another instructed table, for `chosen.TABLE` and `chosen.TABLE.COLUMN`.
#[derive(Clone, Copy, Debug)]
pub struct Other<'a> {
    /// What [`super::Filter::Chosen`] calls it.
    pub number: usize,
    /// Its name in the instruction.
    pub name: &'a str,
    /// Its columns; `other` is an index into them.
    pub columns: &'a [Column],
    /// Its key, where that is one column: what `chosen.TABLE` alone means.
    pub key: Option<usize>,
}

impl Names<'_> {
    /// The column of that name: its index and type; else what to write instead.
    pub(super) fn column(&self, name: &str) -> Result<(usize, Option<Type>), Option<String>> {
        find(self.columns, name).ok_or_else(|| suggest(self.columns, name))
    }

    /// `TABLE` or `TABLE.COLUMN`, the table's name possibly with a point in it: number, column, type;
    /// else what is wrong, and what to write instead.
    pub(super) fn other(&self, path: &[String]) -> Result<(usize, usize, Type), (String, String)> {
        let whole = path.join(".");
        if let Some(table) = self.chosen.iter().find(|t| t.name == whole) {
            let key = table.key.and_then(|k| Some((k, table.columns.get(k)?.ty?)));
            return key.map(|(k, ty)| (table.number, k, ty)).ok_or_else(|| {
                (
                    format!("`{whole}` has no key of one column"),
                    format!("name the column: `chosen.{whole}.COLUMN`"),
                )
            });
        }
        let (column, table) =
            path.split_last().map_or(("", String::new()), |(c, t)| (c.as_str(), t.join(".")));
        match self.chosen.iter().find(|t| t.name == table) {
            Some(found) => match find(found.columns, column) {
                Some((index, Some(ty))) => Ok((found.number, index, ty)),
                Some((_, None)) => Err((
                    format!("`{table}.{column}` has a type without counterpart"),
                    "look the rows up by another column".to_owned(),
                )),
                None => Err((
                    format!("`{table}` has no column `{column}`"),
                    suggest(found.columns, column).unwrap_or_else(|| "name one of its columns".to_owned()),
                )),
            },
            None => {
                let names = self.chosen.iter().map(|t| t.name);
                Err((
                    format!(
                        "`{}` is no other table of this instruction",
                        if table.is_empty() { whole.clone() } else { table.clone() }
                    ),
                    suggestion(if table.is_empty() { &whole } else { &table }, names)
                        .unwrap_or_else(|| "name a table of the instruction".to_owned()),
                ))
            }
        }
    }
}

fn find(columns: &[Column], name: &str) -> Option<(usize, Option<Type>)> {
    columns.iter().enumerate().find(|(_, c)| c.name == name).map(|(i, c)| (i, c.ty))
}

fn suggest(columns: &[Column], name: &str) -> Option<String> {
    suggestion(name, columns.iter().map(|c| c.name.as_str()))
}
