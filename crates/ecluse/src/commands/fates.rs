//! What closing asks of the fates of what stays: no more than a record of ours can say, and the rest is told.

use ecluse_adapters::folder::erasure;
use ecluse_core::closing::Open;
use ecluse_core::instruction::{Carried, Fate, KnownOfFate, carried};
use ecluse_core::keys::day;
use serde_json::{Value, json};

use super::Here;
use crate::output;
use crate::papers::chain::Chain;

fn known(here: &Here, run: &std::path::Path, chain: &Chain) -> Vec<Carried> {
    // one that the journal does not vouch for is no record; the certificate's own check names what is wrong with it
    let erasure = erasure(run).ok().flatten().filter(|erasure| !erasure.ended.is_empty());
    carried(chain.instruction.order(), &chain.dictionary, erasure.as_ref(), day(here.now))
}

/// Fates that the order has carried out by an erasure which no record tells of.
pub(super) fn open(here: &Here, run: &std::path::Path, chain: &Chain) -> Vec<Open> {
    let known = known(here, run, chain).into_iter();
    let open = known.filter_map(|one| match one.known {
        KnownOfFate::NotErased(tables) => Some(Open {
            what: format!(
                "{}: to be destroyed with the rows that the order has erased, and the erasure's record does not tell of {}",
                one.class,
                tables.join(", ")
            ),
            command: "ecluse erase --source".to_owned(),
        }),
        _ => None,
    });
    open.collect()
}

/// Says what closing leaves to persons, and answers with what is known of each fate.
pub(super) fn told(here: &Here, run: &std::path::Path, chain: &Chain) -> Vec<Value> {
    let known = known(here, run, chain);
    for Carried { class, fate, known } in &known {
        let day = fate.day().map(|day| day.to_string()).unwrap_or_default();
        let words = match known {
            KnownOfFate::Outlived => {
                format!("was to be kept until {day}, which has passed: it is the controller's to end")
            }
            KnownOfFate::PersonsToDestroy => format!(
                "stands where écluse erases nothing: a person destroys it by {day}, and no record of ours tells of it"
            ),
            // closing has asked for the laboratory's receipt
            KnownOfFate::Returned | KnownOfFate::Kept | KnownOfFate::Erased | KnownOfFate::NotErased(_) => {
                continue;
            }
        };
        output::line(format!("  {class} {words}"));
    }
    known.iter().map(|one| json!({ "class": one.class.name(), "fate": one.fate.name(), "day": day_of(one.fate), "known": word(&one.known) })).collect()
}

fn day_of(fate: Fate) -> Option<String> {
    fate.day().map(|day| day.to_string())
}

const fn word(known: &KnownOfFate) -> &'static str {
    match known {
        KnownOfFate::Erased => "erased",
        KnownOfFate::NotErased(_) => "not-erased",
        KnownOfFate::PersonsToDestroy => "persons-to-destroy",
        KnownOfFate::Kept => "kept",
        KnownOfFate::Outlived => "outlived",
        KnownOfFate::Returned => "returned",
    }
}
