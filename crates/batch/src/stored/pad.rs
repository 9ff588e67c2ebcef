//! The footer, with the notes and a length that tells little.
//!
//! age reveals how long its plaintext is, and so, of a small table, how many rows it has. The file is
//! lengthened by a note of blanks in its footer to the next of few lengths: at least [`LEAST`], and then as
//! Padmé has it (Nikitin et al., *Reducing Metadata Leakage from Encrypted Files and Communication with
//! PURBs*, PoPETs 2019, section 4): the length keeps as many leading bits as its exponent has, at a cost of
//! at most 12 %, and 3 % of files as large as ours mostly are.

use ecluse_core::fault::{Fault, Result};
use parquet::file::metadata::{
    FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataWriter,
};

use super::UNWRITTEN;

/// The shortest length of a file.
const LEAST: usize = 16 << 10;
/// The note of blanks.
const PAD: &str = "ecluse.pad";
/// What ends a Parquet file: the footer's length (4 bytes, little-endian) and `PAR1`.
const TAIL: usize = 8;
/// The blanks' own number, as the footer writes it, takes up to so many bytes.
const NUMBER: usize = 5;

/// Replaces the footer of `bytes` by one with these notes, padded.
pub(super) fn finish(bytes: &mut Vec<u8>, metadata: &ParquetMetaData, notes: &[KeyValue]) -> Result<()> {
    let pages = bytes.len().checked_sub(TAIL).and_then(|end| {
        let length = bytes.get(end..)?.first_chunk::<4>()?;
        end.checked_sub(usize::try_from(u32::from_le_bytes(*length)).ok()?)
    });
    let pages = pages.ok_or_else(failed)?;
    let mut with = |blanks: usize| {
        bytes.truncate(pages);
        let mut notes = notes.to_vec();
        notes.push(KeyValue::new(PAD.to_owned(), " ".repeat(blanks)));
        write(bytes, metadata, notes)?;
        Ok(bytes.len())
    };
    let bare = with(0)?;
    let mut wanted = class(bare + NUMBER);
    loop {
        // the number of blanks is itself longer for many: at most two attempts meet a length
        let mut blanks = wanted - bare;
        for _ in 0..2 {
            let length = with(blanks)?;
            if length == wanted {
                return Ok(());
            }
            blanks = (blanks + wanted).checked_sub(length).ok_or_else(failed)?;
        }
        wanted = class(wanted + 1);
    }
}

/// The length, among few, that a plaintext of so many bytes is brought to before it is sealed.
#[must_use]
pub fn class(length: usize) -> usize {
    let length = length.max(LEAST);
    let exponent = length.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1_usize << exponent.saturating_sub(kept)) - 1;
    (length + mask) & !mask
}

fn write(bytes: &mut Vec<u8>, metadata: &ParquetMetaData, notes: Vec<KeyValue>) -> Result<()> {
    let file = metadata.file_metadata();
    let footer = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        Some(notes),
        file.schema_descr_ptr(),
        None,
    );
    let metadata = ParquetMetaDataBuilder::new(footer).set_row_groups(metadata.row_groups().to_vec()).build();
    ParquetMetaDataWriter::new(bytes, &metadata).finish().map_err(|_text_may_quote| failed())
}

fn failed() -> Fault {
    UNWRITTEN.fault("footer")
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn classes_are_few_and_cost_little() {
        assert_eq!((class(0), class(16 << 10), class((16 << 10) + 1)), (16_384, 16_384, 17_408));
        let mut seen = std::collections::BTreeSet::new();
        for length in (16_384..(32 << 20)).step_by(977) {
            let class = class(length);
            assert!(class >= length && class * 100 <= length * 107, "{length} as {class}");
            seen.insert(class);
        }
        assert!(seen.len() < 340, "{} classes", seen.len());
    }
}
