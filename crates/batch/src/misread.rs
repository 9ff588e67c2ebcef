//! UTF-8 that a program wrote into a column declared `latin1`, which reads as its column says: `HÃ©lÃ¨ne`.
//!
//! The way back loses nothing and guesses nothing: Windows-1252, as MariaDB has it, gives each of the 256
//! bytes a character of its own, and so does ISO 8859-1.

use std::ops::AddAssign;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use ecluse_core::fault::Result;
use ecluse_core::types::Type;

use crate::batch::{Batch, MALFORMED};
use crate::column::Column;
use crate::write::Reason;

/// Bytes 80 to 9F of MariaDB's `latin1`: Windows-1252, its five holes as the controls of ISO 8859-1.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The character of a byte of MariaDB's `latin1`.
#[must_use]
pub fn from_latin1(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    }
}

/// The byte that reads as this character, in Windows-1252 or in ISO 8859-1: where they differ, the one has no
/// character of the other.
fn to_latin1(c: char) -> Option<u8> {
    u8::try_from(c).ok().or_else(|| {
        let at = HIGH.iter().position(|high| *high == c)?;
        u8::try_from(0x80 + at).ok()
    })
}

/// What the bytes behind a text are as UTF-8; `None` where they are none.
fn respelled(text: &str) -> Option<String> {
    let bytes = text.chars().map(to_latin1).collect::<Option<Vec<u8>>>()?;
    String::from_utf8(bytes).ok()
}

/// The column's texts as the UTF-8 that their bytes are; bytes that are none refuse their row.
pub(crate) fn utf8(array: &ArrayRef, from: Type, refuse: &mut dyn FnMut(usize, Reason)) -> Result<ArrayRef> {
    let Column::Text(texts) = Column::new(array, from)? else {
        return Err(MALFORMED.fault(format!("{from} is no text")));
    };
    if ascii(texts) {
        return Ok(Arc::clone(array));
    }
    let mut out = StringBuilder::new();
    for row in 0..texts.len() {
        if texts.is_null(row) {
            out.append_null();
            continue;
        }
        let text = respelled(texts.value(row));
        if text.is_none() {
            refuse(row, Reason::NotUtf8);
        }
        out.append_option(text);
    }
    Ok(Arc::new(out.finish()))
}

/// Whether the bytes behind a text that is not ASCII can be UTF-8, by the first of them beyond ASCII and the one
/// after it. Of a text in a true encoding they hardly ever are (`é` is E9 there, and a letter follows): nothing is
/// respelled for most names of a French laboratory.
fn may_be_utf8(text: &str) -> bool {
    let first = text.bytes().position(|byte| !byte.is_ascii()).and_then(|at| text.get(at..));
    let mut bytes = first.unwrap_or_default().chars().map(to_latin1);
    let lead = matches!(bytes.next(), Some(Some(0xc2..=0xf4)));
    lead && matches!(bytes.next(), Some(Some(0x80..=0xbf)))
}

/// Values of a text column, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Misread {
    /// Values with a character beyond ASCII.
    pub beyond_ascii: u64,
    /// Of these, values whose bytes in `latin1` are UTF-8 from end to end.
    pub utf8: u64,
}

impl AddAssign for Misread {
    fn add_assign(&mut self, other: Self) {
        self.beyond_ascii += other.beyond_ascii;
        self.utf8 += other.utf8;
    }
}

impl Batch {
    /// How many of a text column's values look as though their column lied about its encoding.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where there is no such column, or it holds no text.
    pub fn misread(&self, column: usize) -> Result<Misread> {
        let array = self.columns().get(column).and_then(|array| array.as_string_opt::<i32>());
        let texts = array.ok_or_else(|| MALFORMED.fault(format!("column {column} holds no text")))?;
        let mut counted = Misread::default();
        if ascii(texts) {
            return Ok(counted);
        }
        for text in texts.iter().flatten().filter(|text| !text.is_ascii()) {
            counted.beyond_ascii += 1;
            counted.utf8 += u64::from(may_be_utf8(text) && respelled(text).is_some());
        }
        Ok(counted)
    }

