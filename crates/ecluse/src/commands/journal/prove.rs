//! `ecluse journal prove`: one entry, and the file that proves it is in the journal (C2SP tlog-proof).

use ecluse_adapters::log;
use ecluse_core::fault::{Code, Result};
use ecluse_journal::Proof;
use serde_json::json;

use super::Here;
use crate::cli::ProveArgs;
use crate::journal::reading;
use crate::{folder, journal, output};

static BROKEN: Code = Code::refused("ECL-LOG-037", "the proof does not hold");

pub(super) fn run(here: &Here, args: &ProveArgs) -> Result<()> {
    let log = log::Folder::open(&journal::path(&here.folder))?;
    let signed = log.signed()?;
    let (entry, hashes) = log.entry(signed.checkpoint(), args.index)?;
    let proof = Proof { index: args.index, hashes, checkpoint: signed.note().to_owned() };
    // what is handed out holds: the tiles it was made of were not compared with the root yet
    proof.verify(&entry, &log.verifier()?).map_err(|wrong| {
        BROKEN.fault(format!("entry {}: {wrong}", args.index)).help("ecluse journal verify names the place")
    })?;
    reading::noted(here, &signed.checkpoint().origin);
    let name = args.output.clone().unwrap_or_else(|| format!("entry-{}.tlog-proof", args.index).into());
    let beside = name.with_extension("json");
    folder::create(&name, proof.text().as_bytes())?;
    folder::create(&beside, &entry)?;
    output::line(format!("{}: entry {} is in the journal, by its checkpoint", name.display(), args.index));
    output::line(format!("{}: the entry itself, byte for byte", beside.display()));
    output::document(&json!({ "index": args.index, "proof": name, "entry": beside }));
    Ok(())
}
