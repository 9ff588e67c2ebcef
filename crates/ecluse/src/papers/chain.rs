//! The papers of a run, in the chain's order: each is verified before the next is read, and all
//! of them before anything is connected to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ecluse_core::codes::{self, CodeTable};
use ecluse_core::contract::Contract;
use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Code, Result};
use ecluse_core::finding::Finding;
use ecluse_core::instruction::Instruction;
use ecluse_core::judged::Judged;
use ecluse_core::mapping::{self, Mapping};
use ecluse_core::recipient::Recipient;
use ecluse_core::session::Session;
use ecluse_core::signatures::{self, Signer};
use ecluse_core::status::{Heard, Met, Standing};
use jiff::{SignedDuration, Timestamp};

use super::{Paper, recipient, returned, standing};
use crate::cli::PaperArgs;
use crate::folder::Folder;
use crate::journal::statuses;

static OTHER_TABLE: Code = Code::refused("ECL-CLI-021", "a code table is not the one the mapping cites");

/// The papers that say what moves; verified.
#[derive(Debug)]
pub(crate) struct Chain {
    /// The instruction's file and bytes, to show findings in.
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) contract: Contract,
    pub(crate) instruction: Instruction,
    pub(crate) dictionary: Dictionary,
    pub(crate) mapping: Mapping,
    pub(crate) codes: BTreeMap<String, CodeTable>,
    /// To whom the order seals; none of an order to a database.
    pub(crate) recipient: Option<Recipient>,
    /// Every paper with who signed it, for the report.
    pub(crate) links: Vec<Link>,
}

/// One paper of the chain, as the report tells it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) artefact: String,
    pub(crate) signers: Vec<Signer>,
    pub(crate) when: String,
    pub(crate) digest: String,
    /// When it held, where it holds no more: what it was needed for is done.
    pub(crate) was_valid: Option<Timestamp>,
}

impl Chain {
    /// Reads contract, instruction, dictionary, mapping and code tables.
    ///
    /// # Errors
    ///
    /// The first paper that does not hold; all its findings are shown.
    pub(crate) fn read(folder: &Folder, args: &PaperArgs, now: Timestamp) -> Result<Self> {
        Self::with(folder, args, now, Biologist::Signed)
    }

    /// The same before a biologist has accepted the code tables and the mapping: rows may be counted under
    /// it for that acceptance, none may move.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub(crate) fn to_be_accepted(folder: &Folder, args: &PaperArgs, now: Timestamp) -> Result<Self> {
        Self::with(folder, args, now, Biologist::StillToSign)
    }

    fn with(folder: &Folder, args: &PaperArgs, now: Timestamp, biologist: Biologist) -> Result<Self> {
        let (contract, paper) = standing::contract(folder, args.contract.as_deref(), now)?;
        let mut links = vec![Link {
            artefact: "contract".into(),
            signers: contract.signers().to_vec(),
            when: day(contract.header().issued),
            digest: paper.digest(),
            was_valid: None,
        }];
        let paper = Paper::read(
            &folder.path(args.instruction.as_deref(), "instruction.toml"),
            "ecluse instruction new",
        )?;
        let instruction =
            paper.judge(Instruction::in_force(&paper.bytes, &paper.signatures, &contract, now))?;
        let drawn = (paper.path.as_path(), paper.text());
        let stated = (instruction.order(), instruction.header());
        let recipient = recipient::cited(folder, drawn, stated, &contract, now)?;
        let back = returned::cited(folder, drawn, stated, &contract, now)?;
        let dictionary_paper = Paper::read(&folder.path(None, "dictionary.toml"), "ecluse survey")?;
        let dictionary = dictionary_paper.judge(dictionary::parse(dictionary_paper.text()))?;
        let mapping_path = folder.path(args.mapping.as_deref(), "mapping.toml");
        let mapping_paper = Paper::read(&mapping_path, "ecluse mapping new")?;
        let (mapping, mapped) = judged(&mapping_paper, &dictionary, &contract, (now, biologist))?;
        links.push(unsigned("dictionary", &dictionary_paper));
        links.push(Link {
            artefact: format!("order, version {}", instruction.header().version),
            signers: instruction.signers().to_vec(),
            when: day(instruction.header().issued),
            digest: paper.digest(),
            was_valid: None,
        });
        let stated = recipient.iter().map(|stated| ("recipient", stated));
        let stated = stated.chain(back.iter().map(|stated| ("key for what is returned", stated)));
        links.extend(stated.map(|(artefact, (recipient, paper))| Link {
            artefact: artefact.into(),
            signers: recipient.signers().to_vec(),
            when: day(recipient.header().issued),
            digest: paper.digest(),
            was_valid: None,
        }));
        links.push(mapped);
        let beside = mapping_path.parent().unwrap_or(Path::new("")).to_owned();
        let (codes, more) = code_tables(&mapping, &beside, &contract, (now, biologist))?;
        links.extend(more);
        let Paper { path, bytes, .. } = paper;
        let recipient = recipient.map(|(recipient, _)| recipient);
        Ok(Self { path, bytes, contract, instruction, dictionary, mapping, codes, recipient, links })
    }

    /// The instruction, the version's number and whether it is a trial's, for a title.
    pub(crate) fn order(&self) -> String {
        let digest = self.instruction.digest().trim_start_matches("sha256:");
        let short: String = digest.chars().take(8).collect();
        format!("{short}, version {}", self.instruction.header().version)
    }
}

