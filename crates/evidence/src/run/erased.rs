//! What was erased, and what was then looked for.

use ecluse_core::acceptance;
use ecluse_core::erasure::{Erasure, Residue, Side};
use ecluse_core::instruction;
use ecluse_core::language::Language;

use super::{Events, attested, told};
use crate::bench::Bench;
use crate::papers::Chain;
use crate::verdict::Words;

/// The file that says what was erased.
pub(crate) const ERASURE: &str = "run/erasure.json";
/// The file that says what was looked for.
pub(crate) const RESIDUE: &str = "run/residue.json";

/// Checks both, where they are there: attested, of this order, the second made after the first.
pub(super) fn check(bench: &mut Bench<'_>, chain: &Chain, events: Option<&Events>) {
    if bench.bytes(ERASURE).is_some()
        && let Some(erasure) = told::<Erasure>(bench, ERASURE)
    {
        attested(bench, events, (ERASURE, "erase"));
        of_order(bench, chain, ERASURE, &erasure.instruction);
        super::of_run(bench, ERASURE, &erasure.run);
        let (gone, beyond) = (erasure.done.len() as u64, erasure.out_of_reach.len() as u64);
        let (en, fr) = (Language::English, Language::French);
        let words = Words::new(
            format!(
                "{} things were erased; {} are beyond reach, each with an owner and a day.",
                en.count(gone),
                en.count(beyond)
            ),
            format!(
                "{} éléments effacés ; {} hors d’atteinte, chacun avec un responsable et une date.",
                fr.count(gone),
                fr.count(beyond)
            ),
        );
        let told = erasure.out_of_reach.iter().all(|one| !one.owner.is_empty() && !one.until.is_empty());
        bench.check(ERASURE, told && !erasure.ended.is_empty(), words, || {
            "it did not come to its end".to_owned()
        });
        source(bench, chain, &erasure);
        accepted(bench, &erasure);
    }
    if bench.bytes(RESIDUE).is_some()
        && let Some(residue) = told::<Residue>(bench, RESIDUE)
    {
        attested(bench, events, (RESIDUE, "look"));
        of_order(bench, chain, RESIDUE, &residue.instruction);
        let words = Words::new(format!("It was made after {ERASURE}."), format!("Elle a suivi {ERASURE}."));
        let after = bench.digest(ERASURE).as_deref() == Some(residue.erasure.as_str());
        bench.check(RESIDUE, after, words, || format!("it cites {}", residue.erasure));
        let places = residue.looked.len() as u64;
        let words = sought(residue.sought, places);
        bench.check(RESIDUE, residue.survivors.is_empty() && places > 0, words, || {
            residue.survivors.first().map(|one| format!("{}: {}", one.place, one.what)).unwrap_or_default()
        });
        let words = Words::new(
            "The look came to its end and could read each of écluse’s own places.",
            "La recherche est allée à son terme et a pu lire chacun des endroits d’écluse.",
        );
        let whole = !residue.ended.is_empty() && residue.closed == 0;
        bench.check(RESIDUE, whole, words, || format!("{} could not be read", residue.closed));
        let erasure = super::parsed::<Erasure>(bench, ERASURE).ok().flatten();
        let nothing = erasure.is_none_or(|erasure| erasure.done.is_empty());
        if residue.sought == 0 && !nothing {
            let words = Words::new(
                "Things were erased, and nothing was looked for.",
                "Des éléments ont été effacés, et rien n’a été recherché.",
            );
            bench.fails(RESIDUE, words, None);
        }
    }
}

/// A look for nothing finds nothing: it says so, and no more.
fn sought(sought: u64, places: u64) -> Words {
    let (en, fr) = (Language::English, Language::French);
    if sought == 0 {
        return Words::new(
            format!(
                "{} places were read; there was nothing to look for, no value and no mark.",
                en.count(places)
            ),
            format!(
                "{} endroits lus ; il n’y avait rien à rechercher, ni valeur ni marque.",
                fr.count(places)
            ),
        );
    }
    Words::new(
        format!(
            "{} values and marks were sought in {} places; nothing was found that should be gone.",
            en.count(sought),
            en.count(places)
        ),
        format!(
            "{} valeurs et marques recherchées dans {} endroits ; rien n’a été trouvé de ce qui devait disparaître.",
            fr.count(sought),
            fr.count(places)
        ),
    )
}

/// Where the order has the source erased: each of its tables was.
fn source(bench: &mut Bench<'_>, chain: &Chain, erasure: &Erasure) {
    let order = chain.order.as_ref().map(|order| order.value.order());
    let Some(order) = order.filter(|order| order.erasure.source.is_some()) else { return };
    let beside = order.beside.iter().filter(|one| one.goes()).map(|one| &one.table.value);
    let mut all = order.tables.iter().map(|table| &table.name.value).chain(beside);
    let left = all.find(|table| !erasure.covers_source(table));
    let words = Words::new(
        "Each table that the order has erased at the source was erased there.",
        "Chaque table que l’ordre fait effacer à la source y a été effacée.",
    );
    bench.check(ERASURE, left.is_none(), words, || {
        left.map(|table| format!("{table} is not")).unwrap_or_default()
    });
    let columns: Vec<String> = order
        .tables
        .iter()
        .flat_map(|table| {
            table.files.iter().map(|files| format!("{}.{}", table.name.value, files.column.value))
        })
        .collect();
    if columns.is_empty() {
        return;
    }
    let left = columns.iter().find(|column| !erasure.covers_files(column));
    let words = Words::new(
        "It is said what became of the files that rows which are gone there named.",
        "Il est dit ce que sont devenus les fichiers que désignaient les lignes qui y ont été effacées.",
    );
    bench.check(ERASURE, left.is_none(), words, || {
        left.map(|column| format!("nothing of {column}")).unwrap_or_default()
    });
}

/// Where something of the source went: after the acceptance that is here, and no other.
fn accepted(bench: &mut Bench<'_>, erasure: &Erasure) {
    if erasure.done.iter().all(|one| one.side != Side::Source) {
        return;
    }
    let words = Words::new(
        format!("The source was erased after {}.", acceptance::FILE),
        format!("La source a été effacée après {}.", acceptance::FILE),
    );
    let same = bench.digest(acceptance::FILE).as_deref() == Some(erasure.acceptance.as_str());
    bench.check(ERASURE, same, words, || format!("it cites {}", erasure.acceptance));
}

fn of_order(bench: &mut Bench<'_>, chain: &Chain, of: &str, cited: &str) {
    let words = Words::new(
        format!("It is of the order in {}.", instruction::FILE),
        format!("Il est celui de l’ordre de {}.", instruction::FILE),
    );
    let same = chain.order.as_ref().is_some_and(|order| order.digest == cited);
    bench.check(of, same, words, || format!("of {cited}"));
}
