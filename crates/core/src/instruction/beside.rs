//! Rows beside the order that name ordered rows: a history that a trigger fills, an audit table, requests that stay
//! while their patient goes. What becomes of them when ordered rows are erased at the source is the controller's to
//! say, relation by relation; where nothing is said, one such row stops the erasure.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::read::fate_of;
use super::{Fate, Order, Referring, WRONG_VALUE};
use crate::dictionary::Dictionary;
use crate::document::Header;
use crate::fault::Code;
use crate::finding::Finding;
use crate::nearest::suggestion;
use crate::reader::{Fields, Reader, Spanned};

static NOWHERE: Code =
    Code::refused("ECL-INS-030", "rows beside the order are named by what the dictionary or the order lacks");
static UNFIT: Code =
    Code::refused("ECL-INS-031", "this fate cannot be carried out for rows beside the order");

/// What becomes of the rows of one table that name rows of an ordered one which go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The table, by its catalogue name.
    pub table: Spanned<String>,
    /// The column whose values name ordered rows.
    pub column: Spanned<String>,
    /// The ordered table.
    pub of: Spanned<String>,
    /// The granted column there that is named.
    pub to: Spanned<String>,
    /// [`Fate::Keep`]: they stay as they are, until a day. [`Fate::Destroy`]: they go with what they name, in the same
    /// transaction; the table's other rows stay.
    pub fate: Fate,
    /// Why; never empty where they are destroyed.
    pub reason: String,
}

impl Beside {
    /// Whether they go with the rows that they name.
    #[must_use]
    pub const fn goes(&self) -> bool {
        matches!(self.fate, Fate::Destroy { .. })
    }

    /// Which rows they are.
    #[must_use]
    pub fn along(&self) -> Referring {
        let [table, column, of, to] =
            [&self.table, &self.column, &self.of, &self.to].map(|name| name.value.clone());
        Referring { table, column, of, to }
    }

    /// Whether they stay by the order on this day.
    #[must_use]
    pub fn stays_on(&self, day: Date) -> bool {
        matches!(self.fate, Fate::Keep { until } if until >= day)
    }
}

/// Reads one `[[beside]]`.
pub(super) fn read(r: &mut Reader<'_>, mut t: Fields<'_, '_>) -> Option<Beside> {
    let (table, column) = (t.text(r, "table"), t.text(r, "column"));
    let (of, to) = (t.text(r, "of"), t.text(r, "to"));
    let span = t.span.clone();
    let fate = fate_of(r, &mut t, span.clone());
    t.end(r);
    let (fate, reason) = fate?;
    if fate == Fate::Return {
        let finding = Finding::new(&WRONG_VALUE, "rows beside the order are kept or destroyed").at(span);
        r.find(finding.help("fate = \"keep\" with until, or fate = \"destroy\" with reason and by"));
        return None;
    }
    Some(Beside { table: table?, column: column?, of: of?, to: to?, fate, reason })
}

/// What is wrong with them, judged by the dictionary.
pub(super) fn check(order: &Order, dictionary: &Dictionary) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for one in &order.beside {
        let mut nowhere = |what: String, at: &Spanned<String>, help: String| {
            findings.push(Finding::new(&NOWHERE, what).at(at.span.clone()).help(help));
        };
        let names = || dictionary.tables.iter().map(|t| t.name.value.as_str());
        match (place(dictionary, &one.table, &one.column), place(dictionary, &one.of, &one.to)) {
            (Ok(here), Ok(there)) if here == there && !here.is_empty() => {}
            (Ok(_), Ok(_)) => nowhere(
                format!(
                    "{}.{} and {}.{} are of two types",
                    one.table.value, one.column.value, one.of.value, one.to.value
                ),
                &one.column,
                "name the column whose values are those of the other".to_owned(),
            ),
            (Err((at, what)), _) | (_, Err((at, what))) => {
                let help =
                    suggestion(&at.value, names()).unwrap_or_else(|| "dictionary.toml lists them".to_owned());
                nowhere(what, at, help);
            }
        }
        if order.table(&one.of.value).is_none_or(|table| table.column(&one.to.value).is_none()) {
            let help =
                "name a column that the order grants of an ordered table, its key as a rule".to_owned();
            nowhere(format!("{}.{} is not ordered", one.of.value, one.to.value), &one.of, help);
        }
        if !seen.insert([&one.table.value, &one.column.value, &one.of.value, &one.to.value]) {
            nowhere(
                format!("{}.{} twice", one.table.value, one.column.value),
                &one.table,
                "keep one".to_owned(),
            );
        }
        let mut unfit = |what: &str, help: &str| {
            let message = format!("{}: {what}", one.table.value);
            findings.push(Finding::new(&UNFIT, message).at(one.table.span.clone()).help(help));
        };
        if one.goes() && order.table(&one.table.value).is_some() {
            unfit(
                "its rows are ordered, and those that stay have not moved",
                "keep them until a day, or order them too",
            );
        }
        if one.goes() && order.erasure.source.is_none() {
            unfit("nothing is erased at the source", "source = DATE under [erasure], or leave it out");
        }
    }
    findings
}

/// The type of a column; else what is not there, and where it was named.
fn place<'a>(
    dictionary: &'a Dictionary,
    side: &'a Spanned<String>,
    column: &'a Spanned<String>,
) -> Result<&'a str, (&'a Spanned<String>, String)> {
    let table = dictionary.table(&side.value).ok_or_else(|| (side, format!("no table {}", side.value)))?;
    let known = table.column(&column.value);
    let known = known.ok_or_else(|| (column, format!("no column {}.{}", side.value, column.value)))?;
    Ok(&known.ty)
}

/// Days that lie before the order holds.
pub(super) fn past(order: &Order, header: &Header, code: &'static Code) -> Vec<Finding> {
    let begins = header.not_before.to_zoned(jiff::tz::TimeZone::UTC).date();
    let late = order
        .beside
        .iter()
        .filter_map(|one| one.fate.day().filter(|day| *day < begins).map(|day| (one, day)));
    late.map(|(one, day)| {
        let message = format!("{}: {day}, and the order holds from {begins}", one.table.value);
        Finding::new(code, message)
            .at(one.table.span.clone())
            .in_file(super::FILE)
            .help("write a day that is still to come")
    })
    .collect()
}
