//! What a MariaDB source does by itself when rows go: triggers and routines, engines that keep what is deleted.

use ecluse_core::fault::{Code, Result};

use super::session::{Session, number, text};
use crate::shadows::{Trigger, Written};

static KEEPS: Code = Code::refused("ECL-ERA-028", "a table whose storage engine keeps what is deleted");
static BLIND: Code = Code::refused("ECL-ERA-029", "this account does not see the triggers of a table");

const TRIGGERS: &str = "SELECT event_object_table, trigger_name, action_statement, event_manipulation = 'DELETE' \
     FROM information_schema.triggers WHERE event_object_schema = DATABASE()";

const ROUTINES: &str = "SELECT lower(routine_name), coalesce(routine_definition, '') \
     FROM information_schema.routines WHERE routine_schema NOT IN ('mysql', 'sys')";

const TABLES: &str = "SELECT if(table_schema = DATABASE(), table_name, concat(table_schema, '.', table_name)) \
     FROM information_schema.tables WHERE table_type NOT IN ('VIEW', 'SYSTEM VIEW') \
     AND table_schema NOT IN ('mysql', 'sys', 'performance_schema')";

/// Whether the account itself was granted TRIGGER on the table, its database, or everything.
const SEES: &str = "SELECT count(*) FROM ( \
     SELECT grantee, privilege_type FROM information_schema.user_privileges UNION ALL \
     SELECT grantee, privilege_type FROM information_schema.schema_privileges \
     WHERE DATABASE() LIKE table_schema UNION ALL \
     SELECT grantee, privilege_type FROM information_schema.table_privileges \
     WHERE table_schema = DATABASE() AND table_name = ?) AS held \
     WHERE privilege_type = 'TRIGGER' AND grantee = concat('''', replace(current_user(), '@', '''@'''), '''')";

/// Whether the account itself was granted SELECT on the database, or everything.
const ALL: &str = "SELECT count(*) FROM ( \
     SELECT grantee, privilege_type FROM information_schema.user_privileges UNION ALL \
     SELECT grantee, privilege_type FROM information_schema.schema_privileges \
     WHERE DATABASE() LIKE table_schema) AS held \
     WHERE privilege_type = 'SELECT' AND grantee = concat('''', replace(current_user(), '@', '''@'''), '''')";

/// Refuses tables whose rows cannot be taken back, and those that keep deleted rows as their history.
///
/// # Errors
///
/// [`KEEPS`].
pub(super) fn engines(session: &mut Session, tables: &[&str]) -> Result<()> {
    let sql = "SELECT engine, table_type FROM information_schema.tables \
               WHERE table_schema = DATABASE() AND table_name = ?";
    for table in tables {
        let rows = session.rows(sql, vec![(*table).into()], table)?;
        let (engine, kind) = rows.first().map(|row| (text(row, 0), text(row, 1))).unwrap_or_default();
        if engine != "InnoDB" || kind != "BASE TABLE" {
            return Err(KEEPS.fault(format!("{table}: {engine}, {}", kind.to_lowercase())).help(
                "nothing went; its owner makes it InnoDB (ALTER TABLE … ENGINE = InnoDB), or drops its history (DROP SYSTEM VERSIONING)",
            ));
        }
    }
    Ok(())
}

/// Whether the account itself may read the whole database: tables are shown to whoever holds a right on them.
pub(super) fn sees_all(session: &mut Session) -> Result<bool> {
    let rows = session.rows(ALL, Vec::new(), "tables")?;
    Ok(rows.first().and_then(|row| number(row, 0)).unwrap_or(0) > 0)
}

/// The database's triggers and routines, as far as this account sees their texts.
///
/// # Errors
///
/// [`BLIND`]: triggers are shown to whoever may make them on the table; to another an empty list says nothing.
pub(super) fn written(session: &mut Session, tables: &[&str]) -> Result<Written> {
    for table in tables {
        let rows = session.rows(SEES, vec![(*table).into()], table)?;
        if rows.first().and_then(|row| number(row, 0)).unwrap_or(0) == 0 {
            return Err(BLIND
                .fault(format!("table {table}"))
                .help("GRANT TRIGGER on it: without, a trigger that copies rows elsewhere is not seen"));
        }
    }
    let mut written = Written::default();
    for row in session.rows(TRIGGERS, Vec::new(), "triggers")? {
        written.triggers.push(Trigger {
            of: text(&row, 0),
            name: text(&row, 1),
            text: Some(text(&row, 2)),
            // nothing switches a trigger off for one session
            fires: number(&row, 3) == Some(1),
        });
    }
    for row in session.rows(ROUTINES, Vec::new(), "routines")? {
        let body = Some(text(&row, 1)).filter(|body| !body.is_empty());
        written.routines.entry(text(&row, 0)).or_default().push(body);
    }
    let tables = session.rows(TABLES, Vec::new(), "tables")?;
    written.tables = tables.iter().map(|row| text(row, 0)).collect();
    Ok(written)
}
