//! The script for the controller's administrator: one view per instructed table, an account
//! that can read these views and nothing else, and its removal.

use ecluse_core::fault::{Code, Result};
use ecluse_core::plan::Plan;
use ecluse_core::types::Engine;

use super::session::{Session, text};
use crate::sql;

static NO_VIEW: Code = Code::refused("ECL-SRC-214", "a planned table has no view to grant");

/// Two scripts for the administrator's own client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants {
    /// To be run once, as an administrator who may read the instructed tables.
    pub give: String,
    /// To be run when the migration is closed.
    pub take: String,
}

/// The script that makes the views and the account, and the one that removes them.
///
/// `database` holds the instructed tables; `account` and `host` name the account
/// (`host`: `localhost`, an address, `%`). The account is made locked and without a
/// password: the administrator sets one at the server's prompt, so that it stands in no file.
///
/// # Errors
///
/// `ECL-SRC-214` where a table is planned without a view; `ECL-FLT-020` where a filter has no
/// exact SQL.
pub fn grants(plan: &Plan, account: &str, host: &str, database: &str) -> Result<Grants> {
    let name = |n: &str| sql::identifier(Engine::Mariadb, n);
    let account = format!("{}@{}", name(account), name(host));
    let mut spaces: Vec<String> = Vec::new();
    let mut views = Vec::new();
    let mut rights = Vec::new();
    for table in plan.tables() {
        let view = table.view().ok_or_else(|| NO_VIEW.fault(table.source()))?;
        let (space, _) = view.split_once('.').ok_or_else(|| NO_VIEW.fault(table.source()))?;
        if !spaces.contains(&name(space)) {
            spaces.push(name(space));
        }
        let body = sql::view_body(Engine::Mariadb, table, plan, Some(database))?;
        let view = sql::view(Engine::Mariadb, view);
        views.push(format!("CREATE ALGORITHM = MERGE SQL SECURITY DEFINER VIEW {view} AS\n  {body};"));
        // SHOW VIEW shows the view's text, which is compared with this script's; no row, no other table
        rights.push(format!("GRANT SELECT, SHOW VIEW ON {view} TO {account};"));
        let base = sql::relation(Engine::Mariadb, table.source(), Some(database));
        // the columns' names and types, no row: the schema is compared at the start and the end
        rights.push(format!("GRANT REFERENCES ON {base} TO {account};"));
    }
    let create: Vec<String> =
        spaces.iter().map(|s| format!("CREATE DATABASE {s} CHARACTER SET utf8mb4;")).collect();
    let drop: Vec<String> = spaces.iter().map(|s| format!("DROP DATABASE IF EXISTS {s};")).collect();
    let give = format!(
        "-- For the controller's administrator. Read it, then run it as the account that owns the data:\n\
         -- the views read with the rights of whoever runs this.\n\
         -- Run it by `mariadb < FILE`, which ends at the first error; `source` at the prompt goes on after one.\n\
         SET NAMES utf8mb4;\n\
         -- The account first: where it exists already, nothing is made.\n\
         CREATE USER {account} ACCOUNT LOCK;\n\n\
         {}\n\n{}\n\n{}\n\n\
         -- Then set a password at the prompt, so that it stands in no file:\n\
         --   ALTER USER {account} IDENTIFIED BY '…' ACCOUNT UNLOCK;\n\
         -- The account reads these views and nothing else; écluse checks it at the start and the end of a run.\n",
        create.join("\n"),
        views.join("\n"),
        rights.join("\n"),
    );
    let take = format!(
        "-- For the controller's administrator, once the migration is closed.\n\
         DROP USER IF EXISTS {account};\n{}\n",
        drop.join("\n"),
    );
    Ok(Grants { give, take })
}

/// The databases of earlier scripts' views on which the account holds rights; `None` where it is not there,
/// or the asking account does not see it (it sees itself, and all with SELECT on `mysql`).
pub(super) fn granted(session: &mut Session, account: &str, host: &str) -> Result<Option<Vec<String>>> {
    let place = "the account's rights";
    let grantee = format!("'{account}'@'{host}'");
    let stands = "SELECT 1 FROM information_schema.user_privileges WHERE grantee = ? LIMIT 1";
    if session.rows(stands, vec![grantee.clone().into()], place)?.is_empty() {
        return Ok(None);
    }
    let schemas = "SELECT DISTINCT table_schema FROM information_schema.table_privileges \
                   WHERE grantee = ? AND table_schema REGEXP '^ecluse_[0-9a-f]{8}$' ORDER BY 1";
    let rows = session.rows(schemas, vec![grantee.into()], place)?;
    Ok(Some(rows.iter().map(|row| text(row, 0)).collect()))
}
