//! Notes, checkpoints, cosignatures and proofs: those that others signed, and every way to bend our own.

use ecluse_journal::{
    Checkpoint, Hash, KeyKind, Note, NoteFault, NoteSigner, Proof, Signed, VerifierKey, audit, sign,
};
use serde::Deserialize;

use crate::support::{ORIGIN, entry, log_key, outside_data, written};

#[derive(Deserialize)]
struct Vector {
    note: String,
    vkey: String,
    alg: u8,
}

#[test]
fn notes_that_others_signed_are_believed() {
    let Some(folder) = outside_data("signed-note") else { return };
    let vectors: Vec<Vector> =
        serde_json::from_slice(&std::fs::read(folder.join("signed-notes.json")).unwrap()).unwrap();
    let mut seen = 0;
    for vector in vectors.iter().filter(|vector| vector.alg == 1) {
        let key = VerifierKey::parse(&vector.vkey).unwrap();
        assert_eq!(key.to_string(), vector.vkey);
        Note::parse(vector.note.as_bytes()).unwrap().signed_by(&key).unwrap();
        seen += 1;
    }
    assert_eq!(seen, 2);
    // a real checkpoint, whose tree name is not its key's: believed as a note, and no checkpoint of that log
    let sum = VerifierKey::parse(&vectors[0].vkey).unwrap();
    assert_eq!(Signed::open(vectors[0].note.as_bytes(), &sum), Err(NoteFault::NotSigned));
    assert_eq!(
        Checkpoint::parse(Note::parse(vectors[0].note.as_bytes()).unwrap().text()).unwrap().size,
        6_476_701
    );
    // another type of signature is no key of ours
    assert!(vectors.iter().filter(|vector| vector.alg == 5).all(|v| VerifierKey::parse(&v.vkey).is_none()));
}

#[test]
fn a_cosigned_checkpoint_says_who_saw_it_and_when() {
    let (log, _) = written(300, 300);
    let witness = NoteSigner::new("laboratory.example/witness", KeyKind::Witness, &[9; 32]).unwrap();
    let other = NoteSigner::new("laboratory.example/witness", KeyKind::Witness, &[10; 32]).unwrap();
    let note = log.checkpoint().sign(&log_key()).unwrap();
    let signed = Signed::open(note.as_bytes(), log_key().verifier()).unwrap();
    assert_eq!(signed.seen_by(witness.verifier()), Err(NoteFault::NotSigned));

    let cosigned = signed.cosign(&witness, 1_795_000_000).unwrap();
    let read = Signed::open(cosigned.note().as_bytes(), log_key().verifier()).unwrap();
    assert_eq!(read.seen_by(witness.verifier()), Ok(1_795_000_000));
    assert_eq!(read.seen_by(other.verifier()), Err(NoteFault::NotSigned));
    assert_eq!(read.checkpoint(), &log.checkpoint());
    // a later look of the same witness counts from then on
    assert_eq!(read.cosign(&witness, 1_796_000_000).unwrap().seen_by(witness.verifier()), Ok(1_796_000_000));
    // a log's key is no witness's, and the other way round
    assert!(signed.cosign(&log_key(), 1).is_none());
    assert!(log.checkpoint().sign(&witness).is_none());
    assert!(signed.cosign(&witness, 1 << 63).is_none());
}

#[test]
fn any_changed_byte_of_a_note_is_found() {
    let witness = NoteSigner::new("witness.example", KeyKind::Witness, &[9; 32]).unwrap();
    let (log, _) = written(3, 3);
    let note = log.checkpoint().sign(&log_key()).unwrap();
    let signed = Signed::open(note.as_bytes(), log_key().verifier()).unwrap().cosign(&witness, 77).unwrap();
    let note = signed.note().as_bytes();
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut bent = note.to_vec();
            bent[at] ^= 1 << bit;
            let believed = Signed::open(&bent, log_key().verifier())
                .and_then(|read| read.seen_by(witness.verifier()).map(|_| read));
            assert!(believed.is_err(), "byte {at}, bit {bit}");
        }
    }
    for end in 0..note.len() {
        let cut = Signed::open(&note[..end], log_key().verifier());
        assert!(cut.and_then(|read| read.seen_by(witness.verifier())).is_err(), "cut at {end}");
    }
}

