//! The person at the screen: one dossier after the other, an answer to each, until they stop.

use ecluse_core::comparison::{Reason, Verdict};
use ecluse_core::fault::Result;
use ecluse_flow::compare::{Dossier, Drawn};

use super::record::Record;
use crate::screen::sheet::{self, Names};
use crate::screen::terminal::{Key, Line, Terminal};
use crate::screen::words::Words;
use crate::screen::{harmless, wrapped};

/// Lines above and below a dossier's own.
const HEAD: usize = 3;
const FOOT: usize = 3;

/// What a person decided on a dossier.
enum Decided {
    Said(Verdict),
    Skip,
    Back,
    Stop,
}

/// Shows each drawn dossier that has no answer yet, and keeps what is answered.
///
/// # Errors
///
/// The terminal's, the record's.
pub(super) fn look(
    drawn: &Drawn,
    names: &Names,
    words: Words,
    record: &mut Record,
    terminal: &mut Terminal,
) -> Result<()> {
    // the next without an answer; those that have one are met on the way back only
    let open = |record: &Record, from: usize| {
        let ahead = drawn.dossiers.iter().enumerate().skip(from);
        ahead.into_iter().find(|(_, one)| record.said(&one.token).is_none()).map(|(place, _)| place)
    };
    let end = drawn.dossiers.len();
    let mut place = open(record, 0).unwrap_or(end);
    loop {
        let Some(dossier) = drawn.dossiers.get(place) else {
            let said = drawn.dossiers.iter().filter(|one| record.said(&one.token).is_some()).count();
            if !through(said, end, words, terminal)? {
                return Ok(());
            }
            place = open(record, 0).unwrap_or(end.saturating_sub(1));
            continue;
        };
        let said = record.said(&dossier.token);
        let page = Page { dossier, names, words, place, of: end, said };
        match page.decided(terminal)? {
            Decided::Said(verdict) => {
                record.says(drawn, dossier, verdict)?;
                place = open(record, place + 1).unwrap_or(end);
            }
            Decided::Skip => place = open(record, place + 1).unwrap_or(end),
            Decided::Back => place = place.saturating_sub(1),
            Decided::Stop => return Ok(()),
        }
    }
}

/// After the last dossier; whether the person wants back.
fn through(said: usize, of: usize, words: Words, terminal: &mut Terminal) -> Result<bool> {
    loop {
        let [counted, keys] = words.through(said, of);
        terminal.draw(&[Line::default(), Line::strong(counted), Line::default(), Line::plain(keys)])?;
        match terminal.key() {
            Key::Letter('b') => return Ok(true),
            Key::Letter('q') | Key::Gone => return Ok(false),
            _ => {}
        }
    }
}

/// One dossier on the screen.
struct Page<'a> {
    dossier: &'a Dossier,
    names: &'a Names,
    words: Words,
    place: usize,
    of: usize,
    said: Option<Verdict>,
}

impl Page<'_> {
    fn decided(&self, terminal: &mut Terminal) -> Result<Decided> {
        let (mut from, mut why) = (0, false);
        loop {
            let (columns, height) = terminal.size();
            let lines = sheet::lines(self.dossier, self.names, self.words, columns);
            let foot = if why { FOOT + Reason::ALL.len() } else { FOOT };
            let room = height.saturating_sub(HEAD + foot).max(1);
            let last = lines.len().saturating_sub(room);
            from = from.min(last);
            let mut screen = self.head(columns);
            screen.extend((0..room).map(|place| lines.get(from + place).cloned().unwrap_or_default()));
            screen.extend(self.foot(why, (from + 1, (from + room).min(lines.len()), lines.len())));
            terminal.draw(&screen)?;
            let key = terminal.key();
            if why {
                match key {
                    Key::Letter(digit) => {
                        let chosen = digit.to_digit(10).and_then(|n| usize::try_from(n).ok()?.checked_sub(1));
                        if let Some(reason) = chosen.and_then(|n| Reason::ALL.get(n)) {
                            return Ok(Decided::Said(Verdict::Differs(*reason)));
                        }
                    }
                    Key::Escape => why = false,
                    Key::Gone => return Ok(Decided::Stop),
                    _ => {}
                }
                continue;
            }
            match key {
                Key::Letter('t') => return Ok(Decided::Said(Verdict::Same)),
                Key::Letter('x') => why = true,
                Key::Letter('s') => return Ok(Decided::Skip),
                Key::Letter('b') => return Ok(Decided::Back),
                Key::Letter('q') | Key::Gone => return Ok(Decided::Stop),
                Key::Down => from = (from + 1).min(last),
                Key::Up => from = from.saturating_sub(1),
                Key::PageDown | Key::Letter(' ') => from = (from + room).min(last),
                Key::PageUp => from = from.saturating_sub(room),
                Key::Letter(_) | Key::Escape | Key::Resized => {}
            }
        }
    }

    fn head(&self, columns: usize) -> Vec<Line> {
        let token = self.dossier.token.get(..9).unwrap_or_default();
        let kinds = harmless(&self.dossier.kinds.join(", "));
        let title = self.words.title(self.place + 1, self.of, token, &kinds);
        let found = self.words.found(sheet::marked(self.dossier));
        let first = |text: &str| wrapped(text, columns).into_iter().next().unwrap_or_default();
        vec![Line::strong(first(&title)), Line::plain(first(&found)), Line::plain("─".repeat(columns))]
    }

    fn foot(&self, why: bool, (from, upto, of): (usize, usize, usize)) -> Vec<Line> {
        let words = self.words;
        let verdict = match self.said {
            None => String::new(),
            Some(Verdict::Same) => words.said(words.same()),
            Some(Verdict::Differs(reason)) => words.said(&words.differs(reason)),
        };
        let place = Line::plain(format!("── {from}–{upto} / {of}   {verdict}"));
        if why {
            let reasons = Reason::ALL.into_iter().enumerate();
            let listed =
                reasons.map(|(n, reason)| Line::plain(format!("  {}  {}", n + 1, words.reason(reason))));
            return [place, Line::strong(words.why())].into_iter().chain(listed).collect();
        }
        vec![place, Line::strong(words.keys()), Line::plain(words.only_here())]
    }
}
