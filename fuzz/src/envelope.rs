//! A part of a sealed archive, by whoever had it on the way and by whoever sealed it.
//!
//! What was changed stays shut. What a hostile sender sealed is refused by code, or is an index that is sealed and
//! read again the same, or rows: as many as were said, each with a tally, that are packed and read again the same;
//! in bounded memory ([`crate::HEAP`](crate)).

use std::sync::{Arc, LazyLock};

use age::secrecy::ExposeSecret as _;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use ecluse_batch::stored::{self, Column, Room, Said, Stored};
use ecluse_batch::{Batch, Keys, RowHasher, TallyKey, arrow_type, differing, weight};
use ecluse_core::digest;
use ecluse_core::types::Type;
use ecluse_seal::archive::{
    ChunkNote, DAMAGED, Index, IndexColumn, IndexTable, Label, Opener, STRANGER, Sealer, commitment,
};
use ecluse_seal::{Identity, Seal};
use parquet::file::metadata::{
    FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader, ParquetMetaDataWriter,
};

/// One byte says what the rest is.
///
/// # Panics
///
/// Where a promise of the module does not hold.
pub fn run(bytes: &[u8]) {
    let Some((what, rest)) = bytes.split_first() else { return };
    match what % 4 {
        0 => shut(rest),
        1 => bent(rest),
        2 => index(rest),
        _ => rows(*what, rest),
    }
}

/// Rows of a file that are looked at: more take as long as they take, and nothing new is found in them.
const MOST_ROWS: u64 = 1 << 16;

struct Recipient {
    age: age::x25519::Identity,
    identity: Identity,
}

static RECIPIENT: LazyLock<Recipient> = LazyLock::new(|| {
    let age = age::x25519::Identity::generate();
    let identity = Identity::parse(age.to_string().expose_secret()).expect("age's own form");
    Recipient { age, identity }
});

/// What every part made here says of itself; seeds hold the same.
#[must_use]
pub fn label() -> Label {
    Label {
        archive: "0f".repeat(16),
        instruction: format!("sha256:{}", "1".repeat(64)),
        sender: format!("SHA256:{}", "A".repeat(43)),
        recipient: format!("sha256:{}", "2".repeat(64)),
    }
}

/// Sealed to the recipient by anybody: whoever knows an age key can do that.
fn sealed(plain: &[u8]) -> Vec<u8> {
    age::encrypt(&RECIPIENT.age.to_public(), plain).expect("memory")
}

fn opener() -> Opener<'static> {
    Opener::new(label(), &RECIPIENT.identity)
}

/// Bytes that nobody sealed open neither as an index nor as rows.
fn shut(bytes: &[u8]) {
    let table = table(&TYPES[..2]);
    assert!(opener().index(bytes).is_err_and(|fault| [&STRANGER, &DAMAGED].contains(&fault.code())));
    assert!(opener().chunk(bytes, &note(b""), &table).is_err());
}

/// A sealed part with bytes changed, cut off or added: four bytes a step, which are what and where.
fn bent(bytes: &[u8]) {
    static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| sealed(&[b'x'; 70_000]));
    let mut part = WHOLE.clone();
    for step in bytes.chunks_exact(4) {
        let [what, with, place @ ..] = step else { continue };
        // the header and the seams between chunks are where something may go wrong
        let place = usize::from(u16::from_le_bytes([place[0], place[1]]));
        let place = if what & 4 == 0 { place % 400 } else { place * 2 } % part.len().max(1);
        match what % 4 {
            0 => part[place] ^= with,
            1 => part.truncate(part.len() - usize::from(*with)),
            2 => part.insert(place, *with),
            _ => drop(part.remove(place)),
        }
        if part.is_empty() {
            break;
        }
    }
    let opened = opener().index(&part);
    let code = opened.expect_err("no index is inside").code();
    // what is inside is no index: only the whole part is opened at all
    assert_eq!([&STRANGER, &DAMAGED].contains(&code), part != *WHOLE, "{}", code.id);
}

/// Any bytes as an index, rightly sealed.
fn index(bytes: &[u8]) {
    let Ok(read) = opener().index(&sealed(bytes)) else { return };
    let sealer = Sealer::new(label(), RECIPIENT.identity.recipient());
    let part = sealer.index(&read).expect("what was read");
    let again = opener().index(&part.bytes).expect("what was sealed");
    let json = |index: &Index| serde_json::to_value(index).expect("JSON");
    assert_eq!(json(&again), json(&read));
    // rows that are not of these columns, and rows that may be
    static PART: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut sealer = Sealer::new(label(), RECIPIENT.identity.recipient());
        sealer.chunk(1, &table(&TYPES), &[batch()]).expect("rows").bytes
    });
    static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(|| age::decrypt(&RECIPIENT.age, &PART).expect("a part"));
    for table in read.tables.iter().take(4) {
        let table = IndexTable { destination: NAME.to_owned(), ..table.clone() };
        let note = ChunkNote { rows: 3, unpacked: said(&PLAIN).unpacked, ..note(&PLAIN) };
        if let Ok(batches) = opener().chunk(&PART, &note, &table) {
            let types: Vec<Type> = table.columns.iter().map(|column| column.ty).collect();
            looked_at(&columns(&table), &types, &batches);
        }
    }
}

