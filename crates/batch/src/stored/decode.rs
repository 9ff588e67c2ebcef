//! A Parquet file as batches again.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::{RecordBatch, RecordBatchReader};
use bytes::Bytes;
use ecluse_core::fault::{Fault, Result};
use ecluse_core::types::Type;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowGroups};
use parquet::arrow::{ArrowSchemaConverter, ProjectionMask, parquet_to_arrow_field_levels};
use parquet::basic::Compression;
use parquet::column::page::{Page, PageIterator};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use zeroize::Zeroizing;

use super::pages::{Once, Pages, is_too_much};
use super::{Column, MOST, Said, bomb, fields, thrift, unfit};
use crate::batch::{Batch, arrow_type};

/// Rows of a batch at most.
const ROWS: usize = 8192;
/// Bytes that a batch's dictionary values may take, each as long as the longest.
const REPEATED: usize = 64 << 20;
/// Bytes that all batches may take, where the pages take less than half of it.
const UNPACKED: u64 = 256 << 20;
/// A dictionary's text stands behind its length in so many bytes.
const LENGTH: usize = 4;

/// A file whose footer was read, and nothing else.
pub struct Stored {
    file: Bytes,
    metadata: ParquetMetaData,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({} bytes)", self.file.len())
    }
}

impl Stored {
    /// Takes the file, to be wiped with the last of it, and reads its footer.
    ///
    /// # Errors
    ///
    /// [`super::UNFIT`].
    pub fn new(file: Zeroizing<Vec<u8>>) -> Result<Self> {
        let file = Bytes::from_owner(file);
        let footer =
            footer(&file).filter(|footer| thrift::is_footer(footer)).ok_or_else(|| unfit("its footer"))?;
        let metadata = withstood("its footer", || {
            ParquetMetaDataReader::decode_metadata(footer).map_err(|_text_may_quote| unfit("its footer"))
        })?;
        Ok(Self { file, metadata })
    }

    /// A note of its footer; `None` where it is absent, or stands there twice.
    #[must_use]
    pub fn note(&self, key: &str) -> Option<&str> {
        let mut found =
            self.metadata.file_metadata().key_value_metadata()?.iter().filter(|note| note.key == key);
        match (found.next(), found.next()) {
            (Some(note), None) => note.value.as_deref(),
            _ => None,
        }
    }

