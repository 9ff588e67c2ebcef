//! `ecluse recipient new|sign|verify|show`: who may open a migration's sealed archive.
//!
//! The identity is made here, on the recipient's own machine, for one migration, and never lies in the folder
//! that travels. It is kept under a name of its own until the statement stands: a start that died is gone on
//! with, and no identity is ever written over.

use std::fs;
use std::path::{Path, PathBuf};

use ecluse_core::contract::Contract;
use ecluse_core::document::{self, Kind};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_core::person::Role;
use ecluse_core::recipient::{FILE, RETURN_FILE, read};
use ecluse_core::template;
use ecluse_flow::failpoint;
use ecluse_seal::Identity;
use jiff::SignedDuration;
use serde_json::json;

use super::{Here, session, sign};
use crate::cli::{Recipient, RecipientNewArgs, StatementArgs};
use crate::papers::recipient::{MADE_BY, in_force};
use crate::papers::{Paper, draft, returned, standing};
use crate::{folder, output, trial};

static NO_IDENTITY: Code = Code::usage("ECL-CLI-044", "it is not said where the identity is kept");
static TRAVELS: Code = Code::refused("ECL-RCP-015", "the identity would lie in the folder that travels");
static NO_ENTITY: Code =
    Code::refused("ECL-RCP-016", "the contract lists no recipient for this legal entity");
static STATED: Code = Code::refused("ECL-RCP-017", "a recipient statement is there, of another identity");

pub(super) fn run(here: &Here, command: &Recipient) -> Result<()> {
    match command {
        Recipient::New(args) => new(here, args),
        Recipient::Sign(args) if args.back => sign::run(here, Kind::ReturnRecipient, RETURN_FILE, &args.sign),
        Recipient::Sign(args) => sign::run(here, Kind::Recipient, FILE, &args.sign),
        Recipient::Verify(args) => verify(here, args),
        Recipient::Show(args) => show(here, args),
    }
}

fn new(here: &Here, args: &RecipientNewArgs) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, args.contract.as_deref(), here.now)?;
    let is_trial = contract.header().trial;
    let kept = match &args.identity {
        Some(path) if is_trial => path.clone(),
        Some(path) => apart(here, path)?,
        None if is_trial => trial::key(&here.folder, whose(args.back)).with_extension("age"),
        None => return Err(NO_IDENTITY.fault("").help("ecluse recipient new --identity FILE")),
    };
    let entity = match args.back {
        true => contract.terms().controller.name.clone(),
        false => entity(&contract, args.entity.as_deref())?,
    };
    let path = here.folder.path(args.output.as_deref(), if args.back { RETURN_FILE } else { FILE });
    let part = part(&kept);
    absent(&kept)?;
    // what a start that died left: the statement, if it stands, is of the identity that waits for its name
    if path.exists() && !part.exists() {
        absent(&path)?;
    }
    let identity = identity(&part)?;
    let age = identity.recipient().to_string();
    if path.exists() {
        let stated = Paper::read(&path, MADE_BY)?;
        if stated.judge(read(stated.text()))?.age.value != age {
            return Err(STATED.fault(path.display().to_string()).help(format!(
                "move it away, or, where nobody needs the identity any more, erase {}",
                part.display()
            )));
        }
    } else {
        let purpose = args.purpose.as_deref().unwrap_or(&contract.terms().processing.purpose);
        let lasts = SignedDuration::from_hours(24 * i64::from(args.days));
        let head = draft::head(Some(contract.digest().to_owned()), here.now, lasts, is_trial)?;
        let written = if args.back { template::return_recipient } else { template::recipient };
        let text = written(&head, &age, purpose, &entity);
        folder::create_durably(&path, text.as_bytes(), 0o666)?;
    }
    failpoint::hit("recipient.identity.rename.before");
    fs::rename(&part, &kept).map_err(|error| folder::unwritable(&kept, &error))?;
    failpoint::hit("recipient.identity.rename.after");
    output::line(format!("{}: {entity}, key {age}", path.display()));
    let then = match args.back {
        true => "keep it as long as what is returned: nobody can make another",
        false => "it stays on this machine, and is destroyed after the load",
    };
    output::line(format!("{}: the identity. It alone opens the archive: {then}.", kept.display()));
    let back = if args.back { " --return" } else { "" };
    output::line(format!("Sign the statement:  ecluse recipient sign{back} --key FILE"));
    output::document(&json!({ "made": path, "identity": kept, "age": age, "entity": entity }));
    Ok(())
}

/// In a trial, with whose key the identity lies.
const fn whose(back: bool) -> Role {
    if back { Role::ControllerSignatory } else { Role::Recipient }
}

