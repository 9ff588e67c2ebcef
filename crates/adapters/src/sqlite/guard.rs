//! The authorizer: which statements SQLite prepares for écluse at all.
//!
//! It stands inside the engine, under our own SQL: a statement that names another
//! column is refused when it is prepared, in its select list, its filter, its order
//! or a subquery. Refused, not ignored: SQLite's "ignore" answers NULL in silence.

use std::collections::BTreeSet;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Functions that statements over planned tables may call.
const FUNCTIONS: [&str; 5] = ["count", "glob", "length", "substr", "typeof"];

/// Statements of the catalogue, by their pragma.
const CATALOGUE: [&str; 6] =
    ["table_list", "table_xinfo", "index_list", "index_xinfo", "foreign_key_list", "encoding"];

/// What may be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Allowed {
    /// `(table, column)`, both in lower case: SQLite's names know no case.
    columns: BTreeSet<(String, String)>,
    tables: BTreeSet<String>,
    /// Planned relations that are views: what they are made of is read through them, and only so. Their
    /// text stands in the schema's digest, which the instruction cites.
    views: BTreeSet<String>,
    /// The schema's own table and the catalogue's pragmas.
    catalogue: bool,
}

impl Allowed {
    /// The catalogue and no row of any table.
    pub(super) fn catalogue() -> Self {
        Self { catalogue: true, ..Self::default() }
    }

    /// These columns of these tables.
    pub(super) fn columns<'a>(columns: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let columns: BTreeSet<_> =
            columns.into_iter().map(|(t, c)| (t.to_ascii_lowercase(), c.to_ascii_lowercase())).collect();
        let tables = columns.iter().map(|(table, _)| table.clone()).collect();
        Self { columns, tables, ..Self::default() }
    }

    /// The same, where these of the tables are views.
    pub(super) fn through(self, views: &[String]) -> Self {
        let views = views.iter().map(|view| view.to_ascii_lowercase());
        Self { views: views.filter(|view| self.tables.contains(view)).collect(), ..self }
    }

    /// The authorizer of a read-only connection.
    pub(super) fn authorize(&self, context: &AuthContext<'_>) -> Authorization {
        let known_place = matches!(context.database_name, None | Some("main"));
        let permitted = match context.accessor {
            None => self.permits(&context.action),
            // through a view or trigger nothing is read but what a planned view is made of
            Some(view) => {
                self.views.contains(&view.to_ascii_lowercase())
                    && matches!(
                        context.action,
                        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Function { .. }
                    )
            }
        };
        if known_place && permitted { Authorization::Allow } else { Authorization::Deny }
    }

    fn permits(&self, action: &AuthAction<'_>) -> bool {
        match *action {
            AuthAction::Select | AuthAction::Transaction { .. } => true,
            AuthAction::Read { table_name, column_name } => {
                let table = table_name.to_ascii_lowercase();
                if self.catalogue {
                    return matches!(table.as_str(), "sqlite_master" | "sqlite_schema");
                }
                // `count(*)` and the row's number are announced as a column without a name
                (column_name.is_empty() && self.tables.contains(&table))
                    || self.columns.contains(&(table, column_name.to_ascii_lowercase()))
            }
            AuthAction::Function { function_name } => {
                FUNCTIONS.iter().any(|f| f.eq_ignore_ascii_case(function_name))
            }
            AuthAction::Pragma { pragma_name, .. } => self.catalogue && CATALOGUE.contains(&pragma_name),
            _ => false,
        }
    }
}
