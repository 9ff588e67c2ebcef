//! The sealed state: what goes in comes out, to the right identity and in whole only.

use ecluse_core::catalog::{Catalog, Column, ForeignKey, Table};
use ecluse_core::types::{Engine, Type};
use ecluse_core::value::{Key, KeyRange, Value};
use ecluse_seal::{
    AgreeBy, CatchUp, Caught, Frozen, Identity, KnownList, KnownPair, Noted, PartingFile, Reasons, RunState,
    Seal, Seen, Sought, TableState, Undo, What, open, seal,
};
use zeroize::Zeroizing;

fn key(values: &[Value]) -> Key {
    Key(values.to_vec())
}

fn reasons(text: &str) -> Reasons {
    let mut reasons = Reasons::default();
    reasons.push(text);
    reasons
}

fn catalog() -> Catalog {
    let column = Column {
        name: "id".to_owned(),
        sql_type: "numeric(10,2)".to_owned(),
        ty: Some(Type::Decimal { precision: 10, scale: 2 }),
        max_length: Some(7),
        int_bounds: Some((0, 9)),
        nullable: false,
        has_default: true,
        identity: true,
        generated: "1".to_owned(),
        collation: "C".to_owned(),
        choice: false,
        labels: Vec::new(),
        comment: String::new(),
    };
    let table = Table {
        name: "patient".to_owned(),
        kind: "table".to_owned(),
        oid: Some(7),
        storage: "owner".to_owned(),
        columns: vec![column],
        key: vec!["id".to_owned()],
        uniques: vec![vec!["id".to_owned()]],
        foreign_keys: vec![ForeignKey {
            name: String::new(),
            columns: vec!["id".to_owned()],
            references: "patient".to_owned(),
            referenced: vec!["id".to_owned()],
        }],
        triggers: vec!["t".to_owned()],
        row_security: "on".to_owned(),
        definition: "select 1".to_owned(),
        estimated_rows: None,
    };
    let (database, identity) = ("old".to_owned(), "postgresql/1".to_owned());
    Catalog { engine: Engine::Postgresql, database, identity, tables: vec![table] }
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
        destination: "sqlite/00".to_owned(),
        files: "/srv/reports".to_owned(),
        tally: Seal::new([1; 32]),
        token: Seal::new([2; 32]),
        object: "aa".to_owned(),
        journal: (12, "sha256:11".to_owned()),
        whole: true,
        noted: vec![Noted {
            at: "2026-11-22T05:00:00Z".to_owned(),
            what: What::WithoutViews,
            words: "no administrator before Monday".to_owned(),
        }],
        catch_ups: vec![CatchUp {
            number: 1,
            began: "2026-11-22T06:00:00Z".to_owned(),
            ended: String::new(),
            repair: false,
            frozen: "2026-11-22T05:59:00Z".to_owned(),
            held: String::new(),
            tables: vec![Caught { table: "patient".to_owned(), added: 3, ..Caught::default() }],
        }],
        frozen: Some(Frozen {
            at: "2026-11-22T05:59:00Z".to_owned(),
            instance: "1/2".to_owned(),
            tables: vec![String::new(), "3".to_owned()],
        }),
        sample: Some(20),
        seen: Some(Seen { catalog: catalog(), views: true }),
        made: vec!["patient".to_owned()],
        known: Some(KnownList {
            source: "patient".to_owned(),
            table: "person".to_owned(),
            key: vec!["id".to_owned()],
            pairs: vec![KnownPair {
                here: key(&[Value::Int(1)]),
                arrived: key(&[Value::Int(5001)]),
                stood: key(&[]),
                by: AgreeBy::Both,
            }],
        }),
        sought: Sought::new(vec![Zeroizing::new("T0000123".to_owned())]),
        parting: vec![PartingFile {
            table: 1,
            column: 0,
            name: Zeroizing::new("2024/DUPONT.pdf".to_owned()),
            sha256: "ab".repeat(32),
            stays: true,
        }],
        undo: Some(Undo { began: "2026-11-22T07:00:00Z".to_owned(), rows: vec![5] }),
        tables: vec![
            TableState {
                object: "bb".to_owned(),
                ends,
                closed: true,
                open_line: Some(1),
                kept: vec![],
                refused: vec![key(&[Value::Int(7)])],
                reasons: reasons("ECL-MAP-021 patient.unit"),
                flawed: vec![key(&[Value::Int(9)])],
                flaws: reasons("ECL-BAT-131 patient.ins"),
            },
            TableState {
                object: "cc".to_owned(),
                ends: vec![],
                closed: false,
                open_line: None,
                kept: vec![key(&[Value::Int(-1)]), key(&[Value::Int(5)])],
                refused: vec![],
                reasons: Reasons::default(),
                flawed: vec![],
                flaws: Reasons::default(),
            },
        ],
    }
}

