//! A batch as bytes and back, for rows that leave memory for a while and come back to the same process.
//!
//! Arrow's own stream format (Arrow columnar format, "IPC Streaming Format") of one batch, behind the
//! marks of its unreadable values: their number, then row, column and code of each, little-endian. A code
//! is an index that means something in the process that packed it, nowhere else.

use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use ecluse_core::fault::{Code, Fault, Result};
use ecluse_core::types::Type;

use crate::batch::{Batch, MALFORMED, Unreadable, arrow_type};

/// Bytes of one number of the marks.
const NUMBER: usize = 4;

/// Packs and unpacks the batches of one process.
#[derive(Debug, Default)]
pub struct Packing {
    codes: Vec<&'static Code>,
}

impl Packing {
    /// The batch as bytes.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where it has more rows than a number counts.
    pub fn pack(&mut self, batch: &Batch) -> Result<Vec<u8>> {
        let marks = batch.unreadable();
        let mut bytes = Vec::with_capacity(batch.bytes() + NUMBER * (1 + 3 * marks.len()) + 4096);
        let mut put = |number: usize| {
            let number = u32::try_from(number).map_err(|_| unfit())?;
            bytes.extend_from_slice(&number.to_le_bytes());
            Ok(())
        };
        put(marks.len())?;
        for mark in marks {
            put(mark.row)?;
            put(mark.column)?;
            put(self.index(mark.code))?;
        }
        let mut writer = StreamWriter::try_new(bytes, &batch.schema()).map_err(|_| unfit())?;
        writer.write(batch.records()).map_err(|_text_may_quote| unfit())?;
        writer.into_inner().map_err(|_| unfit())
    }

    /// The batch that was packed; `types` are its columns'.
    ///
    /// # Errors
    ///
    /// [`MALFORMED`] where these are not the bytes of such a batch.
    pub fn unpack(&self, bytes: &[u8], types: &[Type]) -> Result<Batch> {
        let mut rest = bytes;
        let mut take = || {
            let (number, behind) = rest.split_first_chunk::<NUMBER>().ok_or_else(unfit)?;
            rest = behind;
            usize::try_from(u32::from_le_bytes(*number)).map_err(|_| unfit())
        };
        let count = take()?;
        // no more than the bytes can hold: a number is not believed before it is read
        let mut marks = Vec::with_capacity(count.min(bytes.len() / NUMBER));
        for _ in 0..count {
            let (row, column, code) = (take()?, take()?, take()?);
            marks.push(Unreadable { row, column, code: self.codes.get(code).ok_or_else(unfit)? });
        }
        let mut reader = StreamReader::try_new(rest, None).map_err(|_text_may_quote| unfit())?;
        let records = reader.next().ok_or_else(unfit)?.map_err(|_text_may_quote| unfit())?;
        let promised =
            records.columns().iter().map(|c| c.data_type().clone()).eq(types.iter().map(|t| arrow_type(*t)));
        if !promised || reader.next().is_some() {
            return Err(unfit());
        }
        Ok(Batch::of(records).with_unreadable(marks))
    }

    /// Where the code stands, from now on.
    fn index(&mut self, code: &'static Code) -> usize {
        self.codes.iter().position(|known| std::ptr::eq(*known, code)).unwrap_or_else(|| {
            self.codes.push(code);
            self.codes.len() - 1
        })
    }
}

fn unfit() -> Fault {
    MALFORMED.fault("a packed batch")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
        Float64Array, Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    };

    use super::*;
    use crate::compare::differing;

    static BAD: Code = Code::refused("ECL-BAT-098", "a test's");

    const TYPES: [Type; 12] = [
        Type::Bool,
        Type::Int,
        Type::Decimal { precision: 38, scale: 3 },
        Type::Float,
        Type::Text,
        Type::Json,
        Type::Bytes,
        Type::Date,
        Type::Timestamp,
        Type::Instant,
        Type::Time,
        Type::Uuid,
    ];

    fn batch() -> Batch {
        let decimals = Decimal128Array::from(vec![Some(i128::MAX / 10), None, Some(-1)]);
        let uuids =
            FixedSizeBinaryArray::try_from_iter([[1_u8; 16], [2; 16], [255; 16]].into_iter()).unwrap();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
            Arc::new(decimals.with_data_type(arrow_type(TYPES[2]))),
            Arc::new(Float64Array::from(vec![Some(-0.0), None, Some(f64::INFINITY)])),
            Arc::new(StringArray::from(vec![Some("é\u{0}"), None, Some("")])),
            Arc::new(StringArray::from(vec![Some("{}"), None, Some("[1]")])),
            Arc::new(BinaryArray::from(vec![Some(&[0_u8, 255][..]), None, Some(&[][..])])),
            Arc::new(Date32Array::from(vec![Some(-1), None, Some(20_000)])),
            Arc::new(TimestampMicrosecondArray::from(vec![Some(-1), None, Some(i64::MAX)])),
            Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None, Some(1)]).with_timezone("+00:00")),
            Arc::new(Time64MicrosecondArray::from(vec![Some(0), None, Some(86_399_999_999)])),
            Arc::new(uuids),
        ];
        let marks = vec![
            Unreadable { row: 1, column: 4, code: &BAD },
            Unreadable { row: 1, column: 7, code: &MALFORMED },
        ];
        Batch::new(&TYPES, columns, 3).unwrap().with_unreadable(marks)
    }

    #[test]
    fn what_is_packed_comes_back_with_its_marks_a_slice_as_a_slice() {
        let mut packing = Packing::default();
        let whole = batch();
        for (offset, rows) in [(0, 3), (1, 2), (2, 1), (1, 0)] {
            let part = whole.slice(offset, rows);
            let bytes = packing.pack(&part).unwrap();
            let back = packing.unpack(&bytes, &TYPES).unwrap();
            assert_eq!(back.rows(), rows);
            assert_eq!(back.unreadable(), part.unreadable());
            for row in 0..rows {
                assert_eq!(differing(&TYPES, (&part, row), (&back, row)).unwrap(), Vec::<usize>::new());
            }
        }
    }

    #[test]
    fn bytes_that_are_another_batchs_are_none() {
        let mut packing = Packing::default();
        let bytes = packing.pack(&batch()).unwrap();
        let bad =
            |bytes: &[u8], types: &[Type]| packing.unpack(bytes, types).unwrap_err().code() == &MALFORMED;
        assert!(bad(&bytes, &TYPES[..11]));
        assert!(bad(&bytes[..bytes.len() / 2], &TYPES));
        assert!(bad(&[255; 4], &TYPES) && bad(&[], &TYPES));
        let stranger = Packing::default();
        assert_eq!(
            stranger.unpack(&bytes, &TYPES).unwrap_err().code(),
            &MALFORMED,
            "codes are a process's own"
        );
    }
}