#[test]
fn what_is_no_note_is_refused() {
    let line = "— a.example AAAAAAAA\n";
    for note in [
        String::new(),
        "text\n".to_owned(),
        "text\n\n".to_owned(),
        format!("text\r\n\n{line}"),
        format!("text\u{1b}[2J\n\n{line}"),
        format!("text\n\n{line}\n"),
        format!("text\n\n{}", line.trim_end()),
        "text\n\n-- a.example AAAAAAAA\n".to_owned(),
        "text\n\n— a+b AAAAAAAA\n".to_owned(),
        "text\n\n— a.example AAAAAAA\n".to_owned(),
        "text\n\n— a.example AAAA\n".to_owned(),
        format!("text\n\n{}", line.repeat(65)),
        format!("{}\n\n{line}", "t".repeat(1 << 20)),
    ] {
        assert_eq!(Note::parse(note.as_bytes()).unwrap_err(), NoteFault::NotANote, "{note:.40?}");
    }
    assert!(Note::parse(format!("text\n\n{}", line.repeat(64)).as_bytes()).is_ok());
    assert!(Note::parse(b"\xff\n\n\xe2\x80\x94 a AAAAAAAA\n").is_err());
    // a text may hold empty lines: the last one parts
    let note = sign("one\n\ntwo\n", &log_key()).unwrap();
    assert_eq!(Note::parse(note.as_bytes()).unwrap().text(), "one\n\ntwo\n");
    assert_eq!(sign("no newline", &log_key()), None);
    assert_eq!(sign("a bell\u{7}\n", &log_key()), None);
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let root = Hash::empty();
    for text in [
        format!("{ORIGIN}\n00\n{root}\n"),
        format!("{ORIGIN}\n+1\n{root}\n"),
        format!("{ORIGIN}\n-1\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n0\n{root}\nextension\n"),
        format!("{ORIGIN}\n0\n\n"),
        format!("{ORIGIN}\n0\n{root}"),
        format!("\n0\n{root}\n"),
        format!("{ORIGIN}\n0\n{}\n", root.to_string().replace('=', "")),
    ] {
        assert_eq!(Checkpoint::parse(&text), None, "{text:?}");
    }
    assert!(Checkpoint::parse(&format!("{ORIGIN}\n0\n{root}\n")).is_some());
    // another log's checkpoint, signed by the key of this one
    let foreign = sign(&format!("another.example\n0\n{root}\n"), &log_key()).unwrap();
    assert_eq!(Signed::open(foreign.as_bytes(), log_key().verifier()), Err(NoteFault::NotSigned));
}

#[test]
fn keys_that_anybody_can_sign_with_are_none() {
    let key = log_key().verifier().to_string();
    assert_eq!(VerifierKey::parse(&key).unwrap().to_string(), key);
    // the neutral element: every signature of a certain form would hold
    let mut weak = vec![1_u8, 1];
    weak.resize(33, 0);
    let id = {
        use sha2::Digest;
        let hash = sha2::Sha256::new().chain_update(b"weak.example\n").chain_update(&weak).finalize();
        data_encoding::HEXLOWER.encode(&hash[..4])
    };
    assert_eq!(
        VerifierKey::parse(&format!("weak.example+{id}+{}", data_encoding::BASE64.encode(&weak))),
        None
    );
    for bent in
        [key.to_uppercase(), key.replace('+', " "), format!("{key}="), format!("x{key}"), String::new()]
    {
        assert_eq!(VerifierKey::parse(&bent), None, "{bent}");
    }
}

#[test]
fn a_proof_in_one_file_holds_for_its_entry_alone() {
    let (log, objects) = written(700, 100);
    let note = log.checkpoint().sign(&log_key()).unwrap();
    for index in [0, 255, 256, 699] {
        let hashes = audit::inclusion(&objects, 700, index).unwrap().unwrap();
        let proof = Proof { index, hashes, checkpoint: note.clone() };
        let text = proof.text();
        let read = Proof::parse(text.as_bytes()).unwrap();
        assert_eq!(read, proof);
        assert_eq!(read.verify(&entry(index), log_key().verifier()).unwrap().checkpoint().size, 700);
        assert_eq!(read.verify(&entry(index + 1), log_key().verifier()), Err(NoteFault::Forged));
        for at in 0..text.len() {
            let mut bent = text.as_bytes().to_vec();
            bent[at] ^= 1;
            let believed = Proof::parse(&bent).map(|p| p.verify(&entry(index), log_key().verifier()));
            assert!(!matches!(believed, Some(Ok(_))), "byte {at} of the proof of {index}");
        }
    }
    let one = written(1, 1).0.checkpoint().sign(&log_key()).unwrap();
    let alone = Proof { index: 0, hashes: vec![], checkpoint: one };
    assert!(Proof::parse(alone.text().as_bytes()).unwrap().verify(&entry(0), log_key().verifier()).is_ok());
    for text in [
        "c2sp.org/tlog-proof@v2\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n",
    ] {
        assert_eq!(Proof::parse(text.as_bytes()), None, "{text}");
    }
    let endless = format!("c2sp.org/tlog-proof@v1\nindex 0\n{}\n", format!("{}\n", Hash::empty()).repeat(65));
    assert_eq!(Proof::parse(endless.as_bytes()), None);
}