/// Any bytes as the rows of a part, rightly sealed, with an index that says of them what they say of themselves:
/// its sender is hostile too.
fn rows(what: u8, bytes: &[u8]) {
    let types = match what / 4 % 4 {
        0 => &TYPES[..],
        1 => &[Type::Int],
        2 => &[Type::Text, Type::Bytes],
        _ => &[Type::Bool, Type::Decimal { precision: 38, scale: 3 }, Type::Json],
    };
    let table = table(types);
    let mut said = said(bytes);
    if said.rows > MOST_ROWS {
        said.rows = MOST_ROWS;
    }
    let columns = columns(&table);
    let Ok(stored) = Stored::new(bytes.to_vec().into()) else { return };
    let _ = stored.note("ecluse.index");
    let read = stored.rows(&columns, said);
    if let Ok(batches) = &read {
        let rows: usize = batches.iter().map(Batch::rows).sum();
        assert_eq!(rows as u64, said.rows);
        looked_at(&columns, types, batches);
    }
    let note = ChunkNote { rows: said.rows, unpacked: said.unpacked, ..note(bytes) };
    let opened = opener().chunk(&sealed(bytes), &note, &table);
    assert!(opened.is_err() || read.is_ok(), "the opener gives what the reader refuses");
}

/// What is done with rows that came out of a seal.
fn looked_at(columns: &[Column<'_>], types: &[Type], batches: &[Batch]) {
    let mut hasher = RowHasher::new(&TallyKey::new([7; 32]), NAME, types);
    let mut hashes = Vec::new();
    for batch in batches {
        if hasher.hash_rows(batch, &mut hashes).is_err() {
            return;
        }
        if let Ok(keys) = Keys::new(batch, types, &[0]) {
            let _ = (keys.last(), keys.check_order(None).is_ok());
        }
        let bytes: usize = (0..batch.rows()).map(|row| weight(batch, row)).sum();
        assert!(bytes <= crate::HEAP.limit());
    }
    if hashes.is_empty() {
        return;
    }
    let mut room = Room::default();
    let packed = stored::encode(columns, batches, &[], &mut room).expect("rows that were read");
    let stored = Stored::new(packed.bytes().to_vec().into()).expect("a file that was written");
    let again =
        stored.rows(columns, Said { rows: packed.rows, unpacked: packed.unpacked }).expect("its rows");
    let mut rehashed = Vec::new();
    for batch in &again {
        hasher.hash_rows(batch, &mut rehashed).expect("rows that had a tally");
    }
    assert!(hashes == rehashed, "other rows than were read");
    let first = batches.iter().find(|batch| batch.rows() > 0).zip(again.first());
    if let Some((one, other)) = first {
        assert_eq!(differing(types, (one, 0), (other, 0)).expect("the same columns"), Vec::<usize>::new());
    }
}

/// What a file says of itself, read with the format's own library.
fn said(file: &[u8]) -> Said {
    let file = bytes::Bytes::copy_from_slice(file);
    let Ok(metadata) = ParquetMetaDataReader::new().parse_and_finish(&file) else {
        return Said { rows: 3, unpacked: 100 };
    };
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    let unpacked = columns.fold(0_u64, |all, column| {
        all.saturating_add(u64::try_from(column.uncompressed_size()).unwrap_or_default())
    });
    Said { rows: u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default(), unpacked }
}

fn note(plain: &[u8]) -> ChunkNote {
    ChunkNote { index: 1, table: 0, number: 0, rows: 1, sha256: digest::of_bytes(plain), unpacked: 1 }
}

const NAME: &str = "patient";

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

/// A table of these columns, called `c0`, `c1` and on.
fn table(types: &[Type]) -> IndexTable {
    let column = |(number, ty): (usize, &Type)| IndexColumn {
        name: format!("c{number}"),
        ty: *ty,
        nullable: true,
        max_length: None,
        int_bounds: None,
        labels: Vec::new(),
    };
    IndexTable {
        source: "SRC".to_owned(),
        destination: NAME.to_owned(),
        columns: types.iter().enumerate().map(column).collect(),
        key: vec!["c0".to_owned()],
        relations: Vec::new(),
        ordered: true,
        rows: 3,
        refused: [("ECL-BAT-101 SRC.x".to_owned(), 2)].into(),
        excluded: 1,
        salt: "00".repeat(32),
        commitment: commitment(&[0; 32], &[1; 32]),
    }
}

fn columns(table: &IndexTable) -> Vec<Column<'_>> {
    table.columns.iter().map(|column| Column { name: &column.name, ty: column.ty }).collect()
}

