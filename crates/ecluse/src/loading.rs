//! A sealed archive, opened by its recipient: what is verified, in the order in which it is demanded.
//!
//! manifest, sender, recipient → identity → status → every part's digest → index → the order inside → what a
//! biologist signed of its mapping and code tables. Rows are opened by nobody here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ecluse_adapters::archive::{Archive, Whole};
use ecluse_core::catalog::Catalog;
use ecluse_core::codes;
use ecluse_core::contract::Contract;
use ecluse_core::dictionary::{self, Dictionary};
use ecluse_core::digest;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Code, Result};
use ecluse_core::finding::Finding;
use ecluse_core::instruction::Instruction;
use ecluse_core::judged::Judged;
use ecluse_core::manifest::{self, Manifest};
use ecluse_core::mapping;
use ecluse_core::on_paper::Found;
use ecluse_core::person::Role;
use ecluse_core::plain::shown;
use ecluse_core::plan::{Carried, Compiled, Consigned, Refusal, consigned, consigned_back, load};
use ecluse_core::recipient::Recipient;
use ecluse_core::signatures::SignatureFile;
use ecluse_core::status::Met;
use ecluse_flow::orders::{Begun, Bound, Orders, is_stated};
use ecluse_flow::ports::{Destination, Scope};
use ecluse_seal::Identity;
use ecluse_seal::archive::{Index, commitment};
use jiff::{SignedDuration, Timestamp};

use crate::commands::{Here, runs};
use crate::folder::Folder;
use crate::papers::chain::StatusFile;
use crate::papers::{Paper, quietly, recipient, refusal, returned, standing};
use crate::ready::Missing;
use crate::{clock, hardening, trial};

static OTHER_ORDER: Code =
    Code::refused("ECL-LOA-012", "the archive's order is not the one that its manifest names");
static OTHER_PAPER: Code =
    Code::refused("ECL-LOA-013", "a paper that the order cites does not lie in the archive");
static UNJUDGED: Code =
    Code::refused("ECL-LOA-032", "a biologist's signature on a paper of the archive does not hold");
static RETURNED: Code =
    Code::refused("ECL-RET-007", "what was returned to the laboratory is kept sealed, not loaded");
static OTHER_ROWS: Code = Code::refused("ECL-LOA-015", "what came out of the archive is not what was sealed");
static NO_IDENTITY: Code = Code::usage("ECL-LOA-014", "it is not said which identity opens the archive");

/// An archive as far as it can be known without a key: manifest and recipient, verified.
pub(crate) struct Sealed {
    pub(crate) folder: PathBuf,
    pub(crate) contract: Contract,
    pub(crate) manifest: Manifest,
    pub(crate) recipient: Recipient,
    /// Whether it returns classes to the controller: then the recipient is the controller itself.
    pub(crate) returns: bool,
    /// As of when its papers are judged.
    as_of: Timestamp,
}

/// A manifest that holds, as of when it does, and whether what it lists is returned to the controller.
pub(crate) struct Manifested {
    pub(crate) contract: Contract,
    pub(crate) manifest: Manifest,
    pub(crate) returns: bool,
    as_of: Timestamp,
}

/// The papers of an opened archive, verified, and what asks whether the order stands.
pub(crate) struct Laid {
    pub(crate) sealed: Sealed,
    pub(crate) instruction: Instruction,
    pub(crate) dictionary: Dictionary,
    /// Where the files go that its rows name, resolved; empty where they name none, or nobody loads.
    pub(crate) files: String,
    tables: Consigned,
    status: StatusFile,
    met: Mutex<Met>,
    here: Folder,
}

/// The manifest, under the contract of the migration folder: in force now, or, of what was returned to the
/// controller, on the day on which it was sealed.
///
/// The archive is where those data are from then on, and nobody is left who could sign it anew: so no day ends
/// that its owner may open it, while a load is refused once its order has ended.
///
/// # Errors
///
/// Every fault of contract and manifest.
pub(crate) fn manifest(here: &Here, archive: &Path) -> Result<Manifested> {
    let paper =
        Paper::read(&archive.join(manifest::FILE), "name the archive's folder: ecluse inspect ARCHIVE")?;
    let returns = is_return(here, &paper)?;
    let sealed = document::header(paper.text(), Kind::Manifest).ok().filter(|_| returns);
    let as_of = sealed.map_or(here.now, |header| header.issued.min(here.now));
    let contract = match quietly(|| standing::contract(&here.folder, None, here.now)) {
        Ok((contract, _)) => contract,
        Err(_) => standing::contract(&here.folder, None, as_of)?.0,
    };
    let manifest = paper.judge(Manifest::in_force(&paper.bytes, &paper.signatures, &contract, as_of))?;
    Ok(Manifested { contract, manifest, returns, as_of })
}

