//! Where rows stand at a destination that holds other laboratories: whole-number keys moved by
//! an offset, text keys behind a prefix, both within a room that nobody else uses.
//!
//! | | on the way | at the destination |
//! |---|---|---|
//! | offset 40,000,000, room 1,000,000 | `0 ..= 999999` | `40000000 ..= 40999999` |
//! | prefix `CHB-` | any text | the texts that begin with `CHB-` |
//!
//! Both keep the order of keys, so that a range of the one is a range of the other; both are
//! one-to-one, and every value that may stand at the destination comes back as exactly one: what
//! somebody wrote there beside the room comes back as a value that no source row has.

use super::{TablePlan, WriteColumn};
use crate::value::{Key, Value};

/// Stands before a text that came back from outside its room; no written text holds it
/// (a row that does is refused before it is sent).
const OUTSIDE: char = '\0';

/// How the values of a column are moved aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// A whole number, by addition: `0 .. room` land in `offset .. offset + room`.
    Offset {
        /// Added to each.
        offset: i64,
        /// How many numbers the room has; `offset + room` is a whole number of 64 bits.
        room: i64,
    },
    /// A text, behind a prefix of printable ASCII.
    Prefix(String),
}

/// A written column whose values are moved aside: a key, or what refers to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Index into [`TablePlan::write`].
    pub column: usize,
    /// How.
    pub by: By,
}

/// What a key column's values at the destination lie between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds<'a> {
    /// The column.
    pub column: &'a WriteColumn,
    /// The least value, inclusive.
    pub from: Value,
    /// The end, exclusive; numbers by value, text by bytes.
    pub below: Value,
}

impl By {
    /// A number as it stands at the destination. One-to-one over all numbers: it wraps around.
    #[must_use]
    pub const fn number_there(&self, number: i64) -> i64 {
        match self {
            Self::Offset { offset, .. } => number.wrapping_add(*offset),
            Self::Prefix(_) => number,
        }
    }

    /// The number that stands at the destination, as it is on the way.
    #[must_use]
    pub const fn number_here(&self, number: i64) -> i64 {
        match self {
            Self::Offset { offset, .. } => number.wrapping_sub(*offset),
            Self::Prefix(_) => number,
        }
    }

    /// A text as it stands at the destination. One-to-one over all texts that [`Self::text_here`] gives.
    #[must_use]
    pub fn text_there(&self, text: &str) -> String {
        match (self, text.strip_prefix(OUTSIDE)) {
            (Self::Prefix(_), Some(outside)) => outside.to_owned(),
            (Self::Prefix(prefix), None) => format!("{prefix}{text}"),
            (Self::Offset { .. }, _) => text.to_owned(),
        }
    }

    /// The text that stands at the destination, as it is on the way.
    #[must_use]
    pub fn text_here(&self, text: &str) -> String {
        match self {
            Self::Prefix(prefix) => match text.strip_prefix(prefix.as_str()) {
                Some(own) if !own.starts_with(OUTSIDE) => own.to_owned(),
                _ => format!("{OUTSIDE}{text}"),
            },
            Self::Offset { .. } => text.to_owned(),
        }
    }

    fn there(&self, value: &Value) -> Value {
        match value {
            Value::Int(number) => Value::Int(self.number_there(*number)),
            Value::Text(text) => Value::Text(self.text_there(text)),
            other => other.clone(),
        }
    }

    /// The room's least value, and its end.
    fn bounds(&self) -> (Value, Value) {
        match self {
            Self::Offset { offset, room } => (Value::Int(*offset), Value::Int(offset.saturating_add(*room))),
            Self::Prefix(prefix) => (Value::Text(prefix.clone()), Value::Text(after(prefix))),
        }
    }
}

/// The least text that is greater than every one with this prefix, by bytes. A prefix ends in
/// printable ASCII, so that one more is a character too.
fn after(prefix: &str) -> String {
    let mut text = prefix.to_owned();
    if let Some(next) = text.pop().and_then(|last| char::from_u32(u32::from(last) + 1)) {
        text.push(next);
    }
    text
}

impl TablePlan {
    /// The written columns whose values are moved aside at the destination; none where the
    /// destination is this laboratory's alone.
    #[must_use]
    pub fn shifts(&self) -> &[Shift] {
        &self.shifts
    }

    /// What this laboratory's rows lie between at the destination: one line per key column that is
    /// moved aside. Whoever reads, counts or deletes rows of the destination asks for all of
    /// them; empty means every row of the table.
    #[must_use]
    pub fn room(&self) -> Vec<Bounds<'_>> {
        self.key_shifts()
            .filter_map(|(_, shift)| {
                let (from, below) = shift.by.bounds();
                Some(Bounds { column: self.write.get(shift.column)?, from, below })
            })
            .collect()
    }

    /// [`Self::room`] as a ledger keeps it, for [`apart`]: a line per key column, with the start and
    /// the end as texts that compare as the values do. Empty where the whole table is meant.
    #[must_use]
    pub fn room_words(&self) -> String {
        let words = |value: &Value| match value {
            // a room begins at 0 or above: as many digits for all
            Value::Int(number) => format!("{number:020}"),
            Value::Text(text) => text.clone(),
            other => other.kind().to_owned(),
        };
        let line = |b: &Bounds<'_>| {
            format!("{} {} {}", words(&b.from), words(&b.below), b.column.name.escape_debug())
        };
        self.room().iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// A key as it stands at the destination.
    #[must_use]
    pub fn key_there(&self, key: &Key) -> Key {
        let mut there = key.clone();
        for (place, shift) in self.key_shifts() {
            if let Some(value) = there.0.get_mut(place) {
                *value = shift.by.there(value);
            }
        }
        there
    }

    /// The shifts of key columns, each with its place in the key.
    fn key_shifts(&self) -> impl Iterator<Item = (usize, &Shift)> {
        let shift = |column: usize| self.shifts.iter().find(move |s| s.column == column);
        self.write_key.iter().enumerate().filter_map(move |(place, column)| Some((place, shift(*column)?)))
    }
}

