//! Bytes of files as rows: a file is its pieces in their order, each beside the digest of the whole.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, BinaryArray, Int64Array, StringArray};
use ecluse_core::fault::{Fault, Result};
use ecluse_core::types::Type;

use crate::batch::{Batch, MALFORMED};
use crate::stored::Column;

/// The columns of such rows, as a stranger reads them.
pub const COLUMNS: [Column<'static>; 3] = [
    Column { name: "sha256", ty: Type::Text },
    Column { name: "place", ty: Type::Int },
    Column { name: "bytes", ty: Type::Bytes },
];

/// One piece of a file. Silent when printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// SHA-256 of the whole file, in hexadecimal.
    pub sha256: &'a str,
    /// Its place among the file's pieces, from 0.
    pub place: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl std::fmt::Debug for Piece<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Piece({} bytes)", self.bytes.len())
    }
}

/// These pieces as rows.
///
/// # Errors
///
/// [`MALFORMED`] where a place is beyond every file's.
pub fn rows(pieces: &[Piece<'_>]) -> Result<Batch> {
    let places =
        pieces.iter().map(|piece| i64::try_from(piece.place)).collect::<std::result::Result<Vec<_>, _>>();
    let places = places.map_err(|_| malformed())?;
    Batch::new(
        &COLUMNS.map(|column| column.ty),
        vec![
            Arc::new(pieces.iter().map(|piece| Some(piece.sha256)).collect::<StringArray>()),
            Arc::new(Int64Array::from(places)),
            Arc::new(pieces.iter().map(|piece| Some(piece.bytes)).collect::<BinaryArray>()),
        ],
        pieces.len(),
    )
}

/// The pieces that these rows are.
///
/// # Errors
///
/// [`MALFORMED`] where they are rows of something else, or a value is NULL.
pub fn of(batch: &Batch) -> Result<Vec<Piece<'_>>> {
    let [digests, places, bytes] = batch.columns() else { return Err(malformed()) };
    let digests = digests.as_string_opt::<i32>().ok_or_else(malformed)?;
    let places = places.as_primitive_opt::<Int64Type>().ok_or_else(malformed)?;
    let bytes = bytes.as_binary_opt::<i32>().ok_or_else(malformed)?;
    if digests.null_count() + places.null_count() + bytes.null_count() > 0 {
        return Err(malformed());
    }
    let one = |row| {
        let place = u64::try_from(places.value(row)).map_err(|_| malformed())?;
        Ok(Piece { sha256: digests.value(row), place, bytes: bytes.value(row) })
    };
    (0..batch.rows()).map(one).collect()
}

fn malformed() -> Fault {
    MALFORMED.fault("pieces of files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_as_they_were_and_rows_of_something_else_are_none() {
        let pieces = [
            Piece { sha256: "ab", place: 0, bytes: b"first" },
            Piece { sha256: "ab", place: 1, bytes: b"" },
            Piece { sha256: "cd", place: 0, bytes: &[0, 255] },
        ];
        let batch = rows(&pieces).unwrap();
        assert_eq!(of(&batch).unwrap(), pieces);
        assert_eq!(format!("{:?}", pieces[0]), "Piece(5 bytes)");
        assert!(rows(&[Piece { place: u64::MAX, ..pieces[0] }]).is_err());
        let other: arrow_array::ArrayRef = Arc::new(Int64Array::from(vec![-1]));
        assert!(of(&Batch::new(&[Type::Int], vec![Arc::clone(&other)], 1).unwrap()).is_err());
        let text: arrow_array::ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
        let bytes: arrow_array::ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"x"[..])]));
        let types = COLUMNS.map(|column| column.ty);
        assert!(of(&Batch::new(&types, vec![text, other, bytes], 1).unwrap()).is_err());
    }
}
