//! A sealed archive at its recipient: opened, loaded, received, and refused by name where it is not whole.
//!
//! The archive is made here by hand, of whole numbers alone, so that every way of bending it can be tried;
//! what `extract` makes is loaded by the tests of the whole way.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use ecluse_batch::{RowHasher, Scope, Tally, TallyKey, assertion};
use ecluse_core::document::Kind;
use ecluse_core::manifest::{self, Part, part_name};
use ecluse_core::status::State;
use ecluse_core::template::Head;
use ecluse_core::types::Type;
use ecluse_core::{dictionary, digest};
use ecluse_seal::archive::{
    ChunkNote, Index, IndexColumn, IndexRelation, IndexTable, Label, SealedPart, Sealer, commitment,
};
use ecluse_seal::{Identity, Seal};
use ecluse_testkit::kill::{CHUNK_ROWS, CLOCK_AHEAD, VARIABLE, failpoints};
use ecluse_testkit::papers::{IDENTITY, Paper, Papers, RECIPIENT, signatures_of};
use jiff::SignedDuration;
use rusqlite::Connection;

use crate::reference::refused;
use crate::{now, program, succeed};

const DICTIONARY: &str = "[dictionary]\nformat = \"ecluse-dictionary/1\"\nengine = \"sqlite\"\ndatabase = \"main\"\n\
    identity = \"sha256:0f3a9c41d7be52806a1c94e3f25b7d80c6e19a4b83f07d2e5c16b9480da37e62\"\nsurveyed = \"2026-11-20T08:00:00Z\"\n\
    mandate = \"sha256:0f3a9c41d7be52806a1c94e3f25b7d80c6e19a4b83f07d2e5c16b9480da37e62\"\n\n\
    [[table]]\nname = \"PATIENTS\"\npatients = true\nkey = [\"id\"]\n\
    columns = [{ name = \"id\", type = \"integer\", as = \"int\", class = \"identity\" }]\nrelations = []\n";
const MAPPING: &str = "[mapping]\nformat = \"ecluse-mapping/1\"\n\n\
    [[table]]\nfrom = \"PATIENTS\"\nto = \"patient\"\n[table.columns]\nid = \"id\"\n";
const ORDER: &str = include_str!("../../../core/tests/papers/instruction-body.toml");
/// The rows of each part.
const ROWS: [&[i64]; 3] = [&[77_001, 77_002, 77_005], &[77_010], &[77_011, 77_400]];
const KEY: [u8; 32] = [7; 32];
const SALT: [u8; 32] = [9; 32];
const RUN: &str = "3f0c1d2e4b5a69788796a5b4c3d2e1f0";

/// The file of the identity to which the archives are sealed.
pub(crate) fn identity() -> String {
    Identity::parse(IDENTITY).unwrap().file().expose().to_owned()
}

