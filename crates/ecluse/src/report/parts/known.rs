//! Persons who exist at the destination already: how many, by what, and that nothing was merged.

use crate::report::figure::{blurred, together};
use crate::report::fill::Sources;
use crate::report::page::{Block, Cell, Grid, Part, heads};

/// `None` where the order asks for no comparison, or the run has not come so far.
pub(crate) fn part(from: &Sources<'_>) -> Option<Part> {
    let lang = from.lang;
    let known = from.figures.known.as_ref()?;
    // whether somebody is another laboratory's patient is delicate whatever the table's classes say
    let [persons, number, traits, both] =
        together([known.persons, known.by_number, known.by_traits, known.by_both].map(Some), true);
    let who = persons.of(lang, lang.of("person", "personne"), lang.of("persons", "personnes"));
    let table = &known.table;
    let mut part = Part::new(lang.of("Persons who may be known already", "Personnes peut-être déjà connues")).with(
        Block::Text(lang.of(
            format!(
                "The order has the persons who arrived compared with others' records in {table}: {who} may be on record there already. \
                 Nothing was merged: both records stand, and who they are is shown to the laboratory alone."
            ),
            format!(
                "L’ordre fait comparer les personnes arrivées aux dossiers d’autrui dans {table} : {who} y figurent peut-être déjà. \
                 Rien n’a été fusionné : les deux dossiers restent, et seul le laboratoire voit de qui il s’agit."
            ),
        )),
    );
    if known.persons > 0 {
        let names =
            [lang.of("Two records agree by", "Deux dossiers concordent par"), lang.of("#pairs", "#paires")];
        let line = |words: &str, figure| vec![Cell::words(words), Cell::figure(figure, lang)];
        let rows = vec![
            line(lang.of("the national number alone", "le numéro national seul"), number),
            line(
                lang.of("name, first name, birth and sex alone", "nom, prénom, naissance et sexe seuls"),
                traits,
            ),
            line(lang.of("both", "les deux"), both),
        ];
        part = part.with(Block::Table(Grid { heads: heads(&names), rows }));
    }
    if known.uncompared > 0 || known.uncompared_there > 0 {
        // never exactly: what is left of those who arrived could be had from it
        let [arrived, stood] = [known.uncompared, known.uncompared_there].map(|n| blurred(n).told(lang));
        part = part.with(Block::Text(lang.of(
            format!(
                "Compared with nobody, because they hold neither a valid national number nor all four traits: {arrived} of those \
                 who arrived, {stood} of the others' records."
            ),
            format!(
                "N’ont été comparées à personne, faute de numéro national valable ou des quatre traits : {arrived} des personnes \
                 arrivées, {stood} des dossiers d’autrui."
            ),
        )));
    }
    Some(part)
}
