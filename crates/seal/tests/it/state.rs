//! The sealed state: what goes in comes out, to the right identity and in whole only.

use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_seal::{Identity, RunState, Seal, TableState, open, seal};

fn key(values: &[Value]) -> Key {
    Key(values.to_vec())
}

fn state() -> RunState {
    let every = [
        Value::Bool(false),
        Value::Int(i64::MIN),
        Value::Decimal { unscaled: i128::MAX, scale: 3 },
        Value::Text("é\u{0}\"".to_owned()),
        Value::Bytes(vec![0, 255]),
        Value::Date(-1),
        Value::Timestamp(i64::MAX),
        Value::Instant(-1),
        Value::Time(86_399_999_999),
        Value::Uuid([7; 16]),
    ];
    let ends = vec![key(&every), key(&[Value::Bool(true)])];
    RunState {
        run: "3f9c".to_owned(),
        instruction: "sha256:00".to_owned(),
        tally: Seal::new([1; 32]),
        token: Seal::new([2; 32]),
        object: "aa".to_owned(),
        journal: (12, "sha256:11".to_owned()),
        tables: vec![
            TableState { object: "bb".to_owned(), ends, closed: true, open_line: Some(1), kept: vec![] },
            TableState {
                object: "cc".to_owned(),
                ends: vec![],
                closed: false,
                open_line: None,
                kept: vec![key(&[Value::Int(-1)]), key(&[Value::Int(5)])],
            },
        ],
    }
}

#[test]
fn a_state_comes_back_as_it_was() {
    let identity = Identity::generate();
    let before = state();
    let after = open(&seal(&before, &[identity.recipient()]).unwrap(), &identity).unwrap();
    assert_eq!(after.run, before.run);
    assert_eq!(after.instruction, before.instruction);
    assert_eq!(after.tally.expose(), &[1; 32]);
    assert_eq!(after.token.expose(), &[2; 32]);
    assert_eq!((after.object.as_str(), after.journal), ("aa", before.journal));
    for (a, b) in after.tables.iter().zip(&before.tables) {
        assert_eq!(a.object, b.object);
        assert_eq!((a.closed, a.open_line), (b.closed, b.open_line));
        assert!(a.ends == b.ends && a.kept == b.kept);
    }
}

#[test]
fn each_recipient_opens_it_and_nobody_else() {
    let (a, b, stranger) = (Identity::generate(), Identity::generate(), Identity::generate());
    let sealed = seal(&state(), &[a.recipient(), b.recipient()]).unwrap();
    assert!(open(&sealed, &a).is_ok() && open(&sealed, &b).is_ok());
    assert_eq!(open(&sealed, &stranger).unwrap_err().code().id, "ECL-SEA-002");
    assert_eq!(seal(&state(), &[]).unwrap_err().code().id, "ECL-SEA-005");
}

#[test]
fn a_byte_changed_cut_or_added_is_seen_wherever_it_is() {
    let identity = Identity::generate();
    let sealed = seal(&state(), &[identity.recipient()]).unwrap();
    for place in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[place] ^= 1;
        assert!(open(&altered, &identity).is_err(), "byte {place}");
        assert!(open(&sealed[..place], &identity).is_err(), "cut at {place}");
    }
    let mut longer = sealed;
    longer.push(0);
    assert_eq!(open(&longer, &identity).unwrap_err().code().id, "ECL-SEA-003");
}

#[test]
fn nothing_of_it_stands_in_clear() {
    let identity = Identity::generate();
    let mut state = state();
    state.tables[1].ends = vec![key(&[Value::Text("CANARI-CLEF".to_owned())])];
    let sealed = seal(&state, &[identity.recipient()]).unwrap();
    assert!(!sealed.windows(11).any(|w| w == b"CANARI-CLEF"));
    assert!(sealed.starts_with(b"age-encryption.org/v1\n"), "`age -d` opens it too");
    let shown = format!("{:?} {identity:?}", state);
    assert!(!shown.contains("CANARI") && !shown.contains("AGE-SECRET"), "{shown}");
}

#[test]
fn another_format_is_refused_by_name() {
    let identity = Identity::generate();
    let seal_text = |text: &str| {
        use std::io::Write;
        let recipient: age::x25519::Recipient = identity.recipient().to_string().parse().unwrap();
        let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as _)).unwrap();
        let mut sealed = Vec::new();
        let mut writer = encryptor.wrap_output(&mut sealed).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap();
        sealed
    };
    let code = |text: &str| open(&seal_text(text), &identity).unwrap_err().code().id;
    assert_eq!(code(r#"{"format":"ecluse-run-state/2","what":1}"#), "ECL-SEA-004");
    assert_eq!(code(r#"{"format":"ecluse-run-state/1","what":1}"#), "ECL-SEA-003");
    assert_eq!(code("not even JSON"), "ECL-SEA-003");
}

#[test]
fn an_identity_file_is_read_as_age_keygen_writes_it() {
    let identity = Identity::generate();
    let file = identity.file();
    let again = Identity::parse(file.expose()).unwrap();
    assert_eq!(again.recipient().to_string(), identity.recipient().to_string());
    assert!(file.expose().starts_with("# public key: age1"));
    for wrong in ["", "# only a comment\n", "AGE-SECRET-KEY-1QQ", "age1qq"] {
        assert_eq!(Identity::parse(wrong).unwrap_err().code().id, "ECL-SEA-001");
    }
    let twice = format!("{0}{0}", file.expose());
    assert_eq!(Identity::parse(&twice).unwrap_err().code().id, "ECL-SEA-001");
}

#[test]
fn ranges_partition_the_key_space() {
    let table = TableState {
        object: String::new(),
        ends: vec![key(&[Value::Int(10)]), key(&[Value::Int(20)])],
        closed: true,
        open_line: Some(1),
        kept: vec![],
    };
    let int = |n| Some(key(&[Value::Int(n)]));
    assert!(table.range(0) == KeyRange { after: None, upto: int(10) });
    assert!(table.range(1) == KeyRange { after: int(10), upto: int(20) });
    assert!(table.range(2) == KeyRange { after: int(20), upto: None });
    assert!(table.line_range(1) == KeyRange { after: int(10), upto: None }, "as it was before it had an end");
    assert!(table.line_range(0) == table.range(0) && table.line_range(2) == table.range(2));
    assert_eq!(table.chunks(), 3);
    for (n, chunk) in [(-5, 0), (10, 0), (11, 1), (20, 1), (21, 2)] {
        assert_eq!(table.chunk_of(&key(&[Value::Int(n)])), chunk);
    }
}
