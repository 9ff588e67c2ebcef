//! What the format's library is about to read, looked at before.
//!
//! The library makes room for as many columns as a schema says it has and goes as deep as it says they are nested, counts
//! through lists that take no byte of a file, and reads a field as what its number means, whatever the field says
//! it is: a few bytes take the process down, or hold it up for hours. So a footer and each page's header are walked
//! here first. Every field is one that is written here, in its own form; no list is longer than it can be; a schema
//! is one row of columns. What the fields say is the library's to read, and [`super::decode`]'s to compare.
//!
//! Apache Thrift's compact protocol
//! (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>), fields as of parquet.thrift
//! (<https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>).

/// Columns of a table at most: what the engines have is some thousands.
const COLUMNS: usize = 1 << 14;
/// Notes of a footer at most; fewer than ten are written.
const NOTES: usize = 1 << 8;
/// Encodings of a column, and kinds of its pages, at most: the format has a dozen.
const ENCODINGS: usize = 1 << 6;

/// The form of a field.
enum Form {
    Flag,
    Byte,
    /// A whole number of 16, 32 or 64 bits, by the protocol's number of its type.
    Number(u8),
    /// How many columns lie within: of the root every other element, of a column none.
    Within,
    Text,
    /// A list of so many at most.
    List(&'static Self, usize),
    Fields(&'static [(u8, Self)]),
}

use Form::{Byte, Fields, Flag, List, Number, Text, Within};

const SHORT: Form = Number(4);
const INT: Form = Number(5);
const LONG: Form = Number(6);
const EMPTY: Form = Fields(&[]);

/// `FileMetaData`.
static FOOTER: Form = Fields(&[
    (1, INT),
    (2, List(&ELEMENT, COLUMNS)),
    (3, LONG),
    (4, List(&GROUP, 1)),
    (5, List(&NOTE, NOTES)),
    (6, Text),
    (7, List(&Fields(&[(1, EMPTY), (2, EMPTY)]), COLUMNS)),
]);
/// `SchemaElement`.
static ELEMENT: Form = Fields(&[
    (1, INT),
    (2, INT),
    (3, INT),
    (4, Text),
    (5, Within),
    (6, INT),
    (7, INT),
    (8, INT),
    (9, INT),
    (10, LOGICAL),
]);
/// `LogicalType`, of the types that a column can have here.
const LOGICAL: Form = Fields(&[
    (1, EMPTY),
    (5, Fields(&[(1, INT), (2, INT)])),
    (6, EMPTY),
    (7, Fields(&[(1, Flag), (2, UNIT)])),
    (8, Fields(&[(1, Flag), (2, UNIT)])),
    (10, Fields(&[(1, Byte), (2, Flag)])),
    (12, EMPTY),
    (14, EMPTY),
]);
/// `TimeUnit`.
const UNIT: Form = Fields(&[(1, EMPTY), (2, EMPTY), (3, EMPTY)]);
/// `RowGroup`.
static GROUP: Form =
    Fields(&[(1, List(&CHUNK, COLUMNS)), (2, LONG), (3, LONG), (5, LONG), (6, LONG), (7, SHORT)]);
/// `ColumnChunk`, and in it `ColumnMetaData`.
static CHUNK: Form = Fields(&[
    (2, LONG),
    (
        3,
        Fields(&[
            (1, INT),
            (2, List(&INT, ENCODINGS)),
            (3, List(&Text, 1)),
            (4, INT),
            (5, LONG),
            (6, LONG),
            (7, LONG),
            (9, LONG),
            (11, LONG),
            (13, List(&Fields(&[(1, INT), (2, INT), (3, INT)]), ENCODINGS)),
            (16, Fields(&[(1, LONG)])),
        ]),
    ),
    // where pages are indexed, which is not looked at
    (4, LONG),
    (5, INT),
    (6, LONG),
    (7, INT),
]);
/// `KeyValue`.
static NOTE: Form = Fields(&[(1, Text), (2, Text)]);
/// `PageHeader`: a page of a dictionary, or one of values in format 2.
static PAGE: Form = Fields(&[
    (1, INT),
    (2, INT),
    (3, INT),
    (4, INT),
    (7, Fields(&[(1, INT), (2, INT), (3, Flag)])),
    (8, Fields(&[(1, INT), (2, INT), (3, INT), (4, INT), (5, INT), (6, INT), (7, Flag)])),
]);

/// Whether this is the footer of a file such as is written here: all of it, and nothing behind it.
pub(super) fn is_footer(footer: &[u8]) -> bool {
    let mut walk = Walk { rest: footer };
    walk.form(&FOOTER).is_some() && walk.rest.is_empty()
}

/// How long the page's header is that begins these bytes, if it is one such as is written here.
pub(super) fn page_header(bytes: &[u8]) -> Option<usize> {
    // an index's page is passed over by the library, and the header behind it read unseen
    if bytes.starts_with(&INDEX_PAGE) {
        return None;
    }
    let mut walk = Walk { rest: bytes };
    walk.form(&PAGE)?;
    bytes.len().checked_sub(walk.rest.len())
}

/// How the header of an index's page begins: field 1, a whole number, which is 1.
const INDEX_PAGE: [u8; 2] = [0x15, 0x02];

/// What is still to be walked; `None` of a step is a form that is not ours.
struct Walk<'a> {
    rest: &'a [u8],
}

impl Walk<'_> {
    fn form(&mut self, form: &Form) -> Option<()> {
        match form {
            // its value is its type
            Flag => Some(()),
            Byte => self.byte().map(drop),
            Number(_) | Within => self.number().map(drop),
            Text => {
                let length = usize::try_from(self.number()?).ok()?;
                self.rest = self.rest.get(length..)?;
                Some(())
            }
            List(of, most) => self.list(of, *most),
            Fields(fields) => self.fields(fields, 0),
        }
    }

