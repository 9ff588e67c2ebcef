use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray,
    Float64Array, Int64Array, RecordBatch, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow_schema::Schema;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader, ParquetMetaDataWriter,
    RowGroupMetaData,
};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use zeroize::Zeroizing;

use super::*;
use crate::batch::Batch;
use crate::compare::differing;

const TYPES: [Type; 14] = [
    Type::Bool,
    Type::Int,
    Type::Decimal { precision: 38, scale: 3 },
    Type::Decimal { precision: 9, scale: 2 },
    Type::Float,
    Type::Single,
    Type::Text,
    Type::Json,
    Type::Bytes,
    Type::Date,
    Type::Timestamp,
    Type::Instant,
    Type::Time,
    Type::Uuid,
];
const NAMES: [&str; 14] = ["a", "b.c", "d", "É", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"];

fn columns() -> Vec<Column<'static>> {
    NAMES.iter().zip(TYPES).map(|(name, ty)| Column { name, ty }).collect()
}

/// Of each type the smallest, NULL and the largest, or what is odd.
fn batch() -> Batch {
    let wide = Decimal128Array::from(vec![Some(i128::MAX / 10), None, Some(-1)]);
    let narrow = Decimal128Array::from(vec![Some(-999_999_999), None, Some(999_999_999)]);
    let uuids = FixedSizeBinaryArray::try_from_iter([[1_u8; 16], [2; 16], [255; 16]].into_iter()).unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
        Arc::new(wide.with_data_type(arrow_type(TYPES[2]))),
        Arc::new(narrow.with_data_type(arrow_type(TYPES[3]))),
        Arc::new(Float64Array::from(vec![Some(-0.0), None, Some(f64::INFINITY)])),
        Arc::new(Float64Array::from(vec![Some(f64::from(0.1_f32)), None, Some(f64::NAN)])),
        Arc::new(StringArray::from(vec![Some("é\u{0}"), None, Some("")])),
        Arc::new(StringArray::from(vec![Some("{}"), None, Some("[1]")])),
        Arc::new(BinaryArray::from(vec![Some(&[0_u8, 255][..]), None, Some(&[][..])])),
        Arc::new(Date32Array::from(vec![Some(i32::MIN), None, Some(20_000)])),
        Arc::new(TimestampMicrosecondArray::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
        Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None, Some(1)]).with_timezone("+00:00")),
        Arc::new(Time64MicrosecondArray::from(vec![Some(0), None, Some(86_399_999_999)])),
        Arc::new(uuids),
    ];
    Batch::new(&TYPES, columns, 3).unwrap()
}

fn said(encoded: &Encoded<'_>) -> Said {
    Said { rows: encoded.rows, unpacked: encoded.unpacked }
}

#[test]
fn every_type_comes_back_as_it_was_and_the_notes_with_it() {
    let whole = batch();
    let parts = [whole.slice(1, 2), whole.slice(0, 0), whole.clone(), whole.slice(2, 1)];
    let mut room = Room::default();
    let encoded = encode(&columns(), &parts, &[("ecluse.index", "7")], &mut room).unwrap();
    assert_eq!((encoded.rows, encoded.bytes().len()), (6, pad::class(encoded.bytes().len())));
    let stored = Stored::new(zeroize::Zeroizing::new(encoded.bytes().to_vec())).unwrap();
    assert_eq!((stored.note("ecluse.index"), stored.note("ecluse.other")), (Some("7"), None));
    let back = stored.rows(&columns(), said(&encoded)).unwrap();
    let rows = |batches: &[Batch]| {
        let each = |b: &Batch| (0..b.rows()).map(|row| (b.clone(), row)).collect::<Vec<_>>();
        batches.iter().flat_map(each).collect::<Vec<_>>()
    };
    let (put, got) = (rows(&parts), rows(&back));
    assert_eq!(got.len(), 6);
    for ((a, i), (b, k)) in put.iter().zip(&got) {
        assert_eq!(differing(&TYPES, (a, *i), (b, *k)).unwrap(), Vec::<usize>::new());
    }
}

