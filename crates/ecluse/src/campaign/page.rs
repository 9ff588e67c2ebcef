//! The board as a page: on a telephone, on a desk, in print.

use askama::Template;
use ecluse_core::language::Language;

use super::board::Board;
use super::figure::Last;
use super::row::{Row, State};
use crate::procedure::Words;

/// The page; its template is `templates/campaign.html`. No script, nothing fetched.
#[derive(Debug, Template)]
#[template(path = "campaign.html")]
pub(crate) struct Page<'a> {
    pub(crate) lang: Language,
    pub(crate) w: &'a Words,
    pub(crate) b: &'a Board,
}

impl Page<'_> {
    /// How the laboratory stands, in a word.
    fn state(&self, row: &Row) -> &'static str {
        match row.state {
            State::Refused => self.lang.of("refused", "refusé"),
            State::Laboratory | State::Operator => self.lang.of("waiting", "en attente"),
            State::Done => self.lang.of("done", "fait"),
        }
    }

    fn figure(&self, last: &Last) -> String {
        last.words(self.lang)
    }

    /// The board's day, as the page's language writes it.
    fn day(&self) -> String {
        self.b.on.parse().map_or_else(|_| self.b.on.clone(), |day| self.lang.day(day))
    }

    /// How many stand how.
    fn counted(&self) -> String {
        sentence(self.b, self.lang)
    }
}

/// `2 refused, 3 waiting for the laboratory, 34 with nothing missing. 36 of 40 reconciled, 34 cut over.`
pub(crate) fn sentence(board: &Board, lang: Language) -> String {
    let c = &board.counts;
    let parts: Vec<String> = [
        (c.refused, lang.of("refused", "refusés")),
        (c.laboratory, lang.of("waiting for the laboratory", "en attente du laboratoire")),
        (c.operator, lang.of("waiting for the operator", "en attente de l’opérateur")),
        (c.done, lang.of("with nothing missing", "où rien ne manque")),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, words)| format!("{n} {words}"))
    .collect();
    let (all, reconciled, cut_over) = (c.all, c.reconciled, c.cut_over);
    let stand = lang.of(
        format!("{reconciled} of {all} reconciled, {cut_over} cut over."),
        format!("{reconciled} sur {all} concordent, {cut_over} basculés."),
    );
    if parts.is_empty() { stand } else { format!("{}. {stand}", parts.join(", ")) }
}