/// Makes a file its owner's alone.
pub(crate) fn private(path: &std::path::Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The recipient's machine: the folder with what the recipient has, an archive, and the identity beside.
pub(crate) struct Machine {
    all: tempfile::TempDir,
    papers: Papers,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    /// The same, its folders on this disk.
    pub(crate) fn within(place: &std::path::Path) -> Self {
        let mut papers = Papers::new(now());
        papers.receive();
        papers.also_receives();
        papers.dictionary = DICTIONARY.to_owned();
        papers.mapping = MAPPING.to_owned();
        let (before, rest) = ORDER.split_once("[destination]").unwrap();
        let (_, after) = rest.split_once("[erasure]").unwrap();
        let to = format!("[[recipient]]\nage = \"{RECIPIENT}\"\nstatement = \"{{recipient}}\"\n");
        let after = after.replace("\"patient\"", "\"PATIENTS\"").replace(", \"nom\"", "");
        let surveyed = dictionary::parse(DICTIONARY).unwrap().schema(&["PATIENTS".to_owned()]);
        let (head, schema) = before.split_once("schema = ").unwrap();
        let (_, behind) = schema.split_once('\n').unwrap();
        let before = format!("{head}schema = \"{surveyed}\"\n{behind}");
        papers.instruction = format!("{before}{to}\n[erasure]{after}");
        let this = Self { all: tempfile::tempdir_in(place).unwrap(), papers };
        this.papers.write(&this.lab());
        // what a recipient does not have
        for paper in ["instruction.toml", "mandate.toml", "session.toml", "mapping.toml", "dictionary.toml"] {
            std::fs::remove_file(this.lab().join(paper)).unwrap();
        }
        this.forget();
        this.seal(1, |_| {});
        this
    }

    /// As before any load.
    pub(crate) fn forget(&self) {
        let lab = self.lab();
        for name in ["load", "receipt.toml.sigs"] {
            let _ = std::fs::remove_dir_all(lab.join(name));
        }
        for name in ["receipt.toml", "new.db", "runs.json"] {
            let _ = std::fs::remove_file(lab.join(name));
        }
        std::fs::write(self.identity(), identity()).unwrap();
        private(&self.identity());
    }

    pub(crate) fn lab(&self) -> PathBuf {
        self.all.path().join("lab")
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.all.path().join("archive")
    }

    pub(crate) fn identity(&self) -> PathBuf {
        self.all.path().join("own.age")
    }

    fn label(&self, id: u8) -> Label {
        Label {
            archive: data_encoding(id),
            instruction: self.papers.digest(Paper::Instruction),
            sender: self.papers.operator.key().public().unwrap().fingerprint(),
            recipient: digest::of_bytes(self.papers.statement().as_bytes()),
        }
    }

    /// Writes the archive of this id; `bend` changes the index before it is sealed.
    fn seal(&self, id: u8, bend: impl Fn(&mut Index)) {
        self.seal_of(id, &ROWS, bend);
    }

    /// The same of other rows, a part each.
    pub(crate) fn seal_of(&self, id: u8, rows: &[&[i64]], bend: impl Fn(&mut Index)) {
        let mut sealer = Sealer::new(self.label(id), RECIPIENT.parse().unwrap());
        let table = table_of(&rows.concat());
        let parts: Vec<SealedPart> = rows
            .iter()
            .zip(1..)
            .map(|(rows, place)| sealer.chunk(place, &table, &[assertion::ints(rows).unwrap()]).unwrap())
            .collect();
        let mut index = Index::new(self.label(id), RUN.to_owned(), Seal::new(KEY));
        let order = self.papers.text(Paper::Instruction);
        index.papers.insert("dictionary.toml".to_owned(), DICTIONARY.to_owned());
        index.papers.insert("mapping.toml".to_owned(), MAPPING.to_owned());
        let signed = self.papers.signatures(Paper::Instruction).remove(0);
        let armoured = String::from_utf8(signed.armoured).unwrap();
        index.papers.insert(format!("instruction.toml.sigs/{}", signed.name), armoured);
        index.papers.insert("instruction.toml".to_owned(), order);
        index.tables.push(table);
        index.chunks = (1..)
            .zip(&parts)
            .map(|(index, part)| ChunkNote {
                index,
                table: 0,
                number: index - 1,
                rows: part.rows,
                sha256: part.plain_sha256.clone(),
                unpacked: part.unpacked,
            })
            .collect();
        bend(&mut index);
        let index = sealer.index(&index).unwrap();
        let parts: Vec<SealedPart> = std::iter::once(index).chain(parts).collect();
        let folder = self.archive();
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        for (number, part) in parts.iter().enumerate() {
            std::fs::write(folder.join(part_name(number)), &part.bytes).unwrap();
        }
        self.sign(id, &parts.iter().map(listed).collect::<Vec<_>>(), SignedDuration::from_hours(24));
    }

    /// Writes and signs a manifest, as the operator.
    fn sign(&self, id: u8, parts: &[Part], lasts: SignedDuration) {
        let Label { instruction, sender, recipient, .. } = self.label(id);
        let from = now() - SignedDuration::from_hours(2);
        let head = Head {
            id: id_bytes(id),
            version: 1,
            supersedes: None,
            contract: Some(self.papers.digest(Paper::Contract)),
            issued: from,
            not_before: from,
            not_after: now() + lasts,
            seen: None,
            trial: false,
        };
        let text = manifest::draft(&head, &instruction, &sender, &recipient, parts);
        std::fs::write(self.archive().join(manifest::FILE), &text).unwrap();
        self.sign_text(&text);
    }

    /// Signs this manifest, as the operator.
    pub(crate) fn sign_text(&self, text: &str) {
        let sigs = signatures_of(&self.archive().join(manifest::FILE));
        std::fs::create_dir_all(&sigs).unwrap();
        let key = self.papers.operator.key();
        let signature = key.sign(Kind::Manifest.namespace(), text.as_bytes()).unwrap();
        std::fs::write(sigs.join("petit.sig"), signature).unwrap();
    }

    /// The manifest anew over the files as they lie there: whoever does so is the sender.
    fn sign_again(&self, id: u8) {
        let mut parts = Vec::new();
        while let Ok(bytes) = std::fs::read(self.archive().join(part_name(parts.len()))) {
            parts.push(Part { size: bytes.len() as u64, sha256: digest::of_bytes(&bytes) });
        }
        self.sign(id, &parts, SignedDuration::from_hours(24));
    }

    pub(crate) fn load<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        let load = ["load", "../archive", "--identity", "../own.age", "--to", "sqlite:new.db", "--ddl"];
        [&load[..], &["--key", "keys/martin"], more].concat()
    }

    pub(crate) fn refused(&self, code: &str) {
        refused(&self.lab(), &self.load(&[]), code);
        let rows = self.loaded();
        assert!(rows.is_empty(), "{code}: {} rows", rows.len());
        assert!(self.identity().exists() && !self.lab().join("receipt.toml").exists(), "{code}");
    }

    pub(crate) fn loaded(&self) -> Vec<i64> {
        let path = self.lab().join("new.db");
        if !path.exists() {
            return Vec::new();
        }
        let there = Connection::open(path).unwrap();
        let Ok(mut rows) = there.prepare("SELECT id FROM patient ORDER BY id") else { return Vec::new() };
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// The controller's word, from now on.
    pub(crate) fn given(&mut self, state: State) {
        self.papers.give_status(&self.lab(), state, now());
    }

    /// Everything that was sealed stands there once, is received, and the identity is gone.
    pub(crate) fn whole(&self, said: &str) {
        assert_eq!(self.loaded(), ROWS.concat(), "{said}");
        assert!(!self.identity().exists(), "{said}");
        let verified = succeed(&self.lab(), &["receipt", "verify", "--archive", "../archive"]);
        assert!(
            verified.contains("Julie Martin") && verified.contains("patient   6 rows"),
            "{said}: {verified}"
        );
    }
}

fn listed(part: &SealedPart) -> Part {
    Part { size: part.bytes.len() as u64, sha256: part.sha256.clone() }
}

fn id_bytes(id: u8) -> [u8; 16] {
    let mut bytes = *b"\x7a\x41\xc0\x9e\x5b\x2d\x4f\x86\x13\xe0\xd7\xc9\x5a\x6b\x8f\x24";
    bytes[15] = id;
    bytes
}

fn data_encoding(id: u8) -> String {
    id_bytes(id).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn table() -> IndexTable {
    table_of(&ROWS.concat())
}

fn table_of(rows: &[i64]) -> IndexTable {
    let key = TallyKey::new(KEY);
    let (mut tally, mut hashes) = (Tally::new(), Vec::new());
    let batch = assertion::ints(rows).unwrap();
    RowHasher::new(&key, "patient", &[Type::Int]).hash_rows(&batch, &mut hashes).unwrap();
    tally.extend(&hashes);
    IndexTable {
        source: "PATIENTS".to_owned(),
        destination: "patient".to_owned(),
        columns: vec![IndexColumn {
            name: "id".to_owned(),
            ty: Type::Int,
            nullable: false,
            max_length: None,
            int_bounds: None,
            labels: Vec::new(),
        }],
        key: vec!["id".to_owned()],
        relations: Vec::new(),
        ordered: true,
        rows: rows.len() as u64,
        refused: std::collections::BTreeMap::new(),
        excluded: 0,
        salt: "09".repeat(32),
        commitment: commitment(&SALT, &tally.publish(&key, Scope::Table(0))),
    }
}

#[test]
fn an_archive_is_inspected_opened_loaded_once_and_received() {
    let machine = Machine::new();
    let lab = machine.lab();
    let seen = succeed(&lab, &["inspect", "../archive"]);
    assert!(seen.contains("4 parts") && seen.contains("Nadia Petit"), "{seen}");
    assert!(!seen.contains("patient") && !seen.contains("rows"), "{seen}");
    let open = ["open", "../archive", "--identity", "../own.age"];
    let opened = succeed(&lab, &open);
    assert!(opened.contains("patient   6 rows"), "{opened}");
    let said = succeed(&lab, &machine.load(&[]));
    machine.whole(&said);
    // a death after the last step, or a person who is not sure: nothing is done twice
    machine.whole(&succeed(&lab, &machine.load(&[])));
    // the rows stand there, whatever folder, identity and archive somebody comes with
    let receipt = std::fs::read(lab.join("receipt.toml")).unwrap();
    let there = std::fs::read(lab.join("new.db")).unwrap();
    machine.forget();
    std::fs::write(lab.join("new.db"), there).unwrap();
    refused(&lab, &machine.load(&[]), "ECL-LOA-011");
    machine.seal(2, |_| {});
    refused(&lab, &machine.load(&[]), "ECL-LOA-011");
    assert_eq!(machine.loaded(), ROWS.concat());
    // the receipt of the one is none of the other
    std::fs::write(lab.join("receipt.toml"), receipt).unwrap();
    refused(&lab, &machine.load(&[]), "ECL-LOA-019");
}

// proves: SEA-02
#[test]
fn a_part_flipped_cut_off_dropped_added_exchanged_or_of_another_archive_is_refused_by_name() {
    let machine = Machine::new();
    let part = |number| machine.archive().join(part_name(number));
    let whole: Vec<Vec<u8>> = (0..4).map(|number| std::fs::read(part(number)).unwrap()).collect();
    let put_back = || (0..4).for_each(|number| std::fs::write(part(number), &whole[number]).unwrap());
    for number in 0..4 {
        for at in [0, whole[number].len() / 2, whole[number].len() - 1] {
            let mut flipped = whole[number].clone();
            flipped[at] ^= 1;
            std::fs::write(part(number), flipped).unwrap();
            machine.refused("ECL-LOA-021");
        }
        std::fs::write(part(number), &whole[number][..whole[number].len() - 1]).unwrap();
        machine.refused("ECL-LOA-021");
        std::fs::write(part(number), [&whole[number][..], b"x"].concat()).unwrap();
        machine.refused("ECL-LOA-021");
        std::fs::remove_file(part(number)).unwrap();
        machine.refused("ECL-LOA-020");
        put_back();
    }
    for stray in ["000004.age", "0000001.age", "rows.parquet"] {
        let stray = machine.archive().join(stray);
        std::fs::write(&stray, &whole[1]).unwrap();
        machine.refused("ECL-LOA-022");
        std::fs::remove_file(stray).unwrap();
    }
    // two parts change places, and the sender himself signs for it: each says inside which it is
    std::fs::write(part(1), &whole[2]).unwrap();
    std::fs::write(part(2), &whole[1]).unwrap();
    machine.refused("ECL-LOA-021");
    machine.sign_again(1);
    machine.refused("ECL-SEA-023");
    // a part of another archive, spliced in and signed for
    machine.seal(2, |_| {});
    let other = std::fs::read(part(1)).unwrap();
    machine.seal(1, |_| {});
    std::fs::write(part(1), other).unwrap();
    machine.sign_again(1);
    machine.refused("ECL-SEA-022");
    // a part left out of manifest and folder: the index knows it
    machine.seal(1, |_| {});
    std::fs::remove_file(part(3)).unwrap();
    machine.sign_again(1);
    machine.refused("ECL-LOA-023");
    // rows that the index does not commit to
    machine.seal(1, |index| index.tables[0].commitment = digest::of_bytes(b"other rows"));
    let said = refused(&machine.lab(), &machine.load(&[]), "ECL-LOA-015");
    assert!(machine.identity().exists() && !machine.lab().join("receipt.toml").exists(), "{said}");
}

// proves: SEA-02
// Of a later part, which its sender himself signed for: rows of the first stand there by then, and nobody is left to
// find that out.
#[test]
fn a_later_part_of_another_archive_is_refused_and_what_stands_is_said() {
    let machine = Machine::new();
    let lab = machine.lab();
    let part = |number| machine.archive().join(part_name(number));
    let own = std::fs::read(part(2)).unwrap();
    machine.seal(2, |_| {});
    let other = std::fs::read(part(2)).unwrap();
    machine.seal(1, |_| {});
    let right: Vec<Vec<u8>> = (0..4).map(|number| std::fs::read(part(number)).unwrap()).collect();
    assert_ne!(own, right[2], "every seal is another");
    std::fs::write(part(2), other).unwrap();
    machine.sign_again(1);
    let load = || {
        let mut command = Command::new(program());
        command.current_dir(&lab).args(machine.load(&[])).env(CHUNK_ROWS, "2").output().unwrap()
    };
    for _ in 0..2 {
        let output = load();
        let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("ECL-SEA-022"), "{said}");
        let there = machine.loaded();
        assert!(!there.is_empty() && there.len() < 6, "{there:?}");
        let rows =
            format!("{} rows of it stand at the destination, and nobody has received them", there.len());
        assert!(said.contains(&rows), "{rows}: {said}");
        assert!(machine.identity().exists() && !lab.join("receipt.toml").exists(), "{said}");
    }
    let next = succeed(&lab, &["next"]);
    assert!(next.contains("a part of the archive was refused") && next.contains("ask its sender"), "{next}");
    // the archive as it was sealed: the same command goes on over what stands there
    std::fs::write(part(2), &right[2]).unwrap();
    machine.sign_again(1);
    let output = load();
    machine.whole(&String::from_utf8_lossy(&output.stderr));
}

// What names a file that is none of the recipient's names it, and the command that made the right one.
#[test]
fn an_identity_that_is_none_is_named_with_the_command_that_makes_one() {
    let machine = Machine::new();
    let lab = machine.lab();
    let open = ["open", "../archive", "--identity", "../own.age"];
    std::fs::write(machine.identity(), "AGE-SECRET-KEY-1MGT\0\0\0\0").unwrap();
    for arguments in [&open[..], &machine.load(&[])] {
        let told = String::from_utf8_lossy(&crate::ecluse(&lab, arguments).stderr).into_owned();
        assert!(told.contains("ECL-SEA-001"), "{told}");
        assert!(told.contains("own.age") && told.contains("ecluse recipient new"), "{told}");
        assert!(!told.contains("session") && !told.contains("AGE-SECRET"), "{told}");
    }
    std::fs::remove_file(machine.identity()).unwrap();
    for arguments in [&open[..], &machine.load(&[])] {
        let told = String::from_utf8_lossy(&crate::ecluse(&lab, arguments).stderr).into_owned();
        assert!(told.contains("own.age") && told.contains("ecluse recipient new"), "{told}");
    }
    let manifest = machine.archive().join(manifest::FILE);
    std::fs::remove_dir_all(signatures_of(&manifest)).unwrap();
    let told = refused(&lab, &["inspect", "../archive"], "ECL-SGN-020");
    assert!(told.contains("ask the sender") && !told.contains("ecluse extract"), "{told}");
}

/// Runs it so many days later.
pub(crate) fn later(machine: &Machine, days: u64, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program());
    command.current_dir(machine.lab()).args(arguments).env(CLOCK_AHEAD, (days * 86_400).to_string());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    (output.status.code(), said)
}

