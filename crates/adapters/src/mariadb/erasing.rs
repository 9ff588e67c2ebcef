//! The script for whoever erases at a MariaDB source: an account that deletes ordered rows, and sees what refers to
//! them.

use ecluse_core::types::Engine;
use ecluse_flow::erase::Needs;

use crate::sql;

/// The script that makes the account, and the one that removes it. The account is made locked and without a
/// password, as the reader's is.
///
/// Per table of which rows go: SELECT on what moved and on what is compared of it, DELETE, TRIGGER (without it its
/// triggers are not shown), and INSERT on a key's column, which OPTIMIZE TABLE demands. Per table that refers to one:
/// SELECT on the columns that do.
#[must_use]
pub fn erasing(needs: &Needs<'_>, account: &str, host: &str, database: &str) -> (String, String) {
    let name = |n: &str| sql::identifier(Engine::Mariadb, n);
    let account = format!("{}@{}", name(account), name(host));
    let mut give = format!(
        "-- For the controller's administrator, before `ecluse erase --source`. Run it by `mariadb < FILE`.\n\
         SET NAMES utf8mb4;\nCREATE USER {account} ACCOUNT LOCK;\n"
    );
    for (table, columns) in sql::sides(needs) {
        let on = sql::relation(Engine::Mariadb, &table, Some(database));
        let list: Vec<String> = columns.iter().map(|column| name(column)).collect();
        let ordered = needs.tables.contains(&table.as_str());
        // REFERENCES: structure, and foreign keys, are shown to nobody who can only read
        let more = match (ordered, list.first()) {
            (true, Some(first)) => format!(", INSERT ({first}), DELETE, TRIGGER"),
            _ => String::new(),
        };
        give.push_str(&format!(
            "GRANT SELECT ({}){more}, REFERENCES ON {on} TO {account};\n",
            list.join(", ")
        ));
    }
    give.push_str(&format!(
        "-- Where the server keeps a binary log, DELETE writes every row into it, but for a session that is kept out:\n\
         --   GRANT BINLOG ADMIN, PROCESS, REPLICATION MASTER ADMIN ON *.* TO {account};\n\
         -- Then set a password at the prompt, so that it stands in no file:\n\
         --   ALTER USER {account} IDENTIFIED BY '…' ACCOUNT UNLOCK;\n"
    ));
    let take = format!(
        "-- For the controller's administrator, once the source is erased and was looked at.\nDROP USER IF EXISTS {account};\n"
    );
    (give, take)
}
