//! `ecluse inspect|open`: what can be known of a sealed archive without a key, and what its index says.

use data_encoding::HEXLOWER;
use ecluse_adapters::archive::{Archive, Source, Whole};
use ecluse_core::count::{count, number, plural};
use ecluse_core::fault::{Code, Result};
use ecluse_core::language::Language;
use ecluse_core::manifest::{Manifest, SUITE_1};
use ecluse_core::plain::shown;
use ecluse_core::receipt::{self, Stated, Table};
use ecluse_seal::archive::IndexTable;
use serde_json::{Value, json};

use super::{Here, load, session};
use crate::cli::{InspectArgs, OpenedArgs};
use crate::loading::{self, Laid, Manifested, Sealed, opened};
use crate::papers::{draft, returned, signatures_of};
use crate::{folder, output};

static NO_RETURN: Code = Code::usage("ECL-RET-008", "this archive returns nothing to the laboratory");
const KEEP: &str = "sign no receipt of it, keep it as it is, and ask the publisher";
static NOT_WHOLE: Code = Code::refused("ECL-RET-009", "rows that are to be returned are not in the archive");

pub(super) fn run(here: &Here, args: &InspectArgs) -> Result<()> {
    let Manifested { manifest, returns, .. } = loading::manifest(here, &args.archive)?;
    let whole = Whole::verified(&args.archive, &manifest)?;
    told(&manifest, returns, whole.bytes());
    output::line(
        "Every part is the one that the sender signed for. What is inside, its recipient alone can read.",
    );
    output::document(&outside(&manifest, whole.bytes()));
    Ok(())
}

pub(super) fn open(here: &Here, args: &OpenedArgs) -> Result<()> {
    let OpenedArgs { open, receipt } = args;
    let sealed = Sealed::read(here, &open.inspect.archive)?;
    if *receipt && !sealed.returns {
        return Err(NO_RETURN
            .fault(sealed.manifest.header().id.clone())
            .help("load it, which ends with a receipt: ecluse load ARCHIVE --identity FILE --to URL"));
    }
    let returns = sealed.returns;
    let identity = session::recipients(&sealed.identity(here, open.identity.as_deref())?)?;
    let (laid, archive) = sealed.open(here, open.status.as_deref(), &identity)?;
    let index = archive.index();
    if returns && !index.files.is_empty() {
        return Err(load::UNASKED.fault("").help(KEEP));
    }
    let bytes = laid.sealed.manifest.stated().parts.iter().map(|part| part.size).sum();
    told(&laid.sealed.manifest, returns, bytes);
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
    if *receipt {
        received(here, &laid, &archive)?;
    } else if returns {
        output::line(format!("No row was opened. All of them, and the receipt:  {}", returned::RECEIVED_BY));
    } else {
        output::line("No row was opened. Load them:  ecluse load ARCHIVE --identity FILE --to URL --key KEY");
    }
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

/// Opens every row, adds each table up, compares, and writes the receipt. Nothing leaves memory.
fn received(here: &Here, laid: &Laid, archive: &Archive<'_>) -> Result<()> {
    let index = archive.index();
    let lacks = |table: &&IndexTable| table.excluded > 0 || table.refused.values().sum::<u64>() > 0;
    if let Some(table) = index.tables.iter().find(lacks) {
        return Err(NOT_WHOLE
            .fault(format!("table {}{}", shown(&table.destination), left(table)))
            .help("keep the archive as it is, and have the publisher return what lacks"));
    }
    let outs = opened(index, &Source::new(archive).add_up()?)?;
    let manifest = &laid.sealed.manifest;
    let table = |(table, out): (&IndexTable, [u8; 32])| Table {
        name: table.destination.clone(),
        rows: table.rows,
        refused: 0,
        salt: table.salt.clone(),
        out: HEXLOWER.encode(&out),
    };
    let stated = Stated {
        archive: manifest.header().id.clone(),
        manifest: manifest.digest(),
        instruction: manifest.stated().instruction.value.clone(),
        recipient: manifest.stated().recipient.value.clone(),
        run: index.run.clone(),
        differences: 0,
        tables: index.tables.iter().zip(outs).map(table).collect(),
    };
    let contract = &laid.sealed.contract;
    let lasts = load::LASTS;
    let head = draft::head(Some(contract.digest().to_owned()), here.now, lasts, contract.header().trial)?;
    let path = here.folder.path(None, receipt::RETURN_FILE);
    // one that nobody has signed says nothing yet: a start that died left it
    if path.exists() && !folder::list(&signatures_of(&path))?.is_empty() {
        return Err(folder::unwritable(&path, &std::io::ErrorKind::AlreadyExists.into()));
    }
    folder::replace(&path, receipt::draft_return(&head, &stated).as_bytes())?;
    output::line(
        "Every row was opened and added up: these are the rows that were sealed, no more and no fewer.",
    );
    output::line(format!("{}: sign it, and send it to the publisher with its signatures:", path.display()));
    output::line("  ecluse receipt sign --return --key FILE");
    Ok(())
}

fn told(manifest: &Manifest, returns: bool, bytes: u64) {
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
    let sealed = Language::English.hour(header.issued);
    output::line(match returns {
        true => {
            format!("  sealed {sealed}, returned to the laboratory: it may open it as long as it has its key")
        }
        false => {
            format!("  sealed {sealed}, may be opened until {}", Language::English.hour(header.not_after))
        }
    });
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