/// Whether a manifest cites the controller's own statement that lies here: who opens it is no recipient of an order.
fn is_return(here: &Here, manifest: &Paper) -> Result<bool> {
    let own = here.folder.path(None, ecluse_core::recipient::RETURN_FILE);
    if !own.exists() {
        return Ok(false);
    }
    // what is no manifest is refused by whoever judges it
    let cited = manifest::parse(manifest.text()).ok().map(|stated| stated.recipient.value);
    Ok(cited == Some(Paper::read(&own, returned::STATED_BY)?.digest()))
}

impl Sealed {
    /// Verifies manifest, sender and recipient.
    ///
    /// # Errors
    ///
    /// As [`manifest`]; a recipient statement that is not in force, or to which it was not sealed.
    pub(crate) fn read(here: &Here, archive: &Path) -> Result<Self> {
        let Manifested { contract, manifest, returns, as_of } = manifest(here, archive)?;
        let own = here.folder.path(None, ecluse_core::recipient::RETURN_FILE);
        let stated = here.folder.path(None, ecluse_core::recipient::FILE);
        let paper = Paper::read(&archive.join(manifest::FILE), "")?;
        if !returns && own.exists() && !stated.exists() {
            let other = Paper::read(&own, returned::STATED_BY)?;
            paper.judge(manifest.is_to_statement(&other.digest(), Kind::ReturnRecipient))?;
        }
        let (recipient, _) = match returns {
            true => returned::in_force(&own, &contract, as_of)?,
            false => recipient::in_force(&stated, &contract, here.now)?,
        };
        paper.judge(manifest.is_to(&recipient))?;
        Ok(Self { folder: archive.to_owned(), contract, manifest, recipient, returns, as_of })
    }

    /// Refuses what was returned to the controller, where an archive would be loaded and its identity destroyed.
    ///
    /// # Errors
    ///
    /// [`RETURNED`].
    pub(crate) fn is_no_return(&self) -> Result<()> {
        if !self.returns {
            return Ok(());
        }
        Err(RETURNED.fault(self.manifest.header().id.clone()).help(returned::RECEIVED_BY))
    }

    /// The file that holds the recipient's identity.
    ///
    /// # Errors
    ///
    /// [`NO_IDENTITY`].
    pub(crate) fn identity(&self, here: &Here, named: Option<&Path>) -> Result<PathBuf> {
        match named {
            Some(path) => Ok(path.to_owned()),
            None if self.contract.header().trial => {
                let whose = if self.returns { Role::ControllerSignatory } else { Role::Recipient };
                Ok(trial::key(&here.folder, whose).with_extension("age"))
            }
            None => Err(NO_IDENTITY.fault("").help("--identity FILE, which ecluse recipient new made")),
        }
    }

    /// Verifies everything else there is to verify, and opens the index; no part with rows is opened.
    ///
    /// # Errors
    ///
    /// The first thing that does not hold.
    pub(crate) fn open<'i>(
        self,
        here: &Here,
        status: Option<&Path>,
        identity: &'i Identity,
    ) -> Result<(Laid, Archive<'i>)> {
        hardening::keep_in_memory();
        // before anything is read of the archive
        is_stated(identity, &self.recipient)?;
        let order = self.manifest.stated().instruction.value.clone();
        let path = here.folder.path(status, "status.toml");
        let mut met = runs::met(&here.folder, &order)?;
        // how old a word may be is said by the order, which is still sealed: that is asked again below
        let status = StatusFile::of(path.clone(), &order, SignedDuration::MAX);
        let mut ask = |status: &StatusFile| {
            status
                .ask(&self.contract, here.now, &mut met, |met| runs::meet(&here.folder, &order, met))
                .map(drop)
        };
        // whoever gave the word needs nobody's leave to open what is its own
        let must = !self.returns;
        if must {
            ask(&status)?;
        }
        let archive = Whole::verified(&self.folder, &self.manifest)?.open(identity)?;
        let index = archive.index();
        let instruction = instruction(&self, index)?;
        let seconds = i64::try_from(instruction.order().status_max_age).unwrap_or(i64::MAX);
        let status = StatusFile::of(path, &order, SignedDuration::from_secs(seconds));
        if must {
            ask(&status)?;
        }
        let dictionary = dictionary(index, &instruction)?;
        let tables = match self.returns {
            true => consigned_back(&instruction, &dictionary, archive.tables())
                .map_err(|findings| refusal(Path::new("the archive"), "", &findings))?,
            false => tables(&archive, &instruction, &dictionary, (&self.contract, here.now))?,
        };
        let laid = Laid {
            sealed: self,
            instruction,
            dictionary,
            files: String::new(),
            tables,
            status,
            met: Mutex::new(met),
            here: here.folder.clone(),
        };
        Ok((laid, archive))
    }
}

