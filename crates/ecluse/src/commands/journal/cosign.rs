//! `ecluse journal cosign`: a witness signs that it saw the journal with this size and root, at this hour (C2SP
//! tlog-cosignature, `cosignature/v1`).

use std::path::{Path, PathBuf};

use ecluse_adapters::log;
use ecluse_core::fault::{Code, Result};
use ecluse_journal::{Checkpoint, KeyKind, NoteSigner};
use serde_json::json;

use super::{Here, told};
use crate::cli::CosignArgs;
use crate::journal::{key, witnesses};
use crate::{folder, journal, output};

static NO_NAME: Code = Code::usage("ECL-LOG-038", "a witness signs under a name");
static MEMORY: Code = Code::refused("ECL-LOG-039", "what the witness saw before cannot be read");
static NOT_MADE: Code = Code::refused("ECL-LOG-040", "the cosignature could not be made");

pub(super) fn run(here: &Here, args: &CosignArgs) -> Result<()> {
    let log = log::Folder::open(&journal::path(&here.folder))?;
    let signed = log.signed()?;
    let tree = signed.checkpoint();
    // before anything is signed: every entry, and what this witness saw the last time
    log.whole(tree, |_, _| {})?;
    let memory = beside(&args.key, &tree.origin);
    if let Some(before) = remembered(&memory)? {
        log.grew(tree, &before)?;
    }
    let witness = witness(args)?;
    let hour = u64::try_from(here.now.as_second()).unwrap_or_default();
    let cosigned =
        signed.cosign(&witness, hour).ok_or_else(|| NOT_MADE.fault(witness.verifier().to_string()))?;
    // remembered before it is given away: a witness never signs for two trees of one log
    folder::replace(&memory, tree.text().as_bytes())?;
    let output =
        args.output.clone().unwrap_or_else(|| witnesses::place(&here.folder, &cosigned, witness.verifier()));
    folder::create(&output, cosigned.note().as_bytes())?;
    told(tree);
    output::line(format!("{}: cosigned by {}", output.display(), witness.verifier().name()));
    output::line(format!("  others check it with {}", witness.verifier()));
    super::document(tree);
    output::document(&json!({ "made": output, "witness": witness.verifier().to_string() }));
    Ok(())
}

/// The witness's key, made where it is not there.
fn witness(args: &CosignArgs) -> Result<NoteSigner> {
    if args.key.exists() {
        return key::read(&args.key, KeyKind::Witness);
    }
    let Some(name) = &args.name else {
        return Err(NO_NAME.fault(args.key.display().to_string()).help(
            "there is no such key yet; to make it, say under which name: --name labo-tilleuls.example/journal",
        ));
    };
    key::make(&args.key, name, KeyKind::Witness)
}

/// Where a witness remembers what it signed for last: beside its key, a file for each log.
fn beside(key: &Path, origin: &str) -> PathBuf {
    let name = key.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let log: String = origin.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    key.with_file_name(format!("{name}.seen-{log}"))
}

fn remembered(memory: &Path) -> Result<Option<Checkpoint>> {
    if !memory.exists() {
        return Ok(None);
    }
    let bytes = folder::read(memory, "")?;
    let read = std::str::from_utf8(&bytes).ok().and_then(Checkpoint::parse);
    read.map(Some).ok_or_else(|| {
        MEMORY
            .fault(memory.display().to_string())
            .help("restore it from a copy: without it the witness could sign for two histories")
    })
}
