//! An archive whose mapping and code table were a biologist's to sign: its sender, who alone seals, takes the
//! biologist's signatures away, exchanges them, or signs in the biologist's place. Its recipient loads nothing of it.

use std::path::{Path, PathBuf};

use ecluse_core::document::Kind;
use ecluse_core::manifest::{self, Part, part_name};
use ecluse_core::signatures;
use ecluse_seal::Identity;
use ecluse_seal::archive::{Index, Opener, Sealer};
use ecluse_testkit::papers::{Papers, signatures_of};
use rusqlite::Connection;

use crate::reference::refused;
use crate::sealed::{addressed, label, recipients};
use crate::{now, succeed};

const SCHEMA: &str = "
    CREATE TABLE resultat (id INTEGER PRIMARY KEY, lu CHAR(3), lecture VARCHAR(12));
    INSERT INTO resultat VALUES (1, 'POS', 'present'), (2, 'NEG', 'absent'), (3, 'POS', 'absent');";
const READINGS: &str = "[codes]\nformat = \"ecluse-codes/1\"\ntitle = \"Readings\"\nchanges_result = true\n\n\
    [[code]]\nfrom = \"present\"\nto = \"P\"\n\n[[code]]\nfrom = \"absent\"\nto = \"A\"\n";
const TABLE: &str = "codes/readings.toml";

/// A sender with an archive that `ecluse extract` made, and its recipient beside.
struct Both {
    here: tempfile::TempDir,
    identity: Identity,
}

