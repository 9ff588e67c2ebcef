//! A complete, validly signed migration folder, and every way to spoil it.
//!
//! ```no_run
//! use ecluse_testkit::papers::{Paper, Papers};
//!
//! let now = "2026-11-22T09:00:00Z".parse().unwrap();
//! let mut papers = Papers::new(now);
//! papers.instruction = "[instruction]\nmapping = \"{mapping}\"\n…".to_owned();
//! let folder = tempfile::tempdir().unwrap();
//! papers.write(folder.path());
//! papers.alter(folder.path(), Paper::Instruction);
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use ecluse_core::document::Kind;
use ecluse_core::person::Role;
use ecluse_core::signatures::SignatureFile;
use ecluse_core::status::State;
use ecluse_core::template::{self, Head, KeyLine};
use ecluse_core::types::Engine;
use ecluse_core::{dictionary, digest, mapping};
use ecluse_sign::PrivateKey;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::only_owner;

/// The recipient of [`IDENTITY`].
pub const RECIPIENT: &str = "age1pnqrn7p03mqhd9gvq3fn77wpxl76f5nv9z5epx9qnmadpn8gvygssfryc3";
/// An age identity that opens the run state of tests, and nothing else.
pub const IDENTITY: &str = "AGE-SECRET-KEY-1MGTRQZMDUDZ3AC7NQ5M970A9KV5HP9LCDCN9AHX3QDJAR0R9VD8S6G3TDU";

/// A signed paper of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// `contract.toml`.
    Contract,
    /// `mandate.toml`.
    Mandate,
    /// `instruction.toml`.
    Instruction,
    /// `status.toml`.
    Status,
    /// `session.toml`.
    Session,
}

impl Paper {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Contract, Self::Mandate, Self::Instruction, Self::Status, Self::Session];

    /// The file's name in the folder.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Contract => "contract.toml",
            Self::Mandate => "mandate.toml",
            Self::Instruction => "instruction.toml",
            Self::Status => "status.toml",
            Self::Session => "session.toml",
        }
    }

    /// The kind of document.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Contract => Kind::Contract,
            Self::Mandate => Kind::Survey,
            Self::Instruction => Kind::Instruction,
            Self::Status => Kind::Status,
            Self::Session => Kind::Session,
        }
    }
}

/// An invented person with an own key.
#[derive(Debug)]
pub struct Person {
    /// The key file's name under `keys/`.
    pub short: &'static str,
    /// First and last name.
    pub name: &'static str,
    /// The person's own address.
    pub email: &'static str,
    /// The role in the contract.
    pub role: Role,
    /// The key's seed; change it and the contract follows.
    pub seed: [u8; 32],
}

impl Person {
    /// The private key.
    #[must_use]
    pub fn key(&self) -> PrivateKey {
        PrivateKey::from_seed(&self.seed).expect("a key from a seed")
    }

    /// The public key's line.
    #[must_use]
    pub fn public(&self) -> String {
        self.key().public().and_then(|key| key.to_openssh()).expect("a public key")
    }
}

