//! `[table.national_identifier]`: an INS and what belongs to it, checked before it moves.

use std::sync::Arc;

use super::{ColumnMap, Make};
use crate::finding::Finding;
use crate::reader::{Fields, Reader, Spanned};

use super::WRONG_VALUE;

/// The five strict traits of an identity: birth name, first given name, birth date, sex, birthplace.
const TRAITS: usize = 5;

/// Where an INS and its companions stand at the source, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentifierMap {
    /// The number's column.
    pub number: Spanned<String>,
    /// The key's own column, where the number does not bear it.
    pub key: Option<Spanned<String>>,
    /// The column of the authority's OID.
    pub authority: Spanned<String>,
    /// The five strict traits' columns; empty where they are not looked at.
    pub traits: Vec<Spanned<String>>,
    /// The column of the identity's status, where there is one.
    pub status: Option<Spanned<String>>,
    /// The status of an identity whose number does not hold.
    pub provisional: String,
    /// Whether a destination column takes numbers that do not hold.
    pub keeps_local: bool,
}

/// Which of an identifier's columns a destination column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The number with its key, 15 characters; NULL where it does not hold.
    Number,
    /// The authority's OID; NULL where the number does not hold.
    Authority,
    /// A number that does not hold, as it stood at the source, as a local identifier; else NULL.
    Local,
    /// The status: the source's own where the number holds, `provisional` where it does not.
    Status,
}

impl IdentifierMap {
    /// The source columns it uses.
    pub(super) fn uses(&self) -> Vec<&Spanned<String>> {
        let one = [&self.number, &self.authority];
        one.into_iter().chain(&self.key).chain(&self.traits).chain(&self.status).collect()
    }
}

/// Reads the section; its destination columns stand beside the table's others.
pub(super) fn read(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Vec<ColumnMap> {
    let number = t.text(r, "number");
    let key = t.maybe_text(r, "key");
    let authority = t.text(r, "authority");
    let traits = t.texts(r, "traits");
    if !traits.is_empty() && traits.len() != TRAITS {
        let finding = Finding::new(&WRONG_VALUE, "`traits` names the five strict traits").at(t.span.clone());
        r.find(finding.help("birth name, first given name, birth date, sex, birthplace, in this order"));
    }
    let mut status = t.maybe_table(r, "status");
    let provisional = status.as_mut().and_then(|s| s.text(r, "provisional"));
    let column = status.as_mut().and_then(|s| s.maybe_text(r, "column"));
    let span = t.span.clone();
    let mut to = t.table(r, "to");
    let mut go = |key: &'static str, part: Part, wanted: bool| {
        let fields = to.as_mut()?;
        let name = if wanted { fields.text(r, key) } else { fields.maybe_text(r, key) };
        name.map(|name| (name, part))
    };
    let parts: Vec<(Spanned<String>, Part)> = [
        go("number", Part::Number, true),
        go("authority", Part::Authority, false),
        go("local", Part::Local, false),
        go("status", Part::Status, false),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(to) = to {
        to.end(r);
    }
    let has_status = status.is_some();
    if let Some(status) = status {
        status.end(r);
    }
    t.end(r);
    let goes = |part: Part| parts.iter().any(|(_, p)| *p == part);
    if has_status != goes(Part::Status) {
        let finding = Finding::new(&WRONG_VALUE, "a status needs both what it is and where it goes").at(span);
        r.find(finding.help("write status = { provisional = \"PROV\" } and to = { …, status = \"…\" }"));
    }
    let (Some(number), Some(authority)) = (number, authority) else { return Vec::new() };
    let identifier = Arc::new(IdentifierMap {
        number,
        key,
        authority,
        traits,
        status: column,
        provisional: provisional.map(|p| p.value).unwrap_or_default(),
        keeps_local: goes(Part::Local),
    });
    let column = |(to, part)| ColumnMap {
        to,
        make: Make::Identifier { of: Arc::clone(&identifier), part },
        required: false,
    };
    parts.into_iter().map(column).collect()
}
