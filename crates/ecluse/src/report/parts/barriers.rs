//! What stood between écluse and what was not ordered, what no software reached, and overrides.

use ecluse_flow::rights::{minute, told};
use ecluse_seal::{Noted, What};

use crate::report::fill::Sources;
use crate::report::page::{Block, Part, Said};
use crate::report::recorded::recorded;

pub(crate) fn part(from: &Sources<'_>) -> Part {
    let lang = from.lang;
    let overrides = overrides(from);
    let last = if overrides.is_empty() {
        Block::Text(lang.of("None.", "Aucune.").to_owned())
    } else {
        Block::List(overrides)
    };
    Part::new(lang.of("The barriers", "Les barrières"))
        .with(Block::List(barriers(from)))
        .with(Block::Head(
            lang.of("What software could not reach", "Ce qu’un logiciel ne pouvait pas atteindre"),
        ))
        .with(Block::List(limits(from)))
        .with(Block::Head(lang.of("Overrides", "Dérogations")))
        .with(last)
}

fn barriers(from: &Sources<'_>) -> Vec<Said> {
    let lang = from.lang;
    let one = |n: &Noted| {
        let (at, said) = (lang.hour_of(&n.at), recorded(&n.words, lang));
        let words = lang.of(
            format!("At the source, since {at}: {}", said.words),
            format!("À la source, depuis le {at} : {}", said.words),
        );
        Said { words, ..said }
    };
    let mut barriers: Vec<Said> = noted(from, What::Barrier).map(one).collect();
    barriers.push(
        lang.of(
            "In écluse: the plan names its columns one by one, and each row was checked again against the order's filter.",
            "Dans écluse : le plan nomme ses colonnes une à une, et chaque ligne a été vérifiée à nouveau selon le filtre de l’ordre.",
        )
        .to_owned()
        .into(),
    );
    barriers
}

fn limits(from: &Sources<'_>) -> Vec<Said> {
    let lang = from.lang;
    let one = |n: &Noted| {
        let said = recorded(&n.words, lang);
        Said { words: format!("{} ({})", said.words, lang.hour_of(&n.at)), ..said }
    };
    let mut limits: Vec<Said> = noted(from, What::Limit).map(one).collect();
    let servers = match &from.handed {
        Some(_) => lang.of(
            "What the database servers on either side write into their own logs and journals is theirs; and what becomes of \
             the rows at the recipient's, once the archive is open, is the recipient's.",
            "Ce que les serveurs de bases de données des deux côtés écrivent dans leurs propres journaux leur appartient ; et \
             ce que deviennent les lignes chez le destinataire, une fois l’archive ouverte, lui appartient.",
        ),
        None => lang.of(
            "What the two database servers write into their own logs and journals is theirs.",
            "Ce que les deux serveurs de bases de données écrivent dans leurs propres journaux leur appartient.",
        ),
    };
    let always = [
        servers,
        lang.of(
            "Whoever has another account on the source, or a backup of it, is outside of this page.",
            "Quiconque a un autre compte sur la source, ou une sauvegarde de celle-ci, échappe à cette page.",
        ),
    ];
    limits.extend(always.into_iter().map(|words| Said::from(words.to_owned())));
    limits
}

/// Those of every start of the run: a later one without them does not cover them up.
fn overrides(from: &Sources<'_>) -> Vec<Said> {
    let lang = from.lang;
    let colon = lang.of(":", " :");
    let spoken = |n: &Noted| {
        let reason = match n.what {
            What::WithoutViews => lang.of(
                "The tables themselves were read, not views made by the administrator:",
                "Les tables elles-mêmes ont été lues, non des vues faites par l’administrateur :",
            ),
            What::WiderRole => lang.of(
                "The role can do more than the order needs, and was accepted:",
                "Le rôle peut plus que l’ordre ne demande, et a été accepté :",
            ),
            What::Excess | What::Barrier | What::Limit => return None,
        };
        // the reason is the operator's, in the operator's words
        Some(Said::from(format!("{}{colon} {reason} {}", lang.hour_of(&n.at), n.words)))
    };
    let mut overrides: Vec<Said> = from.figures.noted.iter().filter_map(spoken).collect();
    let excess: Vec<&Noted> = noted(from, What::Excess).collect();
    for met in excess.chunk_by(|a, b| minute(&a.at) == minute(&b.at)) {
        let since = met.first().map(|n| lang.hour_of(&n.at)).unwrap_or_default();
        let rights: Vec<&str> = met.iter().map(|n| n.words.as_str()).collect();
        let told = told(&rights);
        let shortened = told.len() < rights.len();
        overrides.extend(told.iter().map(|right| {
            let said = recorded(right, lang);
            let words = lang.of(
                format!("{since}: The role {}.", said.words),
                format!("{since} : le rôle a plus de droits : {}.", said.words),
            );
            Said { words, ..said }
        }));
        if shortened {
            overrides.push(Said::from(lang.of(
                format!("{since}: Each of these rights stands in the run's figures.json."),
                format!(
                    "{since} : chacun de ces droits figure dans le fichier figures.json de la migration."
                ),
            )));
        }
    }
    if let Some(compared) = from.reconciliation.found() {
        let at = lang.hour_of(&compared.at);
        overrides.extend(compared.overrides.iter().map(|reason| {
            Said::from(lang.of(
                format!("{at}: The comparison could read more than it needs: {reason}"),
                format!("{at} : la relecture pouvait lire plus qu’il ne lui faut : {reason}"),
            ))
        }));
    }
    overrides
}

fn noted<'a>(from: &'a Sources<'_>, what: What) -> impl Iterator<Item = &'a Noted> {
    from.figures.noted.iter().filter(move |n| n.what == what)
}
