//! What came of rows that were sealed to a recipient: nobody here reads a destination back, the receipt tells.

use ecluse_core::receipt::Receipt;
use ecluse_core::signatures::Signer;

use super::chain::Link;
use super::ending::{later, paper};
use crate::papers::ending::Stood;
use crate::papers::handed::Handed;
use crate::report::fill::{Sources, day};
use crate::report::page::{Block, Part};

/// In the place of the reconciliation.
pub(crate) fn part(from: &Sources<'_>, handed: &Handed) -> Part {
    let lang = from.lang;
    let words = match &handed.receipt {
        Stood::Done(receipt) => received(from, receipt),
        Stood::Not => lang
            .of(
                "No receipt has come back: whether the rows were received is not known here.",
                "Aucun accusé d’intégration n’est revenu : on ne sait pas ici si les lignes ont été reçues.",
            )
            .to_owned(),
        Stood::Unsigned | Stood::Refused(_) => lang
            .of(
                "A receipt came back, and it does not count as it stands: see the chain.",
                "Un accusé d’intégration est revenu, et il ne vaut pas tel quel : voir la chaîne.",
            )
            .to_owned(),
    };
    Part::new(lang.of("What was received", "Ce qui a été reçu")).with(Block::Text(words))
}

fn received(from: &Sources<'_>, receipt: &Receipt) -> String {
    let lang = from.lang;
    let by = lang.listed(&names(receipt.signers()));
    let rows = receipt.stated().tables.iter().map(|table| table.rows).sum();
    let rows = from.discreet().total(rows).of(lang, lang.of("row", "ligne"), lang.of("rows", "lignes"));
    let on = day(&receipt.header().issued.to_string(), lang);
    lang.of(
        format!(
            "{by} signed the receipt of {on}: {rows} received, as many of each table as were sealed, read back and \
             compared with no difference; the key that opened the archive is destroyed. It gives for each table the sum \
             that the extraction had committed itself to. A receipt is the recipient's word: nobody here has seen the \
             database that received."
        ),
        format!(
            "{by} a signé l’accusé d’intégration du {on} : {rows} reçues, autant de chaque table qu’il en a été scellé, \
             relues et comparées sans différence ; la clé qui ouvrait l’archive est détruite. Il donne pour chaque table \
             la somme de contrôle à laquelle l’extraction s’était engagée. Un accusé est la parole du destinataire : \
             personne ici n’a vu la base qui a reçu."
        ),
    )
}

/// The archive's manifest and the receipt, as links of the chain; neither is due before the run is through.
pub(super) fn links(from: &Sources<'_>, handed: &Handed) -> Vec<Link> {
    let lang = from.lang;
    let manifest = lang.of("manifest of the archive", "manifeste de l’archive");
    let receipt = lang.of("receipt", "accusé d’intégration");
    let manifest = match &handed.manifest {
        Stood::Not if from.figures.whole => Link {
            artefact: manifest.to_owned(),
            missing: lang.of("not there", "absent").to_owned(),
            ..Link::default()
        },
        stood => paper(manifest, stood, lang, |one| {
            (one.signers().to_vec(), one.header().issued.to_string(), one.digest())
        }),
    };
    let receipt = match &handed.receipt {
        Stood::Not => later(Link { artefact: receipt.to_owned(), ..Link::default() }, lang),
        stood => paper(receipt, stood, lang, |one| {
            (one.signers().to_vec(), one.header().issued.to_string(), one.digest())
        }),
    };
    vec![manifest, receipt]
}

/// What the lead says of it.
pub(crate) fn found(from: &Sources<'_>, handed: &Handed) -> String {
    let lang = from.lang;
    let told = match &handed.receipt {
        Stood::Done(receipt) => {
            let by = lang.listed(&names(receipt.signers()));
            lang.of(
                format!("{by} has signed that every row was received"),
                format!("{by} a signé que chaque ligne a été reçue"),
            )
        }
        Stood::Not => lang
            .of("no receipt has come back yet", "aucun accusé d’intégration n’est encore revenu")
            .to_owned(),
        Stood::Unsigned => lang
            .of(
                "the receipt that came back is not signed",
                "l’accusé d’intégration qui est revenu n’est pas signé",
            )
            .to_owned(),
        Stood::Refused(_) => lang
            .of(
                "the receipt that came back does not hold",
                "l’accusé d’intégration qui est revenu n’est pas valable",
            )
            .to_owned(),
    };
    if from.figures.is_beyond_tolerance() {
        return lang.of(
            format!("more rows were refused than the order tolerates; {told}"),
            format!("plus de lignes ont été refusées que l’ordre n’en tolère ; {told}"),
        );
    }
    told
}

/// What is to be done for it, in a sentence; `None` where nothing is, or not before the run is through.
pub(crate) fn alert(from: &Sources<'_>, handed: &Handed) -> Option<String> {
    let lang = from.lang;
    let words = match &handed.receipt {
        Stood::Done(_) => return None,
        Stood::Not if !from.figures.whole => return None,
        Stood::Not => lang.of(
            "No receipt has come back: the recipient loads the archive and signs what was received; put receipt.toml \
             here, then write this page again.",
            "Aucun accusé d’intégration n’est revenu : le destinataire charge l’archive et signe ce qui a été reçu ; \
             déposez ici receipt.toml, puis écrivez cette page à nouveau.",
        ),
        Stood::Unsigned => lang.of(
            "The receipt bears no signature: the recipient signs it (ecluse receipt sign).",
            "L’accusé d’intégration ne porte aucune signature : le destinataire le signe (ecluse receipt sign).",
        ),
        Stood::Refused(fault) => {
            let id = fault.code().id;
            return Some(lang.of(
                format!("The receipt is refused ({id}): ecluse receipt verify says why."),
                format!("L’accusé d’intégration est refusé ({id}) : ecluse receipt verify dit pourquoi."),
            ));
        }
    };
    Some(words.to_owned())
}

/// Persons, without their addresses.
fn names(signers: &[Signer]) -> Vec<String> {
    signers.iter().map(|signer| signer.person.clone()).collect()
}