/// Opens the commitments of an index: the rows that came out, table by table, are the rows that were sealed.
///
/// # Errors
///
/// [`OTHER_ROWS`], naming the table.
pub(crate) fn opened(
    index: &Index,
    laid: &[Option<ecluse_adapters::archive::Laid>],
) -> Result<Vec<[u8; 32]>> {
    let mut outs = Vec::with_capacity(index.tables.len());
    for (table, laid) in index.tables.iter().zip(laid) {
        let salt = data_encoding::HEXLOWER.decode(table.salt.as_bytes()).ok();
        let salt = salt.and_then(|salt| <[u8; 32]>::try_from(salt).ok());
        let opened = laid.zip(salt).filter(|(laid, salt)| {
            laid.rows == table.rows && commitment(salt, &laid.out) == table.commitment
        });
        let Some((laid, _)) = opened else {
            return Err(OTHER_ROWS
                .fault(format!("table {}", table.destination))
                .help("keep archive and run folder, and tell the publisher"));
        };
        outs.push(laid.out);
    }
    Ok(outs)
}

/// Whether a part of an archive was refused: it is opened when the parts before it are at the destination already.
pub(crate) fn of_a_part(code: &str) -> bool {
    ["ECL-SEA-02", "ECL-BAT-", "ECL-LOA-020", "ECL-LOA-021"].iter().any(|part| code.starts_with(part))
}

/// The order inside the seal, in force, cited by the manifest, and citing this recipient.
fn instruction(sealed: &Sealed, index: &Index) -> Result<Instruction> {
    const FILE: &str = "instruction.toml";
    let text = paper(index, FILE)?;
    if digest::of_bytes(text.as_bytes()) != sealed.manifest.stated().instruction.value {
        return Err(OTHER_ORDER.fault("").help("keep the archive as it is, and tell the controller"));
    }
    let path = Path::new("the archive").join(FILE);
    let judged =
        Instruction::in_force(text.as_bytes(), &signatures(index, FILE), &sealed.contract, sealed.as_of);
    let instruction = judged.map_err(|findings| refusal(&path, text, &findings))?;
    let cited = match (sealed.returns, &instruction.order().back) {
        (true, Some(back)) => &back.to,
        (true, None) => return Err(ecluse_core::instruction::NO_RECIPIENT.fault("")),
        (false, _) => instruction.order().sealed()?,
    };
    sealed
        .recipient
        .is_cited(cited, instruction.header())
        .map_err(|findings| refusal(&path, text, &findings))?;
    Ok(instruction)
}

fn dictionary(index: &Index, instruction: &Instruction) -> Result<Dictionary> {
    cited(index, "dictionary.toml", &instruction.order().dictionary.value, dictionary::parse)
}

/// The tables of the index, which are those that order, mapping and code tables make, and no others.
fn tables(
    archive: &Archive<'_>,
    instruction: &Instruction,
    dictionary: &Dictionary,
    (contract, now): (&Contract, Timestamp),
) -> Result<Consigned> {
    let index = archive.index();
    let name = mapping::FILE;
    let read = cited(index, name, &instruction.order().mapping.value, mapping::parse)?;
    let mapping = judged(index, name, |text, files| Judged::mapping(text, files, dictionary, contract, now))?;
    let mut codes = BTreeMap::new();
    for table in &read.codes {
        let name = &table.file.value;
        cited(index, name, &table.digest.value, codes::parse)?;
        let signed = judged(index, name, |text, files| Judged::code_table(text, files, contract, now))?;
        codes.insert(table.name.value.clone(), signed);
    }
    let carried = Carried { instruction, dictionary, mapping, codes };
    consigned(carried, archive.tables()).map_err(|findings| refusal(Path::new("the archive"), "", &findings))
}

/// A paper of the index whose text was read already, under the signatures that came with it: the order cites its
/// text, and who signed it is the sender's word until here.
fn judged<T>(
    index: &Index,
    name: &str,
    check: impl Fn(&str, &[SignatureFile]) -> std::result::Result<Judged<T>, Vec<Finding>>,
) -> Result<Judged<T>> {
    let text = paper(index, name)?;
    check(text, &signatures(index, name)).map_err(|findings| {
        let unjudged = |finding: Finding| {
            let Code { id, title, .. } = finding.code;
            let message = format!("{name}: {title}: {} ({id})", finding.message);
            Finding { code: &UNJUDGED, message, ..finding }
                .help("load nothing of it, keep the archive as it is, and tell the controller")
        };
        let findings: Vec<Finding> = findings.into_iter().map(unjudged).collect();
        refusal(&Path::new("the archive").join(name), text, &findings)
    })
}

