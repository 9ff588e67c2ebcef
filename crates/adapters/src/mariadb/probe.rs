//! What the account can do beyond its orders.
//!
//! `information_schema.columns.privileges` is what counts: the server's own sum of the
//! account's rights, its enabled roles' and PUBLIC's, per column. Rights that no column shows
//! (DELETE, FILE, EXECUTE, a role that could be taken) are asked one by one.

use std::collections::{BTreeMap, BTreeSet};

use ecluse_core::fault::Result;
use ecluse_core::plan::Plan;
use ecluse_core::types::Engine;
use ecluse_flow::erase::Needs;
use ecluse_flow::ports::Excess;

use super::session::{Session, text};
use crate::sql;

/// Schemas that MariaDB shows to everybody, or writes itself.
const BUILT_IN: &str = "('information_schema', 'performance_schema')";

/// Every excess, in a fixed order.
pub(super) fn excess(session: &mut Session, plan: &Plan, database: &str) -> Result<Vec<Excess>> {
    beyond(session, &Orders::new(plan, database))
}

/// The same of an account that erases; it needs what the script of `ecluse grants --erasing` gives, and what keeps its
/// session out of the binary log.
pub(super) fn of_eraser(session: &mut Session, needs: &Needs<'_>, database: &str) -> Result<Vec<Excess>> {
    beyond(session, &Orders::of_eraser(needs, database))
}

fn beyond(session: &mut Session, orders: &Orders) -> Result<Vec<Excess>> {
    let account = account(session)?;
    let mut found = Vec::new();
    columns(session, orders, &account, &mut found)?;
    tables(session, orders, &account, &mut found)?;
    broad(session, orders, &account, &mut found)?;
    roles(session, &account, &mut found)?;
    public(session, &mut found)?;
    routines(session, &account, &mut found)?;
    Ok(found)
}

/// What the plan allows.
#[derive(Default)]
struct Orders {
    /// `(database, view or table, column)` that may be read.
    columns: BTreeSet<(String, String, String)>,
    /// `(database, table)` whose structure may be seen.
    bases: BTreeSet<(String, String)>,
    /// `(database, view)` whose text may be seen.
    views: BTreeSet<(String, String)>,
    /// `(database, table, column)` into which one may be inserted, so that OPTIMIZE TABLE is allowed.
    anew: BTreeSet<(String, String, String)>,
    /// `(database, table)` whose rows may be deleted, and whose triggers are seen.
    erased: BTreeSet<(String, String)>,
    /// Rights on the whole server.
    server: &'static [&'static str],
}

/// What keeps a session's deletions out of the binary log.
const OUT_OF_LOG: [&str; 3] = ["BINLOG ADMIN", "PROCESS", "REPLICATION MASTER ADMIN"];

impl Orders {
    fn new(plan: &Plan, database: &str) -> Self {
        let mut orders = Self::default();
        for table in plan.tables() {
            let base = (database.to_owned(), table.source().to_owned());
            let read = match table.view().and_then(|view| view.split_once('.')) {
                Some((space, view)) => {
                    orders.views.insert((space.to_owned(), view.to_owned()));
                    (space.to_owned(), view.to_owned())
                }
                None => base.clone(),
            };
            orders
                .columns
                .extend(table.read().iter().map(|c| (read.0.clone(), read.1.clone(), c.name.clone())));
            orders.bases.insert(base);
        }
        orders
    }

    fn of_eraser(needs: &Needs<'_>, database: &str) -> Self {
        let mut orders = Self { server: &OUT_OF_LOG, ..Self::default() };
        for (table, columns) in sql::sides(needs) {
            let base = (database.to_owned(), table.clone());
            if needs.tables.contains(&table.as_str()) {
                let first = columns.first().cloned().unwrap_or_default();
                orders.anew.insert((base.0.clone(), base.1.clone(), first));
                orders.erased.insert(base.clone());
            }
            orders.columns.extend(columns.into_iter().map(|c| (base.0.clone(), base.1.clone(), c)));
            orders.bases.insert(base);
        }
        orders
    }

