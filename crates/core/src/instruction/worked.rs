//! An order worked out for a product, put over the draft of one laboratory's.

use jiff::Span;
use jiff::civil::Date;

use crate::template::NO_DIGEST;

/// The draft's header and its two databases, and the rest of an order that somebody worked out: its
/// purpose, its tables, its columns, the fate of what stays. Sections of `worked` that belong to one
/// laboratory alone (`[document]`, `[source]`, `[destination]`) are the draft's.
///
/// A worked order that is shared leaves its digests open, as a word in braces (`"{mapping}"`): each becomes
/// [`NO_DIGEST`], for [`super::fill`]. Its days are open too, see [`dated`].
///
/// Both are read as lines: a section begins with `[` in a line's first place, and the comments right
/// above it are its own. What comes out is a draft like another, to be checked and read.
#[must_use]
pub fn over(draft: &str, worked: &str, today: Date) -> String {
    let worked = dated(worked, today);
    let drafted = sections(draft);
    let own = |name: &str| drafted.iter().find(|section| section.name == name).map(|section| section.text);
    let theirs = sections(&worked);
    let of = |wanted: &str| theirs.iter().filter(|s| s.name == wanted).map(|s| s.text).collect::<String>();
    let mut out = own("").unwrap_or_default().to_owned();
    out.push_str(own("document").unwrap_or_default());
    out.push_str(&of("instruction"));
    // always this laboratory's, whatever the worked order has or lacks
    out.push_str(own("source").unwrap_or_default());
    out.push_str(own("destination").unwrap_or_default());
    let rest = ["", "document", "instruction", "source", "destination"];
    theirs.iter().filter(|s| !rest.contains(&s.name)).for_each(|section| out.push_str(section.text));
    ["{dictionary}", "{mapping}"].iter().fold(out, |text, word| text.replace(word, NO_DIGEST))
}

/// A worked order with its days counted from `today`: `"{today + 10 years 7 months}"` becomes a date. What is
/// written there and is no length of time stays as it is, for the reader to refuse.
#[must_use]
pub fn dated(worked: &str, today: Date) -> String {
    const OPEN: &str = "\"{today + ";
    let (mut out, mut rest) = (String::with_capacity(worked.len()), worked);
    while let Some((before, after)) = rest.split_once(OPEN) {
        out.push_str(before);
        let day = |length: &str| today.checked_add(length.parse::<Span>().ok()?).ok();
        match after.split_once("}\"").and_then(|(length, left)| Some((day(length)?, left))) {
            Some((day, left)) => {
                out.push_str(&day.to_string());
                rest = left;
            }
            None => {
                out.push_str(OPEN);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// A section, with the comments above it and the blank lines beneath.
struct Section<'t> {
    /// The name in brackets; empty for what stands before the first.
    name: &'t str,
    text: &'t str,
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut out = Vec::new();
    let (mut name, mut from) = ("", 0);
    // where the comments begin that belong to what comes next
    let mut above = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let head = line.trim_end().strip_prefix('[').and_then(|l| l.split_once(']')).map(|(name, _)| name);
        if let Some(next) = head {
            let begin = above.unwrap_or(at);
            out.push(Section { name, text: text.get(from..begin).unwrap_or_default() });
            (name, from) = (next.trim_start_matches('[').trim(), begin);
        }
        above = if line.starts_with('#') { above.or(Some(at)) } else { None };
        at += line.len();
    }
    out.push(Section { name, text: text.get(from..).unwrap_or_default() });
    out
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;

    use super::{dated, over};

    const TODAY: Date = Date::constant(2026, 11, 30);

    const DRAFT: &str = "# The order.\n\n[document]\nid = \"new\"\n\n[instruction]\npurpose = \"…\"\n\n\
                         # where from\n[source]\ndatabase = \"tilleuls\"\n# tls_spki = \"…\"\n\n\
                         [destination]\ndatabase = \"kalys\"\n\n[erasure]\ncopies = \"…\"\n";

    #[test]
    fn the_laboratorys_own_stays_and_the_rest_is_the_worked_orders() {
        let worked = "# about it\n[document]\nid = \"old\"\n\n[instruction]\npurpose = \"Take over\"\nmapping = \"{mapping}\"\n\n\
                      [source]\ndatabase = \"SIGL\"\n\n[destination]\ndatabase = \"other\"\n\n\
                      # erased\n[erasure]\ncopies = \"{today + 7 months}\"\n\n[[table]]\nname = \"a\"\n\n[[table]]\nname = \"b\"\n";
        let filled = over(DRAFT, worked, TODAY);
        assert_eq!(
            filled,
            "# The order.\n\n[document]\nid = \"new\"\n\n[instruction]\npurpose = \"Take over\"\nmapping = \"sha256:…\"\n\n\
             # where from\n[source]\ndatabase = \"tilleuls\"\n# tls_spki = \"…\"\n\n\
             [destination]\ndatabase = \"kalys\"\n\n# erased\n[erasure]\ncopies = 2027-06-30\n\n\
             [[table]]\nname = \"a\"\n\n[[table]]\nname = \"b\"\n"
        );
    }

    #[test]
    fn days_are_counted_from_the_day_of_the_draft() {
        let fate = |length: &str| format!("until = \"{{today + {length}}}\", reason = \"x\"");
        let written = |length: &str| dated(&fate(length), TODAY);
        assert_eq!(written("10 years 7 months"), "until = 2037-06-30, reason = \"x\"");
        assert_eq!(written("3 months"), "until = 2027-02-28, reason = \"x\"");
        for no_length in ["", "soon", "99999 years"] {
            assert_eq!(written(no_length), fate(no_length));
        }
        assert_eq!(dated("a = \"{today + 1 day", TODAY), "a = \"{today + 1 day");
    }
}