// What holds for the laboratory's own data holds for no load, also where somebody gives it out as a return.
#[test]
fn an_archive_to_be_loaded_opens_on_no_later_day() {
    let machine = Machine::new();
    let lab = machine.lab();
    for arguments in [&["inspect", "../archive"][..], &machine.load(&[])] {
        let (code, said) = later(&machine, 3, arguments);
        assert!(code == Some(1) && said.contains("ECL-SGN-007"), "{said}");
    }
    std::fs::copy(lab.join("recipient.toml"), lab.join("return-recipient.toml")).unwrap();
    std::fs::create_dir(lab.join("return-recipient.toml.sigs")).unwrap();
    for file in std::fs::read_dir(lab.join("recipient.toml.sigs")).unwrap().flatten() {
        std::fs::copy(file.path(), lab.join("return-recipient.toml.sigs").join(file.file_name())).unwrap();
    }
    for arguments in [&["open", "../archive", "--identity", "../own.age"][..], &machine.load(&[])] {
        let (code, said) = later(&machine, 3, arguments);
        assert!(code == Some(1) && !said.contains("6 rows"), "{said}");
    }
    assert!(machine.loaded().is_empty() && machine.identity().exists());
}

// At a recipient there is no run of the order's: where all is well is told from where a copy is late.
#[test]
fn status_at_a_recipient_tells_the_load_and_a_late_copy() {
    let machine = Machine::new();
    let lab = machine.lab();
    let before = succeed(&lab, &["status"]);
    assert!(before.contains("load   not begun"), "{before}");
    succeed(&lab, &machine.load(&[]));
    let after = succeed(&lab, &["status"]);
    assert!(after.contains("6 rows read back; the identity is destroyed"), "{after}");
    let (code, said) = later(&machine, 4_000, &["status"]);
    assert!(code == Some(1) && said.contains("ECL-CPY-010"), "{said}");
}

