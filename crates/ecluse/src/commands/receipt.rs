//! `ecluse receipt sign|verify`: what a recipient loaded.

use ecluse_adapters::folder::RunFolder;
use ecluse_core::count::{count, plural};
use ecluse_core::document::Kind;
use ecluse_core::fault::{Code, Result};
use ecluse_core::receipt::{FILE, Receipt as Signed, parse};
use ecluse_flow::load::is_destroyed;
use serde_json::json;

use super::{Here, sign};
use crate::cli::{Receipt, ReceiptSignArgs, ReceiptVerifyArgs};
use crate::papers::{Paper, standing};
use crate::{loading, output};

static NOT_DESTROYED: Code = Code::refused("ECL-LOA-018", "the identity is not destroyed yet");

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
    let record = RunFolder::existing(&here.folder.path(args.run.as_deref(), "run"))?;
    if !is_destroyed(&record, &stated.archive) {
        return Err(NOT_DESTROYED.fault(format!("archive {}", stated.archive)).help(MADE_BY));
    }
    drop(record);
    sign::run(here, Kind::Receipt, FILE, &args.sign)
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
    sign::told(&paper.path, receipt.signers(), receipt.header(), &receipt.digest());
    output::line(format!("  archive {}, its identity destroyed", stated.archive));
    for table in &stated.tables {
        let rows = plural(table.rows, "row", "rows");
        output::line(format!("  {}   {rows}, {} refused", table.name, count(table.refused)));
    }
    if args.archive.is_none() {
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
        "compared": args.archive.is_some(),
    }));
    stated.is_whole()
}