/// What the folder will hold. Every field may be changed before [`Papers::write`]; what depends on
/// it (digests, signatures) follows.
#[derive(Debug)]
pub struct Papers {
    /// The moment at which everything is in force; the status is given at this moment.
    pub now: Timestamp,
    /// Papers of a trial.
    pub trial: bool,
    /// Signs for the laboratory.
    pub signatory: Person,
    /// The laboratory's biologist.
    pub biologist: Person,
    /// Signs for the publisher.
    pub processor: Person,
    /// Runs the migration.
    pub operator: Person,
    /// `instruction.toml` without its header. `{mapping}` and `{dictionary}` stand for the
    /// digests of the two files below; `{codes/NAME}` for that of a code table.
    pub instruction: String,
    /// The instruction's version; from 2 on the processor's signatory countersigns.
    pub instruction_version: u64,
    /// `mapping.toml`; `{codes/NAME}` stands for the digest of a code table.
    pub mapping: String,
    /// `dictionary.toml`.
    pub dictionary: String,
    /// Code tables: file name under `codes/`, content; each is signed by the biologist.
    pub codes: Vec<(String, String)>,
    /// What the mandate is for.
    pub mandate: (Engine, String),
    /// The status's state.
    pub state: State,
    /// When the status was given.
    pub status_at: Timestamp,
    /// The status's version.
    pub status_version: u64,
    /// From when and until when each paper holds.
    pub periods: [(Paper, Timestamp, Timestamp); 5],
    /// The session's age recipient.
    pub recipient: String,
    /// Who receives a sealed archive, and the days for which the key is stated: then the contract lists the
    /// person for its processor, and `recipient.toml` is written; `{recipient}` in the instruction stands for
    /// its digest.
    pub receiver: Option<(Person, i64)>,
    /// Others whom the contract lists.
    pub others: Vec<Person>,
    /// A last change to a paper's text, before it is signed: so a wrong paper is still validly signed.
    pub edits: Vec<(Paper, String, String)>,
}

/// A worked order of `docs/` as it is drafted now: its days are counted from this one.
#[must_use]
pub fn worked(order: &str, now: Timestamp) -> String {
    ecluse_core::instruction::dated(order, now.to_zoned(TimeZone::UTC).date())
}

