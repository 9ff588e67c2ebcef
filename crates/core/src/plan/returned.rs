//! The plan of a return: the classes whose fate is `return`, as they are, for the controller's own key.
//!
//! What is read is made of the signed order ([`crate::instruction`]) and compiled by the compiler of every order, as
//! one that seals to a recipient: the same checks of keys, types, filters and of whose rows they are. Nobody writes
//! this order, and nothing is in it that the signed one does not say.

use std::collections::BTreeMap;

use super::Plan;
use super::compile::{Compiled, Given, Refusal, UNSUPPORTED, made};
use super::consigned::endless;
use super::examine::surveyed;
use crate::catalog::{Catalog, Table};
use crate::dictionary::Dictionary;
use crate::digest;
use crate::document::Header;
use crate::finding::Finding;
use crate::instruction::{Instruction, Order, derived, returning};
use crate::mapping::Mapping;
use crate::types::Engine;

/// The tables that a return reads, by their names at the source, and the digest of their schema as it was surveyed:
/// the order cites the dictionary in which it stands.
///
/// # Errors
///
/// What cannot be returned, with one fix each.
pub fn returned_tables(
    instruction: &Instruction,
    dictionary: &Dictionary,
) -> Result<(Vec<String>, String), Vec<Finding>> {
    let (order, _) = derived(instruction.order(), dictionary)?;
    let names = order.table_names();
    let schema = dictionary.schema(&names);
    Ok((names, schema))
}

/// By what the administrator's views of a return are called, in the place of the order's digest.
#[must_use]
pub fn return_digest(instruction: &str) -> String {
    digest::of_bytes(format!("ecluse return of {instruction}").as_bytes())
}

/// Compiles what is returned, against the source's catalogue now; `views`: through the controller's views.
///
/// # Errors
///
/// As [`super::compile`]; what cannot be returned. No table is ever missing: an archive is the destination.
pub fn give_back(
    instruction: &Instruction,
    dictionary: &Dictionary,
    source: &Catalog,
    views: bool,
) -> Result<Compiled, Refusal> {
    let digest = return_digest(instruction.digest());
    let stated = (instruction.order(), instruction.header(), digest.as_str());
    compiled(stated, dictionary, source, (views, false), &Table::clone)
}

/// What a return would be refused for, as far as the papers tell it; empty where nothing is returned, or all of it can.
#[must_use]
pub fn objections(order: &Order, header: &Header, dictionary: &Dictionary) -> Vec<Finding> {
    if returning(order, dictionary).is_empty() {
        return Vec::new();
    }
    let source = surveyed(dictionary);
    let refused = compiled((order, header, ""), dictionary, &source, (false, true), &endless).err();
    refused.map(|refused| refused.findings).unwrap_or_default()
}

/// The plan of a return as far as its papers tell it, for whoever opens the archive.
pub(super) fn remade(instruction: &Instruction, dictionary: &Dictionary) -> Result<Plan, Vec<Finding>> {
    let stated = (instruction.order(), instruction.header(), instruction.digest());
    compiled(stated, dictionary, &surveyed(dictionary), (false, true), &endless)
        .map(|compiled| compiled.plan)
        .map_err(|refused| refused.findings)
}

fn compiled(
    (order, header, digest): (&Order, &Header, &str),
    dictionary: &Dictionary,
    source: &Catalog,
    (views, surveyed): (bool, bool),
    supposed: &dyn Fn(&Table) -> Table,
) -> Result<Compiled, Refusal> {
    let refused = |findings| Refusal { findings, missing: Vec::new() };
    let (order, mapping) = derived(order, dictionary).map_err(refused)?;
    let mut there = Catalog {
        engine: Engine::Postgresql,
        database: String::new(),
        identity: String::new(),
        tables: Vec::new(),
    };
    let given =
        Papers { order: &order, header, digest, dictionary, mapping: &mapping, source, views, surveyed };
    match given.made(&there) {
        Err(refusal) if !refusal.missing.is_empty() => {
            there.tables = refusal.missing.iter().map(supposed).collect();
        }
        other => return other.map_err(advised),
    }
    given.made(&there).map_err(advised)
}

struct Papers<'a> {
    order: &'a Order,
    header: &'a Header,
    digest: &'a str,
    dictionary: &'a Dictionary,
    mapping: &'a Mapping,
    source: &'a Catalog,
    views: bool,
    surveyed: bool,
}

impl Papers<'_> {
    fn made(&self, destination: &Catalog) -> Result<Compiled, Refusal> {
        let Self { order, header, digest, dictionary, mapping, source, views, surveyed } = *self;
        let codes = BTreeMap::new();
        made(&Given {
            order,
            header,
            digest,
            dictionary,
            mapping,
            codes: &codes,
            source,
            destination,
            views,
            surveyed,
            returns: true,
        })
    }
}

/// What the writer of an order would be told of a column is not the advice here: nobody granted it.
fn advised(refusal: Refusal) -> Refusal {
    let told = |finding: Finding| {
        if *finding.code == UNSUPPORTED {
            return finding.help("give its class another fate, or have this column given back by hand");
        }
        finding
    };
    Refusal { findings: refusal.findings.into_iter().map(told).collect(), missing: refusal.missing }
}
