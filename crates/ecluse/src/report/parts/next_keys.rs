//! Keys that the destination counts beside this laboratory's room, and what its administrator types.

use crate::report::fill::Sources;
use crate::report::page::{Block, Check, Part};

/// `None` where nothing has to be typed.
pub(crate) fn part(from: &Sources<'_>) -> Option<Part> {
    let lang = from.lang;
    let what = lang.of("the destination's administrator", "l’administrateur de la destination");
    let check = |statement: &String| Check { what: what.to_owned(), how: statement.clone() };
    let checks: Vec<Check> = from.facts.next_keys.iter().map(check).collect();
    if checks.is_empty() {
        return None;
    }
    let text = lang.of(
        "This laboratory's rows have keys of their own among the others', and the destination counts the keys of new rows. \
         Typed before the application writes there again, these make new rows begin after them.",
        "Les lignes de ce laboratoire ont leurs propres clés parmi celles des autres, et la destination compte les clés des \
         nouvelles lignes. Saisies avant que l’application n’y écrive à nouveau, ces commandes les font commencer après elles.",
    );
    let part = Part::new(lang.of("Keys of new rows", "Clés des nouvelles lignes"));
    Some(part.with(Block::Text(text.to_owned())).with(Block::Checks(checks)))
}