    /// Whether a right on a column is ordered.
    fn allow(&self, place: &(String, String, String), right: &str) -> bool {
        let table = (place.0.clone(), place.1.clone());
        match right {
            "select" => self.columns.contains(place),
            "references" => self.bases.contains(&table),
            "insert" => self.anew.contains(place),
            _ => false,
        }
    }
}

/// The account, quoted for a statement.
fn account(session: &mut Session) -> Result<String> {
    let rows = session.rows("SELECT CURRENT_USER()", Vec::new(), "rights")?;
    let whole = rows.first().map(|row| text(row, 0)).unwrap_or_default();
    let (user, host) = whole.rsplit_once('@').unwrap_or((&whole, "%"));
    Ok(format!("{}@{}", quoted(user), quoted(host)))
}

fn columns(session: &mut Session, orders: &Orders, account: &str, found: &mut Vec<Excess>) -> Result<()> {
    let sql = format!(
        "SELECT table_schema, table_name, column_name, privileges FROM information_schema.columns \
         WHERE table_schema NOT IN {BUILT_IN} ORDER BY table_schema, table_name, ordinal_position"
    );
    // (database, table, right) → columns
    let mut excess: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
    for row in session.rows(&sql, Vec::new(), "rights")? {
        let place = (text(&row, 0), text(&row, 1), text(&row, 2));
        for right in text(&row, 3).split(',').filter(|r| !r.is_empty()) {
            if !orders.allow(&place, right) {
                let key = (place.0.clone(), place.1.clone(), right.to_owned());
                excess.entry(key).or_default().push(place.2.clone());
            }
        }
    }
    let whole = granted(
        session,
        "SELECT table_schema, table_name, privilege_type, '' FROM information_schema.table_privileges",
    )?;
    let single = granted(
        session,
        "SELECT table_schema, table_name, privilege_type, column_name FROM information_schema.column_privileges",
    )?;
    for ((database, table, right), columns) in excess {
        let verb = match right.as_str() {
            "select" => "read",
            "references" => "see the structure of",
            "insert" => "insert into",
            "update" => "update",
            other => other,
        };
        let on = format!("{}.{}", quoted(&database), quoted(&table));
        let key = (database.clone(), table.clone(), right.to_uppercase());
        // elsewhere (a database, the server, a role, PUBLIC) the right is named there, with its remedy
        let remedy = match (whole.get(&key), single.get(&key)) {
            (Some(_), _) => format!("REVOKE {} ON {on} FROM {account};", key.2),
            (None, Some(own)) => {
                let own: Vec<String> =
                    own.iter().filter(|c| columns.contains(c)).map(|c| quoted(c)).collect();
                format!("REVOKE {} ({}) ON {on} FROM {account};", key.2, own.join(", "))
            }
            (None, None) => String::new(),
        };
        let what =
            format!("can {verb} {database}.{table} ({} columns outside the instruction)", columns.len());
        found.push(Excess { what, remedy });
    }
    Ok(())
}

/// `(database, table, right)` → columns, of the account's own grants.
type Granted = BTreeMap<(String, String, String), Vec<String>>;

fn granted(session: &mut Session, sql: &str) -> Result<Granted> {
    let mut granted = Granted::new();
    for row in session.rows(sql, Vec::new(), "rights")? {
        granted.entry((text(&row, 0), text(&row, 1), text(&row, 2))).or_default().push(text(&row, 3));
    }
    Ok(granted)
}

/// Rights on tables that no column shows: DELETE, DROP, TRIGGER, grant option.
fn tables(session: &mut Session, orders: &Orders, account: &str, found: &mut Vec<Excess>) -> Result<()> {
    let sql = "SELECT table_schema, table_name, privilege_type, is_grantable FROM information_schema.table_privileges \
               ORDER BY table_schema, table_name, privilege_type";
    let mut passing = BTreeSet::new();
    for row in session.rows(sql, Vec::new(), "rights")? {
        let (database, table, right) = (text(&row, 0), text(&row, 1), text(&row, 2));
        let on = format!("{}.{}", quoted(&database), quoted(&table));
        let ours = right == "SHOW VIEW" && orders.views.contains(&(database.clone(), table.clone()));
        let goes = ["DELETE", "TRIGGER"].contains(&right.as_str())
            && orders.erased.contains(&(database.clone(), table.clone()));
        if !ours && !goes && !matches!(right.as_str(), "SELECT" | "INSERT" | "UPDATE" | "REFERENCES") {
            found.push(Excess {
                what: format!("has {right} on {database}.{table}"),
                remedy: format!("REVOKE {right} ON {on} FROM {account};"),
            });
        }
        if text(&row, 3) == "YES" && passing.insert(on.clone()) {
            found.push(Excess {
                what: format!("can pass its rights on {database}.{table} on to others"),
                remedy: format!("REVOKE GRANT OPTION ON {on} FROM {account};"),
            });
        }
    }
    Ok(())
}