impl Both {
    fn new() -> Self {
        let here = tempfile::tempdir().unwrap();
        Connection::open(here.path().join("old.db")).unwrap().execute_batch(SCHEMA).unwrap();
        let lab = addressed(here.path(), "sqlite:old.db", "sqlite:new.db", &["resultat"]);
        std::fs::create_dir(lab.join("codes")).unwrap();
        std::fs::write(lab.join(TABLE), READINGS).unwrap();
        let cited = format!(
            "[[code_table]]\nname = \"readings\"\nfile = \"{TABLE}\"\ndigest = \"{}\"\n\n[[table]]",
            ecluse_core::digest::of_bytes(READINGS.as_bytes())
        );
        let read = "lu = { column = \"lu\", boolean = { true = [\"POS\"], false = [\"NEG\"] } }\n";
        let coded = "lecture = { code = \"lecture\", table = \"readings\" }\n";
        let mut mapping = std::fs::read_to_string(lab.join("mapping.toml")).unwrap();
        for (from, to) in
            [("[[table]]", &*cited), ("lu = \"lu\"\n", read), ("lecture = \"lecture\"\n", coded)]
        {
            assert!(mapping.contains(from), "{from}: {mapping}");
            mapping = mapping.replacen(from, to, 1);
        }
        std::fs::write(lab.join("mapping.toml"), mapping).unwrap();
        succeed(&lab, &["instruction", "sign"]);
        succeed(&lab, &["mapping", "sign"]);
        succeed(&lab, &["codes", "sign", TABLE]);
        succeed(&lab, &["extract", "-o", "../archive"]);
        recipients(&lab, &here.path().join("theirs"));
        let identity = std::fs::read_to_string(lab.join("keys/recipient.age")).unwrap();
        Self { here, identity: Identity::parse(&identity).unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.here.path().join(name)
    }

    /// A paper's text, as it was signed.
    fn text(&self, paper: &str) -> Vec<u8> {
        std::fs::read(self.at("lab").join(paper)).unwrap()
    }

    /// A signature by whoever has this key of the sender's folder.
    fn sign(&self, kind: Kind, bytes: &[u8], key: &str) -> String {
        let key = std::fs::read(self.at("lab/keys").join(key)).unwrap();
        signatures::sign(kind, bytes, &key).unwrap().0
    }

    /// The index, bent, sealed again, and signed for by the sender.
    fn seal_again(&self, original: &[u8], bend: impl FnOnce(&mut Index)) {
        let archive = self.at("archive");
        let label = label(&archive);
        let mut index = Opener::new(label.clone(), &self.identity).index(original).unwrap();
        bend(&mut index);
        let sealed = Sealer::new(label, self.identity.recipient()).index(&index).unwrap();
        std::fs::write(archive.join(part_name(0)), &sealed.bytes).unwrap();
        let path = archive.join(manifest::FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        let listed = |part: &Part| format!("size   = {}\nsha256 = \"{}\"\n", part.size, part.sha256);
        let before = manifest::parse(&text).unwrap().parts.remove(0);
        let after = Part { size: sealed.bytes.len() as u64, sha256: sealed.sha256 };
        assert!(text.contains(&listed(&before)), "{text}");
        let text = text.replacen(&listed(&before), &listed(&after), 1);
        std::fs::write(&path, &text).unwrap();
        let signature = signatures_of(&path).join("sender.sig");
        assert!(signature.exists());
        std::fs::write(signature, self.sign(Kind::Manifest, text.as_bytes(), "operator")).unwrap();
    }

    /// Neither opened nor loaded, under the code of a signature that came with the archive; and why.
    #[track_caller]
    fn refused(&self, paper: &str, why: &str) {
        let theirs = self.at("theirs");
        for command in
            [&["open", "../archive"][..], &["load", "../archive", "--to", "sqlite:loaded.db", "--ddl"]]
        {
            let said = refused(&theirs, command, "ECL-LOA-032");
            assert!(said.contains(why) && said.contains(paper), "{paper}, {why}: {said}");
            assert!(!said.contains('\u{202e}') && !said.contains('\u{1b}'), "{said}");
        }
        assert!(tables(&theirs.join("loaded.db")).is_empty(), "{paper}, {why}");
        assert!(theirs.join("keys/recipient.age").exists() && !theirs.join("receipt.toml").exists());
    }
}

/// The tables that a database file holds.
fn tables(path: &Path) -> Vec<String> {
    let there = Connection::open(path).unwrap();
    let mut all = there.prepare("SELECT name FROM sqlite_master").unwrap();
    all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

// proves: REC-05
// Order, mapping and code table are what the laboratory signed for, to the byte: what is forged is the biologist's word.
#[test]
fn what_no_biologist_signed_is_not_loaded_whoever_sealed_it() {
    let both = Both::new();
    let original = std::fs::read(both.at("archive").join(part_name(0))).unwrap();
    let stranger = Papers::new(now()).biologist.key();
    for (paper, kind, other) in
        [("mapping.toml", Kind::Mapping, Kind::Codes), (TABLE, Kind::Codes, Kind::Mapping)]
    {
        let text = both.text(paper);
        let beside = format!("{paper}.sigs/");
        // in the biologist's place, under the biologist's name
        let instead = |armoured: Option<String>| {
            both.seal_again(&original, |index| {
                let there = index.papers.len();
                index.papers.retain(|path, _| !path.starts_with(&beside));
                assert_eq!(there - index.papers.len(), 1, "it came with the archive");
                index.papers.extend(armoured.map(|text| (format!("{beside}b\u{202e}\u{1b}[2J.sig"), text)));
            });
        };
        instead(None);
        both.refused(paper, "ECL-SGN-020");
        // the biologist's own hand, under another text, and under another kind of paper
        instead(Some(both.sign(kind, &[&text[..], b"# another\n"].concat(), "controller-biologist")));
        both.refused(paper, "ECL-SGN-021");
        instead(Some(both.sign(other, &text, "controller-biologist")));
        both.refused(paper, "ECL-SGN-024");
        // the sender's hand, the laboratory's signatory's, and that of a biologist of another laboratory
        for key in ["operator", "controller-signatory"] {
            instead(Some(both.sign(kind, &text, key)));
            both.refused(paper, "ECL-SGN-023");
        }
        instead(Some(stranger.sign(kind.namespace(), &text).unwrap()));
        both.refused(paper, "ECL-SGN-022");
        // no signature at all in its form
        instead(Some("-----BEGIN SSH SIGNATURE-----\n".to_owned()));
        both.refused(paper, "ECL-SGN-025");
    }
    // sealed again as it was, it is loaded: what was refused was the signature
    both.seal_again(&original, |_| {});
    let theirs = both.at("theirs");
    succeed(&theirs, &["load", "../archive", "--to", "sqlite:loaded.db", "--ddl"]);
    let loaded = Connection::open(theirs.join("loaded.db")).unwrap();
    let sql = "SELECT count(*) FROM resultat WHERE lu = (id <> 2) AND lecture = CASE id WHEN 1 THEN 'P' ELSE 'A' END";
    assert_eq!(loaded.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 3);
}
