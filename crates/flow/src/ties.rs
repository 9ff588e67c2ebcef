//! What refers to rows that go: along the foreign keys that the database declares, and along the relations that the
//! papers alone know. A row that stays and names one that went would be left without its parent.

use std::fmt;

use ecluse_core::catalog::{Catalog, Column, ForeignKey};
use ecluse_core::count::plural;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::plan::Plan;
use ecluse_core::types::{Engine, Type};

use crate::erase::{Beside, Eraser, Erasing, Tied};

static REFERRED: Code = Code::refused("ECL-ERA-012", "rows that stay refer to rows that would go");
static UNSEEN: Code =
    Code::refused("ECL-ERA-050", "this account does not see what refers to rows that would go");

/// Fewer rows than this are not counted out: few of them point at somebody.
const FEW: u64 = 5;

/// A column, or several, of a table that name rows of an ordered one.
pub(crate) struct Tie {
    pub(crate) child: String,
    pub(crate) key: ForeignKey,
    /// The two sides are of types that the engine does not compare: they are compared as texts.
    pub(crate) as_text: bool,
}

/// The declared ones, and those of the papers beside them.
///
/// # Errors
///
/// [`UNSEEN`]: a table or column that the papers know is not shown to an account that is not shown everything.
pub(crate) fn all(
    plan: &Plan,
    catalog: &Catalog,
    how: Erasing<'_>,
    eraser: &mut dyn Eraser,
) -> Result<Vec<Tie>> {
    let destroyed = |name: &str| how.beside.iter().any(|one| one.goes && one.along.table == name);
    let goes = |name: &str| plan.tables().iter().any(|table| table.source() == name) || destroyed(name);
    let declared = catalog.tables.iter().flat_map(|child| {
        let keys = child.foreign_keys.iter().filter(|key| goes(&key.references));
        keys.map(|key| Tie { child: child.name.clone(), key: key.clone(), as_text: false })
    });
    let mut ties: Vec<Tie> = declared.collect();
    let mut unseen = Vec::new();
    for one in how.referring {
        let child = catalog.table(&one.table).and_then(|table| table.column(&one.column));
        let parent = catalog.table(&one.of).and_then(|table| table.column(&one.to));
        let (Some(child), Some(parent)) = (child, parent) else {
            unseen.push(format!("{}.{}", one.table, one.column));
            continue;
        };
        let key = ForeignKey {
            name: String::new(),
            columns: vec![one.column.clone()],
            references: one.of.clone(),
            referenced: vec![one.to.clone()],
        };
        if !ties.iter().any(|tie| tie.is(&one.table, &key)) {
            let as_text = as_text(catalog.engine, child, parent);
            ties.push(Tie { child: one.table.clone(), key, as_text });
        }
    }
    // to whoever is shown everything, what is not there is gone
    if !unseen.is_empty() && !eraser.sees_all()? {
        return Err(UNSEEN
            .fault(unseen.join(", "))
            .help("nothing went; the administrator runs what `ecluse grants --erasing` prints for this order, or a wider account looks"));
    }
    Ok(ties)
}

impl Tie {
    fn is(&self, child: &str, key: &ForeignKey) -> bool {
        self.child == child
            && self.key.references == key.references
            && self.key.columns == key.columns
            && self.key.referenced == key.referenced
    }

    /// Whether the order gave its rows that stay a fate: they are kept, without what they name.
    pub(crate) fn is_kept(&self, beside: &[Beside]) -> bool {
        let along = |one: &Beside| {
            let key = &self.key;
            one.along.table == self.child
                && one.along.of == key.references
                && key.columns == [one.along.column.as_str()]
                && key.referenced == [one.along.to.as_str()]
        };
        beside.iter().any(|one| !one.goes && along(one))
    }

    /// Rows that stay and lost their parent, or that the engine changed; `went`: rows of the child went between the
    /// two counts.
    pub(crate) fn left(&self, before: Tied, now: Tied, went: bool) -> Option<Left> {
        let orphaned = now.orphans.saturating_sub(before.orphans);
        let changed = if went { 0 } else { before.named.abs_diff(now.named) };
        // fewer orphans than before, while no row of the child went, are rows that the engine deleted
        let deleted = if went { 0 } else { before.orphans.saturating_sub(now.orphans) };
        let rows = orphaned.max(changed).max(deleted);
        (rows > 0).then(|| Left { child: self.child.clone(), parent: self.key.references.clone(), rows })
    }
}

/// Rows that stay and name rows that went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Their table.
    pub child: String,
    /// The table of what they name.
    pub parent: String,
    /// How many.
    pub rows: u64,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = match self.rows {
            few if few < FEW => format!("fewer than {FEW} rows"),
            rows => plural(rows, "row", "rows"),
        };
        write!(f, "table {} to {}: {rows}", self.child, self.parent)
    }
}

/// Refuses, with every table and its numbers.
pub(crate) fn referred(left: &[Left]) -> Fault {
    let told: Vec<String> = left.iter().map(Left::to_string).collect();
    REFERRED
        .fault(told.join(", "))
        .help("nothing went; move them too, have them destroyed first, or say in the order what becomes of them: [[beside]]")
}

/// Whether two columns are compared as texts: PostgreSQL compares no two types, MariaDB no two collations. Else the
/// engine's own comparison counts, as it does for the application.
fn as_text(engine: Engine, child: &Column, parent: &Column) -> bool {
    let both = |ty| child.ty == Some(ty) && parent.ty == Some(ty);
    match engine {
        Engine::Postgresql => child.sql_type != parent.sql_type && !both(Type::Int),
        Engine::Mariadb => both(Type::Text) && child.collation != parent.collation,
        Engine::Sqlite | Engine::Csv => false,
    }
}