/// Rights on the whole server (FILE, SUPER, PROCESS, replication …) and on whole databases.
fn broad(session: &mut Session, orders: &Orders, account: &str, found: &mut Vec<Excess>) -> Result<()> {
    let sql = "SELECT DISTINCT privilege_type FROM information_schema.user_privileges \
               WHERE privilege_type <> 'USAGE' ORDER BY privilege_type";
    for row in session.rows(sql, Vec::new(), "rights")? {
        let right = text(&row, 0);
        if orders.server.contains(&right.as_str()) {
            continue;
        }
        found.push(Excess {
            what: format!("has {right} on the whole server"),
            remedy: format!("REVOKE {right} ON *.* FROM {account};"),
        });
    }
    let sql = "SELECT DISTINCT table_schema, privilege_type FROM information_schema.schema_privileges \
               ORDER BY table_schema, privilege_type";
    for row in session.rows(sql, Vec::new(), "rights")? {
        let (database, right) = (text(&row, 0), text(&row, 1));
        found.push(Excess {
            what: format!("has {right} on the whole database {database}"),
            remedy: format!("REVOKE {right} ON {}.* FROM {account};", quoted(&database)),
        });
    }
    Ok(())
}

/// A role that could be taken: its rights may not be in force now and still be had.
fn roles(session: &mut Session, account: &str, found: &mut Vec<Excess>) -> Result<()> {
    let sql = "SELECT DISTINCT role_name FROM information_schema.applicable_roles ORDER BY role_name";
    for row in session.rows(sql, Vec::new(), "rights")? {
        let role = text(&row, 0);
        found.push(Excess {
            what: format!("can take the role {role}"),
            remedy: format!("REVOKE {} FROM {account};", quoted(&role)),
        });
    }
    Ok(())
}

/// What everybody may do (MariaDB 10.11 and later).
fn public(session: &mut Session, found: &mut Vec<Excess>) -> Result<()> {
    let Ok(rows) = session.rows("SHOW GRANTS FOR PUBLIC", Vec::new(), "rights") else {
        // older servers have no PUBLIC and say so as an error
        return Ok(());
    };
    for row in rows {
        let line = text(&row, 0);
        let grant = line.strip_prefix("GRANT ").and_then(|rest| rest.strip_suffix(" TO PUBLIC"));
        if let Some(grant) = grant.filter(|g| !g.starts_with("USAGE ON ")) {
            found.push(Excess {
                what: format!("has, as everybody (PUBLIC): {grant}"),
                remedy: format!("REVOKE {grant} FROM PUBLIC;"),
            });
        }
    }
    Ok(())
}

/// A routine with its definer's rights does what its definer may. Only routines that the
/// account may call are shown to it.
fn routines(session: &mut Session, account: &str, found: &mut Vec<Excess>) -> Result<()> {
    let sql = "SELECT routine_schema, routine_name, routine_type FROM information_schema.routines \
               WHERE security_type = 'DEFINER' AND routine_schema NOT IN ('mysql', 'sys') \
               ORDER BY routine_schema, routine_name";
    for row in session.rows(sql, Vec::new(), "rights")? {
        let (database, routine, kind) = (text(&row, 0), text(&row, 1), text(&row, 2));
        let place = format!("{}.{}", quoted(&database), quoted(&routine));
        found.push(Excess {
            what: format!("can call {database}.{routine} with the rights of the one who made it"),
            remedy: format!("REVOKE EXECUTE ON {kind} {place} FROM {account};"),
        });
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    sql::identifier(Engine::Mariadb, name)
}