#[test]
fn another_key_order_status_or_moment_opens_nothing() {
    let mut machine = Machine::new();
    let lab = machine.lab();
    let other = Identity::generate();
    std::fs::write(machine.identity(), other.file().expose()).unwrap();
    machine.refused("ECL-LOA-010");
    machine.forget();
    // the manifest changed after it was signed, or signed by nobody
    let manifest = machine.archive().join(manifest::FILE);
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("size   = ", "size   =  ")).unwrap();
    machine.refused("ECL-SGN-021");
    std::fs::write(&manifest, &text).unwrap();
    std::fs::remove_dir_all(signatures_of(&manifest)).unwrap();
    machine.refused("ECL-SGN-020");
    machine.sign_again(1);
    // an order inside the seal that is not the one of the manifest, or that nobody signed
    let order = machine.papers.text(Paper::Instruction);
    machine.seal(1, |index| {
        index.papers.insert("instruction.toml".to_owned(), order.replace("Reprise", "reprise"));
    });
    machine.refused("ECL-LOA-012");
    machine.seal(1, |index| index.papers.retain(|path, _| !path.contains(".sigs/")));
    machine.refused("ECL-SGN-020");
    machine.seal(1, |index| {
        index.papers.remove("dictionary.toml");
    });
    machine.refused("ECL-LOA-013");
    machine.seal(1, |index| {
        index.papers.insert("mapping.toml".to_owned(), format!("{MAPPING}# longer\n"));
    });
    machine.refused("ECL-LOA-013");
    machine.seal(1, |index| index.tables[0].ordered = false);
    machine.refused("ECL-LOA-003");
    machine.seal(1, |index| index.tables[0].source = "AUTRE".to_owned());
    machine.refused("ECL-LOA-004");
    // an archive past its day
    machine.seal(1, |_| {});
    let parts: Vec<Part> =
        ecluse_core::manifest::parse(&std::fs::read_to_string(&manifest).unwrap()).unwrap().parts;
    machine.sign(1, &parts, SignedDuration::from_hours(-1));
    machine.refused("ECL-SGN-007");
    machine.sign_again(1);
    // the recipient's statement is not the one it was sealed to
    let statement = std::fs::read_to_string(lab.join("recipient.toml")).unwrap();
    let changed = statement.replace("Reprise", "Autre reprise");
    std::fs::write(lab.join("recipient.toml"), &changed).unwrap();
    let receiver = machine.papers.receiver.as_ref().unwrap().0.key();
    let signature = receiver.sign(Kind::Recipient.namespace(), changed.as_bytes()).unwrap();
    std::fs::write(lab.join("recipient.toml.sigs/martin.sig"), signature).unwrap();
    machine.refused("ECL-MAN-011");
    machine.papers.write(&lab);
    // the controller's word: stopped, too old, none
    let at = now();
    machine.papers.give_status(&lab, State::Suspended, at);
    machine.refused("ECL-STA-010");
    machine.papers.give_status(&lab, State::InForce, at - SignedDuration::from_hours(30));
    machine.refused("ECL-STA");
    std::fs::remove_file(lab.join("status.toml")).unwrap();
    machine.refused("ECL-CLI-003");
    machine.papers.give_status(&lab, State::InForce, at);
    let said = succeed(&lab, &machine.load(&[]));
    machine.whole(&said);
}