/// Of each type the smallest, NULL and the largest, or what is odd.
fn batch() -> Batch {
    let wide = Decimal128Array::from(vec![Some(i128::MAX / 10), None, Some(-1)]);
    let narrow = Decimal128Array::from(vec![Some(-999_999_999), None, Some(999_999_999)]);
    let uuids =
        FixedSizeBinaryArray::try_from_iter([[1_u8; 16], [2; 16], [255; 16]].into_iter()).expect("UUIDs");
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
    Batch::new(&TYPES, columns, 3).expect("a batch")
}

/// A file without the blanks that hide its length: where nothing is, nothing is found.
fn bare(file: &[u8]) -> Vec<u8> {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::copy_from_slice(file));
    let metadata = metadata.expect("a file that was written");
    let about = metadata.file_metadata();
    let notes = about.key_value_metadata().cloned().unwrap_or_default();
    let notes = notes.into_iter().filter(|note| note.key != "ecluse.pad").collect();
    let made = about.created_by().map(str::to_owned);
    let about = FileMetaData::new(
        about.version(),
        about.num_rows(),
        made,
        Some(notes),
        about.schema_descr_ptr(),
        None,
    );
    let groups = metadata.row_groups().to_vec();
    let footer = file.last_chunk::<8>().and_then(|end| end.first_chunk::<4>()).expect("a footer");
    let mut bare = file[..file.len() - 8 - u32::from_le_bytes(*footer) as usize].to_vec();
    let metadata = ParquetMetaDataBuilder::new(about).set_row_groups(groups).build();
    ParquetMetaDataWriter::new(&mut bare, &metadata).finish().expect("memory");
    bare
}

/// Examples of what [`run`] reads: whole parts, an index, a step that bends one.
#[must_use]
pub fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut sealer = Sealer::new(label(), RECIPIENT.identity.recipient());
    let texts = |n: usize| -> Batch {
        let texts: StringArray = (0..n).map(|i| (i % 7 != 0).then(|| format!("t{}", i % 5))).collect();
        let bytes =
            BinaryArray::from_iter((0..n).map(|i| Some(vec![u8::try_from(i % 251).expect("small"); i % 9])));
        Batch::new(&[Type::Text, Type::Bytes], vec![Arc::new(texts), Arc::new(bytes)], n).expect("a batch")
    };
    let ints = |n: i64| -> Batch {
        let ints = Int64Array::from_iter_values((0..n).map(|i| i * i - 40));
        Batch::new(&[Type::Int], vec![Arc::new(ints)], usize::try_from(n).expect("small")).expect("a batch")
    };
    let odd: [Type; 3] = [Type::Bool, Type::Decimal { precision: 38, scale: 3 }, Type::Json];
    let whole = batch();
    let picked: Vec<ArrayRef> = [0, 2, 7].iter().map(|at| Arc::clone(&whole.columns()[*at])).collect();
    let odd_rows = Batch::new(&odd, picked, 3).expect("a batch");
    let mut plain = |types: &[Type], batches: &[Batch]| {
        let part = sealer.chunk(1, &table(types), batches).expect("rows");
        (bare(&age::decrypt(&RECIPIENT.age, &part.bytes).expect("a part")), part)
    };
    let mut seeds = Vec::new();
    let (file, part) = plain(&TYPES, &[whole.clone()]);
    seeds.push(("rows-every-type".to_owned(), [&[3][..], &file].concat()));
    let (file, _) = plain(&TYPES, &[whole.slice(1, 1)]);
    seeds.push(("rows-null".to_owned(), [&[3][..], &file].concat()));
    for n in [1, 40, 3000] {
        seeds.push((format!("rows-ints-{n}"), [&[7][..], &plain(&[Type::Int], &[ints(n)]).0].concat()));
    }
    for n in [3, 60, 2000] {
        let (file, _) = plain(&[Type::Text, Type::Bytes], &[texts(n)]);
        seeds.push((format!("rows-texts-{n}"), [&[11][..], &file].concat()));
    }
    seeds.push(("rows-odd".to_owned(), [&[15][..], &plain(&odd, &[odd_rows]).0].concat()));
    let mut index = Index::new(label(), "ab".repeat(16), Seal::new([7; 32]));
    index.papers.insert("instruction.toml".to_owned(), "é \u{0}\n".to_owned());
    index.tables.push(table(&TYPES));
    index.chunks.push(ChunkNote { sha256: part.plain_sha256, unpacked: part.unpacked, rows: 3, ..note(b"") });
    let json = serde_json::to_vec(&index).expect("JSON");
    seeds.push(("index".to_owned(), [&[2][..], &json].concat()));
    seeds.push(("sealed".to_owned(), [&[0][..], &sealed(b"{}")].concat()));
    seeds.push(("bent".to_owned(), vec![1, 0, 1, 9, 0, 4, 1, 200, 200]));
    seeds
}