impl Papers {
    /// Papers in force at `now`, over empty bodies.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let hours = |hours: i64| now + SignedDuration::from_hours(hours);
        Self {
            now,
            trial: false,
            signatory: person("fontaine", "Claire Fontaine", Role::ControllerSignatory, 1),
            biologist: person("aubry", "Bruno Aubry", Role::ControllerBiologist, 2),
            processor: person("serrano", "Paul Serrano", Role::ProcessorSignatory, 3),
            operator: person("petit", "Nadia Petit", Role::Operator, 4),
            instruction: String::new(),
            instruction_version: 1,
            mapping: String::new(),
            dictionary: String::new(),
            codes: Vec::new(),
            mandate: (Engine::Sqlite, "main".to_owned()),
            state: State::InForce,
            status_at: now,
            status_version: 1,
            periods: [
                (Paper::Contract, hours(-24 * 30), hours(24 * 300)),
                (Paper::Mandate, hours(-24), hours(24 * 30)),
                (Paper::Instruction, hours(-24), hours(24 * 30)),
                (Paper::Status, hours(-1), hours(24 * 7)),
                (Paper::Session, hours(-1), hours(8)),
            ],
            recipient: RECIPIENT.to_owned(),
            receiver: None,
            others: Vec::new(),
            edits: Vec::new(),
        }
    }

    /// The four persons.
    #[must_use]
    pub const fn people(&self) -> [&Person; 4] {
        [&self.signatory, &self.biologist, &self.processor, &self.operator]
    }

    /// The four persons, and who receives, if anybody does.
    fn everybody(&self) -> impl Iterator<Item = &Person> {
        self.people().into_iter().chain(self.receiver.iter().map(|(person, _)| person)).chain(&self.others)
    }

    /// Lets somebody receive for the contract's processor, with [`RECIPIENT`] as the key.
    pub fn receive(&mut self) {
        self.receiver = Some((person("martin", "Julie Martin", Role::Recipient, 5), 92));
    }

    /// Lists one more recipient for the contract's processor, who stated no key.
    pub fn also_receives(&mut self) {
        self.others.push(person("klein", "Anna Klein", Role::Recipient, 6));
    }

    /// The recipient's statement, exactly as it is signed.
    ///
    /// # Panics
    ///
    /// Where nobody receives.
    #[must_use]
    pub fn statement(&self) -> String {
        let (_, days) = self.receiver.as_ref().expect("somebody receives");
        let head = Head {
            id: *b"\x0b\x1c\x2d\x3e\x4f\x50\x61\x72\x83\x94\xa5\xb6\xc7\xd8\xe9\xfa",
            version: 1,
            supersedes: None,
            contract: Some(self.digest(Paper::Contract)),
            issued: self.now - SignedDuration::from_hours(25),
            not_before: self.now - SignedDuration::from_hours(25),
            not_after: self.now + SignedDuration::from_hours(24 * days),
            seen: None,
            trial: self.trial,
        };
        template::recipient(&head, RECIPIENT, "Reprise du dossier patient", template::INVENTED_PROCESSOR)
    }

    /// Writes the folder: papers, signatures, keys (0600), the identity `keys/petit.age`, and
    /// `fingerprints.txt`, which stands for the paper contract.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder.join("keys")).expect("keys/");
        for person in self.everybody() {
            let path = folder.join("keys").join(person.short);
            fs::write(&path, person.key().to_openssh().expect("a key file").as_bytes()).expect("a key");
            only_owner(&path);
            fs::write(path.with_extension("pub"), format!("{}\n", person.public())).expect("a public key");
        }
        let known = self.signatory.key().public().expect("a public key").fingerprint();
        fs::write(folder.join("fingerprints.txt"), format!("{known}  {}\n", self.signatory.name))
            .expect("fingerprints.txt");
        let identity = folder.join("keys/petit.age");
        fs::write(&identity, format!("{IDENTITY}\n")).expect("the identity");
        only_owner(&identity);
        fs::create_dir_all(folder.join("codes")).expect("codes/");
        for (name, content) in &self.codes {
            let path = folder.join("codes").join(name);
            fs::write(&path, content).expect("a code table");
            self.sign(&path, Kind::Codes, &[&self.biologist]);
        }
        fs::write(folder.join("mapping.toml"), self.mapping_text()).expect("mapping.toml");
        fs::write(folder.join("dictionary.toml"), &self.dictionary).expect("dictionary.toml");
        if self.makes_values() {
            self.sign(&folder.join("mapping.toml"), Kind::Mapping, &[&self.biologist]);
        }
        if let Some((person, _)) = &self.receiver {
            let path = folder.join("recipient.toml");
            fs::write(&path, self.statement()).expect("recipient.toml");
            let _ = fs::remove_dir_all(signatures_of(&path));
            self.sign(&path, Kind::Recipient, &[person]);
        }
        for paper in Paper::ALL {
            let path = folder.join(paper.file());
            fs::write(&path, self.text(paper)).expect("a paper");
            self.sign(&path, paper.kind(), &self.signers(paper));
        }
    }

    /// A paper's text, exactly as it is signed.
    #[must_use]
    pub fn text(&self, paper: Paper) -> String {
        let mut text = match paper {
            Paper::Contract => template::invented_contract(&self.head(paper), &self.key_lines()),
            Paper::Mandate => {
                let (engine, database) = &self.mandate;
                let purpose = "Connaître la structure de la base à reprendre";
                template::mandate(&self.head(paper), purpose, *engine, database, None)
            }
            Paper::Instruction => {
                let header = template::header(Kind::Instruction, &self.head(paper));
                format!("{header}\n{}", self.filled(&self.instruction))
            }
            Paper::Status => {
                let reason = (self.state != State::InForce).then_some("Décision du laboratoire");
                template::status(&self.head(paper), &self.digest(Paper::Instruction), self.state, reason)
            }
            Paper::Session => {
                let operator = &self.operator;
                template::session(&self.head(paper), operator.name, operator.email, &self.recipient)
            }
        };
        for (_, from, to) in self.edits.iter().filter(|(edited, ..)| *edited == paper) {
            assert!(text.contains(from.as_str()), "nothing to edit: {} has no {from}", paper.file());
            text = text.replace(from.as_str(), to);
        }
        text
    }

    /// A paper's digest, as other papers cite it.
    #[must_use]
    pub fn digest(&self, paper: Paper) -> String {
        digest::of_bytes(self.text(paper).as_bytes())
    }

    /// A paper's signatures, as files.
    #[must_use]
    pub fn signatures(&self, paper: Paper) -> Vec<SignatureFile> {
        let text = self.text(paper);
        let sign = |person: &&Person| SignatureFile {
            name: format!("{}.sig", person.short),
            armoured: sign(person, paper.kind().namespace(), text.as_bytes()).into_bytes(),
            paper: None,
        };
        self.signers(paper).iter().map(sign).collect()
    }

    /// Who signs a paper.
    #[must_use]
    pub fn signers(&self, paper: Paper) -> Vec<&Person> {
        match paper {
            Paper::Contract => vec![&self.signatory, &self.processor],
            Paper::Instruction if self.instruction_version > 1 => vec![&self.signatory, &self.processor],
            Paper::Mandate | Paper::Instruction | Paper::Status => vec![&self.signatory],
            Paper::Session => vec![&self.operator],
        }
    }

    /// Sets from when and until when a paper holds.
    pub fn period(&mut self, paper: Paper, from: Timestamp, until: Timestamp) {
        for period in self.periods.iter_mut().filter(|(which, ..)| *which == paper) {
            *period = (paper, from, until);
        }
    }

    /// Lets a paper expire one second before `now`.
    pub fn expire(&mut self, paper: Paper) {
        let until = self.now - SignedDuration::from_secs(1);
        self.period(paper, until - SignedDuration::from_hours(6), until);
    }

    /// Changes a paper's text before it is signed, everywhere `from` stands.
    pub fn edit(&mut self, paper: Paper, from: &str, to: &str) {
        self.edits.push((paper, from.to_owned(), to.to_owned()));
    }

    /// Changes one byte of a written paper, after it was signed: a comment at its end.
    pub fn alter(&self, folder: &Path, paper: Paper) {
        let path = folder.join(paper.file());
        let mut bytes = fs::read(&path).expect("a paper");
        bytes.extend_from_slice(b"#\n");
        fs::write(path, bytes).expect("a paper");
    }

    /// Takes a written paper's signatures away.
    pub fn unsign(&self, folder: &Path, paper: Paper) {
        fs::remove_dir_all(signatures_of(&folder.join(paper.file()))).expect("signatures");
    }

    /// Replaces a written paper's signatures by this person's, for this namespace.
    pub fn sign_wrongly(&self, folder: &Path, paper: Paper, person: &Person, namespace: &str) {
        self.unsign(folder, paper);
        let path = folder.join(paper.file());
        write_signature(&path, person, namespace);
    }

    /// Replaces the written status: another state, given at `at`.
    pub fn give_status(&mut self, folder: &Path, state: State, at: Timestamp) {
        self.state = state;
        self.status_at = at;
        self.status_version += 1;
        let path = folder.join(Paper::Status.file());
        let _ = fs::remove_dir_all(signatures_of(&path));
        fs::write(&path, self.text(Paper::Status)).expect("status.toml");
        self.sign(&path, Kind::Status, &[&self.signatory]);
    }

    fn head(&self, paper: Paper) -> Head {
        let period = self.periods.iter().find(|(which, ..)| *which == paper);
        let (_, not_before, not_after) = *period.expect("every paper has a period");
        let (version, issued) = match paper {
            Paper::Status => (self.status_version, self.status_at),
            Paper::Instruction => (self.instruction_version, not_before),
            _ => (1, not_before),
        };
        let contract = (paper != Paper::Contract).then(|| self.digest(Paper::Contract));
        let supersedes = (version > 1).then(|| digest::of_bytes(b"the version before"));
        // stands in for chance: one id per paper, the same at every call
        let hash = digest::of_bytes(format!("{paper:?} {version} {issued}").as_bytes());
        let mut id = [0; 16];
        let bytes = data_encoding::HEXLOWER.decode(&hash.as_bytes()["sha256:".len()..]).expect("hexadecimal");
        id.copy_from_slice(&bytes[..16]);
        Head {
            id,
            version,
            supersedes,
            contract,
            issued,
            not_before,
            not_after,
            seen: None,
            trial: self.trial,
        }
    }

    fn key_lines(&self) -> Vec<KeyLine> {
        let period = self.periods.iter().find(|(which, ..)| *which == Paper::Contract);
        let (_, from, _) = *period.expect("the contract's period");
        let on: Date = from.to_zoned(TimeZone::UTC).date();
        let line = |person: &Person| KeyLine {
            role: person.role,
            person: person.name.to_owned(),
            email: person.email.to_owned(),
            public: person.public(),
            checked_by: "Marc Vernier".to_owned(),
            entity: (person.role == Role::Recipient).then(|| template::INVENTED_PROCESSOR.to_owned()),
            on,
            until: on.saturating_add(2.years()),
        };
        self.everybody().map(line).collect()
    }

    fn mapping_text(&self) -> String {
        let mut text = self.mapping.clone();
        for (name, content) in &self.codes {
            text = text.replace(&format!("{{codes/{name}}}"), &digest::of_bytes(content.as_bytes()));
        }
        text
    }

    /// Whether a biologist answers for a value that the mapping makes.
    fn makes_values(&self) -> bool {
        let read = (mapping::parse(&self.mapping_text()), dictionary::parse(&self.dictionary));
        let (Ok(mapping), Ok(dictionary)) = read else { return false };
        mapping::own(&mapping, &dictionary).iter().any(|own| own.judged)
    }

    fn filled(&self, body: &str) -> String {
        let statement = self.receiver.as_ref().map(|_| digest::of_bytes(self.statement().as_bytes()));
        body.replace("{recipient}", &statement.unwrap_or_default())
            .replace("{mapping}", &digest::of_bytes(self.mapping_text().as_bytes()))
            .replace("{dictionary}", &digest::of_bytes(self.dictionary.as_bytes()))
    }

    fn sign(&self, path: &Path, kind: Kind, people: &[&Person]) {
        for person in people {
            write_signature(path, person, kind.namespace());
        }
    }
}