// The laboratory takes a recipient's key back by a contract of a later version, while the archive is on its way.
// proves: SEA-02
#[test]
fn a_key_that_an_amendment_of_the_contract_ended_opens_nothing_under_it() {
    let machine = Machine::new();
    let (lab, papers) = (machine.lab(), &machine.papers);
    let first = papers.text(Paper::Contract);
    let (before, receiver) = first.split_at(first.find("Julie Martin").unwrap());
    let (until, rest) = receiver.split_once("until  = ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let yesterday = now().to_zoned(jiff::tz::TimeZone::UTC).date().yesterday().unwrap();
    let cited = format!("version    = 2\nsupersedes = \"{}\"", papers.digest(Paper::Contract));
    let amended = |until_line: &str| {
        format!("{before}{until}{until_line}\n{rest}").replacen("version    = 1", &cited, 1)
    };
    for name in ["contract.toml", "contract.toml.sigs"] {
        std::fs::rename(lab.join(name), lab.join(name.replace("contract", "contract.v1"))).unwrap();
    }
    let signed = |text: &str| {
        std::fs::write(lab.join("contract.toml"), text).unwrap();
        std::fs::create_dir_all(lab.join("contract.toml.sigs")).unwrap();
        for person in [&papers.signatory, &papers.processor] {
            let signature = person.key().sign(Kind::Contract.namespace(), text.as_bytes()).unwrap();
            let file = format!("contract.toml.sigs/{}.sig", person.short);
            std::fs::write(lab.join(file), signature).unwrap();
        }
        assert!(succeed(&lab, &["contract", "verify"]).contains("version 2"));
    };
    signed(&amended(&format!("until  = {yesterday}")));
    // whatever else it changes: what was sealed under the one before is not opened under it
    machine.refused("ECL-SGN-008");
    assert!(!lab.join("new.db").exists() && machine.identity().exists());
    std::fs::rename(lab.join("contract.v1.toml"), lab.join("contract.toml")).unwrap();
    std::fs::remove_dir_all(lab.join("contract.toml.sigs")).unwrap();
    std::fs::rename(lab.join("contract.v1.toml.sigs"), lab.join("contract.toml.sigs")).unwrap();
    let said = succeed(&lab, &machine.load(&[]));
    machine.whole(&said);
}

// proves: SEA-02
// Who seals is the sender alone: beyond what was signed for, nothing of what he says counts.
#[test]
fn a_table_or_column_that_order_and_mapping_do_not_make_is_refused_by_name() {
    let machine = Machine::new();
    let more = |name: &str| IndexColumn { name: name.to_owned(), ..table().columns.remove(0) };
    let beyond = |bend: &dyn Fn(&mut IndexTable), name: &str| {
        machine.seal(1, |index| bend(&mut index.tables[0]));
        for command in [machine.load(&[]), vec!["open", "../archive", "--identity", "../own.age"]] {
            let said = refused(&machine.lab(), &command, "ECL-LOA-029");
            assert!(said.contains(name) && !said.contains('\u{202e}'), "{name}: {said}");
        }
        assert!(machine.loaded().is_empty() && machine.identity().exists(), "{name}");
    };
    beyond(&|t| t.columns.push(more("telephone")), "patient.telephone");
    beyond(&|t| t.columns.insert(0, more("t\u{202e}le")), "patient.t");
    beyond(&|t| t.columns.push(more("id")), "twice");
    beyond(&|t| t.columns[0].ty = Type::Text, "patient.id is int, not text");
    beyond(&|t| t.destination = "personnel".to_owned(), "not to personnel");
    beyond(&|t| t.key.clear(), "key of patient");
    beyond(
        &|t| {
            let parent_column = "id".to_owned();
            t.relations.push(IndexRelation { column: "id".to_owned(), parent: 0, parent_column });
        },
        "relations of patient",
    );
    // the same table once more, under the same name at the source, empty
    machine.seal(1, |index| {
        let again = IndexTable { rows: 0, destination: "beside".to_owned(), ..index.tables[0].clone() };
        index.tables.push(again);
    });
    machine.refused("ECL-LOA-029");
    machine.seal(1, |index| {
        let other = IndexTable { rows: 0, source: "PERSONNEL".to_owned(), ..index.tables[0].clone() };
        index.tables.push(other);
    });
    machine.refused("ECL-LOA-004");
    machine.seal(1, |_| {});
    machine.whole(&succeed(&machine.lab(), &machine.load(&[])));
}

// proves: SEA-02
#[test]
fn a_receipt_counts_by_the_hand_that_signed_the_statement_and_as_it_was_when_the_identity_went() {
    let machine = Machine::new();
    let lab = machine.lab();
    let load = &machine.load(&[])[..7];
    succeed(&lab, load);
    let receipt = lab.join("receipt.toml");
    let whole = std::fs::read_to_string(&receipt).unwrap();
    // fewer rows than were read back, written in before it is signed
    std::fs::write(&receipt, whole.replace("rows    = 6", "rows    = 5")).unwrap();
    refused(&lab, &["receipt", "sign", "--key", "keys/martin"], "ECL-LOA-031");
    refused(&lab, &machine.load(&[]), "ECL-LOA-031");
    std::fs::write(&receipt, &whole).unwrap();
    // a colleague, whom the contract lists for the same company: not to whom it was sealed
    succeed(&lab, &["receipt", "sign", "--key", "keys/klein"]);
    refused(&lab, &["receipt", "verify", "--archive", "../archive"], "ECL-RCT-014");
    std::fs::remove_dir_all(signatures_of(&receipt)).unwrap();
    succeed(&lab, &["receipt", "sign", "--key", "keys/martin"]);
    machine.whole("signed by the recipient");
}

#[test]
fn a_load_goes_on_into_the_database_of_its_first_start_alone() {
    let machine = Machine::new();
    let lab = machine.lab();
    let died = std::process::Command::new(crate::program())
        .current_dir(&lab)
        .args(machine.load(&[]))
        .env(VARIABLE, "papers.create.fsync.before:1")
        .status()
        .unwrap();
    assert!(died.code().is_none());
    std::fs::remove_file(lab.join("receipt.toml")).unwrap();
    let mut elsewhere = machine.load(&[]);
    elsewhere[5] = "sqlite:other.db";
    refused(&lab, &elsewhere, "ECL-LOA-030");
    let other = Connection::open(lab.join("other.db")).unwrap();
    let tables: i64 = other.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
    machine.whole(&succeed(&lab, &machine.load(&[])));
}

#[test]
fn killed_at_any_step_the_same_command_goes_on_and_every_row_stands_there_once() {
    let machine = Machine::new();
    let lab = machine.lab();
    let own = ["folder.", "papers.", "sqlite_", "overwrite."];
    let places = failpoints().into_iter().filter(|name| own.iter().any(|own| name.starts_with(own)));
    // the first passing of each, and the journal's later ones
    let deaths = places.map(|place| format!("{place}:1"));
    let deaths = deaths.chain((2..40).step_by(4).map(|nth| format!("folder.event.after:{nth}")));
    let mut passed = 0;
    for place in deaths {
        machine.forget();
        let died = std::process::Command::new(crate::program())
            .current_dir(&lab)
            .args(machine.load(&[]))
            .env(VARIABLE, &place)
            .output()
            .unwrap();
        if died.status.success() {
            continue;
        }
        assert!(died.status.code().is_none(), "{place}: {}", String::from_utf8_lossy(&died.stderr));
        passed += 1;
        let said = succeed(&lab, &machine.load(&[]));
        machine.whole(&format!("{place}: {said}"));
    }
    assert!(passed >= 20, "{passed}");
}

#[test]
fn a_receipt_is_signed_once_the_identity_is_gone() {
    let machine = Machine::new();
    let lab = machine.lab();
    let load = &machine.load(&[])[..7];
    let died = std::process::Command::new(crate::program())
        .current_dir(&lab)
        .args(load)
        .env(VARIABLE, "papers.create.fsync.after:1")
        .status()
        .unwrap();
    assert!(died.code().is_none() && machine.identity().exists());
    refused(&lab, &["receipt", "sign", "--key", "keys/martin"], "ECL-LOA-018");
    succeed(&lab, load);
    assert!(!machine.identity().exists());
    refused(&lab, &["receipt", "verify"], "ECL-SGN-020");
    succeed(&lab, &["receipt", "sign", "--key", "keys/martin"]);
    machine.whole("signed later");
}

#[test]
fn a_receipt_that_somebody_laid_there_destroys_nothing_and_no_other_file_goes_in_the_identitys_place() {
    let machine = Machine::new();
    let lab = machine.lab();
    succeed(&lab, &machine.load(&[]));
    let forged = std::fs::read_to_string(lab.join("receipt.toml")).unwrap();
    machine.forget();
    std::fs::write(lab.join("receipt.toml"), forged.replace("rows = 6", "rows = 9")).unwrap();
    succeed(&lab, &machine.load(&[]));
    machine.whole("loaded, in spite of a receipt that lay there");

    machine.forget();
    let died = std::process::Command::new(crate::program())
        .current_dir(&lab)
        .args(machine.load(&[]))
        .env(VARIABLE, "overwrite.fsync.before:1")
        .status()
        .unwrap();
    assert!(died.code().is_none());
    let other = lab.join("../other.key");
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::write(&other, "somebody's key").unwrap();
    std::fs::set_permissions(&other, own).unwrap();
    let mut elsewhere = machine.load(&[]);
    elsewhere[3] = "../other.key";
    let output = std::process::Command::new(crate::program()).current_dir(&lab).args(&elsewhere).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(said.starts_with("error[ECL-SEA-001]"), "{said}");
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "somebody's key");
    succeed(&lab, &machine.load(&[]));
    machine.whole("the same command went on");
}