#[test]
fn a_file_tells_neither_its_rows_by_its_length_nor_a_value_by_its_footer() {
    let columns = [Column { name: "t", ty: Type::Text }];
    let of = |rows: usize| {
        let texts = StringArray::from((0..rows).map(|i| format!("Invente{i}")).collect::<Vec<_>>());
        let batch = Batch::new(&[Type::Text], vec![Arc::new(texts)], rows).unwrap();
        encode(&columns, &[batch], &[("k", "v")], &mut Room::default()).unwrap().bytes().to_vec()
    };
    assert_eq!(of(1).len(), of(200).len());
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(of(20))).unwrap();
    assert!(metadata.row_group(0).column(0).statistics().is_none());
    assert!(encode(&columns, &[], &[], &mut Room::default()).is_err(), "no row is no file");
}

#[test]
fn another_file_is_refused() {
    let mut room = Room::default();
    let encoded = encode(&columns(), &[batch()], &[], &mut room).unwrap();
    let refused = |bytes: &[u8], columns: &[Column<'_>]| {
        let rows = Stored::new(Zeroizing::new(bytes.to_vec())).and_then(|s| s.rows(columns, said(&encoded)));
        rows.map(drop).unwrap_err().code()
    };
    assert_eq!(refused(&encoded.bytes()[..encoded.bytes().len() - 1], &columns()), &UNFIT);
    assert_eq!(refused(b"PAR1", &columns()), &UNFIT);
    assert_eq!(refused(encoded.bytes(), &columns()[..13]), &UNFIT);
    let mut renamed = columns();
    renamed[6].name = "z";
    assert_eq!(refused(encoded.bytes(), &renamed), &UNFIT);
    let mut retyped = columns();
    retyped[1].ty = Type::Timestamp;
    assert_eq!(refused(encoded.bytes(), &retyped), &UNFIT);
    // somewhere in its pages: told, or read as some other value, but never a panic
    for at in (4..2000).step_by(7) {
        let mut bent = encoded.bytes().to_vec();
        bent[at] ^= 0x55;
        let _ = Stored::new(Zeroizing::new(bent)).and_then(|s| s.rows(&columns(), said(&encoded)));
    }
}

const ONE: [Column<'static>; 1] = [Column { name: "t", ty: Type::Bytes }];

/// What a hostile sender's own program writes, and how large it says its pages are.
fn hostile(
    array: ArrayRef,
    change: impl Fn(
        parquet::file::properties::WriterPropertiesBuilder,
    ) -> parquet::file::properties::WriterPropertiesBuilder,
) -> (Vec<u8>, Said) {
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_dictionary_page_size_limit(1 << 30)
        .set_encoding(Encoding::PLAIN);
    let schema = Arc::new(Schema::new(fields(&ONE)));
    let (rows, mut file) = (array.len() as u64, Vec::new());
    let mut writer =
        ArrowWriter::try_new(&mut file, Arc::clone(&schema), Some(change(properties).build())).unwrap();
    writer.write(&RecordBatch::try_new(schema, vec![array]).unwrap()).unwrap();
    let metadata = writer.close().unwrap();
    let unpacked = u64::try_from(metadata.row_group(0).column(0).uncompressed_size()).unwrap();
    (file, Said { rows, unpacked })
}

fn code(file: Vec<u8>, said: Said) -> &'static Code {
    Stored::new(Zeroizing::new(file)).and_then(|s| s.rows(&ONE, said)).map(drop).unwrap_err().code()
}