/// Whether code tables and mapping are signed already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Biologist {
    Signed,
    StillToSign,
}

/// What the dictionary and the mapping have in common: the order cites their digests, so that its
/// signature covers them.
fn unsigned(artefact: &str, paper: &Paper) -> Link {
    Link {
        artefact: artefact.into(),
        signers: Vec::new(),
        when: String::new(),
        digest: paper.digest(),
        was_valid: None,
    }
}

/// The mapping, and its signatures where they are due.
fn judged(
    paper: &Paper,
    dictionary: &Dictionary,
    contract: &Contract,
    (now, biologist): (Timestamp, Biologist),
) -> Result<(Mapping, Link)> {
    let mut link = unsigned("mapping", paper);
    if biologist == Biologist::StillToSign && paper.signatures.is_empty() {
        return Ok((paper.judge(mapping::parse(paper.text()))?, link));
    }
    let judged = Judged::mapping(paper.text(), &paper.signatures, dictionary, contract, now);
    let (mapping, signers) = paper.judge(judged)?.apart();
    link.signers = signers;
    Ok((mapping, link))
}

/// The code tables that the mapping cites, and their signatures.
fn code_tables(
    mapping: &Mapping,
    beside: &Path,
    contract: &Contract,
    (now, biologist): (Timestamp, Biologist),
) -> Result<(BTreeMap<String, CodeTable>, Vec<Link>)> {
    let (mut tables, mut links) = (BTreeMap::new(), Vec::new());
    for cited in &mapping.codes {
        let paper =
            Paper::read(&beside.join(&cited.file.value), "put the code table where the mapping cites it")?;
        if paper.digest() != cited.digest.value {
            return Err(OTHER_TABLE
                .fault(cited.file.value.clone())
                .help(format!("cite it anew in mapping.toml: digest = \"{}\"", paper.digest())));
        }
        let mut link = unsigned(&format!("code table {}", cited.name.value), &paper);
        let table = if biologist == Biologist::StillToSign && paper.signatures.is_empty() {
            paper.judge(codes::parse(paper.text()))?
        } else {
            let judged = Judged::code_table(paper.text(), &paper.signatures, contract, now);
            let (table, signers) = paper.judge(judged)?.apart();
            link.signers = signers;
            table
        };
        links.push(link);
        tables.insert(cited.name.value.clone(), table);
    }
    Ok((tables, links))
}