    /// Each field once, in rising order; one that says how many columns lie within says `within` or none.
    fn fields(&mut self, fields: &[(u8, Form)], within: usize) -> Option<()> {
        let mut last = 0_u8;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            let step = head >> 4;
            // a step of nothing would announce the number in another way, which is never written here
            last = last.checked_add(step).filter(|_| step > 0)?;
            let (_, form) = fields.iter().find(|(number, _)| *number == last)?;
            let ty = head & 0x0f;
            let as_told = match form {
                Flag => ty == 1 || ty == 2,
                form => ty == form.number(),
            };
            if !as_told {
                return None;
            }
            match form {
                Within => {
                    let zigzag = self.number()?;
                    let said = usize::try_from(zigzag >> 1).ok().filter(|_| zigzag & 1 == 0)?;
                    if said != 0 && said != within {
                        return None;
                    }
                }
                form => self.form(form)?,
            }
        }
    }

    fn list(&mut self, of: &Form, most: usize) -> Option<()> {
        let head = self.byte()?;
        let length = match head >> 4 {
            0x0f => usize::try_from(self.number()?).ok()?,
            few => usize::from(few),
        };
        // an empty list may leave its type out
        if length > most || (head != 0 && head & 0x0f != of.number()) {
            return None;
        }
        for place in 0..length {
            match of {
                // the first element of a schema is its root
                Fields(fields) => self.fields(fields, if place == 0 { length.checked_sub(1)? } else { 0 })?,
                of => self.form(of)?,
            }
        }
        Some(())
    }

    /// Seven bits a byte, the last without its first bit; in as few bytes as it takes.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
            if byte & 0x80 == 0 {
                return (byte != 0 || shift == 0).then_some(number);
            }
        }
        None
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }
}

