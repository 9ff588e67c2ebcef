//! Which columns are moved aside where the mapping appends to tables that others use: each
//! table's own key, and everything that refers to one.
//!
//! What refers to what stands in the dictionary's relations, in the instruction's, and in the
//! destination's foreign keys; where these leave a column pointing at a row of somebody else, the
//! plan is refused. No name makes a column move aside; one that sounds like a reference, of which
//! nothing tells, is asked about: a database without foreign keys tells of none.

use super::compile::{Draft, Given, position};
use super::results::moved_aside;
use super::target::Target;
use super::{By, Expression, Shift, WriteColumn};
use crate::catalog::ForeignKey;
use crate::fault::Code;
use crate::finding::Finding;
use crate::instruction;
use crate::mapping::{self, Append};
use crate::types::{Engine, Type};

static NO_WAY: Code =
    Code::refused("ECL-PLN-040", "this table cannot be told from the other laboratories' rows");
static LEADS_OUT: Code = Code::refused(
    "ECL-PLN-041",
    "a column refers to a table that does not move, among other laboratories' rows",
);
static LEFT_BEHIND: Code = Code::refused("ECL-PLN-042", "a column would refer to another laboratory's row");
static NOT_PLAIN: Code = Code::refused("ECL-PLN-043", "a column that refers to a key is not moved plainly");
static TOO_SMALL: Code = Code::refused("ECL-PLN-044", "the destination's column does not hold the room");
static UNTOLD: Code = Code::refused("ECL-PLN-046", "nothing tells whether a column refers to a key");
static COUNTERS: Code = Code::refused("ECL-PLN-045", "new rows must not get keys of the room");

/// Finds the columns that are moved aside and says so in the drafts; nothing where the mapping
/// does not append. Gives what a person should know.
///
/// # Errors
/// Every column that would lead to another laboratory's row, and every table whose rows could
/// not be told from the others'.
pub(super) fn append(inputs: &Given<'_>, drafts: &mut [Draft<'_>]) -> Result<Vec<Finding>, Vec<Finding>> {
    let Some(append) = &inputs.mapping.append else { return Ok(Vec::new()) };
    let moved = aside(drafts);
    let mut findings = Vec::new();
    for (draft, columns) in drafts.iter().zip(&moved) {
        findings.extend(leads_out(inputs, draft));
        if !draft.key.iter().any(|k| columns.contains(k)) {
            let message = format!("{} has no key of a whole number or a text", draft.source.name);
            let finding = Finding::new(&NO_WAY, message).at(draft.order.name.span.clone());
            findings.push(
                finding
                    .in_file(instruction::FILE)
                    .help("name such a key, or move into a database of its own"),
            );
        }
    }
    for (draft, columns) in drafts.iter_mut().zip(&moved) {
        let (shifts, found) = shifts(append, draft, columns);
        draft.target.shifts = shifts;
        findings.extend(found);
    }
    if findings.is_empty() {
        findings.extend(drafts.iter().flat_map(|draft| followed(inputs, drafts, draft)));
        findings.extend(untold(inputs, append, drafts));
        findings.extend(drafts.iter().flat_map(|draft| moved_aside(inputs, draft)));
    }
    if findings.is_empty() { Ok(counters(inputs, append, drafts)) } else { Err(findings) }
}

