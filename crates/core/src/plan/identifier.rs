//! A national identifier's columns, compiled.

use super::compile::Given;
use super::results::no_identifier;
use super::target::column;
use super::{Expression, Identifier};
use crate::catalog::{Column, Table};
use crate::fault::Code;
use crate::finding::Finding;
use crate::instruction::Invalid;
use crate::mapping::{IdentifierMap, Part};
use crate::reader::Spanned;
use crate::types::Type;

static NOT_TEXT: Code = Code::refused("ECL-PLN-090", "an identifier's column is not text");
static NOWHERE: Code =
    Code::refused("ECL-PLN-091", "numbers that do not hold are to be kept, and nothing takes them");

/// One written column of a national identifier.
pub(super) fn identifier(
    inputs: &Given<'_>,
    of: &IdentifierMap,
    part: Part,
    source: &Table,
    there: &Column,
    ty: Type,
) -> Result<Expression, Vec<Finding>> {
    let (invalid, numbers) = inputs.order.identifiers;
    let mut findings = no_identifier(inputs, of, source);
    if ty != Type::Text {
        let message = format!("{} is `{}`", there.name, there.sql_type);
        findings
            .push(Finding::new(&NOT_TEXT, message).at(of.number.span.clone()).help("map to a text column"));
    }
    if part == Part::Number && invalid == Invalid::Local && !of.keeps_local {
        let finding = Finding::new(&NOWHERE, format!("{} has no `local`", of.number.value));
        findings.push(finding.at(of.number.span.clone()).help(
            "add local = \"…\" to `to`, or have the controller sign [national_identifier] invalid = \"withhold\"",
        ));
    }
    let mut index = |name: &Spanned<String>, wanted: &dyn Fn(Type) -> bool| match column(source, name) {
        Ok((index, _, ty)) if wanted(ty) => index,
        Ok((index, found, _)) => {
            let message = format!("{} is `{}`", name.value, found.sql_type);
            findings.push(Finding::new(&NOT_TEXT, message).at(name.span.clone()).help(
                "an INS, its authority and its status are texts: leading zeros and Corsica's letters count",
            ));
            index
        }
        Err(found) => {
            findings.extend(found);
            usize::MAX
        }
    };
    let text = |ty: Type| ty == Type::Text;
    let made = Identifier {
        part,
        number: index(&of.number, &text),
        key: of.key.as_ref().map(|key| index(key, &|ty| matches!(ty, Type::Text | Type::Int))),
        authority: index(&of.authority, &text),
        traits: of.traits.iter().map(|name| index(name, &|_any| true)).collect(),
        status: of.status.as_ref().map(|status| index(status, &text)),
        provisional: of.provisional.clone(),
        invalid,
        numbers,
    };
    if findings.is_empty() { Ok(Expression::Identifier(Box::new(made))) } else { Err(findings) }
}