    /// How many of a text column's values look so once more after they were read as UTF-8: they were encoded
    /// wrongly twice (`HÃƒÂ©lÃƒÂ¨ne`). `beyond_ascii` are those beyond ASCII after that reading.
    ///
    /// # Errors
    ///
    /// As [`Self::misread`].
    pub fn misread_again(&self, column: usize) -> Result<Misread> {
        let array = self.columns().get(column).and_then(|array| array.as_string_opt::<i32>());
        let texts = array.ok_or_else(|| MALFORMED.fault(format!("column {column} holds no text")))?;
        let mut counted = Misread::default();
        if ascii(texts) {
            return Ok(counted);
        }
        // what is no UTF-8 refuses its row, and is told there
        let read = texts.iter().flatten().filter(|text| !text.is_ascii()).filter_map(respelled);
        for text in read.filter(|text| !text.is_ascii()) {
            counted.beyond_ascii += 1;
            counted.utf8 += u64::from(respelled(&text).is_some());
        }
        Ok(counted)
    }
}

/// Whether the whole column is ASCII: most are, and are looked at no further.
fn ascii(texts: &StringArray) -> bool {
    let offset = |at: Option<&i32>| at.and_then(|at| usize::try_from(*at).ok()).unwrap_or_default();
    let offsets = texts.value_offsets();
    let range = offset(offsets.first())..offset(offsets.last());
    texts.value_data().get(range).is_some_and(<[u8]>::is_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_character_and_comes_back() {
        for byte in 0..=u8::MAX {
            assert_eq!(to_latin1(from_latin1(byte)), Some(byte));
            assert_eq!(to_latin1(char::from(byte)), Some(byte), "ISO 8859-1");
        }
        assert_eq!(to_latin1('Ω'), None);
    }

    #[test]
    fn what_was_utf_8_is_told_from_what_was_not() {
        for text in ["Hélène", "Œuvre à 5 €", "日本", "𝄞", "plain"] {
            let read: String = text.bytes().map(from_latin1).collect();
            assert_eq!(respelled(&read).as_deref(), Some(text));
            assert!(may_be_utf8(&read) || text.is_ascii());
        }
        for text in ["Hélène", "Ã", "Ωmega", "HÃ©lène"] {
            assert_eq!(respelled(text), None, "{text}");
        }
        for text in ["Hélène", "Ã", "Ωmega", "fiancé", "naïve"] {
            assert!(!may_be_utf8(text), "{text}");
        }
        let values: ArrayRef = Arc::new(StringArray::from(vec![
            Some("HÃ©lÃ¨ne"),
            None,
            Some("Zoé"),
            Some("Paul"),
            Some("beyond the slice: RenÃ©e"),
        ]));
        let batch = Batch::new(&[Type::Text], vec![values.slice(0, 4)], 4).unwrap();
        assert_eq!(batch.misread(0).unwrap(), Misread { beyond_ascii: 2, utf8: 1 });
        assert!(batch.misread(1).is_err());
        let wrongly = |text: &str| text.bytes().map(from_latin1).collect::<String>();
        let twice = wrongly(&wrongly("Hélène"));
        let values: ArrayRef = Arc::new(StringArray::from(vec![twice.as_str(), "ZoÃ«", "Zoë", "Paul"]));
        let batch = Batch::new(&[Type::Text], vec![values], 4).unwrap();
        assert_eq!(batch.misread(0).unwrap(), Misread { beyond_ascii: 3, utf8: 2 });
        assert_eq!(batch.misread_again(0).unwrap(), Misread { beyond_ascii: 2, utf8: 1 });
        assert!(batch.misread_again(1).is_err());
    }
}