/// A paper of the index that is the one of this digest, read.
fn cited<T>(
    index: &Index,
    name: &str,
    digest: &str,
    parse: impl Fn(&str) -> std::result::Result<T, Vec<Finding>>,
) -> Result<T> {
    let text = paper(index, name)?;
    if digest::of_bytes(text.as_bytes()) != digest {
        return Err(OTHER_PAPER.fault(name.to_owned()).help("have the archive extracted anew"));
    }
    parse(text).map_err(|findings| refusal(&Path::new("the archive").join(name), text, &findings))
}

fn paper<'a>(index: &'a Index, name: &str) -> Result<&'a str> {
    let found = index.papers.get(name).map(String::as_str);
    found.ok_or_else(|| OTHER_PAPER.fault(name).help("have the archive extracted anew"))
}

/// The signatures of a paper as they lay beside it where it was extracted.
fn signatures(index: &Index, of: &str) -> Vec<SignatureFile> {
    let beside = format!("{of}.sigs/");
    let files = index.papers.iter().filter_map(|(path, text)| Some((path.strip_prefix(&beside)?, text)));
    files
        .filter(|(name, _)| !name.contains('/'))
        .filter_map(|(name, text)| {
            let (armoured, paper) = if name.ends_with(".sig") {
                (text.clone(), None)
            } else if name.ends_with(".paper.toml") {
                let checker = index.papers.get(&format!("{beside}{name}.sigs/checker.sig"));
                let found = Found { record: text.clone().into_bytes(), scan: None };
                (checker.cloned().unwrap_or_default(), Some(found))
            } else {
                return None;
            };
            Some(SignatureFile { name: shown(name), armoured: armoured.into_bytes(), paper })
        })
        .collect()
}

impl Laid {
    /// Whether rows of the archive name files.
    pub(crate) fn name_files(&self) -> bool {
        self.tables.name_files()
    }

    /// The plan, against a destination as it is, or, where tables are missing and may be supposed, as it would be.
    ///
    /// # Errors
    ///
    /// Every problem found is shown; the first one's code comes back.
    pub(crate) fn plan(
        &self,
        destination: &mut dyn Destination,
        tables: Missing,
    ) -> Result<(Compiled, Vec<ecluse_core::catalog::Table>)> {
        let names: Vec<String> = self.tables.tables().iter().map(|t| t.table.name.clone()).collect();
        let mut there = destination.catalog(Scope::Tables(&names))?;
        let compile = |there: &Catalog| load(&self.instruction, &self.dictionary, &self.tables, there);
        let told = |refused: &Refusal| refusal(&self.sealed.folder, "", &refused.findings);
        let missing = match compile(&there) {
            Ok(compiled) => return Ok((compiled, Vec::new())),
            Err(refused) if refused.missing.is_empty() || tables == Missing::Refuse => {
                return Err(told(&refused));
            }
            Err(refused) => refused.missing,
        };
        there.tables.extend(missing.iter().map(|table| destination.supposed(table)));
        compile(&there).map(|compiled| (compiled, missing)).map_err(|refused| told(&refused))
    }

    /// The papers as the path wants them; whether they still stand is asked again at every chunk.
    ///
    /// # Errors
    ///
    /// As [`Orders::of_recipient`]; what `act` refuses.
    pub(crate) fn with_orders<T>(
        &self,
        (compiled, identity): (&Compiled, &Identity),
        (archive, destination): (&Archive<'_>, &str),
        act: impl FnOnce(Orders<'_>) -> Result<T>,
    ) -> Result<T> {
        let Sealed { contract, manifest, recipient, .. } = &self.sealed;
        let ask = || {
            let now = clock::now();
            // a load may outlast the papers it began under
            let headers =
                [contract.header(), self.instruction.header(), manifest.header(), recipient.header()];
            for header in headers {
                header.objection(now).map_or(Ok(()), |finding| Err(finding.fault()))?;
            }
            // whoever panicked with the lock left a whole value: it is one assignment
            let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
            self.status
                .ask(contract, now, &mut met, |met| runs::meet(&self.here, self.instruction.digest(), met))
        };
        let source = archive.identity();
        let tables = archive.tables();
        let names: Vec<String> = tables.iter().map(|t| t.source.clone()).collect();
        let schema = digest::of_schema(&archive.catalog(), &names);
        let ends = (
            Bound { identity: &source, schema: &schema },
            // the order says nothing of the recipient's own database: it is the one that was connected to
            Bound { identity: destination, schema: "" },
        );
        let index = archive.index();
        let begun = Begun { run: &index.run, tally: &index.tally, files: &self.files };
        let plan = &compiled.plan;
        act(Orders::of_recipient(plan, &self.instruction, recipient, ends, begun, &ask, identity)?)
    }
}