/// The same for the rows of an archive, where they are loaded. Which columns are moved aside the papers said, which
/// were compiled anew there ([`super::consigned`]); here the room is looked for in the destination as it is.
///
/// # Errors
/// A column that does not hold the room, or would lead to another laboratory's row.
pub(super) fn received(
    inputs: &Given<'_>,
    append: &Append,
    drafts: &mut [Draft<'_>],
    aside: &[Vec<usize>],
) -> Result<Vec<Finding>, Vec<Finding>> {
    let mut findings = Vec::new();
    for (draft, columns) in drafts.iter_mut().zip(aside) {
        let (shifts, found) = shifts(append, draft, columns);
        draft.target.shifts = shifts;
        findings.extend(found);
    }
    if findings.is_empty() {
        findings.extend(drafts.iter().flat_map(|draft| followed(inputs, drafts, draft)));
    }
    if findings.is_empty() { Ok(counters(inputs, append, drafts)) } else { Err(findings) }
}

/// Per drafted table, the source columns that are moved aside: a key that refers to nothing is the
/// table's own; whatever refers to a column that is moved aside goes with it. In a key of several
/// columns, one that goes aside is enough to tell the rows: a plain number beside it (the third
/// sample of this request) stays what it is.
fn aside(drafts: &[Draft<'_>]) -> Vec<Vec<usize>> {
    let mut moved: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
    let refers = |draft: &Draft<'_>, column: usize| draft.relations.iter().any(|r| r.column == column);
    for (draft, columns) in drafts.iter().zip(&mut moved) {
        if let [own] = draft.key.as_slice()
            && !refers(draft, *own)
            && movable(draft, *own)
        {
            columns.push(*own);
        }
    }
    follow(drafts, &mut moved);
    // what is left has a key of several columns, or one that refers to a table which is not aside itself
    for number in 0..drafts.len() {
        let Some(draft) = drafts.get(number) else { continue };
        let has = |columns: &Vec<usize>| draft.key.iter().any(|k| columns.contains(k));
        if moved.get(number).is_some_and(has) {
            continue;
        }
        let own = draft.key.iter().find(|k| movable(draft, **k) && !refers(draft, **k));
        let own = own.or_else(|| draft.key.iter().find(|k| movable(draft, **k)));
        if let (Some(own), Some(columns)) = (own, moved.get_mut(number)) {
            columns.push(*own);
        }
        follow(drafts, &mut moved);
    }
    moved
}

/// References follow what they refer to, and theirs follow them.
fn follow(drafts: &[Draft<'_>], moved: &mut [Vec<usize>]) {
    loop {
        let mut more = Vec::new();
        for (number, draft) in drafts.iter().enumerate() {
            for relation in &draft.relations {
                let there = moved.get(relation.parent).is_some_and(|c| c.contains(&relation.parent_column));
                let here = moved.get(number).is_some_and(|c| c.contains(&relation.column));
                if there && !here {
                    more.push((number, relation.column));
                }
            }
        }
        if more.is_empty() {
            return;
        }
        for (number, column) in more {
            if let Some(columns) = moved.get_mut(number).filter(|c| !c.contains(&column)) {
                columns.push(column);
            }
        }
    }
}

fn movable(draft: &Draft<'_>, column: usize) -> bool {
    draft.source.columns.get(column).is_some_and(|c| matches!(c.ty, Some(Type::Int | Type::Text)))
}

/// Relations of the dictionary that the plan does not carry: their columns would arrive as they
/// are, and mean somebody else's row.
fn leads_out(inputs: &Given<'_>, draft: &Draft<'_>) -> Vec<Finding> {
    let surveyed = inputs.dictionary.table(&draft.source.name);
    let relations = surveyed.map(|t| t.relations.as_slice()).unwrap_or_default();
    let mut findings = Vec::new();
    for relation in relations {
        let Some(granted) = draft.order.column(&relation.column.value) else { continue };
        let Some(column) = position(draft.source, &granted.name.value) else { continue };
        let carried = draft.relations.iter().any(|r| r.column == column);
        if carried || !arrives(&draft.target, column) {
            continue;
        }
        let message = format!("{}.{} refers to {}", draft.source.name, granted.name.value, relation.table);
        let finding = Finding::new(&LEADS_OUT, message).at(granted.name.span.clone());
        findings.push(finding.in_file(instruction::FILE).help(format!(
            "instruct {} too, map the column through a code table, or leave it out",
            relation.table
        )));
    }
    findings
}

/// Whether a value of the column reaches the destination other than through a code table.
fn arrives(target: &Target, column: usize) -> bool {
    target.columns.iter().any(|c| c.from.carries(column))
}

/// The written columns of a table that are moved aside, with what the room lets them hold.
fn shifts(append: &Append, draft: &mut Draft<'_>, columns: &[usize]) -> (Vec<Shift>, Vec<Finding>) {
    let (mut shifts, mut findings) = (Vec::new(), Vec::new());
    for column in columns {
        let name = draft.source.columns.get(*column).map_or("", |c| c.name.as_str());
        let place = format!("{}.{name}", draft.source.name);
        let at = |finding: Finding| finding.at(append.span.clone()).in_file(mapping::FILE);
        let mut plain = false;
        for (index, write) in draft.target.columns.iter_mut().enumerate() {
            if write.from != Expression::Column(*column) {
                continue;
            }
            plain = true;
            match by(append, write) {
                Ok(by) => shifts.push(Shift { column: index, by }),
                Err((code, message, help)) => {
                    findings.push(at(Finding::new(code, format!("{place}: {message}"))).help(help));
                }
            }
        }
        if !plain && arrives(&draft.target, *column) {
            let finding = Finding::new(&NOT_PLAIN, place).at(draft.order.name.span.clone());
            findings.push(
                finding.in_file(instruction::FILE).help(format!("map it plainly: COLUMN = \"{name}\"")),
            );
        }
    }
    (shifts, findings)
}

type Objection = (&'static Code, String, &'static str);

/// How a written column is moved aside; from here on it takes only what the room has.
fn by(append: &Append, write: &mut WriteColumn) -> Result<By, Objection> {
    match write.ty {
        Type::Int => {
            let Some((offset, room)) = append.numbers() else {
                let message = "its key is a whole number, and [append] has no offset".to_owned();
                return Err((&NO_WAY, message, "write `offset` and `room` under [append]"));
            };
            let (low, high) = write.int_bounds.unwrap_or((i64::MIN, i64::MAX));
            let last = offset.saturating_add(room).saturating_sub(1);
            if offset < low || last > high {
                let message = format!("{} holds {low} to {high}, the room is {offset} to {last}", write.name);
                return Err((&TOO_SMALL, message, "take another room, or widen the destination's column"));
            }
            write.int_bounds = Some((0, room.saturating_sub(1)));
            Ok(By::Offset { offset, room })
        }
        Type::Text => {
            let Some(prefix) = append.prefix.as_ref().map(|p| p.value.clone()) else {
                let message = "its key is a text, and [append] has no prefix".to_owned();
                return Err((&NO_WAY, message, "write `prefix` under [append]"));
            };
            let taken = u32::try_from(prefix.len()).unwrap_or(u32::MAX);
            match write.max_length.map(|max| max.checked_sub(taken)) {
                None => {}
                Some(left @ Some(1..)) => write.max_length = left,
                Some(_) => {
                    let message = format!("{} has no place beside the prefix", write.name);
                    return Err((
                        &TOO_SMALL,
                        message,
                        "take a shorter prefix, or widen the destination's column",
                    ));
                }
            }
            Ok(By::Prefix(prefix))
        }
        other => {
            let message = format!("{} is {other}", write.name);
            Err((&NO_WAY, message, "only keys of whole numbers and texts are moved aside"))
        }
    }
}

/// What the destination itself says refers to a row: there, a value that is not moved aside with
/// the row's key is another laboratory's.
fn followed(inputs: &Given<'_>, drafts: &[Draft<'_>], draft: &Draft<'_>) -> Vec<Finding> {
    let declared = inputs.destination.table(&draft.target.name).map(|t| t.foreign_keys.as_slice());
    let mut findings: Vec<Finding> =
        declared.unwrap_or_default().iter().flat_map(|key| declared_by(drafts, draft, key)).collect();
    for relation in &draft.relations {
        let Some(parent) = drafts.get(relation.parent) else { continue };
        let here = shifted_source(&draft.target, relation.column);
        if here && !shifted_source(&parent.target, relation.parent_column) {
            let name =
                |d: &Draft<'_>, c: usize| d.source.columns.get(c).map_or("", |c| c.name.as_str()).to_owned();
            let message = format!(
                "{}.{} is moved aside, {}.{} is not",
                draft.source.name,
                name(draft, relation.column),
                parent.source.name,
                name(parent, relation.parent_column)
            );
            findings.push(behind(draft, message));
        }
    }
    findings
}

fn declared_by(drafts: &[Draft<'_>], draft: &Draft<'_>, key: &ForeignKey) -> Vec<Finding> {
    let parent = drafts.iter().find(|d| d.target.name == key.references);
    let mut findings = Vec::new();
    for (here, there) in key.columns.iter().zip(&key.referenced) {
        let Some(index) = draft.target.columns.iter().position(|c| c.name == *here) else { continue };
        let Some(write) = draft.target.columns.get(index) else { continue };
        // a code table or a constant names a row of the destination on purpose
        let chosen = matches!(write.from, Expression::Code { .. } | Expression::Constant(_));
        let moves = draft.target.shifts.iter().any(|s| s.column == index);
        let right = match parent {
            Some(parent) => chosen || moves == is_shifted(&parent.target, there),
            None => chosen,
        };
        if !right {
            let message = format!("{}.{here} refers to {}.{there}", draft.target.name, key.references);
            findings.push(behind(draft, message));
        }
    }
    findings
}

fn behind(draft: &Draft<'_>, message: String) -> Finding {
    let finding =
        Finding::new(&LEFT_BEHIND, message).at(draft.order.name.span.clone()).in_file(instruction::FILE);
    finding.help(
        "declare what the column refers to under the table's `relations`, or map it through a code table",
    )
}

fn is_shifted(target: &Target, column: &str) -> bool {
    target
        .columns
        .iter()
        .position(|c| c.name == column)
        .is_some_and(|i| target.shifts.iter().any(|s| s.column == i))
}

fn shifted_source(target: &Target, column: usize) -> bool {
    target.shifts.iter().any(|s| target.columns.get(s.column).is_some_and(|c| c.from.carries(column)))
}

/// Columns that stay as they are and are called like references: a person says what they are.
fn untold(inputs: &Given<'_>, append: &Append, drafts: &[Draft<'_>]) -> Vec<Finding> {
    let tables: Vec<&str> = inputs.dictionary.tables.iter().map(|t| t.name.value.as_str()).collect();
    let mut findings = Vec::new();
    let mut asked: Vec<String> = Vec::new();
    for draft in drafts {
        for granted in &draft.order.columns {
            let Some(column) = position(draft.source, &granted.name.value) else { continue };
            let place = format!("{}.{}", draft.source.name, granted.name.value);
            let value = draft.source.columns.get(column).is_some_and(|c| {
                matches!(c.ty, Some(Type::Int)) || matches!(c.ty, Some(Type::Text)) && append.prefix.is_some()
            });
            asked.push(place.clone());
            let plain = append.plain.iter().any(|p| p.value == place);
            if !value || plain || !arrives(&draft.target, column) || shifted_source(&draft.target, column) {
                continue;
            }
            let known = draft.relations.iter().any(|r| r.column == column);
            if !known && sounds_like_a_reference(&granted.name.value, &tables) {
                let finding = Finding::new(&UNTOLD, place.clone()).at(granted.name.span.clone());
                findings.push(finding.in_file(instruction::FILE).help(format!(
                    "declare it under the table's `relations`; a plain value: plain = [\"{place}\"] under [append] in the mapping"
                )));
            }
        }
    }
    for plain in append.plain.iter().filter(|p| !asked.contains(&p.value)) {
        let finding = Finding::new(&UNTOLD, format!("{} is no column that moves", plain.value));
        findings.push(finding.at(plain.span.clone()).in_file(mapping::FILE).help("take it out"));
    }
    findings
}

/// `patient_id`, `idPatient`, `ID`, or the name of a table in the singular or the plural.
fn sounds_like_a_reference(column: &str, tables: &[&str]) -> bool {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in column.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    let singular = |name: &str| name.to_lowercase().trim_end_matches('s').to_owned();
    words.iter().any(|word| word == "id" || word == "fk")
        || tables.iter().any(|table| singular(table) == singular(column))
}

/// A column at the destination whose keys the engine counts, in a table with a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The destination's table.
    pub table: String,
    /// Its column.
    pub column: String,
    /// The first key after the room.
    pub next: i64,
}

/// The counters behind keys: a room that they run into is a room no more.
pub(super) fn counted(inputs: &Given<'_>, drafts: &[Draft<'_>]) -> Vec<Counter> {
    let numbers = inputs.mapping.append.as_ref().and_then(Append::numbers);
    let Some((offset, room)) = numbers else { return Vec::new() };
    let of_table = |draft: &Draft<'_>| -> Vec<Counter> {
        let table = inputs.destination.table(&draft.target.name);
        let column = |s: &Shift| draft.target.columns.get(s.column).and_then(|c| table?.column(&c.name));
        let counts = draft.target.shifts.iter().filter_map(column).filter(|c| c.identity);
        let counter = |c: &crate::catalog::Column| Counter {
            table: draft.target.name.clone(),
            column: c.name.clone(),
            next: offset.saturating_add(room),
        };
        counts.map(counter).collect()
    };
    drafts.iter().flat_map(of_table).collect()
}

fn counters(inputs: &Given<'_>, append: &Append, drafts: &[Draft<'_>]) -> Vec<Finding> {
    let Some((offset, room)) = append.numbers() else { return Vec::new() };
    let counters = counted(inputs, drafts);
    let mut counted: Vec<&str> = counters.iter().map(|counter| counter.table.as_str()).collect();
    counted.dedup();
    if counted.is_empty() {
        return Vec::new();
    }
    let end = offset.saturating_add(room);
    let message =
        format!("{} count their keys, the room is {offset} to {}", counted.join(", "), end.saturating_sub(1));
    let help = match inputs.destination.engine {
        Engine::Postgresql => format!(
            "écluse leaves their sequences where they are: before one reaches {offset}, set it to {end} (setval)"
        ),
        Engine::Mariadb | Engine::Sqlite | Engine::Csv => format!(
            "the engine itself counts on from the largest key it was given: make the application's next keys start at {end}"
        ),
    };
    vec![Finding::new(&COUNTERS, message).at(append.span.clone()).in_file(mapping::FILE).help(help)]
}