/// The same file under a footer that tells of its one column otherwise.
fn relaid(file: &[u8], change: impl Fn(ColumnChunkMetaData) -> ColumnChunkMetaData) -> Vec<u8> {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(file.to_vec())).unwrap();
    let group = metadata.row_group(0).clone();
    let column = change(group.column(0).clone());
    let group = group.into_builder().set_column_metadata(vec![column]).build().unwrap();
    let lying = metadata.into_builder().set_row_groups(vec![group]).build();
    let mut lie = file.to_vec();
    let footer = u32::from_le_bytes(*lie[lie.len() - 8..].first_chunk().unwrap()) as usize;
    lie.truncate(lie.len() - 8 - footer);
    ParquetMetaDataWriter::new(&mut lie, &lying).finish().unwrap();
    lie
}

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() << 10
}

#[test]
fn a_bomb_is_refused_before_it_takes_memory() {
    // a long value that a dictionary says so many times over: 16 GiB of 1 MiB
    let long = vec![0_u8; 1 << 20];
    let keys = arrow_array::Int32Array::from(vec![0; 16 << 10]);
    let values: ArrayRef = Arc::new(BinaryArray::from(vec![&long[..]]));
    let repeated = arrow_array::DictionaryArray::new(keys, values);
    let (many, many_said) = {
        // written by its keys, so that this test does not take the memory itself
        let schema =
            Arc::new(Schema::new(vec![arrow_schema::Field::new("t", repeated.data_type().clone(), true)]));
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap()))
            .set_statistics_enabled(EnabledStatistics::None)
            .set_dictionary_page_size_limit(1 << 30)
            .build();
        let mut file = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut file, Arc::clone(&schema), Some(properties)).unwrap();
        writer.write(&RecordBatch::try_new(schema, vec![Arc::new(repeated)]).unwrap()).unwrap();
        let metadata = writer.close().unwrap();
        let unpacked = u64::try_from(metadata.row_group(0).column(0).uncompressed_size()).unwrap();
        (file, Said { rows: 16 << 10, unpacked })
    };
    assert!(many.len() < 64 << 10, "{} bytes", many.len());

    // a page of zeros: 48 MiB in some kilobytes
    let zeros: ArrayRef = Arc::new(BinaryArray::from(vec![&vec![0_u8; 48 << 20][..]]));
    let (page, truth) = hostile(Arc::clone(&zeros), |p| p.set_dictionary_enabled(false));
    assert!(page.len() < 64 << 10, "{} bytes", page.len());
    // the same, under a footer that says less than its pages hold
    let lie =
        relaid(&page, |column| column.into_builder().set_total_uncompressed_size(5000).build().unwrap());
    drop(zeros);

    let before = peak();
    assert_eq!(code(many, many_said), &BOMB, "repeated");
    assert_eq!(code(page.clone(), Said { unpacked: 5000, ..truth }), &BOMB, "other than was said");
    assert_eq!(code(lie, Said { unpacked: 5000, ..truth }), &BOMB, "a page that belies its footer");
    let huge = Said { rows: u64::MAX, ..truth };
    assert_eq!(code(page.clone(), huge), &BOMB, "rows");
    assert!(peak() - before < 200 << 20, "{} MiB were taken", (peak() - before) >> 20);

    // as it was said, it is what it is
    let rows = Stored::new(Zeroizing::new(page)).unwrap().rows(&ONE, truth).unwrap();
    assert_eq!(rows[0].rows(), 1);
}

#[test]
fn an_encoding_that_makes_much_of_little_is_refused() {
    let texts: ArrayRef = Arc::new(BinaryArray::from(vec![&b"abc"[..], &b"abcd"[..]]));
    let change = |p: parquet::file::properties::WriterPropertiesBuilder| {
        p.set_dictionary_enabled(false).set_encoding(Encoding::DELTA_BYTE_ARRAY)
    };
    let (file, truth) = hostile(texts, change);
    assert_eq!(code(file, truth), &UNFIT);
}