#[test]
fn a_state_comes_back_as_it_was() {
    let identity = Identity::generate();
    let before = state();
    let after = open(&seal(&before, &identity).unwrap(), &identity).unwrap();
    assert_eq!(after.run, before.run);
    assert_eq!((after.instruction, after.destination), (before.instruction, before.destination));
    assert_eq!(after.tally.expose(), &[1; 32]);
    assert_eq!(after.token.expose(), &[2; 32]);
    assert_eq!((after.object.as_str(), after.journal), ("aa", before.journal));
    assert_eq!((after.whole, after.noted, after.catch_ups), (true, before.noted, before.catch_ups));
    assert_eq!(
        (after.made, after.undo, after.frozen, after.sample),
        (before.made, before.undo, before.frozen, before.sample)
    );
    assert!(after.sought.expose().eq(before.sought.expose()) && !after.sought.is_empty());
    assert_eq!(format!("{:?}", after.sought), "Sought(1)");
    assert!(after.parting == before.parting && after.parting.len() == 1);
    assert_eq!(format!("{:?}", after.parting), "[PartingFile(1.0)]");
    for (a, b) in after.tables.iter().zip(&before.tables) {
        assert_eq!(a.object, b.object);
        assert_eq!((a.closed, a.open_line), (b.closed, b.open_line));
        assert!(a.ends == b.ends && a.kept == b.kept && a.refused == b.refused && a.flawed == b.flawed);
        assert_eq!((&a.reasons, &a.flaws), (&b.reasons, &b.flaws));
    }
}

#[test]
fn its_author_opens_it_and_nobody_else() {
    let (author, stranger) = (Identity::generate(), Identity::generate());
    let sealed = seal(&state(), &author).unwrap();
    assert!(open(&sealed, &author).is_ok());
    assert_eq!(open(&sealed, &stranger).unwrap_err().code().id, "ECL-SEA-002");
}

/// Seals a text as anybody can who knows the recipient.
fn sealed_by_anybody(text: &[u8], to: &Identity) -> Vec<u8> {
    use std::io::Write;
    let recipient: age::x25519::Recipient = to.recipient().to_string().parse().unwrap();
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as _)).unwrap();
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap();
    sealed
}

/// The plaintext, as `age -d -i IDENTITY` shows it.
fn opened(sealed: &[u8], identity: &Identity) -> String {
    use std::io::Read;
    let file = identity.file();
    let key = file.expose().lines().last().unwrap().parse::<age::x25519::Identity>().unwrap();
    let mut text = String::new();
    let decryptor = age::Decryptor::new(sealed).unwrap();
    decryptor.decrypt(std::iter::once(&key as _)).unwrap().read_to_string(&mut text).unwrap();
    text
}

// fails with the guard off: a state with a tally key of the forger's own would be taken for the run's
#[test]
fn a_state_sealed_by_somebody_who_only_knows_the_recipient_is_refused() {
    let (operator, forger) = (Identity::generate(), Identity::generate());
    let honest = seal(&state(), &operator).unwrap();
    let code = |text: &str| {
        open(&sealed_by_anybody(text.as_bytes(), &operator), &operator).map(drop).map_err(|f| f.code().id)
    };
    let text = opened(&honest, &operator);
    assert_eq!(code(&text), Ok(()), "what its author wrote is what counts, not who encrypted it");
    // the forger's own state, marked with the forger's own identity
    let theirs = opened(&seal(&state(), &forger).unwrap(), &forger);
    assert_eq!(code(&theirs), Err("ECL-SEA-006"));
    // one byte of the author's state changed, or its mark on another state
    assert_eq!(code(&text.replace("\"run\":\"3f9c\"", "\"run\":\"3f9d\"")), Err("ECL-SEA-006"));
    let (mark, _) = text.split_once('\n').unwrap();
    let (_, other) = theirs.split_once('\n').unwrap();
    assert_eq!(code(&format!("{mark}\n{}", other.replace("true", "false"))), Err("ECL-SEA-006"));
    // no mark, or one that is none
    let (_, body) = text.split_once('\n').unwrap();
    for head in [r#"{"format":"ecluse-run-state/2"}"#, r#"{"format":"ecluse-run-state/2","author":"00"}"#] {
        assert!(code(&format!("{head}\n{body}")).is_err(), "{head}");
    }
}

#[test]
fn a_byte_changed_cut_or_added_is_seen_wherever_it_is() {
    let identity = Identity::generate();
    let sealed = seal(&state(), &identity).unwrap();
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
    let sealed = seal(&state, &identity).unwrap();
    assert!(!sealed.windows(11).any(|w| w == b"CANARI-CLEF"));
    assert!(sealed.starts_with(b"age-encryption.org/v1\n"), "`age -d` opens it too");
    let shown = format!("{:?} {identity:?}", state);
    assert!(!shown.contains("CANARI") && !shown.contains("AGE-SECRET"), "{shown}");
}

#[test]
fn another_format_is_refused_by_name() {
    let identity = Identity::generate();
    let code =
        |text: &str| open(&sealed_by_anybody(text.as_bytes(), &identity), &identity).unwrap_err().code().id;
    assert_eq!(code(r#"{"format":"ecluse-run-state/1","what":1}"#), "ECL-SEA-004");
    assert_eq!(code(r#"{"format":"ecluse-run-state/2","what":1}"#), "ECL-SEA-003");
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
        refused: vec![],
        reasons: Reasons::default(),
        flawed: vec![],
        flaws: Reasons::default(),
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
