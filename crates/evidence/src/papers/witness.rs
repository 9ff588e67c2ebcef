//! Where the order wants it: that somebody else had seen its plan in the journal before a row was read.
//!
//! The program asks this before it begins, and whoever runs it can run another one. So it is asked again here, of the
//! log's entries and of what others signed over: a checkpoint that holds the plan, and none of the entries by which
//! rows move (decision 0066).

use std::collections::BTreeSet;

use ecluse_core::instruction::{FILE, Order};
use ecluse_journal::audit::Held;
use ecluse_journal::{Checkpoint, Hash, KeyKind, Signed, VerifierKey};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::Chain;
use crate::bench::Bench;
use crate::log::{KEY, Log};
use crate::run::{self, Events, Leaf, REHEARSALS};
use crate::verdict::Words;

/// Checkpoints that came back from witnesses.
const COSIGNED: &str = "journal/cosigned/";
/// Counts of dry runs that were noted in other folders than the run's.
const ELSEWHERE: &str = "journal/rehearsals/";
/// By how much two honest clocks may differ (`core::document`).
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// A dry run, as its counts name it.
#[derive(Deserialize)]
struct Rehearsal {
    run: String,
    instruction: String,
}

/// A checkpoint that somebody else signed over.
struct Witness {
    /// The file in which it stands.
    place: String,
    checkpoint: Checkpoint,
    /// When that was, by its own words.
    at: Timestamp,
}

/// How it was found that somebody had seen the plan.
enum Shown {
    /// By the log: the witness's file, how many entries it saw, the plan's entry.
    Log(String, u64, u64),
    /// By the evidence's own copy of the events and the witness's hour alone.
    Hours(String),
}

/// Checks it, where the order wants it. `given` is when the first word of this order was given.
pub(super) fn check(
    bench: &mut Bench<'_>,
    chain: &Chain,
    given: Option<Timestamp>,
    (log, events): (Option<&Log>, Option<&Events>),
) {
    let Some(opened) = chain.order.as_ref().filter(|opened| opened.value.order().witnessed) else { return };
    // under an earlier version of the order rows may have moved: nothing was done under this one before its first word
    let since = given.filter(|_| opened.header.version > 1);
    let Some(log) = log else {
        fails(bench, "no log is in the file that shows it".to_owned());
        return;
    };
    let witnesses = witnesses(bench, opened.value.order(), log);
    let plans = rehearsed(bench, &opened.digest, log, events);
    match shown(bench, log, events, (&witnesses, &plans, since)) {
        Ok(found) => {
            let words = told(&found);
            match found {
                Shown::Log(..) => bench.holds(FILE, words),
                Shown::Hours(_) => bench.lost(FILE, words),
            }
        }
        Err(finding) => fails(bench, finding),
    }
}

/// How it was found, in words.
fn told(found: &Shown) -> Words {
    let (en, fr) = match found {
        Shown::Log(place, size, plan) => (
            format!(
                "{place} was signed over {size} entries, among them the plan (entry {plan}) and none by which a row moves."
            ),
            format!(
                "{place} fut signé sur {size} entrées, dont le plan (entrée {plan}) et aucune par laquelle une ligne part."
            ),
        ),
        Shown::Hours(place) => (
            format!(
                "the entries that show it were erased from the log when their time was over; by the hours it was {place}."
            ),
            format!(
                "les entrées qui le montrent ont été effacées du journal à leur échéance ; d’après les heures, ce fut {place}."
            ),
        ),
    };
    Words::new(
        format!("It wants its plan seen by somebody else before a row moves: {en}"),
        format!("Il veut que son plan ait été vu par un tiers avant tout transfert : {fr}"),
    )
}

fn fails(bench: &mut Bench<'_>, finding: String) {
    let words = Words::new(
        "It wants its plan seen by somebody else before a row moves, and nothing here shows that it was.",
        "Il veut que son plan ait été vu par un tiers avant tout transfert, et rien ici ne montre qu’il l’a été.",
    );
    bench.fails(FILE, words, finding);
}

/// Who had seen the plan, and no row; or what is wanting.
fn shown(
    bench: &Bench<'_>,
    log: &Log,
    events: Option<&Events>,
    (witnesses, plans, since): (&[Witness], &BTreeSet<String>, Option<Timestamp>),
) -> Result<Shown, String> {
    let is_plan = |leaf: &Leaf| leaf.ends_dry_run() && plans.contains(&leaf.object);
    let leaves = || log.leaves.iter().map(|(_, leaf)| leaf);
    // a dry run's snapshot moves nothing; whatever else bears its object is none of a dry run's acts
    let dry: BTreeSet<&str> = leaves().filter(|leaf| leaf.act == "plan").map(|leaf| &*leaf.object).collect();
    let moves = |leaf: &Leaf| {
        let is_dry = leaf.act == "snapshot" && dry.contains(&*leaf.object);
        let is_ours = |since: Timestamp| leaf.at().is_none_or(|at| at.duration_until(since) <= CLOCKS);
        leaf.moves() && !is_dry && since.is_none_or(is_ours)
    };
    let own: &[Leaf] = events.map_or(&[], |events| &events.leaves);
    let plan = log.leaves.iter().find(|(_, leaf)| is_plan(leaf));
    if log.first > 0 && plan.is_none() {
        return by_hours(own, (own.iter().position(is_plan), own.iter().position(moves)), witnesses);
    }
    let is_gone = |leaf: &Leaf| log.first > 0 && !leaves().any(|kept| kept == leaf);
    if own.iter().find(|leaf| moves(leaf)).is_some_and(is_gone) {
        return Err(
            "rows moved before the plan: their entry was erased from the log, and the plan’s is there"
                .to_owned(),
        );
    }
    let Some((plan, _)) = plan else {
        return Err("the journal has no dry run under this order that came to its end".to_owned());
    };
    let row = log.leaves.iter().find(|(_, leaf)| moves(leaf));
    if row.is_none() && run::sums(bench).is_some_and(|(_, moved, _)| moved > 0) {
        return Err("rows moved, and no entry of the journal says when".to_owned());
    }
    let in_time = |witness: &&Witness| {
        let size = witness.checkpoint.size;
        let before = |at: Option<Timestamp>| at.is_some_and(|at| at.duration_until(witness.at) <= CLOCKS);
        size > *plan && row.is_none_or(|(index, leaf)| size <= *index && before(leaf.at()))
    };
    let found = witnesses.iter().find(in_time).ok_or_else(|| {
        let row = row.map(|(index, _)| format!(" and before rows move at entry {index}")).unwrap_or_default();
        format!("neither the controller nor a witness that it names signed over the plan (entry {plan}){row}")
    })?;
    Ok(Shown::Log(found.place.clone(), found.checkpoint.size, *plan))
}

