//! The last links of the chain: accepted, erased, searched, certified, closed.

use ecluse_core::certificate::Stated;
use ecluse_core::fault::Fault;
use ecluse_core::language::Language;
use ecluse_core::signatures::Signer;

use super::chain::Link;
use crate::commands::sign::short;
use crate::papers::destruction::Outside;
use crate::papers::ending::{Ending, Stood, sought};
use crate::papers::returned::{NOT_RETURNED, Returned};
use crate::report::fill::day;

/// The links; what comes later is told as such, and what its own check refuses by its code.
pub(super) fn links(ending: &Ending, lang: Language) -> Vec<Link> {
    let accepted = paper(lang.of("acceptance", "procès-verbal de recette"), &ending.accepted, lang, |one| {
        (one.signers().to_vec(), one.header().issued.to_string(), one.digest())
    });
    let certified = paper(
        lang.of("certificate of erasure", "attestation d’effacement"),
        &ending.certified,
        lang,
        |one| (one.signers().to_vec(), one.header().issued.to_string(), one.digest()),
    );
    let erasure = file(lang.of("erasure", "effacement"), ending, lang, |stated| {
        (stated.done.iter().map(|one| one.at.as_str()).max().unwrap_or_default(), &stated.erasure)
    });
    let residue = searched(ending, lang);
    let closing = Link { artefact: lang.of("closing", "clôture").to_owned(), ..Link::default() };
    let closing = match &ending.closed {
        Some(at) => Link { when: day(at, lang), ..closing },
        None => later(closing, lang),
    };
    let returned = ending.returned.as_ref().map(|stood| returned(stood, lang));
    let sent_back = ending.sent_back.as_ref().map(|stood| {
        paper(lang.of("manifest of the return", "manifeste de la restitution"), stood, lang, |one| {
            (one.signers().to_vec(), one.header().issued.to_string(), one.digest())
        })
    });
    let returned = sent_back.into_iter().chain(returned);
    let outside = ending.outside.iter().map(|one| taken(one, lang));
    let before = [accepted].into_iter().chain(returned).chain([erasure, residue]);
    before.chain(outside).chain([certified, closing]).collect()
}

/// The search for what should be gone, with for how much was looked: a look for nothing finds nothing.
fn searched(ending: &Ending, lang: Language) -> Link {
    let artefact = lang.of("search for residue", "recherche des restes");
    let link = file(artefact, ending, lang, |stated| ("", &stated.residue));
    if !link.missing.is_empty() {
        return link;
    }
    if ending.sought == [0; 2] {
        let missing = lang.of("nothing to look for", "rien à rechercher").to_owned();
        return Link { missing, later: true, ..link };
    }
    let colon = lang.of(": ", " : ");
    Link { artefact: format!("{artefact}{colon}{}", sought(ending.sought, lang)), ..link }
}

/// A copy that somebody took: that it was destroyed, or that nobody has stated so.
fn taken(Outside { copy, stood }: &Outside, lang: Language) -> Link {
    let holder = copy.taken.as_ref().map_or("", |taken| taken.holder.as_str());
    let artefact = lang.of(format!("copy taken by {holder}"), format!("copie emportée par {holder}"));
    let missing = lang.of("not stated to be destroyed", "sans déclaration de destruction");
    match stood {
        Stood::Not | Stood::Unsigned => Link { artefact, missing: missing.to_owned(), ..Link::default() },
        stood => paper(&artefact, stood, lang, |one| {
            (one.signers().to_vec(), one.stated().at.to_string(), one.digest())
        }),
    }
}

/// What went back to the laboratory: its receipt.
fn returned(stood: &Stood<Returned>, lang: Language) -> Link {
    let artefact = lang.of("receipt of the return", "accusé de réception de la restitution");
    match stood {
        // nothing failed: it is still to be done
        Stood::Refused(fault) if *fault.code() == NOT_RETURNED => {
            later(Link { artefact: artefact.to_owned(), ..Link::default() }, lang)
        }
        _ => paper(artefact, stood, lang, |one| {
            let receipt = &one.receipt;
            (receipt.signers().to_vec(), receipt.header().issued.to_string(), receipt.digest())
        }),
    }
}

pub(super) fn paper<T>(
    artefact: &str,
    stood: &Stood<T>,
    lang: Language,
    told: impl FnOnce(&T) -> (Vec<Signer>, String, String),
) -> Link {
    let link = Link { artefact: artefact.to_owned(), ..Link::default() };
    match stood {
        Stood::Not => later(link, lang),
        Stood::Unsigned => Link { missing: lang.of("not signed", "non signé").to_owned(), ..link },
        Stood::Refused(fault) => refused(link, fault, lang),
        Stood::Done(one) => {
            let (signers, when, digest) = told(one);
            let names: Vec<String> = signers.iter().map(|signer| signer.told(lang)).collect();
            Link {
                signer: names.join(lang.of("; ", " ; ")),
                when: day(&when, lang),
                fingerprint: short(&digest),
                ..link
            }
        }
    }
}

/// A file of the run folder, which the journal vouches for.
fn file(
    artefact: &str,
    ending: &Ending,
    lang: Language,
    told: impl FnOnce(&Stated) -> (&str, &String),
) -> Link {
    let link = Link { artefact: artefact.to_owned(), ..Link::default() };
    match &ending.gone {
        Stood::Done(stated) => {
            let (when, digest) = told(stated);
            Link { when: day(when, lang), fingerprint: short(digest), ..link }
        }
        Stood::Refused(fault) => refused(link, fault, lang),
        Stood::Not | Stood::Unsigned => later(link, lang),
    }
}

pub(super) fn later(link: Link, lang: Language) -> Link {
    Link { missing: lang.of("still to come", "à venir").to_owned(), later: true, ..link }
}

fn refused(link: Link, fault: &Fault, lang: Language) -> Link {
    let id = fault.code().id;
    Link { missing: lang.of(format!("refused ({id})"), format!("refusé ({id})")), ..link }
}