/// `FILE.sigs/`.
#[must_use]
pub fn signatures_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().expect("a file").to_owned();
    name.push(".sigs");
    path.with_file_name(name)
}

fn write_signature(path: &Path, person: &Person, namespace: &str) {
    let content = fs::read(path).expect("what is signed");
    let folder = signatures_of(path);
    fs::create_dir_all(&folder).expect("FILE.sigs/");
    fs::write(folder.join(format!("{}.sig", person.short)), sign(person, namespace, &content))
        .expect("a signature");
}

fn sign(person: &Person, namespace: &str, content: &[u8]) -> String {
    person.key().sign(namespace, content).expect("a signature")
}

fn person(short: &'static str, name: &'static str, role: Role, seed: u8) -> Person {
    let email = match short {
        "fontaine" => "claire.fontaine@labo-fontaine.example",
        "aubry" => "bruno.aubry@labo-fontaine.example",
        "serrano" => "paul.serrano@logilab.example",
        "martin" => "julie.martin@logilab.example",
        _ => "nadia.petit@logilab.example",
    };
    Person { short, name, email, role, seed: [seed; 32] }
}

/// The tables that an instruction's text grants, with their columns, in its own order; digests and
/// identities may still be placeholders.
///
/// # Panics
///
/// Where the text lists no tables.
#[must_use]
pub fn granted_by(instruction: &str) -> Vec<(String, Vec<String>)> {
    let paper: toml::Table = instruction.parse().expect("TOML");
    let name = |value: &toml::Value| match value {
        toml::Value::String(name) => name.clone(),
        with_reason => with_reason["name"].as_str().expect("a name").to_owned(),
    };
    let list = |value: &toml::Value, key: &str| value[key].as_array().expect("a list").clone();
    paper["table"]
        .as_array()
        .expect("tables")
        .iter()
        .map(|table| (name(&table["name"]), list(table, "columns").iter().map(name).collect()))
        .collect()
}
