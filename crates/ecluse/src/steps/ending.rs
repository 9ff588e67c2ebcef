//! The end of the chain: accepted, erased, certified, closed.

use ecluse_core::count::number;
use ecluse_core::signatures::Signer;

use super::{At, Found, LAB, YOU, missing, refused, sealed};
use crate::papers::destruction::Outside;
use crate::papers::ending::{self, Ending, Stood};
use crate::papers::returned::{NOT_RETURNED, RECEIVED_BY, Returned};

const HOLDER: Option<&str> = Some("whoever took the copy");
const PUBLISHER: Option<&str> = Some("the publisher's signatories");

/// The steps, from the first on that may be looked at now. Until somebody proposes the acceptance nothing waits
/// for it, and a trial needs none; where rows were `sealed` it is what the receipt is for.
pub(super) fn steps(at: At<'_>, is_sealed: bool) -> Vec<(&'static str, Found)> {
    let At { folder, trial, lang, now } = at;
    let run = folder.path(None, "run");
    let ending = Ending::of(folder, &run, now);
    if matches!(ending.accepted, Stood::Not) && is_sealed {
        return vec![("acceptance", sealed::to_accept(at))];
    }
    if matches!(ending.accepted, Stood::Not) {
        let words = lang.of(
            "the laboratory's own, ecluse accept propose; until then ecluse undo takes the run back",
            "au laboratoire, ecluse accept propose ; jusque-là ecluse undo reprend le passage",
        );
        let later = (!trial).then(|| ("acceptance", Found::Later(words.to_owned())));
        return later.into_iter().collect();
    }
    let returned = ending.returned.as_ref().map(|stood| ("return", returned(at, stood)));
    let taken = taken(at, &ending.outside).map(|found| ("copies taken", found));
    let before = [("acceptance", acceptance(at, &ending))].into_iter().chain(returned);
    let before = before.chain([("erasure", erasure(at, &ending))]).chain(taken);
    before.chain([("certificate", certificate(at, &ending)), ("closing", closing(at, &ending))]).collect()
}

/// Copies that somebody took; no step where nobody did.
pub(super) fn taken(at: At<'_>, outside: &[Outside]) -> Option<Found> {
    let lang = at.lang;
    let open = |one: &&Outside| one.stood.done().is_none();
    let Some(first) = outside.iter().find(open) else {
        let many = number(outside.len());
        let many =
            lang.plural(many, lang.of("statement", "déclaration"), lang.of("statements", "déclarations"));
        let words = lang.of(format!("{many} of destruction"), format!("{many} de destruction"));
        return (!outside.is_empty()).then_some(Found::Done(words));
    };
    if let Stood::Refused(fault) = &first.stood {
        return Some(refused(at, fault, YOU, "ecluse copies verify"));
    }
    let many = number(outside.iter().filter(open).count());
    let words = lang.of(
        format!("{} not stated to be destroyed", lang.plural(many, "copy", "copies")),
        format!("{} sans déclaration de destruction", lang.plural(many, "copie", "copies")),
    );
    let id = first.copy.short();
    let holder = first.copy.taken.as_ref().map_or("", |taken| taken.holder.as_str());
    let state = format!("{holder} destroys it and states so:  ecluse copies state {id}");
    let sign = format!("Then:  ecluse copies sign {id} --key FILE");
    let lines = match first.stood {
        Stood::Unsigned => vec![sign.as_str()],
        _ => vec![state.as_str(), sign.as_str()],
    };
    Some(missing(&words, HOLDER, &lines))
}