/// The identity that waits for its name, made where there is none; half of one is made anew: no statement
/// cites it.
fn identity(part: &Path) -> Result<Identity> {
    if part.exists() {
        match session::identity(part) {
            Err(fault) if fault.code().id == ecluse_seal::KEY.id && is_half(part)? => {
                fs::remove_file(part).map_err(|error| folder::unwritable(part, &error))?;
            }
            found => return found,
        }
    }
    let identity = Identity::generate();
    folder::create_durably(part, identity.file().expose().as_bytes(), 0o600)?;
    Ok(identity)
}

/// Whether a file is the beginning of an identity that was being written, and nothing of anybody else's.
fn is_half(part: &Path) -> Result<bool> {
    const BEGINS: &[u8] = b"# public key: ";
    let found = zeroize::Zeroizing::new(folder::read(part, "")?);
    Ok(found.starts_with(BEGINS) || BEGINS.starts_with(&found))
}

/// A path that is free: neither a paper nor an identity is ever written over.
fn absent(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(folder::unwritable(path, &std::io::ErrorKind::AlreadyExists.into())),
        Err(_) => Ok(()),
    }
}

fn part(kept: &Path) -> PathBuf {
    let mut name = kept.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// The identity's path, which must lead outside the migration folder: that one is sent to others.
fn apart(here: &Here, path: &Path) -> Result<PathBuf> {
    let root = here.folder.root().canonicalize().map_err(|error| folder::unwritable(path, &error))?;
    let named = |dir: &Path| if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir.to_owned() };
    let stays = || {
        // the nearest folder that is there: links are followed
        let there = path.ancestors().skip(1).find_map(|dir| named(dir).canonicalize().ok());
        if there.is_some_and(|there| there.starts_with(&root)) {
            return Err(TRAVELS
                .fault(path.display().to_string())
                .help("name a file elsewhere, which only this account reads: --identity ~/NAME.age"));
        }
        Ok(())
    };
    stays()?;
    folder::make_parent(path)?;
    // of what was made for it too
    stays()?;
    Ok(path.to_owned())
}

/// The legal entity that receives, as the contract writes it.
fn entity(contract: &Contract, named: Option<&str>) -> Result<String> {
    let mut listed: Vec<&str> =
        contract.keys(Role::Recipient).filter_map(|key| key.entity.as_deref()).collect();
    listed.sort_unstable();
    listed.dedup();
    match (named, listed.as_slice()) {
        (Some(named), _) if listed.contains(&named) => Ok(named.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (_, []) => Err(NO_ENTITY.fault("none at all").help(
            "an amendment of the contract lists who receives: a [[key]] with role = \"recipient\" and its entity",
        )),
        (named, _) => Err(NO_ENTITY
            .fault(named.unwrap_or("several").to_owned())
            .help(format!("--entity '{}'", listed.join("' or --entity '")))),
    }
}

fn verify(here: &Here, args: &StatementArgs) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let named = args.file.file.as_deref();
    let (recipient, paper) = match args.back {
        true => returned::in_force(&here.folder.path(named, RETURN_FILE), &contract, here.now)?,
        false => in_force(&here.folder.path(named, FILE), &contract, here.now)?,
    };
    sign::told(&paper.path, recipient.signers(), recipient.header(), &recipient.digest());
    Ok(())
}

fn show(here: &Here, args: &StatementArgs) -> Result<()> {
    let (name, kind, by) = match args.back {
        true => (RETURN_FILE, Kind::ReturnRecipient, returned::STATED_BY),
        false => (FILE, Kind::Recipient, MADE_BY),
    };
    let paper = Paper::read(&here.folder.path(args.file.file.as_deref(), name), by)?;
    let header = paper.judge(document::header(paper.text(), kind))?;
    let said = paper.judge(read(paper.text()))?;
    let (age, until) = (&said.age.value, Language::English.hour(header.not_after));
    output::line(format!("{}: {}, until {until}", paper.path.display(), said.entity.value));
    output::line(format!("  {}", said.purpose.value));
    let back = if args.back { " --return" } else { "" };
    if paper.signatures.is_empty() {
        output::line(format!("  nobody has signed it yet:  ecluse recipient sign{back} --key FILE"));
    } else {
        output::line(format!("  who signed it is verified by  ecluse recipient verify{back}"));
    }
    output::line(match args.back {
        true => "An order cites it so, for the classes whose fate is \"return\":",
        false => "An order cites it so, in place of [destination]:",
    });
    output::line("");
    output::line(if args.back { "[return]" } else { "[[recipient]]" });
    output::line(format!("age       = \"{age}\""));
    output::line(format!("statement = \"{}\"", paper.digest()));
    if args.back {
        output::line(
            "# alone   = true      # where the source holds no other laboratory's rows and there is no [entity]",
        );
    }
    output::document(&json!({
        "file": paper.path, "digest": paper.digest(), "age": age, "entity": said.entity.value,
        "purpose": said.purpose.value, "not_after": header.not_after.to_string(), "trial": header.trial,
        "signatures": paper.signatures.len(),
    }));
    Ok(())
}