/// Whether two rooms of one table ([`TablePlan::room_words`]) can share no row: in some key column
/// the one ends before the other begins. Two rooms that cannot be compared are not apart.
#[must_use]
pub fn apart(one: &str, other: &str) -> bool {
    let lines = |words: &'_ str| -> Vec<(String, String, String)> {
        let line = |line: &str| {
            let mut parts = line.splitn(3, ' ').map(str::to_owned);
            Some((parts.next()?, parts.next()?, parts.next()?))
        };
        words.lines().filter_map(line).collect()
    };
    let other = lines(other);
    lines(one).iter().any(|(from, below, column)| {
        other.iter().any(|(o_from, o_below, o)| o == column && (below <= o_from || o_below <= from))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{By, apart};
    use crate::value::Value;

    fn offset() -> impl Strategy<Value = By> {
        (0..i64::MAX / 2, 1..i64::MAX / 2).prop_map(|(offset, room)| By::Offset { offset, room })
    }

    fn prefix() -> impl Strategy<Value = By> {
        "[!-~]{1,4}".prop_map(By::Prefix)
    }

    /// Texts that collide where a prefix is taken for a text or the other way round.
    fn texts(by: &By) -> impl Strategy<Value = String> + use<> {
        let own = match by {
            By::Prefix(prefix) => prefix.clone(),
            By::Offset { .. } => String::new(),
        };
        prop_oneof!["[a-bA-B!-~é]{0,4}", Just(own.clone()), "[a-b]{0,2}".prop_map(move |t| own.clone() + &t)]
    }

    fn within(by: &By, value: &Value) -> bool {
        let (from, below) = by.bounds();
        from <= *value && *value < below
    }

    #[test]
    fn rooms_are_apart_where_one_ends_before_the_other_begins() {
        let room = |from: u64, below: u64| format!("{from:020} {below:020} id");
        assert!(apart(&room(0, 9), &room(9, 100)) && apart(&room(9, 100), &room(0, 9)));
        assert!(apart(&room(5, 9), &room(10, 100)), "by number, not by text");
        assert!(!apart(&room(0, 10), &room(9, 100)) && !apart(&room(0, 100), &room(9, 10)));
        assert!(!apart(&room(0, 9), "") && !apart("", ""), "a whole table is apart from nothing");
        assert!(!apart(&room(0, 9), &format!("{} x", room(9, 10))), "another column says nothing");
        assert!(apart("A- A. code", "B- B. code") && !apart("A- A. code", "A-1 A-2 code"));
        let two = format!("{}\nA A. code", room(0, 9));
        assert!(apart(&two, &format!("{}\nA A. code", room(9, 10))), "one column is enough");
    }

    proptest! {
        // proves: REC-02
        #[test]
        fn two_numbers_never_become_one_and_each_comes_back(by in offset(), a: i64, b: i64) {
            prop_assert_eq!(by.number_there(a) == by.number_there(b), a == b);
            prop_assert_eq!(by.number_here(by.number_there(a)), a);
            prop_assert_eq!(by.number_there(by.number_here(a)), a);
        }

        #[test]
        fn numbers_of_the_room_and_no_others_land_in_it_in_their_order(by in offset(), a: i64, b: i64) {
            let By::Offset { room, .. } = &by else { panic!("as drawn") };
            let (a, b) = (a.rem_euclid(*room), b.rem_euclid(*room));
            prop_assert!(within(&by, &Value::Int(by.number_there(a))));
            prop_assert_eq!(by.number_there(a) < by.number_there(b), a < b);
            for outside in [-1, *room, i64::MIN, i64::MAX] {
                prop_assert!(!within(&by, &Value::Int(by.number_there(outside))));
            }
        }

        // proves: REC-02
        #[test]
        fn two_texts_never_become_one_and_each_comes_back(
            (by, a, b) in prefix().prop_flat_map(|by| (Just(by.clone()), texts(&by), texts(&by)))
        ) {
            prop_assert_eq!(by.text_there(&a) == by.text_there(&b), a == b);
            prop_assert_eq!(by.text_here(&by.text_there(&a)), a.clone());
            // whatever stands at the destination comes back as one value, and as no other's
            prop_assert_eq!(by.text_here(&a) == by.text_here(&b), a == b);
            prop_assert_eq!(by.text_there(&by.text_here(&a)), a);
        }

        #[test]
        fn texts_land_behind_the_prefix_in_their_order_and_others_stay_out(
            (by, a, b) in prefix().prop_flat_map(|by| (Just(by.clone()), texts(&by), texts(&by)))
        ) {
            let By::Prefix(prefix) = &by else { panic!("as drawn") };
            prop_assert!(within(&by, &Value::Text(by.text_there(&a))));
            prop_assert_eq!(by.text_there(&a) < by.text_there(&b), a < b);
            prop_assert_eq!(within(&by, &Value::Text(a.clone())), a.starts_with(prefix.as_str()));
            let mine = by.text_here(&a);
            prop_assert_eq!(mine.starts_with('\0'), !a.starts_with(prefix.as_str()), "no source row has U+0000");
        }
    }
}