/// Of a log whose front is gone: the plan, the witness and the first row, by their hours.
fn by_hours(
    own: &[Leaf],
    (plan, row): (Option<usize>, Option<usize>),
    witnesses: &[Witness],
) -> Result<Shown, String> {
    let gone = |what: &str| format!("{what} is neither in the journal nor in the run’s events");
    let plan = plan.ok_or_else(|| gone("the plan"))?;
    let row = row.ok_or_else(|| gone("the first row"))?;
    let hour = |at: usize| own.get(at).and_then(Leaf::at);
    let (Some(from), Some(until)) = (hour(plan).filter(|_| plan < row), hour(row)) else {
        return Err("rows moved before the plan".to_owned());
    };
    let between = |witness: &&Witness| {
        witness.at.duration_until(from) <= CLOCKS && until.duration_until(witness.at) <= CLOCKS
    };
    let found = witnesses.iter().find(between);
    found.map(|found| Shown::Hours(found.place.clone())).ok_or_else(|| {
        "neither the controller nor a witness that it names signed between the plan and the first row"
            .to_owned()
    })
}

/// The objects of dry runs under this order, by counts of which the journal tells.
fn rehearsed(bench: &mut Bench<'_>, order: &str, log: &Log, events: Option<&Events>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let paths: Vec<String> = bench.below(ELSEWHERE).cloned().chain([REHEARSALS.to_owned()]).collect();
    for path in paths {
        let Some(digest) = bench.digest(&path) else { continue };
        let own = events.map_or(&[][..], |events| &events.leaves);
        let mut leaves = log.leaves.iter().map(|(_, leaf)| leaf).chain(own);
        if !leaves.any(|leaf| leaf.cites("plan", &digest)) {
            continue;
        }
        bench.vouch(&path);
        let all: Vec<Rehearsal> = run::parsed(bench, &path).ok().flatten().unwrap_or_default();
        found.extend(all.into_iter().filter(|one| one.instruction == order).map(|one| one.run));
    }
    found
}

/// Whose signatures over this very log count: the controller's papers, and the witnesses that the order names.
fn witnesses(bench: &mut Bench<'_>, order: &Order, log: &Log) -> Vec<Witness> {
    let papers = bench.seen().into_iter().filter(|seen| seen.is_foreign).filter_map(|by| {
        let root = Hash::from_base64(&by.seen.root)?;
        let checkpoint = Checkpoint { origin: by.seen.origin, size: by.seen.size, root };
        Some(Witness { place: by.name, checkpoint, at: by.issued })
    });
    let all: Vec<Witness> = papers.chain(cosigned(bench, order)).collect();
    let mut counted = Vec::new();
    for witness in all {
        match log.against(bench.files(), &witness.checkpoint) {
            Held::Grew | Held::Erased => {
                if witness.place.starts_with(COSIGNED) {
                    bench.vouch(&witness.place);
                }
                counted.push(witness);
            }
            // of papers it was told with the log
            other if witness.place.starts_with(COSIGNED) => {
                let words = Words::new(
                    "The log did not grow out of what this witness saw.",
                    "Le journal ne prolonge pas ce que ce témoin a vu.",
                );
                bench.fails(&witness.place, words, format!("{other:?}"));
            }
            _ => (),
        }
    }
    counted
}

/// Checkpoints that the log signed and a witness of the order's cosigned.
fn cosigned(bench: &Bench<'_>, order: &Order) -> Vec<Witness> {
    let key = bench.bytes(KEY).and_then(|key| VerifierKey::parse(String::from_utf8_lossy(key).trim_end()));
    let Some(key) = key else { return Vec::new() };
    let named = order.witnesses.iter().filter_map(|text| VerifierKey::parse(text.trim()));
    let named: Vec<VerifierKey> = named.filter(|key| key.kind() == KeyKind::Witness).collect();
    let mut found = Vec::new();
    for path in bench.below(COSIGNED) {
        let Some(signed) = bench.bytes(path).and_then(|bytes| Signed::open(bytes, &key).ok()) else {
            continue;
        };
        let hours = named.iter().filter_map(|witness| signed.seen_by(witness).ok());
        let hours = hours.filter_map(|hour| Timestamp::from_second(i64::try_from(hour).ok()?).ok());
        found.extend(hours.map(|at| Witness {
            place: path.clone(),
            checkpoint: signed.checkpoint().clone(),
            at,
        }));
    }
    found
}
