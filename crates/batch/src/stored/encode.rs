//! Batches as a Parquet file.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};
use ecluse_core::fault::{Fault, Result};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;
use zeroize::{Zeroize as _, Zeroizing};

use super::{Column, UNWRITTEN, fields, pad};
use crate::batch::Batch;

/// Values of a column that are looked at to tell whether it repeats itself.
const LOOKED_AT: usize = 1024;
/// Bytes of a dictionary's value at most.
const SHORT: usize = 256;

/// Memory for one file at a time. It is taken once and not for each file: pages that a file never came to are
/// neither asked for nor wiped.
///
/// What a file wrote is wiped when the file goes, all of it when the room does.
#[derive(Default)]
pub struct Room(Zeroizing<Vec<u8>>);

impl Room {
    /// An empty buffer of so many bytes at least, which nothing moves while they suffice.
    fn empty(&mut self, bytes: usize) -> &mut Vec<u8> {
        // a file that failed halfway left something
        self.wipe();
        if self.0.capacity() < bytes {
            self.0 = Zeroizing::new(Vec::with_capacity(bytes));
        }
        &mut self.0
    }

    fn wipe(&mut self) {
        self.0.as_mut_slice().zeroize();
        self.0.clear();
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}

/// A Parquet file, in memory that is wiped when it goes.
pub struct Encoded<'a> {
    room: &'a mut Room,
    /// Rows.
    pub rows: u64,
    /// Bytes of its pages, unpacked: what [`super::Said`] wants to know.
    pub unpacked: u64,
}

impl Encoded<'_> {
    /// The file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.room.0
    }
}

impl Drop for Encoded<'_> {
    fn drop(&mut self) {
        self.room.wipe();
    }
}

impl fmt::Debug for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoded({} rows)", self.rows)
    }
}

/// The batches as one file, with these notes in its footer. The file's length is one of few, so that it does
/// not tell how many rows it holds.
///
/// # Errors
///
/// [`UNWRITTEN`] where a batch is not of these columns, or there is no row.
pub fn encode<'a>(
    columns: &[Column<'_>],
    batches: &[Batch],
    notes: &[(&str, &str)],
    room: &'a mut Room,
) -> Result<Encoded<'a>> {
    let rows: usize = batches.iter().map(Batch::rows).sum();
    let first = batches.iter().find(|batch| batch.rows() > 0).ok_or_else(|| unwritten("no row"))?;
    let schema: SchemaRef = Arc::new(Schema::new(fields(columns)));
    let properties = properties(&schema, first, rows).map_err(|_text_may_quote| unwritten("properties"))?;
    let size: usize = batches.iter().map(Batch::bytes).sum();
    // enough that the buffer does not move: an abandoned copy would not be wiped
    let bytes = room.empty(size + size / 4 + (256 << 10));
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let metadata = {
        let written = |_: ParquetError| unwritten("writing");
        let mut writer =
            ArrowWriter::try_new_with_options(&mut *bytes, Arc::clone(&schema), options).map_err(written)?;
        for batch in batches {
            let named = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())
                .map_err(|_text_may_quote| unwritten("columns"))?;
            writer.write(&named).map_err(written)?;
        }
        writer.finish().map_err(written)?
    };
    let unpacked = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns())
        .try_fold(0_u64, |all, column| all.checked_add(u64::try_from(column.uncompressed_size()).ok()?))
        .ok_or_else(|| unwritten("sizes"))?;
    let notes = notes.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), (*value).to_owned()));
    pad::finish(bytes, &metadata, &notes.collect::<Vec<_>>())?;
    let rows = u64::try_from(rows).map_err(|_| unwritten("rows"))?;
    Ok(Encoded { room, rows, unpacked })
}

fn properties(schema: &Schema, first: &Batch, rows: usize) -> Result<WriterProperties, ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(rows.max(1)))
        .set_created_by("ecluse".to_owned());
    for (field, array) in schema.fields().iter().zip(first.columns()) {
        let column = ColumnPath::new(vec![field.name().clone()]);
        builder = builder.set_column_encoding(column.clone(), encoding(field.data_type()));
        if repeats(array) {
            builder = builder.set_column_dictionary_enabled(column, true);
        }
    }
    Ok(builder.build())
}

fn encoding(ty: &DataType) -> Encoding {
    match ty {
        DataType::Int64 | DataType::Date32 | DataType::Timestamp(..) | DataType::Time64(_) => {
            Encoding::DELTA_BINARY_PACKED
        }
        DataType::Boolean => Encoding::RLE,
        _ => Encoding::PLAIN,
    }
}

/// Whether a text column's first values are short, and a quarter of them or fewer differ.
fn repeats(array: &ArrayRef) -> bool {
    let Some(texts) = array.as_string_opt::<i32>() else { return false };
    let looked_at = texts.len().min(LOOKED_AT);
    let mut seen = HashSet::new();
    for text in texts.iter().take(looked_at).flatten() {
        if text.len() > SHORT {
            return false;
        }
        seen.insert(text);
    }
    looked_at > 16 && seen.len() * 4 <= looked_at
}

fn unwritten(what: &str) -> Fault {
    UNWRITTEN.fault(what)
}
