use std::io::{Seek as _, Write as _};

use super::*;

// '?' and '>' give base64 characters that differ between the two alphabets
const CANARY: &str = "ZxO>é?7K>Q??";

fn search() -> Search {
    Search::new(&[CANARY])
}

/// Hides a form of the canary between other bytes and expects it found under that name.
#[track_caller]
fn hidden(form: &str, bytes: &[u8]) {
    let noise: Vec<u8> = (0..997_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    assert_eq!(search().bytes("noise", &noise), []);
    let all = [&noise[..], bytes, &noise[..]].concat();
    let found = search().bytes("here", &all);
    assert!(found.iter().any(|f| f.form == form && f.place == "here"), "{form}: {found:?}");
}

#[test]
fn plain_and_utf16() {
    hidden("UTF-8", CANARY.as_bytes());
    let wide: Vec<u16> = CANARY.encode_utf16().collect();
    hidden("UTF-16LE", &wide.iter().flat_map(|u| u.to_le_bytes()).collect::<Vec<_>>());
    hidden("UTF-16BE", &wide.iter().flat_map(|u| u.to_be_bytes()).collect::<Vec<_>>());
}

#[test]
fn latin_1_where_it_is_another_form() {
    let latin: Vec<u8> = CANARY.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    hidden("Latin-1", &latin);
}

#[test]
fn hexadecimal_in_both_cases() {
    hidden("hexadecimal", data_encoding::HEXLOWER.encode(CANARY.as_bytes()).as_bytes());
    hidden("HEXADECIMAL", data_encoding::HEXUPPER.encode(CANARY.as_bytes()).as_bytes());
}

#[test]
fn base64_at_every_alignment_and_in_both_alphabets() {
    for before in 0..3 {
        for after in 0..3 {
            let text = format!("{}{CANARY}{}", "a".repeat(before), "b".repeat(after));
            hidden(&format!("base64 +{before}"), data_encoding::BASE64.encode(text.as_bytes()).as_bytes());
            let found = search().bytes("here", data_encoding::BASE64URL.encode(text.as_bytes()).as_bytes());
            assert!(found.iter().any(|f| f.form.ends_with(&format!("+{before}"))), "{found:?}");
        }
    }
}

fn long_text() -> Vec<u8> {
    let mut text = Vec::new();
    for line in 0..20_000 {
        writeln!(text, "ligne {line} sans rien").unwrap();
        if line == 3_000 {
            writeln!(text, "{CANARY}").unwrap();
        }
    }
    text
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_streams_nested_and_truncated() {
    let packed = zstd::encode_all(&long_text()[..], 1).unwrap();
    hidden("zstd: UTF-8", &packed);
    hidden("zstd: UTF-8", &packed[..packed.len() * 3 / 4]);
    let zipped = gzip(&long_text());
    hidden("gzip: UTF-8", &zipped);
    hidden("gzip: UTF-8", &zipped[..zipped.len() * 3 / 4]);
    hidden("gzip: zstd: UTF-8", &gzip(&packed));
    let coded = data_encoding::BASE64.encode(format!("a{CANARY}").as_bytes());
    hidden("zstd: base64 +1", &zstd::encode_all(coded.as_bytes(), 3).unwrap());
}

#[test]
fn folders_with_names_and_links() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("clean"), "nothing").unwrap();
    assert_eq!(search().folder(folder.path()), []);
    std::fs::write(deep.join("file"), format!("x{CANARY}x")).unwrap();
    std::fs::write(deep.join(format!("name-{CANARY}")), "").unwrap();
    std::os::unix::fs::symlink(CANARY, deep.join("link")).unwrap();
    let forms: Vec<String> = search().folder(folder.path()).into_iter().map(|f| f.form).collect();
    assert_eq!(forms, ["UTF-8", "link: UTF-8", "name: UTF-8"]);
}

#[test]
fn an_unlinked_file_still_held_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gone");
    let mut file = std::fs::File::options().create_new(true).read(true).write(true).open(&path).unwrap();
    file.write_all(format!("spilled {CANARY}").as_bytes()).unwrap();
    file.rewind().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(search().folder(folder.path()), [], "a search of files cannot see it");
    let found = search().process(std::process::id());
    assert!(found.iter().any(|f| f.place.contains("(deleted)") && f.form == "UTF-8"), "{found:?}");
    drop(file);
    assert!(!search().process(std::process::id()).iter().any(|f| f.place.contains("gone")));
}

#[test]
fn what_another_process_was_told() {
    let mut child = std::process::Command::new("sleep").arg("30").env("NAME", CANARY).spawn().unwrap();
    // the kernel shows the environment a moment after the program has begun
    let mut found = Vec::new();
    for _ in 0..100 {
        found = search().process(child.id());
        if !found.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(found.iter().any(|f| f.place.ends_with("environ")), "{found:?}");
}

#[test]
#[should_panic(expected = "found by chance")]
fn a_short_needle_is_refused() {
    let _ = Search::new(&["abc"]);
}
