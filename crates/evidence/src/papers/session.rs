//! Who did it: the operators' statements, and that every event was noted under one of them.

use std::collections::BTreeMap;

use ecluse_core::document::{self, Header, Kind};
use ecluse_core::session::Session;
use jiff::SignedDuration;

use super::Chain;
use super::opened::{open, refused};
use super::rules::signatures;
use crate::bench::Bench;
use crate::run::{EVENTS, Events, Leaf};
use crate::verdict::Words;

/// The last statement.
pub(super) const NAME: &str = "session.toml";
/// Those before it, by their ids, as the journal keeps them.
const KEPT: &str = "journal/sessions/";
/// By how much two honest clocks may differ (`core::document`).
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);
/// What stands in the place of a session, and under which acts alone: copies are erased when their day comes,
/// whoever is there, and a signatory of the processor who makes the evidence is no operator.
const NOBODY: [(&str, &[&str]); 2] = [
    ("timer", &["erase", "beat", "journal-erased"]),
    ("no session", &["erase", "beat", "journal-erased", "refuse", "look", "copies", "standing", "certify"]),
];
/// Acts at which a command asks whether its session is in force.
const ASKED: [&str; 4] = ["open", "extract", "reconcile", "certify"];

/// Checks the statements, then each event against them.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain, events: Option<&Events>) {
    let cited = |id: &str| events.is_some_and(|events| events.leaves.iter().any(|leaf| leaf.session == id));
    let kept: Vec<String> = bench.below(KEPT).filter(|path| !path.contains(".sigs/")).cloned().collect();
    let mut statements: BTreeMap<String, Header> = BTreeMap::new();
    for name in kept.iter().map(String::as_str).chain([NAME]) {
        let text = document::text(bench.bytes(name).unwrap_or_default());
        let header = text.and_then(|text| document::header(text, Kind::Session));
        // one under which nothing was noted is no part of this run
        let Some(header) = header.ok().filter(|header| name == NAME || cited(&header.id)) else {
            if name == NAME && bench.bytes(name).is_some() {
                refused(bench, name, &[]);
            }
            continue;
        };
        if header.contract.as_deref() != Some(chain.contract.digest()) {
            // of an earlier version of the contract, whose keys this one still tells
            if signatures(bench, chain, (name, Kind::Session), true) {
                statements.insert(header.id.clone(), header);
            }
            continue;
        }
        let opened = open(bench, &chain.contract, (name, Kind::Session), |paper, now| {
            Session::in_force(paper.bytes, &paper.signatures, &chain.contract, now)
        });
        statements.extend(opened.map(|opened| (opened.header.id.clone(), opened.header)));
    }
    let Some(events) = events else { return };
    let wrong = events.leaves.iter().position(|leaf| !is_under(leaf, &statements));
    let words = Words::new(
        "Each event was noted under a session whose signed statement is in the file, or is an erasure by a timer or without one.",
        "Chaque événement fut noté sous une session dont la déclaration signée est dans le fichier, ou est un effacement par minuterie ou sans session.",
    );
    bench.check(EVENTS, wrong.is_none(), words, || {
        let line = wrong.unwrap_or_default();
        let session = events.leaves.get(line).map_or("", |leaf| leaf.session.as_str());
        format!("line {}: no statement of the session {session} covers it", line + 1)
    });
}

/// Whether an event was noted under one of these statements, in its time.
fn is_under(leaf: &Leaf, statements: &BTreeMap<String, Header>) -> bool {
    if let Some((_, acts)) = NOBODY.iter().find(|(name, _)| leaf.session == *name) {
        return acts.contains(&leaf.act.as_str());
    }
    let Some((header, at)) = statements.get(&leaf.session).zip(leaf.at()) else { return false };
    let asked = ASKED.iter().any(|act| leaf.begins(act));
    let early = at.duration_until(header.not_before) > CLOCKS;
    let late = asked && at >= header.not_after;
    !(early || late)
}