/// Asks whether the instruction stands; reads the status file anew each time.
#[derive(Clone, Debug)]
pub(crate) struct StatusFile {
    path: PathBuf,
    /// The folder whose journal keeps what is heard; none where the order is not in it.
    kept: Option<Folder>,
    instruction: String,
    max_age: SignedDuration,
}

impl StatusFile {
    /// The status of this chain's instruction.
    pub(crate) fn new(folder: &Folder, flag: Option<&Path>, chain: &Chain) -> Self {
        let seconds = i64::try_from(chain.instruction.order().status_max_age).unwrap_or(i64::MAX);
        Self {
            path: folder.path(flag, "status.toml"),
            kept: Some(folder.clone()),
            instruction: chain.instruction.digest().to_owned(),
            max_age: SignedDuration::from_secs(seconds),
        }
    }

    /// The status of an order that is not in this folder, where it lies here.
    pub(crate) fn of(path: PathBuf, instruction: &str, max_age: SignedDuration) -> Self {
        Self { path, kept: None, instruction: instruction.to_owned(), max_age }
    }

    /// The controller's word, now, after what was `met` before.
    ///
    /// What it adds to that is handed to `keep` before anything is refused: a word that was
    /// heard and not kept could be undone by putting an older one in its place.
    ///
    /// # Errors
    ///
    /// Suspended, revoked, too old, earlier than one met before, or not signed; `keep`'s.
    pub(crate) fn ask(
        &self,
        contract: &Contract,
        now: Timestamp,
        met: &mut Met,
        keep: impl FnOnce(Met) -> Result<()>,
    ) -> Result<Standing> {
        let (paper, heard) = self.hear(contract, now)?;
        let before = *met;
        *met = before.and(&heard);
        if *met != before {
            if let Some(folder) = &self.kept {
                statuses::keep(folder, &paper)?;
            }
            keep(*met)?;
        }
        before.precedes(&heard)?;
        let standing = paper.judge(heard.standing)?;
        met.unrevoked()?;
        Ok(standing)
    }

    /// When the word that lies there was given, as it says.
    ///
    /// # Errors
    ///
    /// A status that is not there, or none.
    pub(crate) fn given(&self) -> Result<Timestamp> {
        let paper = Paper::read(&self.path, "ecluse instruction status --key FILE")?;
        Ok(paper.judge(document::header(paper.text(), Kind::Status))?.issued)
    }

    /// A status is replaced in two steps, text and signature: where they do not fit, they are read
    /// again for a moment before the word counts as none.
    fn hear(&self, contract: &Contract, now: Timestamp) -> Result<(Paper, Heard)> {
        let mut tries_left = 4;
        loop {
            let made_by = match self.kept {
                Some(_) => "ecluse instruction status --key FILE",
                None => "have the laboratory's last status.toml sent, with its signatures (status.toml.sigs)",
            };
            let paper = Paper::read(&self.path, made_by)?;
            let heard =
                Heard::hear(&paper.bytes, &paper.signatures, contract, &self.instruction, self.max_age, now);
            match heard {
                Err(findings) if tries_left > 0 && findings.iter().all(half_replaced) => {
                    tries_left -= 1;
                    std::thread::sleep(std::time::Duration::from_millis(150));
                }
                heard => return paper.judge(heard).map(|heard| (paper, heard)),
            }
        }
    }
}

/// Whether the finding may only mean that the text was replaced and its signature was not yet.
fn half_replaced(finding: &Finding) -> bool {
    [signatures::ABSENT.id, signatures::FALSE.id].contains(&finding.code.id)
}

/// The operator's session, in force.
///
/// # Errors
///
/// Every fault of the statement.
pub(crate) fn session(
    folder: &Folder,
    flag: Option<&Path>,
    contract: &Contract,
    now: Timestamp,
) -> Result<(Session, Paper)> {
    let paper = Paper::read(&folder.path(flag, "session.toml"), "ecluse session new --key FILE")?;
    let session = paper.judge(Session::in_force(&paper.bytes, &paper.signatures, contract, now))?;
    Ok((session, paper))
}

fn day(t: Timestamp) -> String {
    t.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}
