//! Signing and telling who signed: the same for every kind of paper.

use std::path::{Path, PathBuf};

use ecluse_core::contract;
use ecluse_core::document::{Header, Kind};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_core::signatures::{Signer, Way};
use serde_json::json;

use super::Here;
use crate::cli::SignArgs;
use crate::output;
use crate::papers::{Paper, by_hand, hand, standing};
use crate::trial;

pub(super) static NO_KEY: Code = Code::usage("ECL-CLI-017", "it is not said with which key to sign");

static UNSAID: Code = Code::usage("ECL-SGN-049", "it is not said what was compared on the signed page");

/// Signs the folder's paper of that name, or the one given.
///
/// # Errors
///
/// Where the key may not sign this kind, is another's, or is not said.
pub(super) fn run(here: &Here, kind: Kind, name: &str, args: &SignArgs) -> Result<()> {
    read(here, kind, &Paper::read(&here.folder.path(args.file.as_deref(), name), "")?, args)
}

/// Signs a paper as it was read: what was checked is what is signed.
///
/// # Errors
///
/// As [`run`].
pub(super) fn read(here: &Here, kind: Kind, document: &Paper, args: &SignArgs) -> Result<()> {
    let signed = with(here, kind, document, args)?;
    for path in &signed {
        output::line(format!("signed: {}", path.display()));
    }
    output::document(&json!({ "document": document.path, "signatures": signed }));
    Ok(())
}

/// Signs with the key given, or, in a trial, with the key of every role that this kind demands.
pub(super) fn document_with(
    here: &Here,
    kind: Kind,
    document: &Path,
    args: &SignArgs,
) -> Result<Vec<PathBuf>> {
    with(here, kind, &Paper::read(document, "")?, args)
}

fn with(here: &Here, kind: Kind, document: &Paper, args: &SignArgs) -> Result<Vec<PathBuf>> {
    let contract = Paper::read(&here.folder.path(None, "contract.toml"), "ecluse contract new")?;
    let (header, mut terms) = contract.judge(contract::open(&contract.bytes))?;
    if kind == Kind::Contract {
        // an amendment is signed with the keys of the version before too
        for earlier in standing::earlier(&document.path)? {
            terms.keys.extend(contract::open(&earlier.bytes).map(|(_, t)| t.keys).unwrap_or_default());
        }
    }
    if let Some(scan) = &args.on_paper.on_paper {
        let listed = (terms.keys.as_slice(), terms.demands);
        return Ok(vec![by_hand::check(kind, document, listed, &said(scan, args)?, here.now)?]);
    }
    if let Some(key) = &args.key {
        return Ok(vec![hand::sign(kind, document, key, &terms.keys, args.signer.as_deref())?]);
    }
    if let Some(signature) = &args.adopt {
        let listed = (terms.keys.as_slice(), terms.demands);
        return Ok(vec![hand::adopt(kind, document, signature, listed, args.signer.as_deref(), here.now)?]);
    }
    if !header.trial {
        return Err(NO_KEY.fault(document.path.display().to_string()).help(format!(
            "give your private key: --key FILE; or sign with ssh-keygen -Y sign -n {}, then --adopt FILE.sig",
            kind.namespace()
        )));
    }
    trial::sign_read(&here.folder, kind, document, &terms.keys)
}

/// What the checker of a page signed by hand states.
fn said<'a>(scan: &'a Path, args: &'a SignArgs) -> Result<by_hand::Said<'a>> {
    let paper = &args.on_paper;
    let (Some(key), Some(read), Some(signed), Some(how)) = (&args.key, &paper.read, paper.signed, &paper.how)
    else {
        return Err(UNSAID.fault(scan.display().to_string()).help(
            "--on-paper SCAN --signed DAY --read 'the 32 characters on the page' --how 'how the hand was recognised' --key KEY",
        ));
    };
    Ok(by_hand::Said { scan, key, of: paper.of.as_deref(), signed, read, how })
}

/// Says who signed a paper, until when it holds, and its fingerprint.
pub(super) fn told(path: &Path, signers: &[Signer], header: &Header, digest: &str) {
    if header.trial {
        output::line(format!("{}: TRIAL", path.display()));
    }
    for s in signers {
        output::line(format!("  ✓ {} ({}), key {}", s.told(Language::English), s.role.name(), s.fingerprint));
    }
    output::line(format!(
        "  holds until {}, version {}, fingerprint {}",
        Language::English.hour(header.not_after),
        header.version,
        short(digest)
    ));
    let signers: Vec<_> = signers.iter().map(signer_json).collect();
    output::document(&json!({
        "file": path, "digest": digest, "version": header.version, "not_after": header.not_after.to_string(),
        "trial": header.trial, "signers": signers,
    }));
}

/// A signer with how it was signed: `key`, `paper` or `word`, the last two with the checker.
fn signer_json(s: &Signer) -> serde_json::Value {
    let (way, checker) = match &s.way {
        Way::Key => ("key", None),
        Way::Paper { checker } => ("paper", Some(checker)),
        Way::Word { checker } => ("word", Some(checker)),
    };
    json!({
        "person": s.person, "role": s.role.name(), "email": s.email, "fingerprint": s.fingerprint,
        "way": way, "checked_by": checker,
    })
}

/// The first 8 characters of a digest: what is read aloud.
pub(crate) fn short(digest: &str) -> String {
    digest.trim_start_matches("sha256:").chars().take(8).collect()
}