/// What the order has given back to the laboratory, before anything is erased at the source.
fn returned(at: At<'_>, stood: &Stood<Returned>) -> Found {
    let lang = at.lang;
    match stood {
        Stood::Done(returned) => {
            let by = names(at, returned.receipt.signers());
            let rows: u64 = returned.receipt.stated().tables.iter().map(|t| t.rows).sum();
            let rows = lang.plural(rows, lang.of("row", "ligne"), lang.of("rows", "lignes"));
            Found::Done(lang.of(
                format!("{rows} returned to the laboratory, received by {by}"),
                format!("{rows} rendues au laboratoire, reçues par {by}"),
            ))
        }
        Stood::Refused(fault) if *fault.code() == NOT_RETURNED => {
            let words = lang.of("not returned yet", "pas encore rendu");
            let who = if fault.advice() == RECEIVED_BY { LAB } else { YOU };
            missing(words, who, &[fault.detail(), fault.advice()])
        }
        Stood::Refused(fault) => refused(at, fault, YOU, "ecluse receipt verify --return"),
        Stood::Unsigned | Stood::Not => missing(
            lang.of("received, not signed", "reçu, non signé"),
            LAB,
            &["A signatory of the controller signs its receipt:  ecluse receipt sign --return --key FILE"],
        ),
    }
}

fn acceptance(at: At<'_>, Ending { accepted, .. }: &Ending) -> Found {
    let lang = at.lang;
    match accepted {
        Stood::Done(accepted) => {
            let by = names(at, accepted.signers());
            Found::Done(lang.of(format!("accepted by {by}"), format!("accepté par {by}")))
        }
        Stood::Refused(fault) => refused(at, fault, YOU, "ecluse accept verify"),
        Stood::Unsigned | Stood::Not => missing(
            lang.of("proposed, not signed", "proposé, non signé"),
            LAB,
            &[
                "What it says:  ecluse accept show",
                "The controller's signatories accept, or not:  ecluse accept sign --key FILE",
            ],
        ),
    }
}

fn erasure(at: At<'_>, Ending { gone, sought, .. }: &Ending) -> Found {
    let lang = at.lang;
    match gone {
        Stood::Done(stated) => {
            let things = number(stated.done.len());
            let things = lang.plural(things, lang.of("thing", "élément"), lang.of("things", "éléments"));
            let places = number(stated.looked.len());
            let places = lang.plural(places, lang.of("place", "endroit"), lang.of("places", "endroits"));
            let what = match sought {
                [0, 0] => lang.of("with nothing to look for", "sans rien à y rechercher").to_owned(),
                some => lang.of("for ", "pour ").to_owned() + &ending::sought(*some, lang),
            };
            Found::Done(lang.of(
                format!("{things} erased, {places} searched {what}"),
                format!("{things} effacés, {places} fouillés {what}"),
            ))
        }
        Stood::Refused(fault) => refused(at, fault, YOU, "ecluse erase"),
        Stood::Not | Stood::Unsigned => missing(
            lang.of("not erased, or not looked for since", "pas effacé, ou pas recherché depuis"),
            YOU,
            &[
                "What the order has erased goes:  ecluse erase --source, where it says so;  ecluse erase",
                "What should be gone is looked for:  ecluse erase --look",
            ],
        ),
    }
}

fn certificate(at: At<'_>, Ending { certified, .. }: &Ending) -> Found {
    let lang = at.lang;
    match certified {
        Stood::Done(certified) => {
            let by = names(at, certified.signers());
            Found::Done(lang.of(format!("certified by {by}"), format!("attesté par {by}")))
        }
        Stood::Refused(fault) => refused(at, fault, YOU, "ecluse certify verify"),
        Stood::Unsigned => missing(
            lang.of("proposed, not signed", "proposé, non signé"),
            PUBLISHER,
            &["The processor's signatories certify, or not:  ecluse certify sign --key FILE"],
        ),
        Stood::Not => missing(
            lang.of("not written", "pas écrit"),
            YOU,
            &["What was erased and looked for, to be signed:  ecluse certify propose"],
        ),
    }
}

fn closing(at: At<'_>, Ending { closed, .. }: &Ending) -> Found {
    let lang = at.lang;
    match closed {
        Some(when) => Found::Done(lang.hour_of(when)),
        None => missing(
            lang.of("not closed", "pas clos"),
            YOU,
            &[
                "The run's keys and its ledger are destroyed; nothing can be read back after it:  ecluse close",
            ],
        ),
    }
}

fn names(at: At<'_>, signers: &[Signer]) -> String {
    let names: Vec<String> = signers.iter().map(|signer| signer.told(at.lang)).collect();
    at.lang.listed(&names)
}
