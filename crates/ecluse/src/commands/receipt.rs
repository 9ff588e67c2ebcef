//! `ecluse receipt sign|verify`: what a recipient loaded.

use ecluse_adapters::folder::events;
use ecluse_core::count::{count, plural};
use ecluse_core::document::Kind;
use ecluse_core::fault::Result;
use ecluse_core::receipt::{FILE, RETURN_FILE, parse};
use ecluse_flow::load::is_destroyed;
use serde_json::json;

use super::{Here, sign};
use crate::cli::{Receipt, ReceiptSignArgs, ReceiptVerifyArgs};
use crate::papers::Paper;
use crate::papers::receipt::{MADE_BY, Received, verified};
use crate::papers::returned::{self, Returned};
use crate::{loading, output};

pub(super) fn run(here: &Here, command: &Receipt) -> Result<()> {
    match command {
        Receipt::Sign(args) => signed(here, args),
        Receipt::Verify(args) => verify(here, args),
    }
}

fn signed(here: &Here, args: &ReceiptSignArgs) -> Result<()> {
    if args.back {
        return sign::run(here, Kind::ReturnReceipt, RETURN_FILE, &args.sign);
    }
    let paper = Paper::read(&here.folder.path(args.sign.file.as_deref(), FILE), MADE_BY)?;
    let stated = paper.judge(parse(paper.text()))?;
    let journal = events(&here.folder.path(args.run.as_deref(), "load"))?;
    is_destroyed(&journal, &stated.archive, &paper.digest())?;
    sign::run(here, Kind::Receipt, FILE, &args.sign)
}

fn verify(here: &Here, args: &ReceiptVerifyArgs) -> Result<()> {
    if args.back {
        return verify_return(here, args);
    }
    let run = here.folder.path(args.run.as_deref(), "run");
    let Received { path, receipt, kept } = verified(&here.folder, args.file.file.as_deref(), &run, here.now)?;
    let stated = receipt.stated();
    if let Some(archive) = &args.archive {
        let manifest = loading::manifest(here, archive)?.manifest;
        let said = manifest.stated();
        stated.is_of(
            &manifest.header().id,
            &manifest.digest(),
            &said.instruction.value,
            &said.recipient.value,
        )?;
    }
    sign::told(&path, receipt.signers(), receipt.header(), &receipt.digest());
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

/// The laboratory's own: of what was returned to it.
fn verify_return(here: &Here, args: &ReceiptVerifyArgs) -> Result<()> {
    let Returned { receipt, .. } = returned::verified(&here.folder, args.file.file.as_deref(), here.now)?;
    let stated = receipt.stated();
    if let Some(archive) = &args.archive {
        let manifest = loading::manifest(here, archive)?.manifest;
        let said = manifest.stated();
        stated.is_of(
            &manifest.header().id,
            &manifest.digest(),
            &said.instruction.value,
            &said.recipient.value,
        )?;
    }
    let path = here.folder.path(args.file.file.as_deref(), RETURN_FILE);
    sign::told(&path, receipt.signers(), receipt.header(), &receipt.digest());
    output::line(format!(
        "  archive {}, returned to the laboratory, which keeps the identity",
        stated.archive
    ));
    for table in &stated.tables {
        output::line(format!("  {}   {}", table.name, plural(table.rows, "row", "rows")));
    }
    output::line("  it opens what the extraction committed itself to, table by table");
    let tables: Vec<_> = stated.tables.iter().map(|t| json!({ "table": t.name, "rows": t.rows })).collect();
    output::document(&json!({
        "archive": stated.archive, "manifest": stated.manifest, "instruction": stated.instruction,
        "run": stated.run, "tables": tables, "opened": true,
    }));
    Ok(())
}