impl Form {
    /// The protocol's number of its type; of a flag within a field there are two.
    const fn number(&self) -> u8 {
        match self {
            Flag => 1,
            Byte => 3,
            Number(number) => *number,
            Within => 5,
            Text => 8,
            List(..) => 9,
            Fields(_) => 12,
        }
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::super::{Stored, UNFIT};
    use super::{is_footer, page_header};

    /// A whole number as the protocol has it: the sign goes last, then seven bits a byte.
    fn number(n: i32) -> Vec<u8> {
        let mut left = (n << 1 ^ n >> 31).cast_unsigned();
        let mut bytes = Vec::new();
        while left > 0x7f {
            bytes.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
            left >>= 7;
        }
        bytes.push(u8::try_from(left).unwrap());
        bytes
    }

    /// An element of a schema that has so many within: name `r`.
    fn group(within: i32) -> Vec<u8> {
        // field 3 (repetition), 4 (name), 5 (how many lie within)
        [&[0x35, 0x00, 0x18, 1, b'r', 0x15][..], &number(within), &[0]].concat()
    }

    /// A column of texts: type 6, repetition 1, name `t`.
    const COLUMN: [u8; 8] = [0x15, 0x0c, 0x25, 0x02, 0x18, 1, b't', 0];

    /// A footer of these elements, no row and no row group; `more` stands behind.
    fn footer(elements: &[Vec<u8>], more: &[u8]) -> Vec<u8> {
        let mut length = elements.len();
        let mut count = Vec::new();
        while length > 0x7f {
            count.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        count.push(u8::try_from(length).unwrap());
        // field 1 (version 2), 2 (elements), 3 (rows), 4 (row groups)
        let head = [&[0x15, 0x04, 0x19, 0xfc][..], &count].concat();
        [head, elements.concat(), vec![0x16, 0, 0x19, 0x0c], more.to_vec(), vec![0]].concat()
    }

    /// Whether a file of this footer alone is opened.
    fn opened(footer: &[u8]) -> bool {
        let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
        let file = [b"PAR1", footer, &length, b"PAR1"].concat();
        let stored = Stored::new(Zeroizing::new(file));
        assert!(stored.as_ref().err().is_none_or(|fault| fault.code() == &UNFIT));
        assert_eq!(stored.is_ok(), is_footer(footer));
        stored.is_ok()
    }

    #[test]
    fn a_footer_that_would_take_the_process_down_is_refused() {
        let column = || COLUMN.to_vec();
        assert!(opened(&footer(&[group(1), column()], &[])));
        assert!(opened(&footer(&[group(2), column(), column()], &[])));
        for within in [i32::MAX, 2, -1, i32::MIN] {
            assert!(!opened(&footer(&[group(within), column()], &[])), "{within}");
        }
        assert!(!opened(&footer(&[group(2), group(1), column()], &[])));
        // one within the other, each with room for all that there can be
        assert!(!opened(&footer(&vec![group(i32::MAX); 16_000], &[])));
        assert!(!opened(&footer(&vec![group(1); 16_000], &[])));
    }

    #[test]
    fn what_is_not_written_here_is_refused() {
        let elements = [group(1), COLUMN.to_vec()];
        let with = |more: &[u8]| opened(&footer(&elements, more));
        // field 6: by whom it was made
        assert!(with(&[0x28, 1, b'x']));
        // a field of no number; a number in its long form, twice, and as another type
        assert!(!with(&[0xf8, 1, b'x']));
        assert!(!with(&[0x08, 0x0c, 1, b'x']));
        assert!(!with(&[0x28, 1, b'x', 0x08, 0x0c, 1, b'x']));
        assert!(!with(&[0x25, 1]));
        // field 15: a list of two thousand million flags, that take no byte
        let flags = [&[0xb9, 0xf1][..], &[0xff, 0xff, 0xff, 0xff, 0x07]].concat();
        assert!(!with(&flags));
        // field 5: more notes than there can be
        let notes = [&[0x19, 0xfc, 0xff, 0xff, 0x3f][..], &[0; (1 << 20) - 1]].concat();
        assert!(!with(&notes));
        // a number in more bytes than it takes, and in more than there are
        assert!(!with(&[0x28, 0x81, 0x00, b'x']));
        assert!(!with(&[0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]));
        // something behind
        let whole = footer(&elements, &[]);
        assert!(!opened(&[&whole[..], &[0]].concat()));
        assert!((0..whole.len()).all(|end| !opened(&whole[..end])));
    }

    #[test]
    fn a_pages_header_is_one_of_two() {
        // type 2, sizes; field 7: a dictionary of one value
        let dictionary = [0x15, 4, 0x15, 8, 0x15, 8, 0x4c, 0x15, 2, 0x15, 0, 0, 0];
        assert_eq!(page_header(&[&dictionary[..], b"rest"].concat()), Some(dictionary.len()));
        assert_eq!(page_header(&dictionary[..dictionary.len() - 1]), None);
        // an index; a page in format 1 (field 5)
        assert_eq!(page_header(&[0x15, 2, 0x15, 8, 0x15, 8, 0x3c, 0, 0]), None);
        assert_eq!(page_header(&[0x15, 0, 0x15, 8, 0x15, 8, 0x2c, 0x15, 2, 0, 0]), None);
    }
}
