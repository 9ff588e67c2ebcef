//! `ecluse inspect|open`: what can be known of a sealed archive without a key, and what its index says.

use ecluse_adapters::archive::Whole;
use ecluse_core::count::{count, number, plural};
use ecluse_core::fault::Result;
use ecluse_core::language::Language;
use ecluse_core::manifest::{Manifest, SUITE_1};
use ecluse_core::plain::shown;
use ecluse_seal::archive::IndexTable;
use serde_json::{Value, json};

use super::{Here, session};
use crate::cli::{InspectArgs, OpenArgs};
use crate::loading::{self, Sealed};
use crate::output;

pub(super) fn run(here: &Here, args: &InspectArgs) -> Result<()> {
    let (_, manifest) = loading::manifest(here, &args.archive)?;
    let whole = Whole::verified(&args.archive, &manifest)?;
    told(&manifest, whole.bytes());
    output::line(
        "Every part is the one that the sender signed for. What is inside, its recipient alone can read.",
    );
    output::document(&outside(&manifest, whole.bytes()));
    Ok(())
}

pub(super) fn open(here: &Here, args: &OpenArgs) -> Result<()> {
    let sealed = Sealed::read(here, &args.inspect.archive)?;
    let identity = session::identity(&sealed.identity(here, args.identity.as_deref())?)?;
    let (laid, archive) = sealed.open(here, args.status.as_deref(), &identity)?;
    let index = archive.index();
    let bytes = laid.sealed.manifest.stated().parts.iter().map(|part| part.size).sum();
    told(&laid.sealed.manifest, bytes);
    output::line(format!(
        "  extracted {} under order {}",
        shown(&index.extracted),
        laid.instruction.header().id
    ));
    for table in &index.tables {
        output::line(format!(
            "  {}   {}{}",
            shown(&table.destination),
            plural(table.rows, "row", "rows"),
            left(table)
        ));
    }
    let held = &index.files.files;
    if !held.is_empty() {
        let bytes = held.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
        let files = plural(number(held.len()), "file", "files");
        output::line(format!("  {files} that rows name, {} bytes", count(bytes)));
    }
    output::line("No row was opened. Load them:  ecluse load ARCHIVE --identity FILE --to URL --key KEY");
    let tables: Vec<Value> = index.tables.iter().map(counts).collect();
    let mut document = outside(&laid.sealed.manifest, bytes);
    if let Some(document) = document.as_object_mut() {
        document.insert("run".to_owned(), json!(index.run));
        document.insert("extracted".to_owned(), json!(shown(&index.extracted)));
        document.insert("tables".to_owned(), json!(tables));
        document.insert("files".to_owned(), json!(held.len()));
    }
    output::document(&document);
    Ok(())
}

fn told(manifest: &Manifest, bytes: u64) {
    let (header, stated) = (manifest.header(), manifest.stated());
    if header.trial {
        output::line("TRIAL");
    }
    output::line(format!(
        "archive {}: {}, {} bytes, {SUITE_1}",
        header.id,
        plural(number(stated.parts.len()), "part", "parts"),
        count(bytes),
    ));
    for signer in manifest.signers() {
        output::line(format!("  sealed by {}, key {}", signer.told(Language::English), signer.fingerprint));
    }
    output::line(format!("  to the recipient statement {}", stated.recipient.value));
    output::line(format!("  under the order {}", stated.instruction.value));
    output::line(format!(
        "  sealed {}, may be opened until {}",
        Language::English.hour(header.issued),
        Language::English.hour(header.not_after)
    ));
}

/// Rows that did not come along, in words.
fn left(table: &IndexTable) -> String {
    let refused: u64 = table.refused.values().sum();
    let mut words = String::new();
    for (rows, what) in [(refused, "refused at the source"), (table.excluded, "of persons who stay")] {
        if rows > 0 {
            words += &format!(", {} {what}", count(rows));
        }
    }
    words
}

fn outside(manifest: &Manifest, bytes: u64) -> Value {
    let (header, stated) = (manifest.header(), manifest.stated());
    json!({
        "archive": header.id, "suite": SUITE_1, "manifest": manifest.digest(), "instruction": stated.instruction.value,
        "sender": stated.sender.value, "recipient": stated.recipient.value, "parts": stated.parts.len(),
        "bytes": bytes, "issued": header.issued.to_string(), "not_after": header.not_after.to_string(),
        "trial": header.trial,
    })
}

fn counts(table: &IndexTable) -> Value {
    json!({
        "table": table.destination, "rows": table.rows, "refused": table.refused, "excluded": table.excluded,
    })
}
