//! Pages of one column, unpacked from a budget.
//!
//! The crate's own page reader believes a page's header when it makes room for what is unpacked, up to
//! 2 GiB. So it is told that nothing is packed, gives the pages as they lie in the file, and they are
//! unpacked here.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;
use zeroize::Zeroizing;
use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

use super::thrift;

/// What a refusal by the budget says; everything else is a file that is not ours.
pub(super) const TOO_MUCH: &str = "more than was said";

/// The pages of one column.
pub(super) struct Pages {
    packed: SerializedPageReader<Bytes>,
    unpacker: Decompressor<'static>,
    /// Bytes that may still be unpacked.
    left: usize,
    /// Rows that may still come.
    rows: usize,
    /// What the next page begins, up to the column's end.
    rest: Bytes,
    /// Whether the dictionary came, to which values may refer.
    dictionary: bool,
}

impl Pages {
    /// Of the column that this metadata describes, whose offsets were looked at.
    pub(super) fn new(file: Bytes, column: &ColumnChunkMetaData, rows: usize) -> Result<Self> {
        let left = usize::try_from(column.uncompressed_size()).map_err(|_| refused())?;
        let as_is = column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        let (begins, length) = column.byte_range();
        let ends = begins.saturating_add(length);
        let place = |at: u64| usize::try_from(at).map_or(file.len(), |at| at.min(file.len()));
        let rest = file.slice(place(begins)..place(ends));
        let packed = SerializedPageReader::new(Arc::new(file), &as_is, rows, None)?;
        Ok(Self { packed, unpacker: Decompressor::new()?, left, rows, rest, dictionary: false })
    }

    /// The next page; no budget is spent twice.
    pub(super) fn page(&mut self) -> Result<Option<Page>> {
        if !self.rest.is_empty() {
            let header = thrift::page_header(&self.rest).ok_or_else(refused)?;
            self.rest = self.rest.slice(header..);
        }
        let Some(page) = self.packed.get_next_page()? else { return Ok(None) };
        let packed = page.buffer().len();
        self.rest = self.rest.slice(packed.min(self.rest.len())..);
        if matches!(page.encoding(), Encoding::RLE_DICTIONARY) && !self.dictionary {
            return Err(refused());
        }
        self.dictionary |= page.is_dictionary_page();
        Ok(Some(match page {
            Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
                if !matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) {
                    return Err(refused());
                }
                let buf = self.unpack(&[], &buf)?;
                // each of its values takes at least one bit
                if usize::try_from(num_values).map_err(|_| refused())? > buf.len().saturating_mul(8) {
                    return Err(refused());
                }
                Page::DictionaryPage { buf, num_values, encoding, is_sorted }
            }
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                num_nulls,
                num_rows,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                statistics: _,
            } => {
                let rows = usize::try_from(num_rows).map_err(|_| refused())?;
                self.rows = self.rows.checked_sub(rows).ok_or_else(refused)?;
                // encodings that repeat what came before (DELTA_BYTE_ARRAY) make much out of little
                let known =
                    [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY, Encoding::DELTA_BINARY_PACKED];
                if num_values != num_rows
                    || num_nulls > num_values
                    || rep_levels_byte_len != 0
                    || !known.contains(&encoding)
                {
                    return Err(refused());
                }
                let levels = usize::try_from(def_levels_byte_len).map_err(|_| refused())?;
                let (levels, values) = buf.split_at_checked(levels).ok_or_else(refused)?;
                let buf = if is_compressed { self.unpack(levels, values)? } else { self.spend(buf.clone())? };
                Page::DataPageV2 {
                    buf,
                    num_values,
                    encoding,
                    num_nulls,
                    num_rows,
                    def_levels_byte_len,
                    rep_levels_byte_len,
                    is_compressed: false,
                    statistics: None,
                }
            }
            Page::DataPage { .. } => return Err(refused()),
        }))
    }

    /// What comes unpacked behind the bytes in front, in memory that is wiped.
    fn unpack(&mut self, front: &[u8], packed: &[u8]) -> Result<Bytes> {
        // a page of NULLs alone has no value, and no frame
        let length = if packed.is_empty() { Some(0) } else { get_frame_content_size(packed).ok().flatten() };
        let length = length.and_then(|n| usize::try_from(n).ok()).ok_or_else(refused)?;
        let whole = front.len().checked_add(length).filter(|n| *n <= self.left).ok_or_else(too_much)?;
        let mut page = Zeroizing::new(Vec::with_capacity(whole));
        page.extend_from_slice(front);
        if !packed.is_empty() {
            // never more than its frame said: the unpacked part has just this room
            let values = Zeroizing::new(self.unpacker.decompress(packed, length).map_err(|_| too_much())?);
            page.extend_from_slice(&values);
        }
        self.spend(Bytes::from_owner(page))
    }

    fn spend(&mut self, page: Bytes) -> Result<Bytes> {
        self.left = self.left.checked_sub(page.len()).ok_or_else(too_much)?;
        Ok(page)
    }
}

/// Whether the budget refused.
pub(super) fn is_too_much(error: &ParquetError) -> bool {
    matches!(error, ParquetError::General(text) if text == TOO_MUCH)
}

fn too_much() -> ParquetError {
    ParquetError::General(TOO_MUCH.to_owned())
}

fn refused() -> ParquetError {
    ParquetError::General("not as it is written here".to_owned())
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        self.page()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.packed.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.packed.skip_next_page()
    }
}

/// One column's pages, as the crate wants them of a file of several row groups: this file has one.
pub(super) struct Once(pub(super) Option<Result<Box<dyn PageReader>>>);

impl Iterator for Once {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take()
    }
}

impl PageIterator for Once {}
