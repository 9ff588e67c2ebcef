//! From a row token back to the row, at the source, on the controller's premises.

use ecluse_batch::{Beginning, Keys, Token};
use ecluse_core::fault::{Code, Result};
use ecluse_core::personal::Personal;
use ecluse_core::types::Type;
use ecluse_core::value::{Key, KeyRange};

use crate::checks::{self, When};
use crate::event::Act;
use crate::journal::Journal;
use crate::orders::Orders;
use crate::ports::{Record, Source};
use crate::run::Options;
use crate::world::{ENOUGH, World};
use crate::{staged, state};

static SEVERAL: Code = Code::refused("ECL-LOC-003", "more than one row's token begins so");
static NO_ROW: Code = Code::refused("ECL-LOC-002", "no row of the source has this token");

/// A row that a token names.
#[derive(Debug)]
pub struct Located {
    /// The source table's name.
    pub table: String,
    /// The key columns' names.
    pub columns: Vec<String>,
    /// The key's values; for the controller's terminal only.
    pub key: Personal<Key>,
}

/// Finds the row of a token (`7Q4M-KD2E-…`), or of the beginning of one, at the source; journaled
/// before it is looked for.
///
/// A token cannot be turned back: every instructed row's own token is made and compared.
///
/// # Errors
///
/// `ECL-LOC-001` where it is not a token, `ECL-LOC-002` where no instructed row has it (any more),
/// `ECL-LOC-003` where the beginning is several rows'.
pub fn locate(
    token: &str,
    orders: Orders<'_>,
    options: Options<'_>,
    source: &mut dyn Source,
    record: &mut dyn Record,
    world: World<'_>,
) -> Result<Located> {
    let wanted: Beginning = token.parse()?;
    let state = state::load(&orders, record)?.ok_or_else(|| state::NONE.fault(""))?;
    let mut journal = Journal::new(record, world, orders.session);
    journal.act(Act::Locate, &state.object, |journal| {
        orders.standing()?;
        checks::source_identity(source, orders.source)?;
        checks::source_schema(source, orders.plan, orders.source, When::Start)?;
        checks::overridden(source, orders.plan, options, journal, &state.object)?;
        staged::open(source, orders.plan, options.frozen, journal)?;
        let found = search(wanted, &orders, source, &state::token_key(&state));
        staged::close(source, journal)?;
        found?.ok_or_else(|| {
            NO_ROW.fault("").help("it may have been removed at the source, or stand at the destination only")
        })
    })
}

fn search(
    wanted: Beginning,
    orders: &Orders<'_>,
    source: &mut dyn Source,
    key: &ecluse_batch::TokenKey,
) -> Result<Option<Located>> {
    let mut located: Option<Located> = None;
    for table in orders.plan.tables().iter().filter(|t| !t.key().is_empty()) {
        let types: Vec<Type> = table.read().iter().map(|c| c.ty).collect();
        let mut rows: Vec<Key> = Vec::new();
        let read = source.read(table, orders.plan, &KeyRange::default(), &mut |batch| {
            let keys = Keys::new(&batch, &types, table.key())?;
            let named = (0..batch.rows()).filter_map(|row| keys.get(row));
            rows.extend(named.filter(|row| wanted.of(Token::new(key, table.source(), row))).take(2));
            // of a whole token there is no second; of a beginning, a second is one too many
            if rows.len() > usize::from(!wanted.whole()) { Err(ENOUGH.fault("")) } else { Ok(()) }
        });
        match read {
            Err(fault) if !std::ptr::eq(fault.code(), &ENOUGH) => return Err(fault),
            Ok(()) | Err(_) => {}
        }
        for row in rows {
            if located.is_some() {
                return Err(SEVERAL.fault("").help("copy more of the token from the reconciliation"));
            }
            let name = |index: &usize| table.read().get(*index).map(|c| c.name.clone());
            located = Some(Located {
                table: table.source().to_owned(),
                columns: table.key().iter().filter_map(name).collect(),
                key: Personal::new(row),
            });
        }
        if wanted.whole() && located.is_some() {
            break;
        }
    }
    Ok(located)
}