    /// Its rows, if they are of these columns and no more than was said.
    ///
    /// # Errors
    ///
    /// [`super::UNFIT`]; [`super::BOMB`] before the memory is taken.
    pub fn rows(&self, columns: &[Column<'_>], said: Said) -> Result<Vec<Batch>> {
        withstood("its pages", || self.read(columns, said))
    }

    fn read(&self, columns: &[Column<'_>], said: Said) -> Result<Vec<Batch>> {
        let (group, rows) = self.bounded(columns, said)?;
        let longest =
            group.columns().iter().map(|column| self.longest(column, rows)).sum::<Result<usize>>()?;
        // room for so many rows is made before they are read
        let wide = usize::try_from(wide(columns)).map_err(|_| bomb("its columns"))?;
        let size = (REPEATED / longest.saturating_add(wide).max(1)).clamp(1, ROWS.min(rows.max(1)));
        let levels = parquet_to_arrow_field_levels(
            self.metadata.file_metadata().schema_descr(),
            ProjectionMask::all(),
            Some(&fields(columns)),
        )
        .map_err(|_text_may_quote| unfit("its columns"))?;
        let one = One { stored: self, group, rows };
        let reader =
            ParquetRecordBatchReader::try_new_with_row_groups(&levels, &one, size, None).map_err(fault)?;
        let types: Vec<Type> = columns.iter().map(|column| column.ty).collect();
        if !reader
            .schema()
            .fields()
            .iter()
            .map(|f| f.data_type().clone())
            .eq(types.iter().map(|t| arrow_type(*t)))
        {
            return Err(unfit("its types"));
        }
        let most = UNPACKED.max(said.unpacked.saturating_mul(2));
        let (mut batches, mut taken, mut left) = (Vec::new(), 0_u64, rows);
        for records in reader {
            let records: RecordBatch = records.map_err(|error| match error {
                arrow_schema::ArrowError::ExternalError(error) => error
                    .downcast::<ParquetError>()
                    .map_or_else(|_| unfit("its pages"), |error| fault(*error)),
                arrow_schema::ArrowError::ParquetError(text) if text.contains(super::pages::TOO_MUCH) => {
                    bomb("a page")
                }
                _ => unfit("its pages"),
            })?;
            left = left.checked_sub(records.num_rows()).ok_or_else(|| unfit("its rows"))?;
            taken = taken.saturating_add(u64::try_from(records.get_array_memory_size()).unwrap_or(u64::MAX));
            if taken > most {
                return Err(bomb("its rows, unpacked"));
            }
            batches.push(Batch::new(&types, records.columns().to_vec(), records.num_rows())?);
        }
        if left == 0 { Ok(batches) } else { Err(unfit("its rows")) }
    }

    /// The one row group, if its headers claim what was said and what can be.
    fn bounded(&self, columns: &[Column<'_>], said: Said) -> Result<(&RowGroupMetaData, usize)> {
        let [group] = self.metadata.row_groups() else { return Err(unfit("its row groups")) };
        let as_said = |n: i64| u64::try_from(n) == Ok(said.rows);
        if !as_said(group.num_rows()) || !as_said(self.metadata.file_metadata().num_rows()) {
            return Err(bomb("its rows are not the number that was said"));
        }
        let rows = usize::try_from(said.rows).map_err(|_| bomb("its rows"))?;
        // rows of no column take no byte anywhere, however many there are
        if columns.is_empty() {
            return Err(bomb("its rows have no column"));
        }
        let schema = arrow_schema::Schema::new(fields(columns));
        let expected = ArrowSchemaConverter::new().convert(&schema).map_err(|_| unfit("its columns"))?;
        let found = self.metadata.file_metadata().schema_descr();
        if found.root_schema() != expected.root_schema() || group.columns().len() != columns.len() {
            return Err(unfit("its columns"));
        }
        let mut unpacked = 0_u64;
        for column in group.columns() {
            if !matches!(column.compression(), Compression::ZSTD(_))
                || column.num_values() != group.num_rows()
            {
                return Err(unfit("its columns"));
            }
            let place = [
                Some(column.data_page_offset()),
                column.dictionary_page_offset(),
                Some(column.compressed_size()),
            ];
            let end =
                place.iter().flatten().try_fold(0_u64, |end, n| end.checked_add(u64::try_from(*n).ok()?));
            // a sum of all three lies beyond twice the file where any of them does
            let file = u64::try_from(self.file.len()).unwrap_or(u64::MAX);
            if end.is_none_or(|end| end > file.saturating_mul(2)) {
                return Err(unfit("its offsets"));
            }
            let size = u64::try_from(column.uncompressed_size()).map_err(|_| unfit("its sizes"))?;
            unpacked = unpacked.saturating_add(size);
        }
        if unpacked != said.unpacked || unpacked > MOST {
            return Err(bomb("its pages, unpacked"));
        }
        // NULLs take no room in a page, and take it here
        if said.rows.saturating_mul(wide(columns)) > UNPACKED.max(unpacked.saturating_mul(2)) {
            return Err(bomb("its rows, unpacked"));
        }
        Ok((group, rows))
    }

    /// The longest text or bytes of a column's dictionary: few bytes of a page may mean it many times over.
    fn longest(&self, column: &ColumnChunkMetaData, rows: usize) -> Result<usize> {
        if column.column_type() != parquet::basic::Type::BYTE_ARRAY {
            return Ok(0);
        }
        let mut pages = Pages::new(self.file.clone(), column, rows).map_err(fault)?;
        let Some(Page::DictionaryPage { buf, .. }) = pages.page().map_err(fault)? else { return Ok(0) };
        let (mut rest, mut longest) = (&buf[..], 0);
        while !rest.is_empty() {
            let (length, behind) = rest.split_first_chunk::<LENGTH>().ok_or_else(|| unfit("a dictionary"))?;
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| unfit("a dictionary"))?;
            rest = behind.get(length..).ok_or_else(|| unfit("a dictionary"))?;
            longest = longest.max(length);
        }
        Ok(longest)
    }
}

/// The library gives up with a panic at some of what it does not expect; who reads a file does not.
fn withstood<T>(what: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_text_may_quote| Err(unfit(what)))
}

/// The footer, between the pages and its own length; `None` where the file ends in another way.
fn footer(file: &[u8]) -> Option<&[u8]> {
    let (front, end) = file.split_last_chunk::<4>()?;
    let (front, length) = front.split_last_chunk::<4>()?;
    let begins = front.len().checked_sub(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    if end == b"PAR1" { front.get(begins..) } else { None }
}

/// Bytes that a row takes in memory, its texts' own letters apart.
fn wide(columns: &[Column<'_>]) -> u64 {
    columns.iter().map(|column| width(column.ty)).sum()
}

/// Bytes that one value takes in memory, a text's own letters apart.
const fn width(ty: Type) -> u64 {
    match ty {
        Type::Bool => 1,
        Type::Int | Type::Float | Type::Single | Type::Timestamp | Type::Instant | Type::Time => 8,
        Type::Text | Type::Json | Type::Bytes | Type::Date => 4,
        Type::Decimal { .. } | Type::Uuid => 16,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn fault(error: ParquetError) -> Fault {
    if is_too_much(&error) { bomb("a page") } else { unfit("its pages") }
}

/// The file's one row group.
struct One<'a> {
    stored: &'a Stored,
    group: &'a RowGroupMetaData,
    rows: usize,
}

impl RowGroups for One<'_> {
    fn num_rows(&self) -> usize {
        self.rows
    }

    fn column_chunks(&self, i: usize) -> parquet::errors::Result<Box<dyn PageIterator>> {
        let column =
            self.group.columns().get(i).ok_or_else(|| ParquetError::General("no column".to_owned()))?;
        let pages = Pages::new(self.stored.file.clone(), column, self.rows)?;
        Ok(Box::new(Once(Some(Ok(Box::new(pages))))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.group))
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.stored.metadata
    }
}
