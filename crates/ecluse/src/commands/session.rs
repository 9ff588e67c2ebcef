//! `ecluse session new`: one person's working day.

use std::path::{Path, PathBuf};

use ecluse_core::contract::Contract;
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_core::person::Role;
use ecluse_core::session::Session as InForce;
use ecluse_core::template;
use ecluse_seal::Identity;
use jiff::SignedDuration;
use serde_json::json;

use super::Here;
use super::sign::NO_KEY;
use crate::cli::{Session, SessionArgs};
use crate::folder::Folder;
use crate::journal::sessions;
use crate::papers::chain::Chain;
use crate::papers::{Paper, chain, draft, hand, quietly, signatures_of, standing};
use crate::{folder, output, trial};

static NO_OPERATOR: Code = Code::refused("ECL-CLI-018", "the contract lists no such operator");

pub(super) const FILE: &str = "session.toml";

/// What an operator is told of what is recorded of operators (GDPR Art. 13).
const NOTED: &str = "What you do under it is noted with the hour and this session, which names you: in the journal for 6 to 12 \
    months (longer with a written reason), and in the evidence until the day that the ledger of copies has for it.";

pub(super) fn run(here: &Here, command: &Session) -> Result<()> {
    let Session::New(args) = command;
    new(here, args)
}

fn new(here: &Here, args: &SessionArgs) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, args.contract.as_deref(), here.now)?;
    let is_trial = contract.header().trial;
    let key = match &args.key {
        Some(key) => key.clone(),
        None if is_trial => trial::key(&here.folder, Role::Operator),
        None => return Err(NO_KEY.fault("").help("ecluse session new --key FILE")),
    };
    let operators: Vec<_> = contract.keys(Role::Operator).collect();
    let public = folder::read(&beside(&key, ".pub"), "keep the public key beside the private one: FILE.pub")?;
    let public = ecluse_sign::PublicKey::from_openssh(&String::from_utf8_lossy(&public)).ok();
    let Some(operator) = operators.iter().find(|k| k.public == public) else {
        let names: Vec<_> = operators.iter().map(|k| k.person.as_str()).collect();
        return Err(NO_OPERATOR
            .fault(key.display().to_string())
            .help(format!("sign with the key of {}", names.join(" or "))));
    };
    let identity = args.identity.clone().unwrap_or_else(|| beside(&key, ".age"));
    let recipient = recipient(&identity)?;
    let lasts = SignedDuration::from_hours(i64::from(args.hours));
    let head = draft::head(Some(contract.digest().to_owned()), here.now, lasts, is_trial)?;
    let text = template::session(&head, &operator.person, &operator.email, &recipient);
    let path = here.folder.path(args.output.as_deref(), FILE);
    // a session is never amended: a new one takes the old one's place, signatures too
    let _ = std::fs::remove_dir_all(signatures_of(&path));
    folder::replace(&path, text.as_bytes())?;
    hand::sign(
        Kind::Session,
        &Paper::read(&path, "")?,
        &key,
        &contract.terms().keys,
        args.signer.as_deref(),
    )?;
    let paper = Paper::read(&path, "")?;
    let session = paper.judge(InForce::in_force(&paper.bytes, &paper.signatures, &contract, here.now))?;
    let until = Language::English.hour(session.header().not_after);
    output::line(format!("{}: {} until {until}", path.display(), session.operator()));
    if !is_trial {
        output::line(format!("What the run remembers is sealed to {}: keep that file.", identity.display()));
    }
    output::line(NOTED);
    output::document(&json!({
        "made": path, "operator": session.operator(), "until": session.header().not_after.to_string(), "identity": identity,
    }));
    Ok(())
}

/// In a trial, a session is opened where none is.
///
/// # Errors
///
/// As `ecluse session new`.
pub(crate) fn open_for_trial(here: &Here, flag: Option<&Path>) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    if flag.is_some() || quietly(|| chain::session(&here.folder, None, &contract, here.now)).is_ok() {
        return Ok(());
    }
    open_with_trial_key(here)
}

/// Opens a session with the operator's key of `keys/`.
///
/// # Errors
///
/// As `ecluse session new`.
fn open_with_trial_key(here: &Here) -> Result<()> {
    let key = Some(trial::key(&here.folder, Role::Operator));
    new(here, &SessionArgs { key, signer: None, hours: 12, contract: None, identity: None, output: None })
}

/// The age recipient of an identity file, which is made where it is absent.
fn recipient(path: &Path) -> Result<String> {
    if !path.exists() {
        let identity = Identity::generate();
        hand::write_private(path, identity.file().expose().as_bytes())?;
        return Ok(identity.recipient().to_string());
    }
    Ok(identity(path)?.recipient().to_string())
}

/// The session in force, and what opens its run's state: of this file, or found by itself. A trial's session
/// is opened where it has none.
///
/// # Errors
///
/// The session's and the identity's own.
pub(crate) fn with_identity(
    here: &Here,
    chain: &Chain,
    identity: Option<&Path>,
) -> Result<(InForce, Identity)> {
    if chain.instruction.header().trial {
        open_for_trial(here, None)?;
    }
    let (session, _) = chain::session(&here.folder, None, &chain.contract, here.now)?;
    sessions::keep(&here.folder, None)?;
    let identity = identity.map_or_else(|| identity_of(&here.folder, &session), self::identity)?;
    Ok((session, identity))
}

/// The session in force; a trial's is opened where it has none.
///
/// # Errors
///
/// The session's own.
pub(crate) fn in_force(here: &Here, contract: &Contract) -> Result<InForce> {
    if contract.header().trial {
        open_for_trial(here, None)?;
    }
    let (session, _) = chain::session(&here.folder, None, contract, here.now)?;
    sessions::keep(&here.folder, None)?;
    Ok(session)
}

/// Reads an identity file, which must be its owner's alone.
///
/// # Errors
///
/// A file that others can read, or that holds no identity.
pub(crate) fn identity(path: &Path) -> Result<Identity> {
    read(path, "give the operator's identity, which ecluse session new wrote: --identity FILE")
}

/// The same of who opens an archive: a recipient, or the laboratory of what is returned to it.
///
/// # Errors
///
/// As [`identity`].
pub(crate) fn recipients(path: &Path) -> Result<Identity> {
    read(
        path,
        "give the identity file that ecluse recipient new made for this migration: --identity FILE; one that a load destroyed opens nothing any more",
    )
}

fn read(path: &Path, help: &str) -> Result<Identity> {
    hand::private(path)?;
    let bytes = zeroize::Zeroizing::new(folder::read(path, help)?);
    let parsed = Identity::parse(&zeroize::Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()));
    parsed.map_err(|fault| fault.code().fault(path.display().to_string()).help(help))
}

/// The identity that a session's run is sealed to, where nobody said which: the one of `keys/` that the
/// session names, as `ecluse session new` made it beside the operator's key; else `keys/operator.age`.
///
/// # Errors
///
/// As [`identity`].
pub(crate) fn identity_of(folder: &Folder, session: &InForce) -> Result<Identity> {
    let usual = trial::identity(folder);
    let beside = usual.parent().and_then(|keys| std::fs::read_dir(keys).ok());
    let found = beside
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "age"))
        // a pipe under that name would hold the run up
        .filter(|path| std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file()))
        .filter_map(|path| identity(&path).ok())
        .find(|one| one.recipient().to_string() == session.recipient());
    found.map_or_else(|| identity(&usual), Ok)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