#[test]
fn values_that_refer_to_a_dictionary_that_is_not_there_are_refused() {
    let columns = [Column { name: "n", ty: Type::Int }];
    let schema = Arc::new(Schema::new(fields(&columns)));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..100).map(|n| n % 3)));
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .build();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, Arc::clone(&schema), Some(properties)).unwrap();
    writer.write(&RecordBatch::try_new(schema, vec![numbers]).unwrap()).unwrap();
    let metadata = writer.close().unwrap();
    let unpacked = u64::try_from(metadata.row_group(0).column(0).uncompressed_size()).unwrap();
    let read = |file: Vec<u8>| {
        let stored = Stored::new(Zeroizing::new(file))?;
        stored.rows(&columns, Said { rows: 100, unpacked })
    };
    assert_eq!(read(file.clone()).unwrap().iter().map(Batch::rows).sum::<usize>(), 100);
    // the column begins behind its dictionary
    let without = relaid(&file, |column| {
        let before = column.data_page_offset() - column.dictionary_page_offset().unwrap();
        let left = column.compressed_size() - before;
        let builder = column.into_builder().set_dictionary_page_offset(None);
        builder.set_total_compressed_size(left).build().unwrap()
    });
    assert_eq!(read(without).unwrap_err().code(), &UNFIT);
}

#[test]
fn a_file_at_which_the_library_gives_up_is_refused() {
    let columns = [Column { name: "n", ty: Type::Int }];
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    let batch = Batch::new(&[Type::Int], vec![numbers], 1).unwrap();
    let mut room = Room::default();
    let encoded = encode(&columns, &[batch], &[], &mut room).unwrap();
    let mut file = encoded.bytes().to_vec();
    // a block of 256 values in four, of which there is one: of which there is none, and the first stands there
    let at = file.windows(4).position(|four| four == [0x80, 0x02, 0x04, 0x01]).unwrap();
    file[at + 3] = 0;
    let read = Stored::new(Zeroizing::new(file)).unwrap().rows(&columns, said(&encoded));
    assert_eq!(read.unwrap_err().code(), &UNFIT);
}

#[test]
fn nulls_that_take_no_room_in_a_page_are_counted_all_the_same() {
    let names: Vec<String> = (0..3000).map(|i| format!("c{i}")).collect();
    let columns: Vec<Column<'_>> = names.iter().map(|name| Column { name, ty: Type::Uuid }).collect();
    let nulls: ArrayRef = Arc::new(FixedSizeBinaryArray::new_null(16, 100));
    let batch = Batch::new(&vec![Type::Uuid; 3000], vec![nulls; 3000], 100).unwrap();
    let mut room = Room::default();
    let encoded = encode(&columns, &[batch], &[], &mut room).unwrap();
    let stored = Stored::new(zeroize::Zeroizing::new(encoded.bytes().to_vec())).unwrap();
    assert_eq!(stored.rows(&columns, said(&encoded)).unwrap()[0].rows(), 100);
    let more = Said { rows: 65_536, ..said(&encoded) };
    assert_eq!(stored.rows(&columns, more).unwrap_err().code(), &BOMB);
}

#[test]
fn rows_of_no_column_are_refused_however_many_they_are() {
    const MANY: u64 = 1 << 20;
    let schema = ArrowSchemaConverter::new().convert(&Schema::empty()).unwrap();
    let schema = Arc::new(schema);
    let rows = i64::try_from(MANY).unwrap();
    let group = RowGroupMetaData::builder(Arc::clone(&schema)).set_num_rows(rows).build().unwrap();
    let about = FileMetaData::new(2, rows, None, None, schema, None);
    let metadata = ParquetMetaDataBuilder::new(about).set_row_groups(vec![group]).build();
    let mut file = b"PAR1".to_vec();
    ParquetMetaDataWriter::new(&mut file, &metadata).finish().unwrap();
    let stored = Stored::new(Zeroizing::new(file)).unwrap();
    let read = stored.rows(&[], Said { rows: MANY, unpacked: 0 });
    assert_eq!(read.map(|batches| batches.len()).unwrap_err().code(), &BOMB);
}
