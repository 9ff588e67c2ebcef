//! `ecluse receipt sign|verify`: what a recipient loaded.

use std::path::Path;

use ecluse_adapters::folder::RunFolder;
use ecluse_core::count::{count, plural};
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use ecluse_core::receipt::{FILE, Receipt as Signed, Sealed, parse};
use ecluse_flow::load::is_destroyed;
use serde::Deserialize;
use serde_json::json;

use super::{Here, sign};
use crate::cli::{Receipt, ReceiptSignArgs, ReceiptVerifyArgs};
use crate::papers::{Paper, standing};
use crate::{folder, loading, output};

static NOT_DESTROYED: Code = Code::refused("ECL-LOA-018", "the identity is not destroyed yet");

static UNREADABLE: Code =
    Code::refused("ECL-RCT-013", "what the extraction kept of the archive cannot be read");

/// In the run folder of an extraction: archive, manifest, recipient, and each table's commitment.
const SEALED: &str = "sealed.json";

/// The command that makes a receipt.
const MADE_BY: &str = "ecluse load ARCHIVE --identity FILE --to URL";

pub(super) fn run(here: &Here, command: &Receipt) -> Result<()> {
    match command {
        Receipt::Sign(args) => signed(here, args),
        Receipt::Verify(args) => verify(here, args),
    }
}

fn signed(here: &Here, args: &ReceiptSignArgs) -> Result<()> {
    let paper = Paper::read(&here.folder.path(args.sign.file.as_deref(), FILE), MADE_BY)?;
    let stated = paper.judge(parse(paper.text()))?;
    let record = RunFolder::existing(&here.folder.path(args.run.as_deref(), "load"))?;
    if !is_destroyed(&record, &stated.archive) {
        return Err(NOT_DESTROYED.fault(format!("archive {}", stated.archive)).help(MADE_BY));
    }
    drop(record);
    sign::run(here, Kind::Receipt, FILE, &args.sign)
}

/// What the extraction kept of what it sealed, in its run folder.
#[derive(Deserialize)]
struct Kept {
    archive: String,
    manifest: String,
    recipient: String,
    tables: Vec<KeptTable>,
}

#[derive(Deserialize)]
struct KeptTable {
    name: String,
    rows: u64,
    commitment: String,
}

impl Kept {
    fn tables(&self) -> Vec<Sealed> {
        let one =
            |t: &KeptTable| Sealed { name: t.name.clone(), rows: t.rows, commitment: t.commitment.clone() };
        self.tables.iter().map(one).collect()
    }
}

/// `None` where nothing was extracted: whoever is not the sender verifies signature and archive alone.
fn kept(path: &Path) -> Result<Option<Kept>> {
    if !path.exists() {
        return Ok(None);
    }
    let kept = serde_json::from_slice(&folder::read(path, "")?);
    kept.map(Some).map_err(|_| {
        UNREADABLE.fault(path.display().to_string()).help("restore it from a copy of the run folder")
    })
}

fn verify(here: &Here, args: &ReceiptVerifyArgs) -> Result<()> {
    let (contract, _) = standing::contract(&here.folder, None, here.now)?;
    let paper = Paper::read(&here.folder.path(args.file.file.as_deref(), FILE), MADE_BY)?;
    let receipt = paper.judge(Signed::read(&paper.bytes, &paper.signatures, &contract, here.now))?;
    let stated = receipt.stated();
    if let Some(archive) = &args.archive {
        let (_, manifest) = loading::manifest(here, archive)?;
        let said = manifest.stated();
        stated.is_of(
            &manifest.header().id,
            &manifest.digest(),
            &said.instruction.value,
            &said.recipient.value,
        )?;
    }
    let kept = kept(&here.folder.path(args.run.as_deref(), "run").join(SEALED))?;
    if let Some(kept) = &kept {
        stated.is_of(&kept.archive, &kept.manifest, &stated.instruction, &kept.recipient)?;
        stated.opens(&kept.tables())?;
    }
    sign::told(&paper.path, receipt.signers(), receipt.header(), &receipt.digest());
    output::line(format!("  archive {}, its identity destroyed", stated.archive));
    for table in &stated.tables {
        let rows = plural(table.rows, "row", "rows");
        output::line(format!("  {}   {rows}, {} refused", table.name, count(table.refused)));
    }
    if kept.is_some() {
        output::line("  it opens what the extraction committed itself to, table by table");
    }
    if args.archive.is_none() && kept.is_none() {
        output::line("Of which archive it is was not looked at:  ecluse receipt verify --archive ARCHIVE");
    }
    let tables: Vec<_> = stated
        .tables
        .iter()
        .map(|t| json!({ "table": t.name, "rows": t.rows, "refused": t.refused }))
        .collect();
    output::document(&json!({
        "archive": stated.archive, "manifest": stated.manifest, "instruction": stated.instruction,
        "run": stated.run, "differences": stated.differences, "tables": tables,
        "compared": args.archive.is_some() || kept.is_some(), "opened": kept.is_some(),
    }));
    stated.is_whole()
}
