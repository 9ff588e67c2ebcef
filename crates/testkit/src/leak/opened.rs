//! What the search looks into with the feature `opened`: age files whose identity the test holds, and Parquet,
//! where dictionaries, deltas and compression keep a value from standing in the file as it is.
//!
//! Opened by the crates themselves and not by the program's own code, so that a fault there hides nothing here.

use std::io::Read as _;

use bytes::Bytes;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

/// The first line of an age file, version 1.
const AGE: &[u8] = b"age-encryption.org/v1\n";
/// First and last four bytes of a Parquet file.
const PARQUET: &[u8] = b"PAR1";

/// What lies inside: the layer's name, its bytes.
///
/// An age file may begin anywhere; one that was cut short gives what it has. Parquet is a whole file or a whole
/// layer: without its footer nobody reads it, and its pages are looked into as the compressed streams they are.
pub(super) fn layers(bytes: &[u8], identities: &[String]) -> Vec<(&'static str, Vec<u8>)> {
    let mut layers = Vec::new();
    if !identities.is_empty() {
        for at in memchr::memmem::find_iter(bytes, AGE) {
            layers.extend(unsealed(&bytes[at..], identities).map(|plain| ("age", plain)));
        }
    }
    if bytes.len() > 2 * PARQUET.len() && bytes.starts_with(PARQUET) && bytes.ends_with(PARQUET) {
        layers.push(("Parquet", values(bytes)));
    }
    layers
}

/// As much of an age file as one of these identities opens; `None` where none does.
fn unsealed(bytes: &[u8], identities: &[String]) -> Option<Vec<u8>> {
    let identities: Vec<age::x25519::Identity> =
        identities.iter().map(|one| one.parse().expect("an age identity")).collect();
    let decryptor = age::Decryptor::new_buffered(bytes).ok()?;
    let mut reader = decryptor.decrypt(identities.iter().map(|one| one as &dyn age::Identity)).ok()?;
    let mut plain = Vec::new();
    // an error here is the end of what can be read
    let _ = reader.read_to_end(&mut plain);
    Some(plain)
}

/// Every name, note and value of a Parquet file, each on a line of its own.
fn values(file: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let reader =
        SerializedFileReader::new(Bytes::copy_from_slice(file)).expect("Parquet, by its first bytes");
    for note in reader.metadata().file_metadata().key_value_metadata().into_iter().flatten() {
        all.extend_from_slice(note.value.as_deref().unwrap_or_default().as_bytes());
        all.push(b'\n');
    }
    for row in reader.get_row_iter(None).expect("rows") {
        for (name, value) in row.expect("a row that can be read").get_column_iter() {
            all.extend_from_slice(name.as_bytes());
            all.push(b'\n');
            match value {
                Field::Str(text) => all.extend_from_slice(text.as_bytes()),
                Field::Bytes(bytes) => all.extend_from_slice(bytes.data()),
                other => all.extend_from_slice(other.to_string().as_bytes()),
            }
            all.push(b'\n');
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use age::secrecy::ExposeSecret as _;
    use parquet::basic::{Compression, Encoding, ZstdLevel};
    use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use crate::leak::Search;

    const CANARY: &str = "ZxO4K7Q2-Un";

    /// Three names that share their beginning, so that of the last the file holds its end alone, behind another's;
    /// and days as numbers.
    fn packed() -> Vec<u8> {
        let schema =
            parse_message_type("message m { required binary name (UTF8); required int32 born (DATE); }");
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_dictionary_enabled(false)
            .set_encoding(Encoding::DELTA_BYTE_ARRAY)
            .set_column_encoding("born".into(), Encoding::DELTA_BINARY_PACKED)
            .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
            .build();
        let mut bytes = Vec::new();
        let mut writer =
            SerializedFileWriter::new(&mut bytes, Arc::new(schema.unwrap()), Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let names = ["ZxO4K7Q", "ZxO4K7Qa", CANARY].map(ByteArray::from);
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&names, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&[0, 7, 14_610], None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        bytes
    }

    #[test]
    fn values_that_stand_nowhere_as_they_are_are_found_once_the_file_is_decoded() {
        let packed = packed();
        // the last byte taken away, nobody can read the footer: the pages alone do not tell
        for needle in [CANARY, "2010-01-01"] {
            let search = Search::new(&[needle]);
            assert_eq!(search.bytes("cut", &packed[..packed.len() - 1]), []);
            let found = search.bytes("here", &packed);
            assert!(found.iter().any(|one| one.form == "Parquet: UTF-8"), "{needle}: {found:?}");
        }
    }

    #[test]
    fn what_is_sealed_is_found_by_whoever_holds_the_identity_and_by_nobody_else() {
        let (own, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
        let to = own.to_public();
        let seal = |plain: &[u8]| {
            let recipients = std::iter::once(&to as &dyn age::Recipient);
            let mut sealed = Vec::new();
            let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
            let mut writer = encryptor.wrap_output(&mut sealed).unwrap();
            writer.write_all(plain).unwrap();
            writer.finish().unwrap();
            sealed
        };
        let search = Search::new(&[CANARY]);
        let with = |identity: &age::x25519::Identity| search.opening(&[identity.to_string().expose_secret()]);
        let text = format!("{}{CANARY}{}", "a".repeat(70_000), "b".repeat(200_000));
        let (chunk, long) = (seal(&packed()), seal(text.as_bytes()));
        for (sealed, form) in [
            (&chunk[..], "age: Parquet: UTF-8"),
            (&long, "age: UTF-8"),
            // cut short, and behind something else
            (&long[..long.len() - 100_000], "age: UTF-8"),
            (&[b"a page before it\n", &long[..]].concat(), "age: UTF-8"),
        ] {
            assert_eq!(search.bytes("here", sealed), []);
            assert_eq!(with(&other).bytes("here", sealed), []);
            let found = with(&own).bytes("here", sealed);
            assert_eq!(found.iter().map(|one| one.form.as_str()).collect::<Vec<_>>(), [form]);
        }
    }
}
